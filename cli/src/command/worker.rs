//! `worker`: drives every open workflow until somebody wants an end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use stabilize::{At, Drive, Engine, Envelope, Event, Filter, History, Position, Status, Timestamp, WorkflowId};

use super::start::actor;
use super::taker::{LOOK, Search};
use crate::args::Worker;
use crate::exit::Exit;
use crate::interrupt;
use crate::output::{Form, Output};
use crate::paint::{self, harmless};
use crate::progress::{length, note};
use crate::report::{Report, Stop};
use crate::view;

/// An event is waited for at most so long at once.
const EVENT_WAIT: Duration = Duration::from_secs(3_600);

/// What a thread has to say.
enum Notice {
    Event(Box<Envelope>),
    Interrupted,
    Failed(Report),
}

/// An open workflow, as far as it is told.
struct Open {
    name: String,
    since: Timestamp,
}

/// Drives until a signal comes, or until nothing is open if that was wanted.
pub(super) fn worker(args: &Worker, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let (sender, notices) = mpsc::channel();
    interrupt::watch(sender.clone(), Notice::Interrupted).map_err(unusable("could not take signals"))?;
    let engine = open(args, log)?;
    let from = engine.history().durable().map_err(|error| Report::of_history(&error))?;
    let worked = work(args, log, (&engine, from), (sender, &notices), out);
    let closed = engine.close().map_err(|error| Report::of_engine(&error));
    worked?;
    closed?;
    Ok(Exit::Success)
}

/// The log, once those who only write a line to it have gone.
fn open(args: &Worker, log: &Path) -> Result<Engine, Report> {
    let search = Search::for_driving(log, Drive::All, &actor(None))?.with_secrets(args.secrets.as_deref())?;
    let mut search = search.configured(|config| match args.tasks {
        Some(count) => config.workers(count.get()),
        None => config,
    });
    loop {
        if let Some(engine) = search.open()? {
            return Ok(engine);
        }
        let holder = stabilize::Control::connect(log).map_err(|error| Report::of_engine(&error))?;
        if let Some(holder) = holder {
            let message = format!("the log is held by pid {}", holder.pid());
            return Err(Report::new(Exit::Unusable, message).hint("one log has one engine; start workflows there"));
        }
        if let Some(report) = search.given_up() {
            return Err(report);
        }
        thread::sleep(LOOK);
    }
}

fn unusable(what: &'static str) -> impl Fn(std::io::Error) -> Report {
    move |error| Report::new(Exit::Unusable, what).because(&error)
}

fn work(
    args: &Worker,
    log: &Path,
    (engine, from): (&Engine, Position),
    (sender, notices): (Sender<Notice>, &Receiver<Notice>),
    out: &mut Output,
) -> Result<(), Stop> {
    let history = engine.history();
    let mut told = Told { out, open: open_workflows(&history)?, history, is_read: true };
    told.begin(log)?;
    listen(engine, from, sender)?;
    while !(args.until_idle && told.open.is_empty()) {
        match notices.recv() {
            Ok(Notice::Event(envelope)) => told.tell(&envelope)?,
            Ok(Notice::Interrupted) => {
                note("stopping: what runs is given back; once more ends at once");
                break;
            }
            Ok(Notice::Failed(report)) => return Err(report.into()),
            // The signals' thread lives as long as the process.
            Err(_) => break,
        }
    }
    Ok(())
}

fn open_workflows(history: &History) -> Result<BTreeMap<WorkflowId, Open>, Report> {
    let statuses = Status::ALL.into_iter().filter(|status| !status.is_complete());
    let filter = statuses.fold(Filter::new(), Filter::status);
    let open = history.workflows(&filter).map_err(|error| Report::of_history(&error))?;
    let told = |name: &str, since| Open { name: name.to_owned(), since };
    Ok(open.iter().map(|open| (open.id(), told(open.name(), open.created_at()))).collect())
}

