//! Joins that count arrivals and start over: discriminators and partial joins, with what they do with the rest.
//!
//! Only what is written and inferred; when such a join fires is decided by the machine.

use crate::ids::StageIndex;

/// How a join that counts arrivals treats those that come late or twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinMode {
    /// Each arc gets one token between two resets, which the definition makes sure of; late ones are swallowed.
    Structured,
    /// Late ones are swallowed; a second token on an arc waits for the next generation.
    Blocking,
    /// What has not arrived when it fires is withdrawn, and the join starts over at once.
    Cancelling,
}

/// When a join that has fired starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetOn {
    /// When every arc has brought its token.
    All,
    /// When every arc has brought its token or can bring none any more.
    Active,
}

/// What it means that a join can never get as many arrivals as it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnreachable {
    /// The stage fails.
    Fail,
    /// The stage is passed by.
    Skip,
}

impl JoinMode {
    /// Every mode there is.
    pub(super) const ALL: [JoinMode; 3] = [JoinMode::Structured, JoinMode::Blocking, JoinMode::Cancelling];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            JoinMode::Structured => "structured",
            JoinMode::Blocking => "blocking",
            JoinMode::Cancelling => "cancelling",
        }
    }
}

impl ResetOn {
    /// Every moment there is.
    pub(super) const ALL: [ResetOn; 2] = [ResetOn::All, ResetOn::Active];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            ResetOn::All => "all",
            ResetOn::Active => "active",
        }
    }
}

impl OnUnreachable {
    /// Every meaning there is.
    pub(super) const ALL: [OnUnreachable; 2] = [OnUnreachable::Fail, OnUnreachable::Skip];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            OnUnreachable::Fail => "fail",
            OnUnreachable::Skip => "skip",
        }
    }
}

/// A join that counts arrivals.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Generations {
    /// Arrivals on so many arcs fire it; at least 1, at most as many as it has arcs.
    pub(crate) threshold: u32,
    /// What it does with the rest.
    pub(crate) rest: Rest,
    /// What it means that the threshold cannot be reached.
    pub(crate) on_unreachable: OnUnreachable,
}

/// What a join that has fired does with what has not arrived.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rest {
    /// It swallows what comes. `pair` is the split whose branches these are; `None` is the start.
    Swallowed {
        /// The split.
        pair: Option<StageIndex>,
    },
    /// It swallows one of each arc; others wait.
    Blocked {
        /// When the next generation begins.
        reset_on: ResetOn,
    },
    /// It is taken out of these stages, in definition order, and off the arcs to them.
    Withdrawn {
        /// The stages.
        stages: Vec<StageIndex>,
    },
}

impl Generations {
    /// How the join is called.
    pub(crate) fn mode(&self) -> JoinMode {
        match self.rest {
            Rest::Swallowed { .. } => JoinMode::Structured,
            Rest::Blocked { .. } => JoinMode::Blocking,
            Rest::Withdrawn { .. } => JoinMode::Cancelling,
        }
    }
}
