//! Settling: micro-steps in their order, until none applies (R3), in chunks of bounded size (R4).
//!
//! Each micro-step leaves a legal state and depends on nothing but the state, so cutting between two of them loses
//! nothing. The candidates of the state make looking cheap; they never decide.

use crate::definition::Join;
use crate::event::Event;
use crate::machine::state::{Phase, Progress};

use super::{Decision, join, jump};

/// What one look for a micro-step found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Applied,
    Nothing,
}

/// A candidate is tested; tests of the cost count that.
fn test_one() {
    #[cfg(test)]
    crate::machine::tests::count_work(1);
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
        test_one();
        if self.sweep() || self.cancel_doomed() == Found::Applied {
            return Found::Applied;
        }
        let moves = self.state.moves(self.state.outermost());
        if moves
            && (self.end_a_core() == Found::Applied
                || self.go_on_inside_one() == Found::Applied
                || self.fire_a_join() == Found::Applied
                || self.start_an_instance() == Found::Applied
                || self.begin_a_thread()
                || self.open_a_gate() == Found::Applied)
        {
            return Found::Applied;
        }
        if self.release_a_lock() || (moves && (self.test_the_marking() || self.expire_a_milestone())) {
            return Found::Applied;
        }
        if self.close_a_scope() == Found::Applied {
            return Found::Applied;
        }
        if self.end_if_over() { Found::Applied } else { Found::Nothing }
    }

    fn cancel_doomed(&mut self) -> Found {
        while let Some((_, _, id)) = self.state.candidates.doomed.pop_first() {
            test_one();
            if let Some(cause) = self.state.core.live.get(&id).and_then(|live| live.doomed) {
                if self.state.stops_first(id) {
                    if self.state.is_canceling(id) {
                        continue;
                    }
                    self.stop_first(id, cause);
                    return Found::Applied;
                }
                self.list_tokens_inside(id);
                self.cancel_activation(id, cause);
                return Found::Applied;
            }
        }
        Found::Nothing
    }

    fn end_a_core(&mut self) -> Found {
        while let Some((_, id)) = self.state.candidates.core_ended.pop_first() {
            test_one();
            let Some(live) = self.state.core.live.get(&id).filter(|live| self.state.moves(live.scope)) else {
                continue;
            };
            match live.progress {
                Progress::CoreEnded => self.end_core(id),
                // What it has of instances is canceled first, and with the last of them it ends.
                Progress::Overdue if self.is_withdrawn(id) => continue,
                // What is inside it has to stop.
                Progress::Overdue if self.state.lives_inside(live) => continue,
                Progress::Overdue => self.end_overdue(id),
                Progress::Open(_) if self.state.is_to_be_answered(id) => self.answer_as_defined(id),
                Progress::Ready(_)
                | Progress::Between { .. }
                | Progress::Open(_)
                | Progress::Turning
                | Progress::Inside
                | Progress::Canceling(_)
                | Progress::Instances => continue,
            }
            return Found::Applied;
        }
        Found::Nothing
    }

    /// A block that is done, or a loop that may have another turn.
    fn go_on_inside_one(&mut self) -> Found {
        let mut held = Vec::new();
        let mut found = Found::Nothing;
        while let Some(place) = self.state.candidates.inside.pop_first() {
            test_one();
            let Some(live) = self.state.core.live.get(&place.2) else { continue };
            if self.state.is_paused() && live.progress == Progress::Turning {
                held.push(place);
            } else if self.state.moves(live.scope) && self.go_on_inside(place.2) {
                found = Found::Applied;
                break;
            }
        }
        self.state.candidates.inside.extend(held);
        found
    }

    /// A scope inside an activation in which nothing can move any more.
    fn close_a_scope(&mut self) -> Found {
        while let Some((_, id)) = self.state.candidates.over.pop_first() {
            test_one();
            let Some(scope) = self.state.core.scopes.get(&id).filter(|scope| scope.live == 0) else { continue };
            let Some(owner) = scope.owner else { continue };
            let live = self.state.core.live.get(&owner);
            let waits = live.is_some_and(|live| live.progress == Progress::Inside && live.doomed.is_none());
            if waits && !self.state.holds_instances(id) {
                if !self.force_inside(id) {
                    self.close_inside(id, owner);
                }
                return Found::Applied;
            }
        }
        Found::Nothing
    }

    fn start_an_instance(&mut self) -> Found {
        if self.state.is_paused() {
            return Found::Nothing;
        }
        while let Some(&(born, id)) = self.state.candidates.starting.first() {
            test_one();
            let spec = self.state.definition.graph().stage(id.stage).instances.as_ref();
            let set = self.state.core.instances.get(&id);
            if spec.zip(set).is_some_and(|(spec, set)| self.state.moves(set.scope) && set.may_start(spec)) {
                self.start_instances(id);
                return Found::Applied;
            }
            self.state.candidates.starting.remove(&(born, id));
        }
        Found::Nothing
    }

    fn fire_a_join(&mut self) -> Found {
        while let Some(&(depth, scope, stage)) = self.state.candidates.joins.first() {
            test_one();
            if !self.state.moves(scope) {
                self.state.candidates.joins.remove(&(depth, scope, stage));
                continue;
            }
            if self.absorb(scope, stage) {
                return Found::Applied;
            }
            // A jump starts its target before anything else is counted there.
            let jump = jump::enabled(self.state, scope, stage);
            if jump.is_none() && self.count(scope, stage) == Found::Applied {
                return Found::Applied;
            }
            let merged = jump.or_else(|| self.merge_threads(scope, stage));
            match merged.or_else(|| join::enabled(self.state, scope, stage)) {
                Some(consumed) => {
                    self.fire(scope, stage, consumed);
                    return Found::Applied;
                }
                None => self.state.candidates.joins.remove(&(depth, scope, stage)),
            };
        }
        Found::Nothing
    }

    /// The first join that has to look at the whole marking, and for which that means something.
    fn test_the_marking(&mut self) -> bool {
        while let Some(waiting) = self.state.candidates.outlooks.pop() {
            test_one();
            if !self.state.moves(waiting.scope) {
                continue;
            }
            let is_or = self.state.definition.graph().stage(waiting.join).join == Join::Or;
            if if is_or { self.fire_if_enabled(waiting) } else { self.give_up_waiting(waiting) } {
                return true;
            }
        }
        false
    }

    fn open_a_gate(&mut self) -> Found {
        if self.state.is_paused() {
            return Found::Nothing;
        }
        while let Some((_, id)) = self.state.candidates.ready.pop_first() {
            test_one();
            let live = self.state.core.live.get(&id).filter(|live| self.state.moves(live.scope));
            let Some(&Progress::Ready(gate)) = live.map(|live| &live.progress) else { continue };
            if self.examine_gate(id, gate) {
                return Found::Applied;
            }
        }
        Found::Nothing
    }
}
