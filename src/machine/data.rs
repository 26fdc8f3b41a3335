//! What an activation can see: its effective context and the names of expressions (R11).
//!
//! Computed when somebody reads, never stored back. Keys are looked up newest first: context left by earlier attempts,
//! outputs of earlier tasks, the stage's own context, outputs of what lies behind by depth, workflow inputs, workflow
//! context. A later scalar replaces an earlier one; lists are joined, without what is there already.

mod given;
mod outputs;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::definition::{Definition, SecretPlace, Template, TemplateError};
use crate::event::Json;
use crate::expression::{Reference, Scope};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ScopeId, TaskIndex, WorkflowId};
use crate::status::Status;
use crate::value::{Map, Value, merge_into};

use self::given::InstanceNames;
pub(crate) use self::outputs::outputs_of;
pub(super) use self::outputs::outputs_of_tasks;
use self::outputs::{Newest, look_in, merge_past, merged, of_json, parsed, without_fixed};
use super::around::Around;
use super::instances::Gathered;
use super::past::{Ended, Past, TaskResult};
use super::signals::GivenSignal;
use super::state::{StartData, State};

/// Outputs that every program has; they stay with their stage.
const FIXED_OUTPUTS: [&str; 5] = ["stdout", "stderr", "exit_code", "returncode", "truncated"];

