//! Settling: micro-steps in their order, until none applies (R3), in chunks of bounded size (R4).
//!
//! Each micro-step leaves a legal state and depends on nothing but the state, so cutting between two of them loses
//! nothing. The candidates of the state make looking cheap; they never decide.

use crate::event::Event;
use crate::ids::ScopeId;
use crate::machine::state::{Gate, Phase, Progress};

use super::{Decision, join};

/// What one look for a micro-step found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Applied,
    Nothing,
}

impl Decision<'_> {
    /// Applies micro-steps until none is left, or until the batch is full.
    pub(super) fn settle(&mut self) {
        while !self.state.core.unsettled && self.state.core.phase == Phase::Live {
            #[cfg(test)]
            if crate::machine::tests::rescans() {
                self.state.refill_candidates();
            }
            if self.step() == Found::Nothing {
                return;
            }
            if self.is_full() && self.state.core.phase == Phase::Live {
                self.push(Event::SettleDeferred);
            }
        }
    }

    /// The first micro-step that applies, in the order of R3.
    fn step(&mut self) -> Found {
        if self.sweep() || self.cancel_doomed() == Found::Applied {
            return Found::Applied;
        }
        if self.state.moves(ScopeId::ROOT)
            && (self.end_a_core() == Found::Applied
                || self.fire_a_join() == Found::Applied
                || self.begin_a_thread()
                || self.open_a_gate() == Found::Applied
                || self.fire_an_or_join())
        {
            return Found::Applied;
        }
        if self.end_if_over() { Found::Applied } else { Found::Nothing }
    }

    fn cancel_doomed(&mut self) -> Found {
        while let Some((_, id)) = self.state.candidates.doomed.pop_first() {
            if let Some(cause) = self.state.core.live.get(&id).and_then(|live| live.doomed) {
                self.cancel_activation(id, cause);
                return Found::Applied;
            }
        }
        Found::Nothing
    }

    fn end_a_core(&mut self) -> Found {
        while let Some((_, id)) = self.state.candidates.core_ended.pop_first() {
            match self.state.core.live.get(&id).map(|live| &live.progress) {
                Some(Progress::CoreEnded) => self.end_core(id),
                Some(Progress::Overdue) => self.end_overdue(id),
                Some(Progress::Ready(_) | Progress::Between { .. } | Progress::Open(_)) | None => continue,
            }
            return Found::Applied;
        }
        Found::Nothing
    }

    fn fire_a_join(&mut self) -> Found {
        while let Some(&(scope, stage)) = self.state.candidates.joins.first() {
            match join::enabled(self.state, scope, stage) {
                Some(consumed) => {
                    self.fire(scope, stage, consumed);
                    return Found::Applied;
                }
                None => self.state.candidates.joins.remove(&(scope, stage)),
            };
        }
        Found::Nothing
    }

    fn open_a_gate(&mut self) -> Found {
        if self.state.is_paused() {
            return Found::Nothing;
        }
        while let Some((_, id)) = self.state.candidates.ready.pop_first() {
            let Some(&Progress::Ready(gate)) = self.state.core.live.get(&id).map(|live| &live.progress) else {
                continue;
            };
            if !matches!(gate, Gate::Scheduled | Gate::Trigger) {
                self.examine_gate(id, gate);
                return Found::Applied;
            }
        }
        Found::Nothing
    }
}
