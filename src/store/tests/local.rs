//! The store over the log: the suite on a disk that is simulated, and what only this store can say.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use crate::event::Event;
use crate::ids::{Position, Sequence, StreamId, WorkflowId};
use crate::store::{Append, Appended, Encoded, Error, EventStore, Expected, LocalReader, LocalStore, scan, scan_all};
use crate::testing::conformance::{conformance, conformance_of_reopening};
use crate::testing::disk::{Disk, Fault, Operation};
use crate::testing::examples;
use crate::testing::stores::{Opener, append, options};
use crate::time::Timestamp;

fn open(disk: &Disk) -> LocalStore {
    LocalStore::open_in(disk.process(), &options()).unwrap()
}

fn read(disk: &Disk) -> LocalReader {
    LocalReader::open_in(disk.process()).unwrap()
}

fn stream(number: u128) -> StreamId {
    StreamId::workflow(WorkflowId::from_parts(Timestamp::from_microseconds(1), number))
}

fn append_of(stream: StreamId, events: Vec<Encoded>) -> Append {
    Append::new(stream, Expected::Any, Timestamp::from_microseconds(1), events).unwrap()
}

fn any_append(count: usize) -> Append {
    append_of(stream(1), examples::events().iter().cycle().take(count).map(Encoded::of).collect())
}

/// How many events can be read.
fn count(store: &dyn EventStore) -> usize {
    scan_all(store, Position::FIRST).map(Result::unwrap).count()
}

#[test]
fn it_passes_the_suite() {
    conformance(&mut || Box::new(open(&Disk::new(1))));
}

#[test]
fn it_passes_the_suite_of_reopening_after_kills_and_after_power_cuts() {
    let opener = |after: fn(&Disk)| -> Opener {
        let disk = Disk::new(2);
        Box::new(move || {
            after(&disk);
            Box::new(open(&disk))
        })
    };
    conformance_of_reopening(&mut || opener(Disk::kill));
    conformance_of_reopening(&mut || opener(Disk::cut_power));
}

#[test]
fn a_reader_without_the_lock_follows_the_writer() {
    let disk = Disk::new(3);
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    append(&mut *writer, any_append(2)).unwrap();

    let reader = read(&disk);
    assert!(matches!(reader.writer(), Err(Error::ReadOnly)));
    assert_eq!(count(&reader), 2);
    writer.write(vec![any_append(3)]).unwrap();
    let third = Position::new(3).unwrap();
    assert_eq!(reader.wait_durable(third, Duration::ZERO).unwrap(), third, "what is not durable is not there");
    assert_eq!((count(&reader), reader.unconfirmed()), (2, 3));

    writer.sync().unwrap();
    assert_eq!(reader.durable(), third, "it has not looked again");
    let sixth = Position::new(6).unwrap();
    // It looks before it waits; nothing is waited for here.
    assert_eq!(reader.wait_durable(third, Duration::from_secs(600)).unwrap(), sixth);
    assert_eq!((count(&reader), reader.unconfirmed()), (5, 0));
    assert_eq!(scan(&reader, stream(1), Sequence::FIRST).count(), 5);
    assert_eq!(reader.streams().unwrap(), [(stream(1), Sequence::new(5).unwrap())]);
    assert_eq!(reader.last(stream(1)).unwrap(), Sequence::new(5));
    assert!(reader.damage().is_none());
    assert!(!reader.hold().unwrap() && !store.hold());
}

#[test]
fn what_stands_in_the_way_of_opening_is_said_by_name() {
    let disk = Disk::new(4);
    let missing = LocalReader::open_in(disk.process()).err().unwrap();
    assert!(missing.is_missing() && !missing.is_damage(), "{missing}");

    let store = open(&disk);
    let held = LocalStore::open_in(disk.process(), &options()).err().unwrap();
    assert!(held.is_locked() && !held.is_missing(), "{held}");
    assert_eq!(held.to_string(), format!("the log is held by pid {}", std::process::id()));

    let mut writer = store.writer().unwrap();
    append(&mut *writer, any_append(5)).unwrap();
    append(&mut *writer, any_append(1)).unwrap();
    writer.close().unwrap();
    let segment = disk.tree().into_keys().find(|name| name.ends_with(".seg")).unwrap();
    disk.edit(&segment, |bytes| bytes[8_192 + 60] ^= 1);

    let damaged = LocalStore::open_in(disk.process(), &options()).err().unwrap();
    let text = damaged.to_string();
    assert!(damaged.is_damage(), "{damaged}");
    assert!(text.contains(&segment) && text.contains("byte 8192") && text.contains("position 1"), "{text}");
    assert!(damaged.source().is_some(), "what is wrong there");
    let reader = read(&disk);
    assert_eq!(count(&reader), 0);
    assert_eq!(reader.damage().unwrap().to_string(), text);
    assert_eq!(reader.damage().unwrap().source().unwrap().to_string(), damaged.source().unwrap().to_string());
}

