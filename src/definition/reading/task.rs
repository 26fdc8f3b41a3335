//! Reads tasks: what they do, their environment, their policies, and what they inherit from stage and workflow.

use std::collections::BTreeMap;

use super::keys::{DEFAULTS, Fields, Level, RETRY, TASK};
use super::{Reader, closest, is_name};
use crate::definition::by_hand::ByHand;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node, Span};
use crate::definition::graph::{GraphTask, OnFailure, RetryOn, RetryPolicy};
use crate::definition::http::HTTP;
use crate::definition::shell_text::ShellText;
use crate::definition::site::{Site, TaskSite};
use crate::definition::template::Template;
use crate::limits::{NORMAL_FORM_BYTES_MAX, RETRY_FACTOR_MAX};
use crate::time::Duration;
use crate::value::Value;

/// Bytes that stages and tasks may copy of what they inherit: a task's own copy, its stage's and one to spare.
const COPIED_MAX: usize = 3 * NORMAL_FORM_BYTES_MAX;

/// The task type of `run`.
pub(in crate::definition) const SHELL: &str = "shell";

/// The task type whose `script` is code.
const PYTHON: &str = "python";

/// The task type that runs containers.
const DOCKER: &str = "docker";

/// The task type of programs on other hosts, where their words are seen by everybody, too.
const SSH: &str = "ssh";

/// What tasks have that say nothing else; each level overrides the one outside it.
#[derive(Clone, Debug)]
pub(super) struct Inherited {
    pub(super) env: BTreeMap<String, Option<Template>>,
    pub(super) cwd: Option<Template>,
    pub(super) shell: Option<String>,
    pub(super) retry: RetryPolicy,
    pub(super) timeout: Duration,
    pub(super) on_failure: OnFailure,
    /// About how much each task copies of this.
    bytes: usize,
}

impl Inherited {
    /// What holds where nothing is written.
    pub(super) fn engine() -> Inherited {
        Inherited {
            env: BTreeMap::new(),
            cwd: None,
            shell: None,
            retry: RetryPolicy {
                max_attempts: 10,
                initial: Duration::from_seconds(1),
                factor_thousandths: 2_000,
                max: Duration::from_seconds(60),
                jitter_thousandths: 250,
                on: RetryOn::engine(),
            },
            timeout: Duration::from_seconds(4 * 60 * 60),
            on_failure: OnFailure::Fail,
            bytes: 0,
        }
    }

    /// Without what is as large as its author likes.
    fn bounded(&self) -> Inherited {
        let retry = self.retry.clone();
        let (timeout, on_failure) = (self.timeout, self.on_failure);
        Inherited { env: BTreeMap::new(), cwd: None, shell: None, retry, timeout, on_failure, bytes: 0 }
    }
}

/// What a task does.
struct Body {
    uses: String,
    with: Template,
    shell_text: Option<ShellText>,
}

impl<'d> Reader<'d> {
    /// A copy for one more stage or task. Once they add up to more than any definition can have, copies are cut; that
    /// is reported when all is read.
    pub(super) fn copy(&mut self, inherited: &Inherited) -> Inherited {
        self.copied = self.copied.saturating_add(inherited.bytes);
        if self.copied > COPIED_MAX { inherited.bounded() } else { inherited.clone() }
    }

    /// Reports that copies were cut.
    pub(super) fn report_copies(&mut self, span: &Span) {
        if self.copied > COPIED_MAX {
            let message =
                format!("written out for each task, the definition has more than {NORMAL_FORM_BYTES_MAX} bytes");
            let help = "env, cwd and shell of the workflow count once for each task";
            self.report_with_help(ProblemCode::DocumentTooLarge, span, message, help);
        }
    }

    /// `defaults` of the workflow over what the engine has.
    pub(super) fn defaults(&mut self, node: &'d Node, outer: Inherited) -> Inherited {
        match self.fields(node, &DEFAULTS) {
            Some(fields) => self.inherit(&fields, outer, Site::Defaults, Site::Defaults),
            None => outer,
        }
    }

