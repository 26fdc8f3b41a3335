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
pub struct Verified {
    batches: u64,
    divergences: Vec<Divergence>,
}

/// A batch that comes out otherwise than it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    sequence: Sequence,
    rules: u32,
    decided: Result<Option<Event>, Rejection>,
}

impl Verified {
    /// How many batches were decided again.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// Those that came out otherwise, in order.
    pub fn divergences(&self) -> &[Divergence] {
        &self.divergences
    }

    /// Whether a batch that was decided by the rules of this library comes out otherwise; under other rules it may.
    pub fn is_violated(&self) -> bool {
        self.divergences.iter().any(|divergence| divergence.rules == RULES)
    }
}

impl Divergence {
    /// The first event that differs; behind the batch, if more comes out than was recorded.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Number of the rules by which the batch was decided.
    pub fn rules(&self) -> u32 {
        self.rules
    }

    /// The event that comes out there now, if one does.
    pub fn event(&self) -> Option<&Event> {
        self.decided.as_ref().ok()?.as_ref()
    }

    /// Why the whole batch is refused now, if it is.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.decided.as_ref().err()
    }
}

impl History {
    /// Decides every batch of a workflow again. The recorded events stay what counts: after a difference, deciding goes
    /// on from the state they tell of.
    ///
    /// # Errors
    ///
    /// If events cannot be read or do not fit together.
    pub fn verify(&self, workflow: WorkflowId) -> Result<Verified, Error> {
        self.look()?;
        self.last(workflow)?;
        let mut verified = Verified::default();
        let mut states: Option<States> = None;
        let mut batch: Vec<Recorded> = Vec::new();
        for recorded in scan(self.store(), StreamId::workflow(workflow), Sequence::FIRST) {
            let recorded = recorded?;
            match &mut states {
                Some(states) if recorded.event.is_input() => states.decide_again(&mut batch, &mut verified)?,
                Some(_) => (),
                None => {
                    let state = self.definitions().begin(workflow, &recorded)?;
                    states = Some(States { recorded: state.clone(), decided: state });
                }
            }
            batch.push(recorded);
        }
        if let Some(states) = &mut states {
            states.decide_again(&mut batch, &mut verified)?;
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
    /// Takes a whole batch.
    fn decide_again(&mut self, batch: &mut Vec<Recorded>, verified: &mut Verified) -> Result<(), Error> {
        for recorded in batch.iter() {
            step(&mut self.recorded, recorded)?;
        }
        if let Some(divergence) = batch.first().and_then(|first| self.divergence(first, batch)) {
            self.decided = self.recorded.clone();
            verified.divergences.push(divergence);
        }
        verified.batches += 1;
        batch.clear();
        Ok(())
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
