//! The face of replay: what has happened in a log, for reading.

use std::collections::HashMap;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, Recorded};
use crate::ids::{Position, Sequence, StreamId, WorkflowId};
use crate::machine::{Wait, waits};
use crate::store::{EventStore, LocalReader, scan, scan_all};

use super::at::At;
use super::envelopes::{Envelopes, Follow};
use super::error::Error;
use super::fold::{Definitions, has_ended, step};
use super::summary::{Filter, WorkflowSummary};
use super::view::{ViewFold, WorkflowView};

/// Characters of an id that are enough to name it.
const ABBREVIATION_MIN: usize = 6;

/// Events looked at at once when the newest workflow is searched, from the end of the log backwards.
const STRIDE: u64 = 1_024;

/// What has happened in a log, as far as it is durable. Cheap to clone; clones share the definitions they have read.
///
/// Nothing here writes, takes the log's lock or waits for an engine.
#[derive(Clone)]
pub struct History {
    definitions: Definitions,
    /// The log as it was opened for reading only; `None` for the history of an engine of this process.
    reader: Option<Arc<LocalReader>>,
}

impl History {
    /// The history of the log in this directory.
    ///
    /// It works beside a running engine and on a read-only copy. A log that is damaged is read as far as it is whole;
    /// [`History::damage`] tells.
    ///
    /// # Errors
    ///
    /// If there is no log, nothing of it can be read, or a newer version wrote it.
    pub fn open(directory: impl AsRef<Path>) -> Result<History, Error> {
        let reader = Arc::new(LocalReader::open(directory.as_ref())?);
        let store: Arc<dyn EventStore> = Arc::clone(&reader) as Arc<dyn EventStore>;
        Ok(History { definitions: Definitions::new(store), reader: Some(reader) })
    }

    /// The history in this store.
    pub(crate) fn of(store: Arc<dyn EventStore>) -> History {
        History { definitions: Definitions::new(store), reader: None }
    }

    pub(super) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    pub(super) fn store(&self) -> &dyn EventStore {
        &**self.definitions.store()
    }

