//! `run`: begins a workflow, or goes on with one, and follows it.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stabilize::{
    At, Config, Drive, Engine, Filter, LogFiles, Position, Registry, Start, Status, Trigger, WorkflowId, WorkflowView,
};

use super::inspect::{print_outputs, stages};
use super::lint::definition;
use super::{Reading, failure, log_flag};
use crate::args::Run;
use crate::exit::Exit;
use crate::follow::{Ended, Follower};
use crate::input;
use crate::output::{Form, Output};
use crate::paint::{self, harmless};
use crate::progress::{length, note};
use crate::report::{Report, Stop};
use crate::view;

/// Runs a workflow to its end, or until somebody stops following it.
pub(super) fn run(args: &Run, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    match (&args.resume, &args.file) {
        (Some(id), _) => resume(id, args, log, out),
        (None, Some(file)) => begin(file, args, log, out),
        (None, None) => Err(Report::new(Exit::Usage, "neither a definition nor --resume ID is given").into()),
    }
}

/// Nothing is recorded, and no directory made, before all that can be refused has been accepted.
fn begin(file: &Path, args: &Run, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let definition = definition(file)?;
    let inputs = input::inputs(&definition, args.inputs.as_deref(), &args.input)?;
    let actor = actor(args);
    let workflow = WorkflowId::generate();
    let start = Start::new()
        .id(workflow)
        .inputs(inputs)
        .trigger(trigger(args, &actor)?)
        .origin("cli")
        .actor(&actor)
        .workdir(workdir(args)?);
    let mut follower = Follower::new(out)?;
    let engine = open(log, workflow, &actor)?;
    let from = engine.history().durable().map_err(|error| Report::of_history(&error))?;
    let deadline = deadline(args);
    engine.submit(&definition, start).map_err(|error| Report::of_engine(&error))?;
    drive(&mut follower, &Driven { engine, workflow, log, from, deadline })
}

fn resume(id: &str, args: &Run, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(id)?;
    let view = reading.history.state(workflow, At::Latest).map_err(|error| Report::of_history(&error))?;
    if view.status().is_complete() {
        let message = format!("workflow {workflow} has ended already: {}", view.status().name());
        return Err(Report::new(Exit::Conflict, message).into());
    }
    // From here, so that what opening the log records about it is told, too.
    let from = reading.history.durable().map_err(|error| Report::of_history(&error))?;
    let mut follower = Follower::new(out)?;
    let deadline = deadline(args);
    let engine = open(log, workflow, &actor(args))?;
    follower.progress().resume(&view);
    drive(&mut follower, &Driven { engine, workflow, log, from, deadline })
}

fn actor(args: &Run) -> String {
    let user = || ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok().filter(|user| !user.is_empty()));
    args.actor.clone().or_else(user).unwrap_or_else(|| "anonymous".to_owned())
}

fn deadline(args: &Run) -> Option<Instant> {
    args.timeout.and_then(|limit| Instant::now().checked_add(Duration::from(limit)))
}

fn trigger(args: &Run, actor: &str) -> Result<Trigger, Report> {
    let mut trigger = Trigger::new().user(actor);
    if let Some(trigger_type) = &args.trigger_type {
        trigger = trigger.of_type(trigger_type);
    }
    for (name, value) in input::parameters(&args.parameter)? {
        trigger = trigger.parameter(name, value);
    }
    match &args.payload {
        Some(payload) => Ok(trigger.payload(input::payload(payload)?)),
        None => Ok(trigger),
    }
}

fn workdir(args: &Run) -> Result<PathBuf, Report> {
    let path = args.workdir.clone().unwrap_or_else(|| PathBuf::from("."));
    if path.is_dir() { Ok(path) } else { Err(Report::new(Exit::Usage, format!("{} is no directory", path.display()))) }
}

