//! F: how many single durable writes the disk takes in a second.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use crate::Effort;

/// Bytes of one record.
const RECORD: usize = 200;

/// Writes of 200 bytes per second, each followed by fdatasync, on one thread, into a zero-filled file.
pub(crate) fn floor(effort: Effort) -> f64 {
    let writes = effort.rounds(400);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("floor");
    let mut file = File::create(&path).expect("a file in it");
    file.write_all(&vec![0; writes * RECORD]).expect("room for it");
    file.sync_all().expect("a disk that syncs");
    let record = [7_u8; RECORD];
    let began = Instant::now();
    for place in 0..writes {
        file.write_all_at(&record, (place * RECORD) as u64).expect("a write into the file");
        file.sync_data().expect("a disk that syncs");
    }
    writes as f64 / began.elapsed().as_secs_f64()
}
