//! Signals from a shell, and triggers closed from there, and choices that people make: `signal`, `close-trigger`,
//! `claim`.

use std::path::Path;

use stabilize::{Signal, Target};

use super::people::Telling;
use crate::args;
use crate::exit::Exit;
use crate::output::Output;
use crate::report::Stop;

/// Sends a signal to a workflow.
pub(super) fn signal(args: &args::Signal, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    if let Some(stage) = &args.stage {
        telling.check_stage(stage)?;
    }
    let target = args.stage.as_ref().map_or(Target::Workflow, Target::stage);
    let mut signal = Signal::named(&args.name);
    if let Some(data) = &args.data {
        signal = signal.data(data.clone());
    }
    if let Some(key) = &args.key {
        signal = signal.id(key);
    }
    if args.transient {
        signal = signal.transient();
    }
    telling.record(log, args.reason.as_ref(), out, |taker, workflow, by| {
        taker.signal(workflow, target.clone(), signal.clone(), by)
    })
}

/// Closes the trigger of a stage.
pub(super) fn close_trigger(args: &args::CloseTrigger, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    telling.check_stage(&args.stage)?;
    telling.record(log, args.reason.as_ref(), out, |taker, workflow, by| taker.close_trigger(workflow, &args.stage, by))
}

/// Chooses an alternative of a deferred choice.
pub(super) fn claim(args: &args::Claim, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    telling.check_stage(&args.stage)?;
    telling.record(log, args.reason.as_ref(), out, |taker, workflow, by| taker.claim(workflow, &args.stage, by))
}