    /// What a level says about its tasks, over what the levels outside it say. `env_site` is where its `env` stands.
    pub(super) fn inherit(&mut self, fields: &Fields<'d>, outer: Inherited, env_site: Site, site: Site) -> Inherited {
        let mut inherited = outer;
        if let Some(node) = fields.get("env") {
            self.env(node, &mut inherited, env_site);
        }
        if let Some(node) = fields.get("cwd") {
            inherited.cwd = match &node.content {
                Content::Text(text) => {
                    inherited.bytes += text.len();
                    Some(self.open_template(node, site, "whoever lists processes"))
                }
                _ => {
                    self.wrong_type(node, "cwd is text");
                    None
                }
            };
        }
        if let Some(node) = fields.get("shell") {
            inherited.shell = self.some_text(node, "shell").map(str::to_owned);
            inherited.bytes += inherited.shell.as_ref().map_or(0, String::len);
        }
        if let Some(node) = fields.get("retry") {
            inherited.retry = self.policy(node, &RETRY);
        }
        if let Some(node) = fields.get("timeout")
            && let Some(timeout) = self.duration(node, "timeout")
        {
            if timeout == Duration::ZERO {
                self.report(ProblemCode::OutOfRange, &node.span, "a timeout of no time fails every attempt");
            }
            inherited.timeout = timeout;
        }
        inherited
    }

    pub(super) fn env(&mut self, node: &'d Node, inherited: &mut Inherited, site: Site) {
        for entry in self.map(node, "env").unwrap_or_default() {
            let name = entry.key.text.as_str();
            if let Some(reason) = refused_variable(name) {
                let shown: String = name.chars().take(80).collect();
                let message = format!("`{shown}` {reason}");
                self.report(ProblemCode::BadName, &entry.key.span, message);
            }
            let value = match &entry.value.content {
                Content::Null => None,
                Content::List(_) | Content::Map(_) => {
                    self.wrong_type(&entry.value, "an environment variable is text");
                    None
                }
                Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Broken => {
                    Some(self.template(&entry.value, site))
                }
            };
            inherited.bytes += name.len() + entry.value.text().map_or(8, str::len);
            inherited.env.insert(name.to_owned(), value);
        }
    }

    /// A policy the author wrote; what it leaves out is as in the engine's, but it retries timeouts and exits too.
    pub(super) fn policy(&mut self, node: &'d Node, level: &Level) -> RetryPolicy {
        let mut policy = Inherited::engine().retry;
        policy.on = RetryOn::every_class();
        let Some(fields) = self.fields(node, level) else { return policy };
        if let Some(node) = fields.get("max_attempts")
            && let Some(number) = self.integer(node, "max_attempts", 1, u32::MAX)
        {
            policy.max_attempts = number;
        }
        if let Some(node) = fields.get("initial")
            && let Some(initial) = self.duration(node, "initial")
        {
            policy.initial = initial;
            // A first delay that is longer than the usual limit raises it, unless a limit was written.
            policy.max = policy.max.max(initial);
        }
        if let Some(node) = fields.get("factor")
            && let Some(factor) = self.thousandths(node, "factor", 1_000, RETRY_FACTOR_MAX * 1_000)
        {
            policy.factor_thousandths = factor;
        }
        if let Some(node) = fields.get("max")
            && let Some(max) = self.duration(node, "max")
        {
            if max < policy.initial {
                let message = format!("max is {max}, less than initial, {}", policy.initial);
                self.report(ProblemCode::CrossedBounds, &node.span, message);
            }
            policy.max = max;
        }
        if let Some(node) = fields.get("jitter")
            && let Some(jitter) = self.thousandths(node, "jitter", 0, 1_000)
        {
            policy.jitter_thousandths = jitter;
        }
        if let Some(node) = fields.get("on") {
            policy.on = self.retry_on(node);
        }
        policy
    }

