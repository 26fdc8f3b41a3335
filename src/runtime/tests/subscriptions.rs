//! Subscribers: told of everything once, at their own pace, and harming nobody.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::definition::Definition;
use crate::event::Envelope;
use crate::ids::{Position, WorkflowId};
use crate::replay::EventFilter;
use crate::runtime::{Config, Engine, Error, Start, Subscription};
use crate::task::Registry;

use super::definition;

const PATIENCE: Duration = Duration::from_secs(60);

fn engine() -> Engine {
    Engine::open(Config::memory(), Registry::with_builtins()).unwrap()
}

fn two_stages() -> Definition {
    definition("name: x\nstages: { a: {}, b: { needs: [a] } }")
}

/// What a subscriber heard, in the order in which it did.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(Position, &'static str)>>>);

impl Heard {
    fn listen(&self) -> impl FnMut(&Envelope) + Send + use<> {
        let heard = Arc::clone(&self.0);
        move |event| heard.lock().unwrap().push((event.position(), event.name()))
    }

    fn all(&self) -> Vec<(Position, &'static str)> {
        self.0.lock().unwrap().clone()
    }

    fn names(&self) -> Vec<&'static str> {
        self.all().into_iter().map(|(_, name)| name).collect()
    }
}

fn run(engine: &Engine) -> WorkflowId {
    let workflow = engine.submit(&two_stages(), Start::new()).unwrap();
    engine.wait(workflow, PATIENCE).unwrap();
    workflow
}

#[test]
fn everything_is_told_once_and_in_order_while_others_write() {
    let engine = engine();
    run(&engine);
    let before = engine.store().durable();
    let heard = [Heard::default(), Heard::default()];
    for heard in &heard {
        engine.subscribe("monitor", EventFilter::all(), heard.listen()).unwrap();
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    run(&engine);
                }
            });
        }
    });
    engine.close().unwrap();
    let history = engine.history();
    let recorded: Vec<_> =
        history.all(before).map(|event| event.map(|event| (event.position(), event.name()))).collect();
    let recorded = recorded.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(recorded.len() > 1_000);
    for heard in heard {
        assert!(heard.all() == recorded);
    }
}

#[test]
fn a_filter_lets_through_what_fits_all_of_it() {
    let engine = engine();
    let (of_types, of_workflow, of_stage, of_all) =
        (Heard::default(), Heard::default(), Heard::default(), Heard::default());
    let mine = WorkflowId::generate();
    let ends = ["workflow.completed", "stage.completed"];
    for (filter, heard) in [
        (EventFilter::all().types(ends), &of_types),
        (EventFilter::all().workflow(mine), &of_workflow),
        (EventFilter::all().stage("b"), &of_stage),
        (EventFilter::all().workflow(mine).types(["stage.completed"]).types(["stage.started"]).stage("b"), &of_all),
    ] {
        engine.subscribe("filtered", filter, heard.listen()).unwrap();
    }
    run(&engine);
    engine.submit(&two_stages(), Start::new().id(mine)).unwrap();
    engine.wait(mine, PATIENCE).unwrap();
    engine.close().unwrap();
    assert_eq!(of_types.names(), [ends[1], ends[1], ends[0], ends[1], ends[1], ends[0]]);
    let events = engine.history().events(mine, ..).unwrap().count();
    assert_eq!(of_workflow.all().len(), events);
    let of_b = ["stage.started", "task.queued", "task.started", "task.reported", "task.completed", "stage.completed"];
    assert_eq!(of_stage.names(), [of_b, of_b].concat());
    assert_eq!(of_all.names(), ["stage.started", "stage.completed"]);
}

#[test]
fn a_type_that_no_event_has_is_refused() {
    let refused = engine().subscribe("x", EventFilter::all().types(["task.complete"]), |_| ());
    assert!(matches!(refused.err(), Some(Error::UnknownEvent { name }) if name == "task.complete"));
}

/// A subscriber that is at work on its first event until it is let go, and tells when it has begun.
fn stuck(engine: &Engine) -> (Subscription, Receiver<()>, Sender<()>, Heard) {
    let ((begun, begins), (let_go, goes)) = (mpsc::channel(), mpsc::channel::<()>());
    let heard = Heard::default();
    let mut listen = heard.listen();
    let callback = move |event: &Envelope| {
        begun.send(()).ok();
        goes.recv().ok();
        listen(event);
    };
    (engine.subscribe("stuck", EventFilter::all(), callback).unwrap(), begins, let_go, heard)
}

