//! Readers beside writers, and reading by stream (33 to 36).

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::crash::{go_on, script};
use super::model::{Entry, Model, Session, events, frames, long, options, read_everything, stream, visible};
use super::seam::{Between, Verdict, seam};
use crate::ids::{Position, Sequence};
use crate::log::{Error, Expected, Frame, Group, Log, Options, Reader};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, Fault, Operation};
use crate::time::Timestamp;

/// Does something in the middle of every read.
struct Meanwhile<F>(F);

impl<F: FnMut() + Send> Between for Meanwhile<F> {
    fn while_reading(&mut self, _name: &str) {
        (self.0)();
    }
}

/// Does something when the first byte of a file in preparation is about to be written.
struct WhilePreparing<F>(Option<F>);

impl<F: FnOnce() + Send> Between for WhilePreparing<F> {
    fn write(&mut self, name: &str, _bytes: &[u8], _offset: u64) -> Verdict {
        if let Some(act) = self.0.take_if(|_| name.ends_with(".tmp")) {
            act();
        }
        Verdict::Pass
    }
}

#[test]
fn test_33_a_poisoned_log_can_be_opened_again_while_the_next_segment_is_still_being_made() {
    let disk = Disk::new(33);
    drop(Log::open(disk.process(), &options(1)).unwrap());
    let poisoned = Arc::new(Mutex::new(None));
    let reopened = Arc::new(Mutex::new(None));
    let (writer, opened, storage) = (Arc::clone(&poisoned), Arc::clone(&reopened), disk.process());
    let between = WhilePreparing(Some(move || {
        drop(writer.lock().unwrap().take());
        *opened.lock().unwrap() = Some(Log::open(storage, &options(3)).unwrap());
    }));
    let (_, mut writer) = Log::open(seam(&disk, between), &options(2)).unwrap();
    let mut preparer = writer.preparer();
    let group = |length| {
        let now = Timestamp::from_microseconds(1);
        Group::new(stream(1), Expected::Any, now, frames(&mut Dice::new(1), &[length])).unwrap()
    };
    writer.write(vec![group(900)]).unwrap();
    writer.sync().unwrap();
    assert!(preparer.is_wanted());
    writer.write(vec![group(10)]).unwrap();
    disk.inject(|request| (request.operation == Operation::Sync).then_some(Fault::Forget));
    writer.sync().unwrap_err();
    disk.behave();
    *poisoned.lock().unwrap() = Some(writer);
    preparer.prepare().unwrap();
    assert!(!preparer.is_wanted());
    let (log, mut writer) = reopened.lock().unwrap().take().expect("opened in the middle");
    assert!(!disk.tree().keys().any(|name| name.ends_with(".tmp")), "nobody's file is removed by who made it");
    writer.write(vec![group(10)]).unwrap();
    writer.sync().unwrap();
    assert_eq!(log.durable().get(), 4);
    writer.close().unwrap();
}

#[test]
fn test_34_a_reader_never_sees_an_event_that_a_failing_sync_takes_away() {
    for seed in 0..2 {
        let disk = Disk::new(seed);
        let options = Options { segment_bytes_max: 1 << 20, ..options(1) };
        let (log, mut writer) = Log::open(disk.process(), &options).unwrap();
        let mut reader = Reader::open(disk.process()).unwrap();
        let mut dice = Dice::new(seed);
        for number in 0..5_000_u64 * long() {
            let frame = Frame { kind: 1, codec: 1, payload: number.to_le_bytes().to_vec() };
            let now = Timestamp::from_microseconds(1);
            let group = Group::new(stream(dice.below(3)), Expected::Any, now, vec![frame; 2]).unwrap();
            writer.write(vec![group]).unwrap();
            if dice.once_in(100) {
                reader.refresh().unwrap();
                assert!(reader.horizon() <= log.durable());
            }
            if number + 1 == 5_000 * long() {
                disk.inject(|request| (request.operation == Operation::Sync).then_some(Fault::Forget));
                writer.sync().unwrap_err();
                break;
            }
            writer.sync().unwrap();
            if dice.once_in(100) {
                reader.refresh().unwrap();
                assert_eq!(reader.horizon(), log.durable(), "all that is acknowledged is seen");
            }
        }
        disk.behave();
        reader.refresh().unwrap();
        assert!(reader.damage().is_none());
        let last = Position::new(reader.horizon().get() - 20).unwrap();
        let seen = reader.read_all(last, 100).unwrap();
        disk.cut_power();
        let (log, _writer) = Log::open(disk.process(), &super::model::options(2)).unwrap();
        assert!(log.durable() >= reader.horizon());
        assert_eq!(log.read_all(last, 20).unwrap(), seen);
    }
}

