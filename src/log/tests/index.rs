//! What follows the sealing of a segment, and reading by its index (7, 8, 17, 35, 39, 42, 50).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::crash::{after_crash, go_on, script};
use super::model::{Entry, Model, Session, any_group, events, frames, long, options, stream, visible};
use super::seam::{Between, seam};
use crate::ids::{Sequence, StreamId};
use crate::log::segment::{Header, SegmentNumber};
use crate::log::{Damage, Error, Expected, Log, Reader, Record, verify};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, Fate, Fault, Operation, Request};

fn names(disk: &Disk, suffix: &str) -> Vec<String> {
    disk.tree().into_keys().filter(|name| name.ends_with(suffix)).collect()
}

/// A log of several sealed segments nobody has looked after, one of them with a torn end.
fn untended(seed: u64) -> (Disk, Model) {
    let disk = Disk::new(seed);
    let mut model = Model::default();
    script(&disk, &mut model).unwrap();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(1), &[900, 900]))]).unwrap();
    disk.cut_power_with(|name, index, _| if name.ends_with(".seg") && index > 1 { Fate::Old } else { Fate::New });
    drop(Session::open(&disk, &mut model).unwrap());
    disk.kill();
    for name in disk.tree().into_keys() {
        disk.edit(&name, |_| ());
    }
    (disk, model)
}

/// What lies behind the end of each sealed segment, up to its last byte that is not zero.
fn torn_rests(disk: &Disk) -> BTreeMap<String, Vec<u8>> {
    let tree = disk.tree();
    let mut rests = BTreeMap::new();
    for (name, bytes) in tree.iter().filter(|(name, _)| name.ends_with(".seg")) {
        let number = Header::decode(bytes).unwrap().number;
        let Some(successor) = tree.get(&format!("log/{:010}.seg", number.next().get())) else { continue };
        let end = Header::decode(successor).unwrap().previous.unwrap().end.get() as usize;
        let behind = bytes[end..].iter().rposition(|byte| *byte != 0);
        if let Some(last) = behind {
            rests.insert(format!("set-aside/{:010}-{end}.bytes", number.get()), bytes[end..=end + last].to_vec());
        }
        assert!(name.contains(&format!("{:010}", number.get())));
    }
    rests
}

/// All is looked after: files end where their segments do, indexes are those of their segments, rests are kept.
fn check_tended(disk: &Disk, rests: &BTreeMap<String, Vec<u8>>) {
    let tree = disk.tree();
    let segments = names(disk, ".seg");
    for pair in segments.windows(2) {
        let end = Header::decode(&tree[&pair[1]]).unwrap().previous.unwrap().end.get();
        assert_eq!(tree[&pair[0]].len() as u64, end, "{} is cut to its end", pair[0]);
        assert!(tree.contains_key(&pair[0].replace(".seg", ".idx")), "{} has an index", pair[0]);
    }
    assert_eq!(names(disk, ".idx").len() + 1, segments.len());
    assert!(names(disk, ".tmp").is_empty());
    for (name, rest) in rests {
        assert_eq!(tree.get(name), Some(rest), "{name}");
    }
    let report = verify(disk.process()).unwrap();
    assert!(report.findings.is_empty() && report.torn.is_empty(), "{report:?}");
}

fn tend(disk: &Disk, model: &mut Model) {
    let mut session = Session::open(disk, model).unwrap();
    // An index that does not serve is noticed by who asks it.
    session.log.heads().unwrap();
    session.tend().unwrap();
    session.close().unwrap();
}

#[test]
fn test_07_a_sealed_segment_is_cut_to_its_end_and_what_was_torn_is_kept() {
    let (disk, mut model) = untended(7);
    let rests = torn_rests(&disk);
    assert_eq!(rests.len(), 1);
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.tend().unwrap();
    let before = disk.tree();
    session.tend().unwrap();
    assert_eq!(disk.tree(), before, "once is enough");
    session.close().unwrap();
    check_tended(&disk, &rests);
    go_on(&disk, &mut model);
}

