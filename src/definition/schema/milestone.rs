//! The milestone of a stage, in the schema.

use crate::definition::milestone::{MilestonePolicy, MilestoneStatus};
use crate::definition::reading::MILESTONE_FIELDS;
use crate::value::Value;

use super::data::{any_case, choice, text, without};
use super::{Property, required, when, with};

/// The keys of a stage.
pub(super) fn stage() -> Vec<Property> {
    let statuses = MilestoneStatus::ALL.map(MilestoneStatus::name);
    let policies = MilestonePolicy::ALL.map(MilestonePolicy::name);
    vec![
        ("milestone_ref_id", "It starts only while this stage is what milestone_status says.", text()),
        (
            "milestone_status",
            "What that stage has to be; REACHED: completed, until milestone_until starts.",
            choice(&statuses),
        ),
        ("milestone_until", "The stage that ends the milestone by starting.", text()),
        ("milestone_blocks", "Whether what ends the milestone waits for this stage.", Value::map([("const", false)])),
        ("milestone_policy", "What becomes of it when the milestone can hold no more.", choice(&policies)),
    ]
}

/// What needs or excludes what in a stage.
pub(super) fn rules() -> Vec<Value> {
    let lives = MilestoneStatus::ALL.into_iter().filter(|status| status.lives());
    let living =
        Value::map([("anyOf", Value::list(lives.map(|status| with("milestone_status", any_case(status.name())))))]);
    let mut rules: Vec<Value> =
        MILESTONE_FIELDS.iter().map(|key| when(required([key]), required(["milestone_ref_id"]))).collect();
    rules.push(when(living, without(["milestone_until"])));
    rules
        .push(when(with("milestone_status", any_case(MilestoneStatus::Reached.name())), required(["milestone_until"])));
    rules
}
