//! Checks the names that expressions use: what exists, and where it can be read.

use std::collections::{BTreeMap, BTreeSet};

use super::arcs::{Connected, Names};
use super::reach::{self, Pair};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Node, Span};
use crate::definition::graph::GraphStage;
use crate::definition::input::Input;
use crate::definition::phase::StagePhase;
use crate::definition::problem::Problem;
use crate::definition::reading::{closest, is_name};
use crate::definition::site::{Site, StageSite, TaskSite, Use};
use crate::definition::template::Template;
use crate::expression::Reference;
use crate::limits::{PROBLEMS_MAX, PROBLEMS_PER_TEXT_MAX};

const WORKFLOW: [&str; 6] = ["id", "name", "application", "definition", "started_at", "workdir"];
const TRIGGER: [&str; 5] = ["type", "user", "parameters", "artifacts", "payload"];
const STAGE: [&str; 3] = ["ref_id", "name", "activation"];
const SIGNAL: [&str; 3] = ["name", "data", "actor"];
const LOOP: [&str; 2] = ["index", "previous"];
const TASK: [&str; 3] = ["name", "attempt", "idempotency_key"];
const INSTANCES: [&str; 4] = ["total", "completed", "failed", "live"];
const OTHER_STAGE: [&str; 4] = ["outputs", "status", "error", "activations"];
const OTHER_STAGE_ERROR: [&str; 2] = ["code", "message"];
const OTHER_TASK: [&str; 2] = ["outputs", "status"];

