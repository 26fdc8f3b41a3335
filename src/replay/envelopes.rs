//! Recorded events with what a reader asks of them: who caused them, and which definition they speak of.
//!
//! Streams of the whole log stand side by side, so for each open one is remembered what its last batch began with.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::definition::Definition;
use crate::event::{Envelope, Event, Recorded};
use crate::ids::{Position, Sequence, StreamId};
use crate::store::EventStore;

use super::error::Error;
use super::fold::Definitions;

/// Events read at once.
const PIECE_EVENTS: usize = 512;

/// Events looked at first when the input of a batch is searched; batches are rarely longer.
const BATCH_EVENTS: u64 = 32;

/// What is remembered of the streams that were read.
struct Tracks {
    definitions: Definitions,
    tracks: HashMap<StreamId, Track>,
}

/// What is remembered of one stream.
struct Track {
    /// The input of the batch that was read last.
    input: Arc<Recorded>,
    definition: Definition,
}

impl Tracks {
    fn new(definitions: Definitions) -> Tracks {
        Tracks { definitions, tracks: HashMap::new() }
    }

    fn envelope(&mut self, recorded: Recorded) -> Result<Envelope, Error> {
        let recorded = Arc::new(recorded);
        if let Event::DefinitionRegistered(_, registration) = &recorded.event {
            let definition = self.definitions.of_registration(registration)?;
            return Ok(Envelope::new(Arc::clone(&recorded), recorded, definition));
        }
        let stream = recorded.stream;
        if !self.tracks.contains_key(&stream) {
            let track = self.begin(&recorded)?;
            self.tracks.insert(stream, track);
        }
        let track = self.tracks.get_mut(&stream).expect("the track of the stream was just made");
        if recorded.event.is_input() {
            track.input = Arc::clone(&recorded);
        }
        let envelope = Envelope::new(Arc::clone(&recorded), Arc::clone(&track.input), track.definition.clone());
        // Hardly anything comes behind the end; what does is looked up again, so that memory knows open workflows only.
        if matches!(recorded.event, Event::WorkflowEnded { .. }) {
            self.tracks.remove(&stream);
        }
        Ok(envelope)
    }

    /// The track of a stream of which nothing is remembered.
    fn begin(&self, recorded: &Arc<Recorded>) -> Result<Track, Error> {
        let definition = match &recorded.event {
            Event::WorkflowCreated(_, creation) => self.definitions.get(creation.definition)?,
            _ => self.definition_of(recorded.stream)?,
        };
        let input = if recorded.event.is_input() { Arc::clone(recorded) } else { self.input_of(recorded)? };
        Ok(Track { input, definition })
    }

    fn definition_of(&self, stream: StreamId) -> Result<Definition, Error> {
        let first = self.definitions.store().read(stream, Sequence::FIRST, 1)?;
        match first.first().map(|first| &first.event) {
            Some(Event::WorkflowCreated(_, creation)) => self.definitions.get(creation.definition),
            Some(_) | None => Err(Error::NoBeginning { stream, expected: "workflow.created" }),
        }
    }

    /// The input of the batch that a derived event belongs to: the nearest input before it.
    fn input_of(&self, recorded: &Recorded) -> Result<Arc<Recorded>, Error> {
        let stream = recorded.stream;
        let mut n_events = BATCH_EVENTS;
        loop {
            let first = recorded.sequence.get().saturating_sub(n_events).max(1);
            let mut from = Sequence::new(first).expect("sequences begin at 1");
            let mut input = None;
            while from < recorded.sequence {
                let piece = self.definitions.store().read(stream, from, PIECE_EVENTS)?;
                let Some(last) = piece.last() else { break };
                from = last.sequence.next();
                let before = piece.into_iter().filter(|earlier| earlier.sequence < recorded.sequence);
                input = before.filter(|earlier| earlier.event.is_input()).last().or(input);
            }
            match input {
                Some(input) => return Ok(Arc::new(input)),
                None if first == 1 => return Err(Error::NoBeginning { stream, expected: "an input" }),
                None => n_events = n_events.saturating_mul(16),
            }
        }
    }
}

