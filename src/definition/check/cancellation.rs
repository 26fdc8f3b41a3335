//! Looks up what stages cancel and what cancels them.

use super::arcs::Names;
use crate::definition::cancellation::{Boundary, CancelTarget, Cancellation};
use crate::definition::code::ProblemCode;
use crate::definition::problem::Problem;
use crate::definition::reading::{CancellationDraft, Named, TargetDraft};
use crate::ids::StageIndex;
use crate::limits::PROBLEMS_MAX;

/// What the `index`-th stage has to do with cancellation, the arc of `on_cancelled` aside. What does not fit goes to
/// `problems`.
pub(super) fn resolve(
    draft: &CancellationDraft<'_>,
    index: usize,
    names: &Names,
    problems: &mut Vec<Problem>,
) -> Cancellation {
    let mut other = |named: &Named<'_>, message: &str, help: &str| {
        let found = look_up(named, names, problems)?;
        if found.index() == index {
            let message = format!("`{}` {message}", named.text);
            problems.push(Problem::error(ProblemCode::CancelsItself, named.span, message).with_help(help));
        }
        Some(found)
    };
    let cancels = draft.cancels.iter().filter_map(|target| match target {
        TargetDraft::Stage(named) => {
            let help = "an activation that has succeeded is over; name another stage";
            other(named, "cancels itself", help).map(CancelTarget::Stage)
        }
        TargetDraft::Workflow => Some(CancelTarget::Workflow),
    });
    let cancels = cancels.collect();
    let completed = draft.completed.iter();
    let completed = completed
        .filter_map(|named| other(named, "is to end when it has completed", "name another stage, or leave it out"));
    let boundary = Boundary { timer: draft.timer, completed: completed.collect() };
    Cancellation { cancels, boundary, ending: draft.ending, ..Cancellation::default() }
}

fn look_up(named: &Named<'_>, names: &Names, problems: &mut Vec<Problem>) -> Option<StageIndex> {
    match names.find(named.text) {
        Some(found) => u32::try_from(found).ok().map(StageIndex::new),
        None => {
            if problems.len() < PROBLEMS_MAX {
                problems.push(names.unknown(named.text, named.span));
            }
            None
        }
    }
}
