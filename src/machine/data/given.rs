//! What an instance is given, and what conditions see of all instances of an activation.

use std::sync::Arc;

use crate::failure::Failure;
use crate::ids::{ActivationId, ScopeId};
use crate::machine::instances::InstanceSet;
use crate::machine::items::Items;
use crate::machine::state::State;
use crate::value::{Map, Value};

use super::{Surroundings, damaged};

/// What an instance is given.
#[derive(Clone, Debug)]
pub(in crate::machine) struct InstanceNames {
    index: u32,
    item: Result<Option<Value>, Failure>,
    combination: Option<Map>,
}

impl InstanceNames {
    /// What this live instance is given, by what the activation sees that has it.
    pub(super) fn of(state: &State, id: ActivationId) -> Option<InstanceNames> {
        let (set, index) = (state.core.instances.get(&id.owner())?, id.instance?.get());
        let n_added = u32::try_from(set.added.len()).unwrap_or(u32::MAX);
        let first_added = set.total.unwrap_or(0).saturating_sub(n_added);
        if let Some(added) = index.checked_sub(first_added).and_then(|place| set.added.get(place as usize)) {
            let item = Value::from_json(added).map(Some).map_err(|error| damaged(&error));
            return Some(InstanceNames { index, item, combination: None });
        }
        let spec = state.definition.graph().stage(id.stage).instances.as_ref()?;
        let items = set.items.get_or_try(|| {
            let seen = Surroundings {
                activation: Some(id.owner()),
                past: set.past.clone(),
                around: state.core.scopes.get(&set.scope).and_then(|scope| scope.around.clone()),
                instance: InstanceNames::around(state, set.scope),
                ..Surroundings::of_the_start(state).expect("a workflow with instances has begun")
            };
            Items::of(&spec.source, &seen).map(Arc::new)
        });
        Some(match items {
            Ok(items) => InstanceNames { index, item: Ok(items.item(index)), combination: items.combination(index) },
            Err(error) => InstanceNames { index, item: Err(error), combination: None },
        })
    }

    /// What the innermost instance is given in which this scope lies.
    pub(super) fn around(state: &State, scope: ScopeId) -> Option<InstanceNames> {
        let mut scope = scope;
        loop {
            let owner = state.core.scopes.get(&scope)?.owner?;
            if owner.instance.is_some() {
                return InstanceNames::of(state, owner);
            }
            scope = state.core.live.get(&owner)?.scope;
        }
    }
}

impl Surroundings {
    /// The same where a condition asks for the instances.
    pub(in crate::machine) fn with_counts(self, set: &InstanceSet) -> Surroundings {
        Surroundings { counts: Some(set.counts()), ..self }
    }

    /// Does this name speak of instances here?
    pub(super) fn is_of_instances(&self, name: &str) -> bool {
        let of_one = self.instance.is_some() && matches!(name, "item" | "index" | "matrix");
        let of_all = matches!(name, "mi" | "total" | "done" | "failed" | "live" | "results");
        of_one || (of_all && self.counts.is_some())
    }

    /// What it says.
    pub(super) fn of_instances(&self, name: &str) -> Result<Option<Value>, Failure> {
        match (name, &self.instance, &self.counts) {
            ("index", Some(instance), _) => Ok(Some(Value::from(instance.index))),
            ("item", Some(instance), _) => instance.item.clone(),
            ("matrix", Some(instance), _) => Ok(instance.combination.clone().map(Value::Map)),
            ("results", _, _) => match &self.gathered {
                Some(gathered) => Ok(gathered.outputs()?.get("instances").cloned()),
                None => Ok(None),
            },
            ("mi", _, Some(counts)) => {
                let completed = |name| if name == "done" { "completed" } else { name };
                Ok(Some(Value::map(counts.map(|(name, count)| (completed(name), count)))))
            }
            (name, _, Some(counts)) => {
                Ok(counts.iter().find(|(known, _)| *known == name).map(|(_, count)| Value::from(*count)))
            }
            (_, _, None) => Ok(None),
        }
    }
}
