//! What can happen to a workflow from outside, by the names of its definition: `complete("build")`.
//!
//! A piece of work is named `stage`, `stage.task`, `stage#2.task` for the second activation, `stage#1[0].task` or
//! `stage[0].task` for one of its instances and `stage.task@3` for the third attempt. What is left out is the oldest
//! activation that lives, its open task, its newest attempt.

use crate::event::{
    Actor, CancelRequest, InstancesAddition, InstancesRequest, Json, LeaseLoss, PauseRequest, Report, SignalDurability,
    SignalMessage, SignalTarget, StartRequest, TaskReport, TimerId, TriggerClosing,
};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, CommandId, InstanceIndex, StageIndex, TaskId, TaskIndex};
use crate::machine::{Command, Request, ResumeRequest, State};
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

/// Something from outside: a command by names, or time that passes.
#[derive(Clone, Debug)]
pub struct Happening {
    what: What,
    id: Option<CommandId>,
    actor: Actor,
}

#[derive(Clone, Debug)]
enum What {
    Create,
    Cancel { reason: Option<String> },
    ForceCancel { reason: Option<String> },
    Start { work: String },
    Report { work: String, told: Told, outputs: Map, context: Map },
    Discard { work: String },
    Lose { work: String, orderly: bool },
    Fire { timer: u32 },
    GoOn,
    AddInstances { stage: String, items: Vec<Value> },
    CloseInstances { stage: String },
    CompleteInstances { stage: String },
    Pass { length: Duration },
    Pause { reason: Option<String> },
    Resume,
    Signal { name: String, target: Option<String>, data: Value, key: Option<String>, durability: SignalDurability },
    CloseTrigger { stage: String },
    Claim { work: String },
    Stop { work: String },
}

#[derive(Clone, Debug)]
enum Told {
    Succeeded,
    Running(Duration),
    Terminal,
    FailedContinue,
    Skipped,
    Canceled,
    Stopped,
    Failed { class: ErrorClass, retry_after: Option<Duration> },
    Suspended(Vec<String>),
    Jump(String),
    Redirect,
}

/// The code of the failures that tasks tell here.
pub const TOLD: ErrorCode = ErrorCode::from_static("TOLD");

fn of_engine(what: What) -> Happening {
    Happening { what, id: None, actor: Actor::Engine }
}

fn report(work: &str, told: Told) -> Happening {
    of_engine(What::Report { work: work.to_owned(), told, outputs: Map::new(), context: Map::new() })
}

/// The workflow is asked for.
pub fn create() -> Happening {
    of_engine(What::Create)
}

/// Somebody asks for the end.
pub fn cancel() -> Happening {
    of_engine(What::Cancel { reason: None })
}

/// Somebody asks for the end and says why.
pub fn cancel_because(reason: &str) -> Happening {
    of_engine(What::Cancel { reason: Some(reason.to_owned()) })
}

/// Somebody asks for the end, and of what is done then.
pub fn force_cancel() -> Happening {
    of_engine(What::ForceCancel { reason: None })
}

/// Somebody asks that nothing new begins.
pub fn pause() -> Happening {
    of_engine(What::Pause { reason: None })
}

/// Somebody asks that nothing new begins and says why.
pub fn pause_because(reason: &str) -> Happening {
    of_engine(What::Pause { reason: Some(reason.to_owned()) })
}

/// Somebody has it go on.
pub fn resume() -> Happening {
    of_engine(What::Resume)
}

/// A worker begins this work.
pub fn start(work: &str) -> Happening {
    of_engine(What::Start { work: work.to_owned() })
}

/// This work succeeds.
pub fn complete(work: &str) -> Happening {
    report(work, Told::Succeeded)
}

/// This work fails for good, whatever the retry policy says.
pub fn terminal(work: &str) -> Happening {
    report(work, Told::Terminal)
}

/// This work fails and wants to go on.
pub fn failed_continue(work: &str) -> Happening {
    report(work, Told::FailedContinue)
}

/// This work finds nothing to do.
pub fn skipped(work: &str) -> Happening {
    report(work, Told::Skipped)
}

/// This work ends itself as canceled.
pub fn canceled(work: &str) -> Happening {
    report(work, Told::Canceled)
}

/// This work ends its branch.
pub fn stopped(work: &str) -> Happening {
    report(work, Told::Stopped)
}

/// This work is done, and control goes to `target`; its outputs and context go along.
pub fn jump(work: &str, target: &str) -> Happening {
    report(work, Told::Jump(target.to_owned()))
}

/// This work is done, and its activation goes back to the task with which the loop begins.
pub fn redirect(work: &str) -> Happening {
    report(work, Told::Redirect)
}

/// This work fails with an error of this class; the retry policy decides what follows.
pub fn fail(work: &str, class: ErrorClass) -> Happening {
    report(work, Told::Failed { class, retry_after: None })
}

