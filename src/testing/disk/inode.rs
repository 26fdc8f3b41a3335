//! One file: its bytes in the page cache, those on the platter, and what lies between.

use std::collections::BTreeMap;

use crate::testing::dice::Dice;

/// Bytes that reach the platter together.
pub(crate) const SECTOR_BYTES: usize = 512;

/// What becomes of a dirty sector when the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// As it was before the first un-synced write.
    Old,
    /// As it was last written.
    New,
    /// Any of its versions, or garbage where they differ.
    Any,
}

#[derive(Clone, Default)]
pub(super) struct Inode {
    pub(super) cache: Vec<u8>,
    pub(super) platter: Vec<u8>,
    /// Sectors written since the last sync, with every version they had.
    pub(super) dirty: BTreeMap<usize, Vec<[u8; SECTOR_BYTES]>>,
    /// Lengths the file had since the last sync.
    pub(super) lengths: Vec<usize>,
}

fn sector_of(bytes: &[u8], sector: usize) -> [u8; SECTOR_BYTES] {
    let mut out = [0; SECTOR_BYTES];
    let rest = bytes.get(sector * SECTOR_BYTES..).unwrap_or_default();
    let length = rest.len().min(SECTOR_BYTES);
    out[..length].copy_from_slice(&rest[..length]);
    out
}

fn put_sector(bytes: &mut [u8], sector: usize, content: &[u8; SECTOR_BYTES], length: usize) {
    let start = sector * SECTOR_BYTES;
    let end = (start + SECTOR_BYTES).min(length);
    if start < end {
        bytes[start..end].copy_from_slice(&content[..end - start]);
    }
}

impl Inode {
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if end > self.cache.len() {
            self.cache.resize(end, 0);
            self.lengths.push(end);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        for sector in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            let version = sector_of(&self.cache, sector);
            self.dirty.entry(sector).or_default().push(version);
        }
    }

    pub(super) fn set_length(&mut self, length: usize) {
        self.cache.resize(length, 0);
        self.lengths.push(length);
        // What was written behind the new end and not synced is gone; the sector it lies in is written anew.
        self.dirty.retain(|sector, _| sector * SECTOR_BYTES < length);
        if !length.is_multiple_of(SECTOR_BYTES) {
            let sector = length / SECTOR_BYTES;
            let version = sector_of(&self.cache, sector);
            self.dirty.entry(sector).or_default().push(version);
        }
    }

    pub(super) fn sync(&mut self) {
        self.lengths.clear();
        self.platter.resize(self.cache.len(), 0);
        for sector in std::mem::take(&mut self.dirty).into_keys() {
            put_sector(&mut self.platter, sector, &sector_of(&self.cache, sector), self.cache.len());
        }
    }

    pub(super) fn forget(&mut self, dice: &mut Dice) {
        let dirty = std::mem::take(&mut self.dirty);
        if !dice.once_in(2) {
            self.platter.resize(self.cache.len(), 0);
        }
        self.lengths.clear();
        let share = 1 + dice.below(4);
        let length = self.platter.len();
        for sector in dirty.into_keys() {
            if dice.once_in(share) {
                put_sector(&mut self.platter, sector, &sector_of(&self.cache, sector), length);
            }
        }
    }

    /// Loses the page cache; `fate` says what becomes of the n-th of how many dirty sectors.
    pub(super) fn cut(&mut self, dice: &mut Dice, fate: &mut dyn FnMut(usize, usize) -> Fate) {
        let dirty = std::mem::take(&mut self.dirty);
        let lengths = std::mem::take(&mut self.lengths);
        let count = dirty.len();
        let mut length = self.platter.len();
        if !lengths.is_empty() {
            length = match fate(0, count) {
                Fate::Old => length,
                Fate::New => self.cache.len(),
                Fate::Any => {
                    let choice = dice.below(lengths.len() as u64 + 1) as usize;
                    lengths.get(choice).copied().unwrap_or(length)
                }
            };
        }
        self.platter.resize(length, 0);
        for (index, (sector, versions)) in dirty.into_iter().enumerate() {
            let old = sector_of(&self.platter, sector);
            let newest = versions.last().copied().unwrap_or(old);
            let content = match fate(index, count) {
                Fate::Old => old,
                Fate::New => newest,
                Fate::Any if dice.once_in(8) => garbage(&old, &versions, dice),
                Fate::Any => {
                    let choice = dice.below(versions.len() as u64 + 1) as usize;
                    versions.get(choice).copied().unwrap_or(old)
                }
            };
            put_sector(&mut self.platter, sector, &content, length);
        }
        self.cache = self.platter.clone();
    }
}

fn garbage(old: &[u8; SECTOR_BYTES], versions: &[[u8; SECTOR_BYTES]], dice: &mut Dice) -> [u8; SECTOR_BYTES] {
    let mut content = *old;
    for (index, byte) in content.iter_mut().enumerate() {
        if versions.iter().any(|version| version[index] != old[index]) {
            *byte = dice.roll() as u8;
        }
    }
    content
}
