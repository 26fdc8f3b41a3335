//! Dynamic data inside an event: a map as canonical JSON text, made once and parsed when somebody needs it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::{Map, Value, ValueError};

/// A map as canonical JSON text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Json(Arc<str>);

impl Json {
    /// The text of this map.
    pub fn of(map: &Map) -> Json {
        if map.is_empty() { Json::empty() } else { Json(Value::Map(map.clone()).to_json().into()) }
    }

    /// The text of the map without entries.
    pub fn empty() -> Json {
        Json("{}".into())
    }

    /// Does the map have no entries?
    pub fn is_empty(&self) -> bool {
        &*self.0 == "{}"
    }

    /// The canonical JSON.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The map.
    ///
    /// # Errors
    ///
    /// If the text is not the JSON of a map, which happens only with events that this library did not write.
    pub fn to_map(&self) -> Result<Map, ValueError> {
        match Value::from_json(&self.0)? {
            Value::Map(map) => Ok(map),
            other => Err(ValueError::Mismatch { path: String::new(), reason: format!("a {} is no map", other.kind()) }),
        }
    }
}

impl Default for Json {
    fn default() -> Json {
        Json::empty()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