/// This work wants to be called again when `length` has passed, written as in a definition: `90s`.
///
/// # Panics
///
/// If `length` is no length of time.
pub fn running(work: &str, length: &str) -> Happening {
    report(work, Told::Running(duration(length)))
}

/// This work wants to be called again when one of these signals comes, or any if none is named.
pub fn suspend<'n>(work: &str, signals: impl IntoIterator<Item = &'n str>) -> Happening {
    report(work, Told::Suspended(signals.into_iter().map(str::to_owned).collect()))
}

/// A signal of this name comes, for whoever waits for it, and is to be kept if nobody does.
pub fn signal(name: &str) -> Happening {
    let durability = SignalDurability::Persistent;
    of_engine(What::Signal { name: name.to_owned(), target: None, data: Value::Null, key: None, durability })
}

/// Somebody closes the trigger of this stage.
pub fn close_trigger(stage: &str) -> Happening {
    of_engine(What::CloseTrigger { stage: stage.to_owned() })
}

/// Somebody chooses this alternative of a deferred choice: a stage, or one activation of it.
pub fn claim(work: &str) -> Happening {
    of_engine(What::Claim { work: work.to_owned() })
}

/// The worker of this work is gone.
pub fn lose(work: &str) -> Happening {
    of_engine(What::Lose { work: work.to_owned(), orderly: false })
}

/// The engine stops this work because it closes.
pub fn stop_orderly(work: &str) -> Happening {
    of_engine(What::Lose { work: work.to_owned(), orderly: true })
}

/// The outcome of an attempt that nobody awaits any more arrives; name the attempt: `build@1`.
pub fn late(work: &str) -> Happening {
    of_engine(What::Discard { work: work.to_owned() })
}

/// The worker of a canceled attempt has stopped; name the attempt: `build@1`.
pub fn has_stopped(work: &str) -> Happening {
    of_engine(What::Stop { work: work.to_owned() })
}

/// The timer with this number is due.
pub fn fire(timer: u32) -> Happening {
    of_engine(What::Fire { timer })
}

/// Somebody asks for an instance more for each of these items.
pub fn add_instances<V: Into<Value>>(stage: &str, items: impl IntoIterator<Item = V>) -> Happening {
    let items = items.into_iter().map(Into::into).collect();
    of_engine(What::AddInstances { stage: stage.to_owned(), items })
}

/// Somebody asks that no instance is added any more.
pub fn close_instances(stage: &str) -> Happening {
    of_engine(What::CloseInstances { stage: stage.to_owned() })
}

/// Somebody asks that control goes on without the instances that have not ended.
pub fn complete_instances(stage: &str) -> Happening {
    of_engine(What::CompleteInstances { stage: stage.to_owned() })
}

/// Settling goes on where a batch was cut.
pub fn go_on() -> Happening {
    of_engine(What::GoOn)
}

/// Time passes, written as in a definition: `90s`. Nobody tells the workflow.
///
/// # Panics
///
/// If `length` is no length of time.
pub fn pass(length: &str) -> Happening {
    of_engine(What::Pass { length: duration(length) })
}

/// So much time passes. Nobody tells the workflow.
pub fn pass_by(length: Duration) -> Happening {
    of_engine(What::Pass { length })
}

