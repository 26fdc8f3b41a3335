//! Following a workflow: its events as they become durable, until it has ended, the time is over, or somebody wants to
//! stop.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use stabilize::{Engine, Envelope, History, Position, Sequence, WorkflowId};

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
}

/// What a thread has to say to who follows.
enum Notice {
    Event(Box<Envelope>),
    Closed,
    Interrupted,
    Failed(Report),
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

impl<'a> Follower<'a> {
    /// From here on signals are taken in.
    pub(crate) fn new(out: &'a mut Output) -> Result<Follower<'a>, Report> {
        let (sender, notices) = mpsc::channel();
        let unusable = |error| Report::new(Exit::Unusable, "could not take signals").because(&error);
        interrupt::watch(sender.clone(), Notice::Interrupted).map_err(unusable)?;
        let progress = Progress::new(out.form());
        Ok(Follower { out, progress, sender, notices, told: None, reader: OutputReader::There })
    }

    /// Where progress is told.
    pub(crate) fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    /// Tells the events of the workflow at `from` and behind, until one of the ends.
    pub(crate) fn follow(
        &mut self,
        engine: &Engine,
        workflow: WorkflowId,
        from: Position,
        deadline: Option<Instant>,
    ) -> Result<Ended, Report> {
        self.listen(engine, workflow, from)?;
        loop {
            let notice = match deadline {
                Some(deadline) => self.notices.recv_timeout(deadline.saturating_duration_since(Instant::now())),
                None => self.notices.recv().map_err(RecvTimeoutError::from),
            };
            match notice {
                Ok(Notice::Event(envelope)) => self.tell(&envelope)?,
                Ok(Notice::Closed) => return Ok(Ended::Closed),
                Ok(Notice::Interrupted) => return Ok(Ended::Interrupted),
                Ok(Notice::Failed(report)) => return Err(report),
                // We hold a sender ourselves, so that the channel never closes.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(Ended::TimedOut),
            }
        }
    }

    /// Threads that wait for events and for the end. They last as long as the process: nobody waits for them.
    fn listen(&self, engine: &Engine, workflow: WorkflowId, from: Position) -> Result<(), Report> {
        let unusable = |error| Report::new(Exit::Unusable, "could not start a thread").because(&error);
        let sender = self.sender.clone();
        let mut events = engine.history().follow(from);
        let follow = move || {
            loop {
                let notice = match events.next_timeout(LOOK) {
                    Ok(Some(envelope)) if envelope.workflow() == Some(workflow) => Notice::Event(Box::new(envelope)),
                    Ok(_) => continue,
                    Err(error) => Notice::Failed(Report::of_history(&error)),
                };
                let is_last = matches!(notice, Notice::Failed(_));
                if sender.send(notice).is_err() || is_last {
                    return;
                }
            }
        };
        thread::Builder::new().name("events".to_owned()).spawn(follow).map_err(unusable)?;
        let (sender, engine) = (self.sender.clone(), engine.clone());
        let wait = move || {
            let notice = match engine.wait(workflow, Duration::MAX) {
                Ok(_) => Notice::Closed,
                Err(error) => Notice::Failed(Report::of_engine(&error)),
            };
            // Who follows may have stopped before.
            sender.send(notice).ok();
        };
        thread::Builder::new().name("end".to_owned()).spawn(wait).map(|_| ()).map_err(unusable)
    }

    /// Tells the events that were not told yet. For when nothing more is written.
    pub(crate) fn catch_up(&mut self, history: &History, workflow: WorkflowId, from: Position) -> Result<(), Report> {
        let begin = self.told.unwrap_or(Sequence::FIRST);
        let envelopes = history.events(workflow, begin..).map_err(|error| Report::of_history(&error))?;
        for envelope in envelopes {
            let envelope = envelope.map_err(|error| Report::of_history(&error))?;
            if envelope.position() >= from && self.told.is_none_or(|told| told < envelope.sequence()) {
                self.tell(&envelope)?;
            }
        }
        Ok(())
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
