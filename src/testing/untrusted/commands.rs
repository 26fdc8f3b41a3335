//! Commands to a workflow in any order, fitting or not.

use super::Draws;
use crate::definition::Definition;
use crate::event::{Actor, CancelRequest, Creation, Json, LeaseLoss, Report, TaskReport, TimerId, TriggerRecord};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, CommandId, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::machine::{Answers, Command, Rejection, Request, State, Work, decide, evolve, outstanding};
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

/// Commands sent to one workflow at most.
const COMMANDS_MAX: usize = 64;

const DEFINITIONS: [&str; 3] = [
    r#"
name: branches
inputs: { n: { type: integer, default: 1 } }
stages:
  a: { uses: noop, split_type: XOR, split_conditions: { b: n > 1, c: other == n }, split_default: d }
  b: { needs: [a], uses: noop }
  c: { needs: [a], run: "true", on_failure: continue }
  d: { needs: [a], uses: noop, on_failure: stop }
  e: { needs: [b, c, d], join_type: XOR, uses: noop, if: "n != 3" }
"#,
    r#"
name: threads
stages:
  a: { uses: noop }
  b: { needs: [a], run: "true", retry: { max_attempts: 3, on: [transient, exit] } }
  c: { needs: [a], uses: wait, with: { duration: 1s } }
  d: { needs: [a], tasks: [{ uses: noop }, { run: "true", on_failure: continue }, { uses: noop, if: "n" }] }
  e: { needs: [b, c, d], uses: noop, on_failure: fail_at_end }
outputs: { n: "${{ n }}" }
"#,
    r#"
name: stuck
stages:
  a: { uses: noop, split_type: XOR, split_conditions: { b: n > 0 }, split_default: c }
  b: { needs: [a], uses: noop }
  c: { needs: [a], uses: noop }
  d: { needs: [b, c], uses: noop }
"#,
];

/// Lets the bytes choose a definition and then commands: answers to what is outstanding, repeats, cancels, and what
/// nobody asked for. After each the invariants hold; a refused command changed nothing; folding the events of an
/// accepted one gives the state it left; and an ended workflow asks for nothing.
///
/// # Panics
///
/// If one of that does not hold.
pub fn machine_commands(bytes: &[u8]) {
    let mut draws = Draws::new(bytes);
    let text = DEFINITIONS[draws.below(DEFINITIONS.len())];
    let definition = Definition::from_yaml(text).expect("the definitions are right");
    let workflow = WorkflowId::from_parts(Timestamp::from_microseconds(1_000_000), 1);
    let mut state = State::new(workflow, definition.clone());
    let n = Value::from(i64::from(draws.byte() % 5));
    let create = Request::Create(creation(&definition, Map::from([("n".to_owned(), n)])));
    let first = command(1, 1, create);
    // What was accepted is refused for good; what was refused may be accepted later.
    let mut sent = vec![(first.clone(), send(&mut state, &first).is_ok())];
    for number in 2..=COMMANDS_MAX as u64 {
        if draws.is_empty() {
            break;
        }
        let repeated = (draws.below(8) == 0).then(|| draws.below(sent.len()));
        let next = repeated.map_or_else(|| draw(&mut draws, &state, number), |index| sent[index].0.clone());
        let is_accepted = send(&mut state, &next).is_ok();
        let acted_before = repeated.is_some_and(|index| sent[index].1);
        assert!(!(acted_before && is_accepted), "a command acted twice: {next:?}");
        sent.push((next, is_accepted));
    }
}

/// Sends a command and checks all that must hold of the answer.
fn send(state: &mut State, command: &Command) -> Result<(), Rejection> {
    let mut before = state.clone();
    let answer = decide(state, command, &mut Answers::computed());
    match &answer {
        Err(_) => assert_eq!(state.core(), before.core(), "a refused command changed something"),
        Ok(batch) => {
            for event in batch.events() {
                evolve(&mut before, event).expect("what was decided can happen");
            }
            assert_eq!(state.core(), before.core(), "the fold of the events is another state");
        }
    }
    if let Err(broken) = state.check() {
        panic!("{broken} after {command:?}");
    }
    let n_works = outstanding(state).count();
    assert!(!state.is_closed() || n_works == 0, "an ended workflow asks for something");
    answer.map(|_| ())
}

