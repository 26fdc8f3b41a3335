//! Tasks by name: what `uses:` of a definition can refer to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Task;
use super::builtin::{ByHand, Fail, Noop, Wait};
use super::context::TaskContext;
use super::outcome::{Outcome, TaskError};
use crate::value::Map;

/// A name that is taken already, by a task, an alias or a verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {what} named {name:?} is registered already")]
pub struct DuplicateName {
    what: &'static str,
    name: String,
}

/// What looks at the outputs of a task.
pub(crate) type Verifier = dyn Fn(&TaskContext<'_>, &Map) -> Result<(), TaskError> + Send + Sync;

/// Why a name could not become another name of a task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AliasError {
    /// The new name is taken already.
    #[error(transparent)]
    Duplicate(DuplicateName),
    /// There is no such task.
    #[error("no task named {name:?} is registered")]
    Unknown {
        /// The name that was to be aliased.
        name: String,
    },
}

/// The tasks an engine can run, by name.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use stabilize::{Outcome, Registry};
/// let mut tasks = Registry::with_builtins();
/// tasks.register_fn("greet", |task| {
///     Ok(Outcome::success().output("greeting", format!("Hello, {}!", task.require::<String>("name")?)))
/// })?;
/// assert!(tasks.names().any(|name| name == "greet"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    tasks: BTreeMap<String, Arc<dyn Task>>,
    verifiers: BTreeMap<String, Arc<Verifier>>,
}

impl Registry {
    /// No tasks at all.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// The tasks that come with the engine: `noop`, `wait`, `fail`, with their features `shell`, `python`, `docker`,
    /// `ssh` and `http`; and `manual` and `approval`, which people do: no engine runs what is registered under these
    /// names.
    pub fn with_builtins() -> Registry {
        let mut registry = Registry::new();
        registry.replace("noop", Noop);
        registry.replace("wait", Wait);
        registry.replace("fail", Fail);
        registry.replace("manual", ByHand);
        registry.replace("approval", ByHand);
        #[cfg(feature = "shell")]
        registry.replace("shell", super::shell::Shell::new());
        #[cfg(feature = "python")]
        registry.replace("python", super::python::Python::new());
        #[cfg(feature = "docker")]
        registry.replace("docker", super::docker::Docker::new());
        #[cfg(feature = "ssh")]
        registry.replace("ssh", super::ssh::Ssh::new());
        #[cfg(feature = "http")]
        registry.replace("http", super::http::Http::new());
        registry
    }

    /// Makes `task` known as `name`.
    ///
    /// # Errors
    ///
    /// If the name is taken; [`replace`](Registry::replace) does not mind.
    pub fn register(&mut self, name: impl Into<String>, task: impl Task + 'static) -> Result<(), DuplicateName> {
        self.insert(name.into(), Arc::new(task))
    }

    /// Makes a function known as `name`.
    ///
    /// # Errors
    ///
    /// If the name is taken.
    pub fn register_fn<F>(&mut self, name: impl Into<String>, function: F) -> Result<(), DuplicateName>
    where
        F: Fn(&TaskContext<'_>) -> Result<Outcome, TaskError> + Send + Sync + 'static,
    {
        self.register(name, Function(function))
    }

    /// Makes `task` known as `name`, in place of what had that name.
    pub fn replace(&mut self, name: impl Into<String>, task: impl Task + 'static) {
        self.tasks.insert(name.into(), Arc::new(task));
    }

    /// Makes the task that is now known as `name` known as `alias` too.
    ///
    /// # Errors
    ///
    /// If there is no such task or `alias` is taken.
    pub fn alias(&mut self, alias: impl Into<String>, name: &str) -> Result<(), AliasError> {
        let task = self.task(name).ok_or_else(|| AliasError::Unknown { name: name.to_owned() })?;
        self.insert(alias.into(), task).map_err(AliasError::Duplicate)
    }

    /// Makes a function known as `name` that looks at the outputs of a task that has succeeded, where its
    /// `verification` names it; tasks have names of their own. What it refuses has failed with the class, message,
    /// context and delay of its error, and always with code `VERIFICATION_FAILED`. It runs where the task ran, in the
    /// time of the attempt.
    ///
    /// # Errors
    ///
    /// If a verifier has this name.
    ///
    /// ```
    /// # use stabilize::{Registry, TaskError, Value};
    /// let mut tasks = Registry::with_builtins();
    /// tasks.verifier("is_green", |_, outputs| match outputs.get("failed") {
    ///     Some(Value::Integer(0)) => Ok(()),
    ///     _ => Err(TaskError::permanent("some tests have failed")),
    /// })?;
    /// # Ok::<(), stabilize::DuplicateName>(())
    /// ```
    pub fn verifier<F>(&mut self, name: impl Into<String>, function: F) -> Result<(), DuplicateName>
    where
        F: Fn(&TaskContext<'_>, &Map) -> Result<(), TaskError> + Send + Sync + 'static,
    {
        let name = name.into();
        if self.verifiers.contains_key(&name) {
            return Err(DuplicateName { what: "verifier", name });
        }
        self.verifiers.insert(name, Arc::new(function));
        Ok(())
    }

    /// All names, aliases too, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tasks.keys().map(String::as_str)
    }

    /// The task known by this name or alias.
    pub(crate) fn task(&self, name: &str) -> Option<Arc<dyn Task>> {
        self.tasks.get(name).cloned()
    }

    /// The verifier known by this name.
    pub(crate) fn verifier_named(&self, name: &str) -> Option<Arc<Verifier>> {
        self.verifiers.get(name).cloned()
    }

    fn insert(&mut self, name: String, task: Arc<dyn Task>) -> Result<(), DuplicateName> {
        if self.tasks.contains_key(&name) {
            return Err(DuplicateName { what: "task", name });
        }
        self.tasks.insert(name, task);
        Ok(())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// A function as a task.
struct Function<F>(F);

impl<F> Task for Function<F>
where
    F: Fn(&TaskContext<'_>) -> Result<Outcome, TaskError> + Send + Sync,
{
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        (self.0)(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once_and_replaced_on_purpose() {
        let mut registry = Registry::with_builtins();
        let taken = registry.register_fn("noop", |_| Ok(Outcome::skipped())).unwrap_err();
        assert_eq!(taken.to_string(), "a task named \"noop\" is registered already");
        registry.replace("noop", Fail);
        registry.alias("nothing", "noop").unwrap();
        assert_eq!(registry.alias("noop", "fail"), Err(AliasError::Duplicate(taken)));
        assert!(matches!(registry.alias("x", "y"), Err(AliasError::Unknown { .. })));
        assert!(registry.task("nothing").is_some());
        assert!(registry.task("x").is_none());
    }

    #[test]
    fn verifiers_have_names_of_their_own() {
        let mut registry = Registry::with_builtins();
        registry.verifier("noop", |_, _| Ok(())).unwrap();
        let taken = registry.verifier("noop", |_, _| Err("no".into())).unwrap_err();
        assert_eq!(taken.to_string(), "a verifier named \"noop\" is registered already");
        assert!(registry.verifier_named("noop").is_some());
        assert!(registry.verifier_named("wait").is_none());
    }

    #[test]
    fn a_closure_needs_no_annotations() {
        let mut registry = Registry::new();
        registry
            .register_fn("route", |task| match task.activation().number() {
                1 => Ok(Outcome::running()),
                _ => Ok(Outcome::success().output("greeting", task.require::<String>("name")?)),
            })
            .unwrap();
        assert_eq!(registry.names().collect::<Vec<_>>(), ["route"]);
    }
}
