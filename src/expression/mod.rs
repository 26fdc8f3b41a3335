//! The small language of conditions and mappings: Python's, without calls and arithmetic; pure, bounded by fuel.
//!
//! ```text
//! ternary := or [ "if" or "else" ternary ]     or := and { "or" and }     and := not { "and" not }
//! not     := "not" not | unary { op unary }    op := == != < <= > >= in, not in, is, is not; chained as in Python
//! unary   := "-" unary | atom { "." MEMBER | "[" ternary "]" }
//! atom    := NAME | NUMBER | STRING.. | "(" ternary ")" | "[" list "]" | "(" list ")"
//! ```

mod compare;
mod error;
mod evaluate;
mod lexer;
mod literal;
mod parse;
mod scope;
mod term;
#[cfg(test)]
mod tests;

pub use error::{ExpressionError, ExpressionErrorKind};
pub use scope::Scope;
pub use term::Reference;

use crate::value::Value;
use term::{Term, TermKind};

/// An expression that has been read; it evaluates to a value over the names of a [`Scope`].
///
/// Where it differs from Python: `and`, `or` and comparisons give true or false; a missing name, key or index is null;
/// so is a member of what is no map; `is` holds for values of one kind that are equal; tuples are lists; a whole number
/// is an integer however it is written; behind a dot a name may hold `-` and begin with a digit; line ends are blanks.
/// A text that is only `true` or `1`, `false` or `0`, in any case, is that truth value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    term: Term,
}

impl Expression {
    /// Reads an expression. Blanks around it do not count.
    ///
    /// # Errors
    ///
    /// Text that is empty, too long, nested too deep, or not an expression; constructs of Python that are left out are
    /// named in the error.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        Ok(Expression { text: text.to_owned(), term: parse::parse(text)? })
    }

    /// The value of this expression where names mean what `scope` says.
    ///
    /// # Errors
    ///
    /// Operators applied to values they are not made for, and evaluations that use up their fuel.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        evaluate::evaluate(&self.term, scope, scope.fuel())
    }

    /// The text this was read from, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Is it the opposite of what stands behind its leading `not`s, and what is that?
    pub(crate) fn without_negations(&self) -> (bool, &str) {
        let (mut negated, mut term) = (false, &self.term);
        while let TermKind::Not(operand) = &term.kind {
            (negated, term) = (!negated, operand);
        }
        (negated, self.text.get(term.span.clone()).unwrap_or(&self.text))
    }

    /// Every use of a name, in the order of the text, with the keys that follow it as far as they are fixed.
    pub fn references(&self) -> Vec<Reference> {
        self.term.references()
    }
}