/// Threads that wait for events and for a failure. They last as long as the process: nobody waits for them.
fn listen(engine: &Engine, from: Position, sender: Sender<Notice>) -> Result<(), Report> {
    let mut events = engine.history().follow(from);
    let failures = sender.clone();
    let follow = move || {
        loop {
            let notice = match events.next_timeout(EVENT_WAIT) {
                Ok(Some(envelope)) => Notice::Event(Box::new(envelope)),
                Ok(None) => continue,
                Err(error) => Notice::Failed(Report::of_history(&error)),
            };
            let is_last = matches!(notice, Notice::Failed(_));
            if sender.send(notice).is_err() || is_last {
                return;
            }
        }
    };
    let no_thread = unusable("could not start a thread");
    thread::Builder::new().name("events".to_owned()).spawn(follow).map_err(&no_thread)?;
    let engine = engine.clone();
    let wait = move || {
        if let Err(error) = engine.wait_for_end() {
            failures.send(Notice::Failed(Report::of_engine(&error))).ok();
        }
    };
    thread::Builder::new().name("end".to_owned()).spawn(wait).map(|_| ()).map_err(&no_thread)
}

/// What is told, and what was.
struct Told<'a> {
    out: &'a mut Output,
    open: BTreeMap<WorkflowId, Open>,
    history: History,
    /// Somebody reads it.
    is_read: bool,
}

impl Told<'_> {
    fn begin(&mut self, log: &Path) -> Result<(), Stop> {
        let count = self.open.len();
        let plural = if count == 1 { "workflow" } else { "workflows" };
        note(format!("worker {} drives {count} open {plural} in {}", std::process::id(), log.display()));
        let lines: Vec<String> =
            self.open.iter().map(|(id, open)| format!("{id} {} is open", harmless(&open.name))).collect();
        self.print(|out| match out.form() {
            Form::Json => Ok(()),
            Form::Human => Ok(lines.iter().try_for_each(|line| out.line(line))?),
        })
    }

    fn tell(&mut self, envelope: &Envelope) -> Result<(), Stop> {
        let Some(event) = view::WorkflowEvent::of(envelope) else { return Ok(()) };
        let line = self.line(envelope);
        self.print(|out| match (out.form(), line) {
            (Form::Json, _) => Ok(out.json(&event)?),
            (Form::Human, Some((line, None))) => Ok(out.line(line)?),
            (Form::Human, Some((line, Some(status)))) => {
                let painted = out.paint().paint(paint::status(status), status.name());
                Ok(out.line(format_args!("{line} {painted}"))?)
            }
            (Form::Human, None) => Ok(()),
        })
    }

    /// What a person is told of an event, and the status it ends with.
    fn line(&mut self, envelope: &Envelope) -> Option<(String, Option<Status>)> {
        let id = envelope.workflow()?;
        match envelope.event() {
            Event::WorkflowCreated(_, creation) => {
                let line = format!("{id} {} begins", harmless(&creation.name));
                self.open.insert(id, Open { name: creation.name.clone(), since: envelope.at() });
                Some((line, None))
            }
            Event::WorkflowEnded { status, .. } => {
                let open = self.open.remove(&id).or_else(|| self.look_up(id))?;
                let time = length(open.since, envelope.at());
                Some((format!("{id} {} after {time}", harmless(&open.name)), Some(*status)))
            }
            _ => None,
        }
    }

    /// A workflow that ended while the open ones were listed.
    fn look_up(&self, id: WorkflowId) -> Option<Open> {
        let view = self.history.state(id, At::Latest).ok()?;
        Some(Open { name: view.name().to_owned(), since: view.created_at() })
    }

    /// Prints as long as somebody reads it: the work goes on without.
    fn print(&mut self, print: impl FnOnce(&mut Output) -> Result<(), Stop>) -> Result<(), Stop> {
        if !self.is_read {
            return Ok(());
        }
        match print(self.out).and_then(|()| Ok(self.out.flush()?)) {
            Err(Stop::OutputClosed) => {
                self.is_read = false;
                Ok(())
            }
            printed => printed,
        }
    }
}
