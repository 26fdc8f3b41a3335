//! `cancel`: asks for the end of a workflow.

use std::path::Path;

use super::people::Telling;
use crate::args::Cancel;
use crate::exit::Exit;
use crate::output::Output;
use crate::report::Stop;

/// Has the request recorded, and prints how the workflow stands then.
pub(super) fn cancel(args: &Cancel, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    telling.record(log, args.reason.as_ref(), out, |taker, workflow, by| match args.force {
        true => taker.force_cancel(workflow, by),
        false => taker.cancel(workflow, by),
    })
}
