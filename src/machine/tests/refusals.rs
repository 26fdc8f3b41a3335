//! Commands made from what no workflow of ours recorded: refused, never a panic.

use crate::event::{Actor, Creation, Event, TimerId};
use crate::ids::{ActivationId, AttemptId, DefinitionHash, Sequence, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::machine::{Command, Rejection, Request};
use crate::status::Status;
use crate::testing::course::{Course, ORIGIN, creation_of};
use crate::testing::definitions::stage;
use crate::testing::happening::{complete, create, fire, go_on};
use crate::testing::untrusted::no_map;
use crate::value::Map;

fn command(request: Request) -> Command {
    Command { now: ORIGIN, id: None, actor: Actor::Engine, request }
}

#[test]
fn a_workflow_follows_no_definition_but_its_own() {
    let definition = stage("");
    let mut creation = creation_of(&definition, &Map::new());
    creation.definition = DefinitionHash::of("{}");
    let refused = Course::new(&definition).decide(command(Request::Create(creation))).unwrap_err();
    assert_eq!(refused.code(), "OTHER_DEFINITION");
}

#[test]
fn data_that_is_no_map_is_refused() {
    let definition = stage("");
    let spoilers: [fn(&mut Creation); 2] = [|created| created.inputs = no_map(), |created| created.context = no_map()];
    for spoil in spoilers {
        let mut creation = creation_of(&definition, &Map::new());
        spoil(&mut creation);
        let refused = Course::new(&definition).decide(command(Request::Create(creation))).unwrap_err();
        assert_eq!(refused.code(), "MALFORMED");
    }
    let mut course = Course::begun(&definition, [("", 0); 0]);
    course.happen(&complete("a"));
    let Event::TaskReported(_, mut report) = course.events()[4].clone() else { panic!("a report was expected") };
    report.context = no_map();
    let mut course = Course::begun(&definition, [("", 0); 0]);
    let refused = course.decide(command(Request::ReportTask(report))).unwrap_err();
    assert_eq!(refused.code(), "MALFORMED");
}

#[test]
fn nothing_can_be_asked_of_a_workflow_that_does_not_exist() {
    for happening in [complete("a"), go_on(), fire(1)] {
        let refused = Course::new(&stage("")).attempt(&happening).unwrap_err();
        assert_eq!(refused.code(), "NOT_CREATED");
    }
}

#[test]
fn a_workflow_is_created_once() {
    let mut course = Course::begun(&stage(""), [("", 0); 0]);
    assert_eq!(course.attempt(&create()).unwrap_err().code(), "ALREADY_CREATED");
    assert_eq!(course.attempt(&go_on()).unwrap_err().code(), "SETTLED");
}

/// One rejection of each kind, the next after each: a new kind does not compile before it is here.
fn after(rejection: &Rejection) -> Option<Rejection> {
    let task = TaskId { activation: ActivationId::new(StageIndex::new(0), 1), task: TaskIndex::new(0) };
    let attempt = AttemptId { task, dispatch: 1 };
    Some(match rejection {
        Rejection::AlreadyCreated => Rejection::NotCreated,
        Rejection::NotCreated => Rejection::OtherDefinition { asked: DefinitionHash::of("{}") },
        Rejection::OtherDefinition { .. } => Rejection::Malformed,
        Rejection::Malformed => Rejection::Ended { status: Status::Succeeded },
        Rejection::Ended { .. } => Rejection::AlreadyCanceling,
        Rejection::AlreadyCanceling => Rejection::AlreadyEnding,
        Rejection::AlreadyEnding => Rejection::NothingToForce,
        Rejection::NothingToForce => Rejection::Repeated { first: Sequence::FIRST },
        Rejection::Repeated { .. } => Rejection::CommandTooOld,
        Rejection::CommandTooOld => Rejection::NotAwaited { attempt },
        Rejection::NotAwaited { .. } => Rejection::AlreadyStarted { attempt },
        Rejection::AlreadyStarted { .. } => Rejection::Early { due: ORIGIN },
        Rejection::Early { .. } => Rejection::NoSuchTimer { timer: TimerId(1) },
        Rejection::NoSuchTimer { .. } => Rejection::Unsettled,
        Rejection::Unsettled => Rejection::Settled,
        Rejection::Settled => Rejection::NoSuchStage { stage: "a".to_owned() },
        Rejection::NoSuchStage { .. } => Rejection::DoneByHand { attempt },
        Rejection::DoneByHand { .. } => Rejection::NothingByHand { work: "a".to_owned() },
        Rejection::NothingByHand { .. } => Rejection::ApprovalAwaited { work: "a".to_owned() },
        Rejection::ApprovalAwaited { .. } => Rejection::NoApprovalAwaited { work: "a".to_owned() },
        Rejection::NoApprovalAwaited { .. } => {
            Rejection::RoleNotAsked { work: "a".to_owned(), roles: vec!["ops".to_owned()] }
        }
        Rejection::RoleNotAsked { .. } => Rejection::AlreadyPaused,
        Rejection::AlreadyPaused => Rejection::NotPaused,
        Rejection::NotPaused => Rejection::Standing { timer: TimerId(1) },
        Rejection::Standing { .. } => Rejection::BadSignal { what: "no name" },
        Rejection::BadSignal { .. } => Rejection::SignalsFull { most: 1 },
        Rejection::SignalsFull { .. } => Rejection::TriggerNotOpen,
        Rejection::TriggerNotOpen => Rejection::NothingToClaim { work: "a".to_owned() },
        Rejection::NothingToClaim { .. } => Rejection::TriggerAwaited { work: "a".to_owned() },
        Rejection::TriggerAwaited { .. } => Rejection::NoSuchChild { child: WorkflowId::from_parts(ORIGIN, 2) },
        Rejection::NoSuchChild { .. } => Rejection::InstancesClosed { stage: "a".to_owned() },
        Rejection::InstancesClosed { .. } => Rejection::InstancesFull { stage: "a".to_owned(), most: 1 },
        Rejection::InstancesFull { .. } => Rejection::NotLive { stage: "a".to_owned() },
        Rejection::NotLive { .. } => return None,
    })
}

#[test]
fn every_rejection_is_explained() {
    let all = std::iter::successors(Some(Rejection::AlreadyCreated), after);
    let codes: Vec<&str> = all.map(|rejection| rejection.code()).collect();
    let explained: Vec<&str> = Rejection::EXPLAINED.iter().map(|(code, ..)| *code).collect();
    assert_eq!(codes, explained);
}
