//! Following a workflow: its events as they become durable, until it has ended, the time is over, or somebody wants to
//! stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use stabilize::{At, Control, Engine, Envelope, Event, History, Position, Sequence, WorkflowId};

use crate::exit::Exit;
use crate::interrupt;
use crate::output::{Form, Output};
use crate::progress::Progress;
use crate::report::{Report, Stop};
use crate::view;

/// How following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The workflow has ended.
    Closed,
    /// A signal came.
    Interrupted,
    /// The deadline has passed.
    TimedOut,
    /// The engine of another process, in which the workflow ran, has ended.
    Gone,
}

/// Where a workflow runs that is followed.
pub(crate) enum Course {
    /// In an engine of this process.
    Here(Engine),
    /// In that of another one; its events are read from the log.
    There(Box<Control>, History),
}

/// What a thread has to say to who follows.
enum Notice {
    Event(Box<Envelope>),
    Closed,
    Gone,
    Interrupted,
    Failed(Report),
}

/// Threads that are listened to. Dropped when nobody does any more.
struct Listening(Arc<AtomicBool>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Who follows a workflow, and tells what happens.
pub(crate) struct Follower<'a> {
    out: &'a mut Output,
    progress: Progress,
    sender: Sender<Notice>,
    notices: Receiver<Notice>,
    /// The last event that was told.
    told: Option<Sequence>,
    reader: OutputReader,
}

/// Does anybody read standard output?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutputReader {
    There,
    Gone,
}

/// An event is waited for at most so long at once.
const LOOK: Duration = Duration::from_secs(3_600);

fn start(name: &str, life: impl FnOnce() + Send + 'static) -> Result<(), Report> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(life);
    started.map(|_| ()).map_err(|error| Report::new(Exit::Unusable, "could not start a thread").because(&error))
}

