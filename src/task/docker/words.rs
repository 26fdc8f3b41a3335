//! What the client is told: for each action its keys, its words and its files.
//!
//! Every option is one word with its value, so that no value is an option; names and images are checked, as they stand
//! by themselves.

use std::path::Path;

use super::{Work, leave};
use crate::failure::ErrorCode;
use crate::task::outcome::TaskError;
use crate::task::program::Options;
use crate::task::settings::{Settings, plain, word};
use crate::value::{Map, Value};

/// The label of our containers, and the variable of our programs in others' containers.
pub(super) const LABEL: &str = "stabilize.work";
pub(super) const MARK: &str = "STABILIZE_WORK";

/// The files in `$STABILIZE_TMP`: the container's id and the image's, written by the client, and what it reads
/// variables from, which as words could be seen by everybody in the table of processes.
pub(super) const CONTAINER: &str = "container";
pub(super) const IMAGE: &str = "image";
pub(super) const ENVIRONMENT: &str = "environment";

/// What is asked of docker, as far as its failures differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Run,
    Exec,
    Build,
    Pull,
    /// Only looks or ends: `ps`, `images`, `logs`, `stop`, `rm`.
    Other,
}

/// A call of the client.
pub(super) struct Call {
    pub(super) words: Vec<String>,
    pub(super) options: Options,
}

const RUN_TEXTS: [(&str, &str); 12] = [
    ("user", "--user"),
    ("hostname", "--hostname"),
    ("memory", "--memory"),
    ("memory_swap", "--memory-swap"),
    ("cpus", "--cpus"),
    ("gpus", "--gpus"),
    ("shm_size", "--shm-size"),
    ("platform", "--platform"),
    ("pull", "--pull"),
    ("restart", "--restart"),
    ("workdir", "--workdir"),
    ("network", "--network"),
];

const RUN_LISTS: [(&str, &str); 7] = [
    ("cap_add", "--cap-add"),
    ("cap_drop", "--cap-drop"),
    ("tmpfs", "--tmpfs"),
    ("security_opt", "--security-opt"),
    ("dns", "--dns"),
    ("extra_hosts", "--add-host"),
    ("ports", "--publish"),
];

const RUN_FLAGS: [(&str, &str); 6] = [
    ("detach", "--detach"),
    ("stdin_open", "--interactive"),
    ("tty", "--tty"),
    ("read_only", "--read-only"),
    ("init", "--init"),
    ("privileged", "--privileged"),
];

const RUN_OTHERS: [&str; 13] = [
    "image",
    "command",
    "name",
    "remove",
    "entrypoint",
    "ulimit",
    "labels",
    "volumes",
    "environment",
    "allow_privileged",
    "allow_dangerous_capabilities",
    "allow_host_network",
    "allow_mounts",
];

const EXEC: [&str; 7] = ["name", "command", "interactive", "tty", "user", "workdir", "environment"];
const BUILD: [&str; 7] = ["tag", "image", "dockerfile", "build_args", "no_cache", "context", "platform"];

/// The other actions, with the keys they take.
const OTHERS: [(&str, &[&str]); 6] = [
    ("pull", &["image"]),
    ("ps", &["all"]),
    ("images", &[]),
    ("logs", &["name", "follow", "tail"]),
    ("stop", &["name"]),
    ("rm", &["name", "force"]),
];

impl Action {
    /// The action that is asked for; `run` if none is.
    pub(super) fn read(with: &Map) -> Result<Named, TaskError> {
        let name = match with.get("action").filter(|value| !value.is_null()) {
            None => "run",
            Some(Value::String(name)) => name.as_str(),
            Some(_) => "",
        };
        let named = |action, name| Named { action, name };
        match name {
            "run" => Ok(named(Action::Run, "run")),
            "exec" => Ok(named(Action::Exec, "exec")),
            "build" => Ok(named(Action::Build, "build")),
            "pull" => Ok(named(Action::Pull, "pull")),
            _ => match OTHERS.iter().find(|(other, _)| *other == name) {
                Some((other, _)) => Ok(named(Action::Other, *other)),
                None => {
                    let message =
                        "docker: with.action: expected one of run, exec, build, pull, ps, images, logs, stop, rm";
                    Err(TaskError::permanent(message).code(ErrorCode::CONFIGURATION_INVALID))
                }
            },
        }
    }
}

