//! What people are told of a workflow, at every moment of its history.

use crate::event::Report;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::replay::{At, WorkflowView};
use crate::status::Status;
use crate::testing::Recording;
use crate::value::{Map, Value};

use super::{RELEASE, definition, map};

fn statuses(view: &WorkflowView) -> Vec<String> {
    let stage = |stage: &crate::replay::StageView| format!("{} {}", stage.ref_id(), stage.status());
    view.stages().iter().map(stage).collect()
}

fn refs(stages: Vec<&crate::replay::StageView>) -> Vec<&str> {
    stages.into_iter().map(|stage| stage.ref_id()).collect()
}

fn transient(message: &str) -> Report {
    let error = Failure::new(ErrorCode::NETWORK_ERROR, ErrorClass::Transient, message);
    Report::Failed { error, retry_after: None }
}

#[test]
fn a_workflow_is_told_from_its_beginning_to_its_end() {
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(RELEASE), map([("ref", "v1")]));
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.status(), Status::Running);
    assert_eq!((view.name(), view.application(), view.workflow_type()), ("release", "shop", "PIPELINE"));
    assert_eq!(view.inputs().to_json(), r#"{"ref":"v1"}"#);
    assert_eq!((view.trigger().trigger_type(), view.trigger().user()), ("manual", "anonymous"));
    assert_eq!(view.origin(), "test");
    assert_eq!(view.stage("checkout").unwrap().tasks()[0].attempts(), 0);
    assert_eq!(
        statuses(&view),
        ["checkout RUNNING", "lint NOT_STARTED", "test NOT_STARTED", "deploy NOT_STARTED", "notify NOT_STARTED"]
    );

    recording.complete(id, "checkout", map([("sha", Value::from("abc")), ("lint", Value::Bool(false))]));
    recording.start(id, "test");
    recording.report(id, "test", transient("no answer"), Map::new());
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.stage("lint").unwrap().status(), Status::Skipped);
    let unit = view.stage("test").unwrap().first_task().unwrap();
    assert_eq!((unit.status(), unit.attempts(), unit.newest_attempt()), (Status::Running, 1, Some(2)));
    assert_eq!(unit.error().unwrap().message(), "no answer");
    assert!(unit.due() > Some(view.created_at()));

    recording.report(id, "test", Report::Succeeded, map([("passed", 3), ("same", 1)]));
    recording.complete(id, "test", map([("same", 2)]));
    recording.complete(id, "deploy", map([("greeting", "Hello")]));
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.status(), Status::Succeeded);
    assert_eq!(
        statuses(&view),
        ["checkout SUCCEEDED", "lint SKIPPED", "test SUCCEEDED", "deploy SUCCEEDED", "notify SKIPPED"]
    );
    let test = view.stage("test").unwrap();
    assert_eq!(test.outputs().to_json(), r#"{"passed":3,"same":2}"#);
    let unit = test.task("unit").unwrap();
    assert_eq!((unit.status(), unit.attempts(), unit.error()), (Status::Succeeded, 2, None));
    assert_eq!(test.next_task(unit).unwrap().name(), "report");
    assert!(unit.is_stage_start() && !unit.is_stage_end());
    assert_eq!(view.outputs().to_json(), r#"{"greeting":"Hello","lint":false,"passed":3,"same":2,"sha":"abc"}"#);
    assert_eq!(&view.context(), view.outputs());
    assert_eq!(format!("{:?}", view.stage("deploy").map(|stage| stage.outputs())), r#"Some({"greeting":"Hello"})"#);
    assert_eq!(view.stage("deploy").unwrap().context().to_json(), r#"{"region":"eu"}"#);
    assert!(view.start_time() < view.end_time());
    assert_eq!((view.end_reason(), view.error(), view.is_canceled()), (None, None, false));
}

#[test]
fn the_graph_can_be_asked() {
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(RELEASE), Map::new());
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(refs(view.initial_stages()), ["checkout"]);
    assert_eq!(refs(view.top_level_stages()), ["checkout", "lint", "test", "deploy", "notify"]);
    assert_eq!(refs(view.upstream("deploy")), ["lint", "test"]);
    assert_eq!(refs(view.downstream("checkout")), ["lint", "test"]);
    assert_eq!(refs(view.ancestors("notify")), ["checkout", "lint", "test", "deploy"]);
    assert_eq!(refs(view.ancestors("nowhere")), [""; 0]);
    let deploy = view.stage("deploy").unwrap();
    assert_eq!(deploy.requisite_stage_ref_ids(), ["lint", "test"]);
    assert_eq!((deploy.join_type(), deploy.split_type()), ("AND", "XOR"));
    assert_eq!(deploy.split_conditions(), [("notify", "notify == true"), ("$end", "true")]);
    assert_eq!(view.stage("lint").unwrap().condition(), Some("lint"));
    assert_eq!(view.stage("lint").unwrap().failure_status(), Status::FailedContinue);
    assert_eq!(view.stage_by_id("checkout#1").unwrap().name(), "Check out");
    assert_eq!(view.stage_by_id("deploy").unwrap().id(), "deploy");
    assert!(view.stage_by_id("checkout#2").is_none());
    assert!(view.stage_by_id("checkout").is_none());
}

#[test]
fn a_failure_is_told_with_its_stage_and_what_was_canceled_with_it() {
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(RELEASE), Map::new());
    recording.complete(id, "checkout", map([("lint", true)]));
    recording.start(id, "lint");
    let error = Failure::new(ErrorCode::USER_CODE_ERROR, ErrorClass::Exit, "exit code 2").caused_by("make: ***");
    recording.report(id, "test", Report::Terminal { error: error.clone() }, map([("half", 1)]));
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.status(), Status::Terminal);
    assert_eq!(
        statuses(&view),
        ["checkout SUCCEEDED", "lint CANCELED", "test TERMINAL", "deploy NOT_STARTED", "notify NOT_STARTED"]
    );
    assert_eq!(view.end_reason(), Some("STAGE_FAILED"));
    assert_eq!(view.error(), Some(&error));
    let failed = view.failed_stage().unwrap();
    assert_eq!((failed.ref_id(), failed.error()), ("test", Some(&error)));
    assert_eq!(failed.outputs().to_json(), "{}");
    let [unit, report] = failed.tasks() else { panic!("two tasks") };
    assert_eq!((unit.status(), report.status()), (Status::Terminal, Status::NotStarted));
    assert_eq!(view.stage("lint").unwrap().tasks()[0].status(), Status::Canceled);
}

