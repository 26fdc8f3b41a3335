//! How control comes to a stage and where it goes from there: joins, splits and what else routes tokens.
//!
//! The vocabulary of the graph; what it does is the machine's. Terms: Russell et al., "Workflow Control-Flow
//! Patterns: A Revised View", 2006.

use std::collections::BTreeSet;

use crate::expression::Expression;
use crate::ids::ArcIndex;

/// When a stage starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Join {
    /// With a token on every incoming arc; one of each is consumed.
    And,
    /// With a token on any incoming arc; that one is consumed. Never do two tokens lie before it at once.
    Xor,
    /// Once for each token on any incoming arc, however many there are.
    MultiMerge,
    /// With what has come when no more can come; one token of every arc that holds any is consumed.
    Or,
    /// As `And`, where more than one token may lie on an arc; what is more than needed stays for the next time.
    GeneralizedAnd,
    /// With the first arrival of a generation; the others of it are swallowed or withdrawn.
    Discriminator,
    /// With arrivals on as many arcs as its threshold says, once a generation.
    NOfM,
    /// With as many threads of one split as it merges; all of these are consumed.
    ThreadMerge,
}

impl Join {
    /// Every join there is.
    pub(super) const ALL: [Join; 8] = [
        Join::And,
        Join::Xor,
        Join::MultiMerge,
        Join::Or,
        Join::GeneralizedAnd,
        Join::Discriminator,
        Join::NOfM,
        Join::ThreadMerge,
    ];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Join::And => "AND",
            Join::Xor => "XOR",
            Join::MultiMerge => "MULTI_MERGE",
            Join::Or => "OR",
            Join::GeneralizedAnd => "GENERALIZED_AND",
            Join::Discriminator => "DISCRIMINATOR",
            Join::NOfM => "N_OF_M",
            Join::ThreadMerge => "THREAD_MERGE",
        }
    }
}

/// What a jump does to what lies behind its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum JumpMode {
    /// Nothing: its own thread alone goes elsewhere.
    Move,
    /// What has come from the activation of the target that lies behind the jump is undone.
    #[default]
    Rewind,
}

impl JumpMode {
    /// Every mode, in the order of the documentation.
    pub(crate) const ALL: [JumpMode; 2] = [JumpMode::Move, JumpMode::Rewind];

    /// The name as definitions write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            JumpMode::Move => "move",
            JumpMode::Rewind => "rewind",
        }
    }
}

/// Where control goes from a stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Split {
    /// One token on every outgoing arc.
    And,
    /// One token on the arc of the first branch whose condition holds, else on the default's.
    Xor {
        /// In the order in which they are tried.
        branches: Vec<Branch>,
        /// Taken when no condition holds.
        default: Option<Target>,
    },
    /// One token on each arc that has no condition, and on that of every branch whose condition holds; if none does,
    /// on the default's, too.
    Or {
        /// In the order in which they were written; all are examined.
        branches: Vec<Branch>,
        /// Taken when no condition holds.
        default: Option<Target>,
        /// The arcs without condition that are not the default's, ascending.
        always: Vec<ArcIndex>,
    },
    /// So many tokens on every outgoing arc, each a thread of its own.
    Thread {
        /// At least 2.
        count: u32,
    },
    /// One token on every outgoing arc, of which one is taken: that of the stage for which something comes first. The
    /// others are withdrawn.
    Deferred,
}

impl Split {
    /// An OR-split with these branches of a stage with these `outgoing` arcs.
    pub(crate) fn or(branches: Vec<Branch>, default: Option<Target>, outgoing: &[ArcIndex]) -> Split {
        let named: BTreeSet<ArcIndex> = branches
            .iter()
            .map(|branch| branch.target)
            .chain(default)
            .filter_map(|target| if let Target::Arc(arc) = target { Some(arc) } else { None })
            .collect();
        let always = outgoing.iter().copied().filter(|arc| !named.contains(arc)).collect();
        Split::Or { branches, default, always }
    }

