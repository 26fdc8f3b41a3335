//! Connects stages by their `needs`: arcs and cycles, with everything that is wrong with them.

use std::collections::BTreeMap;

use super::cancellation;
use super::splits::Successors;
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::graph::{GraphArc, GraphStage};
use crate::definition::problem::Problem;
use crate::definition::reading::{Named, StageDraft, closest};
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
    /// Stages behind those they need; those on a cycle, and what follows them, are left out.
    pub(in crate::definition) order: Vec<usize>,
    /// Whether all that comes before a stage is known: a broken arc or a cycle there makes it a guess.
    pub(in crate::definition) certain: Vec<bool>,
}

/// Makes the graph of these stages. What is wrong goes to `problems`; then the graph is good for further checks only.
pub(in crate::definition) fn connect(drafts: Vec<StageDraft<'_>>, problems: &mut Vec<Problem>) -> Connected {
    let names = Names::of(&drafts, problems);
    let mut certain = vec![true; drafts.len()];
    let mut predecessors = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter().enumerate() {
        let found: Vec<usize> = draft.needs.iter().filter_map(|need| names.need(index, *need, problems)).collect();
        certain[index] = found.len() == draft.needs.len();
        predecessors.push(found);
    }
    let total = predecessors.iter().map(|from| from.len().max(1)).sum();
    let first = drafts.first().map_or_else(Span::start, |draft| draft.span.clone());
    if let Some(problem) = too_many_arcs(total, &first) {
        problems.push(problem);
        predecessors.iter_mut().for_each(Vec::clear);
    }
    let order = topological_order(&predecessors);
    if order.len() < drafts.len() {
        cycles(&drafts, &predecessors, &order, problems);
    }
    spread_doubt(&predecessors, &order, &mut certain);
    let Arcs { arcs, incoming, outgoing } = Arcs::of(&predecessors);
    let spans = drafts.iter().map(|draft| draft.span.clone()).collect();
    let mut stages = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.into_iter().enumerate() {
        let successors = Successors::of(&outgoing[index], &arcs, &names);
        let split = successors.split(&draft, problems);
        let (incoming, outgoing) = (incoming[index].clone(), outgoing[index].clone());
        let cancellation = cancellation::resolve(&draft.cancellation, index, &names, problems);
        stages.push(GraphStage { incoming, outgoing, split, cancellation, ..draft.stage });
    }
    Connected { stages, arcs, names, spans, predecessors, order, certain }
}

fn too_many_arcs(total: usize, span: &Span) -> Option<Problem> {
    let message = format!("{total} arcs, more than {ARCS_MAX}");
    (total > ARCS_MAX).then(|| Problem::error(ProblemCode::TooManyArcs, span, message))
}

/// The ref ids of a definition.
pub(in crate::definition) struct Names {
    by_name: BTreeMap<String, usize>,
    names: Vec<String>,
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
        Names { by_name, names: drafts.iter().map(|draft| draft.stage.ref_id.clone()).collect() }
    }

    /// Where the stage with this ref id stands.
    pub(in crate::definition) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The ref id of a stage.
    pub(in crate::definition) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// The problem that no stage has this ref id.
    pub(in crate::definition) fn unknown(&self, name: &str, span: &Span) -> Problem {
        let shown: String = name.chars().take(80).collect();
        let hint = closest(name, self.by_name.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        Problem::error(ProblemCode::UnknownStage, span, format!("there is no stage `{shown}`")).with_hint(hint)
    }

    /// The stage that the `index`-th needs, unless there is none.
    fn need(&self, index: usize, need: Named<'_>, problems: &mut Vec<Problem>) -> Option<usize> {
        match self.find(need.text) {
            Some(found) if found == index => {
                let message = format!("`{}` needs itself", need.text);
                problems.push(Problem::error(ProblemCode::NeedsItself, need.span, message));
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
}

impl Arcs {
    /// Grouped by the stage they lead to, in definition order; a stage that needs none has one from the start.
    pub(in crate::definition) fn of(predecessors: &[Vec<usize>]) -> Arcs {
        let mut arcs = Vec::new();
        let mut incoming = vec![Vec::new(); predecessors.len()];
        let mut outgoing = vec![Vec::new(); predecessors.len()];
        for (to, from) in predecessors.iter().enumerate() {
            let sources: Vec<Option<usize>> =
                if from.is_empty() { vec![None] } else { from.iter().copied().map(Some).collect() };
            for source in sources {
                let arc = ArcIndex::new(u32::try_from(arcs.len()).expect("there are at most ARCS_MAX arcs"));
                arcs.push(GraphArc { from: source.map(stage_index), to: stage_index(to) });
                incoming[to].push(arc);
                if let Some(source) = source {
                    outgoing[source].push(arc);
                }
            }
        }
        Arcs { arcs, incoming, outgoing }
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

/// Reports each cycle that is met when going back from the stages that are not in `order`.
fn cycles(drafts: &[StageDraft<'_>], predecessors: &[Vec<usize>], order: &[usize], problems: &mut Vec<Problem>) {
    let mut ordered = vec![false; drafts.len()];
    order.iter().for_each(|index| ordered[*index] = true);
    // The walk each stage was first met on.
    let mut met: Vec<Option<usize>> = vec![None; drafts.len()];
    for start in (0..drafts.len()).filter(|index| !ordered[*index]) {
        let mut way = Vec::new();
        let mut index = start;
        while met[index].is_none() {
            met[index] = Some(start);
            way.push(index);
            // A stage that is left needs another one that is left.
            match predecessors[index].iter().find(|from| !ordered[**from]) {
                Some(from) => index = *from,
                None => break,
            }
        }
        if met[index] == Some(start)
            && let Some(begin) = way.iter().position(|met| *met == index)
        {
            problems.push(cycle(drafts, &way[begin..]));
        }
    }
}

/// Names shown of a long cycle.
const CYCLE_SHOWN: usize = 8;

fn cycle(drafts: &[StageDraft<'_>], way: &[usize]) -> Problem {
    let first = (0..way.len()).min_by_key(|place| way[*place]).unwrap_or(0);
    let mut names: Vec<&str> =
        way.iter().cycle().skip(first).take(way.len() + 1).map(|index| drafts[*index].stage.ref_id.as_str()).collect();
    if names.len() > CYCLE_SHOWN {
        names.splice(CYCLE_SHOWN - 1..names.len() - 1, ["..."]);
    }
    let message = format!("stages need each other in a circle: {}", names.join(" needs "));
    let span = drafts.get(way[first]).map_or_else(Span::start, |draft| draft.span.clone());
    Problem::error(ProblemCode::CycleWithoutBackEdge, &span, message)
        .with_help("stages start when all they need have ended; these never could")
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
