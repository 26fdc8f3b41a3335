//! What is wrong with a definition: the code, the stage, the words. Says nothing about how it was found.

use std::fmt;

use crate::definition::{Definition, Join, RegionEffect};
use crate::failure::anchor;
use crate::ids::StageIndex;

/// What kind of flaw it is. The names never change; there will be more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingCode {
    /// A workflow can come to where tokens are left that no join can ever consume.
    Deadlock,
    /// Two tokens can lie on one arc to a stage that waits for one on each of its arcs.
    UnsafeAndJoin,
    /// A second token can come to a stage that takes the first that comes, while that one is still at work.
    UnsafeXorJoin,
    /// A workflow can come to where it goes round for ever and can never end.
    Livelock,
    /// Joins can come to wait for each other.
    OrJoinCycle,
    /// A join can get a token it must not get.
    StructureViolation,
    /// A workflow can succeed and leave tokens behind.
    ImproperEnd,
    /// A stage never starts, whatever happens.
    DeadStage,
    /// There can be more tokens or activations than are told apart.
    Unbounded,
    /// A property that was asked for does not hold.
    PropertyViolated,
    /// A workflow can come to where a stage waits for ever for a lock, whose holder waits for it.
    LockOrder,
    /// A stage can come to wait for ever for a milestone.
    MilestoneMayBlock,
}

impl FindingCode {
    /// Every kind there is, with what it means and what to do about it.
    pub const EXPLAINED: &'static [(FindingCode, &'static str, &'static str)] = &[
        (
            FindingCode::Deadlock,
            "A workflow can come to where tokens are left that no join can ever consume.",
            "join the branches of a choice with XOR or OR, those of a parallel split with AND",
        ),
        (
            FindingCode::UnsafeAndJoin,
            "Two tokens can lie on one arc to a stage that waits for one on each of its arcs.",
            "join_type GENERALIZED_AND keeps what is left for the next time",
        ),
        (
            FindingCode::UnsafeXorJoin,
            "A second token can come to a stage that takes the first that comes, while that one is still at work.",
            "join_type AND waits for all, OR for those that come, MULTI_MERGE begins anew for each",
        ),
        (
            FindingCode::Livelock,
            "A workflow can come to where it goes round for ever and can never end.",
            "give the circle a way out",
        ),
        (
            FindingCode::OrJoinCycle,
            "Joins can come to wait for each other.",
            "take one of them out of the circle, or make it XOR",
        ),
        (
            FindingCode::StructureViolation,
            "A join can get a token it must not get.",
            "join_mode blocking keeps tokens that come again for the next time",
        ),
        (
            FindingCode::ImproperEnd,
            "A workflow can succeed and leave tokens behind.",
            "join the branches before the end",
        ),
        (
            FindingCode::DeadStage,
            "A stage never starts, whatever happens.",
            "look at the joins and conditions before it",
        ),
        (
            FindingCode::Unbounded,
            "There can be more tokens or activations than are told apart.",
            "reentry serialize, or a larger --bound if it is meant so",
        ),
        (
            FindingCode::LockOrder,
            "A workflow can come to where a stage waits for ever for a lock, whose holder waits for it.",
            "do not let a section wait for stages that it keeps out",
        ),
        (
            FindingCode::MilestoneMayBlock,
            "A stage can come to wait for ever for a milestone.",
            "milestone_policy wait_skip or wait_fail ends the wait for what can come no more",
        ),
        (FindingCode::PropertyViolated, "A property that was asked for does not hold.", "look at the witness"),
    ];

    /// The name it is printed with: `DEADLOCK`.
    pub fn name(self) -> &'static str {
        match self {
            FindingCode::Deadlock => "DEADLOCK",
            FindingCode::UnsafeAndJoin => "UNSAFE_AND_JOIN",
            FindingCode::UnsafeXorJoin => "UNSAFE_XOR_JOIN",
            FindingCode::Livelock => "LIVELOCK",
            FindingCode::OrJoinCycle => "OR_JOIN_CYCLE",
            FindingCode::StructureViolation => "STRUCTURE_VIOLATION",
            FindingCode::ImproperEnd => "IMPROPER_END",
            FindingCode::DeadStage => "DEAD_STAGE",
            FindingCode::Unbounded => "UNBOUNDED",
            FindingCode::PropertyViolated => "PROPERTY_VIOLATED",
            FindingCode::LockOrder => "LOCK_ORDER",
            FindingCode::MilestoneMayBlock => "MILESTONE_MAY_BLOCK",
        }
    }

    /// Where the documentation explains it: `docs/ERRORS.md#deadlock`.
    pub fn anchor(self) -> String {
        anchor(self.name())
    }

    /// What to do about it.
    pub fn help(self) -> &'static str {
        let explained = FindingCode::EXPLAINED.iter().find(|(code, _, _)| *code == self);
        explained.map_or("", |(_, _, help)| help)
    }

    /// Is it a doubt, unless the definition asks for strictness?
    pub fn is_doubt(self) -> bool {
        matches!(self, FindingCode::DeadStage | FindingCode::Unbounded | FindingCode::MilestoneMayBlock)
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What to do about a flaw of this kind at this stage, as far as its joins and regions tell.
pub(super) fn help(code: FindingCode, definition: &Definition, stage: Option<StageIndex>) -> &'static str {
    let graph = definition.graph();
    let join = stage.map(|stage| graph.stage(stage).join);
    let removes = || graph.regions.iter().any(|region| region.effect == RegionEffect::Remove);
    match (code, join) {
        (FindingCode::Deadlock, Some(Join::ThreadMerge)) => {
            "let as many threads come as merge_count says, or a multiple of it"
        }
        (FindingCode::Deadlock, Some(Join::GeneralizedAnd)) => {
            "let as many tokens come on each arc, or write leftover_tokens: ignore"
        }
        (FindingCode::Deadlock, _) if removes() => {
            "effect: bypass lets a canceled region pass its tokens on; behind effect: remove join with OR"
        }
        _ => code.help(),
    }
}

/// One flaw of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(super) code: FindingCode,
    pub(super) stage: Option<String>,
    pub(super) message: String,
    pub(super) help: &'static str,
}

impl Finding {
    /// What kind of flaw it is.
    pub fn code(&self) -> FindingCode {
        self.code
    }

    /// The ref id of the stage it is about, if it is about one.
    pub fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// What was found, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        self.help
    }

    /// Prints it as `FILE:LINE:COLUMN: error[CODE]: text`, with the line of the stage and a hint, as problems of a
    /// definition are printed. `definition` is the one that was checked, `file` what it was read from.
    pub fn in_file<'f>(&'f self, definition: &'f Definition, file: &'f str) -> impl fmt::Display + 'f {
        Printed { finding: self, definition, file }
    }
}

struct Printed<'f> {
    finding: &'f Finding,
    definition: &'f Definition,
    file: &'f str,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { code, stage, message, help } = self.finding;
        let span = stage.as_deref().and_then(|stage| self.definition.span_of(stage));
        write!(f, "{}", self.file)?;
        if let Some(span) = span {
            write!(f, ":{span}")?;
        }
        let severity = if code.is_doubt() { "warning" } else { "error" };
        write!(f, ": {severity}[{code}]")?;
        if let Some(stage) = stage {
            write!(f, " at {stage}")?;
        }
        write!(f, ": {message}")?;
        let margin = span.map_or(Ok(0), |span| self.definition.quote(f, span))?;
        write!(f, "\n{:margin$} = help: {help}\n{:margin$} = see {}", "", "", code.anchor())
    }
}
