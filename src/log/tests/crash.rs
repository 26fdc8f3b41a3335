//! Kills and power cuts at every operation (1 to 6, 8 to 10, P8).

use proptest::prelude::*;

use super::model::{Model, SEGMENT, Session, frames, long, options, stream, visible};
use crate::log::{Error, Expected, Log, Reader};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, Fate, Fault, Operation};

/// A fixed history: three openings, a dozen writes and more, three rolls or more.
pub(super) fn script(disk: &Disk, model: &mut Model) -> Result<(), Error> {
    let mut dice = Dice::new(7);
    for _ in 0..3 {
        let mut session = Session::open(disk, model)?;
        session.work(&mut dice, 6)?;
        session.close()?;
    }
    Ok(())
}

pub(super) fn segments(disk: &Disk) -> usize {
    disk.tree().keys().filter(|name| name.ends_with(".seg")).count()
}

/// Opens what is left, checks it, goes on writing, and sees that a reader agrees.
pub(super) fn go_on(disk: &Disk, model: &mut Model) {
    let mut session = Session::open(disk, model).unwrap();
    session.work(&mut Dice::new(3), 1).unwrap();
    session.close().unwrap();
    let reader = Reader::open(disk.process()).unwrap();
    assert_eq!(visible(&reader), model.confirmed);
}

fn script_until(number: u64, fault: Fault) -> (Disk, Model) {
    let disk = Disk::new(number);
    let mut model = Model::default();
    disk.inject(move |request| (request.number == number).then_some(fault));
    let _ = script(&disk, &mut model);
    disk.behave();
    disk.kill();
    (disk, model)
}

fn requests_of_script() -> u64 {
    let disk = Disk::new(1);
    script(&disk, &mut Model::default()).unwrap();
    assert!(segments(&disk) >= 4, "the script rolls three times");
    disk.requests()
}

/// A disk as it may be after a crash: the page cache is there, or some of it was lost.
pub(super) fn after_crash(disk: &Disk, seed: u64) -> Disk {
    let left = disk.fork(seed);
    if seed % 2 == 1 {
        left.cut_power();
    }
    left
}

#[test]
fn test_01_a_crash_at_any_operation_leaves_what_was_acknowledged_and_whole_groups() {
    for number in 0..requests_of_script() {
        let fault = if number % 2 == 0 { Fault::Kill } else { Fault::KillAfter };
        let (disk, model) = script_until(number, fault);
        for seed in 0..2 * long() {
            go_on(&after_crash(&disk, seed), &mut model.clone());
        }
    }
}

#[test]
fn test_02_a_crash_inside_recovery_and_inside_the_recovery_from_that_changes_nothing() {
    let mut dice = Dice::new(2);
    let requests = requests_of_script();
    for seed in 0..40 * long() {
        let (disk, model) = script_until(dice.below(requests), Fault::KillAfter);
        let first = after_crash(&disk, seed);
        // Every operation of the recovery, and every third of the recovery from that.
        crash_opening(&first, &model, 1, &mut dice, 2);
    }
}

/// Opens the log and crashes at every `stride`-th operation, then the same with what is left, `depth` times.
fn crash_opening(disk: &Disk, model: &Model, stride: u64, dice: &mut Dice, depth: u32) {
    for number in (0..).step_by(usize::try_from(stride).unwrap()) {
        let left = disk.fork(dice.roll());
        left.inject(move |request| (request.number == number).then_some(Fault::KillAfter));
        let mut model = model.clone();
        let opened = Session::open(&left, &mut model).map(drop).is_ok();
        left.behave();
        left.kill();
        if opened {
            go_on(&left, &mut model);
            return;
        }
        let left = after_crash(&left, dice.roll());
        if depth > 1 {
            crash_opening(&left, &model, stride * 5 + dice.below(9), dice, depth - 1);
        } else {
            go_on(&left, &mut model);
        }
    }
}

