//! Opening a log for writing: find the last whole group, refuse what contradicts the evidence, go on behind it.
//!
//! There is no other start; an orderly end only leaves less to do. First headers and the newest segment are read and
//! judged, then the end is made durable, then a torn rest is left behind in its segment. Doing it again after a crash
//! in the middle comes to the same. The letters are those of `docs/FORMAT.md`.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use crate::ids::Position;
use crate::time::Timestamp;

use super::aftercare::Untended;
use super::catalog::Catalog;
use super::chain::{Chain, Last, Reach, Tail};
use super::commit::{Active, End, Writer};
use super::directory::{Holder, Home, Listing, LogFile, segment_name};
use super::error::{Damage, Error};
use super::fetch::Source;
use super::roll::Prepared;
use super::seed::Seed;
use super::segment::{Copies, FRAMES_START, Growth, Header, LogId, Offset, SegmentNumber};
use super::storage::{Access, Folder, Storage};
use super::walk::look_beyond;
use super::{Log, Options, Shared};

/// Opens the log for writing, making it if there is none.
///
/// # Errors
///
/// `Locked`, `Damaged`, `Unsupported` with nothing changed; `NoSpace`; `Io`.
pub(super) fn open(storage: Arc<dyn Storage>, options: &Options) -> Result<(Log, Writer), Error> {
    let home = Home::new(storage);
    home.create_directory(Folder::Home)?;
    home.create_directory(Folder::Log)?;
    let holder = home.lock()?;
    let listing = home.list()?;
    let mut chain = Chain::new(home.clone());
    chain.heed(home.read_watermark()?);
    let (shared, mut writer) = if listing.segments.is_empty() {
        if let Some(damage) = chain.missing_log(listing.has_index()) {
            return Err(damage);
        }
        create(&home, holder, &listing.temporary, options)?
    } else {
        let found = survey(&home, chain, &listing)?;
        resume(&home, holder, found, options)?
    };
    writer.write_watermark();
    Ok((Log { shared }, writer))
}

/// Makes a new log.
fn create(
    home: &Home,
    mut holder: Holder,
    temporary: &[String],
    options: &Options,
) -> Result<(Arc<Shared>, Writer), Error> {
    holder.announce(options.pid);
    temporary.iter().for_each(|name| home.discard(name));
    // Whoever made the directories may have been killed before they were durable; the first segment, which says that
    // they are, does not exist yet.
    home.sync_directory(Folder::Parent)?;
    home.create_watermark();
    home.sync_directory(Folder::Home)?;
    let mut seed = Seed::new(options.seed);
    let header = Header {
        log_id: seed.log_id(),
        number: SegmentNumber::FIRST,
        salt: seed.number(),
        base: Position::FIRST,
        capacity: options.ladder().first(),
        created_at: options.now,
        previous: None,
    };
    let file = Prepared::first(home, &mut seed, &header)?.install(&header)?;
    let mut catalog = Catalog::default();
    catalog.begin(Source { number: header.number, salt: header.salt, file: file.clone() }, header.base);
    let end = End { next: Position::FIRST, recorded_at: Timestamp::from_microseconds(i64::MIN), last: Last::Nothing };
    let shared = share(home, header.log_id, catalog, end.next, Untended::default())?;
    let writer = Writer::new(Arc::clone(&shared), holder, Active::empty(header, file), end, (options.ladder(), seed));
    Ok((shared, writer))
}

fn share(
    home: &Home,
    log_id: LogId,
    catalog: Catalog,
    next: Position,
    untended: Untended,
) -> Result<Arc<Shared>, Error> {
    Ok(Arc::new(Shared {
        home: home.clone(),
        log_id,
        is_on_hold: home.is_on_hold()?,
        durable: AtomicU64::new(next.get()),
        catalog: RwLock::new(catalog),
        untended: Mutex::new(untended),
    }))
}

/// All that reading found out, before anything is changed.
struct Found {
    chain: Chain,
    tail: Tail,
    header: Header,
    /// The end of the log that nothing proves durable: where it begins, and its bytes.
    unproven: (Offset, Vec<u8>),
    /// When the last frame of all was recorded.
    recorded_at: Timestamp,
    /// Sealed segments that wait for their aftercare.
    untended: Untended,
    /// Files in preparation, and what becomes of each.
    temporary: Vec<(String, Fate)>,
}

/// What becomes of a file in preparation.
enum Fate {
    Remove,
    /// It is a segment of this log with data in it: some directory sync was a lie.
    SetAside,
}

/// Reads and judges headers and the newest segment (O2 to O7); changes nothing.
fn survey(home: &Home, mut chain: Chain, listing: &Listing) -> Result<Found, Error> {
    if let Err(error) = chain.extend(&listing.segments) {
        return Err(if error.is_damage() { chain.locate_damage(error) } else { error });
    }
    let tail = chain.walk_newest(Reach::WholeFile)?;
    if let Some(damage) = chain.damage_of(&tail) {
        return Err(damage);
    }
    let newest = chain.newest().expect("a log with segments has a newest one");
    let header = newest.header;
    let from = tail.unsettled.first().map_or(tail.standing.offset, |seen| seen.offset);
    let mut bytes = vec![0; tail.standing.offset.since(from) as usize];
    newest.file.read_exact(&mut bytes, from)?;
    let recorded_at = chain.last_recorded_at(&tail)?;
    let untended = Untended::of(chain.catalog.sealed(), &listing.indexes);
    let judged = listing.temporary.iter().map(|name| Ok((name.clone(), fate(home, name, &header)?)));
    let temporary = judged.collect::<Result<_, Error>>()?;
    Ok(Found { chain, tail, header, unproven: (from, bytes), recorded_at, untended, temporary })
}

