//! Every store of this engine, and a user's own, passes one suite.

use stabilize::testing::conformance::{conformance, conformance_of_reopening};
use stabilize::testing::stores::{local, memory, reopening_memory};
use tempfile::TempDir;

#[test]
fn the_store_in_memory_passes() {
    conformance(&mut memory);
    conformance_of_reopening(&mut reopening_memory);
}

#[test]
fn the_store_on_this_disk_passes() {
    let mut directories = Vec::new();
    conformance(&mut || {
        let directory = TempDir::new().unwrap();
        let store = local(directory.path()).unwrap();
        directories.push(directory);
        store
    });
}

#[test]
fn the_store_on_this_disk_passes_when_it_is_opened_again() {
    conformance_of_reopening(&mut || {
        let directory = TempDir::new().unwrap();
        Box::new(move || local(directory.path()).unwrap())
    });
}
