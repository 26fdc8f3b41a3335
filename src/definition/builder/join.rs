//! Joins from code that count arrivals, merge threads or know their branches: each kind has the settings that make
//! sense for it.

use super::fields::Fields;
use crate::definition::generations::{JoinMode, OnUnreachable, ResetOn};
use crate::definition::graph::{Join, OrScope};
use crate::value::Value;

/// When a stage starts, with all that belongs to it. A [`Join`] is one that needs nothing more.
#[derive(Clone, Debug)]
#[must_use]
pub struct JoinSpec(Fields);

/// An OR-join of whose branches something is known.
#[derive(Clone, Debug)]
#[must_use]
pub struct OrJoin(Fields);

/// A join that starts with arrivals on some of its arcs, once a generation. Without more, it is structured where its
/// branches are those of one parallel split, and blocking elsewhere.
#[derive(Clone, Debug)]
#[must_use]
pub struct PartialJoin(Fields);

/// A partial join whose branches are those of one parallel split and bring one token each.
#[derive(Clone, Debug)]
#[must_use]
pub struct StructuredJoin(Fields);

/// A partial join at which a second token of a branch waits for the next generation.
#[derive(Clone, Debug)]
#[must_use]
pub struct BlockingJoin(Fields);

/// A partial join that withdraws what has not arrived when it fires.
#[derive(Clone, Debug)]
#[must_use]
pub struct CancellingJoin(Fields);

impl JoinSpec {
    pub(super) fn into_fields(self) -> Fields {
        self.0
    }

    /// With so many threads of one split, which become one; at least 2. The stage has one arc.
    pub fn thread_merge(count: u32) -> JoinSpec {
        JoinSpec(Fields::new().with("join_type", Join::ThreadMerge.name()).with("merge_count", count))
    }
}

impl OrJoin {
    /// This is known of its branches, and checked; [`Join::Or`] alone says nothing of them.
    pub fn of(scope: OrScope) -> OrJoin {
        OrJoin(Fields::new().with("join_type", Join::Or.name()).with("or_scope", scope.name()))
    }

    /// The split whose branches these are; found by itself unless said.
    pub fn pair(self, ref_id: impl Into<String>) -> OrJoin {
        OrJoin(self.0.with("join_pair", ref_id.into()))
    }
}

impl PartialJoin {
    /// With the first arrival.
    pub fn discriminator() -> PartialJoin {
        PartialJoin(Fields::new().with("join_type", Join::Discriminator.name()))
    }

    /// With arrivals on so many arcs, at least 1 and at most as many as there are.
    pub fn n_of_m(threshold: u32) -> PartialJoin {
        PartialJoin(Fields::new().with("join_type", Join::NOfM.name()).with("join_threshold", threshold))
    }

    /// What it means that too few arrivals can come, of a join with a threshold; [`OnUnreachable::Fail`] unless said
    /// otherwise.
    pub fn on_unreachable(self, meaning: OnUnreachable) -> PartialJoin {
        PartialJoin(self.0.with("on_unreachable", meaning.name()))
    }

    fn mode(self, mode: JoinMode) -> Fields {
        self.0.with("join_mode", mode.name())
    }

    /// Its branches are those of one parallel split.
    pub fn structured(self) -> StructuredJoin {
        StructuredJoin(self.mode(JoinMode::Structured))
    }

    /// A second token of a branch waits for the next generation.
    pub fn blocking(self) -> BlockingJoin {
        BlockingJoin(self.mode(JoinMode::Blocking))
    }

    /// What has not arrived when it fires is withdrawn: all between its split and itself unless said otherwise.
    pub fn cancelling(self) -> CancellingJoin {
        CancellingJoin(self.mode(JoinMode::Cancelling))
    }
}

impl StructuredJoin {
    /// The split whose branches these are; found by itself unless said.
    pub fn pair(self, ref_id: impl Into<String>) -> StructuredJoin {
        StructuredJoin(self.0.with("join_pair", ref_id.into()))
    }
}

impl BlockingJoin {
    /// When it starts over; [`ResetOn::Active`] unless said otherwise.
    pub fn reset_on(self, moment: ResetOn) -> BlockingJoin {
        BlockingJoin(self.0.with("reset_on", moment.name()))
    }
}

impl CancellingJoin {
    /// The split up to which it withdraws; found by itself unless said.
    pub fn pair(self, ref_id: impl Into<String>) -> CancellingJoin {
        CancellingJoin(self.0.with("join_pair", ref_id.into()))
    }

    /// The stages that are withdrawn.
    pub fn stages<T: Into<String>>(self, ref_ids: impl IntoIterator<Item = T>) -> CancellingJoin {
        let stages = Value::list(ref_ids.into_iter().map(Into::into));
        CancellingJoin(self.0.with("join_cancel_scope", Value::map([("stages", stages)])))
    }

    /// The stages beside it that lie in this region are withdrawn, and vanish, whatever is said of the region.
    pub fn region(self, name: impl Into<String>) -> CancellingJoin {
        CancellingJoin(self.0.with("join_cancel_scope", Value::map([("region", name.into())])))
    }
}

impl From<Join> for JoinSpec {
    fn from(join: Join) -> JoinSpec {
        JoinSpec(Fields::new().with("join_type", join.name()))
    }
}

macro_rules! into_join {
    ($($kind:ident)+) => {
        $(impl From<$kind> for JoinSpec {
            fn from(join: $kind) -> JoinSpec {
                JoinSpec(join.0)
            }
        })+
    };
}

into_join!(OrJoin PartialJoin StructuredJoin BlockingJoin CancellingJoin);
