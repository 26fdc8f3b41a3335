//! What colours and marks mean, as far as they occur.

use stabilize::{Join, Status};

use super::diagram::Diagram;
use super::layout::Direction;

/// What the colours and marks of a diagram mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Legend {
    statuses: Vec<Status>,
    marks: Vec<Mark>,
}

/// Something that is to be known to read a diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark {
    /// A stage that waits for all its arcs.
    AndJoin,
    /// A stage that starts with any of its arcs.
    XorJoin,
    /// A stage that starts with what has come when no more can come.
    OrJoin,
    /// A stage that starts once for each token.
    MultiMerge,
    /// A stage that waits for all its arcs, on which more than one token may lie.
    GeneralizedAndJoin,
    /// A stage that starts with the first of its arcs, and once for all of them.
    Discriminator,
    /// A stage that starts with some of its arcs, and once for all of them.
    PartialJoin,
    /// A stage at which threads become one.
    ThreadMerge,
    /// A stage from which every arc takes several threads.
    ThreadSplit,
    /// A stage from which control takes one arc.
    XorSplit,
    /// A stage from which control takes one or more arcs.
    OrSplit,
    /// A stage that offers its arcs, of which one is taken.
    DeferredSplit,
    /// An arc that closes a circle.
    Back,
}

impl Mark {
    const ALL: [Mark; 13] = [
        Mark::AndJoin,
        Mark::XorJoin,
        Mark::OrJoin,
        Mark::MultiMerge,
        Mark::GeneralizedAndJoin,
        Mark::Discriminator,
        Mark::PartialJoin,
        Mark::ThreadMerge,
        Mark::XorSplit,
        Mark::OrSplit,
        Mark::ThreadSplit,
        Mark::DeferredSplit,
        Mark::Back,
    ];

    /// What is seen.
    pub fn sign(self) -> &'static str {
        match self {
            Mark::AndJoin => "AND join",
            Mark::XorJoin => "XOR join",
            Mark::OrJoin => "OR join",
            Mark::MultiMerge => "MULTI_MERGE join",
            Mark::GeneralizedAndJoin => "GENERALIZED_AND join",
            Mark::Discriminator => "DISCRIMINATOR join",
            Mark::PartialJoin => "N_OF_M join",
            Mark::ThreadMerge => "THREAD_MERGE join",
            Mark::ThreadSplit => "THREAD split",
            Mark::XorSplit => "XOR split",
            Mark::OrSplit => "OR split",
            Mark::DeferredSplit => "DEFERRED split",
            Mark::Back => "dashed",
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Mark::AndJoin => "waits for every arc",
            Mark::XorJoin => "starts with any arc",
            Mark::OrJoin => "waits for every arc that may still be taken",
            Mark::MultiMerge => "starts once for each token",
            Mark::GeneralizedAndJoin => "waits for every arc, one token of each",
            Mark::Discriminator => "starts with the first arc, once for all",
            Mark::PartialJoin => "starts with some arcs, once for all",
            Mark::ThreadMerge => "makes one of several threads",
            Mark::ThreadSplit => "begins several threads on every arc",
            Mark::XorSplit => "takes the first arc whose condition holds",
            Mark::OrSplit => "takes every arc whose condition holds",
            Mark::DeferredSplit => "offers its arcs, of which what comes first takes one",
            Mark::Back => "leads back",
        }
    }
}

impl Legend {
    pub(super) fn of(diagram: &Diagram) -> Legend {
        let boxes = diagram.boxes();
        let occurs = |status: &Status| boxes.iter().any(|shown| shown.status() == Some(*status));
        let joins = |join: Join| boxes.iter().any(|shown| shown.join() == Some(join));
        let splits = |split: &str| boxes.iter().any(|shown| shown.split() == Some(split));
        let is_seen = |mark: &Mark| match mark {
            Mark::AndJoin => joins(Join::And),
            Mark::XorJoin => joins(Join::Xor),
            Mark::OrJoin => joins(Join::Or),
            Mark::MultiMerge => joins(Join::MultiMerge),
            Mark::GeneralizedAndJoin => joins(Join::GeneralizedAnd),
            Mark::Discriminator => joins(Join::Discriminator),
            Mark::PartialJoin => joins(Join::NOfM),
            Mark::ThreadMerge => joins(Join::ThreadMerge),
            Mark::ThreadSplit => splits("THREAD"),
            Mark::XorSplit => splits("XOR"),
            Mark::OrSplit => splits("OR"),
            Mark::DeferredSplit => splits("DEFERRED"),
            Mark::Back => diagram.directions().contains(&Direction::Back),
        };
        Legend {
            statuses: Status::ALL.into_iter().filter(occurs).collect(),
            marks: Mark::ALL.into_iter().filter(is_seen).collect(),
        }
    }

    /// The statuses of stages, each with its colour.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// The marks at stages and arcs.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }
}