    fn retry_on(&mut self, node: &'d Node) -> RetryOn {
        let mut on = RetryOn::default();
        for item in self.list(node, "on").unwrap_or_default() {
            match &item.content {
                Content::Number(_) => {
                    on.exit_codes
                        .extend(self.integer(item, "an exit code", 0, 255).and_then(|code| u8::try_from(code).ok()));
                }
                Content::Text(text) => self.retried(item, text, &mut on),
                Content::Null | Content::Bool(_) | Content::List(_) | Content::Map(_) | Content::Broken => {
                    self.wrong_type(item, "what is tried again is a class, a code of an error, or an exit code");
                }
            }
        }
        on
    }

    /// A class or a code of failures that are tried again.
    fn retried(&mut self, node: &'d Node, text: &str, on: &mut RetryOn) {
        let class = RetryOn::CLASSES.into_iter().find(|class| class.eq_ignore_ascii_case(text));
        match (class, text.parse()) {
            (Some("transient"), _) => on.transient = true,
            (Some("timeout"), _) => on.timeout = true,
            (Some(_), _) => on.exit = true,
            (None, Ok(code)) => {
                on.codes.insert(code);
            }
            (None, Err(_)) => {
                let shown: String = text.chars().take(80).collect();
                let help = match closest(text, RetryOn::CLASSES.into_iter()) {
                    Some(class) => format!("did you mean `{class}`?"),
                    None => "it is transient, timeout, exit, a code like NETWORK_ERROR, or an exit code".to_owned(),
                };
                let message = format!("`{shown}` is no class or code of failures that are tried again");
                self.report_with_help(ProblemCode::BadValue, &node.span, message, help);
            }
        }
    }

    /// One item of `tasks`, the `index`-th of stage `stage`. `taken` are the names of the tasks before it.
    pub(super) fn task(
        &mut self,
        node: &'d Node,
        place: (usize, usize),
        outer: &Inherited,
        taken: &[GraphTask],
    ) -> Option<GraphTask> {
        let (stage, index) = place;
        let site = |site| Site::Task(stage, index, site);
        let fields = self.fields(node, &TASK)?;
        let outer = self.copy(outer);
        let mut inherited = self.inherit(&fields, outer, site(TaskSite::Env), site(TaskSite::Body));
        if let Some(node) = fields.get("on_failure")
            && let Some(on_failure) = self.choice(node, "on_failure", &OnFailure::ALL, OnFailure::name)
        {
            inherited.on_failure = on_failure;
        }
        let condition = fields.get("if").and_then(|node| self.expression(node, site(TaskSite::Condition), "`if`"));
        let name = fields.get("name").and_then(|node| {
            let name = self.text(node, "the name of a task")?;
            self.name(name, &node.span, "name of a task");
            if taken.iter().any(|task| task.name == name) {
                let message = format!("two tasks of this stage are named `{name}`");
                self.report(ProblemCode::DuplicateTask, &node.span, message);
            }
            Some(name.to_owned())
        });
        if fields.get("run").is_none() && fields.get("uses").is_none() {
            self.report_with_help(ProblemCode::MissingKey, &node.span, "a task without work", "write run or uses");
        }
        let body = self.body(&fields, site(TaskSite::Body), &inherited)?;
        let name = name.unwrap_or_else(|| default_name(&body.uses, index, taken));
        let (loop_start, loop_end) = self.loop_of_tasks(&fields, taken);
        let verification = self.verification(&fields, &body.uses);
        Some(GraphTask { loop_start, loop_end, verification, ..graph_task(name, condition, body, inherited) })
    }

