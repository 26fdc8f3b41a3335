//! Properties that somebody asks for besides soundness, watched along every course.

use std::collections::BTreeMap;

use crate::definition::Definition;
use crate::event::Event;
use crate::expression::{Expression, Scope};
use crate::ids::StageIndex;
use crate::machine::State;
use crate::status::Status;
use crate::value::{Map, Value};

/// Activations of a stage that are told apart: none, one, and more.
const COUNTED: u8 = 2;

/// Something that has to hold in every course.
#[derive(Clone, Debug)]
pub struct Property(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Never(Box<Expression>),
    AlwaysBefore { earlier: String, later: String },
    EventuallyAfter { cause: String, effect: String },
}

/// A property that says nothing about the definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PropertyError {
    /// The condition cannot be read.
    #[error("`{text}`: {reason}")]
    BadExpression {
        /// The condition.
        text: String,
        /// Why not.
        reason: String,
    },
    /// The definition has no such stage.
    #[error("the definition has no stage `{ref_id}`")]
    UnknownStage {
        /// The name.
        ref_id: String,
    },
}

impl Property {
    /// There is no moment at which this condition holds. It sees `stages.R.live`, how many activations of stage R are
    /// at work; `stages.R.activations`, how many there have been (2 is two or more); `stages.R.status`, how the newest
    /// one ended or RUNNING, null before the first; and `workflow.status`.
    ///
    /// # Errors
    ///
    /// If the condition cannot be read.
    pub fn never(condition: &str) -> Result<Property, PropertyError> {
        let bad = |reason: String| PropertyError::BadExpression { text: condition.to_owned(), reason };
        let expression = Expression::parse(condition).map_err(|error| bad(error.to_string()))?;
        Ok(Property(Kind::Never(Box::new(expression))))
    }

    /// No activation of `later` starts before one of `earlier` has succeeded.
    pub fn always_before(earlier: impl Into<String>, later: impl Into<String>) -> Property {
        Property(Kind::AlwaysBefore { earlier: earlier.into(), later: later.into() })
    }

    /// Whenever an activation of `cause` has succeeded, one of `effect` starts before the workflow ends.
    pub fn eventually_after(cause: impl Into<String>, effect: impl Into<String>) -> Property {
        Property(Kind::EventuallyAfter { cause: cause.into(), effect: effect.into() })
    }

    /// Does the definition have what it speaks of?
    ///
    /// # Errors
    ///
    /// The first name that it does not.
    pub fn fits(&self, definition: &Definition) -> Result<(), PropertyError> {
        let names: Vec<String> = match &self.0 {
            Kind::Never(condition) => stages_of(condition),
            Kind::AlwaysBefore { earlier: one, later: other } | Kind::EventuallyAfter { cause: one, effect: other } => {
                vec![one.clone(), other.clone()]
            }
        };
        match names.into_iter().find(|name| definition.graph().stage_index(name).is_none()) {
            Some(ref_id) => Err(PropertyError::UnknownStage { ref_id }),
            None => Ok(()),
        }
    }

    /// What it says, in words.
    pub(super) fn words(&self) -> String {
        match &self.0 {
            Kind::Never(condition) => format!("never {}", condition.text()),
            Kind::AlwaysBefore { earlier, later } => format!("always {earlier} before {later}"),
            Kind::EventuallyAfter { cause, effect } => format!("eventually {effect} after {cause}"),
        }
    }
}

/// The stages that a condition names.
fn stages_of(condition: &Expression) -> Vec<String> {
    let of_stages = condition.references().into_iter().filter(|reference| reference.root == "stages");
    of_stages.filter_map(|reference| reference.path.first().cloned()).collect()
}

/// What has to be known of a course so far to watch properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Watched {
    /// Of each stage that is spoken of: how many activations have started, and how the newest one stands.
    stages: BTreeMap<StageIndex, (u8, Status)>,
    /// One bit a property: what it waits for has happened, or is due.
    bits: Vec<bool>,
}

/// A property that did not hold, by its place.
pub(super) type Violated = usize;

/// The properties of one exploration.
pub(super) struct Monitor<'p> {
    definition: Definition,
    properties: &'p [Property],
    /// The stages that some condition names.
    named: Vec<StageIndex>,
}

