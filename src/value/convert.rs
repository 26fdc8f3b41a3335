//! Rust values to values and back: `From`, and any type by its serde implementation.

use serde::{Deserialize, Serialize};

use super::deserialize::FromValue;
use super::{Map, Value, ValueError, serialize};

macro_rules! from_integer {
    ($($integer:ty),+) => {
        $(impl From<$integer> for Value {
            fn from(number: $integer) -> Value {
                Value::Integer(number as i128)
            }
        })+
    };
}

from_integer!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, usize);

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

impl From<Map> for Value {
    fn from(entries: Map) -> Value {
        Value::Map(entries)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::list(items)
    }
}

impl<T: Into<Value>, const COUNT: usize> From<[T; COUNT]> for Value {
    fn from(items: [T; COUNT]) -> Value {
        Value::list(items)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl TryFrom<f64> for Value {
    type Error = ValueError;

    fn try_from(number: f64) -> Result<Value, ValueError> {
        Value::number(number).ok_or(ValueError::NotFinite { path: String::new() })
    }
}

impl Value {
    /// The value a Rust value stands for, by its serde implementation and as JSON would hold it: variants of enums by
    /// name, bytes as lists of integers.
    ///
    /// # Errors
    ///
    /// What has no form in JSON (NaN, or a map whose keys are lists), or is beyond the limits of [`Value::from_json`].
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
        serialize::to_value(value)
    }

    /// The Rust value this value stands for, by the serde implementation of its type.
    ///
    /// # Errors
    ///
    /// A value that is not of this type, with the path to what does not fit.
    pub fn deserialize<'v, T: Deserialize<'v>>(&'v self) -> Result<T, ValueError> {
        T::deserialize(FromValue(self))
    }
}