/// What conditions, templates and tasks of one activation can see.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) workflow: WorkflowId,
    pub(crate) definition: Definition,
    pub(super) start: Arc<StartData>,
    /// The activation whose own context counts; `None` for the workflow's outputs.
    pub(super) activation: Option<ActivationId>,
    pub(super) past: Past,
    /// What surrounds the scope of the activation.
    pub(super) around: Option<Arc<Around>>,
    /// What was done before the activation's own work, and the last turn of its own loop.
    pub(super) inside: Past,
    /// What was done behind the activation's own work.
    pub(super) behind: Past,
    /// What earlier tasks of the activation gave, and `outputs:` of its stage once it is computed.
    pub(super) results: Arc<Vec<TaskResult>>,
    pub(super) outputs: Option<Json>,
    pub(super) updates: Arc<Map>,
    /// The signal that came last for the activation.
    pub(super) signal: Option<Arc<GivenSignal>>,
    /// Which instance of the activation it is, and what it is given.
    pub(super) instance: Option<InstanceNames>,
    /// What the instances of the activation gave that have ended.
    pub(super) gathered: Option<Arc<Gathered>>,
    /// How the workflow is to end, and why it has failed, where it is ending.
    pub(super) heading: Option<Arc<(Status, Option<Failure>)>>,
    /// How many instances there are and have ended, where conditions ask.
    pub(super) counts: Option<[(&'static str, u32); 4]>,
}

/// Names that exist only where work is dispatched.
#[derive(Clone, Debug, Default)]
pub(crate) struct DispatchNames {
    /// `task`, `secrets` and, once it is computed, `env`; also `stage`, which is known without, and in `inputs` the
    /// values of secret ones, which stand above what is known of them.
    pub(crate) names: BTreeMap<&'static str, Value>,
}

impl DispatchNames {
    /// The inputs as the work sees them.
    fn inputs(&self, known: &Map) -> Map {
        let mut inputs = known.clone();
        inputs.extend(self.names.get("inputs").and_then(Value::as_map).cloned().unwrap_or_default());
        inputs
    }
}

impl Surroundings {
    /// The turn of a task that is to be done: 1, and more in a loop of tasks.
    pub(crate) fn turn_of(&self, task: TaskIndex) -> u32 {
        TaskResult::turn_of(&self.results, task)
    }

    /// What conditions, templates and tasks of a live activation can see; `None` if it is not one.
    pub(super) fn of_activation(state: &State, id: ActivationId) -> Option<Surroundings> {
        let activation = state.core.live.get(&id)?;
        let set = state.core.instances.get(&id.owner());
        let instance = match id.instance {
            Some(_) => InstanceNames::of(state, id),
            None => InstanceNames::around(state, activation.scope),
        };
        // An instance sees what lies behind the activation that has it.
        let behind = set.filter(|_| id.instance.is_some()).map_or(&activation.past, |set| &set.past);
        let gathered = set.filter(|_| id.instance.is_none()).map(|set| Arc::clone(&set.gathered));
        Some(Surroundings {
            activation: Some(id),
            past: behind.clone(),
            around: state.core.scopes.get(&activation.scope).and_then(|scope| scope.around.clone()),
            inside: activation.inside.as_ref().map_or_else(Past::empty, |inside| inside.given_before()),
            results: Arc::clone(&activation.results),
            updates: Arc::clone(&activation.updates),
            signal: activation.signal.clone(),
            instance,
            gathered,
            ..Surroundings::of_the_start(state)?
        })
    }

    /// What is there to be seen before any stage has started.
    pub(super) fn of_the_start(state: &State) -> Option<Surroundings> {
        Some(Surroundings {
            workflow: state.workflow,
            definition: state.definition.clone(),
            start: Arc::clone(state.core.start.as_ref()?),
            activation: None,
            past: Past::empty(),
            around: None,
            inside: Past::empty(),
            behind: Past::empty(),
            results: Arc::default(),
            outputs: None,
            updates: Arc::default(),
            signal: None,
            instance: None,
            gathered: None,
            heading: state.heading(),
            counts: None,
        })
    }

    /// From here on this signal is visible, as if it had been taken.
    pub(super) fn see_signal(&mut self, signal: &Arc<GivenSignal>) {
        self.signal = Some(Arc::clone(signal));
    }

    /// The signal that came last for the activation.
    pub(crate) fn signal(&self) -> Option<&GivenSignal> {
        self.signal.as_deref()
    }

    /// What the workflow's own outputs can see: everything behind the threads that have ended, those included that wait
    /// at a join for ever because a branch was stopped.
    pub(crate) fn of_ended(state: &State) -> Option<Surroundings> {
        let mut past = state.core.scopes.get(&ScopeId::ROOT)?.ended.clone();
        state.core.marking.of_scope(ScopeId::ROOT).for_each(|token| past.union(&token.past));
        Some(Surroundings { past, ..Surroundings::of_the_start(state)? })
    }

    /// What is seen right inside these surroundings, before anything lies behind.
    pub(super) fn within(state: &State, around: Around) -> Option<Surroundings> {
        let owner = around.owner;
        let instance = match owner.instance {
            Some(_) => InstanceNames::of(state, owner),
            None => state.core.live.get(&owner).and_then(|owner| InstanceNames::around(state, owner.scope)),
        };
        Some(Surroundings { around: Some(Arc::new(around)), instance, ..Surroundings::of_the_start(state)? })
    }

    /// The value of `key` in the effective context.
    ///
    /// # Errors
    ///
    /// If the stage's own context names it and cannot be computed, or recorded data is damaged.
    pub(crate) fn lookup(&self, key: &str) -> Result<Option<Value>, Failure> {
        let mut found = Newest::default();
        if found.is_final(self.updates.get(key).cloned()) {
            return Ok(found.merged());
        }
        if found.is_final(of_json(self.outputs.as_ref(), key)?) {
            return Ok(found.merged());
        }
        if let Some(gathered) = &self.gathered
            && found.is_final(gathered.outputs()?.get(key).cloned())
        {
            return Ok(found.merged());
        }
        if look_in(&without_fixed(key, &self.behind), key, &mut found)? {
            return Ok(found.merged());
        }
        for result in self.results.iter().rev() {
            if found.is_final(of_json(Some(&result.outputs), key)?) {
                return Ok(found.merged());
            }
        }
        if look_in(&without_fixed(key, &self.inside), key, &mut found)? {
            return Ok(found.merged());
        }
        if let Some(template) = self.own_context().iter().find(|(name, _)| name == key).map(|(_, template)| template)
            && found.is_final(Some(self.render_inherited(key, template)?))
        {
            return Ok(found.merged());
        }
        self.look_behind(key, found)
    }

    /// The whole effective context.
    ///
    /// # Errors
    ///
    /// As [`Surroundings::lookup`].
    pub(crate) fn all(&self) -> Result<Map, Failure> {
        let mut all = self.inherited()?;
        let mut own = Map::new();
        for (key, template) in self.own_context() {
            own.insert(key.clone(), self.render_inherited(key, template)?);
        }
        merge_into(&mut all, &own);
        merge_into(&mut all, &merged(&self.inside)?);
        for result in self.results.iter() {
            merge_into(&mut all, &parsed(&result.outputs)?);
        }
        if let Some(gathered) = &self.gathered {
            merge_into(&mut all, gathered.outputs()?);
        }
        merge_into(&mut all, &merged(&self.behind)?);
        if let Some(outputs) = &self.outputs {
            merge_into(&mut all, &parsed(outputs)?);
        }
        merge_into(&mut all, &self.updates);
        Ok(all)
    }

    /// What lies behind, merged: the outputs of a scope that ended, without those that every program has.
    pub(crate) fn merged_outputs(&self) -> Result<Map, Failure> {
        merged(&self.past)
    }

    /// A scope that holds what `references` need, and nothing else.
    ///
    /// # Errors
    ///
    /// As [`Surroundings::lookup`].
    pub(crate) fn scope(&self, references: &[Reference]) -> Result<Scope, Failure> {
        self.scope_with(references, &DispatchNames::default())
    }

    /// The same where work is dispatched.
    ///
    /// # Errors
    ///
    /// As [`Surroundings::lookup`].
    pub(crate) fn scope_with(&self, references: &[Reference], dispatch: &DispatchNames) -> Result<Scope, Failure> {
        let mut stages = Map::new();
        let mut context = Map::new();
        let mut scope = Scope::new().within(self.definition.limits().expression_fuel);
        for reference in references {
            let first = reference.path.first().map(String::as_str);
            match (reference.root.as_str(), first) {
                ("inputs", _) => scope.insert("inputs", Value::Map(dispatch.inputs(&self.start.inputs))),
                ("workflow", _) => scope.insert("workflow", self.workflow_names()),
                ("trigger", _) => scope.insert("trigger", self.trigger()?),
                ("stages", Some(stage)) => {
                    if let Some(view) = self.stage_named(stage)? {
                        stages.insert(stage.to_owned(), view);
                    }
                }
                ("stages", None) => {
                    let around: Vec<&Around> = self.layers().collect();
                    let outer = around.into_iter().rev().flat_map(|layer| layer.past.iter());
                    for ended in outer.chain(self.past.iter()) {
                        let ref_id = self.definition.graph().stage(ended.activation.stage).ref_id.clone();
                        stages.insert(ref_id, stage_value(ended)?);
                    }
                }
                ("loop", _) => {
                    if let Some(turn) = self.layers().find_map(|layer| layer.turn.as_ref()) {
                        let previous = Value::Map(merged(&turn.previous)?);
                        scope.insert("loop", Value::map([("index", Value::from(turn.index)), ("previous", previous)]));
                    }
                }
                ("tasks", _) => scope.insert("tasks", self.earlier_tasks()?),
                ("context", Some(key)) => {
                    if let Some(value) = self.lookup(key)? {
                        context.insert(key.to_owned(), value);
                    }
                }
                ("context", None) => context = self.all()?,
                (name, _) => match dispatch.names.get(name) {
                    Some(value) => scope.insert(name, value.clone()),
                    None if name == "stage" => {
                        if let Some(names) = self.stage_names() {
                            scope.insert("stage", names);
                        }
                    }
                    None if name == "signal" => {
                        if let Some(signal) = &self.signal {
                            scope.insert("signal", signal.value()?);
                        }
                    }
                    None if matches!(name, "env" | "secrets" | "task") => (),
                    None if self.is_of_instances(name) => {
                        if let Some(value) = self.of_instances(name)? {
                            scope.insert(name, value);
                        }
                    }
                    None => {
                        if let Some(value) = self.lookup(name)? {
                            scope.insert(name, value);
                        }
                    }
                },
            }
        }
        if references.iter().any(|reference| reference.root == "stages") {
            scope.insert("stages", Value::Map(stages));
        }
        if references.iter().any(|reference| reference.root == "context") {
            scope.insert("context", Value::Map(context));
        }
        Ok(scope)
    }

    /// The values of these templates.
    ///
    /// # Errors
    ///
    /// If one of them cannot be computed; the message names it.
    pub(crate) fn render(&self, templates: &[(String, Template)]) -> Result<Map, Failure> {
        let mut rendered = Map::new();
        for (key, template) in templates {
            let scope = self.scope(&template.references())?;
            let value = template.render(&scope).map_err(|error| template_failure(key, &error))?;
            rendered.insert(key.clone(), value);
        }
        Ok(rendered)
    }

    /// From here on `outputs:` of the stage are visible too.
    pub(super) fn add_outputs(&mut self, outputs: Option<&Json>) {
        self.outputs = outputs.cloned();
    }

    /// `trigger`: who or what asked for the workflow.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn trigger(&self) -> Result<Value, Failure> {
        let trigger = &self.start.creation.trigger;
        let artifacts = Value::from_json(&trigger.artifacts).map_err(|error| damaged(&error))?;
        Ok(Value::map([
            ("type", Value::from(trigger.trigger_type.as_str())),
            ("user", Value::from(trigger.user.as_str())),
            ("parameters", Value::Map(parsed(&trigger.parameters)?)),
            ("artifacts", artifacts),
            ("payload", Value::Map(parsed(&trigger.payload)?)),
        ]))
    }

    /// Where the value of an input is, if it is a secret one.
    pub(crate) fn secret_place(&self, input: &str) -> Option<SecretPlace<'_>> {
        self.definition.header().inputs.get(input).filter(|input| input.secret)?;
        SecretPlace::read(self.start.inputs.get(input)?.as_str()?)
    }

    /// The directory that relative directories of tasks start from.
    pub(crate) fn workdir(&self) -> &str {
        &self.start.creation.workdir
    }

    fn workflow_names(&self) -> Value {
        let creation = &self.start.creation;
        let heading = self.heading.as_deref().map(|(status, failure)| {
            let error = failure.as_ref().map_or(Value::Null, error_value);
            [("status", Value::from(status.name())), ("error", error)]
        });
        let names = [
            ("id", Value::from(self.workflow.to_string())),
            ("name", Value::from(creation.name.as_str())),
            ("application", Value::from(creation.application.as_str())),
            ("definition", Value::from(creation.definition.to_string())),
            ("started_at", Value::from(self.start.at.to_string())),
            ("workdir", Value::from(creation.workdir.as_str())),
        ];
        Value::map(names.into_iter().chain(heading.into_iter().flatten()))
    }

    /// `stage`: the stage itself, in its templates and those of its tasks.
    pub(crate) fn stage_names(&self) -> Option<Value> {
        let activation = self.activation?;
        let stage = self.definition.graph().stage(activation.stage);
        Some(Value::map([
            ("ref_id", Value::from(stage.ref_id.as_str())),
            ("name", Value::from(stage.name.as_str())),
            ("activation", Value::from(activation.number)),
        ]))
    }

    fn earlier_tasks(&self) -> Result<Value, Failure> {
        let Some(ActivationId { stage, .. }) = self.activation else { return Ok(Value::Map(Map::new())) };
        let mut tasks = Map::new();
        for result in self.results.iter() {
            let Some(task) = result.task else { continue };
            let name = self.definition.graph().task(stage, task).name.clone();
            let outputs = Value::Map(parsed(&result.outputs)?);
            tasks.insert(name, Value::map([("outputs", outputs), ("status", result.status.name().into())]));
        }
        Ok(Value::Map(tasks))
    }

    fn stage_named(&self, ref_id: &str) -> Result<Option<Value>, Failure> {
        let Some(stage) = self.definition.graph().stage_index(ref_id) else { return Ok(None) };
        let around = || self.layers().find_map(|layer| layer.named(stage));
        let own = || [&self.behind, &self.inside, &self.past].into_iter().find_map(|past| past.get(stage));
        own().or_else(around).map(|ended| stage_value(ended)).transpose()
    }

    fn own_context(&self) -> &[(String, Template)] {
        self.activation.map_or(&[], |activation| &self.definition.graph().stage(activation.stage).context)
    }

    /// A template of the stage's own context sees what the stage inherits, not its own context.
    fn render_inherited(&self, key: &str, template: &Template) -> Result<Value, Failure> {
        if let Some(value) = template.constant() {
            return Ok(value.clone());
        }
        let inherited = Surroundings {
            activation: None,
            inside: Past::empty(),
            behind: Past::empty(),
            results: Arc::default(),
            outputs: None,
            updates: Arc::default(),
            ..self.clone()
        };
        let names = DispatchNames { names: self.stage_names().map(|names| ("stage", names)).into_iter().collect() };
        let scope = inherited.scope_with(&template.references(), &names)?;
        template.render(&scope).map_err(|error| template_failure(key, &error))
    }

    /// Everything the stage inherits.
    fn inherited(&self) -> Result<Map, Failure> {
        let mut inherited = self.start.context.clone();
        merge_into(&mut inherited, &self.start.inputs);
        let layers: Vec<&Around> = self.layers().collect();
        for layer in layers.into_iter().rev() {
            merge_past(&mut inherited, &layer.past)?;
            let owner = self.owner(layer);
            let mut own = Map::new();
            for (key, template) in owner.own_context() {
                own.insert(key.clone(), owner.render_inherited(key, template)?);
            }
            merge_into(&mut inherited, &own);
            for result in layer.results.iter() {
                merge_into(&mut inherited, &parsed(&result.outputs)?);
            }
            merge_into(&mut inherited, &layer.updates);
            if let Some(turn) = &layer.turn {
                merge_into(&mut inherited, &merged(&turn.previous)?);
            }
        }
        merge_past(&mut inherited, &self.past)?;
        Ok(inherited)
    }

    /// What surrounds the activation, from the inside out.
    fn layers(&self) -> impl Iterator<Item = &Around> {
        std::iter::successors(self.around.as_deref(), |layer| layer.outer.as_deref())
    }

    /// What the activation sees inside of which that layer lies.
    fn owner(&self, layer: &Around) -> Surroundings {
        Surroundings {
            activation: Some(layer.owner),
            past: layer.past.clone(),
            around: layer.outer.clone(),
            inside: Past::empty(),
            behind: Past::empty(),
            results: Arc::clone(&layer.results),
            outputs: None,
            updates: Arc::clone(&layer.updates),
            ..self.clone()
        }
    }

    fn look_behind(&self, key: &str, mut found: Newest) -> Result<Option<Value>, Failure> {
        if look_in(&self.past, key, &mut found)? {
            return Ok(found.merged());
        }
        for layer in self.layers() {
            if self.look_at_layer(layer, key, &mut found)? {
                return Ok(found.merged());
            }
        }
        if !found.is_final(self.start.inputs.get(key).cloned()) {
            found.is_final(self.start.context.get(key).cloned());
        }
        Ok(found.merged())
    }

    /// Takes the values of `key` in one layer; is its value now known?
    fn look_at_layer(&self, layer: &Around, key: &str, found: &mut Newest) -> Result<bool, Failure> {
        if let Some(turn) = &layer.turn
            && look_in(&without_fixed(key, &turn.previous), key, found)?
        {
            return Ok(true);
        }
        if found.is_final(layer.updates.get(key).cloned()) {
            return Ok(true);
        }
        for result in layer.results.iter().rev() {
            if found.is_final(of_json(Some(&result.outputs), key)?) {
                return Ok(true);
            }
        }
        let context = &self.definition.graph().stage(layer.owner.stage).context;
        if let Some((_, template)) = context.iter().find(|(name, _)| name == key)
            && found.is_final(Some(self.owner(layer).render_inherited(key, template)?))
        {
            return Ok(true);
        }
        look_in(&layer.past, key, found)
    }
}

