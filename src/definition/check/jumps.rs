//! Jumps: where the tasks of a stage may send control has to stand in its block.

use super::arcs::{BackArc, Names};
use crate::definition::code::ProblemCode;
use crate::definition::problem::Problem;
use crate::definition::reading::{BackDraft, StageDraft};
use crate::limits::PROBLEMS_MAX;

impl Names {
    /// By stage the jumps that lead there, without those to nowhere or twice to the same stage.
    pub(super) fn jumps(&self, drafts: &[StageDraft<'_>], problems: &mut Vec<Problem>) -> Vec<Vec<BackArc>> {
        let mut found: Vec<Vec<BackArc>> = drafts.iter().map(|_| Vec::new()).collect();
        for (from, draft) in drafts.iter().enumerate() {
            for BackDraft { from: named, max_iterations } in &draft.jump_targets {
                if problems.len() >= PROBLEMS_MAX {
                    return found;
                }
                match self.find(named.text) {
                    None => problems.push(self.unknown(named.text, named.span)),
                    Some(to) if !self.share_a_block(from, to) => problems.push(self.crossing(from, to, named.span)),
                    Some(to) if found[to].iter().any(|known| known.from == from) => {
                        let message = format!("`{}` stands twice in jump_targets", named.text);
                        problems.push(Problem::error(ProblemCode::DuplicateReference, named.span, message));
                    }
                    Some(to) => found[to].push(BackArc { from, max_iterations: *max_iterations }),
                }
            }
        }
        found
    }
}
