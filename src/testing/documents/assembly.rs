//! Puts drawn stages together: each by its name, with the names of those it needs and of those that it speaks of.

use proptest::sample::Index;

use crate::value::Value;

use super::super::joins::{self, JoinDraft};
use super::choices::ChoiceDraft;
use super::{
    Keys, LoopDraft, STAGES, Spelling, StageDraft, cancellation, choices, circles, exclusion, milestones, triggers,
};
use crate::testing::several;

/// `last` is what the workflow does last.
pub(super) fn assembled(
    mut keys: Keys,
    (drafts, last): (Vec<StageDraft>, Vec<StageDraft>),
    as_list: bool,
    backwards: bool,
) -> Value {
    let n_stages = drafts.len();
    let order = if backwards { Order::Backwards } else { Order::Forwards };
    let ends = if cancellation::ends_explicitly(&keys) { Ends::Explicitly } else { Ends::Implicitly };
    let mut stages = block_of(drafts, &STAGES.map(str::to_owned), &[], (order, ends));
    // Only one stage can be an orchestration.
    keys.retain(|(key, value)| *key != "type" || n_stages == 1 || value.as_str() != Some("ORCHESTRATION"));
    let mut document = Value::map(keys);
    cancellation::name_regions(&mut document, &mut stages);
    exclusion::settle(&mut document, &mut stages);
    if let Some(Value::Map(outputs)) = entry(&mut document, "outputs") {
        outputs.values_mut().for_each(|value| name_others(value, Some(STAGES[n_stages - 1]), None));
    }
    let stages = if as_list {
        Value::list(stages.into_iter().map(|(name, mut stage)| {
            insert(&mut stage, "ref_id", name.into());
            stage
        }))
    } else {
        Value::map(stages)
    };
    insert(&mut document, "stages", stages);
    if !last.is_empty() {
        let names: Vec<String> = (0..last.len()).map(|place| format!("last{place}")).collect();
        let outer = STAGES[..n_stages].iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        insert(&mut document, "finally", Value::map(block_of(last, &names, &outer, (order, Ends::Inside))));
    }
    document
}

/// What ends with the last stages of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Implicitly,
    /// The workflow.
    Explicitly,
    /// Only the block itself.
    Inside,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Forwards,
    Backwards,
}

/// The stages of a block by these names; `outer` are those that have ended before it.
fn block_of(
    mut drafts: Vec<StageDraft>,
    names: &[String],
    outer: &[String],
    (order, ends): (Order, Ends),
) -> Vec<(String, Value)> {
    let needs: Vec<Vec<usize>> = drafts.iter().enumerate().map(|(place, draft)| needed(place, &draft.needs)).collect();
    // A merge of threads is drawn with something to merge.
    for (place, needs) in needs.iter().enumerate() {
        if let ([only], true) = (needs.as_slice(), drafts[place].join.as_ref().is_some_and(JoinDraft::is_merge)) {
            drafts[*only].is_threads = true;
            drafts[*only].split = None;
        }
    }
    let n_stages = drafts.len();
    let back: Vec<Option<usize>> = (0..n_stages)
        .map(|place| drafts[place].back_from.map(|(draw, _)| *draw.get(&circles::followers(place, &needs))))
        .collect();
    let deferred: Vec<Option<ChoiceDraft>> = drafts.iter().map(|draft| draft.choice).collect();
    let mut stages: Vec<(String, Value)> = Vec::new();
    for (place, mut draft) in drafts.into_iter().enumerate() {
        let name = |other: usize| names[other].as_str();
        let is_follower = |other: &usize| needs[*other].contains(&place) || back[*other] == Some(place);
        let followers: Vec<&str> = (0..n_stages).filter(is_follower).map(name).collect();
        let mut before: Vec<String> = ancestors(place, &needs).into_iter().map(|other| names[other].clone()).collect();
        before.extend_from_slice(outer);
        let needed: Vec<&str> = needs[place].iter().map(|other| name(*other)).collect();
        let turns = draft.turns.take();
        let has_several = draft.keys.iter().any(|(key, _)| ["mi_config", "for_each", "matrix"].contains(key));
        let parts = draft.phases.take().filter(|_| !has_several);
        exclusion::nest(&mut draft.keys, ends == Ends::Inside, turns.is_some() || parts.is_some());
        let jumps: Vec<(&str, Option<u32>)> =
            draft.jumps.iter().map(|(to, most)| (names[to.index(n_stages)].as_str(), *most)).collect();
        if turns.is_some() {
            draft
                .keys
                .retain(|(key, _)| !["run", "uses", "with", "tasks", "sub_workflow", "verification"].contains(key));
        }
        if ends == Ends::Inside {
            draft.keys.retain(|(key, _)| !["end", "cancels", "cancel_region"].contains(key));
            draft.keys.iter_mut().filter(|(key, _)| *key == "trigger").for_each(|(_, value)| triggers::inside(value));
        }
        let (drawn, most) = (draft.named, draft.back_from.and_then(|(_, most)| most));
        let is_last = !needs.iter().any(|needs| needs.contains(&place));
        let named = if before.is_empty() { None } else { Some(draft.named.get(&before).clone()) };
        let others: Vec<&str> = (0..n_stages).filter(|other| *other != place).map(name).collect();
        let mut stage = draft.assembled(&needed, &followers, named.as_deref(), &others);
        let later: Vec<&str> = (place + 1..n_stages).map(name).collect();
        cancellation::settle(&mut stage, &others, &later, drawn);
        milestones::settle(&mut stage, &others, drawn);
        back[place].into_iter().for_each(|from| circles::come_back(&mut stage, &names[from], most));
        if is_last && ends == Ends::Explicitly {
            cancellation::terminate(&mut stage);
        }
        let earlier = parts.as_ref().map(|parts| parts.names_before(&names[place])).unwrap_or_default();
        if let Some(turns) = turns {
            let outer = [before.as_slice(), &earlier].concat();
            insert(&mut stage, "loop", turned(turns, (&names[place], named.as_deref()), &outer, order));
        }
        if let Some(parts) = parts {
            let block = |stages, names: &[String], outer: &[String]| {
                Value::map(block_of(stages, names, outer, (order, Ends::Inside)))
            };
            parts.assemble(&names[place], &mut stage, &before, &block);
        }
        circles::jump(&mut stage, jumps);
        stages.push((names[place].clone(), stage));
    }
    choices::defer(&mut stages, &deferred, &needs, &back);
    joins::settle(&mut stages);
    circles::aim(&mut stages);
    if order == Order::Backwards {
        stages.reverse();
    }
    stages
}

