//! Text that a shell reads, with `${{ }}` in it: values go in as environment variables, never as text, so that no value
//! can become code.
//!
//! Where the quoting of the shell lets a variable be read is found by the scanner.

mod command;
mod here_document;
mod refusal;
mod scanner;
#[cfg(test)]
mod tests;

use super::error::TemplateError;
use super::template::render_into_text;
use crate::expression::{Expression, ExpressionError, Reference, Scope};
use scanner::{ShellProblem, scan};

/// Shell text whose `${{ }}` have become references to environment variables made for them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShellText {
    /// What the shell reads.
    pub(crate) text: String,
    /// The variables and what they hold, `STABILIZE_X1` first; equal expressions share one.
    pub(crate) values: Vec<(String, Expression)>,
}

/// Why a text cannot be shell text; ranges are bytes of the text.
#[derive(Debug)]
pub(super) enum ShellTextError {
    /// `${{` stands where no variable can be read.
    Place(ShellProblem),
    /// An expression cannot be read; the offset is that of its text.
    Expression { offset: usize, source: ExpressionError },
}

/// An expression of shell text and where its text begins.
pub(super) struct Placed {
    pub(super) expression: Expression,
    pub(super) offset: usize,
}

/// Shell text that has been read, with the places of its expressions, and everything that is wrong with it.
pub(super) struct ShellReading {
    pub(super) shell_text: ShellText,
    pub(super) expressions: Vec<Placed>,
    pub(super) errors: Vec<ShellTextError>,
}

impl ShellText {
    /// Reads the text that a POSIX shell or bash is to run.
    pub(super) fn read(text: &str) -> ShellReading {
        let scanned = scan(text);
        let mut errors: Vec<ShellTextError> = scanned.problems.into_iter().map(ShellTextError::Place).collect();
        let mut values = Vec::new();
        let mut expressions = Vec::new();
        for variable in scanned.variables {
            match Expression::parse(&text[variable.expression.clone()]) {
                Ok(expression) => {
                    let offset = variable.expression.start;
                    expressions.push(Placed { expression: expression.clone(), offset });
                    values.push((variable.name, expression));
                }
                Err(source) => {
                    errors.push(ShellTextError::Expression { offset: variable.expression.start, source });
                }
            }
        }
        ShellReading { shell_text: ShellText { text: scanned.text, values }, expressions, errors }
    }

    /// The environment variables the text reads, with their values written as in longer text.
    ///
    /// # Errors
    ///
    /// An expression that cannot be evaluated or is null, and a value with the character NUL.
    pub(crate) fn render(&self, scope: &Scope) -> Result<Vec<(String, String)>, TemplateError> {
        let render = |(name, expression): &(String, Expression)| {
            let value = render_into_text(expression, scope)?;
            if value.contains('\0') {
                return Err(TemplateError::Nul { expression: expression.text().to_owned() });
            }
            Ok((name.clone(), value))
        };
        self.values.iter().map(render).collect()
    }

    /// Every name its expressions use.
    pub(crate) fn references(&self) -> Vec<Reference> {
        self.values.iter().flat_map(|(_, expression)| expression.references()).collect()
    }
}
