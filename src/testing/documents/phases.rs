//! What stands beside the own work of drawn stages: before it, behind it, when it has failed, and what undoes it.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::value::Value;

use super::{ON_FAILURE, StageDraft, insert};

/// The parts of a stage that has any; each with its stages, and what a failure means behind the last.
#[derive(Clone, Debug, Default)]
pub(super) struct PhasesDraft {
    before: Vec<StageDraft>,
    after: Vec<StageDraft>,
    when_failed: Option<(Vec<StageDraft>, Option<&'static str>)>,
    compensate: Vec<StageDraft>,
}

pub(super) fn phases(stages: BoxedStrategy<StageDraft>) -> impl Strategy<Value = PhasesDraft> {
    let some = |stages: BoxedStrategy<StageDraft>| prop_oneof![1 => Just(Vec::new()), 2 => vec(stages, 1..3)];
    let when_failed = (vec(stages.clone(), 1..3), weighted(0.6, select(&ON_FAILURE[..])));
    (some(stages.clone()), some(stages.clone()), weighted(0.6, when_failed), some(stages))
        .prop_map(|(before, after, when_failed, compensate)| PhasesDraft { before, after, when_failed, compensate })
}

/// Nothing but what undoes the work.
pub(super) fn compensation(stages: BoxedStrategy<StageDraft>) -> impl Strategy<Value = PhasesDraft> {
    vec(stages, 1..3).prop_map(|compensate| PhasesDraft { compensate, ..PhasesDraft::default() })
}

/// Makes a block of stages with these names; the others have ended before it.
pub(super) type Assemble<'a> = dyn Fn(Vec<StageDraft>, &[String], &[String]) -> Value + 'a;

/// The name of a stage in a part of another.
fn names(stage: &str, part: &str, stages: &[StageDraft]) -> Vec<String> {
    (0..stages.len()).map(|place| format!("{stage}-{part}{place}")).collect()
}

impl PhasesDraft {
    /// The names of the stages before the own work of this one.
    pub(super) fn names_before(&self, stage: &str) -> Vec<String> {
        names(stage, "b", &self.before)
    }

    /// Puts the parts into their stage, whose name it is; `before` are the stages that have ended before it.
    pub(super) fn assemble(self, name: &str, stage: &mut Value, before: &[String], block: &Assemble<'_>) {
        let known = [before, &self.names_before(name)].concat();
        let behind = [known.as_slice(), &[name.to_owned()]].concat();
        if !self.before.is_empty() {
            let inner = self.names_before(name);
            insert(stage, "before", block(self.before, &inner, before));
        }
        if !self.after.is_empty() {
            let inner = names(name, "a", &self.after);
            insert(stage, "after", block(self.after, &inner, &behind));
        }
        if let Some((stages, then)) = self.when_failed {
            let inner = names(name, "f", &stages);
            let stages = block(stages, &inner, &behind);
            let then = then.map(|then| ("then", Value::from(then)));
            insert(stage, "on_failure", Value::map([("stages", stages)].into_iter().chain(then)));
        }
        if !self.compensate.is_empty() {
            let inner = names(name, "u", &self.compensate);
            let is_one = self.compensate.len() == 1;
            let stages = block(self.compensate, &inner, &behind);
            insert(stage, "compensate", if is_one { only(stages) } else { Value::map([("stages", stages)]) });
        }
    }
}

/// The one stage of a block, with its name in it.
fn only(stages: Value) -> Value {
    let Value::Map(stages) = stages else { return stages };
    stages.into_iter().next().map_or(Value::Null, |(name, mut stage)| {
        insert(&mut stage, "ref_id", name.into());
        stage
    })
}
