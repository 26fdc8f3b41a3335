//! Folding a stream into the state it tells of, with the definitions it names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::definition::Definition;
use crate::event::{Event, Recorded, Registration};
use crate::ids::{DefinitionHash, Sequence, StreamId, WorkflowId};
use crate::machine::{State, evolve};
use crate::store::{EventStore, scan};

use super::error::{DefinitionError, Error};

/// The definitions of a log, each read once, and the workflows folded with them. Clones share what was read.
#[derive(Clone)]
pub(crate) struct Definitions {
    store: Arc<dyn EventStore>,
    known: Arc<Mutex<HashMap<DefinitionHash, Definition>>>,
}

impl Definitions {
    pub(crate) fn new(store: Arc<dyn EventStore>) -> Definitions {
        Definitions { store, known: Arc::default() }
    }

    /// The store they are read from.
    pub(super) fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// This definition need not be read.
    pub(crate) fn know(&self, definition: &Definition) {
        self.known().entry(definition.hash()).or_insert_with(|| definition.clone());
    }

    /// The definition with this hash.
    ///
    /// # Errors
    ///
    /// If the log does not hold it, or what it holds cannot be read.
    pub(crate) fn get(&self, hash: DefinitionHash) -> Result<Definition, Error> {
        if let Some(definition) = self.known().get(&hash) {
            return Ok(definition.clone());
        }
        let stream = StreamId::definition(hash);
        let stored = self.store.read(stream, Sequence::FIRST, 1)?;
        let Some(recorded) = stored.first() else { return Err(Error::DefinitionMissing { hash }) };
        let Event::DefinitionRegistered(_, registration) = &recorded.event else {
            return Err(Error::NoBeginning { stream, expected: "definition.registered" });
        };
        let found = registration.hash;
        if found != hash {
            return Err(Error::DefinitionExchanged { hash, found });
        }
        self.of_registration(registration)
    }

    /// The definition that was registered so.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is another than its hash says.
    pub(super) fn of_registration(&self, registration: &Registration) -> Result<Definition, Error> {
        let hash = registration.hash;
        if let Some(definition) = self.known().get(&hash) {
            return Ok(definition.clone());
        }
        let definition = Definition::from_normal(&registration.normal)
            .map_err(|error| Error::DefinitionDamaged { hash, source: DefinitionError::new(error) })?;
        let found = definition.hash();
        if found != hash {
            return Err(Error::DefinitionExchanged { hash, found });
        }
        self.know(&definition);
        Ok(definition)
    }

    /// The state of `workflow` after its last event; `None` if it has no events.
    ///
    /// # Errors
    ///
    /// If its events cannot be read or do not fit together.
    pub(crate) fn fold(&self, workflow: WorkflowId) -> Result<Option<State>, Error> {
        self.fold_until(workflow, None)
    }

    /// The state of `workflow` after the event at `until`, or after its last one.
    ///
    /// # Errors
    ///
    /// As [`Definitions::fold`].
    pub(crate) fn fold_until(&self, workflow: WorkflowId, until: Option<Sequence>) -> Result<Option<State>, Error> {
        let mut state: Option<State> = None;
        for recorded in scan(&*self.store, StreamId::workflow(workflow), Sequence::FIRST) {
            let recorded = recorded?;
            if until.is_some_and(|until| recorded.sequence > until) {
                break;
            }
            let state = match &mut state {
                Some(state) => state,
                None => state.insert(self.begin(workflow, &recorded)?),
            };
            step(state, &recorded)?;
        }
        Ok(state)
    }

    /// The state of a workflow before its first event.
    ///
    /// # Errors
    ///
    /// If the event does not create a workflow, or its definition cannot be read.
    pub(crate) fn begin(&self, workflow: WorkflowId, first: &Recorded) -> Result<State, Error> {
        match &first.event {
            Event::WorkflowCreated(_, creation) => Ok(State::new(workflow, self.get(creation.definition)?)),
            _ => Err(Error::NoBeginning { stream: first.stream, expected: "workflow.created" }),
        }
    }

    /// Definitions are whole whatever a thread did that panicked.
    fn known(&self) -> MutexGuard<'_, HashMap<DefinitionHash, Definition>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
        Some(Event::WorkflowEnded { .. } | Event::WorkflowClosed) => Ok(true),
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
