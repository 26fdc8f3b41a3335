//! Tasks from code, and the policies they share with stages.

use super::fields::Fields;
use crate::definition::document::Node;
use crate::definition::graph::OnFailure;
use crate::time::Duration;
use crate::value::Value;

/// One task of a stage that has several.
#[derive(Clone, Debug)]
#[must_use]
pub struct TaskSpec(pub(super) Fields);

/// How often and when a failed attempt is tried again.
#[derive(Clone, Debug)]
#[must_use]
pub struct Retry(Fields);

/// What holds for tasks that say nothing else.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Defaults(Fields);

/// The keys that tasks, stages and defaults share.
macro_rules! shared_keys {
    ($name:ident) => {
        impl $name {
            /// An environment variable, over those of the levels outside; null unsets it.
            pub fn env(mut self, name: impl Into<String>, value: impl Into<Value>) -> $name {
                self.0.set_value_in("env", name.into(), value);
                self
            }

            /// Directory, relative to the workflow's.
            pub fn cwd(mut self, directory: impl Into<String>) -> $name {
                self.0.set("cwd", directory.into());
                self
            }

            /// The shell that reads the text of `run`, by name or path; `/bin/sh` unless said otherwise.
            pub fn shell(mut self, shell: impl Into<String>) -> $name {
                self.0.set("shell", shell.into());
                self
            }

            /// How often and when a failed attempt is tried again.
            pub fn retry(mut self, retry: $crate::definition::builder::Retry) -> $name {
                self.0.set_node("retry", retry.into_node());
                self
            }

            /// Limit of one attempt from its real start; 4 hours unless said otherwise.
            pub fn timeout(mut self, timeout: impl Into<$crate::time::Duration>) -> $name {
                self.0.set("timeout", timeout.into().to_string());
                self
            }

            pub(in crate::definition::builder) fn into_node(self) -> Node {
                self.0.into_node()
            }
        }
    };
}

/// The keys that say what is done.
macro_rules! work_keys {
    ($name:ident) => {
        impl $name {
            /// Runs text in a shell. `${{ }}` in it is handed over in variables, so that no value becomes code.
            pub fn run(mut self, text: impl Into<String>) -> $name {
                self.0.set("run", text.into());
                self
            }

            /// Does the work of a registered task type.
            pub fn uses(mut self, task_type: impl Into<String>) -> $name {
                self.0.set("uses", task_type.into());
                self
            }

            /// A setting of the task.
            pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> $name {
                self.0.set_value_in("with", key.into(), value);
                self
            }

            /// Whether it happens; false passes it by. An expression.
            pub fn condition(mut self, expression: impl Into<String>) -> $name {
                self.0.set("if", expression.into());
                self
            }

            /// What a failure means; [`OnFailure::Fail`] unless said otherwise.
            pub fn on_failure(mut self, on_failure: OnFailure) -> $name {
                self.0.set("on_failure", on_failure.name());
                self
            }
        }
    };
}

pub(super) use {shared_keys, work_keys};

shared_keys!(TaskSpec);
work_keys!(TaskSpec);
shared_keys!(Defaults);

impl TaskSpec {
    /// A task with this name, unique in its stage. It needs `run` or `uses`.
    pub fn new(name: impl Into<String>) -> TaskSpec {
        TaskSpec(Fields::new().with("name", name.into()))
    }

    /// It and the tasks after it may send the stage back to it, with [`Outcome::redirect`](crate::Outcome::redirect),
    /// up to the one that [ends](TaskSpec::loop_end) the loop, or the last. Loops of tasks do not overlap.
    pub fn loop_start(mut self) -> TaskSpec {
        self.0.set("loop_start", true);
        self
    }

    /// It is the last that may send the stage back to where the loop begins.
    pub fn loop_end(mut self) -> TaskSpec {
        self.0.set("loop_end", true);
        self
    }
}

impl Defaults {
    /// Nothing but what the engine has.
    pub fn new() -> Defaults {
        Defaults::default()
    }
}

impl Retry {
    /// This many tries in all; 1 is no retry. Transient errors, timeouts and unexpected exit codes are tried again.
    pub fn attempts(max_attempts: u32) -> Retry {
        Retry(Fields::new().with("max_attempts", max_attempts))
    }

    /// Delay before the second try; 1 s unless said otherwise.
    pub fn initial(mut self, delay: impl Into<Duration>) -> Retry {
        self.0.set("initial", delay.into().to_string());
        self
    }

    /// Growth of the delay from try to try, from 1, with at most 3 decimals; 2 unless said otherwise.
    pub fn factor(mut self, factor: f64) -> Retry {
        self.0.set("factor", number(factor));
        self
    }

    /// No delay is longer, jitter aside; 60 s unless said otherwise.
    pub fn max(mut self, delay: impl Into<Duration>) -> Retry {
        self.0.set("max", delay.into().to_string());
        self
    }

    /// Part of the delay that is drawn at random, from 0 to 1, with at most 3 decimals; 0.25 unless said otherwise.
    pub fn jitter(mut self, jitter: f64) -> Retry {
        self.0.set("jitter", number(jitter));
        self
    }

    /// The failures that are tried again: the classes `transient`, `timeout` and `exit`, codes of errors like
    /// `NETWORK_ERROR`, which count whatever the class, and exit codes of programs, from 0 to 255.
    ///
    /// ```
    /// # use stabilize::{Retry, Value};
    /// let retry = Retry::attempts(5).on(["transient".into(), "VALIDATION_FAILED".into(), Value::from(75)]);
    /// ```
    pub fn on<T: Into<Value>>(mut self, failures: impl IntoIterator<Item = T>) -> Retry {
        self.0.set("on", Value::list(failures.into_iter().map(Into::into)));
        self
    }

    pub(super) fn into_node(self) -> Node {
        self.0.into_node()
    }
}

/// What is no number becomes text, which is then refused with its place.
fn number(number: f64) -> Value {
    Value::number(number).unwrap_or_else(|| Value::from(number.to_string()))
}