fn duration(text: &str) -> Duration {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

impl Happening {
    /// The command has this id; the same number is the same id.
    pub fn id(mut self, number: u128) -> Happening {
        self.id = Some(CommandId::from_bytes(number.to_be_bytes()));
        self
    }

    /// A person or program by this name sends it.
    pub fn by(mut self, name: &str) -> Happening {
        self.actor = Actor::Named(name.to_owned());
        self
    }

    /// The signal is for this stage or activation: `b`, `b#2`.
    ///
    /// # Panics
    ///
    /// If no signal comes.
    pub fn to(mut self, whom: &str) -> Happening {
        let What::Signal { target, .. } = &mut self.what else { panic!("only a signal is for somebody") };
        *target = Some(whom.to_owned());
        self
    }

    /// This comes with the signal.
    ///
    /// # Panics
    ///
    /// If no signal comes.
    pub fn data(mut self, value: impl Into<Value>) -> Happening {
        let What::Signal { data, .. } = &mut self.what else { panic!("only a signal has data") };
        *data = value.into();
        self
    }

    /// Its sender chose this key for the signal.
    ///
    /// # Panics
    ///
    /// If no signal comes.
    pub fn key(mut self, text: &str) -> Happening {
        let What::Signal { key, .. } = &mut self.what else { panic!("only a signal has a key") };
        *key = Some(text.to_owned());
        self
    }

    /// The signal is lost if nobody waits for it.
    ///
    /// # Panics
    ///
    /// If no signal comes.
    pub fn transient(mut self) -> Happening {
        let What::Signal { durability, .. } = &mut self.what else { panic!("only a signal is transient") };
        *durability = SignalDurability::Transient;
        self
    }

    /// What is reported has this output.
    ///
    /// # Panics
    ///
    /// If nothing is reported.
    pub fn output(mut self, key: &str, value: impl Into<Value>) -> Happening {
        let What::Report { outputs, .. } = &mut self.what else { panic!("only a report has outputs") };
        outputs.insert(key.to_owned(), value.into());
        self
    }

    /// What is reported leaves this in the context of its activation.
    ///
    /// # Panics
    ///
    /// If nothing is reported.
    pub fn context(mut self, key: &str, value: impl Into<Value>) -> Happening {
        let What::Report { context, .. } = &mut self.what else { panic!("only a report leaves context") };
        context.insert(key.to_owned(), value.into());
        self
    }

    /// The failure asks for the next try after this length of time.
    ///
    /// # Panics
    ///
    /// If no failure is reported, or `length` is no length of time.
    pub fn retry_after(mut self, length: &str) -> Happening {
        let What::Report { told: Told::Failed { retry_after, .. }, .. } = &mut self.what else {
            panic!("only a failure asks for a try later")
        };
        *retry_after = Some(duration(length));
        self
    }

    /// The same of another piece of work: `rename` is given the name and says which it is to be.
    #[must_use]
    pub fn renamed(mut self, rename: impl FnOnce(&str) -> String) -> Happening {
        match &mut self.what {
            What::Start { work }
            | What::Report { work, .. }
            | What::Discard { work }
            | What::Lose { work, .. }
            | What::Claim { work }
            | What::Stop { work } => *work = rename(work),
            What::Signal { target: Some(target), .. } => *target = rename(target),
            What::CloseTrigger { stage } => *stage = rename(stage),
            What::AddInstances { stage, .. } | What::CloseInstances { stage } | What::CompleteInstances { stage } => {
                *stage = rename(stage)
            }
            What::Create
            | What::Cancel { .. }
            | What::ForceCancel { .. }
            | What::Fire { .. }
            | What::GoOn
            | What::Pass { .. }
            | What::Pause { .. }
            | What::Resume
            | What::Signal { target: None, .. } => (),
        }
        self
    }

    /// Is it the request for the end of the whole workflow?
    pub(super) fn is_cancel(&self) -> bool {
        matches!(self.what, What::Cancel { .. })
    }

    /// Is it the request for the workflow itself?
    pub(super) fn is_creation(&self) -> bool {
        matches!(self.what, What::Create)
    }

    /// The time that passes, if that is what happens.
    pub(super) fn time(&self) -> Option<Duration> {
        if let What::Pass { length } = self.what { Some(length) } else { None }
    }

    /// The command this is to `state` at `now`; `create` is what a creation asks.
    ///
    /// # Panics
    ///
    /// If time passes, which is no command, or a name is not one of the definition.
    pub(super) fn command(&self, state: &State, now: Timestamp, create: impl FnOnce() -> Request) -> Command {
        let request = match &self.what {
            What::Create => create(),
            What::Cancel { reason } => Request::Cancel(CancelRequest { reason: reason.clone() }),
            What::ForceCancel { reason } => Request::ForceCancel(CancelRequest { reason: reason.clone() }),
            What::Start { work } => Request::StartTask(attempt_named(state, work)),
            What::Report { work, told, outputs, context } => Request::ReportTask(TaskReport {
                attempt: attempt_named(state, work),
                report: told.report(now),
                outputs: Json::of(outputs),
                context: Json::of(context),
                streams: Vec::new(),
            }),
            What::Discard { work } => Request::DiscardResult(TaskReport {
                attempt: attempt_named(state, work),
                report: Report::Succeeded,
                outputs: Json::empty(),
                context: Json::empty(),
                streams: Vec::new(),
            }),
            What::Lose { work, orderly } => {
                Request::LoseLease(LeaseLoss { attempt: attempt_named(state, work), orderly: *orderly })
            }
            What::Fire { timer } => Request::FireTimer(TimerId(*timer)),
            What::GoOn => Request::ContinueSettling,
            What::Pause { reason } => Request::Pause(PauseRequest { reason: reason.clone() }),
            What::Resume => Request::Resume(ResumeRequest { reason: None }),
            What::Signal { name, target, data, key, durability } => Request::Signal(SignalMessage {
                name: name.clone(),
                target: target.as_ref().map_or(SignalTarget::Workflow, |target| target_named(state, target)),
                data: data.to_json(),
                id: key.clone(),
                durability: *durability,
                reason: None,
            }),
            What::CloseTrigger { stage } => Request::CloseTrigger(TriggerClosing {
                stage: stage_named(state, Name::read(stage).stage),
                reason: None,
            }),
            What::Stop { work } => Request::StopTask(attempt_named(state, work)),
            What::Claim { work } => {
                let activation = attempt_named(state, work).task.activation;
                Request::StartStage(StartRequest { activation, reason: None })
            }
            What::AddInstances { stage, items } => Request::AddInstances(InstancesAddition {
                activation: activation_named(state, stage),
                items: items.iter().map(Value::to_json).collect(),
                reason: None,
            }),
            What::CloseInstances { stage } => Request::CloseInstances(request_named(state, stage)),
            What::CompleteInstances { stage } => Request::CompleteInstances(request_named(state, stage)),
            What::Pass { .. } => panic!("that time passes is no command"),
        };
        Command { now, id: self.id, actor: self.actor.clone(), request }
    }
}

impl Told {
    fn report(&self, now: Timestamp) -> Report {
        let error = |class| Failure::new(TOLD, class, "told so");
        match self {
            Told::Succeeded => Report::Succeeded,
            Told::Running(length) => Report::Running { until: now.saturating_add(*length) },
            Told::Terminal => Report::Terminal { error: error(ErrorClass::Permanent) },
            Told::FailedContinue => Report::FailedContinue { error: error(ErrorClass::Permanent) },
            Told::Skipped => Report::Skipped,
            Told::Canceled => Report::Canceled,
            Told::Stopped => Report::Stopped,
            Told::Suspended(signals) => Report::Suspended { signals: signals.clone() },
            Told::Jump(target) => Report::Jump { target: target.clone() },
            Told::Redirect => Report::Redirect,
            Told::Failed { class, retry_after } => Report::Failed { error: error(*class), retry_after: *retry_after },
        }
    }
}

/// The parts of a name.
struct Name<'n> {
    stage: &'n str,
    number: Option<u32>,
    instance: Option<InstanceIndex>,
    task: Option<&'n str>,
    dispatch: Option<u32>,
}

