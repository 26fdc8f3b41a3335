//! Behaviour of the machine on values: given, when, then.

use std::cell::Cell;

thread_local! {
    static RESCANS: Cell<bool> = const { Cell::new(false) };
}

/// Does deciding on this thread refill all candidates before every micro-step?
pub(super) fn rescans() -> bool {
    RESCANS.get()
}

use crate::definition::Definition;
use crate::event::{Actor, Creation, Event, Json, Report, TaskReport, TriggerRecord};
use crate::ids::{AttemptId, WorkflowId};
use crate::status::Status;
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::{Answers, Command, Request, State, Work, decide, outstanding};

fn creation(definition: &Definition, inputs: Map) -> Creation {
    Creation {
        definition: definition.hash(),
        name: definition.name(),
        application: String::new(),
        workflow_type: "PIPELINE".to_owned(),
        version: String::new(),
        origin: "test".to_owned(),
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

struct Run {
    state: State,
    now: i64,
    events: Vec<Event>,
}

impl Run {
    fn start(yaml: &str, inputs: Map) -> Run {
        let definition = Definition::from_yaml(yaml).unwrap_or_else(|problems| panic!("{problems}"));
        let workflow = WorkflowId::from_parts(Timestamp::from_microseconds(1_000_000), 1);
        let created = creation(&definition, inputs);
        let mut run = Run { state: State::new(workflow, definition), now: 0, events: Vec::new() };
        run.send(Request::Create(created));
        run
    }

    fn send(&mut self, request: Request) {
        self.now += 1;
        let now = Timestamp::from_microseconds(self.now);
        let command = Command { now, id: None, actor: Actor::Engine, request };
        let batch = decide(&mut self.state, &command, &mut Answers::computed()).unwrap();
        self.state.check().unwrap();
        self.events.extend(batch.into_events());
    }

    fn attempts(&self) -> Vec<AttemptId> {
        outstanding(&self.state)
            .filter_map(|work| match work {
                Work::RunTask { attempt, .. } => Some(attempt),
                Work::WaitUntil { .. } | Work::Continue => None,
            })
            .collect()
    }

    fn open(&self) -> Vec<String> {
        let name = |attempt: &AttemptId| {
            let stage = self.state.definition().graph().stage(attempt.task.activation.stage);
            format!("{}#{}.{}", stage.ref_id, attempt.task.activation.number, attempt.dispatch)
        };
        self.attempts().iter().map(name).collect()
    }

    fn report(&mut self, stage: &str, report: Report, outputs: Map) {
        let attempt = self
            .attempts()
            .into_iter()
            .find(|attempt| self.state.definition().graph().stage(attempt.task.activation.stage).ref_id == stage);
        let attempt = attempt.unwrap_or_else(|| panic!("{stage} has no open attempt, open are {:?}", self.open()));
        let (outputs, context) = (Json::of(&outputs), Json::empty());
        self.send(Request::ReportTask(TaskReport { attempt, report, outputs, context, streams: Vec::new() }));
    }

    fn complete(&mut self, stage: &str) {
        self.report(stage, Report::Succeeded, Map::new());
    }
}

#[test]
fn a_sequence_runs_in_order_and_succeeds() {
    let yaml = "name: x\nstages:\n  a: { run: 'true' }\n  b: { needs: [a], run: 'true' }\n";
    let mut run = Run::start(yaml, Map::new());
    assert_eq!(run.open(), ["a#1.1"]);
    run.complete("a");
    assert_eq!(run.open(), ["b#1.1"]);
    run.complete("b");
    assert_eq!(run.state.status(), Status::Succeeded);
    let names: Vec<_> = run.events.iter().map(Event::name).collect();
    assert_eq!(
        names,
        [
            "workflow.created",
            "workflow.started",
            "stage.started",
            "task.queued",
            "task.reported",
            "task.completed",
            "stage.completed",
            "stage.started",
            "task.queued",
            "task.reported",
            "task.completed",
            "stage.completed",
            "workflow.completed"
        ]
    );
}

#[test]
fn an_exclusive_split_takes_the_first_branch_whose_condition_holds() {
    let yaml = "
name: x
inputs: { n: { type: integer } }
stages:
  a: { split_type: XOR, split_conditions: { b: n == 1, c: n > 0 }, split_default: e }
  b: { needs: [a] }
  b2: { needs: [b] }
  c: { needs: [a] }
  e: { needs: [a] }
  m: { needs: [b2, c, e], join_type: XOR }
";
    for (n, branch) in [(1, vec!["b", "b2"]), (5, vec!["c"]), (-1, vec!["e"])] {
        let mut run = Run::start(yaml, Map::from([("n".to_owned(), Value::from(n))]));
        run.complete("a");
        for stage in branch {
            assert_eq!(run.open(), [format!("{stage}#1.1")]);
            run.complete(stage);
        }
        run.complete("m");
        assert_eq!(run.state.status(), Status::Succeeded, "{n}");
    }
}

#[test]
fn a_join_that_can_never_fire_is_a_deadlock_at_once() {
    let yaml = "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c] }
";
    let mut run = Run::start(yaml, Map::new());
    run.complete("a");
    run.complete("b");
    assert_eq!(run.state.status(), Status::Terminal);
    assert_eq!(run.state.end_reason().map(crate::event::EndReason::code), Some("DEADLOCK"));
}

#[test]
fn a_parallel_split_and_join_wait_for_all() {
    let yaml = "
name: x
stages:
  a: { }
  b: { needs: [a], on_failure: continue }
  c: { needs: [a] }
  d: { needs: [b, c], if: \"missing == 3\" }
  e: { needs: [d] }
";
    let mut run = Run::start(yaml, Map::new());
    run.complete("a");
    assert_eq!(run.open(), ["b#1.1", "c#1.1"]);
    run.complete("c");
    assert_eq!(run.open(), ["b#1.1"]);
    run.report("b", Report::Stopped, Map::new());
    assert_eq!(run.state.status(), Status::Succeeded);
}
