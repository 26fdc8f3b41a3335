//! The engine for callers that have an executor: the same questions, answered by futures. They run on any executor, and
//! nothing here brings one.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use crate::definition::Definition;
use crate::ids::WorkflowId;
use crate::replay::{At, WorkflowView};

use super::closings::Known;
use super::config::Threads as Mover;
use super::engine::{Engine, Leave};
use super::error::Error;
use super::inbox::{Entry, Offered, Reply};
use super::promise::promise;
use super::shared::Shared;
use super::start::Start;

impl Engine {
    /// Begins a workflow, as [`Engine::submit`] does, without a thread that waits. Nothing happens before the future is
    /// polled; dropped later, it leaves open whether the workflow begins.
    ///
    /// # Errors
    ///
    /// As [`Engine::submit`].
    pub fn submit_async(
        &self,
        definition: &Definition,
        start: Start,
    ) -> impl Future<Output = Result<WorkflowId, Error>> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        let definition = definition.clone();
        async move {
            let workflow = start.id.unwrap_or_else(|| WorkflowId::generate_at(shared.clock.now()));
            let entry = shared.beginning(&definition, start, workflow)?;
            shared.call_later(entry).await.map(|_| workflow)
        }
    }

    /// Waits until the workflow has closed, as [`Engine::wait`] does, without a thread that waits, on any executor. It
    /// does not keep the engine open: when that closes, the future ends with an error.
    ///
    /// # Errors
    ///
    /// If there is no such workflow, or the engine has stopped.
    pub fn wait_async(&self, workflow: WorkflowId) -> impl Future<Output = Result<WorkflowView, Error>> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        async move {
            let leave = Leave { shared: &shared, workflow };
            let (waiting, known) = shared.closings.wait_for(workflow);
            if known == Known::Nothing && shared.is_over(workflow)? {
                drop((waiting, leave));
                return Ok(shared.history.state(workflow, At::Latest)?);
            }
            match waiting.await {
                None => Err(shared.stopped()),
                Some(()) => Ok(shared.history.state(workflow, At::Latest)?),
            }
        }
    }
}

impl Shared {
    /// Sends a caller's command as [`Shared::call`] does, without a thread that waits.
    async fn call_later(self: Arc<Shared>, mut entry: Entry) -> Reply {
        self.check_poison()?;
        let (given, awaited) = promise();
        entry.answer = Some(given);
        let mut waiting = Some(Box::new(entry));
        let put = poll_fn(|context| {
            let Some(entry) = waiting.take() else { return Poll::Ready(Ok(())) };
            match self.inbox.offer(entry, context.waker()) {
                Offered::Put => Poll::Ready(Ok(())),
                Offered::Closed => Poll::Ready(Err(Error::Closed)),
                Offered::Full(entry) => {
                    waiting = Some(entry);
                    Poll::Pending
                }
            }
        });
        put.await?;
        if self.mover == Mover::Caller {
            self.turn(self.clock.now())?;
        }
        awaited.await.unwrap_or_else(|| Err(self.unanswered()))
    }
}
