//! Why a template has no value, and why a text is not the normal form of a definition. What is wrong with a definition
//! that a person wrote are `Problems`.

use crate::expression::ExpressionError;
use crate::value::ValueError;

/// Why a text is not the normal form of a definition. `path` leads to the place inside it, as `stages[3].name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NormalFormError {
    /// It is not JSON.
    #[error("the normal form of a definition is not JSON")]
    Json {
        /// What is wrong with it.
        source: ValueError,
    },
    /// A part of it is missing or of another kind.
    #[error("the normal form of a definition needs {expected} as {path}")]
    Shape {
        /// Where.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
    /// An expression in it cannot be read.
    #[error("the normal form of a definition has a broken expression in {path}")]
    Expression {
        /// Where.
        path: String,
        /// What is wrong with it.
        source: ExpressionError,
    },
}

/// Why a template has no value. `path` leads to the place inside the value, as `json.items[3]`; it is empty at the top.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TemplateError {
    /// An expression inside a text is null: there is nothing to write.
    #[error("`{expression}` has no value{}", at(path))]
    Missing {
        /// The expression.
        expression: String,
        /// Where in the value.
        path: String,
    },
    /// An expression cannot be evaluated.
    #[error("could not evaluate `{expression}`{}", at(path))]
    Expression {
        /// The expression.
        expression: String,
        /// Where in the value.
        path: String,
        /// What is wrong with it.
        source: ExpressionError,
    },
    /// A value for shell text holds the character NUL, which no environment variable can.
    #[error("`{expression}` holds the character NUL, which cannot be handed to a program")]
    Nul {
        /// The expression.
        expression: String,
    },
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in {path}") }
}

impl TemplateError {
    /// Whether a value is missing, rather than wrong.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, TemplateError::Missing { .. })
    }

    /// This error seen from the map that holds the failing value under `key`.
    pub(crate) fn inside_key(self, key: &str) -> TemplateError {
        self.below(key.to_owned())
    }

    /// This error seen from the list that holds the failing value at `index`.
    pub(crate) fn inside_index(self, index: usize) -> TemplateError {
        self.below(format!("[{index}]"))
    }

    fn below(mut self, mut name: String) -> TemplateError {
        match &mut self {
            TemplateError::Missing { path, .. } | TemplateError::Expression { path, .. } => {
                if !path.is_empty() && !path.starts_with('[') {
                    name.push('.');
                }
                path.insert_str(0, &name);
            }
            TemplateError::Nul { .. } => {}
        }
        self
    }
}