/// Where reading goes on.
enum Place {
    InStream { stream: StreamId, from: Sequence, behind: Option<Sequence> },
    InLog { from: Position },
    Nowhere,
}

/// Durable events in order, up to the last one there is when it is asked for. Nothing comes behind an error.
pub struct Envelopes {
    tracks: Tracks,
    place: Place,
    piece: VecDeque<Recorded>,
}

impl Envelopes {
    /// The events of one stream from `from` on, those at `behind` and later left out if it is given.
    pub(super) fn in_stream(
        definitions: Definitions,
        stream: StreamId,
        from: Sequence,
        behind: Option<Sequence>,
    ) -> Envelopes {
        Envelopes::at(definitions, Place::InStream { stream, from, behind })
    }

    /// The events of all streams from `from` on.
    pub(super) fn in_log(definitions: Definitions, from: Position) -> Envelopes {
        Envelopes::at(definitions, Place::InLog { from })
    }

    fn at(definitions: Definitions, place: Place) -> Envelopes {
        Envelopes { tracks: Tracks::new(definitions), place, piece: VecDeque::new() }
    }

    fn store(&self) -> &Arc<dyn EventStore> {
        self.tracks.definitions.store()
    }

    fn read(&mut self) -> Result<(), Error> {
        let piece = match &self.place {
            Place::InStream { stream, from, .. } => self.store().read(*stream, *from, PIECE_EVENTS)?,
            Place::InLog { from } => self.store().read_all(*from, PIECE_EVENTS)?,
            Place::Nowhere => Vec::new(),
        };
        if let Some(last) = piece.last() {
            match &mut self.place {
                Place::InStream { from, .. } => *from = last.sequence.next(),
                Place::InLog { from } => *from = last.position.next(),
                Place::Nowhere => (),
            }
        }
        self.piece = piece.into();
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<Envelope>, Error> {
        let recorded = loop {
            if self.piece.is_empty() {
                self.read()?;
            }
            match self.piece.pop_front() {
                None => return Ok(None),
                // It is about the log, not about a workflow or a definition that could be named with it.
                Some(Recorded { event: Event::LogAccepted(..), .. }) => {}
                Some(recorded) => break recorded,
            }
        };
        if let Place::InStream { behind: Some(behind), .. } = &self.place
            && recorded.sequence >= *behind
        {
            self.place = Place::Nowhere;
            self.piece.clear();
            return Ok(None);
        }
        self.tracks.envelope(recorded).map(Some)
    }
}

impl Iterator for Envelopes {
    type Item = Result<Envelope, Error>;

    fn next(&mut self) -> Option<Result<Envelope, Error>> {
        let next = self.advance();
        if next.is_err() {
            self.place = Place::Nowhere;
            self.piece.clear();
        }
        next.transpose()
    }
}

/// History, then what happens: every event once, in the order of the log.
pub struct Follow {
    envelopes: Envelopes,
    next: Position,
}

impl Follow {
    pub(super) fn new(definitions: Definitions, from: Position) -> Follow {
        Follow { envelopes: Envelopes::in_log(definitions, from), next: from }
    }

    /// The next event; `None` if there is none yet after `timeout`. After an error the same event comes again.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Envelope>, Error> {
        if let Some(envelope) = self.take()? {
            return Ok(Some(envelope));
        }
        let durable = self.envelopes.store().wait_durable(self.next, timeout)?;
        if durable > self.next { self.take() } else { Ok(None) }
    }

    /// The position of the next event: what lies before it has been given.
    pub fn position(&self) -> Position {
        self.next
    }

    fn take(&mut self) -> Result<Option<Envelope>, Error> {
        let taken = self.envelopes.next().transpose();
        match &taken {
            Ok(Some(envelope)) => self.next = envelope.position().next(),
            Ok(None) => {
                // What was passed by is not waited for.
                if let Place::InLog { from } = self.envelopes.place {
                    self.next = from.max(self.next);
                }
            }
            Err(_) => self.envelopes.place = Place::InLog { from: self.next },
        }
        taken
    }
}
