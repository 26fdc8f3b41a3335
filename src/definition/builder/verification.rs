//! What is asked of outputs, from code.

use super::fields::Fields;
use super::{Retry, Stage, TaskSpec};
use crate::definition::document::Node;
use crate::value::Value;

/// What is asked of the outputs of a task before its success counts. Work that does not pass has failed with code
/// `VERIFICATION_FAILED`.
///
/// ```
/// use stabilize::{Definition, Retry, Stage, Verification};
///
/// let asked = Verification::new().required_keys(["sha"]).types([("sha", "string")]).retry(Retry::attempts(3));
/// let definition = Definition::builder("ci").stage(Stage::new("build").run("./build").verification(asked)).build()?;
/// # Ok::<(), stabilize::Problems>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Verification(Fields);

impl Verification {
    /// Asks for nothing yet, which is refused.
    pub fn new() -> Verification {
        Verification::default()
    }

    /// Outputs that have to be there, and not null.
    pub fn required_keys<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Verification {
        self.0.set("required_keys", Value::list(names.into_iter().map(|name| Value::from(name.into()))));
        self
    }

    /// The types of outputs that are there: `string`, `integer`, `number`, `boolean`, `list`, `map` or `any`.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = (T, T)>) -> Verification {
        let types = types.into_iter().map(|(name, of)| (name.into(), Value::from(of.into())));
        self.0.set("types", Value::Map(types.collect()));
        self
    }

    /// The function that has the last word, by its name in the [`Registry`](crate::Registry::verifier).
    pub fn verifier(mut self, name: impl Into<String>) -> Verification {
        self.0.set("verifier", name.into());
        self
    }

    /// How often and when work is done again that does not pass. It says nothing about which failures those are:
    /// [`Retry::on`] is refused here.
    pub fn retry(mut self, retry: Retry) -> Verification {
        self.0.set_node("retry", retry.into_node());
        self
    }

    fn into_node(self) -> Node {
        self.0.into_node()
    }
}

impl Stage {
    /// What is asked of the outputs of its work, which is one task.
    pub fn verification(self, verification: Verification) -> Stage {
        self.set_map("verification", verification.into_node())
    }
}

impl TaskSpec {
    /// What is asked of its outputs.
    pub fn verification(mut self, verification: Verification) -> TaskSpec {
        self.0.set_node("verification", verification.into_node());
        self
    }
}
