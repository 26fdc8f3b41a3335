//! Connects stages by their `needs`: arcs and cycles, with everything that is wrong with them.

use crate::definition::phase::StagePhase;
use std::collections::{BTreeMap, BTreeSet};

use super::between::Splits;
use super::cancellation;
use super::choices::{Written, check_choices, check_counting};
use super::cycles::{cycle_of_and_joins, cycles};
use super::generations;
use super::splits::Successors;
use super::synchronizing;
use crate::definition::cancellation::{Cancellation, Region};
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::graph::{ArcKind, GraphArc, GraphStage};
use crate::definition::problem::Problem;
use crate::definition::reading::{BackDraft, Named, RegionDraft, StageDraft, closest};
use crate::ids::{ArcIndex, StageIndex};
use crate::limits::{ARCS_MAX, PROBLEMS_MAX};

/// Stages with their arcs.
pub(in crate::definition) struct Connected {
    pub(in crate::definition) stages: Vec<GraphStage>,
    pub(in crate::definition) arcs: Vec<GraphArc>,
    /// Which stage has which ref id.
    pub(in crate::definition) names: Names,
    /// Where the ref id of each stage stands.
    pub(in crate::definition) spans: Vec<Span>,
    /// The stages each stage needs, in the order of `needs`.
    pub(in crate::definition) predecessors: Vec<Vec<usize>>,
    /// The stages from which arcs lead back to each stage, and those that jump there.
    pub(in crate::definition) back_from: Vec<Vec<usize>>,
    /// In the byte order of their names.
    pub(in crate::definition) regions: Vec<Region>,
    /// Stages behind those they need; those on a cycle, and what follows them, are left out.
    pub(in crate::definition) order: Vec<usize>,
    /// Whether all that comes before a stage is known: a broken arc or a cycle there makes it a guess.
    pub(in crate::definition) certain: Vec<bool>,
    /// What is doubtful about its joins, though nothing forbids it.
    pub(in crate::definition) doubts: Vec<Problem>,
}

/// Makes the graph of these stages. What is wrong goes to `problems`; then the graph is good for further checks only.
pub(in crate::definition) fn connect(
    mut drafts: Vec<StageDraft<'_>>,
    regions: Vec<RegionDraft<'_>>,
    problems: &mut Vec<Problem>,
) -> Connected {
    let names = Names::of(&drafts, problems);
    let mut certain = vec![true; drafts.len()];
    let mut sources = Sources::default();
    for (index, draft) in drafts.iter().enumerate() {
        let found: Vec<usize> = draft.needs.iter().filter_map(|need| names.need(index, *need, problems)).collect();
        let back = names.back_arcs(index, draft, problems);
        certain[index] = found.len() == draft.needs.len() && back.len() == draft.back_from.len();
        sources.needs.push(found);
        sources.back_from.push(back);
    }
    sources.cancelled = cancellation::paths(&drafts, &names, problems);
    sources.jumps = names.jumps(&drafts, problems);
    let first = drafts.first().map_or_else(Span::start, |draft| draft.span.clone());
    if let Some(problem) = too_many_arcs(sources.count(), &first) {
        problems.push(problem);
        sources.clear();
    }
    let before = sources.before();
    let order = topological_order(&before);
    if order.len() < drafts.len() {
        cycles(&drafts, &before, &order, problems);
    } else {
        cycle_of_and_joins(&drafts, &sources, problems);
    }
    spread_doubt(&before, &order, &mut certain);
    let Arcs { arcs, incoming, outgoing, paths, mut jumps } = Arcs::of(&sources);
    let spans = drafts.iter().map(|draft| draft.span.clone()).collect();
    let regions = cancellation::regions(&drafts, regions, problems);
    let counting: Vec<_> =
        drafts.iter_mut().enumerate().filter_map(|(index, draft)| Some((index, draft.generations.take()?))).collect();
    let merging: Vec<_> =
        drafts.iter_mut().enumerate().filter_map(|(index, draft)| Some((index, draft.or.take()?))).collect();
    let written: Vec<Written<'_>> =
        drafts.iter().map(|draft| Written { span: draft.span, group: draft.choice_group }).collect();
    let several: BTreeSet<usize> =
        (0..).zip(&drafts).filter(|(_, draft)| draft.stage.instances.is_some()).map(|(index, _)| index).collect();
    let mut stages = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.into_iter().enumerate() {
        let successors = Successors::of(index, &outgoing[index], &arcs, &names);
        let split = successors.split(&draft, problems);
        let (incoming, outgoing) = (incoming[index].clone(), outgoing[index].clone());
        if let Some(problem) = names.started_inside(index, &draft.stage, draft.span) {
            problems.push(problem);
        }
        let cancellation = cancellation::resolve(&draft.cancellation, index, (&names, &regions, &several), problems);
        let mut instances = draft.stage.instances;
        for (withdrawal, by) in cancellation::ended_by(&draft.cancellation, index, &names, problems) {
            instances.iter_mut().for_each(|instances| instances.add_outside(withdrawal, by));
        }
        let cancellation = Cancellation { path: paths[index], ..cancellation };
        let jumps = std::mem::take(&mut jumps[index]);
        stages.push(GraphStage { incoming, outgoing, split, cancellation, instances, jumps, ..draft.stage });
    }
    check_choices(&stages, &arcs, &written, problems);
    let back_from = sources.not_forward();
    let doubts = Vec::new();
    let predecessors = before;
    let mut connected =
        Connected { stages, arcs, names, spans, predecessors, back_from, order, certain, regions, doubts };
    generations::check_merges(&connected, problems);
    synchronizing::check_arcs(&connected, problems);
    if let Some(splits) = Splits::of(&connected).filter(|_| !counting.is_empty() || !merging.is_empty()) {
        connected.doubts = generations::fit(&counting, &mut connected, &splits, problems);
        synchronizing::check(&merging, &connected, &splits, problems);
    }
    check_counting(&connected, problems);
    connected
}

