//! Which blocks of a workflow were opened for whom, from its events alone: the scopes of loop turns and instances.

use std::collections::{BTreeMap, BTreeSet};
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
    fn find(course: &Course, opening: Opening) -> Option<Block> {
        let graph = course.state().definition().graph();
        let owner = graph.stage_index(opening.owner)?;
        let mut seen = 0;
        let mut lies_in: BTreeMap<ActivationId, ScopeId> = BTreeMap::new();
        let mut found: Option<Block> = None;
        for (at, event) in course.events().iter().enumerate() {
            match event {
                Event::StageReady { activation, scope, .. } | Event::StageStarted { activation, scope, .. } => {
                    lies_in.insert(*activation, *scope);
                    if let Some(block) = found.as_mut().filter(|block| block.scopes.contains(scope)) {
                        block.activations.insert(*activation);
                    }
                }
                Event::ScopeOpened { scope, owner: whose } | Event::PhaseStarted { scope, owner: whose, .. } => {
                    match &mut found {
                        Some(block) => {
                            let inside = lies_in.get(&whose.owner()).is_some_and(|scope| block.scopes.contains(scope));
                            block.scopes.extend(inside.then_some(*scope));
                        }
                        None if whose.stage != owner => (),
                        None if seen < opening.number => seen += 1,
                        None => {
                            let events = at..course.events().len();
                            found = Some(Block { scopes: vec![*scope], activations: BTreeSet::new(), events });
                        }
                    }
                }
                Event::ScopeClosed { scope, .. } => {
                    if let Some(block) = found.as_mut().filter(|block| block.scopes[0] == *scope) {
                        block.events.end = at;
                    }
                }
                _ => (),
            }
        }
        found
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
        match event {
            Event::TokensRemoved { scope, .. }
            | Event::TokensLeft { scope, .. }
            | Event::JoinForced { scope, .. }
            | Event::JoinArrived { scope, .. }
            | Event::JoinReset { scope, .. }
            | Event::RegionCanceled { scope, .. } => block.scopes.contains(scope),
            Event::ChoiceMade { winner, .. } => block.activations.contains(&winner.owner()),
            other => other.activation().is_none_or(|id| block.activations.contains(&id.owner())),
        }
    }

    /// The places of the events from the opening of the block looked at to its end.
    pub(super) fn interval(&self) -> Range<usize> {
        self.block.as_ref().map_or(0..self.course.events().len(), |block| block.events.clone())
    }
}
