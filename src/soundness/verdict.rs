//! What came of checking a definition, and the way to the worst that was found.

use crate::definition::{Definition, Soundness};
use crate::event::Event;
use crate::ids::WorkflowId;

use super::finding::Finding;

/// The answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every course can end, with nothing left behind.
    Sound,
    /// Some course cannot, or does not end as it should.
    Unsound,
    /// Nothing wrong was found, and not everything was looked at.
    Unknown,
}

impl Outcome {
    /// The word for it: `SOUND`, `UNSOUND`, `UNKNOWN`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Sound => "SOUND",
            Outcome::Unsound => "UNSOUND",
            Outcome::Unknown => "UNKNOWN",
        }
    }
}

/// What came of checking a definition.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) policy: Soundness,
    pub(super) states: u64,
    pub(super) bound: u32,
    pub(super) findings: Vec<Finding>,
    pub(super) witness: Option<Witness>,
}

impl Verdict {
    /// The answer.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What the definition asks for: how strictly the answer is taken.
    pub fn policy(&self) -> Soundness {
        self.policy
    }

    /// How many states were looked at.
    pub fn states(&self) -> u64 {
        self.states
    }

    /// How many tokens on an arc, or activations of a stage at a time, were told apart.
    pub fn bound(&self) -> u32 {
        self.bound
    }

    /// What is wrong, or doubtful; the shortest way first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// A shortest way to the first finding, where one leads there.
    pub fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }

    /// Does the policy of the definition refuse this? Beginning a workflow does not ask for it; `check` does.
    pub fn is_refused(&self) -> bool {
        match (self.policy, self.outcome) {
            (Soundness::Off, _) | (_, Outcome::Sound) | (Soundness::Weak, Outcome::Unknown) => false,
            (Soundness::Weak | Soundness::Strict, Outcome::Unsound) | (Soundness::Strict, Outcome::Unknown) => true,
        }
    }
}

/// A course of a workflow, from its beginning to where a flaw shows. It follows the definition that was explored: the
/// one that was checked, without its data.
#[derive(Clone, Debug)]
pub struct Witness {
    pub(super) definition: Definition,
    pub(super) workflow: WorkflowId,
    pub(super) batches: Vec<Vec<Event>>,
}

impl Witness {
    /// What the workflow follows.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The workflow.
    pub fn workflow(&self) -> WorkflowId {
        self.workflow
    }

    /// What happened, batch by batch.
    pub fn batches(&self) -> &[Vec<Event>] {
        &self.batches
    }
}
