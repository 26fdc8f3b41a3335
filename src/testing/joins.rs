//! Joins that count arrivals or merge threads, and splits into threads, drawn for documents: always such as fit.

use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::value::{Map, Value};

/// A join that is fitted to the needs of its stage.
#[derive(Clone, Debug)]
pub(super) struct JoinDraft {
    threshold: Index,
    kind: Kind,
    mode: Mode,
    /// `join_type` by a threshold or without.
    has_threshold: bool,
    names_the_split: bool,
    skips: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counts,
    Merges,
}

#[derive(Clone, Debug)]
enum Mode {
    Unsaid,
    Blocking { reset_on: Option<&'static str> },
    Cancelling { stages: Vec<Index> },
    CancellingRegion { name: &'static str },
}

/// Any such join.
pub(super) fn joins() -> BoxedStrategy<JoinDraft> {
    let resets = weighted(0.7, prop_oneof![Just("all"), Just("active")]);
    let modes = prop_oneof![
        2 => Just(Mode::Unsaid),
        3 => resets.prop_map(|reset_on| Mode::Blocking { reset_on }),
        2 => prop::collection::vec(any::<Index>(), 0..4).prop_map(|stages| Mode::Cancelling { stages }),
        2 => prop_oneof![Just("r"), Just("q")].prop_map(|name| Mode::CancellingRegion { name }),
    ];
    let kinds = prop_oneof![5 => Just(Kind::Counts), 2 => Just(Kind::Merges)];
    let flags = (any::<bool>(), any::<bool>(), weighted(0.3, any::<bool>()));
    (any::<Index>(), kinds, modes, flags)
        .prop_map(|(threshold, kind, mode, (has_threshold, names_the_split, skips))| JoinDraft {
            threshold,
            kind,
            mode,
            has_threshold,
            names_the_split,
            skips,
        })
        .boxed()
}

impl JoinDraft {
    /// Does it merge threads, where its stage has one need?
    pub(super) fn is_merge(&self) -> bool {
        self.kind == Kind::Merges
    }

    /// Writes it into a stage with these needs; `others` are the other stages of the document.
    pub(super) fn assemble(self, stage: &mut Map, needs: &[&str], others: &[&str]) {
        let mut put = |key: &str, value: Value| {
            stage.insert(key.to_owned(), value);
        };
        if self.kind == Kind::Merges && needs.len() < 2 {
            put("join_type", "THREAD_MERGE".into());
            put("merge_count", Value::from(2 + self.threshold.index(2)));
            if self.names_the_split {
                put("merge_group", "innermost".into());
            }
            return;
        }
        if self.has_threshold {
            put("join_type", "N_OF_M".into());
            put("join_threshold", Value::from(1 + self.threshold.index(needs.len().max(1))));
            if let Some(skips) = self.skips {
                put("on_unreachable", if skips { "skip" } else { "fail" }.into());
            }
        } else {
            put("join_type", "DISCRIMINATOR".into());
        }
        if self.names_the_split {
            put(PAIR, Value::Null);
        }
        match self.mode {
            Mode::Unsaid => {}
            Mode::Blocking { reset_on } => {
                put("join_mode", "blocking".into());
                if let Some(reset_on) = reset_on {
                    put("reset_on", reset_on.into());
                }
            }
            Mode::Cancelling { stages } => {
                let mut named: Vec<&str> = Vec::new();
                for stage in stages.iter().filter(|_| !others.is_empty()).map(|stage| *stage.get(others)) {
                    if !named.contains(&stage) {
                        named.push(stage);
                    }
                }
                put("join_mode", "cancelling".into());
                put(SCOPE, Value::map([("stages", Value::list(named))]));
            }
            Mode::CancellingRegion { name } => {
                put("join_mode", "cancelling".into());
                put(SCOPE, Value::map([("region", name)]));
            }
        }
    }
}

/// Where a join names its split, which is known when all stages are.
const PAIR: &str = "join_pair";
/// Where a cancelling join says what it withdraws.
const SCOPE: &str = "join_cancel_scope";

/// What only the whole of a block tells: nothing comes to a merge of threads from what is canceled, as it has one arc,
/// joins that name their split name the right one, and those that withdraw a region one with stages beside them. The
/// stages stand in an order of theirs, or in its reverse.
pub(super) fn settle(stages: &mut [(impl AsRef<str>, Value)]) {
    let names: Vec<String> = stages.iter().map(|(name, _)| name.as_ref().to_owned()).collect();
    let is_merge = |stage: &Value| text(stage, "join_type").as_deref() == Some("THREAD_MERGE");
    let merges: Vec<bool> = stages.iter().map(|(_, stage)| is_merge(stage)).collect();
    for (_, stage) in stages.iter_mut() {
        let path = text(stage, "on_cancelled").and_then(|path| names.iter().position(|name| *name == path));
        if let (Value::Map(map), true) = (stage, path.is_some_and(|path| merges[path])) {
            map.remove("on_cancelled");
        }
    }
    let regions: Vec<Vec<String>> = stages.iter().map(|(_, stage)| regions_of(stage)).collect();
    for (place, (_, stage)) in stages.iter_mut().enumerate() {
        let named = stage.get(SCOPE).and_then(|scope| Some(scope.get("region")?.as_str()?.to_owned()));
        let fits = |name: &String| regions.iter().any(|of| of.contains(name)) && !regions[place].contains(name);
        if let (Value::Map(map), true) = (stage, named.is_some_and(|name| !fits(&name))) {
            map.insert(SCOPE.to_owned(), Value::map([("stages", Value::List(Vec::new()))]));
        }
    }
    let before = before(stages, &names);
    let leads_back = stages.iter().any(|(_, stage)| stage.get("back_from").is_some());
    for (place, (_, stage)) in stages.iter_mut().enumerate() {
        let is_or = text(stage, "join_type").is_some_and(|join| join.eq_ignore_ascii_case("OR"));
        let pair = split(place, &before);
        let Value::Map(map) = stage else { continue };
        if is_or && place % 2 == 0 {
            map.insert("or_scope".to_owned(), if leads_back { "general" } else { "acyclic" }.into());
            map.insert(PAIR.to_owned(), Value::Null);
        }
        match (map.get(PAIR), pair) {
            (Some(Value::Null), Some(pair)) => drop(map.insert(PAIR.to_owned(), names[pair].as_str().into())),
            (Some(Value::Null), None) => drop(map.remove(PAIR)),
            (_, _) => {}
        }
    }
}

/// The regions in which a stage lies.
fn regions_of(stage: &Value) -> Vec<String> {
    match stage.get("cancel_region") {
        Some(Value::List(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(name) => name.as_str().map(str::to_owned).into_iter().collect(),
        None => Vec::new(),
    }
}

fn text(stage: &Value, key: &str) -> Option<String> {
    stage.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The places of the stages from which arcs lead forward to each stage.
fn before(stages: &[(impl AsRef<str>, Value)], names: &[String]) -> Vec<Vec<usize>> {
    let place = |name: &str| names.iter().position(|other| other == name);
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); stages.len()];
    for (at, (_, stage)) in stages.iter().enumerate() {
        let needs = stage.get("needs").or_else(|| stage.get("requisite_stage_ref_ids")).and_then(Value::as_list);
        let needs = needs.into_iter().flatten().filter_map(|name| place(name.as_str()?));
        before[at].extend(needs);
        if let Some(path) = text(stage, "on_cancelled").and_then(|path| place(&path)) {
            before[path].push(at);
        }
    }
    before
}

/// The last stage that all ways to `place` have in common, if it is not the start.
fn split(place: usize, before: &[Vec<usize>]) -> Option<usize> {
    let met_from = |from: usize, without: Option<usize>| {
        let mut met = vec![false; before.len()];
        let mut ahead = vec![from];
        while let Some(at) = ahead.pop() {
            let new: Vec<usize> = before[at].iter().copied().filter(|from| !met[*from]).collect();
            new.iter().for_each(|from| met[*from] = true);
            ahead.extend(new.into_iter().filter(|from| Some(*from) != without));
        }
        met
    };
    let begins = |at: usize| before[at].is_empty();
    let dominates = |stage: usize, place: usize| {
        let met = met_from(place, Some(stage));
        met[stage] && (0..before.len()).all(|other| other == stage || !met[other] || !begins(other))
    };
    let dominators: Vec<usize> = (0..before.len()).filter(|stage| dominates(*stage, place)).collect();
    // The last of them is the one that all others dominate.
    let is_last = |last: &usize| dominators.iter().all(|other| other == last || dominates(*other, *last));
    dominators.iter().copied().find(is_last)
}
