//! What people say to a workflow, and how it stands then: `complete`, `approve`, `reject`, `pause`,
//! `resume`.

use std::path::Path;

use stabilize::{Answer, Approver, At, By, CommandId, Completion, Error, StageAddress, WorkflowId};

use super::start::actor;
use super::taker::Taker;
use super::{Reading, taker};
use crate::args::{Answering, Asking, Complete};
use crate::exit::Exit;
use crate::input;
use crate::output::{Form, Output};
use crate::paint::{self, harmless};
use crate::report::{Report, Stop};
use crate::view;

/// A workflow that is told something, and who tells it.
pub(super) struct Telling {
    reading: Reading,
    workflow: WorkflowId,
    actor: String,
}

impl Telling {
    /// The workflow a person means; `actor` is who they say they are.
    pub(super) fn to(id: &str, actor_given: Option<&String>, log: &Path) -> Result<Telling, Report> {
        let reading = Reading::open(log)?;
        let workflow = reading.find(id)?;
        Ok(Telling { reading, workflow, actor: actor(actor_given) })
    }

    /// That there is such a stage is known before anybody is asked.
    pub(super) fn check_stage(&self, address: &str) -> Result<(), Report> {
        let address: StageAddress =
            address.parse().map_err(|error| Report::new(Exit::Usage, "no stage is meant by this").because(&error))?;
        let view = self.reading.history.state(self.workflow, At::Latest);
        let view = view.map_err(|error| Report::of_history(&error))?;
        if view.stage(address.stage()).is_some() {
            return Ok(());
        }
        let message = format!("workflow {} has no stage {:?}", self.workflow, address.stage());
        Err(Report::new(Exit::NotFound, message))
    }

    /// Has it recorded under one id, however often it is sent, and prints how the workflow stands then.
    pub(super) fn record(
        self,
        log: &Path,
        reason: Option<&String>,
        out: &mut Output,
        mut tell: impl FnMut(&mut Taker, WorkflowId, By) -> Result<Answer, Error>,
    ) -> Result<Exit, Stop> {
        let mut by = By::user(&self.actor).command(CommandId::generate());
        if let Some(reason) = reason {
            by = by.because(reason);
        }
        let workflow = self.workflow;
        self.send(log, out, |taker| tell(taker, workflow, by.clone()))
    }

    /// Has it recorded, however often it is sent, which is under one id, and prints how the workflow stands then.
    fn send(
        self,
        log: &Path,
        out: &mut Output,
        tell: impl FnMut(&mut Taker) -> Result<Answer, Error>,
    ) -> Result<Exit, Stop> {
        let workflow = self.workflow;
        let answer = taker::record(log, &self.actor, tell)?;
        let (Answer::Applied(sequence) | Answer::Repeated(sequence)) = answer;
        let view = self.reading.history.state(workflow, At::Latest).map_err(|error| Report::of_history(&error))?;
        match out.form() {
            Form::Json => out.json(&view::Taken {
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
}

/// Says how work has ended that is done by hand.
pub(super) fn complete(args: &Complete, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    telling.check_stage(&args.stage)?;
    let outputs = input::parameters(&args.output)?;
    let how = match &args.fail {
        None => Completion::done(),
        Some(message) => Completion::failed(message),
    };
    let how = outputs.into_iter().fold(how, |how, (name, value)| how.output(name, value));
    telling.record(log, None, out, |taker, workflow, by| taker.complete(workflow, &args.stage, how.clone(), by))
}

/// Lets nothing new begin in a workflow.
pub(super) fn pause(args: &Asking, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    telling.record(log, args.reason.as_ref(), out, |taker, workflow, by| taker.pause(workflow, by))
}

/// Has a paused workflow go on.
pub(super) fn resume(args: &Asking, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let telling = Telling::to(&args.id, args.actor.as_ref(), log)?;
    telling.record(log, args.reason.as_ref(), out, |taker, workflow, by| taker.resume(workflow, by))
}

/// Approves what waits for it.
pub(super) fn approve(args: &Answering, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let (telling, approver) = answering(args, log)?;
    let workflow = telling.workflow;
    telling.send(log, out, |taker| taker.approve(workflow, &args.stage, approver.clone()))
}

/// Rejects what waits for an approval.
pub(super) fn reject(args: &Answering, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let (telling, approver) = answering(args, log)?;
    let workflow = telling.workflow;
    telling.send(log, out, |taker| taker.reject(workflow, &args.stage, approver.clone()))
}

fn answering(args: &Answering, log: &Path) -> Result<(Telling, Approver), Report> {
    let (role, user) = match args.speaker.as_deref().map(|speaker| speaker.split_once('/').unwrap_or((speaker, ""))) {
        None => (None, None),
        Some((role, user)) => (Some(role), Some(user.to_owned())),
    };
    let telling = Telling::to(&args.id, user.filter(|user| !user.is_empty()).as_ref(), log)?;
    telling.check_stage(&args.stage)?;
    let mut approver = Approver::new(&telling.actor).command(CommandId::generate());
    if let Some(role) = role.filter(|role| !role.is_empty()) {
        approver = approver.role(role);
    }
    if let Some(comment) = &args.comment {
        approver = approver.comment(comment);
    }
    Ok((telling, approver))
}