    /// The name as definitions write it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Split::And => "AND",
            Split::Xor { .. } => "XOR",
            Split::Or { .. } => "OR",
            Split::Deferred => "DEFERRED",
            Split::Thread { .. } => "THREAD",
        }
    }

    /// Tokens that come to lie on each arc that is taken.
    pub(crate) fn tokens_per_arc(&self) -> u32 {
        match self {
            Split::And | Split::Xor { .. } | Split::Or { .. } | Split::Deferred => 1,
            Split::Thread { count } => *count,
        }
    }

    /// Has to hold one of its conditions, as control has no other way?
    pub(crate) fn must_choose(&self) -> bool {
        match self {
            Split::And | Split::Deferred | Split::Thread { .. } => false,
            Split::Xor { default, .. } => default.is_none(),
            Split::Or { default, always, .. } => default.is_none() && always.is_empty(),
        }
    }

    /// Where control goes if no condition holds.
    pub(crate) fn default_target(&self) -> Option<Target> {
        match self {
            Split::And | Split::Deferred | Split::Thread { .. } => None,
            Split::Xor { default, .. } | Split::Or { default, .. } => *default,
        }
    }

    /// The branches with conditions.
    pub(crate) fn branches(&self) -> &[Branch] {
        match self {
            Split::And | Split::Deferred | Split::Thread { .. } => &[],
            Split::Xor { branches, .. } | Split::Or { branches, .. } => branches,
        }
    }
}

/// A branch of a split.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    /// Where it leads.
    pub(crate) target: Target,
    /// When it is taken.
    pub(crate) condition: Expression,
}

/// Where a branch leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the stage at the end of this arc.
    Arc(ArcIndex),
    /// Nowhere (`$end`): the token is consumed.
    End,
}

/// What kind of way an arc is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArcKind {
    /// From a stage, or the start, to one that needs it. These arcs alone form no circle.
    Forward,
    /// From a stage to one before it, as `back_from` says.
    Back,
    /// To where control goes when an activation is canceled: no split takes it, and it closes no circle.
    Cancelled,
    /// To where a task may send control, as `jump_targets` says: neither split nor join of its ends knows of it.
    Jump,
}

/// What is known of the branches before an OR-join. It is checked when the definition is read; the join decides by the
/// same rule whatever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrScope {
    /// Nothing.
    #[default]
    General,
    /// No way leads back between it and its split.
    Acyclic,
    /// Its branches are those of one split, all of them come here, and nothing between is canceled by itself.
    Structured,
}

impl OrScope {
    /// Every scope there is.
    pub(super) const ALL: [OrScope; 3] = [OrScope::General, OrScope::Acyclic, OrScope::Structured];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            OrScope::General => "general",
            OrScope::Acyclic => "acyclic",
            OrScope::Structured => "structured",
        }
    }
}

/// Whether a stage starts again while an activation of it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reentry {
    /// It does: its activations may overlap.
    Parallel,
    /// Tokens wait before it until the activation has ended; none is lost.
    Serialize,
}

impl Reentry {
    /// Every meaning there is.
    pub(super) const ALL: [Reentry; 2] = [Reentry::Parallel, Reentry::Serialize];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Reentry::Parallel => "parallel",
            Reentry::Serialize => "serialize",
        }
    }
}

/// What it means that tokens are left when nothing can move any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftoverTokens {
    /// A deadlock: the workflow is TERMINAL.
    Fail,
    /// Nothing: they are listed, and the workflow ends as without them.
    Ignore,
}

impl LeftoverTokens {
    /// Every meaning there is.
    pub(super) const ALL: [LeftoverTokens; 2] = [LeftoverTokens::Fail, LeftoverTokens::Ignore];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            LeftoverTokens::Fail => "fail",
            LeftoverTokens::Ignore => "ignore",
        }
    }
}
