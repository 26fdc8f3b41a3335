//! Data carried by definitions, events and expressions: ordered, free of NaN, with one canonical JSON text.
//!
//! Canonical JSON is this project's own (R19): integers of 128 bits, reals in shortest ECMAScript form, keys in byte
//! order of UTF-8. Equal values have equal texts.

use std::collections::BTreeMap;

/// A map from names to values, in byte order of the names.
pub type Map = BTreeMap<String, Value>;

/// One value.
#[derive(Clone, PartialEq)]
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

/// A finite number that `Value` does not hold as an integer.
#[derive(Clone, Copy, PartialEq)]
pub struct Real(f64);
