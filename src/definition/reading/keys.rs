//! The keys of each map in a definition: those understood, their other spellings, and those the language has but this
//! version does not do yet.

use std::collections::BTreeMap;

use super::Reader;
use super::suggestion::closest;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Entry, Key, Node};
use crate::definition::http;
use crate::definition::problem::Problem;
use crate::limits::PROBLEMS_MAX;

/// The keys of one kind of map.
pub(in crate::definition) struct Level {
    /// What the map is, for messages: `a stage`.
    what: &'static str,
    keys: &'static [&'static str],
    /// Other spellings: of which key, and how.
    aliases: &'static [(&'static str, &'static str)],
    /// Not supported yet.
    later: &'static [&'static str],
    /// Whether keys that begin with `x-` are left alone.
    extensions: Extensions,
}

#[derive(PartialEq, Eq)]
enum Extensions {
    Allowed,
    Refused,
}

pub(in crate::definition) const WORKFLOW: Level = Level {
    what: "a workflow",
    keys: &[
        "name",
        "application",
        "type",
        "version",
        "description",
        "inputs",
        "outputs",
        "context",
        "env",
        "defaults",
        "deadline",
        "scheduled_time",
        "start_time_expiry",
        "priority",
        "leftover_tokens",
        "soundness",
        "max_jumps",
        "or_join_cycle",
        "termination",
        "regions",
        "split_correlation",
        "critical_sections",
        "stages",
        "definitions",
        "finally",
    ],
    aliases: &[],
    later: &[
        "cancel_timeout",
        "concurrency",
        "is_limit_concurrent",
        "keep_waiting_pipelines",
        "max_concurrent_executions",
        "on",
        "pipeline_config_id",
    ],
    extensions: Extensions::Allowed,
};