/// An action by its name.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) action: Action,
    name: &'static str,
}

impl Named {
    /// The keys it is read from.
    pub(super) fn keys(self) -> Vec<&'static str> {
        let mut keys = vec!["action"];
        match self.action {
            Action::Run => {
                keys.extend(RUN_OTHERS);
                keys.extend(RUN_TEXTS.iter().chain(&RUN_LISTS).chain(&RUN_FLAGS).map(|(key, _)| *key));
            }
            Action::Exec => keys.extend(EXEC),
            Action::Build => keys.extend(BUILD),
            Action::Pull | Action::Other => {
                keys.extend(OTHERS.iter().filter(|(name, _)| *name == self.name).flat_map(|(_, keys)| *keys));
            }
        }
        keys.extend(Options::KEYS);
        keys
    }

    /// The words and files for it.
    pub(super) fn call(self, settings: Settings<'_>, work: &Work<'_>, workdir: &Path) -> Result<Call, TaskError> {
        let options = Options::read(settings)?;
        match self.action {
            Action::Run => run(settings, options, work, workdir),
            Action::Exec => exec(settings, options, work),
            Action::Build => build(settings, options, work),
            Action::Pull | Action::Other => {
                let words = other(self.name, settings)?;
                Ok(Call { words, options })
            }
        }
    }
}

fn run(settings: Settings<'_>, options: Options, work: &Work<'_>, workdir: &Path) -> Result<Call, TaskError> {
    leave::check(settings)?;
    let image = image(settings, "image")?.ok_or_else(|| settings.refused("image", "expected this"))?;
    let name = name(settings)?.map_or_else(|| format!("stabilize-{}", work.mark), str::to_owned);
    let mut words = Words::of("run");
    words.option("--name", &name);
    words.option("--label", format!("{LABEL}={}", work.mark));
    words.option("--cidfile", work.tmp.join(CONTAINER).display());
    words.option("--env-file", work.tmp.join(ENVIRONMENT).display());
    let environment = Environment::read(settings, work)?;
    environment.name(&mut words);
    let keeps = settings.flag("remove")? == Some(false);
    if !keeps {
        words.flag("--rm");
    }
    let detaches = settings.flag("detach")?.unwrap_or(false);
    if settings.value("restart").is_some() && !(detaches && keeps) {
        return Err(settings.refused("restart", "only beside with.detach: true and with.remove: false"));
    }
    if options.has_input() && settings.flag("stdin_open")?.is_none() {
        words.flag("--interactive");
    }
    for (key, option) in RUN_FLAGS {
        if settings.flag(key)? == Some(true) {
            words.flag(option);
        }
    }
    for (key, option) in RUN_TEXTS {
        if let Some(value) = settings.typed(key, "a text", word)? {
            words.option(option, value);
        }
    }
    for (key, option) in RUN_LISTS {
        for value in list(settings, key)? {
            words.option(option, value);
        }
    }
    for (name, value) in pairs(settings, "ulimit")? {
        words.option("--ulimit", format!("{name}={value}"));
    }
    for (name, value) in pairs(settings, "labels")? {
        if name.starts_with("stabilize.") || name.is_empty() || name.contains('=') {
            return Err(settings.refused("labels", &format!("{name:?} is no label of yours")));
        }
        words.option("--label", format!("{name}={value}"));
    }
    for mount in leave::mounts(settings, workdir)? {
        words.option("--mount", mount);
    }
    let entry = match settings.value("entrypoint") {
        Some(_) => command(settings, "entrypoint", Split::Whole)?,
        None => Vec::new(),
    };
    let mut entry = entry.into_iter();
    if let Some(program) = entry.next() {
        words.option("--entrypoint", program);
    }
    words.0.push(image.to_owned());
    words.0.extend(entry);
    if settings.value("command").is_some() {
        words.0.extend(command(settings, "command", Split::Words)?);
    }
    Ok(Call { words: words.0, options: environment.give(options) })
}

