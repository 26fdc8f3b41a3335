//! What may come next from outside, whatever the data: for the checker of definitions (R21).
//!
//! Of activations that stand alike one is named for all. Time stands still: any timer that is set may fire next.

use std::collections::BTreeMap;

use crate::definition::Join;
use crate::event::{
    Json, Report, SignalDurability, SignalMessage, SignalTarget, StartRequest, TaskReport, TriggerClosing,
};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ArcIndex, AttemptId, ScopeId, StageIndex, TaskId};

use super::command::Request;
use super::state::{AttemptState, Gate, Phase, Progress, State};

/// How the work of a stage may end, where all of them are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcomes {
    /// Success, and STOPPED.
    Orderly,
    /// These, and failure for good; and somebody may ask for the end.
    All,
}

/// More than the join of a stage can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unsafe {
    /// Two tokens lie on an arc to an AND-join.
    AndJoin(StageIndex, ArcIndex),
    /// A second token has come to an XOR-join while the first one's activation lives.
    XorJoin(StageIndex),
}

impl State {
    /// Every request that may come next and moves the workflow: reports of open tasks, timers.
    pub(crate) fn possible(&self, outcomes: Outcomes) -> Vec<Request> {
        if self.core.phase != Phase::Live {
            return Vec::new();
        }
        if self.core.unsettled {
            return vec![Request::ContinueSettling];
        }
        let mut possible = Vec::new();
        let mut alike: Vec<Vec<u8>> = Vec::new();
        let graph = self.definition.graph();
        for (id, activation) in &self.core.live {
            if let Some(stopping) = self.stopping(*id) {
                possible.push(Request::StopTask(stopping.attempt));
            }
            let Progress::Open(open) = &activation.progress else { continue };
            let mut stands = self.key_of(*id, u32::MAX);
            // What stands around it may differ.
            stands.extend(activation.scope.get().to_le_bytes());
            if !matches!(open.attempt, AttemptState::Queued { .. } | AttemptState::Started) || alike.contains(&stands) {
                continue;
            }
            alike.push(stands);
            let attempt = AttemptId { task: TaskId { activation: *id, task: open.task }, dispatch: open.dispatch };
            let mut tell = |report| {
                let (outputs, context, streams) = (Json::empty(), Json::empty(), Vec::new());
                possible.push(Request::ReportTask(TaskReport { attempt, report, outputs, context, streams }));
            };
            tell(Report::Succeeded);
            tell(Report::Stopped);
            for arc in &graph.stage(id.stage).jumps {
                tell(Report::Jump { target: graph.stage(graph.arc(*arc).to).ref_id.clone() });
            }
            if outcomes == Outcomes::All {
                let error = Failure::new(ErrorCode::SYSTEM_ERROR, ErrorClass::Permanent, "tried by the checker");
                tell(Report::Terminal { error });
            }
        }
        possible.extend(self.core.timers.keys().map(|timer| Request::FireTimer(*timer)));
        possible.extend(self.possible_signals());
        possible.extend(self.possible_claims());
        possible
    }

    /// The alternatives that somebody may choose.
    fn possible_claims(&self) -> Vec<Request> {
        let mut possible = Vec::new();
        let mut alike: Vec<Vec<u8>> = Vec::new();
        for (id, live) in &self.core.live {
            if live.progress != Progress::Ready(Gate::Choice) {
                continue;
            }
            let mut stands = self.key_of(*id, u32::MAX);
            stands.extend(live.scope.get().to_le_bytes());
            if !alike.contains(&stands) {
                alike.push(stands);
                possible.push(Request::StartStage(StartRequest { activation: *id, reason: None }));
            }
        }
        possible
    }

