//! A stage whose work is another workflow: which one, what it is given, what comes back. Plain data.

use serde::{Deserialize, Serialize};

use crate::ids::StageIndex;

use super::Definition;
use super::template::Template;

/// The task type of a stage whose work is another workflow.
pub(crate) const SUB_WORKFLOW: &str = "sub_workflow";

/// What names the definition that a stage belongs to.
pub(super) const OWN: &str = "$self";

/// Depth of calls within calls where nothing else is written.
pub(crate) const MAX_DEPTH: u32 = 100;

/// The workflow that is the work of a stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SubWorkflow {
    /// What it follows.
    pub(crate) definition: Called,
    /// Its inputs, in byte order of the names; computed when it is begun.
    pub(crate) input: Vec<(String, Template)>,
    /// The outputs of the stage, in byte order of the names, computed when it has ended; `None`: all of its outputs.
    pub(crate) output: Option<Vec<(String, Template)>>,
    /// How deep calls may be nested at this place.
    pub(crate) max_depth: u32,
    /// What the end of the stage from outside means for it.
    pub(crate) on_parent_cancel: OnParentCancel,
}

/// A definition that a stage calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Called {
    /// The one the stage belongs to (`$self`).
    Own,
    /// One of `definitions` of the document.
    Member(String),
    /// That of another file, embedded.
    Embedded(Definition),
}

/// What becomes of the called workflow when the stage that called it is canceled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OnParentCancel {
    /// It is canceled, too, and the caller is not over before it has ended.
    #[default]
    Cancel,
    /// It goes on by itself.
    Abandon,
}

impl OnParentCancel {
    /// Every meaning there is.
    pub(super) const ALL: [OnParentCancel; 2] = [OnParentCancel::Cancel, OnParentCancel::Abandon];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            OnParentCancel::Cancel => "cancel",
            OnParentCancel::Abandon => "abandon",
        }
    }
}

/// What a called definition is, seen from its caller.
impl Definition {
    /// The definition that the stage at this place calls; `None` if it calls none.
    pub(crate) fn called_by(&self, stage: StageIndex) -> Option<Definition> {
        let sub_workflow = self.graph().stage(stage).sub_workflow.as_ref()?;
        match &sub_workflow.definition {
            Called::Own => Some(self.clone()),
            Called::Member(name) => self.member(name),
            Called::Embedded(definition) => Some(definition.clone()),
        }
    }
}