#[test]
fn test_03_a_roll_that_was_killed_before_its_name_was_durable_is_made_durable_by_opening() {
    for seed in 0..20 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        // The second segment gets its name, and the process is killed.
        disk.inject(|request| {
            (request.operation == Operation::Rename && request.name.contains("2.seg")).then_some(Fault::KillAfter)
        });
        assert!(script(&disk, &mut model).is_err());
        disk.behave();
        assert_eq!(segments(&disk), 2);
        let mut session = Session::open(&disk, &mut model).unwrap();
        session.write_some(&mut Dice::new(seed)).unwrap();
        session.sync().unwrap();
        disk.cut_power();
        go_on(&disk, &mut model);
    }
}

/// A log with one whole write of one group, and behind it the beginning of another.
pub(super) fn torn(disk: &Disk, model: &mut Model) {
    let mut session = Session::open(disk, model).unwrap();
    session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(1), &[100]))]).unwrap();
    session.sync().unwrap();
    session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(1), &[900, 900]))]).unwrap();
    disk.cut_power_with(|name, index, _| if name.ends_with(".seg") && index > 1 { Fate::Old } else { Fate::New });
}

#[test]
fn test_04_a_torn_segment_without_events_is_left_for_the_next_number() {
    let disk = Disk::new(4);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(1), &[900, 900]))]).unwrap();
    disk.cut_power_with(|name, index, _| if name.ends_with(".seg") && index > 1 { Fate::Old } else { Fate::New });
    let before = disk.tree()["log/0000000001.seg"].clone();
    go_on(&disk, &mut model);
    let tree = disk.tree();
    assert_eq!(tree["log/0000000001.seg"], before, "what is torn is not touched");
    assert!(tree.contains_key("log/0000000002.seg"));
    assert_eq!(tree["log/0000000002.seg"].len() as u64, SEGMENT);
}

#[test]
fn test_05_a_tear_at_any_byte_is_cut_at_the_end_of_a_group() {
    let disk = Disk::new(5);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.write(vec![(stream(9), Expected::Any, frames(&mut Dice::new(1), &[30]))]).unwrap();
    session.sync().unwrap();
    let mut dice = Dice::new(5);
    let groups: Vec<_> = [&[20][..], &[9, 8], &[40, 1, 17], &[8, 8, 8, 8], &[5, 3]]
        .iter()
        .enumerate()
        .map(|(index, lengths)| (stream(index as u64 % 3), Expected::Any, frames(&mut dice, lengths)))
        .collect();
    let name = "log/0000000001.seg";
    let before = disk.tree()[name].clone();
    session.write(groups).unwrap();
    disk.kill();
    let after = disk.tree()[name].clone();
    let changed = |index: &usize| before[*index] != after[*index];
    let (first, last) = ((0..after.len()).find(changed).unwrap(), (0..after.len()).rfind(changed).unwrap());
    for cut in first..=last + 1 {
        let torn = disk.fork(cut as u64);
        torn.edit(name, |bytes| bytes[cut..].copy_from_slice(&before[cut..]));
        let mut model = model.clone();
        let (log, writer) = Log::open(torn.process(), &options(99)).unwrap();
        let found = super::model::events(&log).unwrap();
        model.check(&found).unwrap();
        assert_eq!(found.last().map(|entry| entry.last), Some(true), "cut at byte {cut}");
        drop(writer);
        model.settle(found);
    }
}

#[test]
fn test_06_of_a_write_any_one_sector_may_survive_or_be_lost() {
    type Keep = fn(usize, usize) -> bool;
    let keeps: [Keep; 6] = [
        |index, _| index == 0,
        |index, count| index + 1 == count,
        |index, count| index != count / 2,
        |index, _| index != 0,
        |index, count| index + 1 != count,
        |_, _| false,
    ];
    for (case, keep) in keeps.into_iter().enumerate() {
        let disk = Disk::new(case as u64);
        let mut model = Model::default();
        let mut session = Session::open(&disk, &mut model).unwrap();
        session.work(&mut Dice::new(1), 2).unwrap();
        session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(1), &[700, 700, 700]))]).unwrap();
        disk.cut_power_with(
            |name, index, count| {
                if name.ends_with(".seg") && !keep(index, count) { Fate::Old } else { Fate::New }
            },
        );
        go_on(&disk, &mut model);
    }
}

