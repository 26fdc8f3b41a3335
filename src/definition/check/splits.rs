//! Fits the fields of a split to the arcs of its stage.

use std::collections::{BTreeMap, BTreeSet};

use super::arcs::Names;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Node, Span};
use crate::definition::graph::{Branch, GraphArc, Split, Target};
use crate::definition::problem::Problem;
use crate::definition::reading::{Conditional, Named, SplitDraft, StageDraft};
use crate::expression::Expression;
use crate::ids::ArcIndex;
use crate::limits::{LISTED_MAX, PROBLEMS_MAX};

/// Where a branch leads that ends there.
pub(in crate::definition) const END: &str = "$end";

/// What follows a stage: the arcs that lead there, by the place of the stage.
pub(super) struct Successors<'g> {
    stage: usize,
    arcs: BTreeMap<usize, ArcIndex>,
    names: &'g Names,
}

impl<'g> Successors<'g> {
    /// The stages that these arcs, those from `stage`, lead to.
    pub(super) fn of(stage: usize, outgoing: &[ArcIndex], arcs: &[GraphArc], names: &'g Names) -> Successors<'g> {
        Successors { stage, arcs: outgoing.iter().map(|arc| (arcs[arc.index()].to.index(), *arc)).collect(), names }
    }

    /// The split of the stage these follow. What does not fit goes to `problems`.
    pub(super) fn split(&self, draft: &StageDraft<'_>, problems: &mut Vec<Problem>) -> Split {
        let (kind, span, conditions, default, order) = match &draft.split {
            SplitDraft::And => return Split::And,
            SplitDraft::Thread { count } => return Split::Thread { count: *count },
            SplitDraft::Deferred => return Split::Deferred,
            SplitDraft::Conditional { kind, span, conditions, default, order } => {
                (kind, span, conditions, default, order)
            }
        };
        if conditions.is_empty() {
            let problem = Problem::error(ProblemCode::MissingKey, span, "a split without conditions")
                .with_help("write split_conditions: { STAGE: EXPRESSION }");
            problems.push(problem);
        } else if *kind == Conditional::Xor {
            self.never_taken(span, conditions.iter().map(|(named, _)| named).chain(default), problems);
        }
        let mut branches = Vec::new();
        for (named, condition) in ordered(conditions, order.as_ref()) {
            if let (Some(target), Some(condition)) = (self.target(named, problems), condition) {
                branches.push(Branch { target, condition: condition.clone() });
            }
        }
        check_order(conditions, order.as_ref(), problems);
        let default = default.as_ref().and_then(|named| self.target(named, problems));
        match kind {
            Conditional::Xor => Split::Xor { branches, default },
            Conditional::Or => {
                if self.arcs.len() > LISTED_MAX {
                    let message = format!("an OR split with {} arcs, more than {LISTED_MAX}", self.arcs.len());
                    problems.push(Problem::error(ProblemCode::TooManyArcs, span, message));
                }
                let outgoing: Vec<ArcIndex> = self.arcs.values().copied().collect();
                Split::or(branches, default, &outgoing)
            }
        }
    }

    fn target(&self, named: &Named<'_>, problems: &mut Vec<Problem>) -> Option<Target> {
        if named.text == END {
            return Some(Target::End);
        }
        let Some(stage) = self.names.find(named.text) else {
            if problems.len() >= PROBLEMS_MAX {
                return None;
            }
            problems.push(self.names.unknown(named.text, named.span));
            return None;
        };
        let arc = self.arcs.get(&stage);
        if !self.names.share_a_block(self.stage, stage) {
            problems.push(self.names.crossing(self.stage, stage, named.span));
        } else if arc.is_none() {
            let message = format!("`{}` does not need this stage, so no branch leads there", named.text);
            let help = format!("add this stage to the needs of `{}`", named.text);
            problems.push(Problem::error(ProblemCode::NotASuccessor, named.span, message).with_help(help));
        }
        arc.copied().map(Target::Arc)
    }

    /// Reports the stages that follow and are not among the named ones.
    fn never_taken<'n>(&self, span: &Span, named: impl Iterator<Item = &'n Named<'n>>, problems: &mut Vec<Problem>) {
        let named: BTreeSet<&str> = named.map(|named| named.text).collect();
        for name in self.arcs.keys().map(|stage| self.names.name(*stage)).filter(|name| !named.contains(name)) {
            let message = format!("`{name}` follows this split and has neither a condition nor is it the default");
            let help = "name it in split_conditions or split_default";
            problems.push(Problem::error(ProblemCode::BranchNeverTaken, span, message).with_help(help));
        }
    }
}

type Condition<'d> = (Named<'d>, Option<Expression>);
type Order<'d> = (&'d Node, Vec<Named<'d>>);

/// The conditions in the order in which they are tried: as listed, then as written.
fn ordered<'s, 'd>(conditions: &'s [Condition<'d>], order: Option<&Order<'_>>) -> Vec<&'s Condition<'d>> {
    let listed = order.map(|(_, order)| order.as_slice()).unwrap_or_default();
    let places: BTreeMap<&str, usize> = listed.iter().enumerate().map(|(place, named)| (named.text, place)).collect();
    let mut sorted: Vec<&Condition<'d>> = conditions.iter().collect();
    sorted.sort_by_key(|(named, _)| places.get(named.text).copied().unwrap_or(usize::MAX));
    sorted
}

/// An order names each condition once; naming one twice is reported where the list is read.
fn check_order(conditions: &[Condition<'_>], order: Option<&Order<'_>>, problems: &mut Vec<Problem>) {
    let Some((node, order)) = order else { return };
    let with_condition: BTreeSet<&str> = conditions.iter().map(|(named, _)| named.text).collect();
    let listed: BTreeSet<&str> = order.iter().map(|named| named.text).collect();
    for named in order.iter().filter(|named| !with_condition.contains(named.text)) {
        let message = format!("`{}` has no condition in split_conditions", named.text);
        problems.push(Problem::error(ProblemCode::SplitOrderIncomplete, named.span, message));
    }
    for missing in with_condition.difference(&listed) {
        let message = format!("split_order does not name `{missing}`");
        problems.push(Problem::error(ProblemCode::SplitOrderIncomplete, &node.span, message));
    }
}
