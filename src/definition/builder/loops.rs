//! Loops from code.

use super::fields::Fields;
use super::stage::Stage;
use crate::definition::body::LoopTest;
use crate::definition::document::{Content, Entry, Node};

/// Stages that are done again and again: what is asked for another turn, and the stages of a turn.
///
/// ```
/// use stabilize::{Definition, Loop, Stage};
///
/// let poll = Loop::until("status == 'ready'").test_after().max_iterations(100);
/// let poll = poll.stage(Stage::new("ask").run("./ask.sh"));
/// Definition::builder("poll").stage(Stage::new("poll").repeat(poll)).build()?;
/// # Ok::<(), stabilize::Problems>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Loop {
    fields: Fields,
    stages: Vec<Entry>,
}

impl Loop {
    /// Another turn is done while this expression holds. It is asked before every turn, unless
    /// [`test_after`](Loop::test_after) is said.
    pub fn while_holds(expression: impl Into<String>) -> Loop {
        Loop { fields: Fields::new().with("while", expression.into()), stages: Vec::new() }
    }

    /// Another turn is done until this expression holds. It is asked before every turn, unless
    /// [`test_after`](Loop::test_after) is said.
    pub fn until(expression: impl Into<String>) -> Loop {
        Loop { fields: Fields::new().with("until", expression.into()), stages: Vec::new() }
    }

    /// It is asked after every turn, so that there is one at least.
    pub fn test_after(mut self) -> Loop {
        self.fields.set("test", LoopTest::Post.name());
        self
    }

    /// Turns there are at most: rather than begin one more, the stage fails.
    pub fn max_iterations(mut self, most: u32) -> Loop {
        self.fields.set("max_iterations", most);
        self
    }

    /// Adds a stage to those of a turn, behind those there are. Its ref id is unique in the whole definition.
    pub fn stage(mut self, stage: Stage) -> Loop {
        self.stages.push(stage.into_entry());
        self
    }

    pub(super) fn into_node(mut self) -> Node {
        self.fields.set_node("stages", Node::unplaced(Content::Map(self.stages)));
        self.fields.into_node()
    }
}
