//! Logs with a defect in them: the checks of these tests must find each one (51).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::model::{Entry, Model, events, frames, long, options, read_everything, stream};
use super::seam::{Between, Verdict, seam};
use crate::log::record::{self, Flags};
use crate::log::segment::Header;
use crate::log::watermark::Watermark;
use crate::log::{Expected, Folder, Group, Log, Offset, Reader, Storage, StorageFile};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, Fault, Operation, Request};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    /// Recovery does not write the end of the log again and does not sync it.
    NoConfirmation,
    /// Recovery does not sync the segments' directory.
    NoDirectorySync,
    /// Events are acknowledged before they are synced.
    EarlyAnswer,
    /// WATERMARK is written before what it speaks of is synced.
    EarlyWatermark,
    /// Recovery goes on in a segment whose end is torn.
    TornSegmentReused,
    /// The last frame of a group is not marked.
    LastLost,
    /// A reader delivers one event too many.
    HorizonTooHigh,
    /// Where streams end is forgotten when a segment's index takes over from memory.
    HeadEvictedEarly,
}

/// The defect at work between a log and its disk.
struct Saboteur {
    defect: Defect,
    is_opening: Arc<AtomicBool>,
    late: Option<Arc<dyn StorageFile>>,
    /// The newest segment and its end, as recovery should see them.
    end: Option<(String, u64)>,
    salt: u64,
}

fn is_segment(name: &str) -> bool {
    name.starts_with("log/")
}

impl Saboteur {
    fn is_opening(&self) -> bool {
        self.is_opening.load(Ordering::Relaxed)
    }
}

impl Between for Saboteur {
    fn read(&mut self, name: &str, bytes: &mut [u8], offset: u64) {
        if self.defect == Defect::TornSegmentReused
            && self.is_opening()
            && let Some((segment, end)) = &self.end
            && segment == name
        {
            let from = end.saturating_sub(offset).min(bytes.len() as u64) as usize;
            bytes[from..].fill(0);
        }
        if self.defect == Defect::HorizonTooHigh
            && name == "WATERMARK"
            && let Some(mark) = Watermark::decode(bytes)
        {
            bytes.copy_from_slice(&Watermark { position: mark.position.next(), ..mark }.encode());
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8], offset: u64) -> Verdict {
        if let Ok(header) = Header::decode(bytes) {
            self.salt = header.salt;
            return Verdict::Pass;
        }
        if bytes.starts_with(b"STABIDX1") {
            let is_meant = self.defect == Defect::HeadEvictedEarly;
            return if is_meant { Verdict::Replace(without_streams(bytes)) } else { Verdict::Pass };
        }
        match self.defect {
            Defect::NoConfirmation if self.is_opening() && name.ends_with(".seg") => Verdict::Swallow,
            Defect::LastLost if is_segment(name) => Verdict::Replace(without_last(bytes, self.salt, offset)),
            _ => Verdict::Pass,
        }
    }

    fn written(&mut self, name: &str) {
        if name == "WATERMARK"
            && let Some(file) = self.late.take()
        {
            let _ = file.sync_data();
        }
    }

    fn sync(&mut self, name: &str, file: &Arc<dyn StorageFile>) -> Verdict {
        match self.defect {
            Defect::NoConfirmation if self.is_opening() && name.ends_with(".seg") => Verdict::Swallow,
            Defect::EarlyWatermark if is_segment(name) && !self.is_opening() => {
                self.late = Some(Arc::clone(file));
                Verdict::Swallow
            }
            _ => Verdict::Pass,
        }
    }

    fn sync_directory(&mut self, folder: Folder) -> Verdict {
        let is_meant = self.defect == Defect::NoDirectorySync && self.is_opening() && self.end.is_some();
        if is_meant && folder == Folder::Log { Verdict::Swallow } else { Verdict::Pass }
    }
}

/// The index with a bloom filter that knows no stream.
fn without_streams(bytes: &[u8]) -> Vec<u8> {
    let mut other = bytes.to_vec();
    other[4096..8188].fill(0);
    let crc = record::checksum(&[&other[4096..8188]]);
    other[8188..8192].copy_from_slice(&crc.to_le_bytes());
    other
}

/// The frames with the mark of the last one of the first group gone, and all else in order.
fn without_last(bytes: &[u8], salt: u64, offset: u64) -> Vec<u8> {
    let mut other = Vec::new();
    let mut is_gone = false;
    while let Ok(frame) = record::decode(&bytes[other.len()..], salt, Offset::new(offset + other.len() as u64)) {
        let mut head = frame.head;
        if head.flags.is_last() && !head.flags.is_control() && !is_gone {
            is_gone = true;
            head.flags = Flags::of(if head.flags.is_first() { 0 } else { 1 }, 3);
        }
        record::encode(&mut other, salt, frame.offset, &head, frame.payload);
    }
    assert_eq!(other.len().max(1), bytes.len().max(1), "what is no header is frames");
    other
}

/// The newest segment, where recovery ends it, and its salt.
fn newest_end(disk: &Disk) -> Option<(String, u64, u64)> {
    let fork = disk.fork(0);
    let name = fork.tree().into_keys().rfind(|name| name.ends_with(".seg"))?;
    let salt = Header::decode(&fork.tree()[&name]).ok()?.salt;
    Log::open(fork.process(), &options(1_000)).ok()?;
    let tree = fork.tree();
    let end = match tree.iter().rfind(|(name, _)| name.ends_with(".seg"))? {
        (newest, _) if *newest == name => Watermark::decode(&tree["WATERMARK"])?.end.get(),
        (_, bytes) => Header::decode(bytes).ok()?.previous?.end.get(),
    };
    Some((name, end, salt))
}

