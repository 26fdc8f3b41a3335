//! Declarations of inputs from code.

use super::fields::Fields;
use crate::definition::document::Node;
use crate::value::Value;

/// What is declared of an input: its type, and what else its values have to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct InputSpec(Fields);

impl InputSpec {
    fn of(input_type: &str) -> InputSpec {
        InputSpec(Fields::new().with("type", input_type))
    }

    fn set(mut self, key: &str, value: impl Into<Value>) -> InputSpec {
        self.0.set(key, value);
        self
    }

    /// Text.
    pub fn string() -> InputSpec {
        InputSpec::of("string")
    }

    /// A whole number.
    pub fn integer() -> InputSpec {
        InputSpec::of("integer")
    }

    /// Any number.
    pub fn number() -> InputSpec {
        InputSpec::of("number")
    }

    /// True or false.
    pub fn boolean() -> InputSpec {
        InputSpec::of("boolean")
    }

    /// Values in order.
    pub fn list() -> InputSpec {
        InputSpec::of("list")
    }

    /// Values by name.
    pub fn map() -> InputSpec {
        InputSpec::of("map")
    }

    /// Anything.
    pub fn any() -> InputSpec {
        InputSpec::of("any")
    }

    /// Taken where none is given; without it, the input must be.
    pub fn default(self, value: impl Into<Value>) -> InputSpec {
        self.set("default", value)
    }

    /// The values it is one of.
    pub fn choices<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> InputSpec {
        self.set("enum", Value::list(values))
    }

    /// Least number; of text the least number of characters, of a list or map of entries.
    pub fn min(self, min: impl Into<Value>) -> InputSpec {
        self.set("min", min)
    }

    /// Greatest, like [`InputSpec::min`].
    pub fn max(self, max: impl Into<Value>) -> InputSpec {
        self.set("max", max)
    }

    /// Regular expression that some part of the text matches.
    pub fn pattern(self, pattern: impl Into<String>) -> InputSpec {
        self.set("pattern", pattern.into())
    }

    /// What the items of a list are; a default has no meaning there.
    pub fn items(mut self, items: InputSpec) -> InputSpec {
        self.0.set_node("items", items.into_node());
        self
    }

    /// Of text: what is given says where the value is, `env:NAME` or `file:PATH`; only tasks are given the value, in
    /// `with`, `env` and `run`.
    pub fn secret(self) -> InputSpec {
        self.set("secret", true)
    }

    /// For people.
    pub fn description(self, description: impl Into<String>) -> InputSpec {
        self.set("description", description.into())
    }

    pub(super) fn into_node(self) -> Node {
        self.0.into_node()
    }
}
