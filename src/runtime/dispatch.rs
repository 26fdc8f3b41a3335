//! From an attempt to what its task is told, and from what the task answers to what is recorded.
//!
//! Templates are computed here, on the worker's thread, at every dispatch; nothing of it is stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::definition::{GraphTask, HTTP, SecretPlace, Template};
use crate::event::{Json, Report, StreamFile, TaskReport};
use crate::expression::{Reference, Scope};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::AttemptId;
use crate::machine::{DispatchNames, GivenSignal, Surroundings, template_failure};
use crate::task::{
    Cancel, ContextSource, Dispatch, Ended, GivenSecrets, OutcomeKind, Place, Poll, ReceivedSignal, Registry, Secrets,
    StreamRecord, Task,
};
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::verification::verified;
use super::worklist::Released;

/// What an attempt leads to.
pub(super) enum Conclusion {
    /// The workflow is told this.
    Report(TaskReport),
    /// Nothing is told: the task is called again at this moment.
    CallAgain(Timestamp),
    /// The engine closes: the work is given back.
    GivenBack,
    /// The state asks for it no more, and the task has obeyed: there is nothing to tell.
    Withdrawn,
}

impl ContextSource for Surroundings {
    fn lookup(&self, key: &str) -> Option<Value> {
        match Surroundings::lookup(self, key) {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(%key, error = error.message(), "a value of the context could not be computed");
                None
            }
        }
    }

    fn all(&self) -> Map {
        match Surroundings::all(self) {
            Ok(context) => context,
            Err(error) => {
                tracing::error!(error = error.message(), "the context could not be computed");
                Map::new()
            }
        }
    }
}

/// Everything the task of an attempt is told, and the task.
///
/// # Errors
///
/// If no such task is registered, a secret cannot be had, or a template cannot be computed.
pub(super) fn prepare(
    item: &Released,
    registry: &Registry,
    secrets: &Arc<dyn Secrets>,
    place: &Place,
    cancel: Cancel,
    now: Timestamp,
) -> Result<(Arc<dyn Task>, Dispatch), Failure> {
    let given = GivenSecrets::of(Arc::clone(secrets));
    let filled = fill(item, registry, given.clone(), place, cancel, now);
    filled.map_err(|failure| given.mask_failure(&failure))
}

fn fill(
    item: &Released,
    registry: &Registry,
    secrets: GivenSecrets,
    place: &Place,
    cancel: Cancel,
    now: Timestamp,
) -> Result<(Arc<dyn Task>, Dispatch), Failure> {
    let seen = &item.surroundings;
    let definition = seen.definition.clone();
    let AttemptId { task, dispatch } = item.attempt;
    let stage = definition.graph().stage(task.activation.stage);
    let spec = definition.graph().task(task.activation.stage, task.task);
    let mut idempotency_key = format!("{}/{}{}/{}", item.workflow, stage.ref_id, task.activation.suffix(), spec.name);
    // In another turn of a loop of tasks it is another piece of work.
    let turn = seen.turn_of(task.task);
    if turn > 1 {
        idempotency_key.push_str(&format!("~{turn}"));
    }
    let work = registry.task(&spec.uses).ok_or_else(|| {
        let message = format!("no task is registered as {}", spec.uses);
        Failure::new(ErrorCode::TASK_NOT_FOUND, ErrorClass::Permanent, message)
    })?;
    let work = verified(spec, work, registry)?;
    let mut names = DispatchNames::default();
    let stage_value = Value::map([
        ("ref_id", Value::from(stage.ref_id.as_str())),
        ("name", Value::from(stage.name.as_str())),
        ("activation", Value::from(task.activation.number)),
    ]);
    let task_value = Value::map([
        ("name", Value::from(spec.name.as_str())),
        ("attempt", Value::from(dispatch)),
        ("idempotency_key", Value::from(idempotency_key.as_str())),
    ]);
    names.names.insert("stage", stage_value);
    names.names.insert("task", task_value);
    let read = SecretsRead::of(spec, seen, &secrets)?;
    names.names.insert("secrets", Value::Map(read.named));
    names.names.insert("inputs", Value::Map(read.inputs));
    let mut env = environment(spec, seen, &mut names)?;
    let mut with = with_of(spec, seen, &names)?;
    if let Some(text) = &spec.shell_text {
        let scope = seen.scope_with(&text.references(), &names)?;
        let values = text.render(&scope).map_err(|error| template_failure("run", &error))?;
        env.extend(values.into_iter().map(|(name, value)| (name, Some(value))));
        with.insert("command".to_owned(), Value::from(text.text.as_str()));
    }
    let cwd = spec.cwd.as_ref().map(|cwd| directory(&rendered("cwd", cwd, seen, &names)?)).transpose()?;
    let dispatch = Dispatch {
        workflow: item.workflow,
        stage: stage.ref_id.clone(),
        task: spec.name.clone(),
        attempt: item.attempt,
        idempotency_key,
        with,
        env,
        workdir: PathBuf::from(seen.workdir()),
        cwd,
        shell: spec.shell.clone(),
        timeout: spec.timeout,
        trigger: seen.trigger()?,
        signal: seen.signal().map(received).transpose()?,
        began: item.since,
        now,
        context: Box::new(seen.clone()),
        secrets,
        cancel,
        place: place.clone(),
    };
    Ok((work, dispatch))
}

