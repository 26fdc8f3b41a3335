//! A definition as it is looked at: its stages and where control goes from each, without what their tasks do.
//!
//! Borrowed from the checked graph, for those who draw or count it; the machine walks the graph itself.

use super::body::LoopTest;
use super::generations::{Generations, JoinMode};
use super::graph::{ArcKind, Graph, GraphStage, Join, OnFailure, Reentry, Split, Target};
use super::instances::{Completion, Source};
use super::milestone::MilestoneStatus;
use super::phase::StagePhase;
use super::trigger::Trigger;
use crate::ids::StageIndex;

/// A stage of a definition.
#[derive(Clone, Copy, Debug)]
pub struct StageOutline<'d> {
    graph: &'d Graph,
    stage: &'d GraphStage,
}

/// A way that control can take from a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArcOutline<'d> {
    to: Option<StageIndex>,
    kind: ArcKind,
    choice: Choice<'d>,
}

/// When control takes a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice<'d> {
    /// Whenever the stage has ended.
    Always,
    /// If this condition holds; of an XOR split, if it is the first to hold.
    If(&'d str),
    /// If no condition of its split holds.
    Otherwise,
    /// When it is canceled.
    IfCanceled,
    /// If something comes for the stage there before it comes for another of the choice.
    IfFirst,
    /// When a task of it sends control there.
    IfJumping,
}

impl<'d> StageOutline<'d> {
    /// The stages of a graph, in definition order.
    pub(super) fn all(graph: &'d Graph) -> impl ExactSizeIterator<Item = StageOutline<'d>> {
        graph.stages.iter().map(move |stage| StageOutline { graph, stage })
    }

    /// Its name in the graph, unique in the definition.
    pub fn ref_id(&self) -> &'d str {
        &self.stage.ref_id
    }

