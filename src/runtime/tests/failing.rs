//! A store whose writes fail: nothing that is not durable is ever told, and nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};
use crate::runtime::{Config, Engine, Error, Start};
use crate::store::{self, Append, Appended, EventStore, MemoryStore, StoreWriter};
use crate::task::Registry;

use super::definition;

/// A store in memory whose syncs fail once `left` are used up.
struct Failing {
    inner: MemoryStore,
    left: Arc<AtomicU32>,
}

struct FailingWriter {
    inner: Box<dyn StoreWriter>,
    left: Arc<AtomicU32>,
}

fn broken() -> store::Error {
    store::Error::Backend { operation: "sync", source: "the disk is on fire".into() }
}

impl EventStore for Failing {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, store::Error> {
        Ok(Box::new(FailingWriter { inner: self.inner.writer()?, left: Arc::clone(&self.left) }))
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
    let store = Failing { inner: MemoryStore::new(), left: Arc::new(AtomicU32::new(syncs)) };
    let root = std::env::temp_dir().join("stabilize-failing");
    Engine::open(Config::over(Arc::new(store), root), Registry::with_builtins()).unwrap()
}

#[test]
fn a_caller_whose_write_fails_is_in_doubt_and_later_ones_learn_the_cause() {
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
        assert!(engine.history().state(workflow, crate::replay::At::Latest).is_ok());
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