/// The signal as the task sees it.
fn received(signal: &GivenSignal) -> Result<ReceivedSignal, Failure> {
    let (name, actor) = (signal.name.clone(), signal.actor.to_string());
    Ok(ReceivedSignal { name, data: signal.parsed()?, actor })
}

/// The secrets that a task names, read now; no others.
#[derive(Default)]
struct SecretsRead {
    /// By their names.
    named: Map,
    /// Values of inputs.
    inputs: Map,
}

impl SecretsRead {
    fn of(spec: &GraphTask, seen: &Surroundings, secrets: &GivenSecrets) -> Result<SecretsRead, Failure> {
        let env = spec.env.iter().filter_map(|(_, value)| value.as_ref());
        let templates = env.chain([&spec.with]).flat_map(|template| template.references());
        let text = spec.shell_text.iter().flat_map(|text| text.references());
        let mut read = SecretsRead::default();
        for reference in templates.chain(text) {
            let Some(name) = reference.path.first() else { continue };
            let (values, value) = match reference.root.as_str() {
                "secrets" if !read.named.contains_key(name) => (&mut read.named, secrets.read(name)),
                "inputs" if !read.inputs.contains_key(name) => match seen.secret_place(name) {
                    None => continue,
                    Some(SecretPlace::Variable(variable)) => (&mut read.inputs, secrets.read_variable(variable)),
                    Some(SecretPlace::File(path)) => {
                        (&mut read.inputs, secrets.read_file(&Path::new(seen.workdir()).join(path)))
                    }
                },
                _ => continue,
            };
            let value = value.map_err(|error| error.into_parts().failure)?;
            values.insert(name.clone(), value.into());
        }
        Ok(read)
    }
}

/// The environment of the task; from here on `env` is a name.
fn environment(
    spec: &GraphTask,
    seen: &Surroundings,
    names: &mut DispatchNames,
) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let mut env = BTreeMap::new();
    for (name, template) in &spec.env {
        let value = match template {
            None => None,
            Some(template) => Some(rendered(&format!("env.{name}"), template, seen, names)?),
        };
        env.insert(name.clone(), value.filter(|value| !value.is_null()).map(|value| as_text(&value)));
    }
    let visible = env.iter().filter_map(|(name, value)| Some((name.clone(), Value::from(value.as_deref()?))));
    names.names.insert("env", Value::Map(visible.collect()));
    Ok(env)
}

fn with_of(spec: &GraphTask, seen: &Surroundings, names: &DispatchNames) -> Result<Map, Failure> {
    match rendered("with", &spec.with, seen, names)? {
        Value::Map(mut with) => {
            if spec.uses == HTTP
                && let Some(url) = spec.with.entry("url")
            {
                let scope = seen.scope_with(&url.references(), names)?;
                let url = url.render_address(&scope).map_err(|error| template_failure("with.url", &error))?;
                with.insert("url".to_owned(), url);
            }
            Ok(with)
        }
        Value::Null => Ok(Map::new()),
        other => {
            let message = format!("with is a {}, not a map", other.kind());
            Err(Failure::new(ErrorCode::CONFIGURATION_INVALID, ErrorClass::Permanent, message))
        }
    }
}

