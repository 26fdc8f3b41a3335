//! One writer at a time, time that does not run back, and how large a log is (44 to 48).

use std::io::Write;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::crash::{go_on, segments};
use super::model::{Model, Session, events, frames, options, stream};
use crate::ids::Position;
use crate::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, RECORD_BYTES_MAX, SEGMENT_BYTES_FIRST};
use crate::log::record::{self, Flags, HEADER_BYTES, Head};
use crate::log::segment::Header;
use crate::log::{
    Dumped, Error, Expected, FileStorage, Frame, Group, Log, Offset, Options, Reader, Storage, Written, dump,
};
use crate::testing::dice::Dice;
use crate::testing::disk::Disk;
use crate::time::Timestamp;

fn at(microseconds: i64) -> Timestamp {
    Timestamp::from_microseconds(microseconds)
}

fn group(now: i64, length: usize) -> Group {
    Group::new(stream(1), Expected::Any, at(now), frames(&mut Dice::new(1), &[length])).unwrap()
}

fn storage(directory: &tempfile::TempDir) -> Arc<dyn Storage> {
    Arc::new(FileStorage::new(directory.path().join("some/where")))
}

fn ordinary(seed: u8) -> Options {
    Options::new([seed; 32], at(1), std::process::id())
}

#[test]
fn test_44_recorded_times_never_run_back_whatever_the_clock_does() {
    let disk = Disk::new(44);
    let year = 31_536_000_000_000;
    let mut recorded = Vec::new();
    for (opened, clock) in [[year, 2 * year, year], [5, 6, 3 * year], [0, i64::MIN + 1, 1]].into_iter().enumerate() {
        let (log, mut writer) = Log::open(disk.process(), &options(opened as u64)).unwrap();
        for now in clock {
            let answers = writer.write(vec![group(now, 1_200), group(now - 1, 10)]).unwrap();
            writer.sync().unwrap();
            writer.idle().unwrap();
            for answer in answers {
                let Written::Accepted { recorded_at, .. } = answer else { panic!("{answer:?}") };
                recorded.push(recorded_at);
            }
        }
        let read = log.read_all(Position::FIRST, 1_000).unwrap();
        assert_eq!(read.iter().map(|record| record.recorded_at).collect::<Vec<_>>(), recorded);
        drop(writer);
    }
    assert!(recorded.is_sorted());
    assert_eq!(recorded.last(), Some(&at(3 * year)));
    assert!(segments(&disk) > 2);
}

#[test]
fn test_45_a_second_writer_is_refused_while_the_first_lives() {
    let directory = tempfile::tempdir().unwrap();
    let (log, mut writer) = Log::open(storage(&directory), &ordinary(1)).unwrap();
    writer.write(vec![group(1, 10)]).unwrap();
    writer.sync().unwrap();
    let refused = Log::open(storage(&directory), &ordinary(2)).map(drop).unwrap_err();
    assert!(refused.is_locked());
    assert_eq!(refused.to_string(), format!("the log is held by pid {}", std::process::id()));
    let control = directory.path().join("some/where/CONTROL");
    let text = std::fs::read_to_string(&control).unwrap();
    assert_eq!(text, format!("{{\"version\":1,\"pid\":{},\"path\":null}}\n", std::process::id()));
    assert_eq!(Reader::open(storage(&directory)).unwrap().horizon(), log.durable(), "reading needs no lock");
    writer.close().unwrap();
    assert!(!control.exists());
    let (log, _writer) = Log::open(storage(&directory), &ordinary(3)).unwrap();
    assert_eq!(log.durable().get(), 2);
}

#[test]
fn test_45_an_orphaned_child_does_not_hold_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let (_, writer) = Log::open(storage(&directory), &ordinary(1)).unwrap();
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // What a kill does to the engine, as far as the lock goes.
    drop(writer);
    assert!(Log::open(storage(&directory), &ordinary(2)).is_ok());
    child.stdin.take().unwrap().write_all(b"alive").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn test_45_a_writer_whose_lock_file_is_gone_is_poisoned_before_it_writes() {
    let directory = tempfile::tempdir().unwrap();
    let (_, mut first) = Log::open(storage(&directory), &ordinary(1)).unwrap();
    first.write(vec![group(1, 10)]).unwrap();
    first.sync().unwrap();
    std::fs::remove_file(directory.path().join("some/where/LOCK")).unwrap();
    let (log, mut second) = Log::open(storage(&directory), &ordinary(2)).unwrap();
    let error = first.write(vec![group(1, 10)]).unwrap_err();
    assert!(error.is_io() && first.is_poisoned(), "{error}");
    drop(first);
    let refused = Log::open(storage(&directory), &ordinary(3)).map(drop).unwrap_err();
    assert!(matches!(refused, Error::Locked { pid: Some(_) }), "CONTROL of the second stays: {refused:?}");
    second.write(vec![group(1, 10)]).unwrap();
    second.sync().unwrap();
    assert_eq!(log.durable().get(), 3);
}

