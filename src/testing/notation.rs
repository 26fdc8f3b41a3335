//! Events as lines that people write and compare: `stage.completed build to test, lint`.
//!
//! The first word is the event's name, the second what it is about, named as in `happening`; numbers of first
//! activations and attempts, and the task of a stage that has only one, are left out. Moments count from `origin`.

use std::fmt::Write as _;

use crate::definition::{Definition, Graph};
use crate::event::{
    Arrival, CancelCause, Consumed, Emitted, EndReason, Event, Firing, Json, LeftTokens, Rewound, SignalRecipient,
    SignalTarget, TimerOwner, WaitingJoin,
};
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, AttemptId, LockIndex, RegionIndex, StageIndex, TaskId};
use crate::status::Status;
use crate::time::Timestamp;

/// `event` as a line.
///
/// # Panics
///
/// If the event names what the definition does not have.
pub fn line(event: &Event, definition: &Definition, origin: Timestamp) -> String {
    let names = Names { graph: definition.graph(), origin };
    let about = match event {
        Event::DefinitionRegistered(..)
        | Event::LogAccepted(..)
        | Event::WorkflowCreated(..)
        | Event::WorkflowCancelRequested(..)
        | Event::WorkflowCancelForced(..)
        | Event::SettleContinued(_)
        | Event::SettleDeferred
        | Event::WorkflowStarted => String::new(),
        Event::WorkflowPaused(stamp, request) => {
            let reason = request.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("by {}{reason}", stamp.actor)
        }
        Event::WorkflowResumed(_, resumption) => format!("after {}", resumption.paused),
        Event::TaskStarted(_, attempt) => names.attempt(*attempt),
        Event::TaskReported(_, report) | Event::TaskResultDiscarded(_, report) | Event::TaskAnswered(report) => {
            format!("{} {}", names.attempt(report.attempt), report.report.name())
        }
        Event::TaskLeaseLost(_, loss) => names.attempt(loss.attempt) + if loss.orderly { " orderly" } else { "" },
        Event::TimerFired(_, timer) => timer.0.to_string(),
        Event::WorkflowEnded { reason, outputs, .. } => names.end(reason.as_ref(), outputs.as_ref()),
        Event::StageReady { activation, consumed, .. } | Event::StageStarted { activation, consumed, .. } => {
            names.activation(*activation) + &names.consumed(consumed)
        }
        Event::StageEnded { activation, status, emitted, outputs, error } => {
            let outputs = outputs.as_ref().map(|outputs| format!(" {}", outputs.text())).unwrap_or_default();
            let how = how(*status, error.as_ref());
            names.activation(*activation) + &how + &names.emitted(*activation, emitted) + &outputs
        }
        Event::StageCanceled { activation, cause, emitted } => {
            format!("{} {}", names.activation(*activation), names.cause(*cause)) + &names.emitted(*activation, emitted)
        }
        Event::RegionCanceled { region, by, .. } => {
            names.region(*region) + &by.map(|by| format!(" by {}", names.activation(by))).unwrap_or_default()
        }
        Event::TokensRemoved { removed, cause, .. } => format!("{} {}", names.left(removed), names.cause(*cause)),
        Event::CancelsMarked { by } => names.activation(*by),
        Event::TaskQueued { attempt, due } => {
            let due = due.map(|due| format!(" due {}", names.moment(due))).unwrap_or_default();
            names.attempt(*attempt) + &due
        }
        Event::TaskRetried { attempt, failures } => format!("{} failure {failures}", names.attempt(*attempt)),
        Event::TaskEnded { task, status, error } => names.task(*task) + &how(*status, error.as_ref()),
        Event::TimerSet { timer, due, task } => {
            format!("{} {} due {}", timer.0, names.task(*task), names.moment(*due))
        }
        Event::TimerSetFor { timer, due, owner, purpose } => {
            let owner = match owner {
                TimerOwner::Workflow => String::new(),
                TimerOwner::Activation(activation) => names.activation(*activation) + " ",
            };
            format!("{} {owner}{} due {}", timer.0, purpose.name(), names.moment(*due))
        }
        Event::TokensLeft { left, .. } => names.left(left),
        Event::InstancesStarted { .. }
        | Event::InstancesAdded { .. }
        | Event::InstancesAddRequested(..)
        | Event::InstancesCloseRequested(..)
        | Event::InstancesClosed { .. }
        | Event::InstancesCompleteRequested(..)
        | Event::InstancesWithdrawn { .. } => names.of_instances(event),
        Event::JoinForced { stage, .. } => names.graph.stage(*stage).ref_id.clone(),
        Event::JoinArrived { arc, arrival, .. } => names.arrival(*arc, *arrival),
        Event::JoinReset { stage, generation, cause, .. } => {
            format!("{} {generation} {}", names.graph.stage(*stage).ref_id, cause.name())
        }
        _ => names.inside(event),
    };
    if about.is_empty() { event.name().to_owned() } else { format!("{} {about}", event.name()) }
}

