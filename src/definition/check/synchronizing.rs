//! Holds what is said of the branches before an OR-join against the graph: its split, and what lies between the two
//! (WCP 7, 37).

use super::arcs::Connected;
use super::between::{Between, Flaw, Splits};
use crate::definition::code::ProblemCode;
use crate::definition::graph::{Join, OrScope, Split};
use crate::definition::problem::Problem;
use crate::definition::reading::OrDraft;
use crate::limits::LISTED_MAX;

/// Checks these joins, by the places of their stages.
pub(super) fn check(
    drafts: &[(usize, OrDraft<'_>)],
    connected: &Connected,
    splits: &Splits,
    problems: &mut Vec<Problem>,
) {
    for (join, draft) in drafts {
        let told = (ProblemCode::WrongJoinPair, "name that stage, or leave join_pair out");
        let is_pair = draft.pair.is_none_or(|named| splits.is_pair(connected, (*join, named), told, problems));
        let scope = connected.stages[*join].or_scope;
        if !is_pair || scope == OrScope::General {
            continue;
        }
        let found = match splits.between(connected, *join) {
            Ok(between) if scope == OrScope::Structured => structure(&between),
            Ok(between) => between.circle().map(|why| (ProblemCode::LoopInAcyclicCone, why)),
            Err(why) => Some((ProblemCode::NotStructured, why)),
        };
        let help = "write or_scope: general, by which the join decides in any case";
        problems.extend(found.map(|(code, why)| Problem::error(code, draft.span, why).with_help(help)));
    }
}

/// An OR-join lists the arcs it takes tokens from, and an event is bounded (R4).
pub(super) fn check_arcs(connected: &Connected, problems: &mut Vec<Problem>) {
    for (stage, span) in connected.stages.iter().zip(&connected.spans) {
        if stage.join == Join::Or && stage.incoming.len() > LISTED_MAX {
            let message = format!("an OR-join of {} arcs, more than {LISTED_MAX}", stage.incoming.len());
            problems.push(Problem::error(ProblemCode::TooManyArcs, span, message));
        }
    }
}

/// What keeps the branches from being those of one split, of which each brings one token or none.
fn structure(between: &Between<'_>) -> Option<(ProblemCode, Flaw)> {
    if let Some(why) = between.part_canceled() {
        return Some((ProblemCode::PartialCancelInStructuredRegion, why));
    }
    let flaw = between.circle().or_else(|| between.opening()).or_else(|| between.beginning());
    let flaw = flaw.or_else(|| between.missed()).or_else(|| between.end()).or_else(|| multiplied(between));
    flaw.map(|why| (ProblemCode::NotStructured, why))
}

/// A stage that may bring more than one token, or keeps some for itself.
fn multiplied(between: &Between<'_>) -> Option<Flaw> {
    let stages = &between.connected.stages;
    let threads = |stage: &usize| matches!(stages[*stage].split, Split::Thread { .. });
    let merges = |stage: &usize| !matches!(stages[*stage].join, Join::And | Join::Xor | Join::Or);
    let inside = between.stages.iter().find(|stage| merges(stage) || threads(stage));
    let stage = inside.or(between.pair.as_ref().filter(|pair| threads(pair)))?;
    Some(format!("`{}` may bring more than one token, or none", between.name(*stage)))
}
