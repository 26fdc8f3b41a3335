//! Failed reads, writes and syncs, and a disk that is full or lies (11 to 18).

use std::io::ErrorKind;

use super::crash::{go_on, script, segments, torn};
use super::model::{Model, Session, events, frames, long, options, stream, visible};
use crate::log::{Error, Expected, Log, Reader};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, Fate, Fault, Operation};

/// Runs the script with `fault` at the `nth` operation that `is_meant`; says whether there were so many.
fn script_with(
    disk: &Disk,
    model: &mut Model,
    (nth, fault): (u64, Fault),
    is_meant: impl Fn(Operation, &str) -> bool + Send + 'static,
) -> bool {
    let mut count = 0;
    disk.inject(move |request| {
        let hit = is_meant(request.operation, &request.name);
        count += u64::from(hit);
        (hit && count == nth + 1).then_some(fault)
    });
    let failed = script(disk, model).is_err();
    disk.behave();
    failed
}

#[test]
fn test_11_what_is_published_after_a_failed_sync_survives_a_power_cut() {
    for nth in 0.. {
        let mut has_failed = false;
        for seed in 0..3 * long() {
            let disk = Disk::new(nth * 10 + seed);
            let mut model = Model::default();
            has_failed |= script_with(&disk, &mut model, (nth, Fault::Forget), |operation, name| {
                operation == Operation::Sync && name != "WATERMARK"
            });
            disk.kill();
            // The page cache still holds what the failed sync has forgotten to write.
            let mut session = Session::open(&disk, &mut model).unwrap();
            let reader = Reader::open(disk.process()).unwrap();
            assert_eq!(visible(&reader), session.model.confirmed);
            if seed > 0 {
                session.work(&mut Dice::new(seed), 1).unwrap();
            }
            drop(session);
            disk.cut_power();
            go_on(&disk, &mut model);
        }
        if !has_failed {
            assert!(nth > 20);
            return;
        }
    }
}

#[test]
fn test_12_a_sync_that_fails_inside_recovery_publishes_nothing_and_loses_nothing() {
    for seed in 0..60 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        assert!(script_with(&disk, &mut model, (seed % 20, Fault::Forget), |operation, name| {
            operation == Operation::Sync && name.contains("log/")
        }));
        disk.kill();
        for fault in [Fault::Forget, Fault::Forget, Fault::Fail(ErrorKind::Other)] {
            disk.inject(move |request| {
                (request.operation == Operation::Sync && request.name.ends_with(".seg")).then_some(fault)
            });
            if disk.tree().keys().any(|name| name.ends_with(".seg")) {
                let error = Session::open(&disk, &mut model).map(drop).unwrap_err();
                assert!(error.is_io(), "{error}");
            }
        }
        disk.behave();
        let session = Session::open(&disk, &mut model).unwrap();
        drop(session);
        disk.cut_power();
        go_on(&disk, &mut model);
    }
}

#[test]
fn test_13_a_directory_sync_that_fails_in_a_roll_poisons_and_is_made_good_by_opening() {
    for seed in 0..20 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        // The first is that of the new log, the second that of the first roll.
        assert!(script_with(&disk, &mut model, (1, Fault::Forget), |operation, name| {
            operation == Operation::SyncDirectory && name == "log"
        }));
        assert_eq!(segments(&disk), 2);
        disk.kill();
        drop(Session::open(&disk, &mut model).unwrap());
        if seed % 2 == 0 {
            disk.cut_power();
        }
        go_on(&disk, &mut model);
    }
}

#[test]
fn test_14_short_and_interrupted_writes_go_on_and_a_full_disk_in_the_middle_of_one_poisons() {
    for (fault, is_harmless) in [
        (Fault::Short, true),
        (Fault::Fail(ErrorKind::Interrupted), true),
        (Fault::Fail(ErrorKind::StorageFull), false),
        (Fault::Fail(ErrorKind::Other), false),
    ] {
        for parts in 0..4 {
            let disk = Disk::new(14);
            let mut model = Model::default();
            let mut session = Session::open(&disk, &mut model).unwrap();
            session.work(&mut Dice::new(1), 1).unwrap();
            let mut writes = 0;
            disk.inject(move |request| {
                let hit = request.operation == Operation::Write && request.name.ends_with(".seg");
                writes += u64::from(hit);
                // Some bytes are written before it happens.
                if hit && writes <= parts { Some(Fault::Short) } else { (hit && writes == parts + 1).then_some(fault) }
            });
            let groups = || vec![(stream(1), Expected::Any, frames(&mut Dice::new(4), &[600, 600]))];
            let written = session.write(groups()).and_then(|_| session.sync());
            assert_eq!(written.is_ok(), is_harmless, "{fault:?}");
            disk.behave();
            if !is_harmless {
                assert!(session.writer.is_poisoned());
                let error = session.writer.write(vec![]).unwrap_err();
                assert!(error.is_poisoned() && error.to_string().contains("could not write /disk/log"), "{error}");
                assert!(session.writer.sync().unwrap_err().is_poisoned());
                assert!(session.writer.idle().unwrap_err().is_poisoned());
                assert_eq!(events(&session.log).unwrap(), session.model.confirmed, "reading goes on");
                assert!(session.close().unwrap_err().is_poisoned());
            } else {
                session.close().unwrap();
            }
            go_on(&disk, &mut model);
        }
    }
}

