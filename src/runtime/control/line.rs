//! Lines over a connection: read within a limit of bytes and until a moment, written within a time.
//!
//! Nobody on the other end can make this one wait or grow for long. Knows no JSON.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::limits::CONTROL_LINE_BYTES_MAX;

/// Bytes read at once.
const PIECE: usize = 16 * 1024;

/// A connection, and what was read of it but not used yet.
pub(super) struct Lines {
    stream: UnixStream,
    read: Vec<u8>,
    /// No line ends before this place in `read`.
    searched: usize,
}

/// What reading a line gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// The connection is at its end, and so were the lines.
    End,
    /// The connection ended in the middle of a line.
    Half,
    /// The line goes beyond the limit.
    TooLong,
    /// There was no whole line in time.
    Late,
}

impl Lines {
    /// Lines over this connection; writing one may take so long.
    ///
    /// # Errors
    ///
    /// If the connection takes no settings.
    pub(super) fn new(stream: UnixStream, writing: Duration) -> io::Result<Lines> {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(writing))?;
        Ok(Lines { stream, read: Vec::new(), searched: 0 })
    }

    /// The next line, if it is there within this time.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub(super) fn next(&mut self, within: Duration) -> io::Result<Line> {
        let until = Instant::now() + within;
        loop {
            if let Some(line) = self.take() {
                return Ok(line);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Line::Late);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut piece = [0; PIECE];
            match self.stream.read(&mut piece) {
                Ok(0) => return Ok(if self.read.is_empty() { Line::End } else { Line::Half }),
                Ok(count) => self.read.extend_from_slice(piece.get(..count).unwrap_or_default()),
                // The time was over; the loop sees it, too.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => (),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// A line that has been read whole, or is too long already.
    fn take(&mut self) -> Option<Line> {
        let end = self.read.iter().skip(self.searched).position(|byte| *byte == b'\n');
        let Some(end) = end.map(|end| end + self.searched) else {
            self.searched = self.read.len();
            return (self.read.len() > CONTROL_LINE_BYTES_MAX).then_some(Line::TooLong);
        };
        let rest = self.read.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.read, rest);
        line.truncate(end);
        self.searched = 0;
        Some(if line.len() > CONTROL_LINE_BYTES_MAX { Line::TooLong } else { Line::Whole(line) })
    }

    /// Writes a line that has its end.
    ///
    /// # Errors
    ///
    /// If the connection fails, or nobody reads at its other end.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(line.as_bytes())
    }

    /// The connection, without what was read of it.
    pub(super) fn into_stream(self) -> UnixStream {
        self.stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    fn pair() -> (UnixStream, Lines) {
        let (near, far) = UnixStream::pair().unwrap();
        (near, Lines::new(far, SOON).unwrap())
    }

    #[test]
    fn lines_come_one_by_one_however_they_were_written() {
        let (mut near, mut lines) = pair();
        near.write_all(b"one\ntwo\n\nthr").unwrap();
        for expected in ["one", "two", ""] {
            assert_eq!(lines.next(SOON).unwrap(), Line::Whole(expected.into()));
        }
        near.write_all(b"ee\nhalf").unwrap();
        assert_eq!(lines.next(SOON).unwrap(), Line::Whole("three".into()));
        drop(near);
        assert_eq!(lines.next(SOON).unwrap(), Line::Half);
    }

    #[test]
    fn a_line_that_does_not_come_is_late_and_no_line_is_an_end() {
        let (near, mut lines) = pair();
        assert_eq!(lines.next(Duration::from_millis(1)).unwrap(), Line::Late);
        drop(near);
        assert_eq!(lines.next(SOON).unwrap(), Line::End);
    }

    #[test]
    fn a_line_beyond_the_limit_is_not_waited_for() {
        let (mut near, mut lines) = pair();
        let writer = std::thread::Builder::new().spawn(move || {
            let piece = vec![b'x'; 1024 * 1024];
            while near.write_all(&piece).is_ok() {}
        });
        assert_eq!(lines.next(SOON).unwrap(), Line::TooLong);
        drop(lines);
        writer.unwrap().join().unwrap();
    }
}
