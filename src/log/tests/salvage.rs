//! Salvage: what is whole goes into a new log, what was lost is named, the old log is not touched (49).

use std::ops::ControlFlow;

use super::crash::{go_on, script};
use super::model::{Entry, Model, options, read_everything};
use crate::ids::Position;
use crate::log::record::ORIGIN;
use crate::log::salvage::{Salvaged, salvage};
use crate::log::{Log, Reader, Record, dump, is_on_hold, release_hold, verify};
use crate::testing::disk::{Disk, Fault};

/// A log of several segments, and all its events.
fn whole(seed: u64) -> (Disk, Model, Vec<Record>) {
    let disk = Disk::new(seed);
    let mut model = Model::default();
    script(&disk, &mut model).unwrap();
    let (log, writer) = Log::open(disk.process(), &options(70)).unwrap();
    let records = read_everything(|from, limit| log.read_all(from, limit)).unwrap();
    writer.close().unwrap();
    disk.kill();
    for name in disk.tree().into_keys() {
        disk.edit(&name, |_| ());
    }
    (disk, model, records)
}

fn save(from: &Disk, to: &Disk, until: Option<Position>) -> Salvaged {
    let before = from.tree();
    let salvaged = salvage(from.process(), to.process(), until, &options(80)).unwrap();
    assert!(from.tree() == before, "the damaged log is not changed");
    salvaged
}

/// The new log has these events, field by field but for their places, and waits for somebody's word.
fn check_new(to: &Disk, salvaged: &Salvaged, due: &[Record]) {
    assert_eq!((salvaged.events, salvaged.next.get()), (due.len() as u64, due.len() as u64 + 1));
    assert!(is_on_hold(to.process()).unwrap());
    assert!(to.tree().keys().all(|name| !name.ends_with(".idx") && !name.ends_with(".tmp")));
    let report = verify(to.process()).unwrap();
    assert!(report.findings.is_empty() && report.torn.is_empty(), "{report:?}");
    let (log, writer) = Log::open(to.process(), &options(81)).unwrap();
    assert!(log.hold());
    let found = read_everything(|from, limit| log.read_all(from, limit)).unwrap();
    assert_eq!(found.len(), due.len());
    for (found, due) in found.iter().zip(due) {
        // All that the leaf of an event is made of.
        let moved = Record { segment: due.segment, offset: due.offset, crc: due.crc, ..found.clone() };
        assert_eq!(moved, *due);
    }
    let mut first = None;
    let note = &mut |frame: &crate::log::Dumped| {
        first = Some((frame.kind, frame.control));
        ControlFlow::Break(())
    };
    dump(to.process(), note).unwrap();
    assert_eq!(first, Some((ORIGIN, true)));
    assert_ne!(salvaged.log_id, salvaged.origin);
    drop((log, writer));
    to.kill();
    release_hold(to.process()).unwrap();
    assert!(!is_on_hold(to.process()).unwrap());
    let mut model = Model { confirmed: due.iter().map(Entry::of).collect(), opened: 90, ..Model::default() };
    go_on(to, &mut model);
}

#[test]
fn test_49_of_a_whole_log_all_is_copied_and_nothing_is_lost() {
    let (disk, _, records) = whole(1);
    let to = Disk::new(2);
    let salvaged = save(&disk, &to, None);
    assert!(salvaged.damage.is_none() && salvaged.behind.is_empty());
    assert_eq!(salvaged.proven, salvaged.next);
    check_new(&to, &salvaged, &records);
}