/// A loop of the stage with this name, of which an ancestor has the other; `outer` are those that have ended before it.
fn turned(turns: LoopDraft, (name, ancestor): (&str, Option<&str>), outer: &[String], order: Order) -> Value {
    let mut asked = Value::map(turns.keys);
    name_others(&mut asked, ancestor, None);
    let inner: Vec<String> = (0..turns.stages.len()).map(|inner| format!("{name}-{inner}")).collect();
    insert(&mut asked, "stages", Value::map(block_of(turns.stages, &inner, outer, (order, Ends::Inside))));
    asked
}

pub(super) fn needed(place: usize, draws: &[Index]) -> Vec<usize> {
    let mut needed: Vec<usize> =
        if place == 0 { Vec::new() } else { draws.iter().map(|draw| draw.index(place)).collect() };
    needed.sort_unstable();
    needed.dedup();
    needed
}

pub(super) fn ancestors(place: usize, needs: &[Vec<usize>]) -> Vec<usize> {
    let mut found: Vec<usize> = needs[place].iter().flat_map(|other| ancestors(*other, needs)).collect();
    found.extend(&needs[place]);
    found.sort_unstable();
    found.dedup();
    found
}

pub(super) fn entry<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    if let Value::Map(map) = value { map.get_mut(key) } else { None }
}

pub(super) fn insert(value: &mut Value, key: &str, entry: Value) {
    if let Value::Map(map) = value {
        map.insert(key.to_owned(), entry);
    }
}

impl StageDraft {
    /// `others` are the other stages of its block.
    fn assembled(self, needs: &[&str], followers: &[&str], ancestor: Option<&str>, others: &[&str]) -> Value {
        let mut stage = Value::map(self.keys);
        if let (Some(join), Value::Map(map)) = (self.join, &mut stage) {
            join.assemble(map, needs, others);
        }
        if self.is_threads && self.split.is_none() {
            insert(&mut stage, "split_type", "THREAD".into());
            insert(&mut stage, "thread_count", 2.into());
        }
        if let Some(split) = self.split {
            split.assemble(&mut stage, followers);
        }
        let mut earlier: Vec<String> = Vec::new();
        if let Some(Value::List(tasks)) = entry(&mut stage, "tasks") {
            for (place, task) in tasks.iter_mut().enumerate() {
                name_others(task, ancestor, earlier.last().map(String::as_str));
                // The second has a name of its own; the first is called by its type.
                let name = task.get("name").or_else(|| task.get("uses")).and_then(Value::as_str).unwrap_or("shell");
                if place < 2 {
                    earlier.push(name.to_owned());
                }
            }
        }
        several::use_names(&mut stage, self.back_from.is_some());
        name_others(&mut stage, ancestor, earlier.first().map(String::as_str));
        let needs = Value::list(needs.iter().copied());
        triggers::put_right(&mut stage, needs.as_list().is_some_and(|needs| !needs.is_empty()));
        let (needs_key, if_key) = match self.spelling {
            Spelling::Ours => ("needs", "if"),
            Spelling::Seed => ("requisite_stage_ref_ids", "stageEnabled"),
        };
        if needs.as_list().is_some_and(|needs| !needs.is_empty()) {
            insert(&mut stage, needs_key, needs);
        }
        if let Value::Map(map) = &mut stage
            && let Some(condition) = map.remove("if")
        {
            map.insert(if_key.to_owned(), condition);
        }
        stage
    }
}

/// Replaces `@` by the name of another stage and `%` by that of an earlier task; what names a missing one is null.
fn name_others(value: &mut Value, stage: Option<&str>, task: Option<&str>) {
    match value {
        Value::String(text) => {
            if text.contains('@') {
                *text = stage.map_or_else(|| without(text), |stage| text.replace('@', stage));
            }
            if text.contains('%') {
                *text = task.map_or_else(|| without(text), |task| text.replace('%', task));
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| name_others(item, stage, task)),
        Value::Map(entries) => entries.values_mut().for_each(|entry| name_others(entry, stage, task)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) => {}
    }
}

fn without(text: &str) -> String {
    if text.starts_with("${{") { "${{ missing }}" } else { "missing" }.to_owned()
}
