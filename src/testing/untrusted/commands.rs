//! Commands to a workflow in any order, fitting or not.

use crate::testing::laws::{LAWS, lawful, tokens_are_conserved};
use crate::testing::moves::Move;
use crate::testing::strategies::example_of;

use super::Draws;

/// Moves tried on one workflow at most.
const MOVES_MAX: usize = 64;

/// Lets the first two bytes choose a definition and each eight of the others what is tried on a workflow of it: answers
/// to what is outstanding, repeats, cancels, and what nobody asked for. Every law is held against every decision, the
/// fold of all events against the state, and the tokens are counted.
///
/// # Panics
///
/// If a law does not hold.
pub fn machine_commands(bytes: &[u8]) {
    let mut draws = Draws::new(bytes);
    let example = example_of(u64::from(draws.short()));
    let mut moves = Move::all_from(draws.rest());
    moves.truncate(MOVES_MAX);
    let course = lawful(example.course(), &moves, &LAWS);
    assert!(course.fold() == *course.state(), "the fold of the events is another state");
    tokens_are_conserved(&course);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn commands_in_any_order_leave_a_sound_state(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            machine_commands(&bytes);
        }
    }
}