/// Checks every name of these expressions.
pub(in crate::definition) fn check_names(
    uses: &[Use<'_>],
    source: &str,
    inputs: &BTreeMap<String, Input>,
    connected: &Connected,
    problems: &mut Vec<Problem>,
) {
    let pairs = uses.iter().flat_map(|site| pairs(site, &connected.names)).collect();
    let before = reach::connected(&pairs, connected);
    let mut text: Option<&Node> = None;
    let mut of_text = 0;
    for site in uses {
        if !text.is_some_and(|text| std::ptr::eq(text, site.node)) {
            (text, of_text) = (Some(site.node), 0);
        }
        for reference in &site.references {
            if of_text == PROBLEMS_PER_TEXT_MAX || problems.len() >= PROBLEMS_MAX {
                break;
            }
            let check = Check { reference, site: site.site, seen_by: site.seen_by, inputs, connected, before: &before };
            if let Err(found) = check.reference() {
                problems.push(found.at(&site.span_of(reference, source)));
                of_text += 1;
            }
        }
    }
}

/// The stages an expression of a stage names, each with that stage.
fn pairs(site: &Use<'_>, names: &Names) -> Vec<Pair> {
    let Some(later) = own_stage(site.site) else { return Vec::new() };
    let stages = site.references.iter().filter(|reference| reference.root == "stages");
    let named = stages.filter_map(|reference| names.find(reference.path.first()?));
    // What is nested comes behind whatever comes before the stage around it.
    named.filter_map(|earlier| Some(Pair { earlier, later: names.beside(later, earlier)? })).collect()
}

/// The stage a field belongs to.
pub(super) fn own_stage(site: Site) -> Option<usize> {
    match site {
        Site::Stage(stage, _) | Site::Task(stage, _, _) => Some(stage),
        Site::WorkflowName | Site::WorkflowContext | Site::Defaults | Site::WorkflowOutputs => None,
    }
}

/// A problem that has no place yet.
struct Found {
    code: ProblemCode,
    message: String,
    help: Option<String>,
}

impl Found {
    fn new(code: ProblemCode, message: impl Into<String>) -> Found {
        Found { code, message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Found {
        Found { help: Some(help.into()), ..self }
    }

    fn at(self, span: &Span) -> Problem {
        Problem::error(self.code, span, self.message).with_hint(self.help)
    }
}

struct Check<'c> {
    reference: &'c Reference,
    site: Site,
    /// Who sees the value, if it is no place for secrets.
    seen_by: Option<&'static str>,
    inputs: &'c BTreeMap<String, Input>,
    connected: &'c Connected,
    /// The stages that are named, with those they come before.
    before: &'c BTreeSet<Pair>,
}

impl Check<'_> {
    fn reference(&self) -> Result<(), Found> {
        let root = self.reference.root.as_str();
        match root {
            "secrets" => self.secret(),
            "inputs" => self.input(),
            "workflow" => self.workflow(),
            "trigger" => self.member(&TRIGGER),
            "stages" => self.stage(),
            "loop" => self.turn(),
            "tasks" => self.task(),
            "env" => self.env(),
            "signal" if self.is_behind_a_trigger() => self.member(&SIGNAL),
            "signal" => Err(self.not_here("correlate, and what is computed once a stage or task has waited for one")),
            "stage" if self.is_dispatched() || self.is_of_stage() => self.member(&STAGE),
            "task" if self.is_dispatched() => self.member(&TASK),
            "item" | "index" | "matrix" => self.instance(),
            "mi" if matches!(self.site, Site::Stage(_, StageSite::Completion)) => self.member(&INSTANCES),
            "mi" => Err(self.not_here("completion_condition and close_when")),
            "stage" => Err(self.not_here("run, with, env, cwd, context and outputs of a stage")),
            "task" => Err(self.not_here("run, with, env and cwd")),
            _ if matches!(self.site, Site::WorkflowName | Site::WorkflowContext) => {
                Err(self.not_here("stages").help("before a workflow starts there are inputs, trigger and workflow"))
            }
            "context" => self.key(0).map_or(Ok(()), |name| self.of_context(name)),
            name => self.of_context(name),
        }
    }

    /// What an instance of a stage is given.
    fn instance(&self) -> Result<(), Found> {
        let several = "what each instance of a stage with mi_config, for_each or matrix computes";
        let is_loop = matches!(self.site, Site::Stage(_, StageSite::Loop));
        let of_instance = is_loop || self.is_dispatched() || self.is_of_stage() || matches!(self.site, Site::Task(..));
        let stages = &self.connected.stages;
        let own = own_stage(self.site).and_then(|stage| stages.get(stage));
        // What lies inside an instance sees everywhere what that is given.
        // What it was given is gone when its work is undone.
        let stays = |stage: &&GraphStage| stage.phase != StagePhase::Compensate;
        let around = |stage: &GraphStage| stages.get(Some(stage).filter(stays)?.parent?.index());
        let outer = std::iter::successors(own.and_then(around), |stage| around(stage));
        let mut places = own.filter(|_| of_instance).into_iter().chain(outer);
        let Some(instances) = places.find_map(|stage| stage.instances.as_ref()) else {
            return Err(self.not_here(several));
        };
        if self.reference.root != "matrix" {
            return Ok(());
        }
        match instances.axes() {
            Some(axes) => self.member(&axes.collect::<Vec<&str>>()),
            None => Err(self.not_here("a stage with matrix")),
        }
    }

    /// Whether the field is computed for one activation as a whole.
    fn is_of_stage(&self) -> bool {
        matches!(self.site, Site::Stage(_, StageSite::Context | StageSite::Outputs))
    }

    /// Whether the field is computed for an activation that may have waited for a signal: not before its trigger.
    fn is_behind_a_trigger(&self) -> bool {
        match self.site {
            Site::Defaults | Site::Task(..) => true,
            Site::Stage(_, site) => site != StageSite::Condition,
            Site::WorkflowName | Site::WorkflowContext | Site::WorkflowOutputs => false,
        }
    }

    /// Whether the field is computed when the work of a task is dispatched.
    fn is_dispatched(&self) -> bool {
        match self.site {
            Site::Defaults | Site::Stage(_, StageSite::Defaults) | Site::Task(_, _, TaskSite::Body | TaskSite::Env) => {
                true
            }
            Site::Stage(..)
            | Site::Task(_, _, TaskSite::Condition)
            | Site::WorkflowName
            | Site::WorkflowContext
            | Site::WorkflowOutputs => false,
        }
    }

    fn key(&self, place: usize) -> Option<&str> {
        self.reference.path.get(place).map(String::as_str)
    }

    fn not_here(&self, where_known: &str) -> Found {
        let message = format!("`{}` is not known here, only in {where_known}", self.reference.root);
        Found::new(ProblemCode::UnknownName, message)
    }

    /// The first key behind the root is one of these, if it is fixed.
    fn member(&self, members: &[&str]) -> Result<(), Found> {
        self.one_of(0, members)
    }

    fn one_of(&self, place: usize, members: &[&str]) -> Result<(), Found> {
        let Some(key) = self.key(place).filter(|key| !members.contains(key)) else { return Ok(()) };
        let mut owner = self.reference.root.clone();
        for key in &self.reference.path[..place] {
            owner = format!("{owner}.{key}");
        }
        let help = match closest(key, members.iter().copied()) {
            Some(near) => format!("did you mean `{owner}.{near}`?"),
            None => format!("`{owner}` has {}", members.join(", ")),
        };
        Err(Found::new(ProblemCode::UnknownName, format!("`{owner}` has no `{key}`")).help(help))
    }

    fn input(&self) -> Result<(), Found> {
        let Some(key) = self.key(0) else {
            let Some((name, _)) = self.inputs.iter().find(|(_, input)| input.secret) else { return Ok(()) };
            let message = format!("`inputs` without a fixed name, and `{name}` is secret");
            return Err(Found::new(ProblemCode::SecretNotAllowed, message).help("write inputs.NAME"));
        };
        if self.is_secret(key) {
            return self.hidden("a secret input");
        }
        if self.inputs.contains_key(key) {
            return Ok(());
        }
        let help = match closest(key, self.inputs.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `inputs.{near}`?"),
            None => format!("declare it: inputs: {{ {key}: {{ type: string }} }}"),
        };
        Err(Found::new(ProblemCode::UnknownInput, format!("input `{key}` is not declared")).help(help))
    }

    fn workflow(&self) -> Result<(), Found> {
        match self.key(0) {
            Some("status") if self.is_at_the_end() => Ok(()),
            Some("error") if self.is_at_the_end() => self.one_of(1, &OTHER_STAGE_ERROR),
            Some(key @ ("status" | "error")) => {
                let message = format!("`workflow.{key}` is known when a workflow ends, and not before");
                Err(Found::new(ProblemCode::UnknownName, message).help("it is there in `finally` and `compensate`"))
            }
            Some("name") if self.site == Site::WorkflowName => {
                Err(Found::new(ProblemCode::UnknownName, "the name of the workflow cannot hold itself"))
            }
            _ => self.member(&WORKFLOW),
        }
    }

    /// Is the field computed when the workflow ends?
    fn is_at_the_end(&self) -> bool {
        own_stage(self.site).is_some_and(|own| self.connected.names.is_at_the_end(own))
    }

    fn stage(&self) -> Result<(), Found> {
        if matches!(self.site, Site::WorkflowName | Site::WorkflowContext | Site::Defaults) {
            return Err(self.not_here("stages, their tasks and the outputs of the workflow"));
        }
        let Some(name) = self.key(0) else {
            let message = "`stages` without the fixed name of one of them";
            return Err(Found::new(ProblemCode::UnknownName, message).help("write stages.NAME.outputs.KEY"));
        };
        let Some(found) = self.connected.names.find(name) else {
            let Connected { names, .. } = self.connected;
            let problem = names.unknown(name, &Span::start());
            let help = problem.help().map(str::to_owned);
            return Err(Found { code: problem.code(), message: problem.message().to_owned(), help });
        };
        self.one_of(1, &OTHER_STAGE)?;
        if self.key(1) == Some("error") {
            self.one_of(2, &OTHER_STAGE_ERROR)?;
        }
        let Some(own) = own_stage(self.site) else { return Ok(()) };
        let names = &self.connected.names;
        if self.is_done_around(own, found) {
            return Ok(());
        }
        let beside = names.beside(own, found);
        let before = |later| self.before.contains(&Pair { earlier: found, later });
        if !self.connected.certain[own] || beside.is_some_and(before) {
            return Ok(());
        }
        if beside.is_none() {
            let home = names.home(found).unwrap_or_default();
            let message = format!("`{name}` stands inside {home}, and this does not");
            let help = if names.is_at_the_end(found) {
                "what it gives is known to those behind it only".to_owned()
            } else {
                format!("its outputs are among those of {home}; in a loop, loop.previous has those of the turn before")
            };
            return Err(Found::new(ProblemCode::NotAnAncestor, message).help(help));
        }
        if beside == Some(found) && found != own {
            let message = format!("`{name}` is the stage around this one, and has not ended");
            return Err(Found::new(ProblemCode::NotAnAncestor, message)
                .help("name the stages it needs, or those beside this one"));
        }
        if found == own {
            let message = format!("`{name}` is this stage itself");
            return Err(Found::new(ProblemCode::NotAnAncestor, message).help("its tasks are tasks.NAME"));
        }
        let own_name = self.connected.names.name(own);
        let message = format!("`{name}` does not come before `{own_name}`");
        Err(Found::new(ProblemCode::NotAnAncestor, message).help(format!("add `{name}` to the needs of `{own_name}`")))
    }

    /// Was `found` done before what this field belongs to, as another part of a stage around it: one of its
    /// before-stages, say, or behind that its own work?
    fn is_done_around(&self, own: usize, found: usize) -> bool {
        let names = &self.connected.names;
        // Which part of the stage the field itself belongs to: what stages before its work see, too, is computed first.
        let of_field = match self.site {
            Site::Stage(_, StageSite::Outputs | StageSite::Split) => StagePhase::OnFailure,
            Site::Stage(_, StageSite::Loop | StageSite::Completion) | Site::Task(..) => StagePhase::Body,
            _ => StagePhase::Before,
        };
        let around = || std::iter::once(own).chain(names.around(own));
        // What is done last comes behind all that the workflow is.
        let is_last = around().any(|outer| names.phase(outer) == StagePhase::Finally);
        if is_last && names.home(found).is_none() {
            return true;
        }
        let parts = std::iter::once(of_field).chain(around().map(|inner| names.phase(inner)));
        let mut places = around().zip(parts);
        places.any(|(outer, part)| {
            let is_part = names.parent(found) == Some(outer) && names.phase(found) < part;
            // What had failed is not compensated.
            let is_undone = part == StagePhase::Compensate && names.phase(found) == StagePhase::OnFailure;
            let is_earlier = is_part && names.phase(found) != StagePhase::Body && !is_undone;
            is_earlier || (found == outer && outer != own && part > StagePhase::Body)
        })
    }

    /// `loop`, inside one and in what it asks itself.
    fn turn(&self) -> Result<(), Found> {
        let in_loop = |stage: usize| {
            let names = &self.connected.names;
            let inner = std::iter::once(stage).chain(names.around(stage));
            let mut turns = inner.filter(|inner| names.phase(*inner) == StagePhase::Body);
            turns.any(|inner| {
                names.parent(inner).is_some_and(|outer| self.connected.stages[outer].body.as_loop().is_some())
            })
        };
        let asked = matches!(self.site, Site::Stage(_, StageSite::Loop));
        if !asked && !own_stage(self.site).is_some_and(in_loop) {
            return Err(self.not_here("while and until of a loop, and in its stages"));
        }
        self.member(&LOOP)
    }

    fn task(&self) -> Result<(), Found> {
        let (stage, before) = match self.site {
            Site::Task(stage, task, _) => (stage, task),
            Site::Stage(stage, StageSite::Outputs) => (stage, usize::MAX),
            Site::Stage(..) | Site::WorkflowName | Site::WorkflowContext | Site::Defaults | Site::WorkflowOutputs => {
                return Err(self.not_here("later tasks of a stage and its outputs"));
            }
        };
        let Some(name) = self.key(0) else {
            let message = "`tasks` without the fixed name of one of them";
            return Err(Found::new(ProblemCode::UnknownName, message).help("write tasks.NAME.outputs.KEY"));
        };
        self.one_of(1, &OTHER_TASK)?;
        let Some(stage) = self.connected.stages.get(stage) else { return Ok(()) };
        match stage.tasks.iter().position(|task| task.name == name) {
            Some(place) if place < before => Ok(()),
            Some(_) => {
                let message = format!("task `{name}` does not run before this one");
                Err(Found::new(ProblemCode::NotAnEarlierTask, message))
            }
            None => {
                let names = stage.tasks.iter().map(|task| task.name.as_str());
                let hint = closest(name, names).map(|near| format!("did you mean `{near}`?"));
                let message = format!("this stage has no task `{name}`");
                Err(Found { help: hint, ..Found::new(ProblemCode::UnknownName, message) })
            }
        }
    }

    /// A secret by its name, where only the task sees what it is.
    fn secret(&self) -> Result<(), Found> {
        let Some(name) = self.key(0) else {
            let message = "`secrets` without the fixed name of one of them";
            return Err(Found::new(ProblemCode::UnknownName, message).help("write secrets.NAME"));
        };
        self.hidden("a secret")?;
        if is_name(name) {
            return Ok(());
        }
        let message = format!("{name:?} is no name of a secret: it has letters, digits, `_` and `-`, 64 at most");
        Err(Found::new(ProblemCode::UnknownName, message))
    }

    fn is_secret(&self, input: &str) -> bool {
        self.inputs.get(input).is_some_and(|input| input.secret)
    }

    /// Whether a value is made with a secret.
    fn holds_secret(&self, template: &Template) -> bool {
        template.references().iter().any(|reference| match (reference.root.as_str(), reference.path.first()) {
            ("secrets", _) => true,
            ("inputs", Some(name)) => self.is_secret(name),
            _ => false,
        })
    }

    /// A name of the context, where secret inputs are not what they seem.
    fn of_context(&self, name: &str) -> Result<(), Found> {
        if !self.is_secret(name) {
            return Ok(());
        }
        let message = format!("`{name}` is a secret input, of which the context has only where its value is");
        Err(Found::new(ProblemCode::SecretNotAllowed, message).help(format!("write inputs.{name}")))
    }

    /// Is this a place for `what`?
    fn hidden(&self, what: &str) -> Result<(), Found> {
        if !self.is_dispatched() {
            let message = format!("{what} is known only in with, env and run of a task: here it would be recorded");
            return Err(Found::new(ProblemCode::SecretNotAllowed, message));
        }
        let Some(who) = self.seen_by else { return Ok(()) };
        Err(Found::new(ProblemCode::SecretNotAllowed, format!("{what} would be seen here by {who}")))
    }

    fn env(&self) -> Result<(), Found> {
        let Site::Task(stage, task, TaskSite::Body) = self.site else {
            return Err(self.not_here("run, with and cwd of a task"));
        };
        let task = self.connected.stages.get(stage).and_then(|stage| stage.tasks.get(task));
        let Some(task) = task else { return Ok(()) };
        let is_read = |name: &str| self.key(0).is_none_or(|key| key == name);
        let mut read = task.env.iter().filter(|(name, _)| is_read(name)).filter_map(|(_, value)| value.as_ref());
        if self.seen_by.is_some() && read.any(|value| self.holds_secret(value)) {
            return self.hidden("a variable with a secret");
        }
        let Some(key) = self.key(0) else { return Ok(()) };
        if task.env.iter().any(|(name, _)| name == key) {
            return Ok(());
        }
        let message = format!("the env of this task has no `{key}`");
        let help = "env holds what the definition sets; read the engine's own environment in the shell: \"$NAME\"";
        Err(Found::new(ProblemCode::UnknownName, message).help(help))
    }
}
