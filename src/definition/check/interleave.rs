//! Do the stages of an interleaved group each run once whenever the others do, and in an order that is allowed?
//!
//! For each stage the choices are found under which it runs exactly once; those of one group must have the same. A
//! split is behind when all of its ways have come together again, and a loop when control has left it.

use std::collections::{BTreeMap, BTreeSet};

use super::arcs::Connected;
use super::reach::{Followers, Pair};
use crate::definition::choice::Choices;
use crate::definition::code::ProblemCode;
use crate::definition::exclusion::InterleaveOrder;
use crate::definition::generations::Rest;
use crate::definition::graph::{ArcKind, GraphStage, Join, Split, Target};
use crate::definition::problem::Problem;
use crate::definition::reading::{ExclusionDraft, Named};
use crate::ids::{ArcIndex, StageIndex};
use crate::limits::PROBLEMS_MAX;

/// One choice on the way to a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Choice {
    /// This arc, of those of a split.
    Arc(ArcIndex),
    /// However often the loop goes round that is entered at this stage.
    Turn(usize),
    /// As many as signals come that start this stage.
    Signals(usize),
    /// However often the block of this stage is opened.
    Inside(usize),
}

/// Choices one after the other, by the place of the last among those that are known; 0 is none.
type Way = usize;

/// Checks every group of the definition. What does not fit goes to `problems`.
pub(super) fn check_groups(exclusions: &[ExclusionDraft<'_>], connected: &Connected, problems: &mut Vec<Problem>) {
    let mut groups: BTreeMap<&str, Vec<(usize, Named<'_>, InterleaveOrder)>> = BTreeMap::new();
    for (index, draft) in exclusions.iter().enumerate() {
        if let Some((group, order)) = draft.interleave {
            groups.entry(group.text).or_default().push((index, group, order));
        }
    }
    if groups.is_empty() {
        return;
    }
    let ways = Ways::of(connected);
    for members in groups.values() {
        let first = members[0];
        for (index, group, order) in members {
            if problems.len() >= PROBLEMS_MAX {
                return;
            }
            let name = connected.names.name(*index);
            if *order != first.2 {
                let message =
                    format!("the group `{}` is {} at `{}`", group.text, first.2.name(), connected.names.name(first.0));
                let help = "write the same order at all of its stages";
                problems.push(Problem::error(ProblemCode::InterleavedInOrder, group.span, message).with_help(help));
            }
            let message = match (ways.found[*index], ways.found[first.0]) {
                (None, _) => format!("`{name}` may run more than once, or not at all"),
                (Some(own), Some(other)) if own != other => {
                    format!("`{name}` does not run as often as `{}`", connected.names.name(first.0))
                }
                (Some(_), _) => continue,
            };
            problems.push(Problem::error(ProblemCode::InterleavedNotOnce, group.span, message));
        }
    }
    check_order(&groups, connected, problems);
}

/// Of a group in any order no stage comes behind another.
fn check_order(
    groups: &BTreeMap<&str, Vec<(usize, Named<'_>, InterleaveOrder)>>,
    connected: &Connected,
    problems: &mut Vec<Problem>,
) {
    for members in groups.values() {
        let any = members.iter().filter(|(_, _, order)| *order == InterleaveOrder::Any);
        let any: Vec<usize> = any.map(|(index, ..)| *index).collect();
        let followers = Followers::of(&any, &connected.predecessors, &connected.order);
        for (later, group, _) in members {
            let Some(earlier) =
                any.iter().find(|earlier| followers.contains(Pair { earlier: **earlier, later: *later }))
            else {
                continue;
            };
            if problems.len() < PROBLEMS_MAX {
                let (one, other) = (connected.names.name(*earlier), connected.names.name(*later));
                let message = format!("`{other}` comes behind `{one}`");
                problems.push(Problem::error(ProblemCode::InterleavedInOrder, group.span, message));
            }
        }
    }
}

/// The choices under which each stage runs exactly once.
struct Ways<'c> {
    connected: &'c Connected,
    choices: Choices,
    /// By place: the way before, and the choice.
    steps: Vec<(Way, Choice)>,
    places: BTreeMap<(Way, Choice), Way>,
    /// By stage; `None` if it may run several times under any.
    found: Vec<Option<Way>>,
}

impl<'c> Ways<'c> {
    fn of(connected: &'c Connected) -> Ways<'c> {
        let none = (0, Choice::Signals(usize::MAX));
        let found = vec![None; connected.stages.len()];
        let choices = Choices::of(&connected.stages, &connected.arcs);
        let mut ways = Ways { connected, choices, steps: vec![none], places: BTreeMap::new(), found };
        for &stage in &connected.order {
            ways.found[stage] = ways.to(stage);
        }
        ways
    }

    /// This choice behind that way.
    fn behind(&mut self, way: Way, choice: Choice) -> Way {
        let next = self.steps.len();
        let place = *self.places.entry((way, choice)).or_insert(next);
        if place == next {
            self.steps.push((way, choice));
        }
        place
    }

    fn to(&mut self, stage: usize) -> Option<Way> {
        let spec = &self.connected.stages[stage];
        if spec.is_started_by_signals() {
            return Some(self.behind(0, Choice::Signals(stage)));
        }
        let arcs = spec.incoming.iter().copied();
        let (back, forward): (Vec<ArcIndex>, Vec<ArcIndex>) =
            arcs.partition(|arc| self.connected.arcs[arc.index()].kind == ArcKind::Back);
        let ways: Vec<Way> = forward.iter().map(|arc| self.over(*arc)).collect::<Option<_>>()?;
        let way = self.joined(spec, &ways)?;
        if back.is_empty() { Some(way) } else { Some(self.behind(way, Choice::Turn(stage))) }
    }

    /// The choices under which exactly one token comes over an arc.
    fn over(&mut self, arc: ArcIndex) -> Option<Way> {
        let way = self.connected.arcs[arc.index()];
        let Some(from) = way.from.map(StageIndex::index) else {
            let parent = self.connected.names.parent(way.to.index());
            return Some(parent.map_or(0, |parent| self.behind(0, Choice::Inside(parent))));
        };
        let before = self.found[from]?;
        let spec = &self.connected.stages[from];
        if matches!(spec.split, Split::Thread { .. }) || spec.emits_per_instance() {
            return None;
        }
        let is_chosen = self.choices.of_arc(arc).is_some();
        let is_certain = matches!(spec.split, Split::And) && way.kind != ArcKind::Cancelled && !is_chosen;
        if is_certain {
            return Some(before);
        }
        if let Some(left) = self.leaves_loop(spec, before, arc) {
            return Some(left);
        }
        Some(self.behind(before, Choice::Arc(arc)))
    }

    /// The way before a loop, if this arc is the only one that leads out of it.
    fn leaves_loop(&self, spec: &GraphStage, before: Way, arc: ArcIndex) -> Option<Way> {
        let (outer, choice) = self.steps[before];
        let Choice::Turn(entry) = choice else { return None };
        let is_way_back = |arc: &ArcIndex| {
            let way = self.connected.arcs[arc.index()];
            way.kind == ArcKind::Back && way.to.index() == entry
        };
        let ways_back = spec.outgoing.iter().filter(|arc| is_way_back(arc)).count();
        let entered = self.connected.stages[entry].incoming.iter().filter(|arc| is_way_back(arc)).count();
        let is_only = spec.outgoing.len() == ways_back + 1 && ways_back == entered && !is_way_back(&arc);
        (is_only && is_exclusive(spec)).then_some(outer)
    }

    fn joined(&self, spec: &GraphStage, ways: &[Way]) -> Option<Way> {
        let (first, rest) = ways.split_first()?;
        if spec.join == Join::ThreadMerge {
            return None;
        }
        if rest.is_empty() {
            return Some(*first);
        }
        let is_same = rest.iter().all(|way| way == first);
        match spec.join {
            Join::And | Join::GeneralizedAnd => is_same.then_some(*first),
            Join::Or if is_same => Some(*first),
            // It swallows the others before it starts again.
            Join::Discriminator | Join::NOfM => {
                let swallows =
                    spec.generations.as_ref().is_some_and(|join| matches!(join.rest, Rest::Swallowed { .. }));
                (swallows && is_same).then_some(*first)
            }
            Join::ThreadMerge => None,
            Join::Or | Join::Xor | Join::MultiMerge => self.all_of_a_split(spec.join, ways),
        }
    }

    /// The way before a split all of whose ways come together here, so that one token goes on.
    fn all_of_a_split(&self, join: Join, ways: &[Way]) -> Option<Way> {
        let (outer, Choice::Arc(arc)) = self.steps[*ways.first()?] else { return None };
        let from = self.connected.arcs[arc.index()].from?;
        let split = &self.connected.stages[from.index()];
        let mut arcs = BTreeSet::new();
        for way in ways {
            let (before, Choice::Arc(arc)) = self.steps[*way] else { return None };
            (before == outer && self.connected.arcs[arc.index()].from == Some(from)).then_some(())?;
            arcs.insert(arc);
        }
        let is_whole = split.outgoing.iter().all(|arc| arcs.contains(arc)) && !may_end(split);
        let fits = join == Join::Or || (is_exclusive(split) && arcs.len() == ways.len());
        (is_whole && fits).then_some(outer)
    }
}

fn is_exclusive(stage: &GraphStage) -> bool {
    matches!(stage.split, Split::Xor { .. } | Split::Deferred)
}

/// May control end at the split of a stage?
fn may_end(stage: &GraphStage) -> bool {
    stage
        .split
        .branches()
        .iter()
        .map(|branch| branch.target)
        .chain(stage.split.default_target())
        .any(|target| target == Target::End)
}
