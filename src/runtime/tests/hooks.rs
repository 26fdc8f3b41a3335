//! What a task answers behind an attempt that was stopped, with workers: `on_timeout` and `on_cancel`.

use std::sync::{Mutex, mpsc};
use std::time::Duration as Length;

use crate::event::{Event, Report};
use crate::ids::WorkflowId;
use crate::replay::EventFilter;
use crate::runtime::{By, Config, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, Task, TaskContext, TaskError};
use crate::time::Duration;

use super::definition;

/// Longer than a healthy engine ever takes, so that a test that hangs ends.
const PATIENCE: Length = Length::from_secs(60);

/// Says that it has begun, then works until it is asked to stop.
struct Stays {
    begun: Mutex<mpsc::Sender<()>>,
    timeout: Option<Duration>,
}

impl Task for Stays {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        self.begun.lock().unwrap().send(()).unwrap();
        task.sleep(Duration::from_seconds(3_600))?;
        Ok(Outcome::success())
    }

    fn on_timeout(&self, task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        Some(match task.get::<u64>("late") {
            Ok(None) => Err(TaskError::transient("half done").context_update("late", 1)),
            Ok(Some(times)) => Ok(Outcome::success().output("late", times + 1)),
            Err(error) => Err(error.into()),
        })
    }

    fn on_cancel(&self, _task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        Some(Ok(Outcome::success().output("undone", 3).context("left", "a file")))
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

fn engine(timeout: Option<Duration>) -> (Engine, mpsc::Receiver<()>) {
    let (begun, heard) = mpsc::channel();
    let mut tasks = Registry::with_builtins();
    tasks.register("stays", Stays { begun: Mutex::new(begun), timeout }).unwrap();
    (Engine::open(Config::memory(), tasks).unwrap(), heard)
}

fn events(engine: &Engine, workflow: WorkflowId) -> Vec<Event> {
    let events = engine.history().events(workflow, ..).unwrap();
    events.map(|envelope| envelope.unwrap().event().clone()).collect()
}

#[test]
fn what_on_timeout_answers_is_retried_by_its_own_class_and_is_the_outcome() {
    let (engine, begun) = engine(Some(Duration::from_milliseconds(5)));
    let text = "name: x\nstages:\n  a: { uses: stays, retry: { initial: 1ms, on: [transient] } }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    let view = engine.wait(workflow, PATIENCE).unwrap();
    assert_eq!(view.status(), Status::Succeeded);
    assert_eq!(view.stage("a").unwrap().outputs().to_json(), r#"{"late":2}"#);
    assert_eq!(begun.try_iter().count(), 2);
    engine.close().unwrap();
}

#[test]
fn what_on_cancel_leaves_is_kept_and_changes_nothing() {
    for mode in ["try", "wait"] {
        let (engine, begun) = engine(None);
        let text = format!("name: x\nstages:\n  a: {{ uses: stays, cancel_mode: {mode} }}\n  b: {{ needs: [a] }}\n");
        let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
        begun.recv_timeout(PATIENCE).unwrap();
        let (tell, kept) = mpsc::channel();
        let filter = EventFilter::all().types(["task.result_discarded"]);
        let told = move |_: &_| tell.send(()).unwrap();
        let subscription = engine.subscribe("test", filter, told).unwrap();
        engine.cancel(workflow, By::user("alice")).unwrap();
        assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Canceled);
        kept.recv_timeout(PATIENCE).unwrap();
        let events = events(&engine, workflow);
        let discarded = events.iter().find_map(|event| match event {
            Event::TaskResultDiscarded(_, report) => Some(report),
            _ => None,
        });
        let report = discarded.unwrap_or_else(|| panic!("{mode}: {events:?}"));
        assert_eq!(report.report, Report::Canceled, "{mode}");
        assert_eq!((report.outputs.text(), report.context.text()), (r#"{"undone":3}"#, r#"{"left":"a file"}"#));
        subscription.cancel();
        engine.close().unwrap();
    }
}