fn exec(settings: Settings<'_>, options: Options, work: &Work<'_>) -> Result<Call, TaskError> {
    let name = required_name(settings)?;
    let mut words = Words::of("exec");
    words.option("--env-file", work.tmp.join(ENVIRONMENT).display());
    let environment = Environment::read(settings, work)?;
    environment.name(&mut words);
    if settings.flag("interactive")?.unwrap_or(options.has_input()) {
        words.flag("--interactive");
    }
    if settings.flag("tty")? == Some(true) {
        words.flag("--tty");
    }
    for (key, option) in [("user", "--user"), ("workdir", "--workdir")] {
        if let Some(value) = settings.typed(key, "a text", word)? {
            words.option(option, value);
        }
    }
    words.0.push(name.to_owned());
    words.0.extend(command(settings, "command", Split::Words)?);
    Ok(Call { words: words.0, options: environment.give(options) })
}

fn build(settings: Settings<'_>, options: Options, work: &Work<'_>) -> Result<Call, TaskError> {
    let mut words = Words::of("build");
    words.option("--iidfile", work.tmp.join(IMAGE).display());
    let tag = match (image(settings, "tag")?, image(settings, "image")?) {
        (Some(_), Some(_)) => return Err(settings.refused("image", "there is with.tag already")),
        (tag, image) => tag.or(image),
    };
    if let Some(tag) = tag {
        words.option("--tag", tag);
    }
    for (key, option) in [("dockerfile", "--file"), ("platform", "--platform")] {
        if let Some(value) = settings.text(key)? {
            words.option(option, value);
        }
    }
    if settings.flag("no_cache")? == Some(true) {
        words.flag("--no-cache");
    }
    // The client takes the values from its own environment, which only its user can see.
    let arguments = pairs(settings, "build_args")?;
    for (name, _) in &arguments {
        if !is_free(name) {
            let reason = format!("{name:?} is no name of a variable, or one that the client itself obeys");
            return Err(settings.refused("build_args", &reason));
        }
        words.option("--build-arg", name);
    }
    let context = settings.text("context")?.unwrap_or(".");
    if context.is_empty() || context.starts_with('-') {
        return Err(settings.refused("context", "expected a directory or an address"));
    }
    words.0.push(context.to_owned());
    Ok(Call { words: words.0, options: options.with_env(arguments) })
}

fn other(action: &'static str, settings: Settings<'_>) -> Result<Vec<String>, TaskError> {
    let mut words = Words::of(action);
    for (key, option) in [("all", "--all"), ("follow", "--follow"), ("force", "--force")] {
        if settings.flag(key)? == Some(true) {
            words.flag(option);
        }
    }
    let lines = |value: &Value| value.as_integer().and_then(|lines| u32::try_from(lines).ok());
    if let Some(lines) = settings.typed("tail", "a number of lines", lines)? {
        words.option("--tail", lines);
    }
    match action {
        "pull" => {
            let image = image(settings, "image")?.ok_or_else(|| settings.refused("image", "expected this"))?;
            words.0.push(image.to_owned());
        }
        "logs" | "stop" | "rm" => words.0.push(required_name(settings)?.to_owned()),
        _ => {}
    }
    Ok(words.0)
}

/// Words for the client.
struct Words(Vec<String>);

impl Words {
    fn of(action: &str) -> Words {
        Words(vec!["docker".to_owned(), action.to_owned()])
    }

    fn flag(&mut self, option: &str) {
        self.0.push(option.to_owned());
    }

    fn option(&mut self, option: &str, value: impl std::fmt::Display) {
        self.0.push(format!("{option}={value}"));
    }
}

fn image<'a>(settings: Settings<'a>, key: &str) -> Result<Option<&'a str>, TaskError> {
    let is_image = |text: &&str| is_plain(text, b"._/:@-");
    settings.typed(key, "the name of an image", |value| value.as_str().filter(is_image))
}

fn name<'a>(settings: Settings<'a>) -> Result<Option<&'a str>, TaskError> {
    let is_name = |text: &&str| is_plain(text, b"_.-");
    settings.typed("name", "the name of a container", |value| value.as_str().filter(is_name))
}

fn required_name<'a>(settings: Settings<'a>) -> Result<&'a str, TaskError> {
    name(settings)?.ok_or_else(|| settings.refused("name", "expected this"))
}

/// Letters, digits and `more`, the first a letter or a digit: no option, and one word.
pub(super) fn is_plain(text: &str, more: &[u8]) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