#[test]
fn test_15_without_room_for_a_segment_nothing_is_written_and_all_goes_on_when_there_is_room() {
    let disk = Disk::new(15);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    let mut dice = Dice::new(15);
    disk.set_space(Some(64));
    let refused = loop {
        if let Err(error) = session.work(&mut dice, 1) {
            break error;
        }
    };
    assert!(refused.is_no_space(), "{refused}");
    assert!(!session.writer.is_poisoned());
    assert_eq!(segments(&disk), 1);
    assert!(!disk.tree().keys().any(|name| name.ends_with(".tmp")));
    assert_eq!(events(&session.log).unwrap(), session.model.confirmed);
    session.writer.idle().unwrap();
    let mut closed = session.model.clone();
    let left = disk.fork(1);
    disk.set_space(None);
    session.work(&mut dice, 3).unwrap();
    session.close().unwrap();
    go_on(&disk, &mut model);

    left.set_space(Some(64));
    Session::open(&left, &mut closed).unwrap().close().unwrap();
    left.cut_power();
    go_on(&left, &mut closed);
}

#[test]
fn test_16_a_read_that_fails_in_recovery_is_said_and_changes_no_byte() {
    let disk = Disk::new(16);
    let mut model = Model::default();
    script(&disk, &mut model).unwrap();
    drop(Session::open(&disk, &mut model).unwrap());
    torn(&disk, &mut model);
    disk.put("log/00000000000000aa.tmp", &[0; 9000]);
    let before = disk.tree();
    let mut failed = 0;
    for nth in 0.. {
        let mut count = 0;
        disk.inject(move |request| {
            let hit = matches!(request.operation, Operation::Read | Operation::Length | Operation::List);
            count += u64::from(hit);
            (hit && count == nth + 1).then_some(Fault::Fail(ErrorKind::Other))
        });
        match Log::open(disk.process(), &options(500)) {
            Err(error) => {
                assert!(error.is_io(), "{error}");
                assert_eq!(disk.tree(), before);
                failed += 1;
            }
            Ok(_) => break,
        }
    }
    assert!(failed > 10, "{failed}");
    disk.behave();
    disk.kill();
    go_on(&disk, &mut model);
}

#[test]
fn test_17_a_log_goes_on_without_watermark() {
    let disk = Disk::new(17);
    let mut model = Model::default();
    disk.inject(|request| {
        let is_write = matches!(request.operation, Operation::Write | Operation::CreateNew | Operation::Sync);
        (is_write && request.name == "WATERMARK").then_some(Fault::Fail(ErrorKind::StorageFull))
    });
    script(&disk, &mut model).unwrap();
    assert!(!disk.tree().contains_key("WATERMARK"));
    disk.behave();
    disk.cut_power();
    go_on(&disk, &mut model);
    assert_eq!(disk.tree()["WATERMARK"].len(), 64, "it is made again when it can be");
}

#[test]
fn test_18_a_disk_that_lied_about_syncs_is_refused_and_never_silent() {
    let mut refused = 0;
    for seed in 0..60 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        script(&disk, &mut model).unwrap();
        let mut session = Session::open(&disk, &mut model).unwrap();
        let lies = 1 + seed % 3;
        disk.inject(|request| {
            let is_segment = request.operation == Operation::Sync && request.name.ends_with(".seg");
            is_segment.then_some(Fault::Lie)
        });
        session.work(&mut Dice::new(seed), lies).unwrap();
        disk.behave();
        // WATERMARK reaches the disk, what it speaks of does not.
        disk.cut_power_with(|name, _, _| if name.ends_with(".seg") { Fate::Old } else { Fate::New });
        let before = disk.tree();
        match Log::open(disk.process(), &options(900)) {
            Err(error) => {
                assert!(error.is_damage(), "{error}");
                assert_eq!(disk.tree(), before);
                let Error::Damaged { proven, missing, .. } = error else { unreachable!() };
                assert_eq!(proven.get(), model.confirmed.len() as u64 + 1);
                assert!(missing < proven);
                refused += 1;
            }
            Ok((log, _writer)) => assert_eq!(events(&log).unwrap(), model.confirmed),
        }
    }
    assert!(refused > 30, "{refused}");
}