#[test]
fn test_49_everything_whole_before_damage_is_copied_and_what_stands_behind_it_is_named_and_kept() {
    let (disk, _, records) = whole(1);
    for hit in records.iter().step_by(9) {
        let damaged = disk.fork(1);
        let segment = format!("log/{:010}.seg", hit.segment.get());
        damaged.edit(&segment, |bytes| bytes[hit.offset.get() as usize + 57] ^= 1);
        let to = Disk::new(2);
        let salvaged = save(&damaged, &to, None);
        let first = records.iter().rfind(|record| record.first && record.position <= hit.position).unwrap();
        let whole = &records[..first.position.get() as usize - 1];
        let damage = salvaged.damage.as_ref().unwrap();
        assert_eq!((damage.segment, damage.offset, damage.position), (hit.segment, hit.offset, first.position));
        assert_eq!((salvaged.next, salvaged.proven.get()), (first.position, records.len() as u64 + 1));
        let behind = &records[whole.len()..];
        let readable = behind.iter().filter(|record| record.position != hit.position);
        let counts = (salvaged.behind.values().sum::<u64>(), readable.clone().count() as u64);
        assert_eq!(counts.0, counts.1, "{hit:?}, {} events before it", whole.len());
        for (stream, count) in &salvaged.behind {
            assert_eq!(readable.clone().filter(|record| record.stream == *stream).count() as u64, *count);
        }
        let kept: usize =
            to.tree().iter().filter(|(name, _)| name.starts_with("set-aside/")).map(|(_, bytes)| bytes.len()).sum();
        let bytes = readable.map(|record| 8 + (56 + record.payload.len()).next_multiple_of(8)).sum::<usize>();
        assert_eq!(kept, bytes, "each frame behind the eight bytes of its offset");
        check_new(&to, &salvaged, whole);
    }
}

#[test]
fn test_49_a_segment_that_is_gone_or_has_no_header_ends_the_copy() {
    let (disk, _, records) = whole(1);
    for harm in [
        |disk: &Disk, name: &str| disk.take_away(name),
        |disk: &Disk, name: &str| {
            disk.edit(name, |bytes| bytes[..8192].fill(7));
        },
    ] {
        let damaged = disk.fork(1);
        harm(&damaged, "log/0000000003.seg");
        let to = Disk::new(2);
        let salvaged = save(&damaged, &to, None);
        let whole = records.iter().take_while(|record| record.segment.get() < 3).cloned().collect::<Vec<_>>();
        assert!(salvaged.damage.is_some());
        assert_eq!(salvaged.proven.get(), records.len() as u64 + 1);
        let readable = records.iter().filter(|record| record.segment.get() > 3).count();
        assert_eq!(salvaged.behind.values().sum::<u64>(), readable as u64);
        check_new(&to, &salvaged, &whole);
    }
}

#[test]
fn test_49_until_copies_whole_groups_up_to_a_position() {
    let (disk, _, records) = whole(1);
    let to = Disk::new(2);
    let until = Position::new(30).unwrap();
    let salvaged = save(&disk, &to, Some(until));
    let last = records.iter().rfind(|record| record.last && record.position <= until).unwrap();
    assert!(salvaged.damage.is_none());
    assert!(salvaged.next <= until.next());
    check_new(&to, &salvaged, &records[..last.position.get() as usize]);
}

#[test]
fn test_49_nothing_is_written_where_something_is_and_a_log_that_is_half_made_is_on_hold() {
    let (disk, _, _) = whole(1);
    let taken = Disk::new(2);
    taken.put("notes.txt", b"not ours");
    let before = taken.tree();
    assert!(salvage(disk.process(), taken.process(), None, &options(80)).is_err());
    assert_eq!(taken.tree(), before);
    for number in 0.. {
        let to = Disk::new(number);
        to.inject(move |request| (request.number == number).then_some(Fault::KillAfter));
        let _ = salvage(disk.process(), to.process(), None, &options(80));
        let is_done = to.requests() <= number;
        to.behave();
        to.kill();
        to.cut_power();
        let events = Reader::open(to.process()).map_or(0, |reader| reader.horizon().get() - 1);
        assert!(events == 0 || is_on_hold(to.process()).unwrap());
        if is_done {
            assert!(number > 10, "{number}");
            return;
        }
    }
}
