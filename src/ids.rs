//! Names of things: workflows, streams, stages, activations, attempts, and places in the log.
//!
//! Newtypes only; nothing here reads a clock or a source of randomness. Workflow and command ids are ULIDs minted at
//! the edges, everything else is a counter inside a state. Only user of `ulid`.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ulid::Ulid;

use crate::digest::{Sha256, sha256};
use crate::time::Timestamp;

/// A text that should have been an id and is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}")]
pub struct InvalidId {
    kind: &'static str,
    text: String,
}

/// One running or finished workflow: a ULID, so that ids sort by the time they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkflowId(u128);

/// One request to the engine: a ULID. A command sent twice under one id acts once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandId(u128);

macro_rules! ulid_text {
    ($name:ident, $kind:literal) => {
        impl $name {
            /// An id from its moment (milliseconds are kept, 48 bits of them) and 80 bits that tell it from others.
            pub fn from_parts(at: Timestamp, distinct: u128) -> $name {
                $name(Ulid::from_parts(at.unix_milliseconds(), distinct).0)
            }

            /// The 16 bytes of the id, big-endian, so that byte order is id order.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The id made of these 16 bytes, big-endian.
            pub fn from_bytes(bytes: [u8; 16]) -> $name {
                $name(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&Ulid(self.0).to_string())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<$name, InvalidId> {
                let invalid = || InvalidId { kind: $kind, text: text.chars().take(64).collect() };
                let id = Ulid::from_string(text).map_err(|_| invalid())?;
                // The 26 characters hold 130 bits: the first may not be above 7.
                match text.as_bytes().first() {
                    Some(b'0'..=b'7') => Ok($name(id.0)),
                    Some(_) | None => Err(invalid()),
                }
            }
        }
    };
}

ulid_text!(WorkflowId, "workflow id");
ulid_text!(CommandId, "command id");

/// What a stream is the history of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StreamKind {
    /// The events of one workflow.
    Workflow,
    /// The registration of one definition; named by its hash in hex.
    Definition,
    /// What happened to the log as a whole; its name is empty.
    Engine,
}

impl StreamKind {
    /// The kind as it is hashed into the id of a named stream.
    pub fn name(self) -> &'static str {
        match self {
            StreamKind::Workflow => "workflow",
            StreamKind::Definition => "definition",
            StreamKind::Engine => "engine",
        }
    }
}

/// Identity of a stream: the ULID of a workflow, or a hash of kind and name with the top bit set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId([u8; 16]);

impl StreamId {
    /// The stream of control frames, which belong to no stream.
    pub(crate) const NONE: StreamId = StreamId([0; 16]);

    /// The stream that holds the events of `workflow`.
    pub fn workflow(workflow: WorkflowId) -> StreamId {
        StreamId(workflow.to_bytes())
    }

    /// The stream that holds the registration of the definition with this hash.
    pub fn definition(hash: DefinitionHash) -> StreamId {
        StreamId::named(StreamKind::Definition, &hash.to_string())
    }

    /// The stream of what happened to the log as a whole.
    pub fn engine() -> StreamId {
        StreamId::named(StreamKind::Engine, "")
    }

    fn named(kind: StreamKind, name: &str) -> StreamId {
        let mut hasher = Sha256::new();
        hasher.update(kind.name().as_bytes());
        hasher.update(&[0]);
        hasher.update(name.as_bytes());
        let digest = hasher.finish();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[0] |= 0x80;
        StreamId(bytes)
    }

    /// The workflow this is the stream of, unless it is a named stream.
    pub fn as_workflow(self) -> Option<WorkflowId> {
        (self.0[0] & 0x80 == 0 && self != StreamId::NONE).then(|| WorkflowId::from_bytes(self.0))
    }

    /// The 16 bytes of the id as they stand in a frame.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The id made of these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> StreamId {
        StreamId(bytes)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_workflow() {
            Some(workflow) => write!(f, "workflow/{workflow}"),
            None => self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Content hash of a definition in its normal form: SHA-256 of its canonical JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DefinitionHash([u8; 32]);

impl DefinitionHash {
    /// The hash of a definition whose normal form is this canonical JSON.
    pub fn of(canonical_json: &str) -> DefinitionHash {
        DefinitionHash(sha256(canonical_json.as_bytes()))
    }
}

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DefinitionHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<DefinitionHash, InvalidId> {
        let invalid = || InvalidId { kind: "definition hash", text: text.chars().take(80).collect() };
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(DefinitionHash(bytes))
    }
}

macro_rules! place {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The first place: 1.
            pub const FIRST: $name = $name(NonZeroU64::MIN);

            /// The place with this number, if there is one: places begin at 1.
            pub fn new(number: u64) -> Option<$name> {
                NonZeroU64::new(number).map($name)
            }

            /// The number of this place, from 1.
            pub fn get(self) -> u64 {
                self.0.get()
            }

            /// The place `count` further on.
            pub(crate) fn plus(self, count: u64) -> $name {
                $name(self.0.checked_add(count).expect($what))
            }

            /// The place that follows this one.
            pub(crate) fn next(self) -> $name {
                self.plus(1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

place!(
    /// Place of an event in its stream. The first event has sequence 1 and there are no gaps.
    Sequence,
    "a stream ends far below 2^64 events"
);
place!(
    /// Place of an event in the whole log. The first event has position 1 and there are no gaps.
    Position,
    "a log ends far below 2^64 events"
);

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u32);

        impl $name {
            /// The index with this number, from 0.
            pub fn new(number: u32) -> $name {
                $name(number)
            }

            /// The number of this index, from 0.
            pub fn get(self) -> u32 {
                self.0
            }

        }
    };
}

index!(
    /// A stage by its place in the normal form of its definition, from 0.
    StageIndex
);
index!(
    /// An arc by its place in the normal form of its definition, from 0.
    ArcIndex
);
index!(
    /// A task by its place in its stage, from 0.
    TaskIndex
);
index!(
    /// A region by its place among those of its definition, which are in the byte order of their names, from 0.
    RegionIndex
);
index!(
    /// One opening of a nested block of a workflow. The root scope, 0, is the workflow itself.
    ScopeId
);

macro_rules! slice_index {
    ($($name:ident)+) => {
        $(impl $name {
            /// The number as an index into a slice.
            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        })+
    };
}

index!(
    /// A lock by its place among those of its definition, from 0: mutex keys, then interleaved groups, each by name.
    LockIndex
);
index!(
    /// A critical section by its place among those of its definition, from 0: by key, then by name.
    SectionIndex
);

slice_index!(StageIndex ArcIndex TaskIndex RegionIndex LockIndex SectionIndex);

impl ScopeId {
    /// The scope that is the workflow itself.
    pub const ROOT: ScopeId = ScopeId(0);
}

/// One of the instances of an activation, from 0, in the order in which they were made.
///
/// Kept as the number behind it, so that no instance needs no room of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceIndex(NonZeroU32);

impl InstanceIndex {
    /// The instance with this number, from 0; none has the greatest.
    pub fn new(number: u32) -> Option<InstanceIndex> {
        number.checked_add(1).and_then(NonZeroU32::new).map(InstanceIndex)
    }

