//! Blocks: the stages nested in one stage are a graph of their own, which control enters and leaves only by that stage.

use super::arcs::Names;
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::graph::GraphStage;
use crate::definition::phase::StagePhase;
use crate::definition::problem::Problem;

impl Names {
    /// Whether two stages stand in the same block.
    pub(super) fn share_a_block(&self, one: usize, other: usize) -> bool {
        (self.parent(one), self.phase(one)) == (self.parent(other), self.phase(other))
    }

    /// What a stage stands inside, as people are told; `None` is the workflow itself.
    pub(super) fn home(&self, stage: usize) -> Option<String> {
        match (self.parent(stage), self.phase(stage)) {
            (None, StagePhase::Body) => None,
            (None, phase) => Some(format!("`{}`", phase.name())),
            (Some(parent), _) => Some(format!("`{}`", self.name(parent))),
        }
    }

    /// Is a stage done when the workflow ends: is it, or what it is nested in, part of `finally` or a compensation?
    pub(super) fn is_at_the_end(&self, stage: usize) -> bool {
        std::iter::once(stage).chain(self.around(stage)).any(|outer| self.phase(outer).is_at_the_end())
    }

    /// The stages in which a stage is nested, from the inside out.
    pub(super) fn around(&self, stage: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parent(stage), |outer| self.parent(*outer))
    }

    /// The stage itself, or the one in which it is nested, that stands in the block of `other`.
    pub(super) fn beside(&self, stage: usize, other: usize) -> Option<usize> {
        std::iter::once(stage).chain(self.around(stage)).find(|outer| self.share_a_block(*outer, other))
    }

    /// The problem that `stage` names `named`, which stands in another block.
    pub(super) fn crossing(&self, stage: usize, named: usize, span: &Span) -> Problem {
        let (here, there) = (self.name(stage), self.name(named));
        let message = format!("`{there}` does not stand in the same block as `{here}`");
        let help = match (self.parent(named), self.beside(stage, named)) {
            // It stands further out.
            (_, Some(outer)) if outer != stage => {
                format!("only stages beside `{}` can name `{there}`; what they need has ended before", self.name(outer))
            }
            (Some(parent), _) => {
                let parent = self.name(parent);
                format!("control enters and leaves that block only by `{parent}`: name `{parent}`")
            }
            (None, _) => "control enters and leaves a block only by the stage around it".to_owned(),
        };
        Problem::error(ProblemCode::CrossesBlock, span, message).with_help(help)
    }

    /// The problem that signals start a stage inside another one: a thread that begins inside would have no way in.
    pub(super) fn started_inside(&self, stage: usize, spec: &GraphStage, span: &Span) -> Option<Problem> {
        let home = self.home(stage).filter(|_| spec.is_started_by_signals())?;
        let message = format!("`{}` stands inside {home} and cannot be started by signals", self.name(stage));
        let help = "let signals start the stage around it, or wait for them at a trigger without start";
        Some(Problem::error(ProblemCode::CrossesBlock, span, message).with_help(help))
    }
}
