//! Why history could not be read back, and where.

use crate::definition::NormalFormError;
use crate::failure::Failure;
use crate::ids::{DefinitionHash, Sequence, StreamId, WorkflowId};
use crate::machine::{Broken, EvolveError};
use crate::status::InvalidTransition;
use crate::store;
use crate::time::Timestamp;
use crate::value::ValueError;

/// Why history could not be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store gave nothing.
    #[error("could not read the log")]
    Store {
        /// What it said.
        #[source]
        source: store::Error,
    },
    /// There is no such workflow in the log.
    #[error("there is no workflow {workflow} in the log")]
    NotFound {
        /// The workflow.
        workflow: WorkflowId,
    },
    /// No workflow is meant by a text.
    #[error("no workflow is meant by {text:?}; write its id, 6 or more of its first or last characters, or `last`")]
    NoMatch {
        /// What was written.
        text: String,
    },
    /// Several workflows may be meant by a text.
    #[error("{text:?} may mean {}", listed(candidates))]
    Ambiguous {
        /// What was written.
        text: String,
        /// Which may be meant, newest first.
        candidates: Vec<WorkflowId>,
    },
    /// A text that should have been a place in the history of a workflow and is not one.
    #[error(
        "{text:?} is no place in a history; write the number of an event, from 1, or a moment like 2026-05-01T12:00:00Z"
    )]
    NoPlace {
        /// What was written.
        text: String,
    },
    /// The workflow has fewer events.
    #[error("workflow {workflow} has {last} events so far, not {sequence}")]
    NotReached {
        /// The workflow.
        workflow: WorkflowId,
        /// The event that was asked for.
        sequence: Sequence,
        /// Its last one.
        last: Sequence,
    },
    /// The workflow began later.
    #[error("workflow {workflow} was created at {created}, after {at}")]
    NotCreated {
        /// The workflow.
        workflow: WorkflowId,
        /// The moment that was asked for.
        at: Timestamp,
        /// When it was created.
        created: Timestamp,
    },
    /// A workflow names a definition that the log does not hold.
    #[error("definition {hash} is missing in the log")]
    DefinitionMissing {
        /// The definition.
        hash: DefinitionHash,
    },
    /// A stored definition is not what its hash says.
    #[error("the log holds definition {found} in the place of {hash}")]
    DefinitionExchanged {
        /// The definition.
        hash: DefinitionHash,
        /// What stands in its place.
        found: DefinitionHash,
    },
    /// A stored definition cannot be read.
    #[error("could not read definition {hash}")]
    DefinitionDamaged {
        /// The definition.
        hash: DefinitionHash,
        /// What is wrong with it.
        #[source]
        source: DefinitionError,
    },
    /// A stream does not begin with the event that it must begin with.
    #[error("stream {stream} does not begin with {expected}")]
    NoBeginning {
        /// The stream.
        stream: StreamId,
        /// The event it must begin with.
        expected: &'static str,
    },
    /// An event cannot have happened where it stands.
    #[error("event {sequence} of workflow {workflow} does not fit")]
    Unfit {
        /// The workflow.
        workflow: WorkflowId,
        /// The event.
        sequence: Sequence,
        /// What does not fit.
        #[source]
        source: EvolveError,
    },
    /// An event changes a status in a way that is not legal.
    #[error("event {sequence} of workflow {workflow} does not fit")]
    Transition {
        /// The workflow.
        workflow: WorkflowId,
        /// The event.
        sequence: Sequence,
        /// What does not fit.
        #[source]
        source: InvalidTransition,
    },
    /// Data in an event cannot be read.
    #[error("could not read the data in event {sequence} of workflow {workflow}")]
    Data {
        /// The workflow.
        workflow: WorkflowId,
        /// The event.
        sequence: Sequence,
        /// What is wrong with it.
        #[source]
        source: ValueError,
    },
    /// The outputs of a workflow cannot be computed from its events.
    #[error("could not compute the outputs of workflow {workflow}: {failure}")]
    Outputs {
        /// The workflow.
        workflow: WorkflowId,
        /// Why not.
        failure: Failure,
    },
    /// An invariant does not hold after an event.
    #[error("after event {sequence} of workflow {workflow} the state is broken")]
    Broken {
        /// The workflow.
        workflow: WorkflowId,
        /// The event.
        sequence: Sequence,
        /// What does not hold.
        #[source]
        source: Broken,
    },
    /// The state that the machine folds differs from what people are shown.
    #[error("after event {sequence} of workflow {workflow}, {what} is {folded} in the state and {shown} in the view")]
    Differs {
        /// The workflow.
        workflow: WorkflowId,
        /// The event.
        sequence: Sequence,
        /// What differs: `status`, `stage build: outputs`.
        what: String,
        /// What the state says.
        folded: String,
        /// What the view says.
        shown: String,
    },
}

/// What is wrong with the stored form of a definition.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DefinitionError(NormalFormError);

impl DefinitionError {
    pub(super) fn new(error: NormalFormError) -> DefinitionError {
        DefinitionError(error)
    }
}

impl From<store::Error> for Error {
    fn from(source: store::Error) -> Error {
        Error::Store { source }
    }
}

impl Error {
    /// Whether what was asked for is not there: no such workflow, or none yet at that moment.
    pub fn is_not_found(&self) -> bool {
        match self {
            Error::NotFound { .. } | Error::NoMatch { .. } | Error::NotReached { .. } | Error::NotCreated { .. } => {
                true
            }
            Error::Store { source } => source.is_missing(),
            Error::Ambiguous { .. }
            | Error::NoPlace { .. }
            | Error::DefinitionMissing { .. }
            | Error::DefinitionExchanged { .. }
            | Error::DefinitionDamaged { .. }
            | Error::NoBeginning { .. }
            | Error::Unfit { .. }
            | Error::Transition { .. }
            | Error::Data { .. }
            | Error::Outputs { .. }
            | Error::Broken { .. }
            | Error::Differs { .. } => false,
        }
    }

    /// Whether recorded data is damaged, so that the log, not the caller, is at fault.
    pub fn is_damage(&self) -> bool {
        match self {
            Error::Store { source } => source.is_damage(),
            Error::NotFound { .. }
            | Error::NoMatch { .. }
            | Error::Ambiguous { .. }
            | Error::NoPlace { .. }
            | Error::NotReached { .. }
            | Error::NotCreated { .. } => false,
            Error::DefinitionMissing { .. }
            | Error::DefinitionExchanged { .. }
            | Error::DefinitionDamaged { .. }
            | Error::NoBeginning { .. }
            | Error::Unfit { .. }
            | Error::Transition { .. }
            | Error::Data { .. }
            | Error::Outputs { .. }
            | Error::Broken { .. }
            | Error::Differs { .. } => true,
        }
    }
}

/// Candidates shown in a message at most.
const CANDIDATES_SHOWN: usize = 5;

fn listed(candidates: &[WorkflowId]) -> String {
    let mut text: Vec<String> = candidates.iter().take(CANDIDATES_SHOWN).map(WorkflowId::to_string).collect();
    if let Some(more) = candidates.len().checked_sub(CANDIDATES_SHOWN).filter(|more| *more > 0) {
        text.push(format!("{more} more"));
    }
    text.join(", ")
}
