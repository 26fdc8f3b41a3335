//! How maps of values stand in the stored part of a state: as canonical JSON text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::event::Json;
use crate::value::Map;

pub(super) fn serialize<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
    Json::of(map).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
    Json::deserialize(deserializer)?.to_map().map_err(de::Error::custom)
}

/// The same for a shared map.
pub(super) mod shared {
    use std::sync::Arc;

    use serde::{Deserializer, Serializer};

    use crate::value::Map;

    pub(in crate::machine) fn serialize<S: Serializer>(map: &Arc<Map>, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(map, serializer)
    }

    pub(in crate::machine) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Map>, D::Error> {
        super::deserialize(deserializer).map(Arc::new)
    }
}