#[test]
fn a_slow_subscriber_holds_up_nobody_and_hears_of_everything_later() {
    let engine = engine();
    let (slow, begins, let_go, heard) = stuck(&engine);
    let quick = Heard::default();
    engine.subscribe("quick", EventFilter::all(), quick.listen()).unwrap();
    run(&engine);
    begins.recv_timeout(PATIENCE).unwrap();
    for _ in 0..20 {
        run(&engine);
    }
    assert!(heard.all().is_empty() && slow.is_active());
    drop(let_go);
    engine.close().unwrap();
    assert!(heard.all() == quick.all() && heard.all().len() > 200);
    assert!(!slow.is_active());
}

#[test]
fn a_subscriber_that_panics_is_told_no_more_and_harms_nobody() {
    let engine = engine();
    let quick = Heard::default();
    let (told, hears) = mpsc::channel();
    let panics = move |event: &Envelope| {
        told.send(event.name()).unwrap();
        panic!("it cannot bear this");
    };
    let panics = engine.subscribe("panics", EventFilter::all(), panics).unwrap();
    engine.subscribe("quick", EventFilter::all(), quick.listen()).unwrap();
    run(&engine);
    assert_eq!(hears.recv_timeout(PATIENCE), Ok("definition.registered"));
    // The callback is gone, and with it the sending end.
    assert_eq!(hears.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
    run(&engine);
    assert_eq!(panics.name(), "panics");
    assert!(!panics.is_active());
    // Who ended is forgotten when the next one comes.
    engine.subscribe("third", EventFilter::all(), |_| ()).unwrap();
    assert_eq!(engine.subscribers(), 2);
    engine.close().unwrap();
    assert_eq!(quick.names().iter().filter(|name| **name == "workflow.completed").count(), 2);
}

#[test]
fn a_canceled_subscriber_is_told_nothing_more() {
    let engine = engine();
    let heard = Heard::default();
    let subscription = engine.subscribe("x", EventFilter::all(), heard.listen()).unwrap();
    run(&engine);
    subscription.cancel();
    subscription.cancel();
    let known = heard.all();
    run(&engine);
    engine.close().unwrap();
    assert_eq!(heard.all(), known);
    assert!(!subscription.is_active());
}

#[test]
fn a_callback_may_cancel_itself_and_close_the_engine() {
    let engine = engine();
    let own: Arc<Mutex<Option<Subscription>>> = Arc::default();
    let (mine, heard) = (Arc::clone(&own), Heard::default());
    let mut listen = heard.listen();
    let once = move |event: &Envelope| {
        listen(event);
        mine.lock().unwrap().as_ref().unwrap().cancel();
    };
    {
        // It is there before the first event is.
        let mut own = own.lock().unwrap();
        *own = Some(engine.subscribe("once", EventFilter::all(), once).unwrap());
    }
    let (closed, closes) = mpsc::channel();
    let closing = engine.clone();
    let close = move |_: &Envelope| {
        closing.close().ok();
        closed.send(()).ok();
    };
    engine.subscribe("closes", EventFilter::all().types(["workflow.completed"]), close).unwrap();
    let workflow = engine.submit(&two_stages(), Start::new()).unwrap();
    closes.recv_timeout(PATIENCE).unwrap();
    assert!(engine.submit(&two_stages(), Start::new()).is_err());
    assert!(engine.history().state(workflow, crate::replay::At::Latest).unwrap().status().is_complete());
    assert_eq!(heard.names(), ["definition.registered"]);
}

#[test]
fn a_manual_engine_tells_within_its_steps() {
    let engine = Engine::open(Config::manual(), Registry::with_builtins()).unwrap();
    let heard = Heard::default();
    let subscription = engine.subscribe("x", EventFilter::all(), heard.listen()).unwrap();
    let workflow = engine.submit(&two_stages(), Start::new()).unwrap();
    assert!(heard.all().is_empty());
    let now = engine.history().state(workflow, crate::replay::At::Latest).unwrap().created_at();
    while !engine.step(now).unwrap().is_idle() {}
    assert_eq!(heard.names().first(), Some(&"definition.registered"));
    assert_eq!(heard.names().last(), Some(&"workflow.completed"));
    let known = heard.all();
    subscription.cancel();
    engine.submit(&two_stages(), Start::new()).unwrap();
    while !engine.step(now).unwrap().is_idle() {}
    assert_eq!(heard.all(), known);
    let last = Heard::default();
    engine.subscribe("last", EventFilter::all(), last.listen()).unwrap();
    engine.submit(&two_stages(), Start::new()).unwrap();
    engine.close().unwrap();
    assert_eq!(last.names().first(), Some(&"workflow.created"));
}

#[test]
fn a_closed_engine_takes_no_subscriber() {
    let engine = engine();
    engine.close().unwrap();
    assert!(matches!(engine.subscribe("x", EventFilter::all(), |_| ()).err(), Some(Error::Closed)));
}
