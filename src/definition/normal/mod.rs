//! The one form a definition is stored, hashed and replayed in (R17): stages in a list, every default and every limit
//! that deciding uses written out, canonical JSON. Two documents that mean the same have the same one.
//!
//! It is written and read here only, apart from the language people write: what the log holds is read back by every
//! later binary, also when the language has become stricter.

mod cancellation;
mod exclusion;
mod generations;
mod instances;
mod milestone;
mod read;
mod write;

use super::phase::StagePhase;

/// The keys under which the stages stand that a stage has beside its own work.
const PHASES: [(&str, StagePhase); 4] = [
    ("before", StagePhase::Before),
    ("after", StagePhase::After),
    ("when_failed", StagePhase::OnFailure),
    ("compensate", StagePhase::Compensate),
];

pub(super) use read::read;
pub(super) use write::write;
