//! `logs`: what programs wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use stabilize::{CapturedStream, CapturedStreams, History, WorkflowId};

use super::Reading;
use crate::args::Logs;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{HEADING, harmless};
use crate::report::{Report, Stop};

#[derive(Serialize)]
struct Stream<'a> {
    stage: &'a str,
    activation: u32,
    task: &'a str,
    attempt: u32,
    stream: &'static str,
    text: &'a str,
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
    let mut streams = streams(log, &reading.history, workflow)?;
    streams.retain(|stream| args.stage.as_ref().is_none_or(|stage| stage == stream.stage()));
    match args.attempt {
        Some(number) => streams.retain(|stream| stream.attempt() == number),
        None => retain_newest(&mut streams),
    }
    if let Some(number) = args.attempt.filter(|_| streams.is_empty()) {
        return Err(Report::new(Exit::NotFound, format!("nothing was captured of attempt {number}")).into());
    }
    let mut texts = Vec::new();
    for stream in &streams {
        let path = stream.path().display();
        let unreadable = |error| Report::new(Exit::Unusable, format!("could not read {path}")).because(&error);
        texts.push((stream, stream.read().map_err(unreadable)?));
    }
    print(&texts, out)?;
    reading.end(out)
}

/// The captured streams of a workflow.
pub(super) fn streams(log: &Path, history: &History, workflow: WorkflowId) -> Result<Vec<CapturedStream>, Report> {
    let files = CapturedStreams::at(log).map_err(|error| Report::of_engine(&error))?;
    files.of(history, workflow).map_err(|error| Report::of_history(&error))
}

/// Leaves the last attempt of each task.
fn retain_newest(streams: &mut Vec<CapturedStream>) {
    let of = |stream: &CapturedStream| (stream.stage().to_owned(), stream.task().to_owned());
    let number = |stream: &CapturedStream| (stream.activation(), stream.attempt());
    let mut newest = BTreeMap::new();
    for stream in streams.iter() {
        let known = newest.entry(of(stream)).or_insert_with(|| number(stream));
        *known = number(stream).max(*known);
    }
    streams.retain(|stream| newest.get(&of(stream)) == Some(&number(stream)));
}

fn print(texts: &[(&CapturedStream, Vec<u8>)], out: &mut Output) -> Result<(), Stop> {
    if out.form() == Form::Json {
        for (stream, bytes) in texts {
            out.json(&Stream {
                stage: stream.stage(),
                activation: stream.activation(),
                task: stream.task(),
                attempt: stream.attempt(),
                stream: stream.name(),
                text: &String::from_utf8_lossy(bytes),
            })?;
        }
        return Ok(());
    }
    let written: Vec<_> = texts.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    for (index, (stream, bytes)) in written.iter().enumerate() {
        if written.len() > 1 {
            if index > 0 {
                out.line("")?;
            }
            let (stage, task) = (harmless(stream.stage()), harmless(stream.task()));
            let (activation, attempt, name) = (stream.activation(), stream.attempt(), stream.name());
            let heading = format!("==> {stage}#{activation}/{task}, attempt {attempt}, {name} <==");
            out.line(out.paint().paint(HEADING, heading))?;
        }
        out.bytes(bytes)?;
        if written.len() > 1 && !bytes.ends_with(b"\n") {
            out.line("")?;
        }
    }
    Ok(())
}
