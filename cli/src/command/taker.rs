//! Who takes what a verb has to write: the engine that holds the log, or one of our own.
//!
//! LOCK decides. Whoever does not get it and finds nobody to talk to waits a moment: the holder may be just opening or
//! closing, or be another verb that only writes a line.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use stabilize::{
    Answer, Approver, By, Completion, Config, Control, Definition, Drive, Engine, Error, LogFiles, Registry, Signal,
    Start, Target, Value, WorkflowId,
};

use crate::exit::Exit;
use crate::report::Report;
use crate::secrets::SecretsFile;

/// How long to wait for one holder that cannot be reached; each new one has it from the beginning.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long to wait in all: beyond it somebody keeps the log from everybody.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(60);

/// How often to look again.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// Who takes a command.
pub(super) enum Taker {
    /// The engine of another process, which holds the log.
    Holder(Box<Control>),
    /// An engine of this process, which has just opened it.
    Own(Engine),
}

impl Taker {
    /// Begins a workflow.
    pub(super) fn submit(&mut self, definition: &Definition, start: Start) -> Result<(), Error> {
        match self {
            Taker::Holder(control) => control.submit(definition, start),
            Taker::Own(engine) => engine.submit(definition, start),
        }
        .map(|_| ())
    }

    /// Asks for the end of a workflow.
    pub(super) fn cancel(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.cancel(workflow, by),
            Taker::Own(engine) => engine.cancel(workflow, by),
        }
    }

    /// Asks for the end of a workflow, and of what it does then.
    pub(super) fn force_cancel(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.force_cancel(workflow, by),
            Taker::Own(engine) => engine.force_cancel(workflow, by),
        }
    }

    /// Says how work has ended that is done by hand.
    pub(super) fn complete(
        &mut self,
        workflow: WorkflowId,
        work: &str,
        how: Completion,
        by: By,
    ) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.complete(workflow, work, how, by),
            Taker::Own(engine) => engine.complete(workflow, work, how, by),
        }
    }

    /// Approves what waits for it.
    pub(super) fn approve(&mut self, workflow: WorkflowId, work: &str, approver: Approver) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.approve(workflow, work, approver),
            Taker::Own(engine) => engine.approve(workflow, work, approver),
        }
    }

    /// Rejects what waits for an approval.
    pub(super) fn reject(&mut self, workflow: WorkflowId, work: &str, approver: Approver) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.reject(workflow, work, approver),
            Taker::Own(engine) => engine.reject(workflow, work, approver),
        }
    }

    /// Lets nothing new begin in a workflow.
    pub(super) fn pause(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.pause(workflow, by),
            Taker::Own(engine) => engine.pause(workflow, by),
        }
    }

    /// Has a paused workflow go on.
    pub(super) fn resume(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.resume(workflow, by),
            Taker::Own(engine) => engine.resume(workflow, by),
        }
    }

    /// Sends a signal.
    pub(super) fn signal(
        &mut self,
        workflow: WorkflowId,
        target: Target,
        signal: Signal,
        by: By,
    ) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.signal(workflow, target, signal, by),
            Taker::Own(engine) => engine.signal(workflow, target, signal, by),
        }
    }

    /// Closes the trigger of a stage.
    pub(super) fn close_trigger(&mut self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.close_trigger(workflow, stage, by),
            Taker::Own(engine) => engine.close_trigger(workflow, stage, by),
        }
    }

    /// Chooses an alternative of a deferred choice.
    pub(super) fn claim(&mut self, workflow: WorkflowId, work: &str, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.claim(workflow, work, by),
            Taker::Own(engine) => engine.claim(workflow, work, by),
        }
    }

    /// Adds instances to a stage.
    pub(super) fn add_instances(
        &mut self,
        workflow: WorkflowId,
        stage: &str,
        items: Vec<Value>,
        by: By,
    ) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.add_instances(workflow, stage, items, by),
            Taker::Own(engine) => engine.add_instances(workflow, stage, items, by),
        }
    }

    /// Lets nobody add instances to a stage any more.
    pub(super) fn close_instances(&mut self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.close_instances(workflow, stage, by),
            Taker::Own(engine) => engine.close_instances(workflow, stage, by),
        }
    }

    /// Lets control go on from a stage without those of its instances that have not ended.
    pub(super) fn complete_instances(&mut self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        match self {
            Taker::Holder(control) => control.complete_instances(workflow, stage, by),
            Taker::Own(engine) => engine.complete_instances(workflow, stage, by),
        }
    }

    /// Has the workflow driven.
    pub(super) fn drive(&mut self, workflow: WorkflowId) -> Result<(), Error> {
        match self {
            Taker::Holder(control) => control.drive(workflow),
            Taker::Own(engine) => engine.drive(workflow),
        }
    }

    /// The process that drives whatever is recorded, if it is another one.
    pub(super) fn drives_all(&self) -> Option<u32> {
        match self {
            Taker::Holder(control) if control.drives_all() => Some(control.pid()),
            Taker::Holder(_) | Taker::Own(_) => None,
        }
    }
}

/// The search for a taker.
pub(super) struct Search {
    log: PathBuf,
    config: Config,
    registry: fn() -> Registry,
    begun: Instant,
    /// Who held the log at the last look, and since when.
    holder: Option<(String, Instant)>,
}

