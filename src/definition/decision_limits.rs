//! The limits that deciding uses, as they are written into a definition when it is registered (R17): a workflow keeps
//! those it began with, so that every later binary decides the same.

use crate::limits;

/// The limits that deciding uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecisionLimits {
    /// See [`limits::TOKENS_MAX`].
    pub(crate) tokens_max: u64,
    /// See [`limits::PAYLOAD_BYTES_MAX`].
    pub(crate) payload_bytes_max: u64,
    /// See [`limits::CHUNK_EVENTS_MAX`].
    pub(crate) chunk_events_max: u64,
    /// See [`limits::CHUNK_BYTES_MAX`].
    pub(crate) chunk_bytes_max: u64,
    /// See [`limits::INSTANT_TURNS_MAX`].
    pub(crate) instant_turns_max: u64,
    /// See [`limits::WORKERS_LOST_MAX`].
    pub(crate) workers_lost_max: u64,
    /// See [`limits::COMMANDS_REMEMBERED`].
    pub(crate) commands_remembered: u64,
    /// See [`limits::EXPRESSION_FUEL`].
    pub(crate) expression_fuel: u64,
}

impl DecisionLimits {
    /// The limits of this binary.
    pub(crate) const CURRENT: DecisionLimits = DecisionLimits {
        tokens_max: limits::TOKENS_MAX as u64,
        payload_bytes_max: limits::PAYLOAD_BYTES_MAX as u64,
        chunk_events_max: limits::CHUNK_EVENTS_MAX as u64,
        chunk_bytes_max: limits::CHUNK_BYTES_MAX as u64,
        instant_turns_max: limits::INSTANT_TURNS_MAX as u64,
        workers_lost_max: limits::WORKERS_LOST_MAX as u64,
        commands_remembered: limits::COMMANDS_REMEMBERED as u64,
        expression_fuel: limits::EXPRESSION_FUEL,
    };

    /// The names under which they are written, with their values.
    pub(super) fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("tokens_max", self.tokens_max),
            ("payload_bytes_max", self.payload_bytes_max),
            ("chunk_events_max", self.chunk_events_max),
            ("chunk_bytes_max", self.chunk_bytes_max),
            ("instant_turns_max", self.instant_turns_max),
            ("workers_lost_max", self.workers_lost_max),
            ("commands_remembered", self.commands_remembered),
            ("expression_fuel", self.expression_fuel),
        ]
    }
}
