//! What came of checking a definition, and the way to the worst that was found.

use crate::definition::{Definition, Soundness};
use crate::event::{CheckOutcome, CheckRecord, Event};
use crate::ids::WorkflowId;

use super::finding::Finding;

/// What came of checking a definition.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub(super) outcome: CheckOutcome,
    pub(super) policy: Soundness,
    pub(super) states: u64,
    pub(super) bound: u32,
    pub(super) findings: Vec<Finding>,
    pub(super) unforeseen: Vec<String>,
    pub(super) witness: Option<Witness>,
}

impl Verdict {
    /// The answer.
    pub fn outcome(&self) -> CheckOutcome {
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

    /// The stages with `jump_targets: any`, in definition order: the answer is about workflows in which no task of
    /// theirs jumps.
    pub fn unforeseen_jumps(&self) -> &[String] {
        &self.unforeseen
    }

    /// A shortest way to the first finding, where one leads there.
    pub fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }

    /// The same, as it is recorded with the definition.
    pub fn record(&self) -> CheckRecord {
        CheckRecord { policy: self.policy, outcome: self.outcome, states: self.states, bound: self.bound }
    }

    /// Does the policy of the definition refuse this?
    pub fn is_refused(&self) -> bool {
        match (self.policy, self.outcome) {
            (Soundness::Off, _) | (_, CheckOutcome::Sound) | (Soundness::Weak, CheckOutcome::Unknown) => false,
            (Soundness::Weak | Soundness::Strict, CheckOutcome::Unsound)
            | (Soundness::Strict, CheckOutcome::Unknown) => true,
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
