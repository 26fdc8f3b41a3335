//! Where a workflow ends only at nominated stages, every stage has to lead to one.

use super::arcs::Connected;
use crate::definition::cancellation::{Ending, Termination};
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::problem::Problem;
use crate::limits::PROBLEMS_MAX;

/// Checks `termination`, which is written at `span`. What does not fit goes to `problems`.
pub(in crate::definition) fn check_ending(
    (termination, span): (Termination, &Span),
    connected: &Connected,
    problems: &mut Vec<Problem>,
) {
    // What is not connected rightly is said elsewhere, and what would follow from it may be wrong.
    if termination != Termination::Explicit || !problems.is_empty() {
        return;
    }
    let stages = &connected.stages;
    let ends = |index: &usize| stages[*index].cancellation.ending == Ending::Terminate;
    let mut ahead: Vec<usize> = (0..stages.len()).filter(ends).collect();
    if ahead.is_empty() {
        let message = "no stage ends the workflow, so it could never succeed";
        problems.push(Problem::error(ProblemCode::NotOnPath, span, message).with_help("add end: terminate to a stage"));
        return;
    }
    let mut leads = vec![false; stages.len()];
    ahead.iter().for_each(|index| leads[*index] = true);
    while let Some(index) = ahead.pop() {
        let before = stages[index].incoming.iter().filter_map(|arc| connected.arcs[arc.index()].from);
        // Jumps among them.
        let others = connected.back_from[index].iter().copied();
        for from in before.map(|from| from.index()).chain(others) {
            if !std::mem::replace(&mut leads[from], true) {
                ahead.push(from);
            }
        }
    }
    // What is nested ends with the stage around it.
    let nested = |index: usize| connected.names.home(index).is_some();
    for (index, _) in leads.iter().enumerate().filter(|(index, leads)| !**leads && !nested(*index)) {
        if problems.len() >= PROBLEMS_MAX {
            return;
        }
        let message = format!("no path leads from `{}` to a stage that ends the workflow", stages[index].ref_id);
        problems.push(Problem::error(ProblemCode::NotOnPath, &connected.spans[index], message));
    }
}