impl<'p> Monitor<'p> {
    pub(super) fn new(definition: &Definition, properties: &'p [Property]) -> Monitor<'p> {
        let conditions = properties.iter().filter_map(|property| match &property.0 {
            Kind::Never(condition) => Some(condition),
            Kind::AlwaysBefore { .. } | Kind::EventuallyAfter { .. } => None,
        });
        let named = conditions.flat_map(|condition| stages_of(condition));
        let named = named.filter_map(|ref_id| definition.graph().stage_index(&ref_id)).collect();
        Monitor { definition: definition.clone(), properties, named }
    }

    pub(super) fn begin(&self) -> Watched {
        Watched { stages: BTreeMap::new(), bits: vec![false; self.properties.len()] }
    }

    /// What is known after these events, and the first property they violate.
    pub(super) fn after(&self, watched: &Watched, events: &[Event], state: &State) -> (Watched, Option<Violated>) {
        let mut after = watched.clone();
        let mut violated = None;
        for event in events {
            self.note(&mut after, event);
            for (place, property) in self.properties.iter().enumerate() {
                if self.violates(property, &mut after.bits[place], event) && violated.is_none() {
                    violated = Some(place);
                }
            }
        }
        for (place, property) in self.properties.iter().enumerate() {
            let fails = match &property.0 {
                Kind::Never(condition) => self.holds(condition, &after, state),
                Kind::EventuallyAfter { .. } => state.is_closed() && after.bits[place],
                Kind::AlwaysBefore { .. } => false,
            };
            if fails && violated.is_none() {
                violated = Some(place);
            }
        }
        (after, violated)
    }

    pub(super) fn words(&self, violated: Violated) -> String {
        self.properties[violated].words()
    }

    fn note(&self, watched: &mut Watched, event: &Event) {
        let Some(activation) = event.activation().filter(|id| self.named.contains(&id.stage)) else { return };
        let known = watched.stages.entry(activation.stage).or_insert((0, Status::NotStarted));
        match event {
            Event::StageStarted { .. } => *known = ((known.0 + 1).min(COUNTED), Status::Running),
            Event::StageEnded { status, .. } => known.1 = *status,
            Event::StageCanceled { .. } => known.1 = Status::Canceled,
            _ => (),
        }
    }

    fn violates(&self, property: &Property, bit: &mut bool, event: &Event) -> bool {
        let (first, second) = match &property.0 {
            Kind::Never(_) => return false,
            Kind::AlwaysBefore { earlier, later } => (earlier, later),
            Kind::EventuallyAfter { cause, effect } => (cause, effect),
        };
        let of = |ref_id: &str| {
            event.activation().is_some_and(|id| self.definition.graph().stage(id.stage).ref_id == ref_id)
        };
        let succeeded = matches!(event, Event::StageEnded { status, .. } if status.is_continuable());
        let started = matches!(event, Event::StageStarted { .. });
        match &property.0 {
            Kind::AlwaysBefore { .. } => {
                *bit |= succeeded && of(first);
                started && of(second) && !*bit
            }
            Kind::EventuallyAfter { .. } => {
                *bit = (*bit || succeeded && of(first)) && !(started && of(second));
                false
            }
            Kind::Never(_) => false,
        }
    }

    fn holds(&self, condition: &Expression, watched: &Watched, state: &State) -> bool {
        let mut live: BTreeMap<StageIndex, u64> = BTreeMap::new();
        state.live().for_each(|id| *live.entry(id.stage).or_default() += 1);
        let of_stage = |stage: &StageIndex| {
            let (count, status) = watched.stages.get(stage).copied().unwrap_or((0, Status::NotStarted));
            let status =
                if count == 0 && status == Status::NotStarted { Value::Null } else { Value::from(status.name()) };
            let live = live.get(stage).copied().unwrap_or(0);
            let view = Value::map([
                ("live", Value::from(live)),
                ("activations", Value::from(u64::from(count))),
                ("status", status),
            ]);
            (self.definition.graph().stage(*stage).ref_id.clone(), view)
        };
        let stages: Map = self.named.iter().map(of_stage).collect();
        let workflow = Value::map([("status", state.status().name())]);
        let scope = Scope::new().with("stages", Value::Map(stages)).with("workflow", workflow);
        condition.evaluate(&scope).is_ok_and(|value| value.is_truthy())
    }
}

impl Watched {
    /// Adds what is known to the key of a state.
    pub(super) fn add_to(&self, key: &mut Vec<u8>) {
        for (stage, (count, status)) in &self.stages {
            key.extend(stage.get().to_le_bytes());
            key.push(*count);
            key.extend(status.name().as_bytes());
        }
        key.extend(self.bits.iter().map(|bit| u8::from(*bit)));
    }
}