pub(in crate::definition) const DEFAULTS: Level = Level {
    what: "defaults",
    keys: &["retry", "timeout", "env", "cwd", "shell"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const STAGE: Level = Level {
    what: "a stage",
    keys: &[
        "ref_id",
        "name",
        "type",
        "needs",
        "if",
        "run",
        "uses",
        "with",
        "tasks",
        "sub_workflow",
        "loop",
        "priority",
        "context",
        "outputs",
        "env",
        "cwd",
        "shell",
        "retry",
        "timeout",
        "deadline",
        "scheduled_time",
        "start_time_expiry",
        "on_failure",
        "verification",
        "join_type",
        "join_threshold",
        "join_mode",
        "join_pair",
        "or_scope",
        "join_cancel_scope",
        "reset_on",
        "on_unreachable",
        "merge_count",
        "merge_group",
        "split_type",
        "thread_count",
        "split_conditions",
        "split_default",
        "split_order",
        "on_no_match",
        "split_correlation",
        "on_condition_error",
        "mi_config",
        "for_each",
        "matrix",
        "reentry",
        "cancels",
        "cancel_on",
        "cancel_region",
        "on_cancelled",
        "cancel_mode",
        "cancel_timeout",
        "end",
        "back_from",
        "jump_targets",
        "jump_mode",
        "trigger",
        "max_buffered",
        "mutex_key",
        "mutex_scope",
        "interleave",
        "deferred_choice_group",
        "milestone_ref_id",
        "milestone_status",
        "milestone_until",
        "milestone_policy",
        "milestone_blocks",
        "before",
        "after",
        "compensate",
    ],
    aliases: &[("needs", "requisite_stage_ref_ids"), ("if", "stageEnabled")],
    later: &["cleanup_on_failure", "finalizer_names", "or_join_cycle", "output_reducers"],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const BACK_ARC: Level = Level {
    what: "an arc that leads back",
    keys: &["stage", "max_iterations"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// `with` of a task that people do.
pub(in crate::definition) const MANUAL: Level = Level {
    what: "`with` of manual work",
    keys: &["prompt"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// `with` of an approval.
pub(in crate::definition) const APPROVAL: Level = Level {
    what: "`with` of an approval",
    keys: &["roles", "prompt", "on_deadline", "on_reject"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// `with` of an `http` task.
pub(in crate::definition) const HTTP: Level = Level {
    what: "`with` of an http task",
    keys: &http::KEYS,
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// Where a task may send control.
pub(in crate::definition) const JUMP_TARGET: Level = Level {
    what: "a target of jumps",
    keys: &["stage", "max_iterations"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// What is done when a stage has failed.
pub(in crate::definition) const ON_FAILURE: Level =
    Level { what: "on_failure", keys: &["stages", "then"], aliases: &[], later: &[], extensions: Extensions::Refused };

/// What undoes the work of a stage, where it is more than one.
pub(in crate::definition) const COMPENSATE: Level =
    Level { what: "compensate", keys: &["stages"], aliases: &[], later: &[], extensions: Extensions::Refused };

/// A structured loop.
pub(in crate::definition) const LOOP: Level = Level {
    what: "a loop",
    keys: &["test", "while", "until", "max_iterations", "stages"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const INSTANCES: Level = Level {
    what: "mi_config",
    keys: &[
        "count",
        "count_from_context",
        "collection_from_context",
        "sync_on_complete",
        "allow_dynamic",
        "join_threshold",
        "cancel_remaining",
        "sequential",
        "emit",
        "completion_condition",
        "close_when",
        "max_instances",
        "min_instances",
        "cancel_mi_on",
        "complete_mi_on",
        "dynamic_close_on",
        "on_unmet",
    ],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// An item of what ends instances from outside.
pub(in crate::definition) const MI_ON: Level = Level {
    what: "what ends instances",
    keys: &["signal", "timer", "completed"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// What closes a stage to which instances can be added.
pub(in crate::definition) const CLOSE_ON: Level =
    Level { what: "dynamic_close_on", keys: &["signal"], aliases: &[], later: &[], extensions: Extensions::Refused };

pub(in crate::definition) const TASK: Level = Level {
    what: "a task",
    keys: &[
        "name",
        "run",
        "uses",
        "with",
        "if",
        "env",
        "cwd",
        "shell",
        "retry",
        "timeout",
        "on_failure",
        "loop_start",
        "loop_end",
        "verification",
    ],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const TRIGGER: Level = Level {
    what: "a trigger",
    keys: &["signal", "timer", "durability", "deliver", "start", "required", "correlate"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const RETRY: Level = Level {
    what: "retry",
    keys: &["max_attempts", "initial", "factor", "max", "jitter", "on"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const VERIFICATION: Level = Level {
    what: "verification",
    keys: &["required_keys", "types", "verifier", "retry"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

/// Which failures it is about is known.
pub(in crate::definition) const VERIFICATION_RETRY: Level = Level {
    what: "retry of a verification",
    keys: &["max_attempts", "initial", "factor", "max", "jitter"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const INPUT: Level = Level {
    what: "an input",
    keys: &["type", "default", "enum", "min", "max", "pattern", "items", "secret", "description"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const ITEMS: Level = Level {
    what: "items",
    keys: &["type", "enum", "min", "max", "pattern", "items", "description"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const CANCELS: Level = Level {
    what: "an item of cancels",
    keys: &["stage", "region", "workflow", "mi", "complete_mi"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const CANCEL_ON: Level = Level {
    what: "an item of cancel_on",
    keys: &["timer", "completed", "signal"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const REGION: Level =
    Level { what: "a region", keys: &["effect", "future"], aliases: &[], later: &[], extensions: Extensions::Refused };

pub(in crate::definition) const INTERLEAVE: Level =
    Level { what: "interleave", keys: &["group", "order"], aliases: &[], later: &[], extensions: Extensions::Refused };

pub(in crate::definition) const CRITICAL_SECTION: Level = Level {
    what: "an item of critical_sections",
    keys: &["mutex_key", "mutex_scope", "sections"],
    aliases: &[],
    later: &[],
    extensions: Extensions::Refused,
};

pub(in crate::definition) const SUB_WORKFLOW: Level = Level {
    what: "sub_workflow",
    keys: &["definition", "input", "output", "max_depth", "on_parent_cancel"],
    aliases: &[],
    later: &["version"],
    extensions: Extensions::Refused,
};

impl Level {
    /// What the map is, for messages: `a stage`.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// Its keys, for a hint.
    pub(super) fn listed(&self) -> String {
        format!("{} has the keys {}", self.what, self.keys.join(", "))
    }

    /// The key in each of its spellings, the usual one first.
    pub(in crate::definition) fn spellings(&self, key: &'static str) -> impl Iterator<Item = &'static str> {
        let aliases = self.aliases.iter().filter(move |(of, _)| *of == key).map(|(_, alias)| *alias);
        std::iter::once(key).chain(aliases)
    }

    /// Other spellings: of which key, and how.
    pub(in crate::definition) fn aliases(&self) -> &'static [(&'static str, &'static str)] {
        self.aliases
    }

    /// Whether keys that begin with `x-` are left alone.
    pub(in crate::definition) fn has_extensions(&self) -> bool {
        self.extensions == Extensions::Allowed
    }

    /// The keys in their usual spelling.
    #[cfg(test)]
    pub(in crate::definition) fn keys(&self) -> &'static [&'static str] {
        self.keys
    }

    fn canonical(&self, written: &str) -> Option<&'static str> {
        let alias = self.aliases.iter().find(|(_, alias)| *alias == written).map(|(key, _)| *key);
        alias.or_else(|| self.keys.iter().find(|key| **key == written).copied())
    }
}

/// What there is to write, for the test that all of it is drawn: the name of the map, and each key of it in each
/// spelling.
#[cfg(test)]
pub(in crate::definition) fn spellings() -> Vec<(&'static str, &'static str)> {
    let levels = [
        &WORKFLOW,
        &DEFAULTS,
        &STAGE,
        &BACK_ARC,
        &JUMP_TARGET,
        &LOOP,
        &TASK,
        &TRIGGER,
        &RETRY,
        &VERIFICATION,
        &VERIFICATION_RETRY,
        &INPUT,
        &ITEMS,
        &CANCELS,
        &CANCEL_ON,
        &REGION,
        &INTERLEAVE,
        &CRITICAL_SECTION,
        &SUB_WORKFLOW,
        &INSTANCES,
        &MI_ON,
        &CLOSE_ON,
    ];
    let spellings = |level: &'static Level| {
        let aliases = level.aliases.iter().map(|(_, alias)| alias);
        level.keys.iter().chain(aliases).map(|key| (level.what, *key))
    };
    levels.into_iter().flat_map(spellings).collect()
}

/// The understood entries of a map, by the first spelling of their keys.
pub(super) struct Fields<'d> {
    /// The map itself.
    pub(super) node: &'d Node,
    entries: BTreeMap<&'static str, &'d Entry>,
}

impl<'d> Fields<'d> {
    /// What stands under a key of the level.
    pub(super) fn get(&self, key: &'static str) -> Option<&'d Node> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Everything that is there, in byte order of the keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'static str, &'d Node)> {
        self.entries.iter().map(|(key, entry)| (*key, &entry.value))
    }

    /// The key as it was written.
    pub(super) fn key(&self, key: &'static str) -> Option<&'d Key> {
        self.entries.get(key).map(|entry| &entry.key)
    }
}

impl<'d> Reader<'d> {
    /// Sorts the entries of a map by what they mean; what means nothing is reported. Nothing if it is no map.
    pub(super) fn fields(&mut self, node: &'d Node, level: &Level) -> Option<Fields<'d>> {
        let Content::Map(written) = &node.content else {
            self.wrong_type(node, &format!("{} is a map", level.what));
            return None;
        };
        let mut entries: BTreeMap<&'static str, &'d Entry> = BTreeMap::new();
        for entry in written {
            let text = entry.key.text.as_str();
            let Some(key) = level.canonical(text) else {
                self.unknown_key(&entry.key, level);
                continue;
            };
            if let Some(earlier) = entries.get(key) {
                let message = format!("`{text}` is another spelling of `{}`, which stands here too", earlier.key.text);
                self.report(ProblemCode::KeyAndAlias, &entry.key.span, message);
                continue;
            }
            entries.insert(key, entry);
        }
        Some(Fields { node, entries })
    }

    fn unknown_key(&mut self, key: &Key, level: &Level) {
        let text = key.text.as_str();
        if level.extensions == Extensions::Allowed && text.starts_with("x-") {
            return;
        }
        if level.later.contains(&text) {
            self.report(ProblemCode::NotSupported, &key.span, format!("`{text}` is not supported yet"));
            return;
        }
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        let aliases = level.aliases.iter().map(|(_, alias)| *alias);
        let hint = match closest(text, level.keys.iter().copied().chain(aliases)) {
            Some(key) => format!("did you mean `{key}`?"),
            None => level.listed(),
        };
        let message = format!("unknown key `{text}` in {}", level.what);
        self.problems.push(Problem::error(ProblemCode::UnknownKey, &key.span, message).with_help(hint));
    }
}
