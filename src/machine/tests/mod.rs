//! Behaviour of the machine on values: given, when, then.

mod by_hand;
mod calls;
mod cancel;
mod cancellation;
mod choices;
mod chunks;
mod circles;
mod compensation;
mod conditions;
mod context;
mod costs;
mod deadlines;
mod differences;
mod endings;
mod failure;
mod flow;
mod generations;
mod gone;
mod instances;
mod instances_inside;
mod instances_many;
mod instances_outside;
mod jumps;
mod jumps_into_joins;
mod jumps_to_any;
mod locks;
mod loops;
mod merges;
mod milestones;
mod or_join;
mod or_nets;
mod or_oracle;
mod or_split;
mod pause;
mod phases;
mod properties;
mod redirects;
mod refusals;
mod regions;
mod repeats;
mod retry;
mod rewinds;
mod schedules;
mod seen;
mod stopping;
mod threads;
mod timers;
mod triggers;
mod waits;

use std::cell::Cell;

thread_local! {
    static RESCANS: Cell<bool> = const { Cell::new(false) };
}

/// Does deciding on this thread refill all candidates before every micro-step?
pub(super) fn rescans() -> bool {
    RESCANS.get()
}

thread_local! {
    static LOOKS: Cell<usize> = const { Cell::new(0) };
}

/// Another look at what may still come to a join was taken.
pub(super) fn count_look() {
    LOOKS.set(LOOKS.get() + 1);
}

thread_local! {
    static WORK: Cell<u64> = const { Cell::new(0) };
}

/// So many things more were looked at: stages before a join, activations behind a token, candidates.
pub(super) fn count_work(things: u64) {
    WORK.set(WORK.get() + things);
}

/// Things looked at on this thread so far.
fn work() -> u64 {
    WORK.get()
}

/// Looks taken on this thread so far.
fn looks() -> usize {
    LOOKS.get()
}

/// Does this while deciding refills all candidates before every micro-step.
fn with_rescans(does: impl FnOnce()) {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            RESCANS.set(false);
        }
    }
    RESCANS.set(true);
    let _guard = Guard;
    does();
}