    /// `loop_start` and `loop_end` of a task behind those that are `taken`.
    fn loop_of_tasks(&mut self, fields: &Fields<'d>, taken: &[GraphTask]) -> (bool, bool) {
        let mut said = |key| self.flag(fields, key) == Some(true);
        let (starts, ends) = (said("loop_start"), said("loop_end"));
        let ended = taken.iter().rposition(|task| task.loop_end).map_or(0, |last| last + 1);
        let open = taken[ended..].iter().find(|task| task.loop_start);
        if let (true, Some(key), Some(open)) = (starts, fields.key("loop_start"), open) {
            let message = format!("loop_start inside the loop that begins with `{}`", open.name);
            let help = "end that one before with loop_end: true, or leave this one out";
            self.report_with_help(ProblemCode::LoopOfTasks, &key.span, message, help);
        }
        if let (true, false, None, Some(key)) = (ends, starts, open, fields.key("loop_end")) {
            let help = "write loop_start: true on the task with which the loop begins";
            let message = "loop_end without a loop_start before it";
            self.report_with_help(ProblemCode::LoopOfTasks, &key.span, message, help);
        }
        (starts, ends)
    }

    /// The one task of a stage that has `run` or `uses`.
    pub(super) fn only_task(&mut self, fields: &Fields<'d>, stage: usize, inherited: &Inherited) -> Option<GraphTask> {
        let body = self.body(fields, Site::Task(stage, 0, TaskSite::Body), inherited)?;
        let inherited = self.copy(inherited);
        let verification = self.verification(fields, &body.uses);
        Some(GraphTask { verification, ..graph_task(default_name(&body.uses, 0, &[]), None, body, inherited) })
    }

    /// `run` or `uses`, and `with`; nothing if neither is written.
    fn body(&mut self, fields: &Fields<'d>, site: Site, inherited: &Inherited) -> Option<Body> {
        if let (Some(_), Some(key)) = (fields.get("run"), fields.key("uses")) {
            let message = "`uses` beside `run`, which is a shell task";
            self.report(ProblemCode::ConflictingKeys, &key.span, message);
        }
        let run = fields.get("run");
        let uses = match (run, fields.get("uses")) {
            (Some(_), _) => SHELL.to_owned(),
            (None, Some(node)) => self.some_text(node, "uses")?.to_owned(),
            (None, None) => {
                if let Some(key) = fields.key("with") {
                    self.report(ProblemCode::MissingKey, &key.span, "`with` without `run` or `uses`");
                }
                return None;
            }
        };
        if let Some(what) = ByHand::of(&uses) {
            let options = self.with_of_people(what, fields.get("with"), site);
            return Some(Body { uses, with: Template::of_entries(options), shell_text: None });
        }
        if uses == HTTP {
            let options = self.with_of_http(fields, site);
            return Some(Body { uses, with: Template::of_entries(options), shell_text: None });
        }
        let with = fields.get("with").and_then(|node| self.map(node, "with")).unwrap_or_default();
        let is_shell = uses == SHELL;
        let mut options = BTreeMap::new();
        let mut command = run;
        for entry in with {
            let key = entry.key.text.as_str();
            if is_shell && key == "command" {
                if run.is_some() {
                    let message = "`command` beside `run`, which is the command";
                    self.report(ProblemCode::ConflictingKeys, &entry.key.span, message);
                } else if matches!(entry.value.content, Content::List(_)) {
                    options.insert(key.to_owned(), self.option(&uses, key, &entry.value, site));
                } else {
                    command = Some(&entry.value);
                }
            } else if let Some(help) = instead_of_code(&uses, key)
                && entry.value.text().is_some_and(|text| text.contains("${{"))
            {
                let message = "`${{` is not computed in code";
                self.report_with_help(ProblemCode::TemplateNotAllowed, &entry.value.span, message, help);
            } else {
                self.refuse_computed_key(entry);
                options.insert(key.to_owned(), self.option(&uses, key, &entry.value, site));
            }
        }
        // The task's own option stands above what is inherited.
        let own_shell =
            with.iter().find(|entry| is_shell && entry.key.text == SHELL).and_then(|entry| entry.value.text());
        let shell = own_shell.or(inherited.shell.as_deref());
        let shell_text = command.and_then(|node| self.shell_text(node, site, shell));
        if is_shell && command.is_none() && !options.contains_key("command") {
            let place = fields.key("with").or(fields.key("uses"));
            let span = place.map_or(&fields.node.span, |key| &key.span);
            let help = "write run: TEXT, or with: { command: [PROGRAM, ARGUMENT] }";
            self.report_with_help(ProblemCode::MissingKey, span, "a shell task without command", help);
        }
        Some(Body { uses, with: Template::of_entries(options), shell_text })
    }

