//! From a term and a scope to a value. Total: ends within its fuel, with a value or an error.

use std::borrow::Cow;
use std::ops::Range;

use super::compare::{self, Fault};
use super::error::{ExpressionError, ExpressionErrorKind};
use super::scope::Scope;
use super::term::{Comparison, Key, Term, TermKind};
use crate::limits::DEPTH_MAX;
use crate::value::Value;

/// The value of `term`, within `fuel`.
pub(super) fn evaluate(term: &Term, scope: &Scope, fuel: u64) -> Result<Value, ExpressionError> {
    let mut evaluation = Evaluation { scope, fuel: Fuel { left: fuel } };
    // The result is copied without charge: it is one value of the scope, or was charged when it was put together.
    let value = evaluation.value(term)?.into_owned();
    if value.check_depth().is_err() {
        let message = format!("value nested deeper than {DEPTH_MAX}");
        return Err(ExpressionError::new(ExpressionErrorKind::TooDeep, term.span.clone(), message));
    }
    Ok(value)
}

/// What an evaluation may still do. One unit is a term, an element, or 64 bytes of text looked at or copied.
pub(super) struct Fuel {
    left: u64,
}

impl Fuel {
    pub(super) fn burn(&mut self, units: u64) -> Result<(), Fault> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Fault::OutOfFuel),
        }
    }

    pub(super) fn burn_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.burn(1 + bytes as u64 / 64)
    }

    /// Pays for a copy of `value`.
    fn burn_copy(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) => self.burn(1),
            Value::String(text) => self.burn_text(text.len()),
            Value::List(items) => {
                self.burn(1)?;
                items.iter().try_for_each(|item| self.burn_copy(item))
            }
            Value::Map(entries) => {
                self.burn(1)?;
                entries.iter().try_for_each(|(key, entry)| {
                    self.burn_text(key.len())?;
                    self.burn_copy(entry)
                })
            }
        }
    }
}

struct Evaluation<'e> {
    scope: &'e Scope,
    fuel: Fuel,
}

impl<'e> Evaluation<'e> {
    fn value(&mut self, term: &'e Term) -> Result<Cow<'e, Value>, ExpressionError> {
        self.fuel.burn(1).map_err(|fault| fault.at(&term.span))?;
        match &term.kind {
            TermKind::Literal(value) => Ok(Cow::Borrowed(value)),
            TermKind::Name(name) => Ok(self.scope.get(name).map_or(Cow::Owned(Value::Null), Cow::Borrowed)),
            TermKind::List(terms) => self.list(terms),
            TermKind::Path(base, keys) => self.path(base, keys),
            TermKind::Negate(operand) => self.negate(operand, &term.span),
            TermKind::Not(operand) => Ok(truth(!self.holds(operand)?)),
            TermKind::All(terms) => self.first_that(terms, false).map(|found| truth(!found)),
            TermKind::Any(terms) => self.first_that(terms, true).map(truth),
            TermKind::Compare(first, rest) => self.comparisons(first, rest),
            TermKind::Choice(choice) => {
                let arm = if self.holds(&choice.condition)? { &choice.then } else { &choice.otherwise };
                self.value(arm)
            }
        }
    }

    fn holds(&mut self, term: &'e Term) -> Result<bool, ExpressionError> {
        Ok(self.value(term)?.is_truthy())
    }

    /// Whether the truth of some term is `wanted`; those behind the first such are not evaluated.
    fn first_that(&mut self, terms: &'e [Term], wanted: bool) -> Result<bool, ExpressionError> {
        for term in terms {
            if self.holds(term)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn list(&mut self, terms: &'e [Term]) -> Result<Cow<'e, Value>, ExpressionError> {
        let mut items = Vec::new();
        for term in terms {
            let item = self.value(term)?;
            if let Cow::Borrowed(value) = &item {
                self.fuel.burn_copy(value).map_err(|fault| fault.at(&term.span))?;
            }
            items.push(item.into_owned());
        }
        Ok(Cow::Owned(Value::List(items)))
    }

    fn path(&mut self, base: &'e Term, keys: &'e [Key]) -> Result<Cow<'e, Value>, ExpressionError> {
        let mut value = self.value(base)?;
        for key in keys {
            let fault = |fault: Fault| fault.at(key.span());
            let wanted = match key {
                Key::Member(name, span) => {
                    self.fuel.burn_text(name.len()).map_err(|fault| fault.at(span))?;
                    Wanted::Member(name)
                }
                Key::Index(index, _) => Wanted::Element(self.value(index)?),
            };
            let found = match &value {
                Cow::Borrowed(value) => wanted.find_in(value).map_err(fault)?.map(Cow::Borrowed),
                Cow::Owned(value) => wanted.find_in(value).map_err(fault)?.cloned().map(Cow::Owned),
            };
            value = found.unwrap_or(Cow::Owned(Value::Null));
        }
        Ok(value)
    }

    fn negate(&mut self, operand: &'e Term, span: &Range<usize>) -> Result<Cow<'e, Value>, ExpressionError> {
        let value = self.value(operand)?;
        let negated = match &*value {
            Value::Bool(value) => Some(Value::Integer(-i128::from(*value))),
            Value::Integer(value) => value.checked_neg().map(Value::Integer),
            Value::Real(value) => Value::number(-value.get()),
            Value::Null | Value::String(_) | Value::List(_) | Value::Map(_) => {
                let message = format!("`-` does not apply to a value of kind {}", value.kind());
                return Err(ExpressionError::new(ExpressionErrorKind::TypeMismatch, span.clone(), message));
            }
        };
        let too_large =
            || ExpressionError::new(ExpressionErrorKind::NumberTooLarge, span.clone(), "number beyond 128 bits");
        negated.map(Cow::Owned).ok_or_else(too_large)
    }

    fn comparisons(
        &mut self,
        first: &'e Term,
        rest: &'e [(Comparison, Term)],
    ) -> Result<Cow<'e, Value>, ExpressionError> {
        let mut start = first.span.start;
        let mut left = self.value(first)?;
        for (comparison, term) in rest {
            let right = self.value(term)?;
            let span = start..term.span.end;
            if !compare::compare(*comparison, &left, &right, &mut self.fuel).map_err(|fault| fault.at(&span))? {
                return Ok(truth(false));
            }
            start = term.span.start;
            left = right;
        }
        Ok(truth(true))
    }
}

/// What a key asks a value for.
enum Wanted<'e> {
    Member(&'e str),
    Element(Cow<'e, Value>),
}

impl Wanted<'_> {
    fn find_in<'v>(&self, value: &'v Value) -> Result<Option<&'v Value>, Fault> {
        match self {
            Wanted::Member(name) => Ok(value.get(name)),
            Wanted::Element(index) => compare::element(value, index),
        }
    }
}

fn truth<'e>(holds: bool) -> Cow<'e, Value> {
    Cow::Owned(Value::Bool(holds))
}
