//! What comparisons, `in`, `is` and indices mean for two values. Python's meaning, but for `is`.

use std::cmp::Ordering;
use std::ops::Range;

use super::error::{ExpressionError, ExpressionErrorKind};
use super::evaluate::Fuel;
use super::term::Comparison;
use crate::value::{Number, Value, compare_numbers};

/// Why an operation has no result; the caller knows where in the text it stands.
#[derive(Debug)]
pub(super) enum Fault {
    OutOfFuel,
    Mismatch(String),
}

impl Fault {
    pub(super) fn at(self, span: &Range<usize>) -> ExpressionError {
        let (kind, message) = match self {
            Fault::OutOfFuel => (ExpressionErrorKind::OutOfFuel, "evaluation has used up its fuel".to_owned()),
            Fault::Mismatch(message) => (ExpressionErrorKind::TypeMismatch, message),
        };
        ExpressionError::new(kind, span.clone(), message)
    }
}

/// Whether the comparison holds.
pub(super) fn compare(comparison: Comparison, left: &Value, right: &Value, fuel: &mut Fuel) -> Result<bool, Fault> {
    let symbol = comparison.symbol();
    match comparison {
        Comparison::Equal => equal(left, right, fuel),
        Comparison::NotEqual => Ok(!equal(left, right, fuel)?),
        Comparison::Less => Ok(order(symbol, left, right, fuel)?.is_lt()),
        Comparison::LessOrEqual => Ok(order(symbol, left, right, fuel)?.is_le()),
        Comparison::Greater => Ok(order(symbol, left, right, fuel)?.is_gt()),
        Comparison::GreaterOrEqual => Ok(order(symbol, left, right, fuel)?.is_ge()),
        Comparison::In => contains(symbol, right, left, fuel),
        Comparison::NotIn => Ok(!contains(symbol, right, left, fuel)?),
        Comparison::Is => identical(left, right, fuel),
        Comparison::IsNot => Ok(!identical(left, right, fuel)?),
    }
}

/// The number a value counts as: true is 1 and false is 0.
fn numeric(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(value) => Some(Number::Integer(i128::from(*value))),
        _ => value.as_number(),
    }
}

fn equal(left: &Value, right: &Value, fuel: &mut Fuel) -> Result<bool, Fault> {
    fuel.burn(1)?;
    if let (Some(left), Some(right)) = (numeric(left), numeric(right)) {
        return Ok(compare_numbers(left, right).is_eq());
    }
    match (left, right) {
        (Value::Null, Value::Null) => Ok(true),
        (Value::String(left), Value::String(right)) => {
            fuel.burn_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            all(left.iter().zip(right), |(left, right)| equal(left, right, fuel))
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            // Both are in the order of their keys.
            all(left.iter().zip(right), |((left_key, left), (right_key, right))| {
                fuel.burn_text(left_key.len().min(right_key.len()))?;
                Ok(left_key == right_key && equal(left, right, fuel)?)
            })
        }
        _ => Ok(false),
    }
}

fn all<T>(items: impl Iterator<Item = T>, mut holds: impl FnMut(T) -> Result<bool, Fault>) -> Result<bool, Fault> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Values have no addresses, so identity is being the same value: equal, and of the same kind all through.
fn identical(left: &Value, right: &Value, fuel: &mut Fuel) -> Result<bool, Fault> {
    // Pays for the walk; the comparison itself is that of values, whose equality is that of their canonical texts.
    Ok(equal(left, right, fuel)? && left == right)
}

fn order(symbol: &str, left: &Value, right: &Value, fuel: &mut Fuel) -> Result<Ordering, Fault> {
    fuel.burn(1)?;
    if let (Some(left), Some(right)) = (numeric(left), numeric(right)) {
        return Ok(compare_numbers(left, right));
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            fuel.burn_text(left.len().min(right.len()))?;
            // Byte order of UTF-8 is the order of code points, which is Python's.
            Ok(left.cmp(right))
        }
        (Value::List(left), Value::List(right)) => {
            for (left, right) in left.iter().zip(right) {
                if !equal(left, right, fuel)? {
                    return order(symbol, left, right, fuel);
                }
            }
            Ok(left.len().cmp(&right.len()))
        }
        _ => Err(Fault::Mismatch(format!("`{symbol}` does not apply to {} and {}", left.kind(), right.kind()))),
    }
}

fn contains(symbol: &str, whole: &Value, part: &Value, fuel: &mut Fuel) -> Result<bool, Fault> {
    match (whole, part) {
        (Value::List(items), _) => Ok(!all(items.iter(), |item| Ok(!equal(item, part, fuel)?))?),
        (Value::Map(entries), Value::String(key)) => {
            fuel.burn_text(key.len())?;
            Ok(entries.contains_key(key))
        }
        // A key of another kind is in no map; a list or map cannot be a key at all.
        (Value::Map(_), Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_)) => Ok(false),
        (Value::String(text), Value::String(part)) => {
            fuel.burn_text(text.len() + part.len())?;
            Ok(text.contains(part.as_str()))
        }
        _ => Err(Fault::Mismatch(format!("`{symbol}` does not apply to {} and {}", part.kind(), whole.kind()))),
    }
}

/// The element of `value` at `index`, if it has it.
pub(super) fn element<'v>(value: &'v Value, index: &Value) -> Result<Option<&'v Value>, Fault> {
    match (value, index) {
        (Value::Map(_), Value::List(_) | Value::Map(_)) => {
            Err(Fault::Mismatch(format!("a key of a map is a string, not a {}", index.kind())))
        }
        (Value::Map(entries), Value::String(key)) => Ok(entries.get(key)),
        (Value::List(items), Value::Bool(index)) => Ok(items.get(usize::from(*index))),
        (Value::List(items), Value::Integer(index)) => {
            let from_end = if *index < 0 { items.len() as i128 } else { 0 };
            let place = index.checked_add(from_end).and_then(|place| usize::try_from(place).ok());
            Ok(place.and_then(|place| items.get(place)))
        }
        _ => Ok(None),
    }
}