/// Where the arcs to each stage come from.
#[derive(Default)]
pub(in crate::definition) struct Sources {
    /// The stages it needs, in the order of `needs`.
    pub(in crate::definition) needs: Vec<Vec<usize>>,
    /// The arcs that lead back to it, in the order of `back_from`.
    pub(in crate::definition) back_from: Vec<Vec<BackArc>>,
    /// The stages of which it takes over what is canceled, ascending.
    pub(in crate::definition) cancelled: Vec<Vec<usize>>,
    /// The jumps that lead to it, by the places of the stages they come from.
    pub(in crate::definition) jumps: Vec<Vec<BackArc>>,
}

impl Sources {
    fn count(&self) -> usize {
        self.needs.iter().map(|from| from.len().max(1)).sum::<usize>()
            + self.back_from.iter().chain(&self.jumps).map(Vec::len).sum::<usize>()
            + self.cancelled.iter().map(Vec::len).sum::<usize>()
    }

    fn clear(&mut self) {
        self.needs.iter_mut().chain(&mut self.cancelled).for_each(Vec::clear);
        self.back_from.iter_mut().chain(&mut self.jumps).for_each(Vec::clear);
    }

    /// By stage where control comes from over arcs that lead back, or by jumps.
    fn not_forward(&self) -> Vec<Vec<usize>> {
        let arcs = self.back_from.iter().zip(&self.jumps);
        arcs.map(|(back, jumps)| back.iter().chain(jumps).map(|arc| arc.from).collect()).collect()
    }

    /// The stages that come before each stage: those it needs, and those of which it takes over what is canceled.
    pub(in crate::definition) fn before(&self) -> Vec<Vec<usize>> {
        let pairs = self.needs.iter().zip(&self.cancelled);
        pairs.map(|(needs, cancelled)| needs.iter().chain(cancelled).copied().collect()).collect()
    }
}

/// An arc that leads back, or over which a jump comes.
pub(in crate::definition) struct BackArc {
    /// The place of the stage it comes from.
    pub(in crate::definition) from: usize,
    /// How many tokens may come this way.
    pub(in crate::definition) max_iterations: Option<u32>,
}

fn too_many_arcs(total: usize, span: &Span) -> Option<Problem> {
    let message = format!("{total} arcs, more than {ARCS_MAX}");
    (total > ARCS_MAX).then(|| Problem::error(ProblemCode::TooManyArcs, span, message))
}

