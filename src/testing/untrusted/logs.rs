//! Logs with bytes in them that nobody wrote.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

use super::Draws;
use crate::event::Recorded;
use crate::ids::{Position, StreamId};
use crate::store::{Append, Encoded, Error, EventStore, Expected};
use crate::testing::{examples, stores};
use crate::time::Timestamp;

/// Events in the log that is harmed.
const N_EVENTS: usize = 12;

/// Puts the bytes into the files of a log, reads it without its lock, and opens it. Whoever gets in sees a prefix of
/// what was written, and can go on writing behind it; everybody else gets an error.
///
/// # Panics
///
/// If anything else is seen, or if the folder for temporary files cannot be used.
pub fn log_recover(bytes: &[u8]) {
    let folder = Folder::new();
    let written = write(&folder.0);
    harm(&folder.0, &mut Draws::new(bytes));
    if let Ok(store) = stores::local_reader(&folder.0) {
        check_prefix(&written, &*store);
    }
    if let Ok(store) = stores::local(&folder.0) {
        let kept = check_prefix(&written, &*store);
        go_on(&*store, kept);
    }
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Folder(env::temp_dir().join(format!("stabilize-untrusted-{}-{number}", process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is rubbish in a folder for rubbish.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stream() -> StreamId {
    StreamId::from_bytes([7; 16])
}

fn write(folder: &Path) -> Vec<Recorded> {
    let store = stores::local(folder).expect("a folder of its own takes a log");
    let mut writer = store.writer().expect("nobody else writes");
    for events in examples::events()[..N_EVENTS].chunks(3) {
        append(&mut *writer, events);
    }
    writer.close().expect("a log that was written is closed");
    store.read_all(Position::FIRST, N_EVENTS).expect("what was written is read")
}

fn append(writer: &mut dyn crate::store::StoreWriter, events: &[crate::event::Event]) {
    let encoded = events.iter().map(Encoded::of).collect();
    let now = Timestamp::from_microseconds(1_777_636_800_000_000);
    let append = Append::new(stream(), Expected::Any, now, encoded).expect("the examples are small");
    stores::append(writer, append).expect("a log that was opened is written");
}

/// Changes files: which, where, and to what, the bytes say.
fn harm(folder: &Path, draws: &mut Draws<'_>) {
    let mut files = Vec::new();
    list(folder, &mut files);
    files.sort();
    while !draws.is_empty() {
        let path = &files[draws.below(files.len())];
        let way = draws.below(4);
        let place = usize::from(draws.short());
        let length = draws.below(32);
        let bytes = draws.take(length);
        let mut content = fs::read(path).unwrap_or_default();
        match way {
            0 => content.truncate(place),
            1 => drop(fs::remove_file(path)),
            _ => {
                let place = place.min(content.len());
                let end = (place + bytes.len()).min(content.len());
                content[place..end].copy_from_slice(&bytes[..end - place]);
            }
        }
        if way != 1 {
            // A file that another change made unwritable stays as it is.
            let _ = fs::write(path, content);
        }
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of its own is listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// How many of the events that were written `store` shows; no others, and none before a missing one.
fn check_prefix(written: &[Recorded], store: &dyn EventStore) -> usize {
    let mut seen: Vec<Recorded> = Vec::new();
    loop {
        let from = Position::new(seen.len() as u64 + 1).expect("positions begin at 1");
        match store.read_all(from, N_EVENTS) {
            Ok(events) if events.is_empty() => break,
            Ok(events) => seen.extend(events),
            Err(error) => return stopped(&error, &seen, written),
        }
    }
    assert_eq!(seen[..], written[..seen.len().min(written.len())], "an event was read that was not written");
    seen.len()
}

fn stopped(error: &Error, seen: &[Recorded], written: &[Recorded]) -> usize {
    assert!(!error.to_string().is_empty(), "an error says nothing");
    assert_eq!(*seen, written[..seen.len()], "an event was read that was not written");
    seen.len()
}

fn go_on(store: &dyn EventStore, kept: usize) {
    let Ok(mut writer) = store.writer() else { return };
    let behind = Position::new(kept as u64 + 1).expect("positions begin at 1");
    if store.durable() != behind {
        return;
    }
    append(&mut *writer, &examples::events()[..1]);
    let last = store.read_all(behind, 2).expect("what was just written is read");
    assert_eq!(last.len(), 1, "one event was written");
    assert_eq!(last[0].event, examples::events()[0], "another event was written");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_harmed_log_is_a_prefix_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            log_recover(&bytes);
        }
    }

    #[test]
    fn an_unharmed_log_is_whole() {
        let folder = Folder::new();
        let written = write(&folder.0);
        let store = stores::local(&folder.0).unwrap();
        assert_eq!((written.len(), check_prefix(&written, &*store)), (N_EVENTS, N_EVENTS));
        log_recover(&[]);
    }
}
