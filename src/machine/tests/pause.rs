//! Pausing and going on (R16): what has begun goes on, nothing new begins, the active clock stands still.

use proptest::prelude::*;

use crate::event::{Event, PauseRequest, Report, TaskReport};
use crate::failure::ErrorClass;
use crate::ids::Sequence;
use crate::machine::{Answers, Command, Request, ResumeRequest, State, decide};
use crate::status::Status;
use crate::testing::course::ORIGIN;
use crate::testing::definitions::{parallel, sequence, stage, yaml};
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, complete, fail, fire, lose, pass, pause, pause_because, resume, running, start, terminal,
};
use crate::testing::strategies::histories;
use crate::time::{Duration, Timestamp};

#[test]
fn an_attempt_that_was_queued_waits_until_the_workflow_goes_on() {
    given(&sequence())
        .after([])
        .when(pause_because("the shop is closed").by("alice"))
        .then(["workflow.paused by alice: the shop is closed"])
        .status(Status::Paused)
        .open([])
        .after([pass("90s")])
        .when(resume())
        .then(["workflow.resumed after 1m30s"])
        .status(Status::Running)
        .open(["a"]);
}

#[test]
fn what_has_begun_goes_on_and_what_follows_from_it_is_held_back() {
    given(&sequence())
        .after([start("a"), pause()])
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a to b",
            "stage.started b",
            "task.queued b",
        ])
        .status(Status::Paused)
        .open([])
        .when(resume())
        .then(["workflow.resumed after 0s"])
        .open(["b"]);
}

#[test]
fn a_worker_that_had_begun_before_it_heard_of_the_pause_is_believed() {
    given(&sequence()).after([pause()]).when(start("a")).then(["task.started a"]).open(["a"]);
    given(&sequence()).after([pause()]).when(complete("a")).then_among(["stage.completed a to b"]);
}

#[test]
fn a_second_pause_and_going_on_without_one_are_refused() {
    given(&sequence())
        .after([])
        .when(resume())
        .refused("NOT_PAUSED")
        .after([pause()])
        .when(pause())
        .refused("ALREADY_PAUSED")
        .after([resume()])
        .when(resume())
        .refused("NOT_PAUSED");
}

#[test]
fn a_gate_opens_only_when_the_workflow_goes_on() {
    let text = "name: x\nstages:\n  a: {}\n  b: { needs: [a], if: 'true' }\n";
    given(&yaml(text))
        .after([start("a"), pause()])
        .when(complete("a"))
        .then(["task.reported a SUCCEEDED", "task.completed a", "stage.completed a to b", "stage.ready b"])
        .when(resume())
        .then(["workflow.resumed after 0s", "stage.started b", "task.queued b"])
        .open(["b"]);
}

#[test]
fn joins_fire_failures_end_and_a_cancel_works_in_a_pause() {
    given(&parallel())
        .after([complete("a"), start("b"), start("c"), start("e"), pause(), complete("b"), complete("c")])
        .when(complete("e"))
        .then_among(["stage.started d", "task.queued d"])
        .open([]);
    given(&sequence())
        .after([start("a"), pause()])
        .when(terminal("a"))
        .then_among(["stage.failed a TERMINAL", "workflow.failed STAGE_FAILED a TOLD"])
        .status(Status::Terminal);
    given(&sequence())
        .after([pause()])
        .when(cancel())
        .then_among(["stage.canceled a by workflow"])
        .status(Status::Canceled);
}

#[test]
fn retries_and_lost_workers_wait_for_the_workflow_to_go_on() {
    given(&stage(""))
        .after([start("a"), pause()])
        .when(lose("a"))
        .then(["task.lease_lost a", "task.queued a@2"])
        .open([])
        .after([resume()])
        .when(fail("a", ErrorClass::Transient))
        .then_among(["task.retried a@2 failure 1"]);
}

#[test]
fn timers_of_the_time_of_day_fire_in_a_pause() {
    given(&stage(""))
        .after([running("a", "90s"), pause()])
        .when(fire(1))
        .refused("EARLY")
        .open(["timer 1 due 1m30s"])
        .after([pass("90s")])
        .when(fire(1))
        .then(["timer.fired 1", "task.queued a@2"])
        .open([])
        .when(resume())
        .then(["workflow.resumed after 1m30s"])
        .open(["a@2"]);
}

#[test]
fn a_deadline_stands_still_in_a_pause() {
    given(&stage("deadline: 1h"))
        .after([start("a"), pass("20m"), pause(), pass("3h")])
        .when(fire(1))
        .refused("STANDING")
        .open(["a"])
        .after([resume()])
        .when(fire(1))
        .refused("EARLY")
        .open(["a", "timer 1 due 4h"])
        .after([pass("40m")])
        .when(fire(1))
        .then_among(["stage.failed a TERMINAL DEADLINE_EXCEEDED"]);
}

#[test]
fn pauses_add_up_and_a_deadline_set_in_one_begins_when_it_ends() {
    let text = "name: x\nstages:\n  a: {}\n  b: { needs: [a], deadline: 1h }\n";
    given(&yaml(text))
        .after([start("a"), pause(), pass("1h"), resume(), pass("1h"), pause(), pass("1h"), complete("a"), pass("1h")])
        .when(resume())
        .then(["workflow.resumed after 3h"])
        .open(["b", "timer 1 due 5h"]);
}

