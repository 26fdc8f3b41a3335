//! From Rust values to values, by their serde implementation, and values to any format. As JSON would hold them.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{Map, Value, ValueError};
use crate::limits::DEPTH_MAX;

/// The value `value` stands for.
pub(super) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    value.serialize(ToValue { levels: DEPTH_MAX })
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Integer(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => serializer.serialize_i64(number),
                (_, Ok(number)) => serializer.serialize_u64(number),
                (Err(_), Err(_)) => serializer.serialize_i128(*number),
            },
            Value::Real(number) => serializer.serialize_f64(number.get()),
            Value::String(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items),
            Value::Map(entries) => serializer.collect_map(entries),
        }
    }
}

#[derive(Clone, Copy)]
struct ToValue {
    /// How many lists and maps may still be opened here, one inside the other.
    levels: usize,
}

impl ToValue {
    fn inner(self) -> Result<ToValue, ValueError> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(ToValue { levels }),
            None => Err(ValueError::too_deep(None)),
        }
    }

    /// A list to be filled, as the only entry of a map if it is that of a `variant`.
    fn list(self, variant: Option<&'static str>) -> Result<Items, ValueError> {
        let outer = if variant.is_some() { self.inner()? } else { self };
        Ok(Items { inner: outer.inner()?, items: Vec::new(), variant })
    }

    fn map(self, variant: Option<&'static str>) -> Result<Entries, ValueError> {
        let outer = if variant.is_some() { self.inner()? } else { self };
        Ok(Entries { inner: outer.inner()?, entries: Map::new(), key: None, variant })
    }
}

/// A value of an enum is a map from the variant's name to what it holds.
fn in_variant(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Map(Map::from([(name.to_owned(), value)])),
        None => value,
    }
}

macro_rules! serialize_integers {
    ($($method:ident: $integer:ty),+) => {
        $(fn $method(self, number: $integer) -> Result<Value, ValueError> {
            Ok(Value::from(number))
        })+
    };
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    serialize_integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_u128(self, number: u128) -> Result<Value, ValueError> {
        let too_large = |_| ValueError::IntegerTooLarge { path: String::new(), offset: None };
        i128::try_from(number).map(Value::Integer).map_err(too_large)
    }

    fn serialize_bool(self, value: bool) -> Result<Value, ValueError> {
        Ok(Value::Bool(value))
    }

    fn serialize_f32(self, number: f32) -> Result<Value, ValueError> {
        // By its own shortest digits, as a JSON writer would: 0.1_f32 is 0.1 and not 0.10000000149011612.
        match number.to_string().parse::<f64>() {
            Ok(number) => Value::try_from(number),
            Err(_) => Value::try_from(f64::from(number)),
        }
    }

    fn serialize_f64(self, number: f64) -> Result<Value, ValueError> {
        Value::try_from(number)
    }

    fn serialize_char(self, letter: char) -> Result<Value, ValueError> {
        Ok(Value::String(letter.to_string()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, ValueError> {
        Ok(Value::from(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, ValueError> {
        Ok(Value::list(bytes.iter().copied()))
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, ValueError> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        let held = value.serialize(self.inner()?).map_err(|error| error.inside_key(variant))?;
        Ok(in_variant(Some(variant), held))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Items, ValueError> {
        self.list(None)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Items, ValueError> {
        self.list(None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Items, ValueError> {
        self.list(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Items, ValueError> {
        self.list(Some(variant))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Entries, ValueError> {
        self.map(None)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Entries, ValueError> {
        self.map(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Entries, ValueError> {
        self.map(Some(variant))
    }
}

struct Items {
    inner: ToValue,
    items: Vec<Value>,
    variant: Option<&'static str>,
}

macro_rules! serialize_items {
    ($($part:ident $method:ident),+) => {
        $(impl $part for Items {
            type Ok = Value;
            type Error = ValueError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ValueError> {
                let item = item.serialize(self.inner).map_err(|error| {
                    let error = error.inside_index(self.items.len());
                    if let Some(variant) = self.variant { error.inside_key(variant) } else { error }
                })?;
                self.items.push(item);
                Ok(())
            }

            fn end(self) -> Result<Value, ValueError> {
                Ok(in_variant(self.variant, Value::List(self.items)))
            }
        })+
    };
}

serialize_items! {
    SerializeSeq serialize_element, SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field
}

struct Entries {
    inner: ToValue,
    entries: Map,
    /// The key whose value comes next.
    key: Option<String>,
    variant: Option<&'static str>,
}

impl Entries {
    fn insert<T: Serialize + ?Sized>(&mut self, key: String, entry: &T) -> Result<(), ValueError> {
        let entry = entry.serialize(self.inner).map_err(|error| {
            let error = error.inside_key(&key);
            if let Some(variant) = self.variant { error.inside_key(variant) } else { error }
        })?;
        self.entries.insert(key, entry);
        Ok(())
    }
}

impl SerializeMap for Entries {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(match key.serialize(self.inner)? {
            Value::String(key) => key,
            Value::Integer(key) => key.to_string(),
            Value::Bool(key) => key.to_string(),
            key @ (Value::Null | Value::Real(_) | Value::List(_) | Value::Map(_)) => {
                let reason = format!("a key of a map is a string, not a value of kind {}", key.kind());
                return Err(ValueError::Mismatch { reason, path: String::new() });
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, entry: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| ValueError::custom("a value of a map without its key"))?;
        self.insert(key, entry)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(in_variant(self.variant, Value::Map(self.entries)))
    }
}

macro_rules! serialize_fields {
    ($($part:ident),+) => {
        $(impl $part for Entries {
            type Ok = Value;
            type Error = ValueError;

            fn serialize_field<T>(&mut self, key: &'static str, entry: &T) -> Result<(), ValueError>
            where
                T: Serialize + ?Sized,
            {
                self.insert(key.to_owned(), entry)
            }

            fn end(self) -> Result<Value, ValueError> {
                SerializeMap::end(self)
            }
        })+
    };
}

serialize_fields! { SerializeStruct, SerializeStructVariant }
