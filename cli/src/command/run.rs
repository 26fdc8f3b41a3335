//! `run`: begins a workflow, or goes on with one, and follows it: in an engine of its own, or in the one that holds the
//! log, for as long as that is there.

use std::path::Path;
use std::time::{Duration, Instant};

use stabilize::{At, Drive, Engine, Error, History, Position, Status, WorkflowId, WorkflowView};

use super::inspect::{print_outputs, stages};
use super::start::{Beginning, actor, beginning};
use super::taker::{LOOK, Search, Taker};
use super::{Reading, failure, log_flag};
use crate::args::Run;
use crate::exit::Exit;
use crate::follow::{Course, Ended, Follower};
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
    let Beginning { workflow, definition, start, actor } = beginning(file, &args.with)?;
    let mut pursuit = Pursuit {
        log,
        workflow,
        search: search(args, log, workflow, &actor)?,
        has_secrets: args.secrets.is_some(),
        from: None,
        deadline: deadline(args),
        is_begun: false,
        goes_on: None,
    };
    pursuit.conclude(Follower::new(out, log_flag(log))?, |taker, is_begun| {
        // First, so that there is no moment at which it is recorded and nobody drives it.
        taker.drive(workflow)?;
        if is_begun { Ok(()) } else { taker.submit(&definition, start.clone()) }
    })
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
    let mut pursuit = Pursuit {
        log,
        workflow,
        search: search(args, log, workflow, &actor(args.with.actor.as_ref()))?,
        has_secrets: args.secrets.is_some(),
        from: Some(from),
        deadline: deadline(args),
        is_begun: true,
        goes_on: Some(view),
    };
    pursuit.conclude(Follower::new(out, log_flag(log))?, |taker, _| taker.drive(workflow))
}

fn search(args: &Run, log: &Path, workflow: WorkflowId, actor: &str) -> Result<Search, Report> {
    Search::for_driving(log, Drive::Only([workflow].into()), actor)?.with_secrets(args.secrets.as_deref())
}

fn deadline(args: &Run) -> Option<Instant> {
    args.timeout.and_then(|limit| Instant::now().checked_add(Duration::from(limit)))
}

/// A workflow that is followed to its end, wherever it runs.
struct Pursuit<'a> {
    log: &'a Path,
    workflow: WorkflowId,
    search: Search,
    /// A file of secrets was named, which only an engine of our own reads.
    has_secrets: bool,
    /// What stands before this position has been told, or is old.
    from: Option<Position>,
    deadline: Option<Instant>,
    /// It is recorded.
    is_begun: bool,
    /// What it was when this began, until that is told.
    goes_on: Option<WorkflowView>,
}

/// Where the workflow runs.
enum Site {
    Here(Engine),
    There {
        pid: u32,
    },
    /// Nobody has it in hand: the log is changing hands.
    Nowhere,
}