#[test]
fn a_cancellation_is_told_with_who_and_why() {
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(RELEASE), Map::new());
    recording.cancel(id, "bob", "wrong branch");
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.status(), Status::Canceled);
    assert!(view.is_canceled());
    assert_eq!((view.canceled_by(), view.cancellation_reason()), (Some("bob"), Some("wrong branch")));
    assert_eq!(view.stage("checkout").unwrap().status(), Status::Canceled);
    assert_eq!(view.stage("lint").unwrap().status(), Status::NotStarted);
    assert_eq!(view.error(), None);
}

#[test]
fn a_workflow_that_is_not_started_in_time_was_canceled_by_the_engine() {
    let mut recording = Recording::in_memory();
    let id = recording.begin_with(&definition(RELEASE), |creation| {
        creation.start_time_expiry = Some(crate::time::Timestamp::from_microseconds(0));
    });
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!((view.status(), view.canceled_by()), (Status::Canceled, Some("engine")));
    assert_eq!((view.start_time(), view.end_reason()), (None, Some("START_TIME_EXPIRED")));
}

#[test]
fn a_deadlock_names_the_joins_and_what_they_wait_for() {
    let yaml = "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c] }
";
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(yaml), Map::new());
    recording.complete(id, "a", Map::new());
    recording.complete(id, "b", Map::new());
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.end_reason(), Some("DEADLOCK"));
    let message = "tokens are left that no join can ever consume: d waits for c";
    assert_eq!(view.error().map(Failure::message), Some(message));
}

#[test]
fn of_a_stage_that_was_entered_twice_the_newest_activation_is_told() {
    let yaml = "
name: x
stages:
  a: { }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c], join_type: XOR }
";
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(yaml), Map::new());
    recording.complete(id, "a", Map::new());
    recording.complete(id, "b", Map::new());
    recording.complete(id, "c", Map::new());
    let view = recording.history().state(id, At::Latest).unwrap();
    let d = view.stage("d").unwrap();
    assert_eq!((d.activations(), d.id().as_str(), d.status()), (2, "d#2", Status::Running));
    // The older activation is the one that ends.
    recording.complete(id, "d", map([("n", 1)]));
    let view = recording.history().state(id, At::Latest).unwrap();
    let d = view.stage("d").unwrap();
    assert_eq!((d.status(), d.outputs().to_json().as_str()), (Status::Running, "{}"));
    recording.complete(id, "d", map([("n", 2)]));
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.stage("d").unwrap().outputs().to_json(), r#"{"n":2}"#);
    recording.history().replay(id, None, |_| ()).unwrap();
}

#[test]
fn a_task_that_waits_and_one_whose_worker_was_lost_count_their_attempts() {
    let yaml = "name: x\nstages:\n  a: { uses: wait, with: { duration: 1h } }\n";
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(yaml), Map::new());
    recording.start(id, "a");
    recording.lose(id, "a");
    recording.start(id, "a");
    let until = "2026-05-01T13:00:00Z".parse().unwrap();
    recording.report_with(id, "a", Report::Running { until }, Map::new(), map([("seen", 1)]));
    let view = recording.history().state(id, At::Latest).unwrap();
    let task = view.stage("a").unwrap().first_task().unwrap();
    assert_eq!((task.status(), task.attempts(), task.due()), (Status::Running, 2, Some(until)));
    assert_eq!(view.stage("a").unwrap().context().to_json(), r#"{"seen":1}"#);
    recording.fire(id);
    recording.report(id, "a", Report::Succeeded, Map::new());
    let view = recording.history().state(id, At::Latest).unwrap();
    let task = view.stage("a").unwrap().first_task().unwrap();
    assert_eq!((task.status(), task.attempts(), task.due()), (Status::Succeeded, 3, None));
}

#[test]
fn declared_outputs_are_what_a_workflow_gives() {
    let yaml = "
name: x
outputs: { total: \"n=${{ n }}\" }
stages:
  a: { outputs: { n: \"${{ m }}\" } }
";
    let mut recording = Recording::in_memory();
    let id = recording.begin(&definition(yaml), Map::new());
    recording.complete(id, "a", map([("m", 7)]));
    let view = recording.history().state(id, At::Latest).unwrap();
    assert_eq!(view.outputs().to_json(), r#"{"total":"n=7"}"#);
    assert_eq!(view.stage("a").unwrap().outputs().to_json(), r#"{"m":7,"n":7}"#);

    let failed = recording.begin(&definition(yaml), Map::new());
    recording.report(failed, "a", Report::Stopped, map([("m", 7)]));
    let view = recording.history().state(failed, At::Latest).unwrap();
    assert_eq!(view.end_reason(), Some("OUTPUTS_FAILED"));
    assert_eq!(view.outputs().to_json(), "{}");
}