    /// The position behind the last event that can be read now.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn durable(&self) -> Result<Position, Error> {
        self.look()?;
        Ok(self.store().durable())
    }

    /// What is wrong with the log, if acknowledged events cannot be read. Only a history that was opened by its
    /// directory can tell: an engine does not open a damaged log.
    pub fn damage(&self) -> Option<Error> {
        self.reader.as_ref()?.damage().map(Error::from)
    }

    /// How many events stand behind the last one that can be read, of which only the next engine that opens the log
    /// can tell whether they were ever acknowledged. 0 for the history of an engine.
    pub fn unconfirmed(&self) -> u64 {
        self.reader.as_ref().map_or(0, |reader| reader.unconfirmed())
    }

    /// The events of a workflow with sequences in this range, in order.
    ///
    /// # Errors
    ///
    /// If there is no such workflow, or the log cannot be read.
    pub fn events(&self, workflow: WorkflowId, range: impl RangeBounds<Sequence>) -> Result<Envelopes, Error> {
        self.look()?;
        self.last(workflow)?;
        // No stream reaches the last number there is, so that what saturates there is as good as endless.
        let next = |sequence: Sequence| Sequence::new(sequence.get().saturating_add(1)).unwrap_or(sequence);
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => next(*before),
            Bound::Unbounded => Sequence::FIRST,
        };
        let behind = match range.end_bound() {
            Bound::Included(until) => Some(next(*until)),
            Bound::Excluded(behind) => Some(*behind),
            Bound::Unbounded => None,
        };
        Ok(Envelopes::in_stream(self.definitions.clone(), StreamId::workflow(workflow), from, behind))
    }

    /// The events of all streams from this position on, to the last one there is when it is asked for. Those of
    /// definitions stand among them.
    pub fn all(&self, from: Position) -> Envelopes {
        Envelopes::in_log(self.definitions.clone(), from)
    }

    /// The events of all streams from this position on, then those that come: each once, in order.
    pub fn follow(&self, from: Position) -> Follow {
        Follow::new(self.definitions.clone(), from)
    }

    /// A workflow as it was at this moment.
    ///
    /// # Errors
    ///
    /// If there is no such workflow, or none yet at that moment; if its events cannot be read or do not fit together.
    pub fn state(&self, workflow: WorkflowId, at: At) -> Result<WorkflowView, Error> {
        self.look()?;
        let mut folded = None;
        let mut last = None;
        for recorded in scan(self.store(), StreamId::workflow(workflow), Sequence::FIRST) {
            let recorded = recorded?;
            let is_behind = match at {
                At::Latest => false,
                At::Sequence(until) => recorded.sequence > until,
                At::Time(until) => recorded.recorded_at > until,
            };
            if is_behind {
                if let At::Time(at) = at
                    && folded.is_none()
                {
                    return Err(Error::NotCreated { workflow, at, created: recorded.recorded_at });
                }
                break;
            }
            last = Some(recorded.sequence);
            let (state, view) = match &mut folded {
                Some(folded) => folded,
                None => folded.insert(self.begin(workflow, &recorded)?),
            };
            step(state, &recorded)?;
            view.apply(&recorded)?;
        }
        let (Some((state, view)), Some(last)) = (folded, last) else { return Err(Error::NotFound { workflow }) };
        match at {
            At::Sequence(sequence) if last < sequence => Err(Error::NotReached { workflow, sequence, last }),
            At::Latest | At::Sequence(_) | At::Time(_) => view.view(&state),
        }
    }

    /// Why a workflow has not moved on: everything in it that waits, with who, since when, and what would release it.
    /// Empty exactly if it has closed.
    ///
    /// That something may be begun does not say that an engine is there to begin it: who holds the log is no part of
    /// history.
    ///
    /// # Errors
    ///
    /// If there is no such workflow; if its events cannot be read or do not fit together.
    pub fn why(&self, workflow: WorkflowId) -> Result<Vec<Wait>, Error> {
        self.look()?;
        let state = self.definitions.fold(workflow)?;
        state.map(|state| waits(&state)).ok_or(Error::NotFound { workflow })
    }

    /// State and view of a workflow before its first event.
    pub(super) fn begin(
        &self,
        workflow: WorkflowId,
        first: &Recorded,
    ) -> Result<(crate::machine::State, ViewFold), Error> {
        let state = self.definitions.begin(workflow, first)?;
        let view = ViewFold::begin(workflow, state.definition().clone(), first)?;
        Ok((state, view))
    }

    /// The workflows that fit, newest first.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn workflows(&self, filter: &Filter) -> Result<Vec<WorkflowSummary>, Error> {
        self.look()?;
        let mut workflows: HashMap<StreamId, WorkflowSummary> = HashMap::new();
        for recorded in scan_all(self.store(), Position::FIRST) {
            let recorded = match recorded {
                // What stands before damage can be listed; `damage` tells that it is not all.
                Err(error) if error.is_damage() && self.damage().is_some() => break,
                recorded => recorded?,
            };
            if let Some(workflow) = workflows.get_mut(&recorded.stream) {
                workflow.change(&recorded);
            } else if let Some(workflow) = WorkflowSummary::created_by(&recorded) {
                workflows.insert(recorded.stream, workflow);
            }
        }
        let mut found: Vec<WorkflowSummary> =
            workflows.into_values().filter(|workflow| filter.matches(workflow)).collect();
        found.sort_by_key(|workflow| std::cmp::Reverse(workflow.created()));
        Ok(found)
    }

    /// The workflows that have not ended, newest first. An engine's history need not read the others for it.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn open_workflows(&self) -> Result<Vec<WorkflowId>, Error> {
        self.look()?;
        let mut open = Vec::new();
        for workflow in self.store().live_streams()?.into_iter().filter_map(StreamId::as_workflow) {
            if !has_ended(self.definitions.store(), workflow)? {
                open.push(workflow);
            }
        }
        open.sort_by(|one, other| other.cmp(one));
        Ok(open)
    }

    /// The workflow that a person means: by its id, by 6 or more of its first or last characters, in any case, or by
    /// `last`, the one that was created last.
    ///
    /// # Errors
    ///
    /// [`Error::NoMatch`], [`Error::NotFound`], [`Error::Ambiguous`]; if the log cannot be read.
    pub fn find(&self, text: &str) -> Result<WorkflowId, Error> {
        self.look()?;
        let no_match = || Error::NoMatch { text: text.chars().take(80).collect() };
        if text.eq_ignore_ascii_case("last") {
            return self.newest()?.ok_or_else(no_match);
        }
        if let Ok(workflow) = text.parse() {
            return self.last(workflow).map(|_| workflow);
        }
        if text.len() < ABBREVIATION_MIN {
            return Err(no_match());
        }
        let part = text.to_ascii_uppercase();
        let workflows = self.store().streams()?.into_iter().filter_map(|(stream, _)| stream.as_workflow());
        let mut candidates: Vec<WorkflowId> = workflows
            .filter(|workflow| {
                let id = workflow.to_string();
                id.starts_with(&part) || id.ends_with(&part)
            })
            .collect();
        match candidates.as_slice() {
            [] => Err(no_match()),
            [workflow] => Ok(*workflow),
            _ => {
                candidates.sort_by(|left, right| right.cmp(left));
                Err(Error::Ambiguous { text: text.to_owned(), candidates })
            }
        }
    }

    /// The workflow that was created last.
    fn newest(&self) -> Result<Option<WorkflowId>, Error> {
        let mut behind = self.store().durable();
        while behind > Position::FIRST {
            let from = Position::new(behind.get().saturating_sub(STRIDE).max(1)).expect("positions begin at 1");
            let mut found = None;
            for recorded in scan_all(self.store(), from) {
                let recorded = recorded?;
                if recorded.position >= behind {
                    break;
                }
                if matches!(recorded.event, Event::WorkflowCreated(..)) {
                    found = recorded.stream.as_workflow().or(found);
                }
            }
            if found.is_some() {
                return Ok(found);
            }
            behind = from;
        }
        Ok(None)
    }

    /// The last event of a workflow.
    pub(super) fn last(&self, workflow: WorkflowId) -> Result<Sequence, Error> {
        self.store().last(StreamId::workflow(workflow))?.ok_or(Error::NotFound { workflow })
    }

    /// A reader of another process's log sees what was there when it looked last; an engine of this process tells.
    pub(super) fn look(&self) -> Result<(), Error> {
        if let Some(reader) = &self.reader {
            reader.wait_durable(reader.durable(), Duration::ZERO)?;
        }
        Ok(())
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}