    /// Its number, from 0.
    pub fn get(self) -> u32 {
        self.0.get() - 1
    }
}

impl fmt::Display for InstanceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.get(), f)
    }
}

impl fmt::Debug for InstanceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for InstanceIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for InstanceIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<InstanceIndex, D::Error> {
        let number = u32::deserialize(deserializer)?;
        InstanceIndex::new(number).ok_or_else(|| de::Error::custom("no instance has this number"))
    }
}

/// One entry of a stage by a token, or one of the instances of such an entry, which consumes and emits no tokens.
///
/// Instances come behind their activation in the order of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActivationId {
    /// The stage that is activated.
    pub stage: StageIndex,
    /// How many activations of this stage the workflow has had, this one included. From 1.
    pub number: u32,
    /// Which of its instances it is; `None` is the activation itself.
    pub instance: Option<InstanceIndex>,
}

impl ActivationId {
    /// The `number`-th activation of this stage in its workflow, from 1.
    pub fn new(stage: StageIndex, number: u32) -> ActivationId {
        ActivationId { stage, number, instance: None }
    }

    /// How many activations of its stage the workflow has had, this one included. From 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Which of the instances of the activation it is, from 0; `None` if it is the activation itself.
    pub fn instance(self) -> Option<u32> {
        self.instance.map(InstanceIndex::get)
    }

    /// The activation whose instance this is; itself, if it is none.
    pub fn owner(self) -> ActivationId {
        ActivationId { instance: None, ..self }
    }

    /// What stands behind the name of its stage in the name people read: `#2`, `#1[5]`.
    pub(crate) fn suffix(self) -> String {
        let instance = self.instance.map(|instance| format!("[{instance}]")).unwrap_or_default();
        format!("#{}{instance}", self.number)
    }
}

/// One piece of outside work: a task of an activation. It is the same for all attempts at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId {
    /// The activation the work belongs to.
    pub activation: ActivationId,
    /// Which of the stage's tasks it is.
    pub task: TaskIndex,
}

/// One dispatch of a piece of work to a worker. Results are accepted from the current attempt only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The piece of work.
    pub task: TaskId,
    /// Dispatch number within the piece of work, from 1; every retry, poll or re-dispatch has a new one.
    pub dispatch: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_id_is_read_back_from_its_text() {
        let id = WorkflowId::from_parts(Timestamp::from_microseconds(1_700_000_000_123_456), 42);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 26);
    }

    #[test]
    fn a_text_that_overflows_a_ulid_is_refused() {
        assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<WorkflowId>().is_err());
        assert!("".parse::<WorkflowId>().is_err());
    }

    #[test]
    fn an_instance_is_named_behind_its_activation_and_needs_no_room() {
        let activation = ActivationId::new(StageIndex::new(3), 2);
        let instance = ActivationId { instance: InstanceIndex::new(0), ..activation };
        assert_eq!((activation.suffix(), instance.suffix()), ("#2".to_owned(), "#2[0]".to_owned()));
        assert!(activation < instance && instance < ActivationId::new(StageIndex::new(3), 3));
        assert_eq!((instance.owner(), InstanceIndex::new(u32::MAX)), (activation, None));
        assert_eq!(size_of::<ActivationId>(), 12);
    }

    #[test]
    fn a_named_stream_is_no_workflow() {
        let stream = StreamId::definition(DefinitionHash::of("{}"));
        assert_eq!(stream.as_workflow(), None);
        let workflow = WorkflowId::from_parts(Timestamp::from_microseconds(1), 7);
        assert_eq!(StreamId::workflow(workflow).as_workflow(), Some(workflow));
    }

    #[test]
    fn a_definition_hash_is_read_back_from_its_text() {
        let hash = DefinitionHash::of("{\"name\":\"x\"}");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!("ABCD".parse::<DefinitionHash>().is_err());
    }
}
