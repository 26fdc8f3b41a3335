//! Why history could not be read back, and where.

use crate::definition::Problems;
use crate::ids::{DefinitionHash, Sequence, StreamId, WorkflowId};
use crate::machine::{Broken, EvolveError};
use crate::store;

/// Why history could not be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store gave nothing.
    #[error("the log could not be read")]
    Store(#[from] store::Error),
    /// A workflow names a definition that the log does not hold.
    #[error("definition {hash} is missing in the log")]
    DefinitionMissing {
        /// The definition.
        hash: DefinitionHash,
    },
    /// A stored definition cannot be read.
    #[error("definition {hash} cannot be read: {problems}")]
    DefinitionDamaged {
        /// The definition.
        hash: DefinitionHash,
        /// What is wrong with it.
        problems: String,
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
}

impl Error {
    /// Is recorded data damaged, so that the log, not the caller, is at fault?
    pub fn is_damage(&self) -> bool {
        match self {
            Error::Store(error) => error.is_damage(),
            Error::DefinitionMissing { .. }
            | Error::DefinitionDamaged { .. }
            | Error::NoBeginning { .. }
            | Error::Unfit { .. }
            | Error::Broken { .. } => true,
        }
    }
}
