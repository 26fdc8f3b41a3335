//! The streams of a program: whole into files up to a limit, their beginning and end into memory.
//!
//! Behind the limits a stream is read on and dropped, so that no program waits for a reader.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::digest::Sha256;
use crate::limits::{STREAM_BYTES_IN_ERROR, STREAM_BYTES_KEPT};
use crate::task::place::{StreamName, StreamRecord};
use crate::task::secret::Cover;

/// One stream while it is read.
pub(super) struct Capture {
    stream: StreamName,
    path: PathBuf,
    file: Option<File>,
    hasher: Sha256,
    kept: u64,
    total: u64,
    head: Vec<u8>,
    head_max: usize,
    tail: Vec<u8>,
    failure: Option<io::Error>,
    cover: Option<Cover>,
}

/// One stream when it has ended.
pub(super) struct Captured {
    /// Its file, synced; none if the stream was empty or its file could not be written.
    pub(super) record: Option<StreamRecord>,
    /// Its first bytes.
    pub(super) head: Vec<u8>,
    /// Its last bytes, at least 4 KiB of them if there are.
    tail: Vec<u8>,
    /// How many bytes it had.
    pub(super) total: u64,
}

impl Capture {
    /// Nothing read yet; the first `head_max` bytes will be kept in memory. A file of an earlier try is removed.
    pub(super) fn new(stream: StreamName, path: PathBuf, head_max: usize) -> Result<Capture, Error> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", path)(error)),
            Ok(()) | Err(_) => {}
        }
        Ok(Capture {
            stream,
            path,
            file: None,
            hasher: Sha256::new(),
            kept: 0,
            total: 0,
            head: Vec::new(),
            head_max,
            tail: Vec::new(),
            failure: None,
            cover: None,
        })
    }

    /// The same without a file.
    #[cfg(feature = "docker")]
    pub(super) fn passing(stream: StreamName, head_max: usize) -> Capture {
        Capture {
            stream,
            path: PathBuf::new(),
            file: None,
            hasher: Sha256::new(),
            // No room is left for a file.
            kept: STREAM_BYTES_KEPT,
            total: 0,
            head: Vec::new(),
            head_max,
            tail: Vec::new(),
            failure: None,
            cover: None,
        }
    }

    /// The same, without the values that `cover` hides: neither file, length, hash nor memory has them.
    pub(super) fn covered(self, cover: Cover) -> Capture {
        Capture { cover: Some(cover), ..self }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.cover {
            None => self.keep(bytes),
            Some(cover) => {
                let told = cover.push(bytes);
                self.keep(&told);
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.head_max - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.extend_from_slice(bytes);
        // Cut only now and then, so that a stream of single bytes does not move 4 KiB for each.
        if self.tail.len() > 16 * STREAM_BYTES_IN_ERROR {
            self.tail.drain(..self.tail.len() - STREAM_BYTES_IN_ERROR);
        }
        let room = usize::try_from(STREAM_BYTES_KEPT - self.kept).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        if bytes.is_empty() || self.failure.is_some() {
            return;
        }
        match self.write(bytes) {
            Ok(()) => {
                self.kept += bytes.len() as u64;
                self.hasher.update(bytes);
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let directory = self.path.parent().unwrap_or(Path::new("/"));
                fs::create_dir_all(directory)?;
                self.file.insert(File::create(&self.path)?)
            }
        };
        file.write_all(bytes)
    }

    /// Ends the stream and syncs its file.
    ///
    /// The program has done its work whatever becomes of the copy of what it said: a file that cannot be written is
    /// reported to the operator, removed, and has no record.
    pub(super) fn finish(mut self) -> Captured {
        if let Some(mut cover) = self.cover.take() {
            self.keep(&cover.finish());
        }
        if self.failure.is_none() {
            self.failure = self.sync().err();
        }
        if let Some(error) = &self.failure {
            tracing::warn!(path = %self.path.display(), %error, "could not keep a stream of a program");
            let _ = fs::remove_file(&self.path);
            self.file = None;
        }
        let record = self.file.is_some().then(|| StreamRecord {
            stream: self.stream,
            bytes: self.kept,
            bytes_dropped: self.total - self.kept,
            sha256: self.hasher.finish(),
        });
        Captured { record, head: self.head, tail: self.tail, total: self.total }
    }

    /// File, then the directories that lead to it: all of them may be new.
    fn sync(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        file.sync_all()?;
        // `output/<workflow>`, `output` and the place itself.
        for directory in self.path.ancestors().skip(1).take(3) {
            rustix::fs::fsync(File::open(directory)?)?;
        }
        Ok(())
    }
}

impl Captured {
    /// The first `bytes_max` bytes as text: without a newline at the stream's end, what is not UTF-8 replaced.
    pub(super) fn text(&self, bytes_max: usize) -> String {
        let head = &self.head[..self.head.len().min(bytes_max)];
        let head = if self.is_longer_than(bytes_max) {
            &head[..head.len() - cut_character(head)]
        } else {
            head.strip_suffix(b"\n").unwrap_or(head)
        };
        String::from_utf8_lossy(head).into_owned()
    }

    /// Whether the stream had more bytes.
    pub(super) fn is_longer_than(&self, bytes: usize) -> bool {
        self.total > bytes as u64
    }

    /// The last bytes as text, for people.
    pub(super) fn last_words(&self) -> String {
        let start = self.tail.len().saturating_sub(STREAM_BYTES_IN_ERROR);
        let tail = &self.tail[start..];
        let is_inner = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
        let inner = if start > 0 { tail.iter().take(3).take_while(|byte| is_inner(byte)).count() } else { 0 };
        String::from_utf8_lossy(&tail[inner..]).trim_end().to_owned()
    }
}

/// Bytes at the end that begin a character of UTF-8 and do not end it.
fn cut_character(bytes: &[u8]) -> usize {
    for (behind, byte) in bytes.iter().rev().take(3).enumerate() {
        let length = match byte {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            0x80..=0xBF => continue,
            0x00..=0x7F => return 0,
        };
        return if length > behind + 1 { behind + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pieces: &[&[u8]], head_max: usize) -> Captured {
        let directory = tempfile::tempdir().unwrap();
        let mut capture = Capture::new(StreamName::Out, directory.path().join("a/b/c.out"), head_max).unwrap();
        for piece in pieces {
            capture.push(piece);
        }
        capture.finish()
    }

    #[test]
    fn text_is_the_beginning_cut_between_characters() {
        let accent = "a\u{e9}\n".as_bytes();
        for (bytes, bytes_max, text) in [
            (&b""[..], 10, ""),
            (b"\n", 10, ""),
            (b"a\n\n", 10, "a\n"),
            (b"a\r\n", 10, "a\r"),
            (b"abc\n", 4, "abc"),
            (b"abc\n", 3, "abc"),
            (b"ab\nc", 3, "ab\n"),
            (accent, 4, "a\u{e9}"),
            (accent, 3, "a\u{e9}"),
            (accent, 2, "a"),
            (accent, 0, ""),
            ("\u{1F600}x".as_bytes(), 3, ""),
            (b"a\xffb", 3, "a\u{fffd}b"),
            (b"\x80\x80\x80\x80\x80", 4, "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ] {
            let captured = captured(&[bytes], 10);
            assert_eq!(captured.text(bytes_max), text, "{bytes:?} {bytes_max}");
            assert_eq!(captured.is_longer_than(bytes_max), bytes.len() > bytes_max);
        }
    }

    #[test]
    fn the_last_words_are_the_end_of_the_stream() {
        let line = "\u{e9}".repeat(STREAM_BYTES_IN_ERROR);
        for split in [1, 1_000, 5_001] {
            let pieces: Vec<&[u8]> = line.as_bytes().chunks(split).collect();
            let words = captured(&pieces, 10).last_words();
            assert_eq!(words, "\u{e9}".repeat(STREAM_BYTES_IN_ERROR / 2), "{split}");
        }
        assert_eq!(captured(&[b"x", b"\xe9rror\n\n"], 10).last_words(), "x\u{fffd}rror");
    }

    #[test]
    fn a_file_holds_what_its_record_says_up_to_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output/w/1.out");
        let mut capture = Capture::new(StreamName::Err, path.clone(), 3).unwrap();
        let piece = vec![b'x'; 3 * 1024 * 1024];
        for _ in 0..4 {
            capture.push(&piece);
        }
        let captured = capture.finish();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, STREAM_BYTES_KEPT);
        let expected = StreamRecord {
            stream: StreamName::Err,
            bytes: STREAM_BYTES_KEPT,
            bytes_dropped: 12 * 1024 * 1024 - STREAM_BYTES_KEPT,
            sha256: crate::digest::sha256(&bytes),
        };
        assert_eq!(captured.record, Some(expected));
        assert_eq!(captured.head, b"xxx");

        let again = Capture::new(StreamName::Err, path.clone(), 3).unwrap();
        assert!(!path.exists());
        assert_eq!(again.finish().record, None);
    }

    #[test]
    fn a_stream_that_cannot_be_kept_is_read_on() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("output"), "a file, no directory").unwrap();
        let mut capture = Capture::new(StreamName::Out, directory.path().join("output.d/1.out"), 3).unwrap();
        fs::write(directory.path().join("output.d"), "in the way").unwrap();
        capture.push(b"abc");
        capture.push(b"def");
        let captured = capture.finish();
        assert_eq!(captured.record, None);
        assert_eq!((captured.head.as_slice(), captured.total), (&b"abc"[..], 6));
    }
}