impl Search {
    /// A search for somebody who drives workflows; an engine of our own drives `drive`.
    ///
    /// # Errors
    ///
    /// If the log is on hold: then nobody may.
    pub(super) fn for_driving(log: &Path, drive: Drive, actor: &str) -> Result<Search, Report> {
        if LogFiles::at(log).is_on_hold().map_err(|error| Report::of_store(&error))? {
            let message = format!("the log in {} is on hold: no task may begin", log.display());
            let hint = format!(
                "after a salvage somebody has to accept what was lost: stabilize log accept {} --reason TEXT",
                log.display()
            );
            return Err(Report::new(Exit::Unusable, message).hint(hint));
        }
        let config = Config::at(log).drive(drive).actor(actor);
        Ok(Search::new(log, config, Registry::with_builtins))
    }

    /// A search for somebody who records one command. An engine of our own drives nothing, and is gone before it would
    /// be worth while to talk to it.
    fn for_recording(log: &Path, actor: &str) -> Search {
        let config = Config::at(log).drive(Drive::Only([].into())).actor(actor).control(false).workers(1);
        Search::new(log, config, Registry::new)
    }

    fn new(log: &Path, config: Config, registry: fn() -> Registry) -> Search {
        Search { log: log.to_path_buf(), config, registry, begun: Instant::now(), holder: None }
    }

    /// The same, with an engine of our own set up otherwise.
    pub(super) fn configured(mut self, change: impl FnOnce(Config) -> Config) -> Search {
        self.config = change(self.config);
        self
    }

    /// The same, with the secrets in this file, if one is named, for an engine of our own.
    ///
    /// # Errors
    ///
    /// As [`SecretsFile::open`].
    pub(super) fn with_secrets(self, file: Option<&Path>) -> Result<Search, Report> {
        match file {
            None => Ok(self),
            Some(file) => {
                let secrets = SecretsFile::open(file)?;
                Ok(self.configured(|config| config.secrets(secrets)))
            }
        }
    }

    /// Looks once; `None` if somebody holds the log who cannot be talked to.
    ///
    /// # Errors
    ///
    /// If the log cannot be used.
    pub(super) fn look(&mut self) -> Result<Option<Taker>, Report> {
        if let Some(control) = Control::connect(&self.log).map_err(|error| Report::of_engine(&error))? {
            return Ok(Some(Taker::Holder(Box::new(control))));
        }
        self.open().map(|engine| engine.map(Taker::Own))
    }

    /// Opens the log; `None` if somebody holds it.
    ///
    /// # Errors
    ///
    /// If the log cannot be used.
    pub(super) fn open(&mut self) -> Result<Option<Engine>, Report> {
        match Engine::open(self.config.clone(), (self.registry)()) {
            Ok(engine) => Ok(Some(engine)),
            Err(error) if error.is_locked() => {
                let holder = Report::of_engine(&error).to_string();
                if self.holder.as_ref().is_none_or(|(known, _)| *known != holder) {
                    self.holder = Some((holder, Instant::now()));
                }
                Ok(None)
            }
            Err(error) => Err(Report::of_engine(&error)),
        }
    }

    /// Who holds the log, for somebody who has looked for long enough.
    pub(super) fn given_up(&self) -> Option<Report> {
        let (_, since) = self.holder.as_ref()?;
        let is_over = since.elapsed() >= PATIENCE || self.begun.elapsed() >= PATIENCE_IN_ALL;
        is_over.then(|| self.held())
    }

    /// Nobody gets the log who waits for its holder.
    pub(super) fn held(&self) -> Report {
        let held = self.holder.as_ref().map_or("error: the log is held by another process", |(held, _)| held);
        Report::new(Exit::Unusable, held.trim_start_matches("error: ")).hint("it has no control socket to reach it by")
    }

    /// Looks until somebody is found.
    fn find(&mut self) -> Result<Taker, Report> {
        loop {
            if let Some(taker) = self.look()? {
                return Ok(taker);
            }
            if let Some(report) = self.given_up() {
                return Err(report);
            }
            thread::sleep(LOOK);
        }
    }
}

/// Has one command recorded. It may be sent several times, so that it has to carry an id of its own.
///
/// # Errors
///
/// If the log cannot be used, or the command is refused.
pub(super) fn record<T>(
    log: &Path,
    actor: &str,
    mut command: impl FnMut(&mut Taker) -> Result<T, Error>,
) -> Result<T, Report> {
    let mut search = Search::for_recording(log, actor);
    loop {
        let mut taker = search.find()?;
        let taken = command(&mut taker);
        if let Taker::Own(engine) = &taker {
            let closed = engine.close();
            let taken = taken.map_err(|error| Report::of_engine(&error))?;
            return closed.map(|()| taken).map_err(|error| Report::of_engine(&error));
        }
        match taken {
            Ok(taken) => return Ok(taken),
            // Whoever holds the log next knows whether it was taken.
            Err(error) if error.is_gone() && search.begun.elapsed() < PATIENCE_IN_ALL => thread::sleep(LOOK),
            Err(error) => return Err(Report::of_engine(&error)),
        }
    }
}
