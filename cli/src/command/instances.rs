//! Instances of a stage from a shell: `add-instances`, `close-instances`, `complete-instances`.

use std::path::Path;

use super::people::Telling;
use crate::args;
use crate::exit::Exit;
use crate::output::Output;
use crate::report::Stop;

/// Adds instances to a stage.
pub(super) fn add(args: &args::AddInstances, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let (telling, of) = (telling(&args.of, log)?, &args.of);
    telling.record(log, of.reason.as_ref(), out, |taker, workflow, by| {
        taker.add_instances(workflow, &of.stage, args.items.clone(), by)
    })
}

/// Lets nobody add any more.
pub(super) fn close(args: &args::CloseInstances, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let (telling, of) = (telling(&args.of, log)?, &args.of);
    telling.record(log, of.reason.as_ref(), out, |taker, workflow, by| taker.close_instances(workflow, &of.stage, by))
}

/// Lets control go on without the rest.
pub(super) fn complete(args: &args::CompleteInstances, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let (telling, of) = (telling(&args.of, log)?, &args.of);
    telling
        .record(log, of.reason.as_ref(), out, |taker, workflow, by| taker.complete_instances(workflow, &of.stage, by))
}

fn telling(of: &args::OfInstances, log: &Path) -> Result<Telling, Stop> {
    let telling = Telling::to(&of.id, of.actor.as_ref(), log)?;
    telling.check_stage(&of.stage)?;
    Ok(telling)
}
