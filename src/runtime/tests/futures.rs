//! Engines that are asked and waited for by futures, on one thread.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::ids::WorkflowId;
use crate::runtime::{Config, Engine, Error, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry};

use super::definition;

/// Tells which future can go on.
struct Ready {
    number: usize,
    told: mpsc::Sender<usize>,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.told.send(self.number).ok();
    }
}

/// Polls all futures on this thread, each when it was woken, until all have ended.
fn all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let (told, heard) = mpsc::channel();
    let mut running: Vec<_> = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    let wakers: Vec<Waker> =
        (0..running.len()).map(|number| Waker::from(Arc::new(Ready { number, told: told.clone() }))).collect();
    (0..running.len()).for_each(|number| told.send(number).unwrap());
    let mut ended: Vec<Option<T>> = running.iter().map(|_| None).collect();
    let mut left = running.len();
    while left > 0 {
        let number = heard.recv_timeout(Duration::from_secs(60)).expect("somebody is woken");
        let Some(future) = &mut running[number] else { continue };
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&wakers[number])) {
            (running[number], ended[number]) = (None, Some(value));
            left -= 1;
        }
    }
    ended.into_iter().flatten().collect()
}

fn one<T>(future: impl Future<Output = T>) -> T {
    all(vec![future]).remove(0)
}

#[test]
fn ten_thousand_wait_on_one_thread() {
    let engine = Engine::open(Config::memory().workers(1), Registry::with_builtins()).unwrap();
    let text = definition("name: x\nstages: { a: {} }");
    let workflows: Vec<WorkflowId> = all((0..10_000).map(|_| engine.submit_async(&text, Start::new())).collect())
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let views = all(workflows.iter().map(|workflow| engine.wait_async(*workflow)).collect());
    assert!(views.into_iter().all(|view| view.unwrap().status() == Status::Succeeded));
    // Many may wait for the same one, also for one that closed long ago.
    let views = all((0..100).map(|_| engine.wait_async(workflows[0])).collect());
    assert_eq!(views.len(), 100);
    assert!(matches!(one(engine.wait_async(WorkflowId::generate())), Err(Error::NotFound { .. })));
}

#[test]
fn a_future_that_is_dropped_leaves_nothing_behind_and_others_are_told() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("held", move |_| {
            gone.lock().unwrap().recv().ok();
            Ok(Outcome::success())
        })
        .unwrap();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    let text = definition("name: x\nstages: { a: { uses: held } }");
    let workflow = one(engine.submit_async(&text, Start::new())).unwrap();
    let mut stays = pin!(engine.wait_async(workflow));
    for _ in 0..3 {
        let mut dropped = Box::pin(engine.wait_async(workflow));
        let polled = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
    assert!(stays.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(engine.awaited(workflow), 1);
    go.send(()).unwrap();
    let view = one(stays).unwrap();
    assert_eq!((view.status(), engine.awaited(workflow)), (Status::Succeeded, 0));
}

#[test]
fn an_engine_that_closes_ends_those_who_wait() {
    let engine = Engine::open(Config::memory(), Registry::with_builtins()).unwrap();
    let text = definition("name: x\nstages: { a: { uses: wait, with: { duration: 1h } } }");
    let workflow = one(engine.submit_async(&text, Start::new())).unwrap();
    let mut waiting = Box::pin(engine.wait_async(workflow));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let late = engine.submit_async(&text, Start::new());
    drop(engine);
    assert!(matches!(one(waiting), Err(Error::Closed)));
    assert!(matches!(one(late), Err(Error::Closed)));
}
