//! `why`: why a workflow has not moved on, with who waits, since when, and what would release it.

use std::collections::BTreeMap;
use std::path::Path;

use stabilize::{
    At, Clock as _, Control, History, HistoryError, LogFiles, LogHolder, SystemClock, Wait, WorkflowId, WorkflowView,
};

use super::inspect::{described, second};
use super::reasons::{Around, Reason, reason};
use super::{Reading, log_flag};
use crate::args::Why;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{self, HEADING, harmless};
use crate::progress::length;
use crate::report::{Report, Stop};
use crate::wait_view;

/// Waits that are all shown to a person; of more than these the first of each reason are.
const SHOWN: usize = 50;

/// Waits of one reason that are shown where there are very many.
const SHOWN_OF_EACH: usize = 10;

/// Who moves a workflow now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mover {
    /// No engine holds the log.
    Nobody,
    /// An engine holds the log.
    Holder { pid: Option<u32>, drives: Driving },
}

/// Does the engine that holds the log drive the workflow?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driving {
    Yes,
    No,
    /// It cannot be asked.
    Unknown,
}

/// Says why a workflow has not moved on.
pub(super) fn why(args: &Why, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.id)?;
    let (view, waits) = read(&reading.history, workflow).map_err(|error| Report::of_history(&error))?;
    let files = LogFiles::at(log);
    let on_hold = files.is_on_hold().map_err(|error| Report::of_store(&error))?;
    let mover = mover(&files, log, workflow)?;
    match out.form() {
        Form::Json => out.json(&wait_view::Why::new(&view, &waits, mover_view(mover), on_hold))?,
        Form::Human if waits.is_empty() => print_end(&view, log, out)?,
        Form::Human => {
            let around = Around::new(&view, &waits, mover, SystemClock.now(), log);
            print_waits(&around, out)?;
            print_mover(workflow, mover, on_hold, log, out)?;
        }
    }
    reading.end(out)
}

/// The workflow and what it waits for. It may move between the two; what has ended stays so.
fn read(history: &History, workflow: WorkflowId) -> Result<(WorkflowView, Vec<Wait>), HistoryError> {
    let waits = history.why(workflow)?;
    let view = history.state(workflow, At::Latest)?;
    let waits = if view.status().is_complete() { Vec::new() } else { waits };
    Ok((view, waits))
}

fn mover(files: &LogFiles, log: &Path, workflow: WorkflowId) -> Result<Mover, Report> {
    Ok(match files.holder().map_err(|error| Report::of_store(&error))? {
        LogHolder::Nobody => Mover::Nobody,
        LogHolder::Process { pid } => Mover::Holder { pid, drives: driving(log, workflow) },
    })
}

/// What the holder says itself. One that says nothing is no reason to say nothing here.
fn driving(log: &Path, workflow: WorkflowId) -> Driving {
    let Ok(Some(mut holder)) = Control::connect(log) else { return Driving::Unknown };
    match holder.drives(workflow) {
        Ok(true) => Driving::Yes,
        Ok(false) => Driving::No,
        Err(_) => Driving::Unknown,
    }
}

fn mover_view(mover: Mover) -> Option<wait_view::Holder> {
    match mover {
        Mover::Nobody => None,
        Mover::Holder { pid, drives } => {
            let drives = match drives {
                Driving::Yes => Some(true),
                Driving::No => Some(false),
                Driving::Unknown => None,
            };
            Some(wait_view::Holder { pid, drives })
        }
    }
}

fn status(view: &WorkflowView, out: &Output) -> String {
    out.paint().paint(paint::status(view.status()), view.status().name()).to_string()
}

/// What has ended waits for nothing; how it ended is what somebody who asks wants to know.
fn print_end(view: &WorkflowView, log: &Path, out: &mut Output) -> Result<(), Stop> {
    let (id, name, status) = (view.id(), harmless(view.name()), status(view, out));
    let time = view.end_time().map(|end| format!(" at {}", second(end))).unwrap_or_default();
    out.line(format_args!("workflow {id} {name} has ended {status}{time}: it waits for nothing"))?;
    if let Some(error) = view.error() {
        out.line(format_args!("  {}", described(error)))?;
    }
    if view.error().is_some() || view.canceled_by().is_some() {
        out.line(format_args!("  stabilize{} show {id} tells more", log_flag(log)))?;
    }
    Ok(())
}

fn print_waits(around: &Around<'_>, out: &mut Output) -> Result<(), Stop> {
    let view = around.view();
    let (id, name, status) = (view.id(), harmless(view.name()), status(view, out));
    let since = view.start_time().unwrap_or(view.created_at());
    let time = length(since, around.now());
    out.line(format_args!("workflow {id} {name} is {status}, for {time} (since {})", second(since)))?;
    let (shown, rest) = shown(around.waits());
    for wait in shown {
        let Reason { who, what, details } = reason(wait, around);
        out.line("")?;
        out.line(format_args!("{}: {what}", out.paint().paint(HEADING, who)))?;
        for detail in details {
            out.line(format_args!("  {detail}"))?;
        }
    }
    if !rest.is_empty() {
        let count: usize = rest.values().sum();
        let rest: Vec<String> = rest.iter().map(|(code, count)| format!("{count} {code}")).collect();
        out.line("")?;
        out.line(format_args!("and {count} more ({}): --json lists all", rest.join(", ")))?;
    }
    Ok(())
}

/// The waits that are shown, and how many of each reason are not.
fn shown(waits: &[Wait]) -> (Vec<&Wait>, BTreeMap<&'static str, usize>) {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let most = if waits.len() > SHOWN { SHOWN_OF_EACH } else { SHOWN };
    let mut is_shown = |wait: &&Wait| {
        let count = counts.entry(wait.reason().code()).or_default();
        *count += 1;
        *count <= most
    };
    let shown = waits.iter().filter(|wait| is_shown(wait)).collect();
    counts.retain(|_, count| *count > most);
    counts.values_mut().for_each(|count| *count -= most);
    (shown, counts)
}

/// Who moves it: whatever may happen, happens only while an engine drives the workflow.
fn print_mover(workflow: WorkflowId, mover: Mover, on_hold: bool, log: &Path, out: &mut Output) -> Result<(), Stop> {
    out.line("")?;
    let flag = log_flag(log);
    let resume = format!("stabilize{flag} run --resume {workflow}");
    match mover {
        Mover::Nobody => {
            out.line("no engine holds the log: nothing of this moves before one drives the workflow")?;
            out.line(format_args!("  {resume} drives this one"))?;
            out.line(format_args!("  stabilize{flag} worker drives every open one"))?;
        }
        Mover::Holder { pid, drives: Driving::Yes } => {
            out.line(format_args!("{} holds the log and drives this workflow", process(pid)))?;
        }
        Mover::Holder { pid, drives: Driving::No } => {
            out.line(format_args!(
                "{} holds the log and does not drive this workflow; to have it driven",
                process(pid)
            ))?;
            out.line(format_args!("  {resume}"))?;
        }
        Mover::Holder { pid, drives: Driving::Unknown } => {
            out.line(format_args!("{} holds the log and does not say what it drives", process(pid)))?;
        }
    }
    if on_hold {
        out.line(
            "the log is on hold, as after a salvage: no task may begin before `stabilize log accept DIR --reason TEXT`",
        )?;
    }
    Ok(())
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"))
}