#[test]
fn test_34_a_reader_that_reads_while_others_write_sees_no_damage() {
    for seed in 0..20 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        Session::open(&disk, &mut model).unwrap().close().unwrap();
        let (log, writer) = Log::open(disk.process(), &options(2)).unwrap();
        let mut dice = Dice::new(seed);
        let writer = Arc::new(Mutex::new(writer));
        let beside = Arc::clone(&writer);
        let storage = seam(
            &disk,
            Meanwhile(move || {
                let mut writer = beside.lock().unwrap();
                for _ in 0..dice.below(3) {
                    writer.write(vec![super::model::any_group(&mut dice, 1)]).unwrap();
                    writer.sync().unwrap();
                    if dice.once_in(4) {
                        writer.idle().unwrap();
                    }
                }
            }),
        );
        let mut reader = Reader::open(storage).unwrap();
        let mut horizon = reader.horizon();
        for _ in 0..10 {
            reader.refresh().unwrap();
            assert!(reader.damage().is_none(), "{:?}", reader.damage());
            assert!(horizon <= reader.horizon() && reader.horizon() <= log.durable());
            horizon = reader.horizon();
        }
        assert!(horizon.get() > 20, "{horizon}");
        let before = read_everything(|from, limit| log.read_all(from, limit)).unwrap();
        let seen = read_everything(|from, limit| reader.read_all(from, limit)).unwrap();
        assert!(before.starts_with(&seen[..seen.len().min(before.len())]));
        let report = crate::log::verify(disk.process()).unwrap();
        assert!(report.findings.is_empty() && report.torn.is_empty(), "{report:?}");
    }
}

#[test]
fn test_35_a_reader_goes_on_across_rolls_and_recoveries() {
    for seed in 0..30 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        let mut dice = Dice::new(seed);
        Session::open(&disk, &mut model).unwrap().close().unwrap();
        let mut reader = Reader::open(disk.process()).unwrap();
        let mut seen = Vec::new();
        for _ in 0..6 {
            let mut session = Session::open(&disk, &mut model).unwrap();
            session.work(&mut dice, 3).unwrap();
            let _ = session.write_some(&mut dice);
            if dice.once_in(2) {
                let _ = session.sync();
            }
            drop(session);
            reader.refresh().unwrap();
            assert!(reader.damage().is_none());
            let now = visible(&reader);
            assert!(now.starts_with(&seen), "what was seen stays");
            seen = now;
        }
        drop(Session::open(&disk, &mut model).unwrap());
        reader.refresh().unwrap();
        assert_eq!(visible(&reader), model.confirmed);
        assert_eq!(reader.unconfirmed(), 0);
    }
}

