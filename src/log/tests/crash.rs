//! Kills and power cuts at every operation (tests 1 to 6, 8 to 10).

use super::model::{Model, Session, long, visible};
use crate::log::{Error, Reader};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, Fault};

/// A fixed history: three openings, a dozen writes, three rolls or more.
fn script(disk: &Disk, model: &mut Model) -> Result<(), Error> {
    let mut dice = Dice::new(7);
    for _ in 0..3 {
        let mut session = Session::open(disk, model)?;
        session.work(&mut dice, 6)?;
        session.close()?;
    }
    Ok(())
}

fn segments(disk: &Disk) -> usize {
    disk.tree().keys().filter(|name| name.ends_with(".seg")).count()
}

/// Opens what is left, checks it, goes on writing, and sees that a reader agrees.
fn go_on(disk: &Disk, model: &mut Model) {
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
    (disk, model)
}

fn requests_of_script() -> u64 {
    let disk = Disk::new(1);
    script(&disk, &mut Model::default()).unwrap();
    assert!(segments(&disk) >= 4, "the script rolls three times");
    disk.requests()
}

#[test]
fn test_01_a_crash_at_any_operation_leaves_what_was_acknowledged_and_whole_groups() {
    for number in 0..requests_of_script() {
        for fault in [Fault::Kill, Fault::KillAfter] {
            let (disk, model) = script_until(number, fault);
            disk.kill();
            let killed = disk.fork(number);
            go_on(&killed, &mut model.clone());
            for seed in 0..2 * long() {
                let cut = disk.fork(seed * 1_000 + number);
                cut.cut_power();
                go_on(&cut, &mut model.clone());
            }
        }
    }
}
