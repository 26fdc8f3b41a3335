//! Folding a stream into the state it tells of, with the definitions it names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::definition::Definition;
use crate::event::{Event, Recorded};
use crate::ids::{DefinitionHash, Sequence, StreamId, WorkflowId};
use crate::machine::{State, evolve};
use crate::store::EventStore;

use super::error::Error;

/// Events read at once.
const READ_AHEAD: usize = 4_096;

/// The definitions of a log, each read once, and the workflows folded with them.
pub(crate) struct Definitions {
    store: Arc<dyn EventStore>,
    known: HashMap<DefinitionHash, Definition>,
}

impl Definitions {
    pub(crate) fn new(store: Arc<dyn EventStore>) -> Definitions {
        Definitions { store, known: HashMap::new() }
    }

    /// This definition need not be read.
    pub(crate) fn know(&mut self, definition: &Definition) {
        self.known.entry(definition.hash()).or_insert_with(|| definition.clone());
    }

    /// The definition with this hash.
    ///
    /// # Errors
    ///
    /// If the log does not hold it, or what it holds cannot be read.
    pub(crate) fn get(&mut self, hash: DefinitionHash) -> Result<Definition, Error> {
        if let Some(definition) = self.known.get(&hash) {
            return Ok(definition.clone());
        }
        let stream = StreamId::definition(hash);
        let stored = self.store.read(stream, Sequence::FIRST, 1)?;
        let Some(recorded) = stored.into_iter().next() else { return Err(Error::DefinitionMissing { hash }) };
        let Event::DefinitionRegistered(_, registration) = recorded.event else {
            return Err(Error::NoBeginning { stream, expected: "definition.registered" });
        };
        let definition = Definition::from_normal(&registration.normal)
            .map_err(|problems| Error::DefinitionDamaged { hash, problems: problems.to_string() })?;
        let definition = definition.clone();
        if definition.hash() != hash {
            return Err(Error::DefinitionMissing { hash });
        }
        self.known.insert(hash, definition.clone());
        Ok(definition)
    }

    /// The state of `workflow` after its last event; `None` if it has no events.
    ///
    /// # Errors
    ///
    /// If its events cannot be read or do not fit together.
    pub(crate) fn fold(&mut self, workflow: WorkflowId) -> Result<Option<State>, Error> {
        self.fold_until(workflow, None)
    }

    /// The state of `workflow` after the event at `until`, or after its last one.
    ///
    /// # Errors
    ///
    /// As [`Definitions::fold`].
    pub(crate) fn fold_until(&mut self, workflow: WorkflowId, until: Option<Sequence>) -> Result<Option<State>, Error> {
        let stream = StreamId::workflow(workflow);
        let store = Arc::clone(&self.store);
        let mut state: Option<State> = None;
        let mut from = Sequence::FIRST;
        loop {
            let read = store.read(stream, from, READ_AHEAD)?;
            let Some(last) = read.last().map(|recorded| recorded.sequence) else { return Ok(state) };
            for recorded in read {
                if until.is_some_and(|until| recorded.sequence > until) {
                    return Ok(state);
                }
                let state = match &mut state {
                    Some(state) => state,
                    None => state.insert(self.begin(workflow, &recorded)?),
                };
                step(state, &recorded)?;
            }
            from = last.next();
        }
    }

    /// The state of a workflow before its first event.
    ///
    /// # Errors
    ///
    /// If the event does not create a workflow, or its definition cannot be read.
    pub(crate) fn begin(&mut self, workflow: WorkflowId, first: &Recorded) -> Result<State, Error> {
        match &first.event {
            Event::WorkflowCreated(_, creation) => Ok(State::new(workflow, self.get(creation.definition)?)),
            _ => Err(Error::NoBeginning { stream: first.stream, expected: "workflow.created" }),
        }
    }
}

/// Has the workflow ended? Mostly told by its last event alone.
///
/// # Errors
///
/// If the store cannot be read.
pub(crate) fn has_ended(store: &Arc<dyn EventStore>, workflow: WorkflowId) -> Result<bool, Error> {
    let stream = StreamId::workflow(workflow);
    let Some(last) = store.last(stream)? else { return Ok(false) };
    match store.read(stream, last, 1)?.first().map(|recorded| &recorded.event) {
        Some(Event::WorkflowEnded { .. }) => Ok(true),
        // What comes too late may stand behind the end.
        Some(Event::TaskResultDiscarded(..)) => {
            let state = Definitions::new(Arc::clone(store)).fold(workflow)?;
            Ok(state.is_some_and(|state| state.is_closed()))
        }
        Some(_) | None => Ok(false),
    }
}

/// Moves `state` by one recorded event.
///
/// # Errors
///
/// If the event cannot have happened there.
pub(crate) fn step(state: &mut State, recorded: &Recorded) -> Result<(), Error> {
    let (workflow, sequence) = (state.workflow(), recorded.sequence);
    evolve(state, &recorded.event).map_err(|source| Error::Unfit { workflow, sequence, source })
}
