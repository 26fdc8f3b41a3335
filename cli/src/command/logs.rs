//! `logs`: what programs wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use stabilize::{
    AttemptId, CapturedStream, CapturedStreams, Envelope, Event, History, Report as Told, Sequence, WorkflowId,
};

use super::Reading;
use super::tail::tail;
use crate::args::Logs;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{HEADING, harmless};
use crate::report::{Report, Stop};

/// `logs --json`: what one stream holds, or what came to it since the line before.
#[derive(Serialize)]
pub(super) struct Stream<'a> {
    stage: &'a str,
    activation: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
    task: &'a str,
    attempt: u32,
    stream: &'static str,
    text: &'a str,
}

impl<'a> Stream<'a> {
    pub(super) fn new(stream: &'a CapturedStream, text: &'a str) -> Stream<'a> {
        Stream {
            stage: stream.stage(),
            activation: stream.activation(),
            instance: stream.instance(),
            task: stream.task(),
            attempt: stream.attempt(),
            stream: stream.name(),
            text,
        }
    }
}

/// Prints captured streams.
pub(super) fn logs(args: &Logs, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.id)?;
    if let Some(stage) = &args.stage {
        let view =
            reading.history.state(workflow, stabilize::At::Latest).map_err(|error| Report::of_history(&error))?;
        if view.stage(stage).is_none() {
            return Err(Report::new(Exit::NotFound, format!("workflow {workflow} has no stage {stage:?}")).into());
        }
    }
    if args.follow {
        tail(args, &reading.history, workflow, log, out)?;
        return reading.end(out);
    }
    let mut streams = wanted(args, log, &reading.history, workflow)?;
    if args.attempt.is_none() && !args.failed {
        retain_newest(&mut streams);
    }
    if let Some(number) = args.attempt.filter(|_| streams.is_empty()) {
        return Err(Report::new(Exit::NotFound, format!("nothing was captured of attempt {number}")).into());
    }
    let mut texts = Vec::new();
    for stream in &streams {
        texts.push((stream, stream.read().map_err(|error| unreadable(stream, &error))?));
    }
    print(&texts, out)?;
    reading.end(out)
}

/// The captured streams of a workflow that were asked for; of attempts that did not fail the newest are not chosen yet.
fn wanted(args: &Logs, log: &Path, history: &History, workflow: WorkflowId) -> Result<Vec<CapturedStream>, Report> {
    let files = CapturedStreams::at(log).map_err(|error| Report::of_engine(&error))?;
    let mut streams = Vec::new();
    let mut seen: BTreeSet<AttemptId> = BTreeSet::new();
    let events = history.events(workflow, Sequence::FIRST..).map_err(|error| Report::of_history(&error))?;
    for envelope in events {
        let envelope = envelope.map_err(|error| Report::of_history(&error))?;
        let Some(attempt) = envelope.event().attempt().filter(|_| !args.failed || has_failed(&envelope)) else {
            continue;
        };
        let of_attempt = files.of_attempt(&envelope);
        if !of_attempt.is_empty() && seen.insert(attempt) {
            streams.extend(of_attempt.into_iter().filter(|stream| is_wanted(args, stream) && stream.path().is_file()));
        }
    }
    Ok(streams)
}

/// Is it of the stage and the attempt that were asked for?
pub(super) fn is_wanted(args: &Logs, stream: &CapturedStream) -> bool {
    args.stage.as_ref().is_none_or(|stage| stage == stream.stage())
        && args.attempt.is_none_or(|number| number == stream.attempt())
}

/// Does the event say that an attempt has failed? One whose engine was killed has, too.
pub(super) fn has_failed(envelope: &Envelope) -> bool {
    match envelope.event() {
        Event::TaskReported(_, told) => {
            matches!(told.report, Told::Failed { .. } | Told::Terminal { .. } | Told::FailedContinue { .. })
        }
        Event::TaskLeaseLost(_, loss) => !loss.orderly,
        _ => false,
    }
}

/// The captured streams of a workflow.
pub(super) fn streams(log: &Path, history: &History, workflow: WorkflowId) -> Result<Vec<CapturedStream>, Report> {
    let files = CapturedStreams::at(log).map_err(|error| Report::of_engine(&error))?;
    files.of(history, workflow).map_err(|error| Report::of_history(&error))
}

/// A stream whose file is there and cannot be read.
pub(super) fn unreadable(stream: &CapturedStream, error: &std::io::Error) -> Report {
    Report::new(Exit::Unusable, format!("could not read {}", stream.path().display())).because(error)
}

/// Leaves the last attempt of each task.
pub(super) fn retain_newest(streams: &mut Vec<CapturedStream>) {
    let of = |stream: &CapturedStream| (stream.stage().to_owned(), stream.instance(), stream.task().to_owned());
    let number = |stream: &CapturedStream| (stream.activation(), stream.attempt());
    let mut newest = BTreeMap::new();
    for stream in streams.iter() {
        let known = newest.entry(of(stream)).or_insert_with(|| number(stream));
        *known = number(stream).max(*known);
    }
    streams.retain(|stream| newest.get(&of(stream)) == Some(&number(stream)));
}

/// The line above what a stream holds.
pub(super) fn heading(stream: &CapturedStream) -> String {
    let (stage, task) = (harmless(stream.stage()), harmless(stream.task()));
    let (activation, attempt, name) = (stream.activation(), stream.attempt(), stream.name());
    let instance = stream.instance().map(|instance| format!("[{instance}]")).unwrap_or_default();
    format!("==> {stage}#{activation}{instance}/{task}, attempt {attempt}, {name} <==")
}

fn print(texts: &[(&CapturedStream, Vec<u8>)], out: &mut Output) -> Result<(), Stop> {
    if out.form() == Form::Json {
        for (stream, bytes) in texts {
            out.json(&Stream::new(stream, &String::from_utf8_lossy(bytes)))?;
        }
        return Ok(());
    }
    let written: Vec<_> = texts.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    for (index, (stream, bytes)) in written.iter().enumerate() {
        if written.len() > 1 {
            if index > 0 {
                out.line("")?;
            }
            out.line(out.paint().paint(HEADING, heading(stream)))?;
        }
        out.bytes(bytes)?;
        if written.len() > 1 && !bytes.ends_with(b"\n") {
            out.line("")?;
        }
    }
    Ok(())
}