#[test]
fn test_07_and_08_a_crash_anywhere_while_segments_are_looked_after_changes_nothing() {
    let (disk, model) = untended(8);
    let rests = torn_rests(&disk);
    // One index is there already and is none.
    disk.put("log/0000000001.idx", &[7; 5_000]);
    for number in 0.. {
        let mut is_done = false;
        for seed in 0..2 * long() {
            let (left, mut model) = (disk.fork(seed), model.clone());
            let mut session = Session::open(&left, &mut model).unwrap();
            let begun = left.requests();
            let fault = if number % 2 == 0 { Fault::Kill } else { Fault::KillAfter };
            left.inject(move |request| (request.number == begun + number).then_some(fault));
            is_done = session.tend().is_ok();
            drop(session);
            left.behave();
            left.kill();
            let left = after_crash(&left, seed);
            go_on(&left, &mut model);
            tend(&left, &mut model);
            check_tended(&left, &rests);
            left.cut_power();
            go_on(&left, &mut model);
        }
        if is_done {
            assert!(number > 20, "{number}");
            return;
        }
    }
}

#[test]
fn test_17_without_room_for_an_index_or_for_what_is_set_aside_the_log_goes_on() {
    for name in [".tmp", "set-aside/"] {
        let (disk, mut model) = untended(17);
        let rests = torn_rests(&disk);
        let mut session = Session::open(&disk, &mut model).unwrap();
        disk.inject(move |request: &Request| {
            let is_write = matches!(request.operation, Operation::Write | Operation::CreateNew | Operation::Sync);
            (is_write && request.name.contains(name)).then_some(Fault::Fail(ErrorKind::StorageFull))
        });
        let mut failed = 0;
        while session.aftercare.is_wanted() {
            failed += u64::from(session.aftercare.perform().is_err());
        }
        assert!(failed > 0);
        disk.behave();
        session.work(&mut Dice::new(17), 6).unwrap();
        assert_eq!(events(&session.log).unwrap(), session.model.confirmed);
        session.close().unwrap();
        assert!(names(&disk, ".tmp").is_empty());
        go_on(&disk, &mut model);
        tend(&disk, &mut model);
        check_tended(&disk, &rests);
    }
}

/// Does something in the middle of every read.
struct Meanwhile<F>(F);

impl<F: FnMut() + Send> Between for Meanwhile<F> {
    fn while_reading(&mut self, _name: &str) {
        (self.0)();
    }
}

#[test]
fn test_35_a_reader_goes_on_while_segments_are_sealed_cut_and_indexed_beside_it() {
    for seed in 0..3 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        Session::open(&disk, &mut model).unwrap().close().unwrap();
        let (log, writer) = Log::open(disk.process(), &options(2)).unwrap();
        let mut aftercare = writer.aftercare();
        let mut dice = Dice::new(seed);
        let mut left = 160;
        let writer = Arc::new(Mutex::new(writer));
        let beside = Arc::clone(&writer);
        let storage = seam(
            &disk,
            Meanwhile(move || {
                let mut writer = beside.lock().unwrap();
                // Who reads more is shown more to read, so that there must be an end.
                let writes = dice.below(3).min(left);
                left -= writes;
                for _ in 0..writes {
                    writer.write(vec![any_group(&mut dice, 1)]).unwrap();
                    writer.sync().unwrap();
                }
                aftercare.perform().unwrap();
            }),
        );
        let mut reader = Reader::open(storage).unwrap();
        for _ in 0..12 {
            reader.refresh().unwrap();
            assert!(reader.damage().is_none(), "{:?}", reader.damage());
            assert!(reader.horizon() <= log.durable());
            for number in 0..5 {
                let all = read_stream(&stream(number), |from| reader.read_stream(stream(number), from, 3));
                assert!(all.iter().zip(1..).all(|(record, due)| record.sequence.get() == due));
                assert_eq!(reader.head(stream(number)).unwrap(), all.last().map(|record| record.sequence));
            }
        }
        assert!(names(&disk, ".idx").len() > 3);
        drop(writer);
        disk.kill();
        reader = Reader::open(disk.process()).unwrap();
        let found = visible(&reader);
        let (log, _writer) = Log::open(disk.process(), &options(3)).unwrap();
        assert_eq!(events(&log).unwrap(), found);
    }
}

