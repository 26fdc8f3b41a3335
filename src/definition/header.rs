//! What a definition says of its workflows besides the graph. Plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::flow::LeftoverTokens;
use super::input::Input;
use super::template::Template;
use super::times::Times;

/// What a definition says of its workflows besides the graph.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    /// Computed once, when a workflow is created, from `inputs`, `trigger` and `workflow`.
    pub(crate) name: Template,
    /// What groups definitions; may be empty.
    pub(crate) application: String,
    /// What kind of workflow it is.
    pub(crate) workflow_type: WorkflowType,
    /// The author's own version.
    pub(crate) version: Option<String>,
    /// For people.
    pub(crate) description: Option<String>,
    /// By name.
    pub(crate) inputs: BTreeMap<String, Input>,
    /// Computed once like the name; in byte order of the names.
    pub(crate) context: Vec<(String, Template)>,
    /// When it starts, and how long it may take; one that has not started in time is canceled.
    pub(crate) times: Times,
    /// 0 to 9, larger first.
    pub(crate) priority: u8,
    /// What tokens mean that are left at the end.
    pub(crate) leftover_tokens: LeftoverTokens,
    /// How strictly the verdict of the checker is taken.
    pub(crate) soundness: Soundness,
}

/// How strictly the verdict on a definition is taken by whoever checks it, and where a workflow of it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Soundness {
    /// A definition that is not known to be sound is refused.
    Strict,
    /// A definition that is known not to be sound is refused.
    #[default]
    Weak,
    /// It is not checked.
    Off,
}

impl Soundness {
    /// Every policy there is.
    pub(super) const ALL: [Soundness; 3] = [Soundness::Strict, Soundness::Weak, Soundness::Off];

    /// The name as definitions write it: `strict`, `weak`, `off`.
    pub fn name(self) -> &'static str {
        match self {
            Soundness::Strict => "strict",
            Soundness::Weak => "weak",
            Soundness::Off => "off",
        }
    }
}

/// What kind of workflow a definition describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WorkflowType {
    /// A graph of stages.
    Pipeline,
    /// One stage, run for its own sake.
    Orchestration,
}

impl WorkflowType {
    /// The name as definitions write it: `PIPELINE` or `ORCHESTRATION`.
    pub fn name(self) -> &'static str {
        match self {
            WorkflowType::Pipeline => "PIPELINE",
            WorkflowType::Orchestration => "ORCHESTRATION",
        }
    }

    /// Every type there is.
    pub(super) const ALL: [WorkflowType; 2] = [WorkflowType::Pipeline, WorkflowType::Orchestration];
}
