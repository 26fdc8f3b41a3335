//! The index of live streams: whatever becomes of it, the log answers the same (17, 30, 39 to 41).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::event::Event;
use crate::ids::{Sequence, StreamId, WorkflowId};
use crate::log::Options;
use crate::store::{Append, Appended, Encoded, EventStore, Expected, LocalStore};
use crate::testing::dice::Dice;
use crate::testing::examples;
use crate::time::Timestamp;

fn options(opened: u64) -> Options {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&opened.to_le_bytes());
    let bytes = 16 * 1024;
    Options { segment_bytes_first: bytes, segment_bytes_max: bytes, ..Options::new(seed, now(), 1) }
}

fn now() -> Timestamp {
    Timestamp::from_microseconds(1)
}

fn stream(number: u64) -> StreamId {
    StreamId::workflow(WorkflowId::from_parts(now(), u128::from(number) + 1))
}

/// Some event that leaves its workflow open, ends it, or comes too late to do either.
fn event(kind: u16) -> Event {
    examples::events().into_iter().find(|event| event.kind() == kind).unwrap()
}

/// What must be in a log.
#[derive(Default)]
struct Model {
    opened: u64,
    lasts: Vec<u64>,
    live: BTreeSet<u64>,
}

impl Model {
    fn open(&mut self, directory: &Path) -> LocalStore {
        self.opened += 1;
        LocalStore::open(directory, &options(self.opened)).unwrap()
    }

    /// Begins workflows, goes on with some, ends some; no upkeep ever runs.
    fn work(&mut self, store: &LocalStore, dice: &mut Dice, count: u64) {
        let mut writer = store.writer().unwrap();
        for _ in 0..count {
            let number = dice.below(self.lasts.len() as u64 + 2).min(self.lasts.len() as u64);
            let is_new = number == self.lasts.len() as u64;
            if is_new {
                self.lasts.push(0);
            }
            let is_live = self.live.contains(&number);
            let kind = match dice.below(6) {
                _ if is_new => 2,
                _ if !is_live => 7,
                0 | 1 => 11,
                _ => 5,
            };
            let last = &mut self.lasts[number as usize];
            let expected = Sequence::new(*last).map_or(Expected::Empty, Expected::Last);
            let append = Append::new(stream(number), expected, now(), vec![Encoded::of(&event(kind))]).unwrap();
            let answers = writer.write(vec![append]).unwrap();
            *last += 1;
            let Appended::Accepted { sequence, .. } = answers[0] else { panic!("{answers:?}") };
            assert_eq!(sequence.get(), *last, "no sequence twice, none left out");
            writer.sync().unwrap();
            match kind {
                11 => drop(self.live.remove(&number)),
                7 => {}
                _ => drop(self.live.insert(number)),
            }
        }
        writer.close().unwrap();
    }

    /// Every workflow that is open is told, and of the index no other.
    fn check(&self, store: &LocalStore) {
        let found: BTreeSet<StreamId> = store.live_streams().unwrap().into_iter().collect();
        let due: BTreeSet<StreamId> = self.live.iter().map(|number| stream(*number)).collect();
        assert!(due.is_subset(&found));
        for (number, last) in self.lasts.iter().enumerate() {
            assert_eq!(store.last(stream(number as u64)).unwrap().map(Sequence::get), Some(*last));
        }
    }

    fn check_exactly(&self, store: &LocalStore) {
        self.check(store);
        assert_eq!(store.live_streams().unwrap().len(), self.live.len(), "only those that are open are told");
    }
}

/// A log with an index that knows all of it.
fn indexed(directory: &Path) -> Model {
    let mut model = Model::default();
    let store = model.open(directory);
    model.work(&store, &mut Dice::new(1), 250);
    model.check_exactly(&store);
    drop(store);
    assert!(directory.join("index").is_dir());
    model
}

#[test]
fn test_30_where_streams_end_is_known_also_if_nobody_ever_looks_after_anything() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    for seed in 0..4 {
        let store = model.open(directory.path());
        model.work(&store, &mut Dice::new(seed), 80);
        model.check(&store);
    }
}

