//! What follows the sealing of a segment (R7): its torn rest is set aside, its file is cut to its end, its index is
//! made.
//!
//! Needed for nothing, repeatable, and interrupted anywhere without harm. Has no thread: who has one calls
//! `Aftercare::perform`.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use super::Shared;
use super::directory::{Home, LogFile, index_name, segment_name, temporary_name};
use super::error::Error;
use super::index::{Index, encode};
use super::sealed::Sealed;
use super::seed::Seed;
use super::segment::{Offset, SegmentNumber};
use super::storage::{Access, Folder};

/// Bytes copied at once.
const COPY_BYTES: usize = 1024 * 1024;

/// Sealed segments that wait for their aftercare.
#[derive(Default)]
pub(super) struct Untended(VecDeque<SegmentNumber>);

impl Untended {
    /// Those of `sealed` whose file is longer than it need be, or that are not in the list of segments with an index.
    pub(super) fn of(sealed: &[Arc<Sealed>], indexes: &[SegmentNumber]) -> Untended {
        let is_untended = |sealed: &&Arc<Sealed>| {
            let facts = sealed.facts();
            sealed.length() > facts.end.get() || indexes.binary_search(&facts.number).is_err()
        };
        Untended(sealed.iter().filter(is_untended).map(|sealed| sealed.facts().number).collect())
    }

    /// This one was just sealed.
    pub(super) fn add(&mut self, number: SegmentNumber) {
        self.0.push_back(number);
    }
}

/// Looks after sealed segments beside the writer, on a thread of whoever calls it.
pub(crate) struct Aftercare {
    shared: Arc<Shared>,
    seed: Seed,
    /// Set when an index file did not serve.
    discarded: Arc<AtomicBool>,
}

impl Aftercare {
    pub(super) fn new(shared: Arc<Shared>, seed: Seed) -> Aftercare {
        let discarded = shared.catalog().map(|catalog| catalog.discarded()).unwrap_or_default();
        Aftercare { shared, seed, discarded }
    }

    /// Whether a segment waits for it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.discarded.load(Ordering::Acquire) || !self.shared.untended().0.is_empty()
    }

    /// Looks after one segment, and makes those indexes again that did not serve. One that could not be looked after
    /// waits until the log is opened again.
    ///
    /// # Errors
    ///
    /// `Io`, `NoSpace`; `Damaged` if the segment must be read for its index and is not what was written. It harms
    /// nothing.
    pub(crate) fn perform(&mut self) -> Result<(), Error> {
        let number = self.shared.untended().0.pop_front();
        let are_discarded = self.discarded.swap(false, Ordering::AcqRel);
        let sealed = Arc::clone(self.shared.catalog()?.sealed());
        let is_meant =
            |sealed: &&Arc<Sealed>| Some(sealed.facts().number) == number || are_discarded && sealed.is_in_memory();
        for sealed in sealed.iter().filter(is_meant) {
            trim(sealed)?;
            self.index(sealed)?;
        }
        Ok(())
    }

    fn index(&mut self, sealed: &Sealed) -> Result<(), Error> {
        let (home, facts) = (sealed.home(), sealed.facts());
        if let Ok(Some(index)) = Index::load(home, facts)
            && index.check().is_ok()
        {
            sealed.settle(index);
            return Ok(());
        }
        let bytes = match sealed.extent() {
            Some(extent) => encode(facts, &extent),
            None => encode(facts, &sealed.walk()?),
        };
        let temporary = temporary_name(self.seed.number());
        let made = home.create_new(&temporary).and_then(|file| {
            file.write_all(&bytes, Offset::new(0))?;
            file.sync_all()?;
            // One that is no index of this segment is in the way.
            home.discard(&index_name(facts.number));
            home.rename(file, &temporary, &index_name(facts.number))?;
            home.sync_directory(Folder::Log)
        });
        if made.is_err() {
            home.discard(&temporary);
        }
        made?;
        if let Ok(Some(index)) = Index::load(home, facts) {
            sealed.settle(index);
        }
        Ok(())
    }
}

/// Cuts the segment's file to its end. What lies behind it has no meaning, but a person may want to see it.
fn trim(sealed: &Sealed) -> Result<(), Error> {
    let (home, facts) = (sealed.home(), sealed.facts());
    let file = home.open(&segment_name(facts.number), Access::ReadWrite)?;
    let length = file.length()?;
    if length <= facts.end.get() {
        return Ok(());
    }
    if let Some(behind) = behind_last_nonzero(&file, (facts.end, Offset::new(length)))? {
        keep(home, &file, (facts.number, facts.end, behind))?;
    }
    file.set_length(facts.end.get())
}

fn behind_last_nonzero(file: &LogFile, (from, until): (Offset, Offset)) -> Result<Option<Offset>, Error> {
    let mut last = None;
    for_each_piece(file, (from, until), |at, bytes| {
        let found = bytes.iter().rposition(|byte| *byte != 0);
        last = found.map(|place| at.plus(place as u64 + 1)).or(last);
        Ok(())
    })?;
    Ok(last)
}

fn for_each_piece(
    file: &LogFile,
    (from, until): (Offset, Offset),
    mut each: impl FnMut(Offset, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut at = from;
    while at < until {
        let size = usize::try_from(until.since(at)).unwrap_or(usize::MAX).min(COPY_BYTES);
        let mut piece = vec![0; size];
        file.read_exact(&mut piece, at)?;
        each(at, &piece)?;
        at = at.plus(size as u64);
    }
    Ok(())
}

/// Copies what recovery did not accept to `set-aside/`, durably.
fn keep(home: &Home, file: &LogFile, (number, end, behind): (SegmentNumber, Offset, Offset)) -> Result<(), Error> {
    home.create_directory(Folder::SetAside)?;
    home.sync_directory(Folder::Home)?;
    let name = format!("set-aside/{:010}-{end}.bytes", number.get());
    let copy = match home.create_new(&name) {
        // The copy of somebody who was killed before it was whole.
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
            home.discard(&name);
            home.create_new(&name)?
        }
        made => made?,
    };
    for_each_piece(file, (end, behind), |at, bytes| copy.write_all(bytes, Offset::new(at.since(end))))?;
    copy.sync_all()?;
    home.sync_directory(Folder::SetAside)?;
    tracing::warn!(segment = %number, name, "the torn end of a segment was set aside");
    Ok(())
}

impl Shared {
    /// The list is whole whatever a thread did that panicked.
    pub(super) fn untended(&self) -> std::sync::MutexGuard<'_, Untended> {
        self.untended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
