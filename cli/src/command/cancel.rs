//! `cancel`: asks for the end of a workflow.

use std::path::Path;

use stabilize::{Answer, At, By, CommandId};

use super::start::actor;
use super::{Reading, taker};
use crate::args::Cancel;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{self, harmless};
use crate::report::{Report, Stop};
use crate::view;

/// Has the request recorded, and prints how the workflow stands then.
pub(super) fn cancel(args: &Cancel, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.id)?;
    let actor = actor(args.actor.as_ref());
    let mut by = By::user(&actor).command(CommandId::generate());
    if let Some(reason) = &args.reason {
        by = by.because(reason);
    }
    let answer = taker::record(log, &actor, |taker| taker.cancel(workflow, by.clone()))?;
    let (Answer::Applied(sequence) | Answer::Repeated(sequence)) = answer;
    let view = reading.history.state(workflow, At::Latest).map_err(|error| Report::of_history(&error))?;
    match out.form() {
        Form::Json => out.json(&view::CancelAccepted {
            workflow: workflow.to_string(),
            sequence: sequence.get(),
            status: view.status().name(),
        })?,
        Form::Human => {
            let status = out.paint().paint(paint::status(view.status()), view.status().name());
            out.line(format_args!("{workflow} {} {status}", harmless(view.name())))?;
        }
    }
    Ok(Exit::Success)
}
