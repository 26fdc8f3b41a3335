//! Randomness from the system, for ids and salts; only user of `getrandom`.

use crate::ids::{CommandId, WorkflowId};
use crate::runtime::clock::{Clock, SystemClock};
use crate::time::Timestamp;

/// Bytes nobody can guess.
///
/// # Panics
///
/// If the system gives none: ids that repeat would mix up workflows, so the engine rather stops.
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// The 80 bits of an id that tell it from others of its moment.
fn distinct() -> u128 {
    u128::from_le_bytes(bytes::<16>()) >> 48
}

impl WorkflowId {
    /// A new id, of this moment by the system's clock.
    pub fn generate() -> WorkflowId {
        WorkflowId::from_parts(SystemClock.now(), distinct())
    }

    pub(super) fn generate_at(now: Timestamp) -> WorkflowId {
        WorkflowId::from_parts(now, distinct())
    }
}

impl CommandId {
    /// A new id, of this moment by the system's clock.
    pub fn generate() -> CommandId {
        CommandId::from_parts(SystemClock.now(), distinct())
    }

    pub(super) fn generate_at(now: Timestamp) -> CommandId {
        CommandId::from_parts(now, distinct())
    }
}
