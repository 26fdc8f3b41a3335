//! The threads of an engine: a loop, a wait and a call each. The parts they call know no thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::control::{Listener, Staying};
use super::shared::Shared;
use super::worklist::Pulled;

/// The threads of a running engine.
pub(super) struct Threads {
    workers: Vec<JoinHandle<()>>,
    owner: Option<JoinHandle<()>>,
    committer: Option<JoinHandle<()>>,
    upkeep: Option<JoinHandle<()>>,
    control: Option<Listener>,
}

/// A thread that is waited for at some time.
pub(super) type Thread = JoinHandle<()>;

/// Starts owner, committer, upkeep and workers.
///
/// # Errors
///
/// If the system gives no thread.
pub(super) fn start(shared: &Arc<Shared>, n_workers: usize) -> io::Result<Threads> {
    let mut threads = Threads { workers: Vec::new(), owner: None, committer: None, upkeep: None, control: None };
    let upkeep = Arc::clone(shared);
    threads.upkeep = Some(spawn("stabilize-upkeep", move || upkeep.upkeep.run())?);
    let committer = Arc::clone(shared);
    threads.committer = Some(spawn("stabilize-committer", move || guarded(&committer, Shared::run_committer))?);
    let owner = Arc::clone(shared);
    threads.owner = Some(spawn("stabilize-owner", move || guarded(&owner, Shared::run_owner))?);
    for number in 1..=n_workers {
        let worker = Arc::clone(shared);
        threads.workers.push(spawn(&format!("stabilize-worker-{number}"), move || work(&worker))?);
    }
    Ok(threads)
}

/// Starts a thread.
///
/// # Errors
///
/// If the system gives none.
pub(super) fn spawn(name: &str, life: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(life)
}

/// Waits until this thread has ended, unless it is the one that asks.
pub(super) fn join_unless_own(thread: Thread) {
    if thread.thread().id() != std::thread::current().id() {
        thread.join().ok();
    }
}

/// A panic of owner or committer stops the engine and nothing else.
fn guarded(shared: &Shared, life: impl FnOnce(&Shared)) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| life(shared))) {
        shared.poison_by_panic(&*panic);
    }
}

fn work(shared: &Shared) {
    while let Pulled::Attempt(item, cancel) = shared.worklist.pull(&*shared.clock) {
        let key = (item.workflow, item.attempt);
        // Tasks are guarded already: what panics here is the engine's own.
        let ran = catch_unwind(AssertUnwindSafe(|| shared.run_attempt(*item, cancel)));
        if ran.is_err() {
            shared.poison("a worker of the engine panicked");
        }
        shared.leave(key.0, key.1);
    }
}

impl Threads {
    /// The thread that lets other processes in; it has threads of its own for those it serves.
    pub(super) fn listen(&mut self, listener: Listener) {
        self.control = Some(listener);
    }

    /// Waits until what other processes have asked is answered; nobody is let in any more.
    pub(super) fn join_control(&mut self) -> Option<Staying> {
        self.control.take().map(Listener::close)
    }

    /// Waits until the workers have ended; they do once the worklist is closed.
    pub(super) fn join_workers(&mut self) {
        for worker in self.workers.drain(..) {
            worker.join().ok();
        }
    }

    /// Waits until the owner has ended; it does once the inbox is shut.
    pub(super) fn join_owner(&mut self) {
        if let Some(owner) = self.owner.take() {
            owner.join().ok();
        }
    }

    /// Waits until the committer has ended; it does once the slot is finished.
    pub(super) fn join_committer(&mut self) {
        if let Some(committer) = self.committer.take() {
            committer.join().ok();
        }
    }

    /// Waits until the upkeep has ended; it does once it is told.
    pub(super) fn join_upkeep(&mut self) {
        if let Some(upkeep) = self.upkeep.take() {
            upkeep.join().ok();
        }
    }
}
