//! What a stage does when it has started: its tasks, or a block of stages that is opened as often as a loop says.
//!
//! A block is a graph of its own inside the stage it belongs to: control enters and leaves it only with that stage.

use crate::expression::Expression;

/// What a stage does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    /// Its tasks, one after the other.
    Tasks,
    /// Its block, turn after turn.
    Loop(Box<Loop>),
}

/// How often the block of a stage is opened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Loop {
    /// When it is asked whether there is another turn.
    pub(crate) test: LoopTest,
    /// What is asked.
    pub(crate) condition: LoopCondition,
    /// Turns there are at most: the stage fails rather than begin one more.
    pub(crate) max_iterations: Option<u32>,
}

/// When a loop asks whether there is another turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopTest {
    /// Before every turn, the first included: there may be none.
    Pre,
    /// After every turn: there is one at least.
    Post,
}

impl LoopTest {
    /// Every moment there is.
    pub(super) const ALL: [LoopTest; 2] = [LoopTest::Pre, LoopTest::Post];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            LoopTest::Pre => "pre",
            LoopTest::Post => "post",
        }
    }
}

/// What a loop asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LoopCondition {
    /// There is another turn while this holds.
    While(Expression),
    /// There is another turn until this holds.
    Until(Expression),
}

impl LoopCondition {
    /// The key that definitions write it under.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            LoopCondition::While(_) => "while",
            LoopCondition::Until(_) => "until",
        }
    }

    /// What is evaluated.
    pub(crate) fn expression(&self) -> &Expression {
        match self {
            LoopCondition::While(expression) | LoopCondition::Until(expression) => expression,
        }
    }

    /// Is there another turn, now that the condition has this value?
    pub(crate) fn goes_on(&self, value: bool) -> bool {
        match self {
            LoopCondition::While(_) => value,
            LoopCondition::Until(_) => !value,
        }
    }
}

impl Body {
    /// The loop that opens the block of the stage, if it has one.
    pub(crate) fn as_loop(&self) -> Option<&Loop> {
        match self {
            Body::Tasks => None,
            Body::Loop(turns) => Some(turns),
        }
    }
}