impl<'a> Follower<'a> {
    /// From here on signals are taken in.
    /// `log` is what a verb is told of where the log is.
    pub(crate) fn new(out: &'a mut Output, log: String) -> Result<Follower<'a>, Report> {
        let (sender, notices) = mpsc::channel();
        let unusable = |error| Report::new(Exit::Unusable, "could not take signals").because(&error);
        interrupt::watch(sender.clone(), Notice::Interrupted).map_err(unusable)?;
        let progress = Progress::new(out.form(), log);
        Ok(Follower { out, progress, sender, notices, told: None, reader: OutputReader::There })
    }

    /// Where progress is told.
    pub(crate) fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    /// Tells the events of the workflow at `from` and behind, until one of the ends.
    pub(crate) fn follow(
        &mut self,
        course: Course,
        workflow: WorkflowId,
        from: Position,
        deadline: Option<Instant>,
    ) -> Result<Ended, Report> {
        let _listening = match course {
            Course::Here(engine) => self.listen_here(engine, workflow, from)?,
            Course::There(control, history) => self.listen_there(*control, &history, workflow, from)?,
        };
        self.hear(deadline)
    }

    /// Lets some time pass; says whether one of the ends came.
    pub(crate) fn pause(&mut self, length: Duration, deadline: Option<Instant>) -> Result<Option<Ended>, Report> {
        let until = Instant::now() + length;
        match self.hear(Some(deadline.map_or(until, |deadline| deadline.min(until))))? {
            Ended::TimedOut if deadline.is_none_or(|deadline| Instant::now() < deadline) => Ok(None),
            ended => Ok(Some(ended)),
        }
    }

    fn hear(&mut self, deadline: Option<Instant>) -> Result<Ended, Report> {
        loop {
            let notice = match deadline {
                Some(deadline) => self.notices.recv_timeout(deadline.saturating_duration_since(Instant::now())),
                None => self.notices.recv().map_err(RecvTimeoutError::from),
            };
            match notice {
                Ok(Notice::Event(envelope)) => self.tell_once(&envelope)?,
                Ok(Notice::Closed) => return Ok(Ended::Closed),
                Ok(Notice::Gone) => return Ok(Ended::Gone),
                Ok(Notice::Interrupted) => return Ok(Ended::Interrupted),
                Ok(Notice::Failed(report)) => return Err(report),
                // We hold a sender ourselves, so that the channel never closes.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(Ended::TimedOut),
            }
        }
    }

    /// Threads that wait for events and for the end. They last as long as the process: nobody waits for them.
    fn listen_here(&self, engine: Engine, workflow: WorkflowId, from: Position) -> Result<Listening, Report> {
        let listening = self.listen(&engine.history(), workflow, from)?;
        let sender = self.sender.clone();
        let wait = move || {
            let notice = match engine.wait(workflow, Duration::MAX) {
                Ok(_) => Notice::Closed,
                Err(error) => Notice::Failed(Report::of_engine(&error)),
            };
            // Who follows may have stopped before.
            sender.send(notice).ok();
        };
        start("end", wait)?;
        Ok(listening)
    }

    /// The same for a workflow that runs in another process.
    fn listen_there(
        &self,
        control: Control,
        history: &History,
        workflow: WorkflowId,
        from: Position,
    ) -> Result<Listening, Report> {
        let listening = self.listen(history, workflow, from)?;
        let sender = self.sender.clone();
        let wait = move || {
            let notice = match control.wait_for_end() {
                Err(error) if !error.is_gone() => Notice::Failed(Report::of_engine(&error)),
                Ok(()) | Err(_) => Notice::Gone,
            };
            sender.send(notice).ok();
        };
        start("holder", wait)?;
        let view = history.state(workflow, At::Latest).map_err(|error| Report::of_history(&error))?;
        if view.status().is_complete() {
            // Its last event may stand before those that are listened to.
            self.sender.send(Notice::Closed).ok();
        }
        Ok(listening)
    }

    /// A thread that waits for events.
    fn listen(&self, history: &History, workflow: WorkflowId, from: Position) -> Result<Listening, Report> {
        let sender = self.sender.clone();
        let mut events = history.follow(from);
        let over = Arc::new(AtomicBool::new(false));
        let listening = Listening(Arc::clone(&over));
        let follow = move || {
            loop {
                let next = events.next_timeout(LOOK);
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let notice = match next {
                    Ok(Some(envelope)) if envelope.workflow() == Some(workflow) => Notice::Event(Box::new(envelope)),
                    Ok(_) => continue,
                    Err(error) => Notice::Failed(Report::of_history(&error)),
                };
                let is_failure = matches!(notice, Notice::Failed(_));
                let ends =
                    matches!(&notice, Notice::Event(told) if matches!(told.event(), Event::WorkflowEnded { .. }));
                if sender.send(notice).is_err() || is_failure {
                    return;
                }
                if ends {
                    sender.send(Notice::Closed).ok();
                }
            }
        };
        start("events", follow)?;
        Ok(listening)
    }

    /// Tells the events that were not told yet. For when nothing more is written.
    pub(crate) fn catch_up(&mut self, history: &History, workflow: WorkflowId, from: Position) -> Result<(), Report> {
        let begin = self.told.unwrap_or(Sequence::FIRST);
        let envelopes = history.events(workflow, begin..).map_err(|error| Report::of_history(&error))?;
        for envelope in envelopes {
            let envelope = envelope.map_err(|error| Report::of_history(&error))?;
            if envelope.position() >= from {
                self.tell_once(&envelope)?;
            }
        }
        Ok(())
    }

    /// Tells the event unless it was told before, by another reader of the same log.
    fn tell_once(&mut self, envelope: &Envelope) -> Result<(), Report> {
        if self.told.is_none_or(|told| told < envelope.sequence()) { self.tell(envelope) } else { Ok(()) }
    }

    fn tell(&mut self, envelope: &Envelope) -> Result<(), Report> {
        self.told = Some(envelope.sequence());
        self.progress.tell(envelope);
        if self.out.form() == Form::Json {
            let event = view::Event::from(envelope);
            self.print(|out| Ok(out.json(&event)?))?;
        }
        Ok(())
    }

    /// Prints to standard output, as long as somebody reads it: the work goes on without.
    pub(crate) fn print(&mut self, print: impl FnOnce(&mut Output) -> Result<(), Stop>) -> Result<(), Report> {
        if self.reader == OutputReader::Gone {
            return Ok(());
        }
        let printed = print(self.out).and_then(|()| Ok(self.out.flush()?));
        match printed {
            Ok(()) => Ok(()),
            Err(Stop::Report(report)) => Err(report),
            Err(Stop::OutputClosed) => {
                self.reader = OutputReader::Gone;
                Ok(())
            }
        }
    }
}