impl Pursuit<'_> {
    /// Follows the workflow, and tells how it ended; `ask` has it begun and driven by whoever takes commands.
    fn conclude(
        &mut self,
        mut follower: Follower<'_>,
        ask: impl FnMut(&mut Taker, bool) -> Result<(), Error>,
    ) -> Result<Exit, Stop> {
        let mut site = Site::Nowhere;
        let ended = self.follow(&mut site, &mut follower, ask);
        let closed = match &site {
            Site::Here(engine) => close(engine, &ended, &mut follower),
            Site::There { .. } | Site::Nowhere => Ok(()),
        };
        if !self.is_begun {
            follower.progress().clear();
            return Err(self.not_begun(ended).into());
        }
        let history = match &site {
            Site::Here(engine) => engine.history(),
            Site::There { .. } | Site::Nowhere => self.read()?,
        };
        let told = follower.catch_up(&history, self.workflow, self.from.unwrap_or(Position::FIRST));
        follower.progress().clear();
        let view = history.state(self.workflow, At::Latest).map_err(|error| Report::of_history(&error))?;
        let way_on = format!("stabilize{} run --resume {}", log_flag(self.log), self.workflow);
        let hinted = |report: Report| {
            if view.status().is_complete() { report } else { report.hint(format!("go on with {way_on}")) }
        };
        let ended = ended.map_err(hinted)?;
        told.map_err(hinted)?;
        closed.map_err(hinted)?;
        follower.print(|out| print_result(&view, out))?;
        if view.status() == Status::Succeeded {
            return Ok(Exit::Success);
        }
        if view.status().is_complete() {
            failure::explain(&view, self.log, &history);
            return Ok(Exit::Unsuccessful);
        }
        match site {
            Site::There { pid } => note(format!(
                "workflow {} goes on in the engine of pid {pid}; follow it again with\n  {way_on}",
                self.workflow
            )),
            Site::Here(_) | Site::Nowhere => {
                note(format!("workflow {} is not finished; go on with\n  {way_on}", self.workflow));
            }
        }
        Ok(exit_of(ended))
    }

    /// Follows the workflow from engine to engine until it ends or somebody has enough.
    fn follow(
        &mut self,
        site: &mut Site,
        follower: &mut Follower<'_>,
        mut ask: impl FnMut(&mut Taker, bool) -> Result<(), Error>,
    ) -> Result<Ended, Report> {
        loop {
            let mut taker = match self.find(follower)? {
                Found::Taker(taker) => taker,
                Found::Ended(ended) => return Ok(ended),
            };
            let history = match &taker {
                Taker::Own(engine) => {
                    *site = Site::Here(engine.clone());
                    engine.history()
                }
                Taker::Holder(_) => self.read()?,
            };
            let from = match self.from {
                Some(from) => from,
                None => *self.from.insert(history.durable().map_err(|error| Report::of_history(&error))?),
            };
            match ask(&mut taker, self.is_begun) {
                Ok(()) => self.is_begun = true,
                // It ended, or was lost, before it answered: whoever has the log next is asked again.
                Err(error) if error.is_gone() && matches!(taker, Taker::Holder(_)) => {
                    if let Some(ended) = follower.pause(LOOK, self.deadline)? {
                        return Ok(ended);
                    }
                    continue;
                }
                Err(error) => return Err(Report::of_engine(&error)),
            }
            if let Some(view) = self.goes_on.take() {
                follower.progress().resume(&view);
            }
            let course = match taker {
                Taker::Own(engine) => {
                    name_others(follower, &engine, self.workflow)?;
                    Course::Here(engine)
                }
                Taker::Holder(control) => {
                    let pid = control.pid();
                    *site = Site::There { pid };
                    follower.progress().say(format!("it runs in the engine of pid {pid}, which holds the log"));
                    if self.has_secrets {
                        follower.progress().warn("that engine has secrets of its own: --secrets is not read there");
                    }
                    Course::There(control, history)
                }
            };
            match follower.follow(course, self.workflow, from, self.deadline)? {
                Ended::Gone => {
                    *site = Site::Nowhere;
                    follower.progress().say("that engine has ended; going on with the workflow");
                }
                ended => return Ok(ended),
            }
        }
    }

    /// Looks for somebody who takes commands. Who has begun has time: the log becomes free some day.
    fn find(&mut self, follower: &mut Follower<'_>) -> Result<Found, Report> {
        loop {
            if let Some(taker) = self.search.look()? {
                return Ok(Found::Taker(taker));
            }
            if let Some(report) = self.search.given_up().filter(|_| self.from.is_none() || !self.is_begun) {
                return Err(report);
            }
            if let Some(ended) = follower.pause(LOOK, self.deadline)? {
                return Ok(Found::Ended(ended));
            }
        }
    }

    fn read(&self) -> Result<History, Report> {
        History::open(self.log).map_err(|error| Report::of_history(&error))
    }

    /// Somebody had enough before the workflow was recorded, or it could not be.
    fn not_begun(&self, ended: Result<Ended, Report>) -> Report {
        match ended {
            Ok(ended) => Report::new(exit_of(ended), "stopped before the workflow was recorded"),
            Err(report) => report,
        }
    }
}

/// What a search gave.
enum Found {
    Taker(Taker),
    /// Somebody had enough.
    Ended(Ended),
}

fn exit_of(ended: Ended) -> Exit {
    match ended {
        Ended::TimedOut => Exit::TimedOut,
        Ended::Interrupted | Ended::Closed | Ended::Gone => Exit::Interrupted,
    }
}

fn close(engine: &Engine, ended: &Result<Ended, Report>, follower: &mut Follower<'_>) -> Result<(), Report> {
    match ended {
        Ok(Ended::Interrupted) => follower.progress().warn("stopping: what runs is given back; once more ends at once"),
        Ok(Ended::TimedOut) => follower.progress().warn("the time is over: what runs is given back"),
        Ok(Ended::Closed | Ended::Gone) | Err(_) => (),
    }
    engine.close().map_err(|error| Report::of_engine(&error))
}

/// Names open workflows that this command leaves as they are.
fn name_others(follower: &mut Follower<'_>, engine: &Engine, own: WorkflowId) -> Result<(), Report> {
    const SHOWN: usize = 5;
    let open = engine.history().open_workflows().map_err(|error| Report::of_history(&error))?;
    let others: Vec<String> = open.iter().filter(|other| **other != own).map(ToString::to_string).collect();
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