    /// The signals that triggers wait for. Of those that start a stage one is tried, then its trigger is closed: more
    /// of them would be as many threads as anybody likes.
    fn possible_signals(&self) -> Vec<Request> {
        let signal = |name: &str, target| {
            let (data, durability) = ("null".to_owned(), SignalDurability::Transient);
            Request::Signal(SignalMessage { name: name.to_owned(), target, data, id: None, durability, reason: None })
        };
        let mut possible = Vec::new();
        let mut alike: Vec<Vec<u8>> = Vec::new();
        for (id, activation) in &self.core.live {
            let Some(wait) = &activation.waiting else { continue };
            let mut stands = self.key_of(*id, u32::MAX);
            stands.extend(activation.scope.get().to_le_bytes());
            if !alike.contains(&stands) {
                alike.push(stands);
                // Each name may mean something else to instances; to a task they mean the same.
                let differ = if activation.progress == Progress::Instances { wait.names.len() } else { 1 };
                let names = wait.names.iter().take(differ);
                possible.extend(names.map(|name| signal(name, SignalTarget::Activation(*id))));
            }
        }
        possible.extend(self.possible_ends().map(|(id, name)| signal(name, SignalTarget::Activation(id))));
        for (stage, trigger) in self.open_starts() {
            possible.push(if self.has_begun_a_thread(stage) {
                Request::CloseTrigger(TriggerClosing { stage, reason: None })
            } else {
                signal(&trigger.signal, SignalTarget::Stage(stage))
            });
        }
        possible
    }

    /// The first stage that waits for its milestone.
    pub(crate) fn stage_at_milestone(&self) -> Option<StageIndex> {
        self.core.live.keys().find(|id| self.waits_for_its_milestone(**id)).map(|id| id.stage)
    }

    /// The first stage that waits for a lock which others hold.
    pub(crate) fn locked_out_stage(&self) -> Option<StageIndex> {
        let waits = |id: &ActivationId| {
            let is_at_gate = self.core.live[id].progress == Progress::Ready(Gate::Lock);
            is_at_gate && self.locked_out(*id).is_some()
        };
        self.core.live.keys().find(|id| waits(id)).map(|id| id.stage)
    }

    /// The activations that a signal may end, with its name.
    fn possible_ends(&self) -> impl Iterator<Item = (ActivationId, &str)> {
        let mut alike: Vec<Vec<u8>> = Vec::new();
        self.core.live.iter().filter_map(move |(id, live)| {
            let boundary = &self.definition.graph().stage(id.stage).cancellation.boundary;
            let name = boundary.signals.first().filter(|_| id.instance.is_none() && live.doomed.is_none())?;
            let mut stands = self.key_of(*id, u32::MAX);
            stands.extend(live.scope.get().to_le_bytes());
            let is_new = !alike.contains(&stands);
            alike.push(stands);
            is_new.then_some((*id, name.as_str()))
        })
    }

    /// The first join that has more before it than it can tell apart.
    pub(crate) fn unsafe_join(&self) -> Option<Unsafe> {
        let graph = self.definition.graph();
        for (scope, arc) in self.marked_arcs() {
            let stage = graph.arc(arc).to;
            if graph.stage(stage).join == Join::And && self.core.marking.lying(scope, arc) > 1 {
                return Some(Unsafe::AndJoin(stage, arc));
            }
        }
        let alive = self.alive(|id| self.passes_on(id));
        let twice = alive.iter().find(|((_, stage), alive)| **alive > 1 && graph.stage(*stage).join == Join::Xor);
        twice.map(|((_, stage), _)| Unsafe::XorJoin(*stage))
    }

    /// The first stage before or in which there is more than `bound` of anything.
    pub(crate) fn beyond(&self, bound: u32) -> Option<StageIndex> {
        let bound = bound as usize;
        let graph = self.definition.graph();
        let waiting = self.marked_arcs().find(|(scope, arc)| self.core.marking.lying(*scope, *arc) > bound);
        if let Some((_, arc)) = waiting {
            return Some(graph.arc(arc).to);
        }
        self.alive(|_| true).into_iter().find(|(_, alive)| *alive > bound).map(|((_, stage), _)| stage)
    }

    /// How many activations of each stage live in each scope, of those that count.
    fn alive(&self, counts: impl Fn(ActivationId) -> bool) -> BTreeMap<(ScopeId, StageIndex), usize> {
        let mut alive = BTreeMap::new();
        // Instances are within what they are instances of.
        for (id, activation) in self.core.live.iter().filter(|(id, _)| id.instance.is_none() && counts(**id)) {
            *alive.entry((activation.scope, id.stage)).or_default() += 1;
        }
        alive
    }

    fn marked_arcs(&self) -> impl Iterator<Item = (ScopeId, ArcIndex)> + '_ {
        let scopes = self.core.scopes.keys().copied();
        scopes.flat_map(|scope| self.core.marking.left(scope).map(move |left| (scope, left.arc)))
    }
}
