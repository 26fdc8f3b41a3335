//! Data carried by definitions, events and expressions: ordered, free of NaN, with one canonical JSON text.
//!
//! Canonical JSON is this project's own (R19): integers of 128 bits, reals in shortest ECMAScript form, keys in byte
//! order of UTF-8. Two values are equal exactly when their canonical texts are.

mod canonical;
mod convert;
mod deserialize;
mod error;
mod json;
mod merge;
mod serialize;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

pub use error::ValueError;
pub(crate) use merge::merge_into;

use crate::limits;

/// A map from names to values, in byte order of the names.
pub type Map = BTreeMap<String, Value>;

/// One value. `Display` and `Debug` both print its canonical JSON.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A finite number that is not a whole number below 2^53 in size; those are integers.
    Real(Real),
    /// Text.
    String(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(Map),
}

/// A finite number that `Value` does not hold as an integer: neither NaN nor infinite nor whole and below 2^53 in size.
#[derive(Clone, Copy, PartialEq)]
pub struct Real(f64);

/// Lawful because a `Real` is never NaN.
impl Eq for Real {}

impl Real {
    /// The size from which on an `f64` no longer tells neighbouring whole numbers apart; below, it is an integer.
    const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;

    /// This number as a real, unless it is NaN, infinite, or a whole number below 2^53 in size (an integer).
    pub fn new(number: f64) -> Option<Real> {
        let whole = number.fract() == 0.0 && number.abs() < Real::WHOLE_BELOW;
        (number.is_finite() && !whole).then_some(Real(number))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A number to compare with others; a whole `Real` counts as the whole number it is.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    /// A whole number.
    Integer(i128),
    /// Any other.
    Real(Real),
}

/// Compares two numbers by what they are worth, without rounding.
pub(crate) fn compare_numbers(left: Number, right: Number) -> Ordering {
    match (left, right) {
        (Number::Integer(left), Number::Integer(right)) => left.cmp(&right),
        (Number::Real(left), Number::Real(right)) => left.0.partial_cmp(&right.0).expect("a real is never NaN"),
        (Number::Integer(left), Number::Real(right)) => compare_with_real(left, right.0),
        (Number::Real(left), Number::Integer(right)) => compare_with_real(right, left.0).reverse(),
    }
}

fn compare_with_real(integer: i128, real: f64) -> Ordering {
    // 2^127 is the first number above every i128; both bounds are exact in f64, and so is truncation between them.
    const ABOVE: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if real >= ABOVE {
        return Ordering::Less;
    }
    if real < -ABOVE {
        return Ordering::Greater;
    }
    let rest = 0.0_f64.partial_cmp(&real.fract()).expect("a real is never NaN");
    integer.cmp(&(real.trunc() as i128)).then(rest)
}

impl Value {
    /// A number in its one form: an integer if it is whole and below 2^53 in size, else a real. None if not finite.
    pub fn number(number: f64) -> Option<Value> {
        match Real::new(number) {
            Some(real) => Some(Value::Real(real)),
            None => number.is_finite().then_some(Value::Integer(number as i128)),
        }
    }

    /// A list of these values.
    pub fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }

    /// A map of these entries; of entries with one key the last wins.
    pub fn map<K: Into<String>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Value {
        Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The value a JSON text stands for. Of a repeated key the last entry counts.
    ///
    /// # Errors
    ///
    /// Text that is not JSON, an integer beyond 128 bits, a real beyond `f64`, a lone surrogate, nesting deeper
    /// than 128; each with its path and byte offset.
    pub fn from_json(text: &str) -> Result<Value, ValueError> {
        json::parse(text, json::Repeats::LastWins)
    }

    /// As [`Value::from_json`], and a repeated key is an error too: a person wrote this and meant one of them.
    ///
    /// # Errors
    ///
    /// Those of [`Value::from_json`], and a key that occurs twice in one map.
    pub(crate) fn from_json_strict(text: &str) -> Result<Value, ValueError> {
        json::parse(text, json::Repeats::Refused)
    }

    /// The canonical JSON text of this value, without blanks. Equal values have equal texts.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        canonical::write_value(&mut text, self);
        text
    }

    /// What kind of value this is: `null`, `boolean`, `integer`, `number`, `string`, `list` or `map`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Integer(_) => "integer",
            Value::Real(_) => "number",
            Value::String(_) => "string",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether a condition with this result holds: all but null, false, zero, and empty text, list and map.
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Integer(value) => *value != 0,
            Value::Real(_) => true,
            Value::String(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Map(entries) => !entries.is_empty(),
        }
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    /// The whole number, if this is one.
    pub fn as_integer(&self) -> Option<i128> {
        if let Value::Integer(value) = self { Some(*value) } else { None }
    }

    /// The nearest `f64`, if this is a number of any kind.
    pub fn as_f64(&self) -> Option<f64> {
        match self.as_number()? {
            Number::Integer(value) => Some(value as f64),
            Number::Real(value) => Some(value.0),
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(items) = self { Some(items) } else { None }
    }

    /// The entries, if this is a map.
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(entries) = self { Some(entries) } else { None }
    }

    /// The entry with this key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The number, if this is one of any kind; true and false are none.
    pub(crate) fn as_number(&self) -> Option<Number> {
        match self {
            Value::Integer(value) => Some(Number::Integer(*value)),
            Value::Real(value) => Some(Number::Real(*value)),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether this value is nested no deeper than what can be read back from its text.
    ///
    /// # Errors
    ///
    /// [`ValueError::TooDeep`]; reading JSON never gives such a value, building one by hand may.
    pub(crate) fn check_depth(&self) -> Result<(), ValueError> {
        fn fits(value: &Value, left: usize) -> bool {
            match value {
                Value::List(items) => left > 0 && items.iter().all(|item| fits(item, left - 1)),
                Value::Map(entries) => left > 0 && entries.values().all(|entry| fits(entry, left - 1)),
                Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) | Value::String(_) => true,
            }
        }
        if fits(self, limits::DEPTH_MAX) { Ok(()) } else { Err(ValueError::too_deep(None)) }
    }
}