#[test]
fn test_46_the_largest_group_fits_right_behind_the_creation_and_a_larger_one_is_refused() {
    let frame = |length: usize| Frame { kind: 1, codec: 1, payload: vec![7; length] };
    let of = |frames| Group::new(stream(1), Expected::Any, at(1), frames);
    let half = BATCH_BYTES_MAX / 2 - HEADER_BYTES;
    let largest = of(vec![frame(half), frame(half)]).unwrap();
    assert_eq!(largest.bytes(), BATCH_BYTES_MAX as u64);
    let limit = |result: Result<Group, Error>| matches!(result, Err(Error::GroupLimit { .. }));
    assert!(limit(of(vec![frame(half), frame(half + 1)])));
    assert!(limit(of(vec![frame(RECORD_BYTES_MAX + 1)])));
    assert!(limit(of(vec![frame(0)])));
    assert!(limit(of(vec![])));
    assert!(limit(of(vec![frame(1); BATCH_EVENTS_MAX + 1])));
    assert!(of(vec![frame(1); BATCH_EVENTS_MAX]).is_ok());

    let directory = tempfile::tempdir().unwrap();
    let (log, mut writer) = Log::open(storage(&directory), &ordinary(1)).unwrap();
    writer.write(vec![largest]).unwrap();
    writer.sync().unwrap();
    let lengths = |path: &str| std::fs::metadata(directory.path().join("some/where/log").join(path)).unwrap().len();
    assert_eq!(lengths("0000000001.seg"), SEGMENT_BYTES_FIRST);
    assert_eq!(lengths("0000000002.seg"), 8_192 + BATCH_BYTES_MAX as u64 + 4_096);
    let first = log.read_all(Position::FIRST, 9).unwrap();
    assert_eq!(first.len(), 1, "one answer holds no more bytes than it must");
    assert_eq!(first[0].payload.len(), half);
    writer.close().unwrap();
}

#[test]
fn test_47_segments_grow_by_four_and_syncs_are_counted() {
    let disk = Disk::new(47);
    let count = |disk: &Disk, work: &mut dyn FnMut()| {
        let before = disk.syncs();
        work();
        disk.syncs() - before
    };
    let mut opened = None;
    let options = |seed| Options { segment_bytes_max: 1 << 20, ..ordinary(seed) };
    assert_eq!(count(&disk, &mut || opened = Some(Log::open(disk.process(), &options(1)).unwrap())), 4);
    let (log, mut writer) = opened.take().unwrap();
    for _ in 0..12 {
        assert_eq!(count(&disk, &mut || drop(writer.write(vec![group(1, 300)]).unwrap())), 0);
        assert_eq!(count(&disk, &mut || assert!(writer.sync().is_ok())), 1);
    }
    assert_eq!(count(&disk, &mut || assert!(writer.sync().is_ok())), 0);
    assert_eq!(count(&disk, &mut || writer.idle().unwrap()), 2);
    assert_eq!(count(&disk, &mut || writer.idle().unwrap()), 0);
    let mut writer = Some(writer);
    assert_eq!(count(&disk, &mut || writer.take().unwrap().close().unwrap()), 2);
    let bytes: usize = disk.tree().values().map(Vec::len).sum();
    assert!(bytes < 300 * 1024, "a short run leaves {bytes} bytes");
    drop(log);

    assert_eq!(count(&disk, &mut || opened = Some(Log::open(disk.process(), &options(2)).unwrap())), 2);
    let (_, mut writer) = opened.take().unwrap();
    let mut preparer = writer.preparer();
    assert_eq!(count(&disk, &mut || drop(writer.write(vec![group(1, 249_000)]).unwrap())), 3, "a roll unprepared");
    writer.sync().unwrap();
    assert!(!preparer.is_wanted(), "the new segment is not half full");
    writer.write(vec![group(1, 600_000)]).unwrap();
    writer.sync().unwrap();
    assert_eq!(count(&disk, &mut || preparer.prepare().unwrap()), 1);
    assert_eq!(count(&disk, &mut || drop(writer.write(vec![group(1, 300_000)]).unwrap())), 2, "a roll prepared");
    writer.sync().unwrap();
    let lengths: Vec<usize> =
        disk.tree().iter().filter(|(name, _)| name.ends_with(".seg")).map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [1 << 18, 1 << 20, 1 << 20]);
}

#[test]
fn test_48_many_short_openings_leave_the_chain_that_a_long_one_would() {
    let run = |openings: u64, writes: u64| {
        let disk = Disk::new(48);
        let mut model = Model::default();
        let mut dice = Dice::new(48);
        for _ in 0..openings {
            let mut session = Session::open(&disk, &mut model).unwrap();
            for _ in 0..writes {
                session.write(vec![(stream(1), Expected::Any, frames(&mut dice, &[200, 200, 200]))]).unwrap();
                session.sync().unwrap();
            }
            session.close().unwrap();
        }
        (segments(&disk), model.confirmed)
    };
    let (short, written) = run(60, 1);
    let (long, same) = run(1, 60);
    assert_eq!(written, same);
    assert_eq!((short, long), (12, 12));
}

