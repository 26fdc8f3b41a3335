//! Looks up what stages cancel and what cancels them.

use std::collections::BTreeSet;

use super::arcs::Names;
use crate::definition::cancellation::{
    Boundary, CancelTarget, Cancellation, Ending, Region, RegionEffect, RegionFuture,
};
use crate::definition::code::ProblemCode;
use crate::definition::instances::Withdrawal;
use crate::definition::problem::Problem;
use crate::definition::reading::{CancellationDraft, Named, RegionDraft, StageDraft, TargetDraft, closest};
use crate::ids::{RegionIndex, StageIndex};
use crate::limits::PROBLEMS_MAX;

/// What the `index`-th stage has to do with cancellation, the arc of `on_cancelled` aside. What does not fit goes to
/// `problems`.
pub(super) fn resolve(
    draft: &CancellationDraft<'_>,
    index: usize,
    (names, regions, several): (&Names, &[Region], &BTreeSet<usize>),
    problems: &mut Vec<Problem>,
) -> Cancellation {
    let other = |named: &Named<'_>, problems: &mut Vec<Problem>, message: &str, help: &str| {
        let found = look_up(named, index, names, problems)?;
        if found.index() == index {
            let message = format!("`{}` {message}", named.text);
            problems.push(Problem::error(ProblemCode::CancelsItself, named.span, message).with_help(help));
        }
        Some(found)
    };
    let mut cancels = Vec::new();
    for target in &draft.cancels {
        cancels.extend(match target {
            TargetDraft::Stage(named) => {
                let help = "an activation that has succeeded is over; name another stage";
                other(named, problems, "cancels itself", help).map(CancelTarget::Stage)
            }
            TargetDraft::Region(named) => region(named, regions, problems).map(CancelTarget::Region),
            TargetDraft::Workflow => Some(CancelTarget::Workflow),
            TargetDraft::Instances(named, withdrawal) => {
                let found = other(named, problems, "ends its own instances", "name another stage");
                has_several(found, named, several, problems).map(|of| CancelTarget::Instances(of, *withdrawal))
            }
        });
    }
    let (what, help) = ("is to end when it has completed", "name another stage, or leave it out");
    let completed = draft.completed.iter().filter_map(|named| other(named, problems, what, help)).collect();
    let signals = draft.signals.iter().map(|name| (*name).to_owned()).collect();
    let boundary = Boundary { timer: draft.timer, completed, signals };
    let mut regions: Vec<RegionIndex> =
        draft.regions.iter().filter_map(|named| region(named, regions, problems)).collect();
    regions.sort_unstable();
    if let (Ending::Terminate, Some(home), Some(span)) = (draft.ending, names.home(index), draft.ending_span) {
        let message = format!("`{}` stands inside {home} and cannot end the workflow", names.name(index));
        let help = "control leaves a block only by the stage around it: say it of a stage behind that one";
        let problem = Problem::error(ProblemCode::CrossesBlock, span, message).with_help(help);
        problems.push(problem);
    }
    let (ending, mode) = (draft.ending, draft.mode);
    Cancellation { cancels, boundary, regions, ending, mode, ..Cancellation::default() }
}

/// The stages whose success ends the instances of the `index`-th stage from outside, by how.
pub(super) fn ended_by(
    draft: &CancellationDraft<'_>,
    index: usize,
    names: &Names,
    problems: &mut Vec<Problem>,
) -> Vec<(Withdrawal, StageIndex)> {
    let mut found = Vec::new();
    for (withdrawal, named) in &draft.instances {
        let Some(by) = look_up(named, index, names, problems) else { continue };
        if by.index() == index {
            let message = format!("`{}` ends its instances when it has completed", named.text);
            let problem = Problem::error(ProblemCode::CancelsItself, named.span, message);
            problems.push(problem.with_help("name another stage, or leave it out"));
        }
        found.push((*withdrawal, by));
    }
    found
}

/// The stage, if it has instances that can end.
fn has_several(
    found: Option<StageIndex>,
    named: &Named<'_>,
    several: &BTreeSet<usize>,
    problems: &mut Vec<Problem>,
) -> Option<StageIndex> {
    if found.is_some_and(|stage| !several.contains(&stage.index())) {
        let message = format!("stage `{}` has no instances", named.text);
        problems.push(Problem::error(ProblemCode::NoInstances, named.span, message));
    }
    found
}

/// By the stage to which control goes, the stages of which it takes over what is canceled.
pub(super) fn paths(drafts: &[StageDraft<'_>], names: &Names, problems: &mut Vec<Problem>) -> Vec<Vec<usize>> {
    let mut paths = vec![Vec::new(); drafts.len()];
    for (from, draft) in drafts.iter().enumerate() {
        let Some(named) = &draft.cancellation.on_cancelled else { continue };
        let Some(to) = look_up(named, from, names, problems) else { continue };
        if to.index() == from {
            let message = format!("`{}` takes over from itself", named.text);
            problems
                .push(Problem::error(ProblemCode::NeedsItself, named.span, message).with_help("name another stage"));
        } else {
            paths[to.index()].push(from);
        }
    }
    paths
}

/// The regions of a workflow: those that stages lie in, with what is `declared` of them.
pub(super) fn regions(
    drafts: &[StageDraft<'_>],
    declared: Vec<RegionDraft<'_>>,
    problems: &mut Vec<Problem>,
) -> Vec<Region> {
    let of_stages = drafts.iter().flat_map(|draft| &draft.cancellation.regions);
    let names: BTreeSet<&str> = of_stages.map(|named| named.text).collect();
    let named = |name: &&str| Region {
        name: (*name).to_owned(),
        effect: RegionEffect::default(),
        future: RegionFuture::default(),
        members: Vec::new(),
    };
    let mut regions: Vec<Region> = names.iter().map(named).collect();
    for RegionDraft { name, effect, future } in declared {
        if let Some(place) = region(&name, &regions, problems) {
            let region = &mut regions[place.index()];
            (region.effect, region.future) = (effect, future);
        }
    }
    regions
}

/// The region of this name. That there is none goes to `problems`.
pub(super) fn region(named: &Named<'_>, regions: &[Region], problems: &mut Vec<Problem>) -> Option<RegionIndex> {
    let found = regions.binary_search_by(|region| region.name.as_str().cmp(named.text));
    if found.is_err() && problems.len() < PROBLEMS_MAX {
        let names = regions.iter().map(|region| region.name.as_str());
        let hint = closest(named.text, names).map(|near| format!("did you mean `{near}`?"));
        let shown: String = named.text.chars().take(80).collect();
        let message = format!("no stage lies in the region `{shown}`");
        problems.push(Problem::error(ProblemCode::UnknownRegion, named.span, message).with_hint(hint));
    }
    found.ok().and_then(|place| u32::try_from(place).ok()).map(RegionIndex::new)
}

fn look_up(named: &Named<'_>, index: usize, names: &Names, problems: &mut Vec<Problem>) -> Option<StageIndex> {
    match names.find(named.text) {
        Some(found) if !names.share_a_block(index, found) => {
            problems.push(names.crossing(index, found, named.span));
            None
        }
        Some(found) => u32::try_from(found).ok().map(StageIndex::new),
        None => {
            if problems.len() < PROBLEMS_MAX {
                problems.push(names.unknown(named.text, named.span));
            }
            None
        }
    }
}
