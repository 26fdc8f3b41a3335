//! What a state still knows of the newest activation of each stage, for comparing it with what people are shown.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::ids::{ActivationId, ScopeId, StageIndex};
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
                        Progress::Between { .. } | Progress::Open(_) | Progress::CoreEnded | Progress::Overdue => {
                            Status::Running
                        }
                    };
                    Some((status, outputs_of_tasks(&live.results)?))
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

    /// What lies behind anything that moves or has ended.
    fn everything_behind(&self) -> Past {
        let mut behind = self.core.scopes.get(&ScopeId::ROOT).map_or_else(Past::empty, |scope| scope.ended.clone());
        self.core.live.values().for_each(|activation| behind.union(&activation.past));
        self.core.marking.iter().for_each(|(_, _, token)| behind.union(&token.past));
        behind
    }
}
