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
    /// Those of signals.
    pub(crate) signals: SignalLimits,
}

/// The limits of signals. They came later than the others: only what is not as usual is written, and a definition from
/// before them means what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignalLimits {
    /// See [`limits::SIGNALS_BUFFERED_MAX`].
    pub(crate) buffered_max: u64,
    /// See [`limits::SIGNALS_BUFFERED_BYTES_MAX`].
    pub(crate) buffered_bytes_max: u64,
    /// See [`limits::SIGNALS_REMEMBERED`].
    pub(crate) remembered: u64,
}

impl SignalLimits {
    /// What holds where nothing is written. Never changes: that would change what running workflows decide.
    pub(crate) const USUAL: SignalLimits =
        SignalLimits { buffered_max: 4_096, buffered_bytes_max: 16 * 1024 * 1024, remembered: 1_024 };

    /// The limits of this binary.
    const CURRENT: SignalLimits = SignalLimits {
        buffered_max: limits::SIGNALS_BUFFERED_MAX as u64,
        buffered_bytes_max: limits::SIGNALS_BUFFERED_BYTES_MAX as u64,
        remembered: limits::SIGNALS_REMEMBERED as u64,
    };

    /// The names under which they are written.
    pub(crate) const NAMES: [&str; 3] = ["signals_buffered_max", "signals_buffered_bytes_max", "signals_remembered"];

    /// What is written of them, with its values.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let values = |limits: &SignalLimits| [limits.buffered_max, limits.buffered_bytes_max, limits.remembered];
        let pairs = values(self).into_iter().zip(values(&SignalLimits::USUAL));
        let named = SignalLimits::NAMES.into_iter().zip(pairs);
        named.filter(|(_, (value, usual))| value != usual).map(|(name, (value, _))| (name, value))
    }
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
        signals: SignalLimits::CURRENT,
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