fn command(number: u64, microseconds: i64, request: Request) -> Command {
    let id = CommandId::from_bytes(u128::from(number).to_be_bytes());
    Command { now: Timestamp::from_microseconds(microseconds), id: Some(id), actor: Actor::Engine, request }
}

fn draw(draws: &mut Draws<'_>, state: &State, number: u64) -> Command {
    let works: Vec<Work> = outstanding(state).collect();
    // Later by up to a minute, or, by a clock that was set back, earlier.
    let now = number as i64 * 1_000_000 + (i64::from(draws.byte()) - 16) * 250_000;
    let request = match draws.below(8) {
        0 => Request::Cancel(CancelRequest { reason: None }),
        1 => {
            let attempt = any_attempt(draws);
            Request::ReportTask(report(draws, attempt))
        }
        2 => Request::FireTimer(TimerId(u32::from(draws.byte() % 4))),
        3 => {
            let attempt = any_attempt(draws);
            Request::DiscardResult(report(draws, attempt))
        }
        _ if works.is_empty() => Request::ContinueSettling,
        _ => match works[draws.below(works.len())].clone() {
            Work::RunTask { attempt, .. } => match draws.below(5) {
                0 => Request::StartTask(attempt),
                1 => Request::LoseLease(LeaseLoss { attempt, orderly: draws.below(2) == 0 }),
                _ => Request::ReportTask(report(draws, attempt)),
            },
            Work::WaitUntil { timer, .. } => Request::FireTimer(timer),
            Work::Continue => Request::ContinueSettling,
        },
    };
    command(number, now, request)
}

fn any_attempt(draws: &mut Draws<'_>) -> AttemptId {
    let activation =
        ActivationId { stage: StageIndex::new(u32::from(draws.byte() % 7)), number: u32::from(draws.byte() % 3) };
    let task = TaskId { activation, task: TaskIndex::new(u32::from(draws.byte() % 4)) };
    AttemptId { task, dispatch: u32::from(draws.byte() % 4) }
}

fn report(draws: &mut Draws<'_>, attempt: AttemptId) -> TaskReport {
    let classes = [ErrorClass::Transient, ErrorClass::Permanent, ErrorClass::Timeout, ErrorClass::Exit];
    let class = classes[draws.below(classes.len())];
    let error = Failure::new(ErrorCode::CONDITION_FAILED, class, "drawn".to_owned());
    let pause = Duration::from_microseconds(u64::from(draws.byte()) * 10_000);
    let report = match draws.below(9) {
        0 => Report::Failed { error, retry_after: None },
        1 => Report::Failed { error, retry_after: Some(pause) },
        2 => Report::Terminal { error },
        3 => Report::FailedContinue { error },
        4 => Report::Skipped,
        5 => Report::Canceled,
        6 => Report::Stopped,
        7 => Report::Running { until: Timestamp::from_microseconds(i64::from(draws.short()) * 10_000) },
        _ => Report::Succeeded,
    };
    let outputs = Json::of(&Map::from([("n".to_owned(), Value::from(i64::from(draws.byte())))]));
    TaskReport { attempt, report, outputs, context: Json::empty(), streams: Vec::new() }
}

fn creation(definition: &Definition, inputs: Map) -> Creation {
    Creation {
        definition: definition.hash(),
        name: definition.name(),
        application: String::new(),
        workflow_type: "PIPELINE".to_owned(),
        version: String::new(),
        origin: "bytes".to_owned(),
        inputs: Json::of(&inputs),
        context: Json::empty(),
        trigger: TriggerRecord {
            trigger_type: "manual".to_owned(),
            user: "anonymous".to_owned(),
            parameters: Json::empty(),
            artifacts: "[]".to_owned(),
            payload: Json::empty(),
        },
        workdir: "/".to_owned(),
        priority: 5,
        start_time_expiry: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn commands_in_any_order_leave_a_sound_state(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            machine_commands(&bytes);
        }
    }
}
