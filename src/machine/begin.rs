//! What a workflow begins with: inputs against their declarations, name and context computed, all within bounds.
//!
//! Used by whoever creates workflows, before anything is recorded; the machine is given the result.

use crate::definition::{Definition, InputErrors, Template, TemplateError};
use crate::event::{Creation, Json, Parent, TriggerRecord};
use crate::expression::Scope;
use crate::ids::WorkflowId;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::time::Timestamp;
use crate::value::{Map, Value};

/// What somebody says of a workflow that is to begin.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    pub(crate) inputs: Map,
    pub(crate) trigger: TriggerRecord,
    /// The trigger as expressions see it.
    pub(crate) trigger_value: Value,
    pub(crate) origin: String,
    /// Absolute.
    pub(crate) workdir: String,
    /// The definition's where nothing is said.
    pub(crate) priority: Option<u8>,
    pub(crate) parent: Option<Box<Parent>>,
}

/// Why a workflow cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    /// The inputs are not those that are declared.
    #[error("the inputs do not fit")]
    Inputs {
        #[source]
        source: InputErrors,
    },
    /// Something that is computed at the start has no value.
    #[error("{what}")]
    Template {
        what: String,
        #[source]
        source: TemplateError,
    },
    /// Data is larger than an event may hold.
    #[error("{what}: {bytes} bytes, more than {PAYLOAD_BYTES_MAX}")]
    TooLarge { what: &'static str, bytes: usize },
}

/// What the workflow begins with.
///
/// # Errors
///
/// If the inputs do not fit, or what is computed at the start has no value or is too large.
pub(crate) fn begin(
    definition: &Definition,
    workflow: WorkflowId,
    now: Timestamp,
    beginning: Beginning,
) -> Result<Creation, BeginError> {
    let inputs = definition.bind_inputs(beginning.inputs).map_err(|source| BeginError::Inputs { source })?;
    let mut names = Map::from([
        ("id".to_owned(), Value::from(workflow.to_string())),
        ("application".to_owned(), Value::from(definition.application())),
        ("definition".to_owned(), Value::from(definition.hash().to_string())),
        ("started_at".to_owned(), Value::from(now.to_string())),
        ("workdir".to_owned(), Value::from(beginning.workdir.as_str())),
    ]);
    let mut scope = Scope::new()
        .with("inputs", Value::Map(inputs.clone()))
        .with("trigger", beginning.trigger_value)
        .with("workflow", Value::Map(names.clone()));
    let name = computed("name", &definition.header().name, &scope)?;
    let name = name.as_str().map_or_else(|| name.to_json(), str::to_owned);
    // The name may be computed from all the rest; what is computed after it may use it.
    names.insert("name".to_owned(), Value::from(name.as_str()));
    scope.insert("workflow", Value::Map(names));
    let mut context = Map::new();
    for (key, template) in &definition.header().context {
        context.insert(key.clone(), computed(&format!("context.{key}"), template, &scope)?);
    }
    let (inputs, context) = (bounded("inputs", &inputs)?, bounded("context", &context)?);
    Ok(Creation {
        name,
        origin: beginning.origin,
        inputs,
        context,
        trigger: beginning.trigger,
        workdir: beginning.workdir,
        priority: beginning.priority.unwrap_or(definition.header().priority),
        parent: beginning.parent,
        ..Creation::bare(definition)
    })
}

/// A template that is computed once, at the start.
fn computed(what: &str, template: &Template, scope: &Scope) -> Result<Value, BeginError> {
    template.render(scope).map_err(|source| BeginError::Template { what: what.to_owned(), source })
}

/// Data of a start that an event can hold.
fn bounded(what: &'static str, map: &Map) -> Result<Json, BeginError> {
    let json = Json::of(map);
    let bytes = json.text().len();
    if bytes > PAYLOAD_BYTES_MAX { Err(BeginError::TooLarge { what, bytes }) } else { Ok(json) }
}
