//! What files a log consists of, counted without reading them.

use std::sync::Arc;

use super::directory::{Home, index_name, segment_name};
use super::error::Error;
use super::storage::{Access, Storage};

/// The files of a log by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// Segments there are.
    pub(crate) segments: u64,
    /// Bytes of their files.
    pub(crate) segment_bytes: u64,
    /// Sealed segments that have an index.
    pub(crate) indexes: u64,
    /// Bytes of the indexes.
    pub(crate) index_bytes: u64,
}

/// Counts the files of the log in this storage.
///
/// # Errors
///
/// `Io`.
pub(crate) fn inventory(storage: Arc<dyn Storage>) -> Result<Inventory, Error> {
    let home = Home::new(storage);
    let listing = home.list()?;
    let bytes = |name: String| match home.open_if_there(&name, Access::Read)? {
        Some(file) => file.length(),
        None => Ok(0),
    };
    let mut inventory = Inventory {
        segments: listing.segments.len() as u64,
        indexes: listing.indexes.len() as u64,
        ..Inventory::default()
    };
    for number in &listing.segments {
        inventory.segment_bytes += bytes(segment_name(*number))?;
    }
    for number in &listing.indexes {
        inventory.index_bytes += bytes(index_name(*number))?;
    }
    Ok(inventory)
}