#[test]
fn opening_and_closing_without_work_adds_nothing() {
    let disk = Disk::new(1);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.work(&mut Dice::new(1), 1).unwrap();
    session.close().unwrap();
    let before = disk.tree();
    for _ in 0..5 {
        Session::open(&disk, &mut model).unwrap().close().unwrap();
    }
    assert_eq!(disk.tree(), before);

    let empty = Disk::new(2);
    let mut model = Model::default();
    Session::open(&empty, &mut model).unwrap().close().unwrap();
    let before = empty.tree();
    Session::open(&empty, &mut model).unwrap().close().unwrap();
    assert_eq!(empty.tree(), before);
}

#[test]
fn refused_groups_write_nothing_and_later_groups_of_the_write_see_earlier_ones() {
    let disk = Disk::new(1);
    let (log, mut writer) = Log::open(disk.process(), &options(1)).unwrap();
    let of = |expected| Group::new(stream(1), expected, at(1), frames(&mut Dice::new(1), &[5, 5])).unwrap();
    let sequence = |number| crate::ids::Sequence::new(number).unwrap();
    let answers = writer
        .write(vec![of(Expected::Empty), of(Expected::Empty), of(Expected::Last(sequence(2))), of(Expected::Any)])
        .unwrap();
    let accepted = |number| Written::Accepted {
        position: Position::new(number).unwrap(),
        sequence: sequence(number),
        recorded_at: at(1),
    };
    assert_eq!(answers, [accepted(1), Written::Conflict { actual: Some(sequence(2)) }, accepted(3), accepted(5)]);
    assert_eq!(log.durable(), Position::FIRST, "nothing is seen before it is durable");
    assert!(log.read_all(Position::FIRST, 9).unwrap().is_empty());
    assert_eq!(writer.sync().unwrap().get(), 7);
    let before = disk.tree();
    let answers = writer.write(vec![of(Expected::Empty)]).unwrap();
    assert_eq!(answers, [Written::Conflict { actual: Some(sequence(6)) }]);
    assert_eq!(writer.sync().unwrap().get(), 7);
    assert_eq!(disk.tree(), before);
}

#[test]
fn a_log_on_hold_says_so() {
    let disk = Disk::new(1);
    let mut model = Model::default();
    let session = Session::open(&disk, &mut model).unwrap();
    assert!(!session.log.hold());
    session.close().unwrap();
    disk.put("HOLD", b"");
    let session = Session::open(&disk, &mut model).unwrap();
    assert!(session.log.hold());
    assert!(Reader::open(disk.process()).unwrap().hold().unwrap());
}

#[test]
fn files_in_preparation_are_removed_and_those_with_data_set_aside() {
    let disk = Disk::new(1);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.work(&mut Dice::new(1), 1).unwrap();
    session.close().unwrap();
    let segment = disk.tree()["log/0000000001.seg"].clone();
    let header = Header::decode(&segment).unwrap();
    let mut empty = header.encode();
    empty.resize(16_384, 0);
    disk.put("log/0000000000000001.tmp", &segment);
    disk.put("log/0000000000000002.tmp", &empty);
    disk.put("log/0000000000000003.tmp", &[0; 9_000]);
    disk.put("log/0000000000000004.tmp", b"");
    go_on(&disk, &mut model);
    let left: Vec<String> = disk.tree().into_keys().filter(|name| name.ends_with(".tmp")).collect();
    assert_eq!(left, ["set-aside/0000000000000001.tmp"]);
}

#[test]
fn a_salvaged_log_begins_with_its_origin() {
    let disk = Disk::new(1);
    let mut model = Model::default();
    Session::open(&disk, &mut model).unwrap().close().unwrap();
    let salt = Header::decode(&disk.tree()["log/0000000001.seg"]).unwrap().salt;
    let head = Head {
        behind: 0,
        flags: Flags::CONTROL,
        codec: 0,
        kind: record::ORIGIN,
        position: Position::FIRST,
        stream: crate::ids::StreamId::NONE,
        sequence: None,
        recorded_at: at(0),
    };
    let mut frame = Vec::new();
    record::encode(&mut frame, salt, Offset::new(8_192), &head, &[3; 24]);
    disk.edit("log/0000000001.seg", |bytes| bytes[8_192..8_192 + frame.len()].copy_from_slice(&frame));
    go_on(&disk, &mut model);
    let mut kinds = Vec::new();
    let mut note = |dumped: &Dumped| {
        kinds.push((dumped.control, dumped.kind));
        ControlFlow::Continue(())
    };
    dump(disk.process(), &mut note).unwrap();
    assert_eq!(kinds.first(), Some(&(true, record::ORIGIN)));
    let session = Session::open(&disk, &mut model).unwrap();
    assert_eq!(events(&session.log).unwrap(), session.model.confirmed);
}
