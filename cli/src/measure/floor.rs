//! F: how many single durable writes the disk takes in a second.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::error::Error;
use super::part::{Effort, Spent, Workload};
use super::scratch::Scratch;
use super::setting::Setting;

/// Bytes of one record.
const RECORD: usize = 200;

/// Records of the file; behind the last one it begins again.
const RECORDS: u64 = 4_096;

/// How long is measured.
const LENGTH: Duration = Duration::from_millis(60);

/// How many writes are measured at least, however slow the disk is.
const WRITES_MIN: u64 = 8;

/// A zero-filled file in the file system of the measured logs.
#[derive(Debug)]
pub(super) struct Floor {
    file: File,
    path: PathBuf,
    written: u64,
    /// Holds the file.
    _scratch: Scratch,
}

/// Writes of 200 bytes, each followed by fdatasync.
pub(super) fn writes(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    Ok(Box::new(Floor::open(setting)?))
}

impl Floor {
    /// Makes the file.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub(super) fn open(setting: &Setting<'_>) -> Result<Floor, Error> {
        let scratch = setting.scratch()?;
        let path = scratch.path().join("floor");
        let made = File::create(&path).and_then(|mut file| {
            file.write_all(&vec![0; RECORDS as usize * RECORD])?;
            file.sync_all()?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(Floor { file, path, written: 0, _scratch: scratch }),
            Err(source) => Err(Error::Io { operation: "fill the file", path, source }),
        }
    }

    /// F, measured just now.
    ///
    /// # Errors
    ///
    /// If a write fails.
    pub(super) fn measure(&mut self, effort: Effort) -> Result<f64, Error> {
        let began = Instant::now();
        let mut writes = 0;
        while writes < WRITES_MIN || effort != Effort::Once && began.elapsed() < LENGTH {
            self.write()?;
            writes += 1;
        }
        Ok(writes as f64 / began.elapsed().as_secs_f64())
    }

    fn write(&mut self) -> Result<(), Error> {
        let place = SeekFrom::Start(self.written % RECORDS * RECORD as u64);
        let written = self.file.seek(place).and_then(|_| {
            self.file.write_all(&[7; RECORD])?;
            self.file.sync_data()
        });
        written.map_err(|source| Error::Io { operation: "write to", path: self.path.clone(), source })?;
        self.written += 1;
        Ok(())
    }
}

impl Workload for Floor {
    fn perform(&mut self, units: u64) -> Result<Spent, Error> {
        let began = Instant::now();
        (0..units).try_for_each(|_| self.write())?;
        Ok(began.elapsed().into())
    }
}
