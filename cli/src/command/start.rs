//! `start`: records a workflow that others drive; and what a workflow begins with, by the flags of the command line.

use std::env;
use std::path::{Path, PathBuf};

use stabilize::{Definition, Start, Trigger, WorkflowId};

use super::check::refuse_unsound;
use super::lint::definition;
use super::{log_flag, taker};
use crate::args::{self, StartWith};
use crate::exit::Exit;
use crate::input;
use crate::output::{Form, Output};
use crate::progress::note;
use crate::report::{Report, Stop};
use crate::view;

/// A workflow that can begin: all that can be refused before the log is touched has been accepted.
pub(super) struct Beginning {
    pub(super) workflow: WorkflowId,
    pub(super) definition: Definition,
    pub(super) start: Start,
    pub(super) actor: String,
}

/// What the command line says about a beginning.
///
/// # Errors
///
/// A definition that is refused, inputs that do not fit, a directory that is none.
pub(super) fn beginning(file: &Path, with: &StartWith) -> Result<Beginning, Report> {
    let definition = definition(file)?;
    refuse_unsound(file, &definition)?;
    let inputs = input::inputs(&definition, with.inputs.as_deref(), &with.input)?;
    let actor = actor(with.actor.as_ref());
    let workflow = WorkflowId::generate();
    let start = Start::new()
        .id(workflow)
        .inputs(inputs)
        .trigger(trigger(with, &actor)?)
        .origin("cli")
        .actor(&actor)
        .workdir(workdir(with)?);
    Ok(Beginning { workflow, definition, start, actor })
}

/// Who asks: as given, or the user's name.
pub(super) fn actor(given: Option<&String>) -> String {
    let user = || ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok().filter(|user| !user.is_empty()));
    given.cloned().or_else(user).unwrap_or_else(|| "anonymous".to_owned())
}

fn trigger(with: &StartWith, actor: &str) -> Result<Trigger, Report> {
    let mut trigger = Trigger::new().user(actor);
    if let Some(trigger_type) = &with.trigger_type {
        trigger = trigger.of_type(trigger_type);
    }
    for (name, value) in input::parameters(&with.parameter)? {
        trigger = trigger.parameter(name, value);
    }
    match &with.payload {
        Some(payload) => Ok(trigger.payload(input::payload(payload)?)),
        None => Ok(trigger),
    }
}

fn workdir(with: &StartWith) -> Result<PathBuf, Report> {
    let path = with.workdir.clone().unwrap_or_else(|| PathBuf::from("."));
    if path.is_dir() { Ok(path) } else { Err(Report::new(Exit::Usage, format!("{} is no directory", path.display()))) }
}

/// Records a workflow and prints its id.
pub(super) fn start(args: &args::Start, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let Beginning { workflow, definition, start, actor } = beginning(&args.file, &args.with)?;
    let driven_by = taker::record(log, &actor, |taker| {
        taker.submit(&definition, start.clone())?;
        Ok(taker.drives_all())
    })?;
    match out.form() {
        Form::Json => out.json(&view::Started { workflow: workflow.to_string(), driven_by })?,
        Form::Human => {
            out.line(workflow)?;
            out.flush()?;
            let flag = log_flag(log);
            match driven_by {
                Some(pid) => note(format!("workflow {workflow} is driven by pid {pid}")),
                None => note(format!(
                    "workflow {workflow} is recorded and waits for somebody to drive it, as these do\n  \
                     stabilize{flag} worker\n  stabilize{flag} run --resume {workflow}"
                )),
            }
        }
    }
    Ok(Exit::Success)
}
