//! Why a workflow that was driven did not succeed, for people, on standard error.

use std::path::Path;

use stabilize::{CapturedStream, History, StageView, Status, WorkflowView};

use super::inspect::{described, in_short};
use super::log_flag;
use super::logs::streams;
use crate::paint::harmless;
use crate::progress::note;

/// Lines of a program's standard error that are shown.
const LINES_SHOWN: usize = 20;

/// Says which stage failed, why, and what its program wrote last to its standard error.
pub(super) fn explain(view: &WorkflowView, log: &Path, history: &History) {
    let workflow = view.id();
    if let Some(by) = view.canceled_by() {
        let reason = view.cancellation_reason().map(|reason| format!(": {}", harmless(reason))).unwrap_or_default();
        note(format!("error: workflow {workflow} was canceled by {}{reason}", harmless(by)));
        return;
    }
    let error = view.error().map(described).unwrap_or_default();
    let Some(stage) = view.failed_stage() else {
        note(format!("error: workflow {workflow} ended {}: {error}", view.status().name()));
        let anchor = view.error().and_then(|failure| failure.code().anchor());
        anchor.into_iter().for_each(|anchor| note(format!("see {anchor}")));
        return;
    };
    // That the file is gone changes nothing of what is known.
    let streams = streams(log, history, workflow).unwrap_or_default();
    let stream = standard_error(stage, streams);
    let text = stream.as_ref().and_then(|stream| stream.read().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    // The causes of a program's failure are the end of the same text.
    let failure = stage.error().map(if lines.is_empty() { described } else { in_short });
    note(format!("error: stage {} failed: {}", stage.id(), failure.unwrap_or(error)));
    let anchor = stage.error().or(view.error()).and_then(|failure| failure.code().anchor());
    anchor.into_iter().for_each(|anchor| note(format!("see {anchor}")));
    let Some(stream) = stream.filter(|_| !lines.is_empty()) else { return };
    let skipped = lines.len().saturating_sub(LINES_SHOWN);
    let which = if skipped == 0 { "standard error" } else { "the last lines of standard error" };
    note(format!("{which} of {}/{}, attempt {}:", stage.id(), stream.task(), stream.attempt()));
    for line in &lines[skipped..] {
        note(format!("  {}", shown(line)));
    }
    note(format!("stabilize{} logs {workflow} {} prints all of it", log_flag(log), stage.ref_id()));
}

/// What the task that failed, or that the deadline of its stage stopped, wrote to its standard error in its last
/// attempt.
fn standard_error(stage: &StageView, streams: Vec<CapturedStream>) -> Option<CapturedStream> {
    let task = stage.tasks().iter().rfind(|task| task.error().is_some() || task.status() == Status::Canceled)?;
    let of_task = |stream: &CapturedStream| {
        stream.stage() == stage.ref_id()
            && stream.activation() == stage.activations()
            && stream.task() == task.name()
            && stream.name() == "stderr"
    };
    streams.into_iter().filter(of_task).max_by_key(CapturedStream::attempt)
}

/// A line a program wrote, as a terminal may show it; tabs stay.
fn shown(line: &str) -> String {
    line.split('\t').map(harmless).collect::<Vec<String>>().join("\t")
}