#[test]
fn test_08_a_crash_while_watermark_is_written_is_no_harm() {
    for seed in 0..30 * long() {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        let number = std::sync::atomic::AtomicU64::new(0);
        disk.inject(move |request| {
            let is_watermark = request.operation == Operation::Write && request.name == "WATERMARK";
            let count = number.fetch_add(u64::from(is_watermark), std::sync::atomic::Ordering::Relaxed);
            (is_watermark && count == seed % 15).then_some(Fault::KillAfter)
        });
        // The last write of all may be the one: its failure is nobody's.
        let _ = script(&disk, &mut model);
        disk.behave();
        disk.kill();
        go_on(&after_crash(&disk, seed), &mut model);
    }
}

#[test]
fn test_09_a_crash_at_any_operation_of_the_very_first_opening_loses_nothing_later() {
    for number in 0.. {
        for seed in 0..6 * long() {
            let disk = Disk::new(number * 100 + seed);
            let mut model = Model::default();
            let fault = if seed % 2 == 0 { Fault::Kill } else { Fault::KillAfter };
            disk.inject(move |request| (request.number == number).then_some(fault));
            let opened = Session::open(&disk, &mut model).map(drop).is_ok();
            disk.behave();
            disk.kill();
            let left = after_crash(&disk, seed / 2);
            // What is acknowledged behind a half made directory must survive a power cut too.
            let mut session = Session::open(&left, &mut model).unwrap();
            session.work(&mut Dice::new(seed), 2).unwrap();
            left.cut_power();
            go_on(&left, &mut model);
            if opened {
                return;
            }
        }
    }
}

#[test]
fn test_10_a_thousand_kills_while_starting_leave_at_most_two_segments() {
    let disk = Disk::new(10);
    let mut model = Model::default();
    torn(&disk, &mut model);
    let mut dice = Dice::new(10);
    for _ in 0..1_000 {
        let number = disk.requests() + dice.below(40);
        disk.inject(move |request| (request.number == number).then_some(Fault::KillAfter));
        let _ = Session::open(&disk, &mut model);
        disk.behave();
        disk.kill();
    }
    go_on(&disk, &mut model);
    assert_eq!(segments(&disk), 2);
    assert!(!disk.tree().keys().any(|name| name.ends_with(".tmp")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64 * long() as u32, ..ProptestConfig::default() })]

    /// P8: whatever is lost of what was not synced, in any number of crashes, also inside recovery, exactly a prefix
    /// is recovered that holds all that was acknowledged and ends with a group.
    #[test]
    fn any_history_of_crashes_recovers_a_prefix(seed: u64, crashes in 1_usize..6) {
        let disk = Disk::new(seed);
        let mut dice = Dice::new(seed);
        let mut model = Model::default();
        for _ in 0..crashes {
            let number = disk.requests() + dice.below(150);
            let fault = match dice.below(5) {
                0 => Fault::Kill,
                1 => Fault::Forget,
                2 => Fault::Fail(std::io::ErrorKind::Other),
                _ => Fault::KillAfter,
            };
            disk.inject(move |request| (request.number == number).then_some(fault));
            if let Ok(mut session) = Session::open(&disk, &mut model) {
                let _ = session.work(&mut dice, 8);
                let _ = session.close();
            }
            disk.behave();
            disk.kill();
            if dice.once_in(2) {
                disk.cut_power();
            }
        }
        go_on(&disk, &mut model);
    }
}