/// The whole stream, piece by piece.
fn read_stream(_stream: &StreamId, read: impl Fn(Sequence) -> Result<Vec<Record>, Error>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let from = Sequence::new(records.len() as u64 + 1).unwrap();
        let more = read(from).unwrap();
        if more.is_empty() {
            return records;
        }
        records.extend(more);
    }
}

/// Every stream is there whole, whatever becomes of the indexes.
fn check_streams(disk: &Disk, model: &Model) {
    let reader = Reader::open(disk.process()).unwrap();
    let mut opened = model.clone();
    let session = Session::open(disk, &mut opened).unwrap();
    for number in 0..7 {
        let stream = stream(number);
        let due: Vec<Entry> = model.confirmed.iter().filter(|entry| entry.stream == stream).cloned().collect();
        let last = Sequence::new(due.len() as u64);
        assert_eq!(reader.head(stream).unwrap(), last);
        assert_eq!(session.log.head(stream).unwrap(), last);
        let of = |records: Vec<Record>| records.iter().map(Entry::of).collect::<Vec<_>>();
        assert_eq!(of(read_stream(&stream, |from| reader.read_stream(stream, from, 4))), due);
        assert_eq!(of(read_stream(&stream, |from| session.log.read_stream(stream, from, 4))), due);
    }
    let sorted = |mut heads: Vec<(StreamId, Sequence)>| {
        heads.sort();
        heads
    };
    assert_eq!(sorted(reader.heads().unwrap()), sorted(session.log.heads().unwrap()));
    assert_eq!(visible(&reader), model.confirmed);
    assert!(reader.damage().is_none());
}

/// A log whose segments are all looked after.
fn tended(seed: u64) -> (Disk, Model) {
    let (disk, mut model) = untended(seed);
    tend(&disk, &mut model);
    disk.kill();
    for name in disk.tree().into_keys() {
        disk.edit(&name, |_| ());
    }
    (disk, model)
}

#[test]
fn test_42_a_damaged_block_of_an_index_makes_no_stream_absent_and_the_index_is_made_again() {
    let (disk, model) = tended(42);
    let index = &names(&disk, ".idx")[1];
    let whole = disk.tree()[index].clone();
    assert!(whole.len() >= 4 * 4096, "facts, bloom filter, directory, places");
    for block in 0..whole.len() / 4096 {
        for place in [1, 30, 4_094] {
            let (damaged, mut model) = (disk.fork(1), model.clone());
            damaged.edit(index, |bytes| bytes[block * 4096 + place] ^= 4);
            check_streams(&damaged, &model);
            let report = verify(damaged.process()).unwrap();
            assert!(matches!(report.findings[..], [ref finding] if finding.cause == Damage::Index), "{report:?}");
            assert_eq!(report.findings[0].offset.get(), (block * 4096 + place) as u64);
            let mut session = Session::open(&damaged, &mut model).unwrap();
            (0..7).for_each(|number| {
                drop(read_stream(&stream(number), |from| session.log.read_stream(stream(number), from, 9)))
            });
            session.work(&mut Dice::new(1), 12).unwrap();
            session.tend().unwrap();
            session.close().unwrap();
            assert_eq!(damaged.tree()[index], whole, "block {block}, byte {place}");
            check_streams(&damaged, &model);
        }
    }
}

#[test]
fn test_42_an_index_of_another_segment_or_none_at_all_is_as_good_as_a_right_one() {
    let (disk, model) = tended(43);
    let indexes = names(&disk, ".idx");
    let tree = disk.tree();
    for name in &indexes {
        for other in [&[][..], &[0; 4096], &tree[&indexes[0]], &tree[&indexes[2]], &tree[name][..4096 * 2]] {
            let swapped = disk.fork(1);
            swapped.edit(name, |bytes| *bytes = other.to_vec());
            check_streams(&swapped, &model);
        }
    }
}