impl GivenSignal {
    /// The signal as expressions see it.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn value(&self) -> Result<Value, Failure> {
        Ok(Value::map([
            ("name", Value::from(self.name.as_str())),
            ("data", self.parsed()?),
            ("actor", Value::from(self.actor.to_string())),
        ]))
    }

    /// What came with it.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn parsed(&self) -> Result<Value, Failure> {
        Value::from_json(&self.data).map_err(|error| damaged(&error))
    }
}

/// What a failed template tells.
pub(crate) fn template_failure(key: &str, error: &TemplateError) -> Failure {
    let code = if error.is_missing() { ErrorCode::VALUE_MISSING } else { ErrorCode::CONFIGURATION_INVALID };
    let failure = Failure::new(code, ErrorClass::Permanent, format!("{key}: {error}"));
    match std::error::Error::source(error) {
        Some(source) => failure.caused_by(source.to_string()),
        None => failure,
    }
}

fn stage_value(ended: &Ended) -> Result<Value, Failure> {
    let mut view = BTreeMap::from([
        ("outputs".to_owned(), Value::Map(outputs_of(ended)?)),
        ("status".to_owned(), Value::from(ended.status.name())),
        ("activations".to_owned(), Value::from(ended.activation.number)),
    ]);
    if let Some(error) = ended.failure() {
        view.insert("error".to_owned(), error_value(error));
    }
    Ok(Value::Map(view))
}

fn error_value(error: &Failure) -> Value {
    Value::map([("code", error.code().to_string()), ("message", error.message().to_owned())])
}

fn damaged(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::SYSTEM_ERROR, ErrorClass::Permanent, format!("recorded data is damaged: {error}"))
}
