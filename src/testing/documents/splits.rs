//! Splits with conditions, drawn for documents.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::value::Value;

use super::{conditions, insert};

/// A split that is fitted to the stages that follow.
#[derive(Clone, Debug)]
pub(super) struct SplitDraft {
    conditions: Vec<Value>,
    /// A condition for the end.
    end: Option<Value>,
    /// Which of the targets is taken when no condition holds; the end if it is the last.
    default: Option<Index>,
    /// The order is written, backwards.
    ordered: bool,
    on_no_match: bool,
    /// All branches whose conditions hold, and not the first.
    is_or: bool,
    /// One follower has no condition, if it is an OR split.
    leaves_one: bool,
}

/// Any split with conditions.
pub(super) fn splits() -> impl Strategy<Value = SplitDraft> {
    (vec(conditions(), 7), weighted(0.2, conditions()), weighted(0.6, any::<Index>()), vec(any::<bool>(), 4)).prop_map(
        |(conditions, end, default, flags)| SplitDraft {
            conditions,
            end,
            default,
            ordered: flags[0],
            on_no_match: flags[1],
            is_or: flags[2],
            leaves_one: flags[3],
        },
    )
}

impl SplitDraft {
    pub(super) fn assemble(self, stage: &mut Value, followers: &[&str]) {
        let mut targets: Vec<&str> = followers.to_vec();
        targets.push("$end");
        let default = self.default.map(|default| *default.get(&targets));
        let end = self.end.map(|condition| ("$end", condition));
        let left = usize::from(self.is_or && self.leaves_one && followers.len() > 1);
        let conditions: Vec<(&str, Value)> =
            followers[left..].iter().copied().zip(self.conditions).chain(end).collect();
        if conditions.is_empty() {
            return;
        }
        insert(stage, "split_type", if self.is_or { "OR" } else { "XOR" }.into());
        if self.ordered && !self.is_or {
            insert(stage, "split_order", Value::list(conditions.iter().rev().map(|(target, _)| *target)));
        }
        if self.on_no_match && self.ordered {
            insert(stage, "split_correlation", "k".into());
        }
        insert(stage, "split_conditions", Value::map(conditions));
        if let Some(default) = default {
            insert(stage, "split_default", default.into());
        }
        if self.on_no_match {
            insert(stage, "on_no_match", if default.is_some() { "default" } else { "fail" }.into());
        }
    }
}