    /// Its name for people; the ref id where none is written.
    pub fn name(&self) -> &'d str {
        &self.stage.name
    }

    /// Its type: as written, or the type of its first task.
    pub fn stage_type(&self) -> &'d str {
        &self.stage.stage_type
    }

    /// The stage in whose block it stands, by its place in definition order; `None` is the workflow itself.
    pub fn parent(&self) -> Option<StageIndex> {
        self.stage.parent
    }

    /// Which part of that stage its block is; of the workflow it is the body.
    pub fn phase(&self) -> StagePhase {
        self.stage.phase
    }

    /// When its loop asks whether there is another turn, and what: the key and the expression. `None` if it is no loop.
    pub fn asks(&self) -> Option<(LoopTest, &'static str, &'d str)> {
        let turns = self.stage.body.as_loop()?;
        Some((turns.test, turns.condition.key(), turns.condition.expression().text()))
    }

    /// How many tasks it has: 1 or more, or none if it is a loop.
    pub fn task_count(&self) -> usize {
        self.stage.tasks.len()
    }

    /// When it starts.
    pub fn join(&self) -> Join {
        self.stage.join
    }

    /// How many arrivals start it, where its join counts them.
    pub fn join_threshold(&self) -> Option<u32> {
        self.stage.generations.as_ref().map(|join| join.threshold)
    }

    /// What its join does with arrivals that come late or twice, where it counts them.
    pub fn join_mode(&self) -> Option<JoinMode> {
        self.stage.generations.as_ref().map(Generations::mode)
    }

    /// How many threads become one here, where its join merges them.
    pub fn merge_count(&self) -> Option<u32> {
        self.stage.merge_count
    }

    /// How many threads its split makes of each arc; `None` if it makes none.
    pub fn thread_count(&self) -> Option<u32> {
        if let Split::Thread { count } = self.stage.split { Some(count) } else { None }
    }

    /// Its `if:`.
    pub fn condition(&self) -> Option<&'d str> {
        self.stage.condition.as_ref().map(|condition| condition.text())
    }

    /// What a failure of it means.
    pub fn on_failure(&self) -> OnFailure {
        self.stage.on_failure
    }

    /// Whether control takes some of its ways, and not always all of them.
    pub fn is_choice(&self) -> bool {
        !matches!(self.stage.split, Split::And | Split::Thread { .. })
    }

    /// Where control goes, as definitions write it: `AND`, `XOR`, `OR`, `DEFERRED`.
    pub fn split_type(&self) -> &'static str {
        self.stage.split.name()
    }

    /// Whether it starts again while an activation of it lives.
    pub fn reentry(&self) -> Reentry {
        self.stage.reentry
    }

    /// Its mutex key: of the stages with one key only one runs at a time.
    pub fn mutex_key(&self) -> Option<&'d str> {
        self.stage.exclusion.as_ref()?.mutex.as_deref()
    }

    /// Its milestone: a stage, what that has to be for this one to start, and the stage that ends it by starting.
    pub fn milestone(&self) -> Option<(&'d str, MilestoneStatus, Option<&'d str>)> {
        let milestone = self.stage.milestone.as_deref()?;
        let name = |stage: StageIndex| self.graph.stage(stage).ref_id.as_str();
        Some((name(milestone.of()), milestone.status(), milestone.until().map(name)))
    }

    /// The group of stages that run one after the other among which it is.
    pub fn interleaved_group(&self) -> Option<&'d str> {
        self.stage.exclusion.as_ref()?.interleave.as_ref().map(|interleave| interleave.group.as_str())
    }

    /// The critical section it belongs to, and the key that section holds.
    pub fn critical_section(&self) -> Option<(&'d str, &'d str)> {
        let section = self.stage.exclusion.as_ref()?.section.as_ref()?;
        Some((&section.name, &section.key))
    }

    /// How many instances it has, and until when they are waited for unless it is for all; in words. None of it where
    /// it has no instances.
    pub fn instances(&self) -> Vec<String> {
        let Some(several) = self.stage.instances.as_deref() else { return Vec::new() };
        let mut words = match &several.source {
            Source::Fixed(count) => format!("{count} instances"),
            Source::Count(key) => format!("{key} instances"),
            Source::Collection(key) => format!("for each of {key}"),
            Source::ForEach(_) => "for each item".to_owned(),
            Source::Matrix(axes) => {
                let names: Vec<&str> = axes.iter().map(|(name, _)| name.as_str()).collect();
                format!("for each {}", names.join(", "))
            }
        };
        if several.sequential {
            words += ", one by one";
        }
        let until = match &several.completion {
            Completion::All => None,
            Completion::Threshold(count) => Some(format!("until {count} are done")),
            Completion::Condition(condition) => Some(format!("until {}", condition.text())),
            Completion::Started => Some("not waited for".to_owned()),
        };
        [words].into_iter().chain(until).collect()
    }

    /// What it waits for from outside, in words: a signal or a time.
    pub fn trigger(&self) -> Option<String> {
        Some(match self.stage.trigger.as_deref()? {
            Trigger::Signal(trigger) => format!("signal {}", trigger.signal),
            Trigger::Timer(length) => format!("after {length}"),
        })
    }

    /// The group of stages among which what comes first chooses.
    pub fn choice_group(&self) -> Option<&'d str> {
        self.stage.choice_group.as_deref()
    }

    /// Whether its tasks may send control to any stage of its block. No way of it tells.
    pub fn jumps_anywhere(&self) -> bool {
        self.stage.jumps_anywhere
    }

    /// The ways from it: all of them in definition order, or those of a choice in the order in which they are tried,
    /// the default and those without condition behind them. Two branches of a choice may lead to the same stage. Last
    /// the way that is taken when it is canceled, then those of jumps.
    pub fn arcs(&self) -> Vec<ArcOutline<'d>> {
        let path = self.stage.cancellation.path.iter().map(|arc| self.way(Target::Arc(*arc), Choice::IfCanceled));
        let jumps = self.stage.jumps.iter().map(|arc| self.way(Target::Arc(*arc), Choice::IfJumping));
        self.split_arcs().into_iter().chain(path).chain(jumps).collect()
    }

    fn split_arcs(&self) -> Vec<ArcOutline<'d>> {
        match &self.stage.split {
            Split::And | Split::Deferred | Split::Thread { .. } => {
                let when = |arc| self.graph.choice_of(arc).map_or(Choice::Always, |_| Choice::IfFirst);
                let way = |arc: &_| self.way(Target::Arc(*arc), when(*arc));
                self.stage.outgoing.iter().map(way).collect()
            }
            Split::Xor { branches, default } | Split::Or { branches, default, .. } => {
                let conditions = branches.iter().map(|branch| (branch.target, Choice::If(branch.condition.text())));
                let default = default.iter().map(|target| (*target, Choice::Otherwise));
                let always = if let Split::Or { always, .. } = &self.stage.split { always.as_slice() } else { &[] };
                let always = always.iter().map(|arc| (Target::Arc(*arc), Choice::Always));
                conditions.chain(default).chain(always).map(|(target, choice)| self.way(target, choice)).collect()
            }
        }
    }

    fn way(&self, target: Target, choice: Choice<'d>) -> ArcOutline<'d> {
        match target {
            Target::Arc(arc) => {
                let arc = self.graph.arc(arc);
                ArcOutline { to: Some(arc.to), kind: arc.kind, choice }
            }
            Target::End => ArcOutline { to: None, kind: ArcKind::Forward, choice },
        }
    }
}

impl<'d> ArcOutline<'d> {
    /// The stage it leads to, by its place in definition order; `None` is `$end`, nowhere.
    pub fn to(&self) -> Option<StageIndex> {
        self.to
    }

    /// What kind of way it is.
    pub fn kind(&self) -> ArcKind {
        self.kind
    }

    /// When control takes it.
    pub fn choice(&self) -> Choice<'d> {
        self.choice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Definition;

    #[test]
    fn an_outline_has_the_ways_of_a_choice_in_the_order_in_which_they_are_tried() {
        let text = "
name: x
stages:
  a: { split_type: XOR, split_conditions: { c: 'x', b: 'y', $end: 'z' }, split_default: b, run: 'true' }
  b: { needs: [a], if: 'w', run: 'true' }
  c: { needs: [a, b], join_type: XOR, run: 'true' }
";
        let definition = Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"));
        let stages: Vec<StageOutline<'_>> = definition.stages().collect();
        let ways = |stage: usize| {
            let arcs = stages[stage].arcs();
            arcs.iter().map(|arc| (arc.to().map(StageIndex::index), arc.choice())).collect::<Vec<_>>()
        };
        let (b, c) = (Some(1), Some(2));
        let expected = [(c, Choice::If("x")), (b, Choice::If("y")), (None, Choice::If("z")), (b, Choice::Otherwise)];
        assert_eq!(ways(0), expected);
        assert_eq!(ways(1), [(c, Choice::Always)]);
        assert_eq!(stages.iter().map(StageOutline::is_choice).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!((stages[1].condition(), stages[1].task_count()), (Some("w"), 1));
        assert_eq!((stages[2].ref_id(), stages[2].join(), stages[1].join()), ("c", Join::Xor, Join::And));
    }
}
