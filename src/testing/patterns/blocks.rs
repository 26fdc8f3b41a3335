//! Which blocks of a workflow were opened for whom, from its events alone: the scopes of loop turns and instances.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::event::Event;
use crate::ids::{ActivationId, ScopeId};
use crate::testing::course::Course;
use crate::testing::world::World;

use super::view::{Frame, Opening, View};

/// One opening of a block, with everything that was opened in it.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Its scope first.
    scopes: Vec<ScopeId>,
    /// What began in them.
    activations: BTreeSet<ActivationId>,
    /// The places of the events from its opening to its end.
    events: Range<usize>,
}

impl Block {
    /// The block, if it was opened.
    fn find(_course: &Course, _opening: Opening) -> Option<Block> {
        // No construct opens a block yet.
        None
    }
}

impl<'w> View<'w> {
    /// What a frame shows; nothing before its workflow and its block are there.
    pub(super) fn of(workflows: &'w World, frame: Frame) -> Option<View<'w>> {
        let outermost = workflows.courses().first()?;
        let course = match frame.called {
            None => outermost,
            Some(number) => {
                let child = |event: &Event| match event {
                    Event::ChildStarted { child, .. } => Some(*child),
                    _ => None,
                };
                workflows.course(outermost.events().iter().filter_map(child).nth(number)?)?
            }
        };
        let block = match frame.within {
            None => None,
            Some(opening) => Some(Block::find(course, opening)?),
        };
        Some(View { course, block })
    }

    /// Is this scope the one looked at, or in it?
    pub(super) fn is_here(&self, scope: ScopeId) -> bool {
        self.block.as_ref().is_none_or(|block| block.scopes.contains(&scope))
    }

    /// Is this event of the block looked at, as far as it says?
    pub(super) fn is_about(&self, event: &Event) -> bool {
        let Some(block) = &self.block else { return true };
        event.activation().is_none_or(|id| block.activations.contains(&id.owner()))
    }

    /// The places of the events from the opening of the block looked at to its end.
    pub(super) fn interval(&self) -> Range<usize> {
        self.block.as_ref().map_or(0..self.course.events().len(), |block| block.events.clone())
    }
}
