//! What the suite found of a pattern: five verdicts with counts. A kind that is missing is never one that passed.

use super::world::Breach;

/// The five kinds of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What the pattern does, in all interleavings that the scenario names.
    Positive,
    /// What is refused or never happens.
    Negative,
    /// Killed and folded again after every batch, also where batches are cut to one event.
    Crash,
    /// Three rounds inside a loop.
    Loop,
    /// Inside a sub-workflow, and inside an instance of several.
    Composed,
}

impl Kind {
    /// All, in the order of the table.
    pub const ALL: [Kind; 5] = [Kind::Positive, Kind::Negative, Kind::Crash, Kind::Loop, Kind::Composed];

    /// Its name: `positive`, ...
    pub fn name(self) -> &'static str {
        match self {
            Kind::Positive => "positive",
            Kind::Negative => "negative",
            Kind::Crash => "crash",
            Kind::Loop => "loop",
            Kind::Composed => "composed",
        }
    }
}

/// How much was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Scenarios.
    pub scenarios: u64,
    /// Interleavings that were tried because all were.
    pub enumerated: u64,
    /// Interleavings that were drawn from more.
    pub drawn: u64,
    /// States that were thrown away and folded again.
    pub crashes: u64,
    /// Definitions that were refused.
    pub refusals: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Counts) {
        self.scenarios += other.scenarios;
        self.enumerated += other.enumerated;
        self.drawn += other.drawn;
        self.crashes += other.crashes;
        self.refusals += other.refusals;
    }
}

/// What came of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as it should be.
    Passed(Counts),
    /// Something is not.
    Failed {
        /// The scenario, or the definition that should have been refused.
        scenario: String,
        /// What is wrong, and all that had happened.
        breach: Breach,
    },
    /// It could not be tried, and why.
    Missing {
        /// Why.
        why: String,
    },
}

impl Verdict {
    /// Did it pass?
    pub fn passed(&self) -> bool {
        matches!(self, Verdict::Passed(_))
    }
}

/// What the suite found of one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its number, 1 to 43.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// A verdict of each kind, in the order of [`Kind::ALL`].
    pub verdicts: [Verdict; 5],
}

impl Report {
    /// The name of its module: `wcp_02`.
    pub fn id(&self) -> String {
        format!("wcp_{:02}", self.number)
    }

    /// The verdict of this kind.
    pub fn verdict(&self, kind: Kind) -> &Verdict {
        &self.verdicts[kind as usize]
    }

    /// Do all five kinds exist, and did all pass?
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(Verdict::passed)
    }

    /// Kinds that failed: those that are missing did not.
    pub fn failures(&self) -> impl Iterator<Item = (Kind, &str, &Breach)> {
        Kind::ALL.into_iter().zip(&self.verdicts).filter_map(|(kind, verdict)| match verdict {
            Verdict::Failed { scenario, breach } => Some((kind, scenario.as_str(), breach)),
            Verdict::Passed(_) | Verdict::Missing { .. } => None,
        })
    }
}
