//! Deferred choices in drawn documents: behind a stage that has several followers, one of them is chosen.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use crate::value::Value;

use super::{entry, insert, triggers};

/// How a choice behind a stage is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChoiceDraft {
    /// `split_type: DEFERRED`: all that follow are offered.
    Split,
    /// `deferred_choice_group`: those that need the stage are.
    Group,
}

pub(super) fn choice() -> impl Strategy<Value = ChoiceDraft> {
    select(vec![ChoiceDraft::Split, ChoiceDraft::Split, ChoiceDraft::Group])
}

/// Has the stages behind each of these places chosen among, where that can be: not where a stage would be offered
/// twice. `needs` and `back` say where control comes from, by places.
pub(super) fn defer(
    stages: &mut [(String, Value)],
    drawn: &[Option<ChoiceDraft>],
    needs: &[Vec<usize>],
    back: &[Option<usize>],
) {
    let mut offered: BTreeSet<usize> = BTreeSet::new();
    for (place, draft) in drawn.iter().enumerate() {
        let Some(draft) = draft else { continue };
        let follows = |other: &usize| {
            needs[*other].contains(&place) || (*draft == ChoiceDraft::Split && back[*other] == Some(place))
        };
        let followers: Vec<usize> = (0..stages.len()).filter(follows).collect();
        if followers.len() < 2 || followers.iter().any(|follower| offered.contains(follower)) {
            continue;
        }
        let splits = entry(&mut stages[place].1, "split_type").is_some();
        // Joins that merge threads, or do something before they are chosen, are no alternatives.
        let said = |stage: &Value, key: &str| stage.get(key).and_then(Value::as_str).map(str::to_ascii_uppercase);
        let is_none = |stage: &Value| {
            said(stage, "join_type").as_deref() == Some("THREAD_MERGE")
                || said(stage, "join_mode").as_deref() == Some("CANCELLING")
                || said(stage, "on_unreachable").as_deref() == Some("SKIP")
        };
        let is_threads = stages[place].1.get("thread_count").is_some();
        if is_threads || followers.iter().any(|follower| is_none(&stages[*follower].1)) {
            continue;
        }
        match draft {
            ChoiceDraft::Split => {
                let Value::Map(stage) = &mut stages[place].1 else { continue };
                stage.retain(|key, _| !key.starts_with("split_") && key != "on_no_match");
                insert(&mut stages[place].1, "split_type", "DEFERRED".into());
            }
            ChoiceDraft::Group if splits => continue,
            ChoiceDraft::Group => {
                let group = format!("g-{}", stages[place].0);
                for follower in &followers {
                    insert(&mut stages[*follower].1, "deferred_choice_group", group.as_str().into());
                }
            }
        }
        for follower in &followers {
            triggers::put_right(&mut stages[*follower].1, true);
            if (place + follower) % 2 == 0 && entry(&mut stages[*follower].1, "trigger").is_none() {
                insert(&mut stages[*follower].1, "trigger", Value::map([("signal", "go")]));
            }
            let Value::Map(stage) = &mut stages[*follower].1 else { continue };
            stage.retain(|key, _| {
                let is_gate = ["if", "stageEnabled", "scheduled_time", "start_time_expiry"].contains(&key.as_str());
                !is_gate && !key.starts_with("milestone")
            });
        }
        offered.extend(followers);
    }
}
