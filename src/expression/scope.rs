//! What the names of an expression mean.

use crate::value::{Map, Value};

/// Values by name. A name that is not in the scope is null to an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    names: Map,
}

impl Scope {
    /// A scope without names.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// This scope with one more name; an earlier value of that name is forgotten.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Scope {
        self.insert(name, value);
        self
    }

    /// Adds a name; an earlier value of that name is forgotten.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.names.insert(name.into(), value.into());
    }

    /// What this name means, if the scope has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.names.get(name)
    }
}

impl From<Map> for Scope {
    fn from(names: Map) -> Scope {
        Scope { names }
    }
}
