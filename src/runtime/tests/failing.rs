//! A store whose writes fail: nothing that is not durable is ever told, and nobody waits for ever.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};
use crate::replay::At;
use crate::runtime::{Config, Engine, Error, Start};
use crate::store::{self, Append, Appended, EventStore, MemoryStore, StoreWriter};
use crate::task::{Outcome, Registry};

use super::definition;

/// What somebody looks at just before a sync.
type Look = Arc<dyn Fn() + Send + Sync>;

/// A store in memory whose syncs fail once `left` are used up.
struct Failing {
    inner: MemoryStore,
    left: Arc<AtomicU32>,
    look: Arc<OnceLock<Look>>,
}

struct FailingWriter {
    inner: Box<dyn StoreWriter>,
    left: Arc<AtomicU32>,
    look: Arc<OnceLock<Look>>,
}

fn broken() -> store::Error {
    store::Error::Backend { operation: "sync", source: "the disk is on fire".into() }
}

impl EventStore for Failing {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, store::Error> {
        let (left, look) = (Arc::clone(&self.left), Arc::clone(&self.look));
        Ok(Box::new(FailingWriter { inner: self.inner.writer()?, left, look }))
    }

    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, store::Error> {
        self.inner.read(stream, from, limit)
    }

    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, store::Error> {
        self.inner.read_all(from, limit)
    }

    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, store::Error> {
        self.inner.last(stream)
    }

    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, store::Error> {
        self.inner.streams()
    }

    fn durable(&self) -> Position {
        self.inner.durable()
    }

    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, store::Error> {
        self.inner.wait_durable(position, timeout)
    }
}

impl StoreWriter for FailingWriter {
    fn write(&mut self, appends: Vec<Append>) -> Result<Vec<Appended>, store::Error> {
        self.inner.write(appends)
    }

    fn sync(&mut self) -> Result<Position, store::Error> {
        let used = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        used.map_err(|_| broken())?;
        if let Some(look) = self.look.get() {
            look();
        }
        self.inner.sync()
    }

    fn idle(&mut self) -> Result<(), store::Error> {
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), store::Error> {
        Ok(())
    }
}

/// An engine whose log takes this many syncs.
fn engine(syncs: u32) -> Engine {
    let store = Failing { inner: MemoryStore::new(), left: Arc::new(AtomicU32::new(syncs)), look: Arc::default() };
    let root = std::env::temp_dir().join("stabilize-failing");
    Engine::open(Config::over(Arc::new(store), root), Registry::with_builtins()).unwrap()
}

#[test]
fn test_31_a_caller_whose_write_fails_is_in_doubt_and_later_ones_learn_the_cause() {
    let engine = engine(0);
    let x = definition("name: x\nstages: { a: {} }");
    assert!(matches!(engine.submit(&x, Start::new()), Err(Error::InDoubt { cause }) if cause.contains("on fire")));
    assert!(matches!(engine.submit(&x, Start::new()), Err(Error::Poisoned { cause }) if cause.contains("on fire")));
    assert!(engine.close().is_err());
}

#[test]
fn whoever_waits_for_a_workflow_is_told_that_the_engine_has_stopped() {
    for syncs in 1..4 {
        let engine = engine(syncs);
        let x = definition("name: x\nstages:\n  a: {}\n  b: { needs: [a] }\n  c: { needs: [b] }\n");
        let Ok(workflow) = engine.submit(&x, Start::new()) else { continue };
        let told = engine.wait(workflow, Duration::from_secs(60));
        assert!(matches!(told, Err(Error::Poisoned { .. })), "{syncs}");
        // What is durable can still be read.
        assert!(engine.history().state(workflow, At::Latest).is_ok());
    }
}

#[test]
fn many_callers_at_once_all_get_an_answer_when_the_disk_fails() {
    let engine = engine(5);
    let x = definition("name: x\nstages: { a: {} }");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Ok(workflow) = engine.submit(&x, Start::new()) {
                    if engine.wait(workflow, Duration::from_secs(60)).is_err() {
                        break;
                    }
                }
            });
        }
    });
    assert!(engine.close().is_err());
}

/// Test 37: queries never show state ahead of durable. Test 38: dispatch never precedes durable.
#[test]
fn test_37_and_38_nothing_is_shown_and_nothing_runs_before_its_batch_is_durable() {
    let look = Arc::new(OnceLock::new());
    let store =
        Failing { inner: MemoryStore::new(), left: Arc::new(AtomicU32::new(u32::MAX)), look: Arc::clone(&look) };
    let ran = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ran);
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("seen", move |task| {
            seen.lock().unwrap().push(task.stage().to_owned());
            Ok(Outcome::success())
        })
        .unwrap();
    let root = std::env::temp_dir().join("stabilize-looking");
    let engine = Engine::open(Config::over(Arc::new(store), root).workers(1), tasks).unwrap();
    let (history, ran) = (engine.history(), Arc::clone(&ran));
    let looks = Arc::new(AtomicU32::new(0));
    let looked = Arc::clone(&looks);
    let look_now: Look = Arc::new(move || {
        looked.fetch_add(1, Ordering::Relaxed);
        // Whatever has run was queued by an event that everybody can read by now.
        let durable: Vec<String> = history
            .all(Position::FIRST)
            .map(Result::unwrap)
            .filter(|event| event.name() == "task.queued")
            .filter_map(|event| event.stage().map(str::to_owned))
            .collect();
        assert!(ran.lock().unwrap().iter().all(|stage| durable.contains(stage)), "{durable:?}");
        // And whatever is shown lies before what is durable.
        let durable = history.durable().unwrap();
        assert!(history.all(Position::FIRST).map(Result::unwrap).all(|event| event.position() < durable));
    });
    assert!(look.set(look_now).is_ok());
    let x = definition(
        "name: x\nstages:\n  a: { uses: seen }\n  b: { needs: [a], uses: seen }\n  c: { needs: [b], uses: seen }\n",
    );
    for _ in 0..20 {
        let workflow = engine.submit(&x, Start::new()).unwrap();
        let view = engine.wait(workflow, Duration::from_secs(60)).unwrap();
        assert_eq!(engine.history().state(workflow, At::Latest).unwrap(), view);
    }
    engine.close().unwrap();
    assert!(looks.load(Ordering::Relaxed) >= 40);
}
