//! What a jump back undoes, where it rewinds (R14).

use serde::{Deserialize, Serialize};

use crate::ids::{ActivationId, ArcIndex, StageIndex};

/// What was undone before control went back: an activation of the stage to which the jump leads, and what has come
/// from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewound {
    /// The activation.
    pub to: ActivationId,
    /// Activations that end for it, ascending; of some only instances live any more.
    pub canceled: Vec<ActivationId>,
    /// Tokens that are taken away, by arc and age.
    pub removed: Vec<RemovedToken>,
    /// Tokens that lie again where they were consumed, in the order in which they come first there.
    pub put_back: Vec<PutBack>,
    /// What joins that count arrivals forget, by stage.
    pub joins: Vec<ForgottenArrivals>,
}

/// A token that is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RemovedToken {
    /// Where it lay.
    pub arc: ArcIndex,
    /// Its number in the workflow.
    pub number: u64,
}

/// A token that lies again where it was consumed, as a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// Where it lies.
    pub arc: ArcIndex,
    /// Who had consumed it.
    pub by: ActivationId,
    /// Its place among what that had consumed, from 0.
    pub place: u32,
}

/// What a join forgets of its generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenArrivals {
    /// The stage.
    pub stage: StageIndex,
    /// The arcs of which it has seen nothing any more, ascending.
    pub forgotten: Vec<ArcIndex>,
    /// What has become of its firing.
    pub firing: Firing,
}

/// What has become of the firing of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Firing {
    /// There was none, or it stands.
    Kept,
    /// It is undone: the generation is open again.
    Undone,
}
