//! What a measurement is made of: parts, the figures each gives, and what they are held to.

use std::fmt;
use std::time::Duration;

use super::error::Error;
use super::setting::Setting;

/// How much work measuring does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Everything once and small, to see that it runs: the figures mean nothing.
    Once,
    /// Enough for figures, in less than a minute.
    Usual,
    /// With what takes longer, as long histories do.
    Full,
}

impl Effort {
    /// `usual` of something, few to see that it runs, or `full`.
    pub(super) fn pick(self, usual: u64, full: u64) -> u64 {
        match self {
            Effort::Once => usual.min(16),
            Effort::Usual => usual,
            Effort::Full => full,
        }
    }
}

/// What a figure should reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// A rate, in F.
    AtLeastF(f64),
    /// A length of time, in the time of one write of F.
    AtMostWrites(f64),
    /// The figure itself.
    AtLeast(f64),
    /// The figure itself.
    AtMost(f64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::AtLeastF(ratio) => write!(f, ">= {ratio} F"),
            Target::AtMostWrites(ratio) => write!(f, "<= {ratio}/F"),
            Target::AtLeast(value) => write!(f, ">= {value}"),
            Target::AtMost(value) => write!(f, "<= {value}"),
        }
    }
}

/// What stands beside a figure, whatever the figure is.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Its name, for people and programs.
    pub row: &'static str,
    /// The question it answers.
    pub about: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it should reach.
    pub target: Option<Target>,
}

/// A figure.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is.
    pub label: Label,
    /// How much.
    pub value: f64,
    /// A rate in F, a length of time in the time of one write of F; `None` if the disk has no part in it.
    pub ratio_to_f: Option<f64>,
}

impl Row {
    /// Whether the figure is what it should be; `None` if nothing is said.
    pub fn met(&self) -> Option<bool> {
        match self.label.target? {
            Target::AtLeastF(least) => self.ratio_to_f.map(|ratio| ratio >= least),
            Target::AtMostWrites(most) => self.ratio_to_f.map(|ratio| ratio <= most),
            Target::AtLeast(least) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
        }
    }
}

/// Work that can be repeated.
pub trait Workload {
    /// Does so many units of it.
    ///
    /// # Errors
    ///
    /// If it could not be done.
    fn perform(&mut self, units: u64) -> Result<Spent, Error>;
}

/// How long work took.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    /// All of it.
    pub total: Duration,
    /// Each unit, where they were done one after another.
    pub each: Vec<Duration>,
}

impl From<Duration> for Spent {
    fn from(total: Duration) -> Spent {
        Spent { total, each: Vec::new() }
    }
}

impl From<Vec<Duration>> for Spent {
    fn from(each: Vec<Duration>) -> Spent {
        Spent { total: each.iter().sum(), each }
    }
}

/// Something that is measured as a whole and gives one or more rows.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its rows.
    pub rows: &'static [Label],
    /// How it is done.
    pub how: How,
}

/// How a part is measured.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Work is repeated, and timed.
    Timed(Timed),
    /// Something is made and counted; a value for each row, or none where this system does not tell.
    Counted(fn(&Setting<'_>) -> Result<Vec<f64>, Error>),
    /// As `Counted`, only when there is time.
    CountedAtLength(fn(&Setting<'_>) -> Result<Vec<f64>, Error>),
}

/// Work that is repeated and timed.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Makes everything ready.
    pub open: fn(&Setting<'_>) -> Result<Box<dyn Workload>, Error>,
    /// Fewer units than this at a time would measure beginning and end.
    pub units_min: u64,
    /// More are not needed.
    pub units_max: u64,
    /// How many of what the rows count make one unit.
    pub elements: u64,
    /// How the figures are made.
    pub reading: Reading,
}

/// How figures are made from times.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// Elements in a second, to be held against F.
    Rate,
    /// Elements in a second; the disk has no part in it.
    Pace,
    /// Microseconds below which this part of the units stays: one for each row.
    Percentiles(&'static [f64]),
}