fn storage(disk: &Disk, defect: Defect) -> (Arc<dyn Storage>, Arc<AtomicBool>) {
    let is_opening = Arc::new(AtomicBool::new(true));
    let found = newest_end(disk);
    let salt = found.as_ref().map_or(0, |(_, _, salt)| *salt);
    let end = found.map(|(name, end, _)| (name, end));
    let saboteur = Saboteur { defect, is_opening: Arc::clone(&is_opening), late: None, end, salt };
    (seam(disk, saboteur), is_opening)
}

/// What everybody has been told so far.
#[derive(Default)]
struct Told {
    model: Model,
    /// What a reader has seen.
    seen: Vec<Entry>,
}

impl Told {
    fn check(&mut self, found: Vec<Entry>) -> Result<(), String> {
        self.model.check(&found)?;
        if !found.starts_with(&self.seen) {
            return Err("a reader has seen what is not there".to_owned());
        }
        self.model.settle(found);
        Ok(())
    }

    fn read(&mut self, disk: &Disk, defect: Defect) -> Result<(), String> {
        let Ok(reader) = Reader::open(storage(disk, defect).0) else { return Ok(()) };
        if let Some(damage) = reader.damage() {
            return Err(format!("a reader was told of damage: {damage}"));
        }
        let records = match read_everything(|from, limit| reader.read_all(from, limit)) {
            Ok(records) => records,
            Err(error) if error.is_damage() => return Err(error.to_string()),
            // The process was killed while it read.
            Err(_) => return Ok(()),
        };
        self.seen = records.iter().map(Entry::of).collect();
        Ok(())
    }

    /// Opens the log and writes a few times, until something fails.
    fn run(&mut self, disk: &Disk, defect: Defect, dice: &mut Dice) -> Result<(), String> {
        self.model.opened += 1;
        let (storage, is_opening) = storage(disk, defect);
        let (log, mut writer) = match Log::open(storage, &options(self.model.opened)) {
            Ok(opened) => opened,
            Err(error) if error.is_damage() => return Err(error.to_string()),
            Err(_) => return Ok(()),
        };
        is_opening.store(false, Ordering::Relaxed);
        let mut aftercare = writer.aftercare();
        let Ok(found) = events(&log) else { return Ok(()) };
        self.check(found)?;
        for _ in 0..1 + dice.below(8) {
            // All frames have one length, so that what is left of an old write may fit behind a new one.
            let lengths = |dice: &mut Dice| vec![64; 1 + dice.below(3) as usize];
            let groups: Vec<_> = (0..1 + dice.below(6))
                .map(|_| {
                    (stream(dice.below(2)), Expected::Any, {
                        let lengths = lengths(dice);
                        frames(dice, &lengths)
                    })
                })
                .collect();
            self.model.expect(&groups);
            let now = Timestamp::from_microseconds(1);
            let groups = groups
                .into_iter()
                .map(|(stream, expected, frames)| Group::new(stream, expected, now, frames).unwrap())
                .collect();
            if writer.write(groups).is_err() {
                return Ok(());
            }
            if defect == Defect::EarlyAnswer {
                self.model.confirm();
            }
            if dice.once_in(4) {
                self.read(disk, defect)?;
            }
            if writer.sync().is_err() {
                return Ok(());
            }
            self.model.confirm();
            // What it cannot do now it does later.
            let _ = aftercare.perform();
        }
        if dice.once_in(3) {
            let _ = writer.close();
        }
        Ok(())
    }
}

/// A history of crashes and failures.
///
/// # Errors
///
/// What contradicts what was told to somebody.
fn history(seed: u64, defect: Defect) -> Result<(), String> {
    let disk = Disk::new(seed);
    let mut dice = Dice::new(seed);
    let mut told = Told::default();
    for _ in 0..4 {
        inject(&disk, &mut dice);
        told.run(&disk, defect, &mut dice)?;
        disk.behave();
        disk.kill();
        if dice.once_in(2) {
            disk.cut_power();
        }
    }
    told.run(&disk, defect, &mut dice)
}

fn is_segment_sync(request: &Request) -> bool {
    request.operation == Operation::Sync && request.name.ends_with(".seg")
}

/// One fault somewhere ahead.
fn inject(disk: &Disk, dice: &mut Dice) {
    let kind = dice.below(6);
    let mut left = Some(match kind {
        1 => dice.below(2),
        2 | 3 => dice.below(8),
        _ => dice.below(120),
    });
    disk.inject(move |request| {
        let (is_meant, fault) = match kind {
            0 => (false, Fault::Kill),
            1 => (request.operation == Operation::Rename, Fault::KillAfter),
            2 => (is_segment_sync(request), Fault::Forget),
            3 => (is_segment_sync(request), Fault::Kill),
            _ => (true, Fault::KillAfter),
        };
        let is_due = is_meant && left == Some(0);
        if is_meant {
            left = left.and_then(|left| left.checked_sub(1));
        }
        is_due.then_some(fault)
    });
}

#[test]
fn test_51_a_log_without_defects_contradicts_nobody() {
    for seed in 0..150 * long() {
        history(seed, Defect::None).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
}

#[test]
fn test_51_every_seeded_defect_is_found() {
    for defect in [
        Defect::NoConfirmation,
        Defect::NoDirectorySync,
        Defect::EarlyAnswer,
        Defect::EarlyWatermark,
        Defect::TornSegmentReused,
        Defect::LastLost,
        Defect::HorizonTooHigh,
        Defect::HeadEvictedEarly,
    ] {
        let found = (0..1_000).find(|seed| history(*seed, defect).is_err());
        if long() > 1 {
            println!("{defect:?} {found:?}");
        }
        assert!(found.is_some(), "{defect:?} goes unnoticed");
    }
}
