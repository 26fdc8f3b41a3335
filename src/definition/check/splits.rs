//! Fits the fields of a split to the arcs of its stage.

use super::arcs::Names;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Node, Span};
use crate::definition::graph::{Branch, GraphArc, Split, Target};
use crate::definition::problem::Problem;
use crate::definition::reading::{Named, SplitDraft, StageDraft};
use crate::expression::Expression;
use crate::ids::ArcIndex;

/// Where a branch leads that ends there.
pub(in crate::definition) const END: &str = "$end";

/// What follows a stage.
pub(super) struct Successors<'g> {
    pub(super) arcs: &'g [GraphArc],
    pub(super) outgoing: &'g [ArcIndex],
    pub(super) names: &'g Names,
}

impl Successors<'_> {
    /// The split of the stage these follow. What does not fit goes to `problems`.
    pub(super) fn split(&self, draft: &StageDraft<'_>, problems: &mut Vec<Problem>) -> Split {
        let SplitDraft::Xor { span, conditions, default, order } = &draft.split else {
            return Split::And;
        };
        if conditions.is_empty() {
            let problem = Problem::error(ProblemCode::MissingKey, span, "a split without conditions")
                .with_help("write split_conditions: { STAGE: EXPRESSION }");
            problems.push(problem);
        }
        let mut target = |named: &Named<'_>| self.target(named, problems);
        let mut branches = Vec::new();
        for (named, condition) in ordered(conditions, order.as_ref()) {
            if let (Some(target), Some(condition)) = (target(named), condition) {
                branches.push(Branch { target, condition: condition.clone() });
            }
        }
        let default_target = default.as_ref().and_then(target);
        self.never_taken(span, conditions, default.as_ref(), problems);
        check_order(conditions, order.as_ref(), problems);
        Split::Xor { branches, default: default_target }
    }

    fn target(&self, named: &Named<'_>, problems: &mut Vec<Problem>) -> Option<Target> {
        if named.text == END {
            return Some(Target::End);
        }
        let Some(stage) = self.names.find(named.text) else {
            problems.push(self.names.unknown(named.text, named.span));
            return None;
        };
        let arc = self.outgoing.iter().find(|arc| self.leads_to(**arc) == stage);
        if arc.is_none() {
            let message = format!("`{}` does not need this stage, so no branch leads there", named.text);
            let help = format!("add this stage to the needs of `{}`", named.text);
            problems.push(Problem::error(ProblemCode::NotASuccessor, named.span, message).with_help(help));
        }
        arc.copied().map(Target::Arc)
    }

    fn leads_to(&self, arc: ArcIndex) -> usize {
        self.arcs[arc.index()].to.index()
    }

    fn never_taken(
        &self,
        span: &Span,
        conditions: &[(Named<'_>, Option<Expression>)],
        default: Option<&Named<'_>>,
        problems: &mut Vec<Problem>,
    ) {
        for arc in self.outgoing {
            let name = self.names.name(self.leads_to(*arc));
            let named = conditions.iter().map(|(named, _)| named).chain(default).any(|named| named.text == name);
            if !named && !conditions.is_empty() {
                let message = format!("`{name}` follows this split and has neither a condition nor is it the default");
                let help = "name it in split_conditions or split_default";
                problems.push(Problem::error(ProblemCode::BranchNeverTaken, span, message).with_help(help));
            }
        }
    }
}

type Condition<'d> = (Named<'d>, Option<Expression>);
type Order<'d> = (&'d Node, Vec<Named<'d>>);

/// The conditions in the order in which they are tried: as listed, then as written.
fn ordered<'s, 'd>(conditions: &'s [Condition<'d>], order: Option<&Order<'_>>) -> Vec<&'s Condition<'d>> {
    let listed = |named: &Named<'_>| {
        let place = order.and_then(|(_, order)| order.iter().position(|other| other.text == named.text));
        place.unwrap_or(usize::MAX)
    };
    let mut sorted: Vec<&Condition<'d>> = conditions.iter().collect();
    sorted.sort_by_key(|(named, _)| listed(named));
    sorted
}

/// An order names each condition once; naming one twice is reported where the list is read.
fn check_order(conditions: &[Condition<'_>], order: Option<&Order<'_>>, problems: &mut Vec<Problem>) {
    let Some((node, order)) = order else { return };
    for named in order {
        if conditions.iter().all(|(other, _)| other.text != named.text) {
            let message = format!("`{}` has no condition in split_conditions", named.text);
            problems.push(Problem::error(ProblemCode::SplitOrderIncomplete, named.span, message));
        }
    }
    for (named, _) in conditions {
        if order.iter().all(|other| other.text != named.text) {
            let message = format!("split_order does not name `{}`", named.text);
            problems.push(Problem::error(ProblemCode::SplitOrderIncomplete, &node.span, message));
        }
    }
}
