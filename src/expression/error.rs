//! Why a text is no expression or an expression has no value, and at which bytes of the text.

use std::ops::Range;

/// What went wrong with an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpressionErrorKind {
    /// There is no expression, only blanks.
    Empty,
    /// The text is longer than an expression may be.
    TooLong,
    /// Brackets, operators or the value of the expression are nested too deep.
    TooDeep,
    /// The text is not an expression.
    Syntax,
    /// Python has this construct, expressions do not.
    Unsupported,
    /// A number lies outside what values can hold.
    NumberTooLarge,
    /// An operator is not made for values of these kinds.
    TypeMismatch,
    /// The evaluation took more work than one may.
    OutOfFuel,
}

/// Why a text is no expression, or why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at byte {} of the expression", span.start)]
#[non_exhaustive]
pub struct ExpressionError {
    kind: ExpressionErrorKind,
    span: Range<usize>,
    message: String,
}

impl ExpressionError {
    pub(super) fn new(kind: ExpressionErrorKind, span: Range<usize>, message: impl Into<String>) -> ExpressionError {
        ExpressionError { kind, span, message: message.into() }
    }

    pub(super) fn syntax(span: Range<usize>, message: impl Into<String>) -> ExpressionError {
        ExpressionError::new(ExpressionErrorKind::Syntax, span, message)
    }

    pub(super) fn unsupported(span: Range<usize>, constructs: &str) -> ExpressionError {
        let message = format!("{constructs} are not supported in expressions");
        ExpressionError::new(ExpressionErrorKind::Unsupported, span, message)
    }

    /// What went wrong.
    pub fn kind(&self) -> ExpressionErrorKind {
        self.kind
    }

    /// The bytes of the expression's text this is about; empty at its end, where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What went wrong, in words, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}