fn rendered(what: &str, template: &Template, seen: &Surroundings, names: &DispatchNames) -> Result<Value, Failure> {
    if let Some(value) = template.constant() {
        return Ok(value.clone());
    }
    let references: Vec<Reference> = template.references();
    let scope: Scope = seen.scope_with(&references, names)?;
    template.render(&scope).map_err(|error| template_failure(what, &error))
}

/// The directory that `cwd` names.
///
/// # Errors
///
/// If it names none: without a value it would silently be another directory.
fn directory(cwd: &Value) -> Result<PathBuf, Failure> {
    let refused = |code, message: String| Err(Failure::new(code, ErrorClass::Permanent, message));
    match cwd {
        Value::Null => refused(ErrorCode::VALUE_MISSING, "cwd: it has no value".to_owned()),
        Value::List(_) | Value::Map(_) => {
            refused(ErrorCode::CONFIGURATION_INVALID, format!("cwd is a {}, not text", cwd.kind()))
        }
        other => Ok(PathBuf::from(as_text(other))),
    }
}

/// Text as it is, everything else as JSON.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}

/// What follows from how the attempt ended.
pub(super) fn conclude(attempt: AttemptId, report: crate::task::Report, now: Timestamp) -> Conclusion {
    let streams: Vec<StreamFile> = report.streams.iter().map(stream_file).collect();
    let told = |report, outputs: &Map, context: &Map| {
        let (outputs, context) = (Json::of(outputs), Json::of(context));
        Conclusion::Report(TaskReport { attempt, report, outputs, context, streams })
    };
    let outcome = match report.ended {
        Ended::Stopped(stop) => {
            return if stop == crate::task::Stop::Closing { Conclusion::GivenBack } else { Conclusion::Withdrawn };
        }
        Ended::Failed(error) => {
            let parts = error.into_parts();
            let report = Report::Failed { error: parts.failure, retry_after: parts.retry_after };
            return told(report, &parts.outputs, &parts.context_update);
        }
        Ended::Outcome(outcome) => outcome.into_parts(),
    };
    let (outputs, context) = (outcome.outputs, outcome.context);
    match outcome.kind {
        OutcomeKind::Success => told(Report::Succeeded, &outputs, &context),
        OutcomeKind::Skipped => told(Report::Skipped, &outputs, &context),
        OutcomeKind::Canceled => told(Report::Canceled, &outputs, &context),
        OutcomeKind::Stopped => told(Report::Stopped, &outputs, &context),
        OutcomeKind::Suspended(mut signals) => {
            signals.sort_unstable();
            signals.dedup();
            told(Report::Suspended { signals }, &outputs, &context)
        }
        OutcomeKind::Jump(target) => told(Report::Jump { target }, &outputs, &context),
        OutcomeKind::Redirect => told(Report::Redirect, &outputs, &context),
        OutcomeKind::Running(poll) => {
            let until = poll.moment(now);
            if outputs.is_empty() && context.is_empty() && !matches!(poll, Poll::At(_)) {
                // Nothing has been learnt, so there is nothing to record (R15).
                return Conclusion::CallAgain(until);
            }
            told(Report::Running { until }, &outputs, &context)
        }
        OutcomeKind::Terminal(error) => {
            let (failure, outputs, context) = error_parts(error, outputs, context);
            told(Report::Terminal { error: failure }, &outputs, &context)
        }
        OutcomeKind::FailedContinue(error) => {
            let (failure, outputs, context) = error_parts(error, outputs, context);
            told(Report::FailedContinue { error: failure }, &outputs, &context)
        }
    }
}

/// The report of an attempt that could not be begun.
pub(super) fn not_begun(attempt: AttemptId, error: Failure) -> TaskReport {
    let report = Report::Failed { error, retry_after: None };
    TaskReport { attempt, report, outputs: Json::empty(), context: Json::empty(), streams: Vec::new() }
}

/// What the error brings lies below what the outcome itself says.
fn error_parts(error: crate::task::TaskError, outputs: Map, context: Map) -> (Failure, Map, Map) {
    let parts = error.into_parts();
    let (mut below, mut update) = (parts.outputs, parts.context_update);
    below.extend(outputs);
    update.extend(context);
    (parts.failure, below, update)
}

fn stream_file(record: &StreamRecord) -> StreamFile {
    StreamFile { name: record.stream.name().to_owned(), bytes: record.bytes, sha256: record.sha256 }
}
