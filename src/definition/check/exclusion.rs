//! Looks up the stages of critical sections, and refuses what could never be held: sections that overlap or do not hang
//! together, and locks that their holders could wait for in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::arcs::Connected;
use super::interleave::check_groups;
use crate::definition::code::ProblemCode;
use crate::definition::exclusion::{Exclusion, Interleave, Lock, LockKind, SectionName};
use crate::definition::problem::Problem;
use crate::definition::reading::{ExclusionDraft, Named, SectionDraft};
use crate::limits::PROBLEMS_MAX;

/// Tells each stage what never runs beside it, `exclusions` being what each of them says. What does not fit goes to
/// `problems`.
pub(in crate::definition) fn exclude(
    exclusions: Vec<ExclusionDraft<'_>>,
    sections: &[SectionDraft<'_>],
    connected: &mut Connected,
    problems: &mut Vec<Problem>,
) {
    let is_known = problems.is_empty();
    let mut members = members(sections, connected, problems);
    for (index, draft) in exclusions.iter().enumerate() {
        let interleave = draft.interleave.map(|(group, order)| Interleave { group: group.text.to_owned(), order });
        let mutex = draft.mutex.map(|key| key.text.to_owned());
        let section = members.remove(&index);
        if let (Some(key), Some(section)) = (draft.mutex, &section)
            && key.text == section.key
        {
            let message = format!("its section `{}` holds `{}` already", section.name, key.text);
            let help = "leave mutex_key out";
            problems.push(Problem::error(ProblemCode::ConflictingKeys, key.span, message).with_help(help));
        }
        let exclusion = Exclusion { mutex, interleave, section, ..Exclusion::default() };
        connected.stages[index].exclusion = (!exclusion.is_none()).then(|| Box::new(exclusion));
    }
    // What is not connected rightly is said elsewhere, and what would follow from it may be wrong.
    if is_known && problems.is_empty() {
        check_connected(sections, connected, problems);
        check_groups(&exclusions, connected, problems);
        check_order(&exclusions, connected, problems);
    }
}

/// To which section each stage belongs.
fn members(
    sections: &[SectionDraft<'_>],
    connected: &Connected,
    problems: &mut Vec<Problem>,
) -> BTreeMap<usize, SectionName> {
    let mut members: BTreeMap<usize, SectionName> = BTreeMap::new();
    for section in sections {
        for member in &section.members {
            if problems.len() >= PROBLEMS_MAX {
                return members;
            }
            let Some(index) = connected.names.find(member.text) else {
                problems.push(connected.names.unknown(member.text, member.span));
                continue;
            };
            let name = SectionName { key: section.key.text.to_owned(), name: section.name.text.to_owned() };
            match members.get(&index) {
                Some(other) if other.key == name.key => {
                    let message = format!("`{}` belongs to the section `{}`, too", member.text, other.name);
                    problems.push(Problem::error(ProblemCode::SectionsOverlap, member.span, message));
                }
                Some(_) => {
                    let message = "critical sections over several keys are not supported yet";
                    let help = "give both sections the same key, or leave the stage in one of them";
                    problems.push(Problem::error(ProblemCode::NotSupported, member.span, message).with_help(help));
                }
                None => {
                    members.insert(index, name);
                }
            }
        }
    }
    members
}

/// The stages of a section hang together by arcs among themselves.
fn check_connected(sections: &[SectionDraft<'_>], connected: &Connected, problems: &mut Vec<Problem>) {
    for section in sections {
        let members: BTreeSet<usize> =
            section.members.iter().filter_map(|member| connected.names.find(member.text)).collect();
        let Some(first) = members.first() else { continue };
        let mut beside: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for to in &members {
            for from in connected.predecessors[*to].iter().chain(&connected.back_from[*to]) {
                if members.contains(from) {
                    beside.entry(*to).or_default().push(*from);
                    beside.entry(*from).or_default().push(*to);
                }
            }
        }
        let mut met = BTreeSet::from([*first]);
        let mut ahead = vec![*first];
        while let Some(stage) = ahead.pop() {
            ahead.extend(beside.get(&stage).into_iter().flatten().copied().filter(|next| met.insert(*next)));
        }
        if let Some(apart) = members.difference(&met).next() {
            let (one, other) = (connected.names.name(*first), connected.names.name(*apart));
            let message = format!("no arcs within the section lead from `{one}` to `{other}`, either way");
            let span = section.members.iter().find(|member| member.text == other).map_or(section.name.span, span_of);
            problems.push(Problem::error(ProblemCode::SectionNotConnected, span, message));
        }
    }
}

fn span_of<'d>(named: &Named<'d>) -> &'d crate::definition::document::Span {
    named.span
}

/// A section waits for what its stages need while it holds its key, and what stands inside a stage while that holds its
/// locks; whoever holds what is waited for must not wait for those.
fn check_order(exclusions: &[ExclusionDraft<'_>], connected: &Connected, problems: &mut Vec<Problem>) {
    // Which locks the holders of a lock may wait for.
    let mut waits: BTreeMap<Lock, BTreeSet<Lock>> = BTreeMap::new();
    let pairs: Vec<(usize, Lock, Lock)> =
        (0..connected.stages.len()).flat_map(|stage| waiting(stage, connected)).collect();
    for (_, held, wanted) in &pairs {
        waits.entry(held.clone()).or_default().insert(wanted.clone());
    }
    for (stage, held, wanted) in &pairs {
        let mut met = BTreeSet::from([wanted]);
        let mut ahead = vec![wanted];
        while let Some(lock) = ahead.pop() {
            ahead.extend(waits.get(lock).into_iter().flatten().filter(|next| met.insert(next)));
        }
        if met.contains(held) && problems.len() < PROBLEMS_MAX {
            let (held, wanted) = (&held.name, &wanted.name);
            let message = if held == wanted {
                format!("`{held}` is held while this waits for it")
            } else {
                format!("who holds `{held}` waits here for `{wanted}`, and who holds that for `{held}`")
            };
            let draft = &exclusions[*stage];
            let span = draft.mutex.or(draft.interleave.map(|(group, _)| group)).map(|named| named.span);
            let span = span.unwrap_or(&connected.spans[*stage]);
            problems.push(Problem::error(ProblemCode::LockCycle, span, message));
        }
    }
}

/// What may be held while a stage waits for its locks, with each of them.
fn waiting(stage: usize, connected: &Connected) -> Vec<(usize, Lock, Lock)> {
    let exclusion = |stage: usize| connected.stages[stage].exclusion.as_deref();
    let Some(own) = exclusion(stage) else { return Vec::new() };
    let mut pairs = Vec::new();
    for wanted in own.wanted() {
        // Its section holds the key while it waits for the rest.
        let held = own.section.iter().map(|section| Lock { kind: LockKind::Key, name: section.key.clone() });
        pairs.extend(held.filter(|held| *held != wanted).map(|held| (stage, held, wanted.clone())));
        // A group is another one in each scope.
        if wanted.kind == LockKind::Key {
            let around = connected.names.around(stage).filter_map(exclusion).flat_map(Exclusion::wanted);
            pairs.extend(around.map(|held| (stage, held, wanted.clone())));
        }
    }
    pairs
}