/// An engine that runs tasks of this workflow only.
fn open(log: &Path, workflow: WorkflowId, actor: &str) -> Result<Engine, Report> {
    if LogFiles::at(log).is_on_hold().map_err(|error| Report::of_store(&error))? {
        let message = format!("the log in {} is on hold: no task may begin", log.display());
        return Err(Report::new(Exit::Unusable, message).hint("the file HOLD in it says so, as after a salvage"));
    }
    let config = Config::at(log).drive(Drive::Only(BTreeSet::from([workflow]))).actor(actor);
    Engine::open(config, Registry::with_builtins()).map_err(|error| Report::of_engine(&error))
}

/// A workflow that is driven to its end.
struct Driven<'a> {
    engine: Engine,
    workflow: WorkflowId,
    log: &'a Path,
    /// What stands before this position has been told, or is old.
    from: Position,
    deadline: Option<Instant>,
}

fn drive(follower: &mut Follower<'_>, driven: &Driven<'_>) -> Result<Exit, Stop> {
    let Driven { engine, workflow, from, .. } = driven;
    name_others(follower, driven)?;
    let ended = follower.follow(engine, *workflow, *from, driven.deadline);
    match ended {
        Ok(Ended::Interrupted) => follower.progress().warn("stopping: what runs is given back; once more ends at once"),
        Ok(Ended::TimedOut) => follower.progress().warn("the time is over: what runs is given back"),
        Ok(Ended::Closed) | Err(_) => (),
    }
    let closed = engine.close();
    let history = engine.history();
    let told = follower.catch_up(&history, *workflow, *from);
    follower.progress().clear();
    let view = history.state(*workflow, At::Latest).map_err(|error| Report::of_history(&error))?;
    let way_on = format!("stabilize{} run --resume {workflow}", log_flag(driven.log));
    let hinted = |report: Report| {
        if view.status().is_complete() { report } else { report.hint(format!("go on with {way_on}")) }
    };
    let ended = ended.map_err(hinted)?;
    told.map_err(hinted)?;
    closed.map_err(|error| hinted(Report::of_engine(&error)))?;
    follower.print(|out| print_result(&view, out))?;
    if view.status() == Status::Succeeded {
        return Ok(Exit::Success);
    }
    if view.status().is_complete() {
        failure::explain(&view, driven.log, &history);
        return Ok(Exit::Unsuccessful);
    }
    note(format!("workflow {workflow} is not finished; go on with\n  {way_on}"));
    Ok(if ended == Ended::TimedOut { Exit::TimedOut } else { Exit::Interrupted })
}

/// Names open workflows that this command leaves as they are.
fn name_others(follower: &mut Follower<'_>, driven: &Driven<'_>) -> Result<(), Report> {
    const SHOWN: usize = 5;
    let statuses = Status::ALL.into_iter().filter(|status| !status.is_complete());
    let filter = statuses.fold(Filter::new(), Filter::status);
    let open = driven.engine.history().workflows(&filter).map_err(|error| Report::of_history(&error))?;
    let others: Vec<String> = open
        .iter()
        .map(|other| other.id())
        .filter(|other| *other != driven.workflow)
        .map(|id| id.to_string())
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let (count, names) = (others.len(), others.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "));
    let more = if count > SHOWN { ", .." } else { "" };
    let plural = if count == 1 { "workflow is" } else { "workflows are" };
    follower.progress().warn(&format!("{count} other {plural} open and not driven here: {names}{more}"));
    Ok(())
}

fn print_result(view: &WorkflowView, out: &mut Output) -> Result<(), Stop> {
    if out.form() == Form::Json {
        return Ok(out.json(&view::Ending::from(view))?);
    }
    out.table(&stages(view.stages()))?;
    print_outputs(view.outputs(), out)?;
    let status = out.paint().paint(paint::status(view.status()), view.status().name());
    let time = view.start_time().zip(view.end_time()).map(|(start, end)| format!(" after {}", length(start, end)));
    out.line("")?;
    out.line(format_args!("{} {} {status}{}", view.id(), harmless(view.name()), time.unwrap_or_default()))?;
    Ok(())
}