fn fate(home: &Home, name: &str, newest: &Header) -> Result<Fate, Error> {
    let file = home.open(name, Access::Read)?;
    let mut bytes = vec![0; FRAMES_START.get() as usize];
    let count = file.read_some(&mut bytes, Offset::new(0))?;
    let Copies { a, b } = Copies::decode(bytes.get(..count).unwrap_or_default());
    let Some(header) = a.or(b).ok().filter(|header| header.log_id == newest.log_id) else { return Ok(Fate::Remove) };
    let end = Offset::new(file.length()?);
    let beyond = look_beyond(&file, header.salt, (FRAMES_START, end), Position::FIRST)?;
    Ok(if beyond.first_nonzero.is_some() { Fate::SetAside } else { Fate::Remove })
}

/// Makes the end of the log durable and goes on behind it (O8 to O11).
fn resume(home: &Home, mut holder: Holder, found: Found, options: &Options) -> Result<(Arc<Shared>, Writer), Error> {
    let Found { mut chain, tail, header, unproven: (from, bytes), recorded_at, untended, temporary } = found;
    holder.announce(options.pid);
    let file = home.open(&segment_name(header.number), Access::ReadWrite)?;
    confirm(home, &file, from, &bytes)?;
    // What was never acknowledged but stands there whole is part of the log from here on.
    chain.settle(&tail, tail.standing.next.next());
    let end = End { next: tail.standing.next, recorded_at, last: tail.standing.last };
    let shared = share(home, header.log_id, chain.catalog, end.next, untended)?;
    let active = Active { header, file, end: tail.standing.offset, crc: tail.standing.crc };
    let mut writer = Writer::new(Arc::clone(&shared), holder, active, end, (options.ladder(), Seed::new(options.seed)));
    if let Some(torn) = tail.first_nonzero {
        tracing::warn!(
            path = %home.locate(&segment_name(header.number)).display(),
            end = %tail.standing.offset,
            first_byte = %torn,
            "the end of the log is torn: a write that was never acknowledged is left behind"
        );
        writer.roll(Growth::Same, 0, options.now)?;
    }
    for (name, fate) in temporary {
        match fate {
            Fate::Remove => home.discard(&name),
            Fate::SetAside => set_aside(home, &name),
        }
    }
    Ok((shared, writer))
}

/// Writes the unproven end again and syncs it (O8): what is read back may be in memory only, and a system that failed
/// to write it once may have forgotten that it has to.
fn confirm(home: &Home, file: &LogFile, from: Offset, bytes: &[u8]) -> Result<(), Error> {
    file.write_all(bytes, from)?;
    file.sync_data()?;
    // The segment's name may be as new as its bytes.
    home.sync_directory(Folder::Log)
}

/// Keeps a file that recovery does not accept. No event hangs on it, so that an error is traced only.
fn set_aside(home: &Home, name: &str) {
    let moved = home.create_directory(Folder::SetAside).and_then(|()| {
        let file = home.open(name, Access::Read)?;
        home.rename(file, name, &name.replacen("log/", "set-aside/", 1))?;
        home.sync_directory(Folder::SetAside)
    });
    match moved {
        Ok(()) => tracing::warn!(name, "a file with data that is no part of the log was set aside"),
        Err(error) => tracing::warn!(%error, name, "a file with data that is no part of the log stays where it is"),
    }
}

impl Chain {
    /// The damage that a directory without segments is, if there ever was a log in it.
    pub(super) fn missing_log(&self, has_index: bool) -> Option<Error> {
        let proven = self.watermark().map_or(Position::FIRST, |watermark| watermark.position);
        let was_there = has_index || proven > Position::FIRST;
        was_there.then(|| self.damaged((SegmentNumber::FIRST, Offset::new(0)), Damage::MissingSegment))
    }

    /// When the last frame of the log was recorded: no later one is recorded earlier.
    fn last_recorded_at(&self, tail: &Tail) -> Result<Timestamp, Error> {
        let beginning = Timestamp::from_microseconds(i64::MIN);
        if tail.standing.recorded_at > beginning {
            return Ok(tail.standing.recorded_at);
        }
        // Rarely more than one: only a segment that was left for its torn end may be empty.
        for sealed in self.catalog.sealed().iter().rev() {
            if let Some(recorded_at) = sealed.last_recorded_at()? {
                return Ok(recorded_at);
            }
        }
        Ok(beginning)
    }

    /// The damage of a header with the first position that is missing by it: behind all that stands before it.
    fn locate_damage(&mut self, error: Error) -> Error {
        let Error::Damaged { segment, path, offset, proven, cause, .. } = error else { return error };
        let walked = if self.newest().is_some() {
            self.walk_newest(Reach::WholeFile).map(|tail| (tail.standing.next, tail.proven))
        } else {
            Ok((self.next(), proven))
        };
        let (missing, found) = walked.unwrap_or((self.next(), proven));
        Error::Damaged { segment, path, offset, missing, proven: proven.max(found), cause }
    }
}
