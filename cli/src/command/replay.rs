//! `replay`: fold again, check, compare.

use std::path::Path;

use serde::Serialize;

use super::Reading;
use super::inspect::print_workflow;
use crate::args::Replay;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::report::{Report, Stop};
use crate::view;

#[derive(Serialize)]
struct Replayed<'a> {
    events: u64,
    batches: u64,
    digest: String,
    state: view::Workflow<'a>,
}

/// Folds a workflow from its first event; whatever does not hold ends it with exit code 6.
pub(super) fn replay(args: &Replay, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.id)?;
    let replayed = reading.history.replay(workflow, args.until, |_| ());
    let replayed = replayed.map_err(|error| Report::of_history(&error))?;
    let (events, batches, digest) = (replayed.events(), replayed.batches(), replayed.digest().to_string());
    match out.form() {
        Form::Json => out.json(&Replayed { events, batches, digest, state: replayed.view().into() })?,
        Form::Human => {
            print_workflow(replayed.view(), out)?;
            out.line("")?;
            out.line(format_args!("{events} events in {batches} batches: every invariant holds, show says the same"))?;
            out.line(format_args!("digest {digest}"))?;
        }
    }
    reading.end(out)
}
