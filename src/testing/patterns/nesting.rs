//! A pattern inside other constructs: three rounds of a loop, a sub-workflow, an instance of several.

use super::explore::Bounds;
use super::pattern::{Nesting, Pattern};
use super::scenario::Scenario;
use super::trial::{Outcome, Trouble, read_nested};

/// The scenarios that can be nested.
fn nested(pattern: &Pattern) -> Result<Vec<&Scenario>, Trouble> {
    let found: Vec<&Scenario> = pattern.positive.iter().filter(|scenario| scenario.nests()).collect();
    if found.is_empty() { Err(Trouble::Missing("no scenario can be nested".to_owned())) } else { Ok(found) }
}

/// Three rounds of a loop.
pub(super) fn looped(pattern: &Pattern, _bounds: Bounds) -> Outcome {
    for scenario in nested(pattern)? {
        match pattern.nesting {
            Nesting::Body => read_nested(&pattern.net_of(scenario).looped(&pattern.workflow_name()))?,
            Nesting::Call(_) => return Err(Trouble::Missing("sub-workflows are not supported yet".to_owned())),
        };
    }
    Err(Trouble::Missing("the suite does not play loops yet".to_owned()))
}

/// A sub-workflow, and an instance of several.
pub(super) fn composed(pattern: &Pattern, _bounds: Bounds) -> Outcome {
    nested(pattern)?;
    Err(Trouble::Missing("sub-workflows and multiple instances are not supported yet".to_owned()))
}
