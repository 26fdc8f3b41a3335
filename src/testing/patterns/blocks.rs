//! Which blocks of a workflow were opened for whom, from its events alone: the scopes of loop turns and instances.

use std::ops::Range;

use crate::ids::ScopeId;
use crate::testing::course::Course;

use super::view::{Frame, Opening, View};

/// The opening of a nested block, if it has happened.
fn opened(_course: &Course, _opening: Opening) -> Option<ScopeId> {
    // No construct opens a block yet.
    None
}

impl<'w> View<'w> {
    /// What a frame shows; nothing before its workflow and its block are there.
    pub(super) fn of(courses: &'w [Course], frame: Frame) -> Option<View<'w>> {
        let course = courses.get(frame.course)?;
        match frame.within {
            None => Some(View { course, within: None }),
            Some(opening) => Some(View { course, within: Some(opened(course, opening)?) }),
        }
    }

    /// Is this scope the one looked at, or in it?
    pub(super) fn is_here(&self, scope: ScopeId) -> bool {
        self.within.is_none_or(|within| within == scope)
    }

    /// The places of the events between the opening of the block looked at and the opening of its successor.
    pub(super) fn interval(&self) -> Range<usize> {
        0..self.course.events().len()
    }
}