    /// The value of a key of `with`.
    fn option(&mut self, uses: &str, key: &str, node: &'d Node, site: Site) -> Template {
        if is_hidden(uses, key) {
            self.template(node, site)
        } else {
            self.open_template(node, site, "whoever lists processes")
        }
    }
}

/// Whether a program is given this key of `with` as its environment or input, which only its user can see.
fn is_hidden(uses: &str, key: &str) -> bool {
    match uses {
        SHELL => matches!(key, "env" | "stdin"),
        PYTHON => matches!(key, "env" | "inputs"),
        DOCKER => matches!(key, "env" | "stdin" | "environment" | "build_args"),
        SSH => matches!(key, "env" | "stdin" | "environment"),
        // What is no program gets values only.
        _ => true,
    }
}

/// Where to give values to a task of this type, if what it has under this key is code: a value would become code, too.
fn instead_of_code(uses: &str, key: &str) -> Option<&'static str> {
    match (uses, key) {
        (PYTHON, "script") => Some("give it in inputs: the script finds it in INPUT"),
        (SSH, "command") => Some("write a list of words, each of which stays one word, or give it in environment"),
        _ => None,
    }
}

/// The name of a task that was given none: its type, and its number if an earlier task has that name.
fn default_name(uses: &str, index: usize, taken: &[GraphTask]) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || "_-".contains(letter) { letter } else { '_' };
    let mut name: String = uses.chars().take(48).map(letter).collect();
    if !is_name(&name) {
        name.insert(0, '_');
    }
    let free = |name: &String| taken.iter().all(|task| task.name != *name);
    let numbered = (index + 1..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(free).unwrap_or(name)
}

fn graph_task(
    name: String,
    condition: Option<crate::expression::Expression>,
    body: Body,
    inherited: Inherited,
) -> GraphTask {
    GraphTask {
        name,
        uses: body.uses,
        condition,
        shell_text: body.shell_text,
        with: body.with,
        env: inherited.env.into_iter().collect(),
        cwd: inherited.cwd,
        shell: inherited.shell,
        retry: inherited.retry,
        timeout: inherited.timeout,
        on_failure: inherited.on_failure,
        loop_start: false,
        loop_end: false,
        verification: None,
    }
}

/// The one task of a stage without work.
pub(super) fn noop(inherited: &Inherited) -> GraphTask {
    let body =
        Body { uses: "noop".to_owned(), with: Template::Constant(Value::Map(BTreeMap::new())), shell_text: None };
    // It runs nothing, so nothing of an environment is computed for it, which could fail.
    graph_task("noop".to_owned(), None, body, inherited.bounded())
}

/// Why an environment variable cannot have this name.
fn refused_variable(name: &str) -> Option<&'static str> {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let good =
        name.bytes().next().is_some_and(letter) && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit());
    if !good {
        return Some("is no name of an environment variable: those have letters, digits and `_`");
    }
    let own = name.strip_prefix("STABILIZE_")?;
    let number = own.strip_prefix('X').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let set_by_engine = matches!(
        own,
        "WORKFLOW_ID" | "STAGE" | "ACTIVATION" | "TASK" | "ATTEMPT" | "IDEMPOTENCY_KEY" | "OUTPUT" | "RESULT" | "TMP"
    );
    (number || set_by_engine || own.starts_with("SECRET_")).then_some("is set by the engine")
}