#[test]
fn a_short_log_has_no_index() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    let store = model.open(directory.path());
    model.work(&store, &mut Dice::new(1), 5);
    model.check(&store);
    assert!(!directory.path().join("index").exists());
}

#[test]
fn test_39_and_40_an_index_that_is_gone_old_damaged_or_in_use_is_made_again() {
    type Harm = fn(&Path);
    let harms: [Harm; 5] = [
        |_| (),
        |index| fs::remove_dir_all(index).unwrap(),
        |index| {
            for entry in fs::read_dir(index).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::write(path, [0xa5; 5_000]).unwrap();
                }
            }
        },
        |index| {
            fs::remove_dir_all(index).unwrap();
            fs::write(index, "not a directory").unwrap();
        },
        |index| {
            fs::remove_dir_all(index).unwrap();
            fs::create_dir(index).unwrap();
        },
    ];
    for harm in harms {
        let directory = tempfile::tempdir().unwrap();
        let mut model = indexed(directory.path());
        let index = directory.path().join("index");
        let old = directory.path().join("old");
        let copied = std::process::Command::new("cp").arg("-r").arg(&index).arg(&old).status().unwrap();
        assert!(copied.success());
        harm(&index);
        let store = model.open(directory.path());
        model.check(&store);
        model.work(&store, &mut Dice::new(2), 60);
        model.check(&store);
        drop(store);
        // An older one is brought up to date.
        if index.is_dir() {
            fs::remove_dir_all(&index).unwrap();
        } else {
            fs::remove_file(&index).unwrap();
        }
        fs::rename(&old, &index).unwrap();
        let store = model.open(directory.path());
        model.check_exactly(&store);
        model.work(&store, &mut Dice::new(3), 20);
        model.check_exactly(&store);
    }
}

#[test]
fn test_40_an_index_of_another_log_is_moved_aside_and_one_that_has_seen_more_is_evidence() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = indexed(directory.path());
    let foreign = tempfile::tempdir().unwrap();
    let mut other = Model { opened: 70, ..Model::default() };
    let store = other.open(foreign.path());
    other.work(&store, &mut Dice::new(9), 300);
    other.check_exactly(&store);
    drop(store);
    let index = directory.path().join("index");
    fs::rename(&index, directory.path().join("own")).unwrap();
    fs::rename(foreign.path().join("index"), &index).unwrap();
    let store = model.open(directory.path());
    model.check_exactly(&store);
    drop(store);
    assert!(directory.path().join("set-aside/index").is_dir());

    // The log as it was, and the index of what came after.
    let log = directory.path().join("log");
    let copied = std::process::Command::new("cp").arg("-r").arg(&log).arg(directory.path().join("before")).status();
    assert!(copied.unwrap().success());
    let store = model.open(directory.path());
    model.work(&store, &mut Dice::new(4), 30);
    model.check_exactly(&store);
    drop(store);
    fs::remove_dir_all(&log).unwrap();
    fs::rename(directory.path().join("before"), &log).unwrap();
    fs::remove_file(directory.path().join("WATERMARK")).unwrap();
    let error = LocalStore::open(directory.path(), &options(99)).map(drop).unwrap_err();
    assert!(error.is_damage(), "{error}");
    fs::remove_dir_all(&log).unwrap();
    let error = LocalStore::open(directory.path(), &options(99)).map(drop).unwrap_err();
    assert!(error.is_damage(), "{error}");
    assert!(!log.exists() || fs::read_dir(&log).unwrap().next().is_none(), "nothing is made where something was");
}

#[test]
fn test_40a_and_41_an_index_of_an_earlier_start_of_the_machine_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = indexed(directory.path());
    crate::store::live::forge_boot(&directory.path().join("index"));
    let store = model.open(directory.path());
    model.check_exactly(&store);
    assert!(directory.path().join("set-aside/index").is_dir());
}