/// The name of an attempt: `build.unit@2`.
///
/// # Panics
///
/// If the definition does not have it.
pub fn attempt_name(attempt: AttemptId, definition: &Definition) -> String {
    Names { graph: definition.graph(), origin: Timestamp::from_microseconds(0) }.attempt(attempt)
}

/// Status and code where the name of the event leaves them open.
fn how(status: Status, error: Option<&Failure>) -> String {
    let status = match status {
        Status::FailedContinue | Status::Terminal | Status::Stopped => format!(" {status}"),
        _ => String::new(),
    };
    status + &error.map(|error| format!(" {}", error.code())).unwrap_or_default()
}

struct Names<'g> {
    graph: &'g Graph,
    origin: Timestamp,
}

impl Names<'_> {
    /// An event about what an activation opens or calls, or about signals.
    fn inside(&self, event: &Event) -> String {
        match event {
            Event::ChildStarted { attempt, .. } | Event::TaskStopped(_, attempt) => self.attempt(*attempt),
            Event::StageCanceling { activation, cause } => {
                format!("{} {}", self.activation(*activation), self.cause(*cause))
            }
            Event::ChildEnded(_, end) => {
                format!("{} {}", end.status.name(), end.outputs.text())
            }
            Event::ChildRefused(_, refusal) => refusal.error.code().to_string(),
            Event::LockTaken { lock, activation } => format!("{} {}", self.lock(*lock), self.activation(*activation)),
            Event::LockReleased { lock, .. } => self.lock(*lock),
            Event::WorkflowClosing { children } => children.to_string(),
            Event::WorkflowClosed => String::new(),
            Event::ScopeOpened { scope, owner } => format!("{} {}", scope.get(), self.activation(*owner)),
            Event::PhaseStarted { scope, owner, phase, status, error } => {
                let so_far = status.map(|status| format!(" {}", status.name())).unwrap_or_default();
                let code = error.as_ref().map(|error| format!(" {}", error.code())).unwrap_or_default();
                format!("{} {} {}{so_far}{code}", scope.get(), self.activation(*owner), phase.name())
            }
            Event::ScopeClosed { scope, owner, status, reason } => {
                let reason = self.end(reason.as_ref(), None);
                let reason = if reason.is_empty() { reason } else { format!(" {reason}") };
                format!("{} {} {status}{reason}", scope.get(), self.activation(*owner))
            }
            Event::WorkflowEnding { status, reason, outputs } => {
                let why = self.end(reason.as_ref(), outputs.as_ref());
                format!("{status} {why}").trim_end().to_owned()
            }
            Event::CompensationStarted { scope, activation } => {
                format!("{} {}", scope.get(), self.activation(*activation))
            }
            Event::FinallyStarted { scope } => scope.get().to_string(),
            Event::CompensationEnded { scope, activation, reason, .. } => {
                let why = self.end(reason.as_ref(), None);
                format!("{} {} {why}", scope.get(), self.activation(*activation)).trim_end().to_owned()
            }
            Event::FinallyEnded { scope, reason, .. } => {
                format!("{} {}", scope.get(), self.end(reason.as_ref(), None)).trim_end().to_owned()
            }
            Event::JumpExecuted { source, arc, rewound } => {
                let to = &self.graph.stage(self.graph.arc(*arc).to).ref_id;
                let undone = rewound.as_deref().map(|rewound| self.undone(rewound)).unwrap_or_default();
                format!("{} to {to}{undone}", self.activation(*source))
            }
            Event::LoopTested { activation, iteration, value } => {
                format!("{} {iteration} {value}", self.activation(*activation))
            }
            Event::StageStartRequested(_, request) => self.activation(request.activation),
            Event::ChoiceMade { winner, withdrawn, .. } => {
                let to = |arc: &ArcIndex| self.graph.stage(self.graph.arc(*arc).to).ref_id.as_str();
                let before: Vec<&str> = withdrawn.iter().map(to).collect();
                let before = if before.is_empty() { String::new() } else { format!(" before {}", before.join(", ")) };
                self.activation(*winner) + &before
            }
            _ => self.signal(event),
        }
    }

    /// An event about signals and triggers.
    fn signal(&self, event: &Event) -> String {
        match event {
            Event::SignalReceived(_, message) => {
                let target = match message.target {
                    SignalTarget::Workflow => String::new(),
                    SignalTarget::Stage(stage) => format!(" for {}", self.graph.stage(stage).ref_id),
                    SignalTarget::Activation(id) => {
                        format!(" for {}{}", self.graph.stage(id.stage).ref_id, id.suffix())
                    }
                };
                let data = if message.data == "null" { String::new() } else { format!(" {}", message.data) };
                format!("{}{target}{data}", message.name)
            }
            Event::TriggerClosed(_, closing) => self.graph.stage(closing.stage).ref_id.clone(),
            Event::SignalDelivered { signal, to } => {
                let to = match to {
                    SignalRecipient::Trigger(activation) => self.activation(*activation),
                    SignalRecipient::Instances(owner) => format!("the instances of {}", self.activation(*owner)),
                    SignalRecipient::Task(task) => self.task(*task),
                    SignalRecipient::Boundary(activation) => format!("the end of {}", self.activation(*activation)),
                    SignalRecipient::Start(stage) => format!("the start of {}", self.graph.stage(*stage).ref_id),
                };
                format!("{signal} to {to}")
            }
            Event::SignalBuffered { signal } | Event::SignalDiscarded { signal } => signal.to_string(),
            Event::StageWaiting { activation, gate } => format!("{} for {}", self.activation(*activation), gate.name()),
            Event::TaskSuspended { task } => self.task(*task),
            Event::SignalsLeft { signals } => {
                signals.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
            }
            _ => String::new(),
        }
    }

    fn activation(&self, activation: ActivationId) -> String {
        let mut name = self.graph.stage(activation.stage).ref_id.clone();
        if activation.number != 1 || activation.instance.is_some() {
            name += &activation.suffix();
        }
        name
    }

    fn of_instances(&self, event: &Event) -> String {
        match event {
            Event::InstancesStarted { activation, from, to, total } => {
                format!("{} {from} to {to} of {total}", self.activation(*activation))
            }
            Event::InstancesAdded { activation, from, to } => {
                format!("{} {from} to {to}", self.activation(*activation))
            }
            Event::InstancesAddRequested(_, addition) => {
                format!("{} {}", self.activation(addition.activation), addition.items.join(", "))
            }
            Event::InstancesCloseRequested(_, request) | Event::InstancesCompleteRequested(_, request) => {
                self.activation(request.activation)
            }
            Event::InstancesClosed { activation } => self.activation(*activation),
            Event::InstancesWithdrawn { activation, status, error } => {
                let error = error.as_ref().map(|error| format!(" {}", error.code())).unwrap_or_default();
                format!("{} {status}{error}", self.activation(*activation))
            }
            _ => String::new(),
        }
    }

    fn task(&self, task: TaskId) -> String {
        let mut name = self.activation(task.activation);
        if self.graph.stage(task.activation.stage).tasks.len() > 1 {
            let _ = write!(name, ".{}", self.graph.task(task.activation.stage, task.task).name);
        }
        name
    }

    fn attempt(&self, attempt: AttemptId) -> String {
        let mut name = self.task(attempt.task);
        if attempt.dispatch != 1 {
            let _ = write!(name, "@{}", attempt.dispatch);
        }
        name
    }

    fn lock(&self, lock: LockIndex) -> String {
        self.graph.locks[lock.index()].name.clone()
    }

    fn region(&self, region: RegionIndex) -> String {
        self.graph.regions[region.index()].name.clone()
    }

    fn cause(&self, cause: CancelCause) -> String {
        match cause {
            CancelCause::Workflow => "by workflow".to_owned(),
            CancelCause::ScopeFailed => "by failure".to_owned(),
            CancelCause::Deadline => "by deadline".to_owned(),
            CancelCause::Stage { by } => format!("by {}", self.activation(by)),
            CancelCause::Timer => "by timer".to_owned(),
            CancelCause::ExplicitEnd => "by end".to_owned(),
            CancelCause::Discriminator => "by discriminator".to_owned(),
            CancelCause::Instances => "by mi".to_owned(),
            CancelCause::Jump { to } => format!("by a jump to {}", self.activation(to)),
            CancelCause::Region { region } => format!("by region {}", self.region(region)),
            CancelCause::Signal => "by signal".to_owned(),
            CancelCause::Rewound { by } => format!("by the jump of {}", self.activation(by)),
            CancelCause::Withdrawn { winner } => format!("for {}", self.activation(winner)),
        }
    }

    /// What a jump has undone.
    fn undone(&self, rewound: &Rewound) -> String {
        let stage = |stage: &StageIndex| self.graph.stage(*stage).ref_id.clone();
        let way = |arc: &ArcIndex| {
            format!("{} to {}", self.sources(std::slice::from_ref(arc)), stage(&self.graph.arc(*arc).to))
        };
        let reopened = rewound.joins.iter().filter(|join| join.firing == Firing::Undone);
        let parts: [(&str, Vec<String>); 5] = [
            ("ends", rewound.canceled.iter().map(|id| self.activation(*id)).collect()),
            ("removes", rewound.removed.iter().map(|token| way(&token.arc)).collect()),
            ("puts back", rewound.put_back.iter().map(|put| way(&put.arc)).collect()),
            ("forgets", rewound.joins.iter().flat_map(|join| &join.forgotten).map(way).collect()),
            ("reopens", reopened.map(|join| stage(&join.stage)).collect()),
        ];
        let parts = parts.into_iter().filter(|(_, what)| !what.is_empty());
        let parts: String = parts.map(|(does, what)| format!(", {does} {}", what.join(", "))).collect();
        format!(" undoing {}{parts}", self.activation(rewound.to))
    }

    fn moment(&self, moment: Timestamp) -> String {
        moment.since(self.origin).to_string()
    }

    fn sources(&self, arcs: &[ArcIndex]) -> String {
        let source = |arc: &ArcIndex| match self.graph.arc(*arc).from {
            Some(from) => self.graph.stage(from).ref_id.as_str(),
            None => "start",
        };
        arcs.iter().map(source).collect::<Vec<_>>().join(", ")
    }

    fn consumed(&self, consumed: &Consumed) -> String {
        match consumed {
            Consumed::OnePerArc | Consumed::Ready | Consumed::Held => String::new(),
            Consumed::Threads(None) => " from threads".to_owned(),
            Consumed::Threads(Some(group)) => format!(" from threads of {}", self.activation(*group)),
            Consumed::Arcs(arcs) => format!(" from {}", self.sources(arcs)),
            Consumed::Jump { jump, arcs, .. } => {
                let others = if arcs.is_empty() { String::new() } else { format!(", and from {}", self.sources(arcs)) };
                let from = if self.graph.arc(*jump).comes_from_anywhere() {
                    String::new()
                } else {
                    format!(" from {}", self.sources(&[*jump]))
                };
                format!(" by jump{from}{others}")
            }
        }
    }

    fn arrival(&self, arc: ArcIndex, arrival: Arrival) -> String {
        let how = match arrival {
            Arrival::Counted => "",
            Arrival::Late => " late",
        };
        format!("{} from {}{how}", self.graph.stage(self.graph.arc(arc).to).ref_id, self.sources(&[arc]))
    }

    fn left(&self, left: &[LeftTokens]) -> String {
        let lies = |left: &LeftTokens| {
            let arc = self.graph.arc(left.arc);
            let from = arc.from.map_or("start", |from| self.graph.stage(from).ref_id.as_str());
            let count = if left.tokens == 1 { String::new() } else { format!(" {} times", left.tokens) };
            format!("{from} to {}{count}", self.graph.stage(arc.to).ref_id)
        };
        left.iter().map(lies).collect::<Vec<String>>().join(", ")
    }

    fn emitted(&self, from: ActivationId, emitted: &Emitted) -> String {
        let arcs: &[ArcIndex] = match emitted {
            Emitted::All => &self.graph.stage(from.stage).outgoing,
            Emitted::Arcs(arcs) => arcs,
            Emitted::Nothing => return String::new(),
        };
        let targets: Vec<&str> =
            arcs.iter().map(|arc| self.graph.stage(self.graph.arc(*arc).to).ref_id.as_str()).collect();
        format!(" to {}", targets.join(", "))
    }

    fn end(&self, reason: Option<&EndReason>, outputs: Option<&Json>) -> String {
        let Some(reason) = reason else { return outputs.map(|outputs| outputs.text().to_owned()).unwrap_or_default() };
        let code = |error: &Failure| format!(" {}", error.code());
        let detail = match reason {
            EndReason::StageFailed { activation, error } => {
                format!(" {}{}", self.activation(*activation), error.as_ref().map(code).unwrap_or_default())
            }
            EndReason::Deadlock { waiting } => {
                let lacks = |join: &WaitingJoin| {
                    format!(" {} lacks {}", self.graph.stage(join.stage).ref_id, self.sources(&join.missing))
                };
                waiting.iter().map(lacks).collect::<Vec<_>>().join(";")
            }
            EndReason::BranchStopped { activation } | EndReason::CanceledBy { activation } => {
                format!(" {}", self.activation(*activation))
            }
            EndReason::OrJoinCycle { stages } => {
                let name = |stage: &StageIndex| self.graph.stage(*stage).ref_id.as_str();
                format!(" {}", stages.iter().map(name).collect::<Vec<_>>().join(", "))
            }
            EndReason::OutputsFailed { error } => code(error),
            EndReason::CancelRequested { by, reason } => {
                format!(" by {by}{}", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())
            }
            EndReason::StartTimeExpired => String::new(),
            EndReason::DeadlineExceeded { deadline } => format!(" {deadline}"),
        };
        reason.code().to_owned() + &detail
    }
}
