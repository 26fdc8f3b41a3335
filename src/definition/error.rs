//! Why a template has no value, and at which place of it.

use crate::expression::ExpressionError;

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