/// The ref ids of a definition.
pub(in crate::definition) struct Names {
    by_name: BTreeMap<String, usize>,
    names: Vec<String>,
    /// By stage the one in whose block it stands, and which part of that it is.
    parents: Vec<(Option<usize>, StagePhase)>,
}

impl Names {
    fn of(drafts: &[StageDraft<'_>], problems: &mut Vec<Problem>) -> Names {
        let mut by_name = BTreeMap::new();
        for (index, draft) in drafts.iter().enumerate() {
            let ref_id = &draft.stage.ref_id;
            if by_name.contains_key(ref_id) {
                let message = format!("two stages have the ref id `{ref_id}`");
                problems.push(Problem::error(ProblemCode::DuplicateStage, draft.span, message));
            } else {
                by_name.insert(ref_id.clone(), index);
            }
        }
        let names = drafts.iter().map(|draft| draft.stage.ref_id.clone()).collect();
        Names { by_name, names, parents: drafts.iter().map(|draft| (draft.parent, draft.stage.phase)).collect() }
    }

    /// Where the stage with this ref id stands.
    pub(in crate::definition) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The ref id of a stage.
    pub(in crate::definition) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// The stage in whose block a stage stands; `None` is the workflow itself.
    pub(in crate::definition) fn parent(&self, index: usize) -> Option<usize> {
        self.parents.get(index)?.0
    }

    /// Which part of the stage around it a stage belongs to.
    pub(in crate::definition) fn phase(&self, index: usize) -> StagePhase {
        self.parents.get(index).map_or(StagePhase::Body, |(_, phase)| *phase)
    }

    /// The problem that no stage has this ref id.
    pub(in crate::definition) fn unknown(&self, name: &str, span: &Span) -> Problem {
        let shown: String = name.chars().take(80).collect();
        let hint = closest(name, self.by_name.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        Problem::error(ProblemCode::UnknownStage, span, format!("there is no stage `{shown}`")).with_hint(hint)
    }

    /// The arcs that lead back to a stage, without those that come from nowhere or twice.
    fn back_arcs(&self, own: usize, draft: &StageDraft<'_>, problems: &mut Vec<Problem>) -> Vec<BackArc> {
        let mut known: BTreeSet<&str> = draft.needs.iter().map(|need| need.text).collect();
        let mut found = Vec::new();
        for BackDraft { from, max_iterations } in &draft.back_from {
            if problems.len() >= PROBLEMS_MAX {
                break;
            }
            if !known.insert(from.text) {
                let message = format!("`{}` stands twice in needs and back_from", from.text);
                problems.push(Problem::error(ProblemCode::DuplicateReference, from.span, message));
                continue;
            }
            match self.find(from.text) {
                Some(index) if !self.share_a_block(own, index) => {
                    problems.push(self.crossing(own, index, from.span));
                }
                Some(index) => found.push(BackArc { from: index, max_iterations: *max_iterations }),
                None => problems.push(self.unknown(from.text, from.span)),
            }
        }
        found
    }

    /// The stage that the `index`-th needs, unless there is none.
    fn need(&self, index: usize, need: Named<'_>, problems: &mut Vec<Problem>) -> Option<usize> {
        match self.find(need.text) {
            Some(found) if found == index => {
                let message = format!("`{}` needs itself", need.text);
                problems.push(Problem::error(ProblemCode::NeedsItself, need.span, message));
                None
            }
            Some(found) if !self.share_a_block(index, found) => {
                problems.push(self.crossing(index, found, need.span));
                None
            }
            Some(found) => Some(found),
            None if problems.len() >= PROBLEMS_MAX => None,
            None => {
                problems.push(self.unknown(need.text, need.span));
                None
            }
        }
    }
}

/// The arcs of a graph, and by stage those that lead there and those that start there.
pub(in crate::definition) struct Arcs {
    pub(in crate::definition) arcs: Vec<GraphArc>,
    pub(in crate::definition) incoming: Vec<Vec<ArcIndex>>,
    pub(in crate::definition) outgoing: Vec<Vec<ArcIndex>>,
    /// The arc on which control goes on from a stage that is canceled; it is not among the outgoing ones.
    pub(in crate::definition) paths: Vec<Option<ArcIndex>>,
    /// The arcs over which its tasks may send control elsewhere; neither incoming nor outgoing.
    pub(in crate::definition) jumps: Vec<Vec<ArcIndex>>,
}

impl Arcs {
    /// Grouped by the stage they lead to, in definition order; a stage that comes first has one from the start.
    pub(in crate::definition) fn of(sources: &Sources) -> Arcs {
        let mut arcs = Vec::new();
        let mut incoming = vec![Vec::new(); sources.needs.len()];
        let mut outgoing = vec![Vec::new(); sources.needs.len()];
        let mut paths = vec![None; sources.needs.len()];
        let mut jumps = vec![Vec::new(); sources.needs.len()];
        let ways = sources.needs.iter().zip(&sources.back_from).zip(&sources.cancelled).zip(&sources.jumps);
        for (to, (((from, back), cancelled), jumped)) in ways.enumerate() {
            let is_first = from.is_empty() && cancelled.is_empty();
            let forward: Vec<Option<usize>> =
                if is_first { vec![None] } else { from.iter().copied().map(Some).collect() };
            let forward = forward.into_iter().map(|source| (source, ArcKind::Forward, None));
            let back = back.iter().map(|arc| (Some(arc.from), ArcKind::Back, arc.max_iterations));
            let cancelled = cancelled.iter().map(|from| (Some(*from), ArcKind::Cancelled, None));
            let jumped = jumped.iter().map(|arc| (Some(arc.from), ArcKind::Jump, arc.max_iterations));
            for (source, kind, max_iterations) in forward.chain(back).chain(cancelled).chain(jumped) {
                let arc = ArcIndex::new(u32::try_from(arcs.len()).expect("there are at most ARCS_MAX arcs"));
                arcs.push(GraphArc { from: source.map(stage_index), to: stage_index(to), kind, max_iterations });
                if kind == ArcKind::Jump {
                    source.into_iter().for_each(|source| jumps[source].push(arc));
                    continue;
                }
                incoming[to].push(arc);
                match source {
                    Some(source) if kind == ArcKind::Cancelled => paths[source] = Some(arc),
                    Some(source) => outgoing[source].push(arc),
                    None => (),
                }
            }
        }
        Arcs { arcs, incoming, outgoing, paths, jumps }
    }
}

fn stage_index(index: usize) -> StageIndex {
    StageIndex::new(u32::try_from(index).expect("there are at most STAGES_MAX stages"))
}

/// Stages after all they need; those on a cycle, and those that need them, are left out.
pub(in crate::definition) fn topological_order(predecessors: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = predecessors.iter().map(Vec::len).collect();
    let mut successors = vec![Vec::new(); predecessors.len()];
    for (to, from) in predecessors.iter().enumerate() {
        for source in from {
            successors[*source].push(to);
        }
    }
    let mut order: Vec<usize> = (0..predecessors.len()).filter(|index| missing[*index] == 0).collect();
    let mut next = 0;
    while let Some(&index) = order.get(next) {
        next += 1;
        for successor in &successors[index] {
            missing[*successor] -= 1;
            if missing[*successor] == 0 {
                order.push(*successor);
            }
        }
    }
    order
}

/// What comes before a stage is known if it is known for all the stage needs, and they are not on a cycle.
fn spread_doubt(predecessors: &[Vec<usize>], order: &[usize], certain: &mut [bool]) {
    let mut ordered = vec![false; predecessors.len()];
    for &index in order {
        ordered[index] = true;
        certain[index] &= predecessors[index].iter().all(|from| certain[*from]);
    }
    for (certain, ordered) in certain.iter_mut().zip(ordered) {
        *certain &= ordered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_have_a_limit() {
        assert_eq!(too_many_arcs(ARCS_MAX, &Span::start()), None);
        let problem = too_many_arcs(ARCS_MAX + 1, &Span::start()).unwrap();
        assert_eq!(problem.code(), ProblemCode::TooManyArcs);
    }
}
