//! What an arrival means to a join that counts, why such a join starts over, and what is told of both.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match looks for a few kinds of events")]

use serde::{Deserialize, Serialize};

use crate::value::Value;

use super::Event;
use super::data::Fields;

/// What the arrival of a token means to a join that counts arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Arrival {
    /// It counts, and lies on its arc until the join fires.
    Counted,
    /// The join has fired in this generation, and swallows it.
    Late,
}

/// Why a join that counts arrivals starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ResetCause {
    /// Every arc has brought its token.
    Complete,
    /// Every arc has brought its token or can bring none any more.
    Active,
    /// It has fired, and what had not arrived is withdrawn.
    Cancelling,
    /// Another join has withdrawn what it had counted.
    Withdrawn,
}

impl Arrival {
    /// The word people and programs see: `counted`, `late`.
    pub fn name(self) -> &'static str {
        match self {
            Arrival::Counted => "counted",
            Arrival::Late => "late",
        }
    }
}

impl ResetCause {
    /// The word people and programs see: `complete`, `active`, ...
    pub fn name(self) -> &'static str {
        match self {
            ResetCause::Complete => "complete",
            ResetCause::Active => "active",
            ResetCause::Cancelling => "cancelling",
            ResetCause::Withdrawn => "withdrawn",
        }
    }
}

impl Fields<'_> {
    /// The part of it about joins.
    pub(super) fn joins(&mut self, event: &Event) {
        match event {
            Event::JoinForced { stage, .. } => self.put_some("stage", self.ref_id(*stage)),
            Event::JoinArrived { arc, arrival, .. } => {
                let to = self.graph.arcs.get(arc.index()).map(|arc| arc.to);
                self.put_some("ref_id", to.and_then(|to| self.ref_id(to)));
                self.put_some("arc", self.ends_of(*arc).map(Value::map));
                self.put("arrival", arrival.name());
            }
            Event::JoinReset { stage, generation, cause, .. } => {
                self.put_some("ref_id", self.ref_id(*stage));
                self.put("generation", *generation);
                self.put("cause", cause.name());
            }
            _ => {}
        }
    }
}
