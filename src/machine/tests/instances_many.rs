//! Thousands of instances: they begin in pieces, and each takes the same work.

use crate::event::{Actor, Json, Report, TaskReport};
use crate::ids::{ActivationId, AttemptId, InstanceIndex, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::machine::{Answers, Command, Request, State, decide};
use crate::testing::course::{Course, ORIGIN, creation_of};
use crate::testing::definitions::yaml;
use crate::testing::happening::complete_instances;
use crate::value::{Map, Value};

#[test]
fn many_instances_begin_in_pieces() {
    let definition = yaml(
        "
name: x
inputs: { n: { type: integer } }
stages:
  m: { mi_config: { count_from_context: n } }
  z: { needs: [m] }
",
    );
    let mut course = Course::begun(&definition, [("n", 3_000)]);
    assert!(course.told("instances.started m 2048 to 3000 of 3000"));
    assert_eq!(course.open().len(), 3_000);
    course.happen(&complete_instances("m"));
    assert_eq!(course.open(), ["z"]);
}

/// What it takes to bring so many instances to their end: events, bytes of what they hold, questions asked of data.
fn cost(n_instances: u32) -> (usize, usize, u64) {
    let definition = yaml(
        "
name: x
inputs: { items: { type: list } }
stages:
  m:
    mi_config: { collection_from_context: items, completion_condition: 'done >= total' }
    tasks: [{ name: t, uses: noop, if: index >= 0 }]
    outputs: { mine: '${{ item }}' }
  z: { needs: [m] }
",
    );
    let items = Value::list((0..n_instances).map(Value::from));
    let inputs = Map::from([("items".to_owned(), items)]);
    let mut state = State::new(WorkflowId::from_parts(ORIGIN, 1), definition.clone());
    let mut answers = Answers::computed();
    let (mut events, mut bytes) = (0, 0);
    let mut send = |state: &mut State, request| {
        let command = Command { now: ORIGIN, id: None, actor: Actor::Engine, request };
        let batch = decide(state, &command, &mut answers).unwrap();
        events += batch.events().len();
        bytes += batch.events().iter().map(|event| format!("{event:?}").len()).sum::<usize>();
    };
    send(&mut state, Request::Create(creation_of(&definition, &inputs)));
    while state.is_unsettled() {
        send(&mut state, Request::ContinueSettling);
    }
    for index in 0..n_instances {
        let activation =
            ActivationId { instance: InstanceIndex::new(index), ..ActivationId::new(StageIndex::new(0), 1) };
        let attempt = AttemptId { task: TaskId { activation, task: TaskIndex::new(0) }, dispatch: 1 };
        let (outputs, context, streams) = (Json::empty(), Json::empty(), Vec::new());
        let report = TaskReport { attempt, report: Report::Succeeded, outputs, context, streams };
        send(&mut state, Request::ReportTask(report));
    }
    assert_eq!(state.live().count(), 1, "z has begun");
    (events, bytes, answers.asked())
}

#[test]
fn ten_times_the_instances_take_ten_times_the_work() {
    let (few, many) = (cost(1_000), cost(10_000));
    assert!(many.0 <= 10 * few.0, "events: {few:?}, {many:?}");
    // Numbers have more digits.
    assert!(many.1 <= 11 * few.1, "bytes: {few:?}, {many:?}");
    // One question each at the start, one at the end.
    assert_eq!((few.2, many.2), (2 * 1_000 + 1, 2 * 10_000 + 1));
}
