//! A directory that format 1 has left, byte for byte (50). `STABILIZE_BLESS=1` writes it anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::model::{Model, Session, frames, options, stream, visible};
use crate::ids::Position;
use crate::log::record;
use crate::log::segment::{Copies, FRAMES_START};
use crate::log::watermark::Watermark;
use crate::log::{Expected, FileStorage, Log, Offset, Reader, Storage, verify};
use crate::testing::dice::Dice;
use crate::testing::disk::Disk;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/log/format-1")
}

const FILES: [&str; 6] =
    ["LOCK", "WATERMARK", "log/0000000001.seg", "log/0000000002.seg", "log/0000000003.seg", "log/0000000004.seg"];

/// The history that the directory holds: four segments, a witness in the middle, an orderly end.
pub(super) fn write_history(disk: &Disk) -> Model {
    let mut model = Model::default();
    for opened in 0..2 {
        let mut session = Session::open(disk, &mut model).unwrap();
        let mut dice = Dice::new(50 + opened);
        for number in 0..4 {
            let group = |dice: &mut Dice, lengths: &[usize]| (stream(number % 3), Expected::Any, frames(dice, lengths));
            let groups = vec![group(&mut dice, &[1, 8, 300]), group(&mut dice, &[63]), group(&mut dice, &[700])];
            session.write(groups).unwrap();
            session.sync().unwrap();
        }
        session.writer.idle().unwrap();
        session.close().unwrap();
    }
    model
}

fn bless(disk: &Disk) {
    fs::create_dir_all(golden().join("log")).unwrap();
    for (name, bytes) in disk.tree() {
        fs::write(golden().join(name), bytes).unwrap();
    }
}

#[test]
fn test_50_this_version_writes_format_1_as_the_first_one_did() {
    let disk = Disk::new(50);
    write_history(&disk);
    if std::env::var_os("STABILIZE_BLESS").is_some() {
        bless(&disk);
    }
    let tree = disk.tree();
    assert!(tree.keys().eq(FILES.iter()));
    for (name, bytes) in &tree {
        assert!(fs::read(golden().join(name)).unwrap() == *bytes, "{name} is not what it was");
    }
}

#[test]
fn test_50_a_directory_of_format_1_is_read_and_goes_on() {
    let model = write_history(&Disk::new(50));
    let reader = Reader::open(Arc::new(FileStorage::new(golden()))).unwrap();
    assert_eq!(visible(&reader), model.confirmed);
    let report = verify(Arc::new(FileStorage::new(golden()))).unwrap();
    assert_eq!((report.events, report.findings.len(), report.torn.len()), (40, 0, 0));

    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("log")).unwrap();
    for name in FILES {
        fs::copy(golden().join(name), directory.path().join(name)).unwrap();
    }
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(directory.path()));
    let (log, mut writer) = Log::open(Arc::clone(&storage), &options(1)).unwrap();
    assert_eq!(log.durable(), Position::new(41).unwrap());
    writer.write(vec![super::model::any_group(&mut Dice::new(1), 1)]).unwrap();
    assert!(writer.sync().unwrap() > Position::new(41).unwrap());
    writer.close().unwrap();
    assert!(verify(storage).unwrap().findings.is_empty());
}

#[test]
fn test_50_every_byte_of_format_1_is_written_back_equal() {
    let watermark = fs::read(golden().join("WATERMARK")).unwrap();
    assert_eq!(Watermark::decode(&watermark).unwrap().encode(), watermark);
    let mut decoded = 0;
    for name in FILES.iter().filter(|name| name.ends_with(".seg")) {
        let bytes = fs::read(golden().join(name)).unwrap();
        let Copies { a: Ok(header), b: Ok(other) } = Copies::decode(&bytes) else { panic!("both copies are there") };
        assert_eq!(header, other);
        let start = FRAMES_START.get() as usize;
        assert_eq!(header.encode(), bytes[..start]);
        let mut written = Vec::new();
        while let Ok(frame) = record::decode(&bytes[start + written.len()..], header.salt, offset(&written)) {
            record::encode(&mut written, header.salt, frame.offset, &frame.head, frame.payload);
            decoded += 1;
        }
        assert_eq!(written, bytes[start..start + written.len()]);
        assert!(bytes[start + written.len()..].iter().all(|byte| *byte == 0));
    }
    assert_eq!(decoded, 40 + 4, "all events, and WITNESS and CLOSE twice");
}

fn offset(written: &[u8]) -> Offset {
    FRAMES_START.plus(written.len() as u64)
}