#[test]
fn a_record_that_is_no_event_stops_its_readers_at_its_place_and_nobody_else() {
    let disk = Disk::new(5);
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    let sound = Encoded::of(&Event::WorkflowStarted);
    let newer = Encoded { kind: 999, ..sound.clone() };
    let broken = Encoded { payload: b"nothing".to_vec(), ..sound.clone() };
    for (number, bad) in [(1, newer), (2, broken)] {
        append(&mut *writer, append_of(stream(number), vec![sound.clone(), bad])).unwrap();
    }
    append(&mut *writer, append_of(stream(3), vec![sound])).unwrap();

    let reader = read(&disk);
    for store in [&store as &dyn EventStore, &reader] {
        for (number, position, what) in
            [(1, 2, "event kind 999 is not known to this version"), (2, 4, "7 bytes are no event of kind 10")]
        {
            assert_eq!(store.read(stream(number), Sequence::FIRST, 1).unwrap().len(), 1, "the one before it");
            let mut found: Vec<_> = scan(store, stream(number), Sequence::FIRST).collect();
            let error = found.pop().unwrap().unwrap_err();
            assert!(found.is_empty(), "a part of what was asked for is no answer");
            assert_eq!(error.is_unsupported(), number == 1, "{error}");
            assert_eq!(error.is_damage(), number == 2, "{error}");
            assert_eq!(error.source().unwrap().to_string(), what);
            let Error::Undecodable { place: Some(place), .. } = error else { panic!("{error:?}") };
            let text = format!("position {position}, sequence 2 of stream {}, in {place}, is no event", stream(number));
            assert_eq!(error.to_string(), text);
            assert!(text.contains("segment 0000000001 at byte 8"), "{text}");
        }
        assert_eq!(scan(store, stream(3), Sequence::FIRST).map(Result::unwrap).count(), 1);
        assert_eq!(scan_all(store, Position::FIRST).filter(Result::is_err).count(), 1, "nothing comes behind it");
    }
}

#[test]
fn a_sync_that_fails_poisons_the_writer_and_leaves_readers_what_was_durable() {
    let disk = Disk::new(6);
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    append(&mut *writer, any_append(2)).unwrap();
    disk.inject(|request| (request.operation == Operation::Sync).then_some(Fault::Forget));
    writer.write(vec![any_append(3)]).unwrap();
    let first = writer.sync().unwrap_err();
    assert!(!first.is_poisoned() && !first.is_no_space(), "{first}");
    disk.behave();
    for error in [
        writer.sync().unwrap_err(),
        writer.write(vec![any_append(1)]).unwrap_err(),
        writer.idle().unwrap_err(),
        writer.close().unwrap_err(),
    ] {
        assert!(error.is_poisoned(), "{error}");
        assert!(error.to_string().contains(&first.to_string()), "{error}: the first cause");
    }
    assert_eq!(count(&store), 2);
    assert_eq!(store.wait_durable(Position::new(3).unwrap(), Duration::ZERO).unwrap(), Position::new(3).unwrap());
}

#[test]
fn without_room_nothing_is_written_and_the_same_write_may_succeed_later() {
    let disk = Disk::new(7);
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    append(&mut *writer, any_append(2)).unwrap();
    disk.set_space(Some(0));
    let large = || vec![any_append(500)];
    let error = writer.write(large()).unwrap_err();
    assert!(error.is_no_space() && !error.is_poisoned(), "{error}");
    disk.set_space(None);
    let answers = writer.write(large()).unwrap();
    assert!(matches!(answers[..], [Appended::Accepted { position, .. }] if position.get() == 3), "{answers:?}");
    writer.sync().unwrap();
    assert_eq!(count(&store), 502);
}

#[test]
fn room_is_made_beside_the_writer() {
    let disk = Disk::new(8);
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    let mut upkeep = writer.upkeep().unwrap();
    assert!(!upkeep.is_due());
    while !upkeep.is_due() {
        append(&mut *writer, any_append(20)).unwrap();
    }
    upkeep.perform().unwrap();
    assert!(!upkeep.is_due());
    disk.inject(|request| {
        (request.operation == Operation::CreateNew).then_some(Fault::Fail(ErrorKind::PermissionDenied))
    });
    while count(&store) < 400 {
        append(&mut *writer, any_append(20)).unwrap();
        if disk.tree().keys().filter(|name| name.ends_with(".seg")).count() == 2 {
            return;
        }
    }
    panic!("the first segment was never full");
}
