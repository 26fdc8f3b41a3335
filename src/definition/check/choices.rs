//! Deferred choices: every one has alternatives that are offered together, from one moment on.

use std::collections::BTreeMap;

use super::arcs::Connected;
use crate::definition::choice::{Choices, common_source};
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::flow::{Join, Split};
use crate::definition::generations::{OnUnreachable, Rest};
use crate::definition::graph::{GraphArc, GraphStage};
use crate::definition::problem::Problem;
use crate::definition::reading::Named;
use crate::ids::StageIndex;
use crate::limits::PROBLEMS_MAX;

/// What to do where the join of an alternative is the trouble.
const BEFORE: &str = "put a stage of its own before the join, and have that chosen";

/// What a stage says of choices, and where.
pub(super) struct Written<'d> {
    /// Where its ref id stands.
    pub(super) span: &'d Span,
    /// `deferred_choice_group`.
    pub(super) group: Option<Named<'d>>,
}

/// Checks the choices of these stages; `written` is by their places. What does not fit goes to `problems`.
pub(super) fn check_choices(
    stages: &[GraphStage],
    arcs: &[GraphArc],
    written: &[Written<'_>],
    problems: &mut Vec<Problem>,
) {
    for (stage, written) in stages.iter().zip(written) {
        if stage.split == Split::Deferred && stage.outgoing.len() < 2 && problems.len() < PROBLEMS_MAX {
            let message = format!("`{}` defers a choice, and fewer than two stages follow it", stage.ref_id);
            problems.push(Problem::error(ProblemCode::ChoiceOfOne, written.span, message));
        }
    }
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, written) in written.iter().enumerate() {
        written.group.iter().for_each(|group| groups.entry(group.text).or_default().push(place));
    }
    for (group, members) in groups {
        check_group(group, &members, (stages, arcs), written, problems);
    }
    check_alternatives(stages, arcs, written, problems);
}

