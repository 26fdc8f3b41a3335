//! Tasks that people do: no worker begins them, they are open until somebody says how they ended.
//!
//! Known by their names, as `uses` writes them; what a registry has under these names is never run. What decides is
//! constant in their `with`; `reading` sees to that, and to defaults.

use crate::value::{Map, Value};

use super::template::Template;

/// What people are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByHand {
    /// `manual`: anything; they say that it is done, or that it failed.
    Manual,
    /// `approval`: they approve or reject.
    Approval,
}

impl ByHand {
    /// The names of the task types that people do.
    pub(super) const NAMES: [&str; 2] = ["manual", "approval"];

    /// What the task type of this name leaves to people; `None` for one that workers do.
    pub(crate) fn of(uses: &str) -> Option<ByHand> {
        match uses {
            "manual" => Some(ByHand::Manual),
            "approval" => Some(ByHand::Approval),
            _ => None,
        }
    }
}

/// What an approval says about itself, as far as it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approval {
    /// As whom somebody has to speak; empty if anybody may.
    pub(crate) roles: Vec<String>,
    /// What becomes of it when the deadline of its stage passes.
    pub(crate) on_deadline: OnDeadline,
    /// What a rejection means.
    pub(crate) on_reject: OnReject,
}

/// What becomes of an approval when the deadline of its stage passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDeadline {
    /// Nothing: the stage fails as any other.
    Fail,
    /// It counts as approved.
    Approve,
    /// It counts as rejected.
    Reject,
}

/// What a rejection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnReject {
    /// The task fails.
    Fail,
    /// The task fails and what follows goes on: FAILED_CONTINUE.
    Continue,
}

impl OnDeadline {
    pub(super) const ALL: [OnDeadline; 3] = [OnDeadline::Fail, OnDeadline::Approve, OnDeadline::Reject];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            OnDeadline::Fail => "fail",
            OnDeadline::Approve => "approve",
            OnDeadline::Reject => "reject",
        }
    }
}

impl OnReject {
    pub(super) const ALL: [OnReject; 2] = [OnReject::Fail, OnReject::Continue];

    /// The name as definitions write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            OnReject::Fail => "fail",
            OnReject::Continue => "continue",
        }
    }
}

impl Approval {
    /// What `with` says. What it does not say, or not like this, is as it is by default.
    pub(crate) fn of(with: &Template) -> Approval {
        let text = |key| constant(with, key).and_then(Value::as_str);
        let on_deadline = OnDeadline::ALL.into_iter().find(|it| text("on_deadline") == Some(it.name()));
        let on_reject = OnReject::ALL.into_iter().find(|it| text("on_reject") == Some(it.name()));
        let roles = constant(with, "roles").and_then(Value::as_list).unwrap_or_default();
        Approval {
            roles: roles.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            on_deadline: on_deadline.unwrap_or(OnDeadline::Fail),
            on_reject: on_reject.unwrap_or(OnReject::Fail),
        }
    }
}

/// What people are told of the task, where it says so.
pub(crate) fn prompt(with: &Template) -> Option<Template> {
    match with {
        Template::Constant(Value::Map(with)) => with.get("prompt").cloned().map(Template::Constant),
        Template::Map(entries) => entries.get("prompt").cloned(),
        Template::Constant(_) | Template::Whole(_) | Template::Text(_) | Template::List(_) => None,
    }
}

fn constant<'w>(with: &'w Template, key: &str) -> Option<&'w Value> {
    match with {
        Template::Constant(with) => with.as_map().and_then(|with: &Map| with.get(key)),
        Template::Map(entries) => entries.get(key)?.constant(),
        Template::Whole(_) | Template::Text(_) | Template::List(_) => None,
    }
}
