//! Colours: which statuses and words have which, and whether a stream shows any.

use std::fmt;
use std::io::IsTerminal;

use anstyle::AnsiColor;
pub(crate) use anstyle::Style;
use stabilize::Status;

/// Does a stream show colours?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// It does.
    Colours,
    /// It does not, so that what reads it finds text only.
    Plain,
}

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` is set and not empty (<https://no-color.org>) or the terminal is dumb.
    pub(crate) fn of(stream: &impl IsTerminal) -> Paint {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        if stream.is_terminal() && !is_refused && !is_dumb { Paint::Colours } else { Paint::Plain }
    }

    /// `text` in this style, or as it is.
    pub(crate) fn paint<T: fmt::Display>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: if self == Paint::Colours { style } else { Style::new() }, text }
    }
}

/// Text with the codes of a style around it.
pub(crate) struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.text, self.style.render_reset())
    }
}

/// What is nothing special.
pub(crate) const PLAIN: Style = Style::new();

/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();

/// What stands beside the point.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// What went wrong.
pub(crate) const WRONG: Style = AnsiColor::Red.on_default().bold();

/// What is as it should be.
pub(crate) const RIGHT: Style = AnsiColor::Green.on_default();

/// The style of a status.
pub(crate) fn status(status: Status) -> Style {
    match status {
        Status::Succeeded => RIGHT,
        Status::Terminal => WRONG,
        Status::Running => AnsiColor::Cyan.on_default(),
        Status::FailedContinue
        | Status::Canceled
        | Status::Stopped
        | Status::Paused
        | Status::Suspended
        | Status::Buffered
        | Status::Redirect => AnsiColor::Yellow.on_default(),
        Status::NotStarted | Status::Skipped => FAINT,
    }
}

/// Text from a log or a program as a terminal may show it: a control character could steer it and is replaced.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