#[test]
fn damage_in_a_segment_without_index_is_told_where_a_stream_may_be_missing_and_new_streams_wait() {
    let (disk, model) = tended(44);
    disk.take_away("log/0000000002.idx");
    let (log, writer) = Log::open(disk.process(), &options(90)).unwrap();
    let hit = super::model::read_everything(|from, limit| log.read_all(from, limit)).unwrap();
    let hit = hit.iter().find(|record| record.segment == SegmentNumber::new(2).unwrap()).unwrap().clone();
    drop(writer);
    disk.kill();
    disk.edit("log/0000000002.seg", |bytes| bytes[hit.offset.get() as usize + 57] ^= 1);
    let (log, mut writer) = Log::open(disk.process(), &options(91)).unwrap();
    assert!(log.head(stream(77)).is_err_and(|error| error.is_damage()));
    let before = disk.tree();
    let group = |number| {
        let now = crate::time::Timestamp::from_microseconds(1);
        crate::log::Group::new(stream(number), Expected::Empty, now, frames(&mut Dice::new(1), &[3])).unwrap()
    };
    let error = writer.write(vec![group(77)]).unwrap_err();
    assert!(error.is_damage() && !writer.is_poisoned());
    assert_eq!(disk.tree(), before);
    let newest = log.read_all(crate::ids::Position::new(log.durable().get() - 1).unwrap(), 1).unwrap().remove(0);
    assert_eq!(log.head(newest.stream).unwrap(), Some(newest.sequence), "who is in a later segment goes on");
    drop(writer);
    disk.kill();
    let reader = Reader::open(disk.process()).unwrap();
    assert_eq!(reader.head(stream(77)).unwrap(), None);
    assert!(reader.damage().is_some(), "a reader goes on and says so");
    assert!(model.confirmed.len() > 10);
}

#[test]
fn test_50_indexes_are_written_as_the_first_version_did() {
    let disk = Disk::new(50);
    let mut model = super::golden::write_history(&disk);
    tend(&disk, &mut model);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/log/format-1-index");
    for name in names(&disk, ".idx") {
        let path = golden.join(name.trim_start_matches("log/"));
        if std::env::var_os("STABILIZE_BLESS").is_some() {
            std::fs::create_dir_all(&golden).unwrap();
            std::fs::write(&path, &disk.tree()[&name]).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == disk.tree()[&name], "{name} is not what it was");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16 * long() as u32, ..ProptestConfig::default() })]

    /// Indexes are removed at any moment, also under an open log, and nothing but time is lost.
    #[test]
    fn test_39_indexes_removed_at_any_moment_change_no_answer(seed: u64) {
        let disk = Disk::new(seed);
        let mut dice = Dice::new(seed);
        let mut model = Model::default();
        let mut reader: Option<Reader> = None;
        for _ in 0..4 {
            let mut session = Session::open(&disk, &mut model).unwrap();
            for _ in 0..6 {
                session.work(&mut dice, 2).unwrap();
                if dice.once_in(2) {
                    session.aftercare.perform().unwrap();
                }
                if dice.once_in(2) {
                    let indexes = names(&disk, ".idx");
                    if let Some(name) = indexes.get(dice.below(indexes.len().max(1) as u64) as usize) {
                        disk.take_away(name);
                    }
                }
                let number = dice.below(5);
                let due = session.model.confirmed.iter().filter(|entry| entry.stream == stream(number));
                let due: Vec<Entry> = due.cloned().collect();
                let found = read_stream(&stream(number), |from| session.log.read_stream(stream(number), from, 5));
                prop_assert_eq!(found.iter().map(Entry::of).collect::<Vec<_>>(), due.clone());
                if let Some(reader) = &mut reader {
                    reader.refresh().unwrap();
                    let found = read_stream(&stream(number), |from| reader.read_stream(stream(number), from, 5));
                    prop_assert_eq!(found.iter().map(Entry::of).collect::<Vec<_>>(), due);
                }
            }
            session.close().unwrap();
            check_streams(&disk, &model);
            reader = Some(Reader::open(disk.process()).unwrap());
        }
    }
}
