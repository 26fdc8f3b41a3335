//! What the names of an expression mean, and what its evaluation may cost.

use crate::limits::EXPRESSION_FUEL;
use crate::value::{Map, Value};

/// Values by name. A name that is not in the scope is null to an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    names: Map,
    fuel: u64,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope::from(Map::new())
    }
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

    /// The same scope, in which an evaluation may take so many steps: a workflow keeps the limits it began with.
    pub(crate) fn within(mut self, fuel: u64) -> Scope {
        self.fuel = fuel;
        self
    }

    /// Steps that an evaluation may take.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel
    }

    /// What this name means, if the scope has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.names.get(name)
    }
}

impl From<Map> for Scope {
    fn from(names: Map) -> Scope {
        Scope { names, fuel: EXPRESSION_FUEL }
    }
}
