//! Replaying a workflow from its first event: every invariant at every step, and two folds held against each other.

use crate::event::Envelope;
use crate::ids::{Sequence, StageIndex, StreamId, WorkflowId};
use crate::machine::State;
use crate::value::Value;

use super::digest::Digest;
use super::envelopes::Envelopes;
use super::error::Error;
use super::fold::step;
use super::history::History;
use super::view::{ViewFold, WorkflowView};

/// What replaying a workflow gave.
#[derive(Clone, Debug)]
pub struct Replayed {
    view: WorkflowView,
    digest: Digest,
    events: u64,
    batches: u64,
}

impl Replayed {
    /// The workflow after the last event that was replayed.
    pub fn view(&self) -> &WorkflowView {
        &self.view
    }

    /// The digest of the machine's whole state.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many events were replayed.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many batches they stood in.
    pub fn batches(&self) -> u64 {
        self.batches
    }
}

impl History {
    /// Folds a workflow from its first event, to `until` if it is given, and tells every event once it is folded.
    ///
    /// After every batch the invariants of the state are checked, and in the end what the state knows of workflow and
    /// stages is compared with what [`History::state`] shows.
    ///
    /// # Errors
    ///
    /// The first event that cannot be read or does not fit, the first invariant that does not hold, the first
    /// difference.
    pub fn replay(
        &self,
        workflow: WorkflowId,
        until: Option<Sequence>,
        mut on_event: impl FnMut(&Envelope),
    ) -> Result<Replayed, Error> {
        self.look()?;
        let last = self.last(workflow)?;
        if let Some(sequence) = until.filter(|until| last < *until) {
            return Err(Error::NotReached { workflow, sequence, last });
        }
        let stream = StreamId::workflow(workflow);
        let mut folded: Option<(State, ViewFold)> = None;
        let mut batches = 0;
        let mut is_cut = false;
        for envelope in Envelopes::in_stream(self.definitions().clone(), stream, Sequence::FIRST, None) {
            let envelope = envelope?;
            let recorded = envelope.recorded();
            let begins_batch = recorded.event.is_input();
            if until.is_some_and(|until| until < recorded.sequence) {
                is_cut = !begins_batch;
                break;
            }
            let (state, view) = match &mut folded {
                Some((state, view)) => {
                    if begins_batch {
                        check(state, view)?;
                    }
                    (state, view)
                }
                None => {
                    let (state, view) = folded.insert(self.begin(workflow, recorded)?);
                    (state, view)
                }
            };
            batches += u64::from(begins_batch);
            step(state, recorded)?;
            view.apply(recorded)?;
            on_event(&envelope);
        }
        let Some((state, view)) = folded else { return Err(Error::NotFound { workflow }) };
        let sequence = state.sequence().unwrap_or(Sequence::FIRST);
        let shown = view.view(&state)?;
        // Within a batch the invariants need not hold.
        if !is_cut {
            check(&state, &view)?;
            compare(&state, &shown)?;
        }
        Ok(Replayed { view: shown, digest: Digest::of(&state), events: sequence.get(), batches })
    }
}

/// What is true between two batches.
fn check(state: &State, view: &ViewFold) -> Result<(), Error> {
    let (workflow, sequence) = (state.workflow(), state.sequence().unwrap_or(Sequence::FIRST));
    state.check().map_err(|source| Error::Broken { workflow, sequence, source })?;
    equal(state, || "status".to_owned(), state.status(), view.status())
}

/// Holds the state against the view.
fn compare(state: &State, view: &WorkflowView) -> Result<(), Error> {
    let workflow = state.workflow();
    let newest = state.newest().map_err(|failure| Error::Outputs { workflow, failure })?;
    for (stage, index) in view.stages().iter().zip((0..).map(StageIndex::new)) {
        let named = |what: &str| format!("stage {}: {what}", stage.ref_id());
        let Some(newest) = newest.get(&index) else {
            equal(state, || named("activations"), 0, stage.activations())?;
            continue;
        };
        equal(state, || named("activations"), newest.number, stage.activations())?;
        if let Some((status, outputs)) = &newest.known {
            equal(state, || named("status"), *status, stage.status())?;
            equal(state, || named("outputs"), &Value::Map(outputs.clone()), stage.outputs())?;
        }
    }
    Ok(())
}

fn equal<T: PartialEq + std::fmt::Display>(
    state: &State,
    what: impl FnOnce() -> String,
    folded: T,
    shown: T,
) -> Result<(), Error> {
    if folded == shown {
        return Ok(());
    }
    let (workflow, sequence) = (state.workflow(), state.sequence().unwrap_or(Sequence::FIRST));
    Err(Error::Differs { workflow, sequence, what: what(), folded: folded.to_string(), shown: shown.to_string() })
}
