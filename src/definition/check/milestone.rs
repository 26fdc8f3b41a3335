//! Looks up the stages that milestones are about.

use super::arcs::Connected;
use crate::definition::code::ProblemCode;
use crate::definition::flow::{ArcKind, Split};
use crate::definition::milestone::{Milestone, MilestoneCondition, Reached};
use crate::definition::problem::Problem;
use crate::definition::reading::{MilestoneDraft, Named};
use crate::ids::StageIndex;
use crate::limits::PROBLEMS_MAX;

/// Tells each stage its milestone, `drafts` being what each of them says. What does not fit goes to `problems`.
pub(in crate::definition) fn set_milestones<'d>(
    drafts: impl Iterator<Item = Option<MilestoneDraft<'d>>>,
    connected: &mut Connected,
    problems: &mut Vec<Problem>,
) {
    for (index, draft) in drafts.enumerate() {
        let Some(draft) = draft else { continue };
        let of = look_up(index, &draft.of, connected, problems);
        if of.is_some_and(|of| of.index() == index) {
            let message = format!("`{}` waits for its own milestone", draft.of.text);
            let problem = Problem::error(ProblemCode::NeedsItself, draft.of.span, message);
            problems.push(problem.with_help("name another stage"));
        }
        if is_alternative(index, connected) && problems.len() < PROBLEMS_MAX {
            let message =
                format!("`{}` is an alternative of a deferred choice and has a milestone", connected.names.name(index));
            let help = "put the milestone on a stage behind it";
            problems.push(Problem::error(ProblemCode::AlternativeHeldBack, draft.of.span, message).with_help(help));
        }
        let until = draft.until.map(|until| look_up(index, &until, connected, problems));
        let (Some(stage), Some(until)) = (of, until.map_or(Some(None), |until| until.map(Some))) else { continue };
        let condition = if draft.status.lives() {
            MilestoneCondition::Is(stage, draft.status)
        } else {
            MilestoneCondition::Has(Reached { stage, until })
        };
        connected.stages[index].milestone = Some(Box::new(Milestone { condition, policy: draft.policy }));
    }
}

/// Is it one of those among which is chosen?
fn is_alternative(index: usize, connected: &Connected) -> bool {
    let stage = &connected.stages[index];
    // What is to be done where a stage is canceled, nobody chooses.
    let arcs = stage.incoming.iter().map(|arc| &connected.arcs[arc.index()]);
    let mut before = arcs.filter(|arc| arc.kind != ArcKind::Cancelled).filter_map(|arc| arc.from);
    stage.choice_group.is_some() || before.any(|from| connected.stages[from.index()].split == Split::Deferred)
}

/// The stage of this name, which stands in the block of the `index`-th.
fn look_up(index: usize, named: &Named<'_>, connected: &Connected, problems: &mut Vec<Problem>) -> Option<StageIndex> {
    let names = &connected.names;
    let found = names.find(named.text);
    let problem = match found {
        Some(found) if names.share_a_block(index, found) => {
            return u32::try_from(found).ok().map(StageIndex::new);
        }
        Some(found) => names.crossing(index, found, named.span),
        None => names.unknown(named.text, named.span),
    };
    if problems.len() < PROBLEMS_MAX {
        problems.push(problem);
    }
    None
}
