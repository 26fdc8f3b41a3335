//! Directories and logs with bytes in them that nobody wrote (29).

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::crash::{script, torn};
use super::model::{Model, events, long, options, read_everything};
use crate::ids::Sequence;
use crate::log::{Log, Reader, dump, verify};
use crate::testing::dice::Dice;
use crate::testing::disk::Disk;

/// Where the first frame of a segment begins.
const FRAMES: usize = 8192;

/// Opens whatever this is in every way there is.
fn open_all(disk: &Disk) {
    let _ = verify(disk.process());
    let _ = dump(disk.process(), &mut |_| ControlFlow::Continue(()));
    if let Ok(reader) = Reader::open(disk.process()) {
        let seen = read_everything(|from, limit| reader.read_all(from, limit));
        assert!(seen.is_ok_and(|seen| seen.len() as u64 + 1 == reader.horizon().get()) || reader.damage().is_some());
        for (stream, last) in reader.heads().unwrap() {
            assert_eq!(reader.head(stream).unwrap(), Some(last));
            let read = reader.read_stream(stream, Sequence::FIRST, 5);
            assert!(read.is_ok_and(|read| !read.is_empty()) || reader.damage().is_some());
        }
    }
    if let Ok((log, mut writer)) = Log::open(disk.process(), &options(8)) {
        let read = events(&log);
        assert!(read.as_ref().is_ok_and(|read| read.len() as u64 + 1 == log.durable().get()) || read.is_err());
        let group = super::model::any_group(&mut Dice::new(1), 5);
        // Where a stream ends, a damaged segment without an index cannot say.
        match writer.write(vec![group]) {
            Ok(_) => drop(writer.sync().unwrap()),
            Err(error) => assert!(error.is_damage() && !writer.is_poisoned() && read.is_err()),
        }
        writer.close().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64 * long() as u32, ..ProptestConfig::default() })]

    #[test]
    fn test_29_arbitrary_bytes_in_a_directory_never_panic(
        segments in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..3),
        watermark in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let disk = Disk::new(1);
        for (index, bytes) in segments.iter().enumerate() {
            let mut bytes = bytes.clone();
            bytes.resize(16_384, 0);
            disk.put(&format!("log/{:010}.seg", index + 1), &bytes);
        }
        disk.put("WATERMARK", &watermark);
        disk.put("log/0000000000000001.tmp", &watermark);
        open_all(&disk);
    }

    #[test]
    fn test_29_a_log_with_arbitrary_bytes_in_it_never_panics(
        seed: u64,
        splices in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 1..20)), 1..6),
    ) {
        let disk = Disk::new(seed);
        let mut model = Model::default();
        if seed % 3 == 0 {
            torn(&disk, &mut model);
        } else {
            script(&disk, &mut model).unwrap();
        }
        disk.kill();
        let names: Vec<String> = disk.tree().into_keys().collect();
        for (place, bytes) in splices {
            let name = &names[place as usize % names.len()];
            disk.edit(name, |file| {
                // Most of a segment is zero: what is changed is mostly frames.
                let place = if name.ends_with(".seg") && place % 4 > 0 { FRAMES + place as usize % 900 } else { place.into() };
                let end = (place + bytes.len()).min(file.len());
                if place < end {
                    file[place..end].copy_from_slice(&bytes[..end - place]);
                }
            });
        }
        open_all(&disk);
    }
}
