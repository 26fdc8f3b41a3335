//! From tokens to terms: precedence climbing. Only reads; knows no scope.

use std::ops::Range;

use super::error::{ExpressionError, ExpressionErrorKind};
use super::lexer::{Token, TokenKind, tokens};
use super::term::{Choice, Comparison, Key, Term, TermKind};
use crate::limits::{DEPTH_MAX, EXPRESSION_BYTES_MAX};
use crate::value::Value;

/// How tightly an operator binds; a term at a level holds operators of that level and tighter ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Choice,
    Or,
    And,
    Not,
    Compare,
    Operand,
}

/// Reads the one expression that `text` consists of.
pub(super) fn parse(text: &str) -> Result<Term, ExpressionError> {
    if text.len() > EXPRESSION_BYTES_MAX {
        let message = format!("expression longer than {EXPRESSION_BYTES_MAX} bytes");
        return Err(ExpressionError::new(ExpressionErrorKind::TooLong, 0..text.len(), message));
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ExpressionError::new(ExpressionErrorKind::Empty, 0..text.len(), "expression is empty"));
    }
    if let Some(truth) = bare_truth(trimmed) {
        let start = text.len() - text.trim_start().len();
        return Ok(Term { kind: TermKind::Literal(Value::Bool(truth)), span: start..start + trimmed.len() });
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    let term = parser.term(Level::Choice)?;
    match parser.peek() {
        TokenKind::End => Ok(term),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

/// A condition that was written as a bare truth value, in the ways of YAML and of shell variables.
fn bare_truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        // `End` is never passed, so there always is a next token.
        &self.tokens[self.next]
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    fn advance(&mut self) -> Range<usize> {
        let span = self.token().span.clone();
        assert!(*self.peek() != TokenKind::End, "the end is never passed");
        self.next += 1;
        span
    }

    fn take(&mut self, kind: &TokenKind) -> Option<Range<usize>> {
        (self.peek() == kind).then(|| self.advance())
    }

    fn expect(&mut self, kind: &TokenKind, name: &str) -> Result<Range<usize>, ExpressionError> {
        self.take(kind).ok_or_else(|| self.unexpected(name))
    }

    fn unexpected(&self, expected: &str) -> ExpressionError {
        let span = self.token().span.clone();
        let found = if span.is_empty() { "the end".to_owned() } else { format!("`{}`", &self.text[span.clone()]) };
        ExpressionError::syntax(span, format!("expected {expected}, found {found}"))
    }

    /// Reads a term one level further in. Everything that can nest goes through here, so the stack is bounded.
    fn nested(&mut self, level: Level) -> Result<Term, ExpressionError> {
        if self.depth == DEPTH_MAX {
            let message = format!("expression nested deeper than {DEPTH_MAX}");
            return Err(ExpressionError::new(ExpressionErrorKind::TooDeep, self.token().span.clone(), message));
        }
        self.depth += 1;
        let term = self.term(level)?;
        self.depth -= 1;
        Ok(term)
    }

    fn term(&mut self, level: Level) -> Result<Term, ExpressionError> {
        let mut term = self.prefix(level)?;
        loop {
            term = match self.peek() {
                TokenKind::If if level <= Level::Choice => self.choice(term)?,
                TokenKind::Or if level <= Level::Or => self
                    .chain(term, &TokenKind::Or, Level::And)
                    .map(|(terms, span)| Term { kind: TermKind::Any(terms), span })?,
                TokenKind::And if level <= Level::And => self
                    .chain(term, &TokenKind::And, Level::Not)
                    .map(|(terms, span)| Term { kind: TermKind::All(terms), span })?,
                _ if level <= Level::Compare && self.comparison().is_some() => self.comparisons(term)?,
                _ => return Ok(term),
            };
        }
    }

    fn prefix(&mut self, level: Level) -> Result<Term, ExpressionError> {
        match self.peek() {
            TokenKind::Not if level <= Level::Not => {
                let start = self.advance().start;
                let operand = self.nested(Level::Not)?;
                let span = start..operand.span.end;
                Ok(Term { kind: TermKind::Not(Box::new(operand)), span })
            }
            TokenKind::Minus => {
                let start = self.advance().start;
                let operand = self.nested(Level::Operand)?;
                let span = start..operand.span.end;
                Ok(Term { kind: TermKind::Negate(Box::new(operand)), span })
            }
            _ => self.path(),
        }
    }

    fn choice(&mut self, then: Term) -> Result<Term, ExpressionError> {
        self.expect(&TokenKind::If, "`if`")?;
        let condition = self.term(Level::Or)?;
        self.expect(&TokenKind::Else, "`else`")?;
        let otherwise = self.nested(Level::Choice)?;
        let span = then.span.start..otherwise.span.end;
        Ok(Term { kind: TermKind::Choice(Box::new(Choice { condition, then, otherwise })), span })
    }

    fn chain(
        &mut self,
        first: Term,
        operator: &TokenKind,
        operands: Level,
    ) -> Result<(Vec<Term>, Range<usize>), ExpressionError> {
        let mut span = first.span.clone();
        let mut terms = vec![first];
        while self.take(operator).is_some() {
            let term = self.term(operands)?;
            span.end = term.span.end;
            terms.push(term);
        }
        Ok((terms, span))
    }

    fn comparisons(&mut self, first: Term) -> Result<Term, ExpressionError> {
        let mut span = first.span.clone();
        let mut rest = Vec::new();
        while let Some((comparison, tokens)) = self.comparison() {
            self.next += tokens;
            let operand = self.term(Level::Operand)?;
            span.end = operand.span.end;
            rest.push((comparison, operand));
        }
        Ok(Term { kind: TermKind::Compare(Box::new(first), rest), span })
    }

    /// The comparison that stands next, and how many tokens it takes.
    fn comparison(&self) -> Option<(Comparison, usize)> {
        let second = self.tokens.get(self.next + 1).map(|token| &token.kind);
        Some(match (self.peek(), second) {
            (TokenKind::Equal, _) => (Comparison::Equal, 1),
            (TokenKind::NotEqual, _) => (Comparison::NotEqual, 1),
            (TokenKind::Less, _) => (Comparison::Less, 1),
            (TokenKind::LessOrEqual, _) => (Comparison::LessOrEqual, 1),
            (TokenKind::Greater, _) => (Comparison::Greater, 1),
            (TokenKind::GreaterOrEqual, _) => (Comparison::GreaterOrEqual, 1),
            (TokenKind::In, _) => (Comparison::In, 1),
            (TokenKind::Not, Some(TokenKind::In)) => (Comparison::NotIn, 2),
            (TokenKind::Is, Some(TokenKind::Not)) => (Comparison::IsNot, 2),
            (TokenKind::Is, _) => (Comparison::Is, 1),
            _ => return None,
        })
    }

    fn path(&mut self) -> Result<Term, ExpressionError> {
        let base = self.atom()?;
        let mut span = base.span.clone();
        let mut keys = Vec::new();
        loop {
            let key = match self.peek() {
                TokenKind::Member(name) => {
                    let name = name.clone();
                    Key::Member(name, self.advance())
                }
                TokenKind::OpenBracket => {
                    let start = self.advance().start;
                    let index = self.nested(Level::Choice)?;
                    let end = self.expect(&TokenKind::CloseBracket, "`]`")?.end;
                    Key::Index(index, start..end)
                }
                _ if keys.is_empty() => return Ok(base),
                _ => {
                    return Ok(Term { kind: TermKind::Path(Box::new(base), keys), span });
                }
            };
            span.end = key.span().end;
            keys.push(key);
        }
    }

    fn atom(&mut self) -> Result<Term, ExpressionError> {
        let kind = match self.peek().clone() {
            TokenKind::Name(name) => TermKind::Name(name),
            TokenKind::Literal(Value::String(_)) => return Ok(self.strings()),
            TokenKind::Literal(value) => TermKind::Literal(value),
            TokenKind::Open => return self.parenthesis(),
            TokenKind::OpenBracket => {
                let start = self.advance().start;
                let terms = self.items(Vec::new(), &TokenKind::CloseBracket)?;
                let end = self.expect(&TokenKind::CloseBracket, "`,` or `]`")?.end;
                return Ok(Term { kind: TermKind::List(terms), span: start..end });
            }
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Term { kind, span: self.advance() })
    }

    /// Strings side by side are one, as in Python.
    fn strings(&mut self) -> Term {
        let mut string = String::new();
        let mut span = self.token().span.clone();
        while let TokenKind::Literal(Value::String(part)) = self.peek() {
            string.push_str(part);
            span.end = self.advance().end;
        }
        Term { kind: TermKind::Literal(Value::String(string)), span }
    }

    /// `(term)` is that term; with a comma, or empty, it is a list.
    fn parenthesis(&mut self) -> Result<Term, ExpressionError> {
        let start = self.expect(&TokenKind::Open, "`(`")?.start;
        if let Some(end) = self.take(&TokenKind::Close) {
            return Ok(Term { kind: TermKind::List(Vec::new()), span: start..end.end });
        }
        let first = self.nested(Level::Choice)?;
        if self.take(&TokenKind::Close).is_some() {
            return Ok(first);
        }
        self.expect(&TokenKind::Comma, "`,` or `)`")?;
        let terms = self.items(vec![first], &TokenKind::Close)?;
        let end = self.expect(&TokenKind::Close, "`,` or `)`")?.end;
        Ok(Term { kind: TermKind::List(terms), span: start..end })
    }

    /// Reads items with commas between them, and maybe one behind the last, up to `close`.
    fn items(&mut self, mut terms: Vec<Term>, close: &TokenKind) -> Result<Vec<Term>, ExpressionError> {
        while self.peek() != close {
            terms.push(self.nested(Level::Choice)?);
            if self.take(&TokenKind::Comma).is_none() {
                break;
            }
        }
        Ok(terms)
    }
}
