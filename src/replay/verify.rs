//! Deciding every batch of a workflow again, and comparing what comes out with what was recorded (R6, R18).

use crate::event::{Event, Recorded};
use crate::ids::{Sequence, StreamId, WorkflowId};
use crate::machine::{Answers, Command, RULES, Rejection, State, decide};
use crate::store::{Encoded, scan};

use super::error::Error;
use super::fold::step;
use super::history::History;

/// What deciding a workflow again gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verified {
    /// Batches that were decided again.
    pub(crate) batches: u64,
    /// Those that came out otherwise.
    pub(crate) divergences: Vec<Divergence>,
}

/// A batch that comes out otherwise than it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Divergence {
    /// The first event that differs; behind the batch, if more comes out than was recorded.
    pub(crate) sequence: Sequence,
    /// The rules it was decided by; a difference under the rules of this library is the grave kind.
    pub(crate) rules: u32,
    /// What comes out there now.
    pub(crate) decided: Result<Option<Event>, Rejection>,
}

impl Verified {
    /// Whether a batch that was decided by the rules of this library comes out otherwise.
    pub(crate) fn is_violated(&self) -> bool {
        self.divergences.iter().any(|divergence| divergence.rules == RULES)
    }
}

impl History {
    /// Decides every batch of a workflow again. The recorded events stay what counts: after a difference, deciding goes
    /// on from the state they tell of.
    ///
    /// # Errors
    ///
    /// If events cannot be read or do not fit together.
    pub(crate) fn verify(&self, workflow: WorkflowId) -> Result<Verified, Error> {
        self.look()?;
        self.last(workflow)?;
        let mut verified = Verified::default();
        let mut states: Option<States> = None;
        let mut batch: Vec<Recorded> = Vec::new();
        for recorded in scan(self.store(), StreamId::workflow(workflow), Sequence::FIRST) {
            let recorded = recorded?;
            if recorded.event.is_input() && !batch.is_empty() {
                let states = states.as_mut().expect("a batch has a first event");
                verified.divergences.extend(states.decide_again(&batch)?);
                verified.batches += 1;
                batch.clear();
            }
            if states.is_none() {
                let state = self.definitions().begin(workflow, &recorded)?;
                states = Some(States { recorded: state.clone(), decided: state });
            }
            batch.push(recorded);
        }
        if let Some(states) = &mut states {
            verified.divergences.extend(states.decide_again(&batch)?);
            verified.batches += 1;
        }
        Ok(verified)
    }
}

/// The same state twice: one moves by what was recorded, the other by deciding again.
struct States {
    recorded: State,
    decided: State,
}

impl States {
    fn decide_again(&mut self, batch: &[Recorded]) -> Result<Option<Divergence>, Error> {
        for recorded in batch {
            step(&mut self.recorded, recorded)?;
        }
        let Some(first) = batch.first() else { return Ok(None) };
        let divergence = self.divergence(first, batch);
        if divergence.is_some() {
            self.decided = self.recorded.clone();
        }
        Ok(divergence)
    }

    fn divergence(&mut self, first: &Recorded, batch: &[Recorded]) -> Option<Divergence> {
        let rules = first.event.stamp().map_or(RULES, |stamp| stamp.rules);
        let diverges = |sequence, decided| Some(Divergence { sequence, rules, decided });
        // Only an input begins a batch, so there is a command; a first event that is none was refused by the fold.
        let command = Command::from_input(&first.event)?;
        let decided = match decide(&mut self.decided, &command, &mut Answers::computed()) {
            Ok(decided) => decided.into_events(),
            Err(rejection) => return diverges(first.sequence, Err(rejection)),
        };
        for (recorded, decided) in batch.iter().zip(&decided) {
            if Encoded::of(&recorded.event) != Encoded::of(decided) && !is_restamped(&recorded.event, decided) {
                return diverges(recorded.sequence, Ok(Some(decided.clone())));
            }
        }
        let behind = first.sequence.plus(batch.len().min(decided.len()) as u64);
        match decided.get(batch.len()) {
            Some(more) => diverges(behind, Ok(Some(more.clone()))),
            None if decided.len() < batch.len() => diverges(behind, Ok(None)),
            None => None,
        }
    }
}

/// Whether the two are one input but for the number of the rules.
fn is_restamped(recorded: &Event, decided: &Event) -> bool {
    recorded.is_input() && Command::from_input(recorded) == Command::from_input(decided)
}