impl Name<'_> {
    fn read(text: &str) -> Name<'_> {
        let number = |digits: &str| digits.parse().unwrap_or_else(|_| panic!("{text} names no work"));
        let (rest, dispatch) = match text.split_once('@') {
            Some((rest, digits)) => (rest, Some(number(digits))),
            None => (text, None),
        };
        let (rest, task) = match rest.split_once('.') {
            Some((rest, task)) => (rest, Some(task)),
            None => (rest, None),
        };
        let (rest, instance) = match rest.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            Some((rest, digits)) => (rest, InstanceIndex::new(number(digits))),
            None => (rest, None),
        };
        let (stage, number) = match rest.split_once('#') {
            Some((stage, digits)) => (stage, Some(number(digits))),
            None => (rest, None),
        };
        Name { stage, number, instance, task, dispatch }
    }
}

fn stage_named(state: &State, name: &str) -> StageIndex {
    state.definition().graph().stage_index(name).unwrap_or_else(|| panic!("there is no stage {name}"))
}

/// Whom a signal to `text` is for: a stage, or one activation of it.
fn target_named(state: &State, text: &str) -> SignalTarget {
    let Name { stage, number, .. } = Name::read(text);
    let stage = stage_named(state, stage);
    match number {
        Some(number) => SignalTarget::Activation(ActivationId::new(stage, number)),
        None => SignalTarget::Stage(stage),
    }
}

fn request_named(state: &State, stage: &str) -> InstancesRequest {
    InstancesRequest { activation: activation_named(state, stage), reason: None }
}

/// The attempt that `text` names, whether it is awaited or not.
/// The activation that `text` names, whether it lives or not.
fn activation_named(state: &State, text: &str) -> ActivationId {
    let Name { stage, number, instance, .. } = Name::read(text);
    let graph = state.definition().graph();
    let stage = graph.stage_index(stage).unwrap_or_else(|| panic!("there is no stage {stage}"));
    let oldest = || state.live().find(|id| id.stage == stage).map_or(1, |id| id.number);
    ActivationId { stage, number: number.unwrap_or_else(oldest), instance }
}

/// The attempt that `text` names, whether it is awaited or not.
fn attempt_named(state: &State, text: &str) -> AttemptId {
    let Name { task, dispatch, .. } = Name::read(text);
    let activation = activation_named(state, text);
    let (graph, stage) = (state.definition().graph(), activation.stage);
    let open = state.newest_attempt(activation);
    let task = match task {
        Some(name) => {
            let place = (0..).zip(&graph.stage(stage).tasks).find(|(_, task)| task.name == name);
            TaskIndex::new(place.unwrap_or_else(|| panic!("there is no task {name}")).0)
        }
        None => open.map_or(TaskIndex::new(0), |open| open.task.task),
    };
    let task = TaskId { activation, task };
    let newest = open.filter(|open| open.task == task).map_or(1, |open| open.dispatch);
    AttemptId { task, dispatch: dispatch.unwrap_or(newest) }
}
