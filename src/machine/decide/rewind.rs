//! What a jump back undoes, where it rewinds (R14): the activation of its target that lies behind it, and what
//! descends from that.

use crate::event::{Firing, ForgottenArrivals, PutBack, RemovedToken, Rewound};
use crate::ids::{ActivationId, ArcIndex, ScopeId};
use crate::limits::LISTED_MAX;
use crate::machine::state::{Activation, State};
use crate::machine::trail::Taken;

/// What a jump from `source` undoes that goes back to `to`.
pub(super) fn plan(state: &State, source: ActivationId, to: ActivationId) -> Rewound {
    let scope = state.core.live[&source].scope;
    let live =
        state.core.live.iter().filter(|(id, live)| live.scope == scope && **id != source && id.instance.is_none());
    let undone = live.filter(|(id, live)| moves(state, **id, live) && live.past.descends_from(to)).map(|(id, _)| *id);
    // Of those that have ended, only instances may live any more.
    let sets = state.core.instances.iter().filter(|(_, set)| set.scope == scope && !set.has_owner);
    let left = sets.filter(|(owner, set)| **owner == to || set.past.descends_from(to)).map(|(owner, _)| *owner);
    let mut canceled: Vec<ActivationId> = undone.chain(left).collect();
    canceled.sort_unstable();
    let tokens = state.core.marking.iter().filter(|(of, _, token)| *of == scope && token.past.descends_from(to));
    let removed: Vec<RemovedToken> = tokens.map(|(_, arc, token)| RemovedToken { arc, number: token.number }).collect();
    let joins = joins(state, scope, to, &removed);
    let put_back = put_back(state, (scope, source), to, &joins);
    Rewound { to, canceled, removed, put_back, joins }
}

/// May control go on behind it? Not where it is canceled already, and ends when something has stopped.
fn moves(state: &State, id: ActivationId, live: &Activation) -> bool {
    live.doomed.is_none_or(|cause| state.goes_on_canceled(id, cause))
}

/// Is it more than one event lists?
pub(super) fn is_too_much(rewound: &Rewound) -> bool {
    let Rewound { to: _, canceled, removed, put_back, joins } = rewound;
    let arrivals = joins.iter().map(|join| join.forgotten.len()).sum();
    [canceled.len(), removed.len(), put_back.len(), joins.len(), arrivals].iter().any(|len| *len > LISTED_MAX)
}

fn comes_from(taken: &Taken, to: ActivationId) -> bool {
    taken.token.past.descends_from(to)
}

/// What joins forget: arrivals that come from what is undone, and a firing that consumed such.
fn joins(state: &State, scope: ScopeId, to: ActivationId, removed: &[RemovedToken]) -> Vec<ForgottenArrivals> {
    let mut found = Vec::new();
    for ((_, stage), record) in state.core.joins.iter().filter(|((of, _), _)| *of == scope) {
        let is_gone = |arc: ArcIndex| {
            let first = state.core.marking.oldest(scope, arc).map(|token| token.number);
            first.is_some_and(|number| removed.binary_search(&RemovedToken { arc, number }).is_ok())
        };
        let (forgotten, firing): (Vec<ArcIndex>, Firing) = if record.fired.is_none() {
            (record.seen.iter().copied().filter(|arc| is_gone(*arc)).collect(), Firing::Kept)
        } else {
            let held = record.arrived.iter().take(record.held as usize);
            let firing =
                if held.into_iter().any(|taken| comes_from(taken, to)) { Firing::Undone } else { Firing::Kept };
            let gone = record.arrived.iter().filter(|taken| comes_from(taken, to)).map(|taken| taken.arc);
            let mut gone: Vec<ArcIndex> = gone.collect();
            gone.sort_unstable();
            (gone, firing)
        };
        if !forgotten.is_empty() || firing == Firing::Undone {
            found.push(ForgottenArrivals { stage: *stage, forgotten, firing });
        }
    }
    found
}

/// What others had brought to activations that are undone, and had come from elsewhere. Of a join that is open again
/// everything that has arrived.
fn put_back(
    state: &State,
    (scope, source): (ScopeId, ActivationId),
    to: ActivationId,
    joins: &[ForgottenArrivals],
) -> Vec<PutBack> {
    let source_past = &state.core.live[&source].past;
    let gathered = state.gathered(scope, |past| past.descends_from(to) || std::ptr::eq(past, source_past));
    let mut found = Vec::new();
    for (by, taken) in gathered {
        let is_open = |join: &ForgottenArrivals| join.stage == by.stage && join.firing == Firing::Undone;
        let is_counted = state.core.joins.get(&(scope, by.stage)).is_some_and(|record| record.fired == Some(by.number));
        let is_undone =
            if is_counted { joins.iter().any(is_open) } else { taken.iter().any(|taken| comes_from(taken, to)) };
        if by == to || !is_undone {
            continue;
        }
        let others = (0_u32..).zip(taken).filter(|(_, taken)| !comes_from(taken, to));
        found.extend(others.map(|(place, taken)| PutBack { arc: taken.arc, by, place }));
    }
    found
}
