//! What jumps take along, from the report of their source until their target begins.

use std::collections::{BTreeMap, VecDeque};

use crate::event::{Consumed, Event, Json, Report, TaskReport};
use crate::failure::Failure;
use crate::ids::ArcIndex;

use super::record::StageRecord;

/// Context and outputs that a jump takes along.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    context: Json,
    outputs: Json,
}

/// The jumps that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct JumpsRecord {
    /// What the newest report asks for, if it is a jump.
    reported: Option<Brought>,
    /// By the arc on which the token of the jump lies, the oldest first.
    lying: BTreeMap<ArcIndex, VecDeque<Brought>>,
}

impl JumpsRecord {
    /// A task has told how it ended.
    pub(super) fn report(&mut self, told: &TaskReport) {
        let brought = || Brought { context: told.context.clone(), outputs: told.outputs.clone() };
        self.reported = matches!(told.report, Report::Jump { .. }).then(brought);
    }

    /// A task ends: does it jump? Not if it fails for that.
    pub(super) fn ends(&mut self, error: Option<&Failure>) -> bool {
        self.reported = self.reported.take().filter(|_| error.is_none());
        self.reported.is_some()
    }

    /// A jump is made, or tokens are taken away.
    pub(super) fn follow(&mut self, event: &Event) {
        if let Event::JumpExecuted { arc, rewound, .. } = event {
            rewound.iter().flat_map(|rewound| &rewound.removed).for_each(|token| _ = self.take(token.arc));
            if let Some(brought) = self.reported.take() {
                self.lying.entry(*arc).or_default().push_back(brought);
            }
        }
        if let Event::TokensRemoved { removed, .. } = event {
            removed.iter().for_each(|left| (0..left.tokens).for_each(|_| _ = self.take(left.arc)));
        }
    }

    /// What an activation begins with that consumes so.
    pub(super) fn arrive(&mut self, consumed: &Consumed) -> Option<Brought> {
        let Consumed::Jump { jump, .. } = consumed else { return None };
        self.take(*jump)
    }

    fn take(&mut self, arc: ArcIndex) -> Option<Brought> {
        self.lying.get_mut(&arc)?.pop_front()
    }
}

impl StageRecord {
    /// The activation begins with this.
    pub(super) fn bring(&mut self, brought: Option<Brought>) {
        if let Some(Brought { context, outputs }) = brought {
            self.updates = vec![context];
            self.brought = Some(outputs);
        }
    }
}
