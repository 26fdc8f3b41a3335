//! What a state still knows of the newest activation of each stage, for comparing it with what people are shown.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::ids::{ActivationId, StageIndex};
use crate::status::Status;
use crate::value::Map;

use super::data::{outputs_of, outputs_of_tasks};
use super::past::Past;
use super::state::{AttemptState, Progress, State};

/// The newest activation of a stage.
#[derive(Clone, Debug)]
pub(crate) struct Newest {
    /// Its number, and so how many there have been.
    pub(crate) number: u32,
    /// Status and outputs; `None` if the state has forgotten it, as it does when it is canceled.
    pub(crate) known: Option<(Status, Map)>,
}

impl State {
    /// The newest activation of each stage that has had one.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn newest(&self) -> Result<BTreeMap<StageIndex, Newest>, Failure> {
        let behind = self.everything_behind();
        let mut newest = BTreeMap::new();
        for (stage, number) in &self.core.numbers {
            let id = ActivationId::new(*stage, *number);
            let known = match (self.core.live.get(&id), behind.get(*stage)) {
                (Some(live), _) => {
                    let status = match live.progress {
                        Progress::Ready(_) => Status::NotStarted,
                        Progress::Open(ref open) if open.attempt == AttemptState::Suspended => Status::Suspended,
                        Progress::Between { .. }
                        | Progress::Open(_)
                        | Progress::Turning
                        | Progress::Inside
                        | Progress::CoreEnded
                        | Progress::Overdue
                        | Progress::Canceling(_)
                        | Progress::Instances => Status::Running,
                    };
                    let outputs = match self.core.instances.get(&id) {
                        Some(set) => set.gathered.outputs()?.clone(),
                        None => outputs_of_tasks(&live.results)?,
                    };
                    Some((status, outputs))
                }
                (None, Some(ended)) if ended.activation == id && ended.is_whole() => {
                    Some((ended.status, outputs_of(ended)?))
                }
                (None, Some(_) | None) => None,
            };
            newest.insert(*stage, Newest { number: *number, known });
        }
        Ok(newest)
    }

    /// What lies behind anything that moves or has ended, and what ended inside of that.
    fn everything_behind(&self) -> Past {
        let mut behind = Past::empty();
        self.core.scopes.values().for_each(|scope| behind.union(&scope.ended));
        self.core.marking.iter().for_each(|(_, _, token)| behind.union(&token.past));
        for activation in self.core.live.values() {
            behind.union(&activation.past);
            if let Some(inside) = &activation.inside {
                behind.union(&inside.given());
                behind.union(&inside.given_behind());
            }
        }
        let nested = |past: &Past| -> Vec<Past> {
            let inside = past.iter().flat_map(|ended| [ended.inside.clone(), ended.behind.clone()]);
            inside.filter(|inside| !inside.is_empty()).collect()
        };
        let mut inside = nested(&behind);
        while let Some(next) = inside.pop() {
            behind.union(&next);
            inside.extend(nested(&next));
        }
        behind
    }

    /// What the newest activations of composite stages gave that have ended and are still known.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn given_inside(&self) -> Result<BTreeMap<ActivationId, Map>, Failure> {
        let graph = self.definition.graph();
        if graph.stages.iter().all(|stage| stage.parent.is_none()) {
            return Ok(BTreeMap::new());
        }
        let behind = self.everything_behind();
        let ended = behind.iter().filter(|ended| !ended.inside.is_empty() || !ended.behind.is_empty());
        ended.map(|ended| Ok((ended.activation, outputs_of(ended)?))).collect()
    }
}