/// A list of texts; none if it is not there.
pub(super) fn list(settings: Settings<'_>, key: &str) -> Result<Vec<String>, TaskError> {
    let read = |value: &Value| value.as_list()?.iter().map(word).collect::<Option<Vec<String>>>();
    Ok(settings.typed(key, "a list of texts", read)?.unwrap_or_default())
}

/// Names with texts.
fn pairs(settings: Settings<'_>, key: &str) -> Result<Vec<(String, String)>, TaskError> {
    let Some(entries) = settings.typed(key, "a map", Value::as_map)? else {
        return Ok(Vec::new());
    };
    Ok(entries.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), plain(value))).collect())
}

/// What a container finds in its environment.
struct Environment {
    /// The file of variables: a line each, taken as it is.
    lines: String,
    /// Those with secrets, which stand in no file: the client takes them from its own environment.
    hidden: Vec<(String, String)>,
}

impl Environment {
    fn read(settings: Settings<'_>, work: &Work<'_>) -> Result<Environment, TaskError> {
        let lines = format!("STABILIZE_IDEMPOTENCY_KEY={}\n{MARK}={}\n", work.key, work.mark);
        let mut environment = Environment { lines, hidden: Vec::new() };
        for (name, value) in pairs(settings, "environment")? {
            let refused = |reason: &str| Err(settings.refused("environment", reason));
            let is_line = |text: &str| !text.contains(['\n', '\r', '\0']);
            if name.is_empty()
                || name.starts_with('#')
                || name.starts_with("STABILIZE_")
                || name.contains(['=', ' ', '\t'])
                || !is_line(&name)
            {
                return refused(&format!("{name:?} is no name of a variable"));
            }
            if work.secrets.are_in(&value) {
                if !is_free(&name) {
                    return refused(&format!("{name:?} cannot hold a secret: the client itself obeys it"));
                }
                environment.hidden.push((name, value));
            } else if is_line(&value) {
                environment.lines += &format!("{name}={value}\n");
            } else {
                let reason = "has more than one line, which a container takes from a file in with.volumes";
                return refused(&format!("{name} {reason}"));
            }
        }
        Ok(environment)
    }

    fn name(&self, words: &mut Words) {
        for (name, _) in &self.hidden {
            words.option("--env", name);
        }
    }

    fn give(self, options: Options) -> Options {
        options.with_file(ENVIRONMENT, self.lines).with_env(self.hidden)
    }
}

/// Whether a variable of this name may be given to the client for somebody else.
fn is_free(name: &str) -> bool {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_clients = ["PATH", "HOME"].contains(&name) || ["DOCKER_", "LD_"].iter().any(|of| name.starts_with(of));
    is_name && !is_clients && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Whether a text is cut at its blanks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Split {
    Words,
    Whole,
}

/// A program and what it is given: words, or a text with the words that quotes and backslashes leave of it.
fn command(settings: Settings<'_>, key: &str, split: Split) -> Result<Vec<String>, TaskError> {
    let read = |value: &Value| match value {
        Value::String(text) if split == Split::Words => words_of(text),
        Value::String(text) => Some(vec![text.clone()]),
        value => value.as_list()?.iter().map(word).collect(),
    };
    let words = settings.typed(key, "a list of texts, or a text whose quotes are closed", read)?;
    words.filter(|words| !words.is_empty()).ok_or_else(|| settings.refused(key, "expected a program"))
}

/// The words of a text as POSIX shells see them, where nothing is expanded; none if a quote is open.
fn words_of(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_words_where_no_quote_holds_it_together() {
        for (text, words) in [
            ("", Some(vec![])),
            ("  a  b\tc\n", Some(vec!["a", "b", "c"])),
            (r#"a 'b c' "d e"f '' "#, Some(vec!["a", "b c", "d ef", ""])),
            (r#"'it'\''s' "\"\\\$\x" a\ b"#, Some(vec!["it's", r#""\$\x"#, "a b"])),
            ("$HOME `x` *", Some(vec!["$HOME", "`x`", "*"])),
            ("'open", None),
            ("\"open", None),
            ("open\\", None),
        ] {
            let words = words.map(|words: Vec<&str>| words.into_iter().map(str::to_owned).collect());
            assert_eq!(words_of(text), words, "{text}");
        }
    }
}