fn check_group(
    group: &str,
    members: &[usize],
    (stages, arcs): (&[GraphStage], &[GraphArc]),
    written: &[Written<'_>],
    problems: &mut Vec<Problem>,
) {
    let [first, .., last] = members else {
        let only = members.first().and_then(|place| written[*place].group);
        if let Some(only) = only.filter(|_| problems.len() < PROBLEMS_MAX) {
            let message = format!("only one stage is in the group `{group}`");
            let help = "name the group on every stage among which is chosen";
            problems.push(Problem::error(ProblemCode::ChoiceOfOne, only.span, message).with_help(help));
        }
        return;
    };
    let Some(named) = written[*last].group.filter(|_| problems.len() < PROBLEMS_MAX) else { return };
    let stage_of = |places: &[usize]| places.iter().map(|place| &stages[*place]).collect::<Vec<_>>();
    let Some((source, _)) = common_source(&stage_of(members), (stages, arcs)) else {
        let others = |place: &&usize| common_source(&stage_of(&[*first, **place]), (stages, arcs)).is_none();
        let other = members.iter().find(others).copied().unwrap_or(*last);
        let span = written[other].group.map_or(named.span, |group| group.span);
        let message = format!("`{}` and `{}` follow no stage together", stages[*first].ref_id, stages[other].ref_id);
        problems.push(Problem::error(ProblemCode::ChoiceWithoutSplit, span, message));
        return;
    };
    let split = source.map(|source| &stages[source.index()]);
    let (why, help) = match split.map(|stage| (&stage.split, &stage.ref_id)) {
        Some((Split::Xor { .. }, from)) => {
            (format!("`{from}` takes one branch only, and leaves nothing to choose"), "leave split_type: XOR out")
        }
        Some((Split::Deferred, from)) => {
            (format!("`{from}` defers the choice among all that follow it already"), "leave the group out")
        }
        Some((Split::And | Split::Or { .. } | Split::Thread { .. }, _)) | None => return,
    };
    problems.push(Problem::error(ProblemCode::ChoiceWithoutSplit, named.span, why).with_help(help));
}

/// An alternative is offered from the moment at which its join fires until one is chosen.
fn check_alternatives(stages: &[GraphStage], arcs: &[GraphArc], written: &[Written<'_>], problems: &mut Vec<Problem>) {
    for (alternative, times) in alternatives(stages, arcs) {
        let (stage, span) = (&stages[alternative.index()], written[alternative.index()].span);
        if problems.len() >= PROBLEMS_MAX {
            return;
        }
        let name = &stage.ref_id;
        if let Some((gate, help)) = gate(stage) {
            let message = format!("`{name}` is an alternative of a deferred choice and has {gate}");
            problems.push(Problem::error(ProblemCode::AlternativeHeldBack, span, message).with_help(help));
        }
        let takes_several = match stage.join {
            Join::And | Join::GeneralizedAnd | Join::Or => true,
            Join::Xor | Join::MultiMerge => false,
            // How many they take is known later.
            Join::Discriminator | Join::NOfM => false,
            Join::ThreadMerge => {
                let message = format!("`{name}` is an alternative and takes the tokens of several choices at once");
                problems.push(Problem::error(ProblemCode::AlternativeOfTwo, span, message).with_help(BEFORE));
                false
            }
        };
        if times > 1 && takes_several {
            let message = format!("`{name}` is an alternative of {times} choices and takes the tokens of all at once");
            problems.push(Problem::error(ProblemCode::AlternativeOfTwo, span, message));
        }
    }
}

/// Alternatives whose join counts arrivals: nothing may come of them before they are chosen.
pub(super) fn check_counting(connected: &Connected, problems: &mut Vec<Problem>) {
    for (alternative, times) in alternatives(&connected.stages, &connected.arcs) {
        let stage = &connected.stages[alternative.index()];
        let Some(join) = stage.generations.as_ref().filter(|_| problems.len() < PROBLEMS_MAX) else { continue };
        let name = &stage.ref_id;
        let (code, message) = if let Rest::Withdrawn { .. } = join.rest {
            let message = format!("`{name}` is an alternative and would cancel other branches before it is chosen");
            (ProblemCode::AlternativeHeldBack, message)
        } else if join.on_unreachable == OnUnreachable::Skip {
            let message = format!("`{name}` is an alternative and would be passed by without being chosen");
            (ProblemCode::AlternativeHeldBack, message)
        } else if times > 1 && join.threshold > 1 {
            let message =
                format!("`{name}` is an alternative of {times} choices and takes the tokens of several at once");
            (ProblemCode::AlternativeOfTwo, message)
        } else {
            continue;
        };
        let span = &connected.spans[alternative.index()];
        problems.push(Problem::error(code, span, message).with_help(BEFORE));
    }
}

/// The stages that are offered, each with the number of choices that offer it.
fn alternatives(stages: &[GraphStage], arcs: &[GraphArc]) -> BTreeMap<StageIndex, usize> {
    let mut offered = BTreeMap::new();
    for arc in Choices::of(stages, arcs).all().iter().flat_map(|choice| &choice.arcs) {
        *offered.entry(arcs[arc.index()].to).or_default() += 1;
    }
    offered
}

/// What keeps an alternative from being offered.
fn gate(stage: &GraphStage) -> Option<(&'static str, &'static str)> {
    if stage.is_started_by_signals() {
        return Some(("a trigger that starts it", "leave start: true out: the signal then chooses it"));
    }
    if stage.condition.is_some() {
        return Some(("an `if`", "put the `if` on a stage behind it"));
    }
    if stage.times.start_time_expiry.is_some() {
        return Some(("a start_time_expiry", "add an alternative with trigger: { timer: .. } that is chosen then"));
    }
    let help = "write trigger: { timer: .. }, or put the time on a stage behind it";
    stage.times.scheduled_time.map(|_| ("a scheduled_time", help))
}
