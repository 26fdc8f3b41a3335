//! Circles of stages: those without a declared way back, and those that could never go round.

use super::arcs::{Sources, topological_order};
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::graph::Join;
use crate::definition::problem::Problem;
use crate::definition::reading::StageDraft;

/// Reports each cycle that is met when going back from the stages that are not in `order`.
pub(super) fn cycles(
    drafts: &[StageDraft<'_>],
    predecessors: &[Vec<usize>],
    order: &[usize],
    problems: &mut Vec<Problem>,
) {
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

/// Stages that are walked to find a circle of which only the first names are shown.
const WAY_MAX: usize = 1_000;

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

/// Reports a circle, ways back included, in which every stage waits for all its arcs: each waits for the one before.
pub(super) fn cycle_of_and_joins(drafts: &[StageDraft<'_>], sources: &Sources, problems: &mut Vec<Problem>) {
    let waits = |stage: usize| matches!(drafts[stage].stage.join, Join::And | Join::GeneralizedAnd);
    if sources.back_from.iter().all(Vec::is_empty) {
        return;
    }
    let waited_for = |(to, needs): (usize, &Vec<usize>)| -> Vec<usize> {
        if !waits(to) {
            return Vec::new();
        }
        let back = sources.back_from[to].iter().map(|arc| arc.from);
        needs.iter().copied().chain(back).filter(|from| waits(*from)).collect()
    };
    let predecessors: Vec<Vec<usize>> = sources.needs.iter().enumerate().map(waited_for).collect();
    let order = topological_order(&predecessors);
    let mut ordered = vec![false; drafts.len()];
    order.iter().for_each(|index| ordered[*index] = true);
    let Some(start) = (0..drafts.len()).find(|index| !ordered[*index]) else { return };
    let mut way: Vec<usize> = Vec::new();
    let mut index = start;
    while !way.contains(&index) && way.len() <= WAY_MAX {
        way.push(index);
        // A stage that is left waits for another one that is left.
        match predecessors[index].iter().find(|from| !ordered[**from]) {
            Some(from) => index = *from,
            None => break,
        }
    }
    let circle = way.iter().position(|met| *met == index).map_or(way.as_slice(), |begin| &way[begin..]);
    let mut names: Vec<&str> = circle.iter().map(|index| drafts[*index].stage.ref_id.as_str()).collect();
    if names.len() > CYCLE_SHOWN {
        names.splice(CYCLE_SHOWN - 1.., ["..."]);
    }
    let message = format!("each stage of this circle waits for the one before it: {}", names.join(", "));
    let span = circle.first().and_then(|index| drafts.get(*index)).map_or_else(Span::start, |draft| draft.span.clone());
    problems.push(Problem::error(ProblemCode::CycleOfAndJoins, &span, message));
}