#[test]
fn test_36_an_event_is_seen_at_once_after_a_kill_behind_its_answer() {
    for seed in 0..40 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        let mut dice = Dice::new(seed);
        let mut session = Session::open(&disk, &mut model).unwrap();
        session.work(&mut dice, 1 + seed % 9).unwrap();
        let unconfirmed = if seed % 2 == 0 { session.write_some(&mut dice).map(|()| 1).unwrap() } else { 0 };
        disk.kill();
        let before = disk.tree();
        disk.inject(|request| {
            let is_reading =
                matches!(request.operation, Operation::Read | Operation::Open | Operation::List | Operation::Length);
            assert!(is_reading, "a reader only reads: {request:?}");
            None
        });
        let reader = Reader::open(disk.process()).unwrap();
        assert_eq!(visible(&reader), model.confirmed);
        let in_doubt: usize = model.in_doubt.iter().map(Vec::len).sum();
        assert_eq!(reader.unconfirmed(), in_doubt as u64);
        assert!(unconfirmed == 1 || in_doubt == 0);
        assert_eq!(disk.tree(), before);
        disk.behave();
        go_on(&disk, &mut model);
    }
}

#[test]
fn a_stream_is_read_from_any_sequence_across_segments() {
    let disk = Disk::new(1);
    let mut model = Model::default();
    script(&disk, &mut model).unwrap();
    let session = Session::open(&disk, &mut model).unwrap();
    let reader = Reader::open(disk.process()).unwrap();
    let heads = session.log.heads().unwrap();
    assert_eq!(heads.len(), 5);
    for (stream, last) in heads {
        let all: Vec<&Entry> = session.model.confirmed.iter().filter(|entry| entry.stream == stream).collect();
        assert_eq!(all.len() as u64, last.get());
        assert_eq!(session.log.head(stream).unwrap(), Some(last));
        for from in 1..=last.get() + 1 {
            for limit in [0, 1, 3, 1_000] {
                let sequence = Sequence::new(from).unwrap();
                let read = session.log.read_stream(stream, sequence, limit).unwrap();
                let found: Vec<Entry> = read.iter().map(Entry::of).collect();
                let due: Vec<Entry> =
                    all.iter().skip(from as usize - 1).take(limit).map(|entry| (*entry).clone()).collect();
                assert_eq!(found, due, "from {from}, at most {limit}");
                assert_eq!(reader.read_stream(stream, sequence, limit).unwrap(), read);
            }
        }
    }
    assert!(session.log.read_stream(stream(99), Sequence::FIRST, 9).unwrap().is_empty());
    assert!(session.log.read_all(session.log.durable(), 9).unwrap().is_empty());
}

#[test]
fn a_directory_without_a_log_is_none() {
    let disk = Disk::new(1);
    assert!(matches!(Reader::open(disk.process()), Err(Error::NoLog { .. })));
    disk.put("LOCK", b"");
    disk.put("log/notes.txt", b"not ours");
    assert!(matches!(Reader::open(disk.process()), Err(Error::NoLog { .. })));
    assert!(matches!(crate::log::verify(disk.process()), Err(Error::NoLog { .. })));
    assert!(matches!(crate::log::dump(disk.process(), &mut |_| ControlFlow::Continue(())), Err(Error::NoLog { .. })));
}

#[test]
fn damage_that_appears_under_an_open_log_is_met_by_who_reads_it() {
    let disk = Disk::new(1);
    let mut model = Model::default();
    script(&disk, &mut model).unwrap();
    let mut session = Session::open(&disk, &mut model).unwrap();
    let record = session.log.read_all(Position::new(5).unwrap(), 1).unwrap().remove(0);
    disk.edit("log/0000000001.seg", |bytes| bytes[record.offset.get() as usize + 57] ^= 1);
    assert_eq!(session.log.read_all(Position::FIRST, 100).unwrap().len(), 4, "what stands before it is read");
    let error = session.log.read_all(record.position, 100).unwrap_err();
    let Error::Damaged { offset, missing, .. } = &error else { panic!("{error}") };
    assert_eq!((*offset, *missing), (record.offset, record.position));
    assert!(session.log.read_stream(record.stream, Sequence::FIRST, 100).is_err_and(|error| error.is_damage()));
    assert_eq!(session.log.read_all(record.position.next(), 3).unwrap().len(), 3, "the rest can be read");
    session.write_some(&mut Dice::new(1)).unwrap();
    session.sync().unwrap();
    assert!(events(&session.log).is_err());
}