#[test]
fn a_deadline_that_passed_before_the_pause_has_passed() {
    given(&stage("deadline: 1h"))
        .after([start("a"), pass("1h"), pause(), pass("1m")])
        .when(fire(1))
        .then_among(["stage.failed a TERMINAL DEADLINE_EXCEEDED"]);
}

/// The commands that a history accepts, with what creates it first.
fn accepted(commands: &[Command]) -> Vec<Command> {
    // Who sent what is told apart by its id; two ids more would push others out of what is remembered.
    commands.iter().map(|command| Command { id: None, ..command.clone() }).collect()
}

fn folded(state: &mut State, commands: &[Command]) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    for command in commands {
        events.extend(decide(state, command, &mut Answers::computed()).ok()?.into_events());
    }
    Some(events)
}

/// An event without what tells when it was, or is to be.
#[expect(clippy::wildcard_enum_match_arm, reason = "most events tell nothing of time")]
fn timeless(event: &Event) -> Event {
    let mut event = event.clone();
    match &mut event {
        Event::TaskQueued { due, .. } => *due = due.map(|_| ORIGIN),
        Event::TimerSet { due, .. } | Event::TimerSetFor { due, .. } => *due = ORIGIN,
        Event::TaskReported(_, TaskReport { report: Report::Running { until }, .. }) => *until = ORIGIN,
        // Places move by the events of the pause itself.
        Event::SignalDelivered { signal, .. }
        | Event::SignalBuffered { signal }
        | Event::SignalDiscarded { signal } => *signal = Sequence::FIRST,
        Event::SignalsLeft { signals } => signals.fill(Sequence::FIRST),
        _ => (),
    }
    match &mut event {
        Event::WorkflowCreated(stamp, _)
        | Event::WorkflowCancelRequested(stamp, _)
        | Event::TaskStarted(stamp, _)
        | Event::TaskReported(stamp, _)
        | Event::TaskStopped(stamp, _)
        | Event::TaskLeaseLost(stamp, _)
        | Event::TaskResultDiscarded(stamp, _)
        | Event::TimerFired(stamp, _)
        | Event::SignalReceived(stamp, _)
        | Event::TriggerClosed(stamp, _)
        | Event::StageStartRequested(stamp, _)
        | Event::InstancesAddRequested(stamp, _)
        | Event::InstancesCloseRequested(stamp, _)
        | Event::InstancesCompleteRequested(stamp, _)
        | Event::SettleContinued(stamp) => stamp.now = ORIGIN,
        _ => (),
    }
    event
}

proptest! {
    /// Somewhere in a history the workflow is held for a while, and all that comes after comes so much later.
    #[test]
    fn a_pause_anywhere_changes_nothing_but_times(
        history in histories(),
        place in any::<prop::sample::Index>(),
        length in prop_oneof![Just(0_u64), 1_u64..10_000_000_000],
    ) {
        let course = history.course();
        let definition = course.state().definition();
        let is_paused_itself =
            |command: &Command| matches!(command.request, Request::Pause(_) | Request::Resume(_));
        let commands: Vec<Command> =
            accepted(course.commands()).into_iter().filter(|command| !is_paused_itself(command)).collect();
        let new = || State::new(course.state().workflow(), definition.clone());
        // What was refused or read otherwise without its own pauses is another history, and not looked at.
        let Some(expected) = folded(&mut new(), &commands) else { return Ok(()) };
        let cut = place.index(commands.len()) + 1;
        let mut state = new();
        let mut events = folded(&mut state, &commands[..cut]).unwrap();
        if state.is_unsettled() || state.status().is_complete() {
            return Ok(());
        }
        // Moments that a definition names do not move with the rest.
        let names_moments = history.example.text.contains("scheduled_time") || history.example.text.contains("_expiry");
        // Nor does what tells when it was: the id of a workflow that is called, the answer that a deadline gives.
        let tells_when = |word: &&str| history.example.text.contains(word);
        let names_moments = names_moments || ["sub_workflow", "approval"].iter().any(tells_when);
        let length = if names_moments || history.start_time_expiry.is_some() { 0 } else { length };
        let later = |moment: Timestamp| moment.saturating_add(Duration::from_microseconds(length));
        let now = state.now().unwrap();
        let command = |now, request| Command { now, id: None, actor: crate::event::Actor::Engine, request };
        let pause = command(now, Request::Pause(PauseRequest { reason: None }));
        prop_assert_eq!(decide(&mut state, &pause, &mut Answers::computed()).unwrap().events().len(), 1);
        let resume = command(later(now), Request::Resume(ResumeRequest { reason: None }));
        prop_assert_eq!(decide(&mut state, &resume, &mut Answers::computed()).unwrap().events().len(), 1);
        let shifted: Vec<Command> =
            commands[cut..].iter().map(|command| Command { now: later(command.now), ..command.clone() }).collect();
        let rest = folded(&mut state, &shifted);
        prop_assert!(rest.is_some(), "refused after a pause");
        events.extend(rest.unwrap());
        let timeless = |events: &[Event]| events.iter().map(timeless).collect::<Vec<Event>>();
        prop_assert_eq!(timeless(&events), timeless(&expected));
    }
}
