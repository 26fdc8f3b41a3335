//! OR-joins in nets of any form, with circles: every course of small ones, and random courses with every look taken.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::with_rescans;
use crate::event::Event;
use crate::machine::{Answers, State, decide};
use crate::testing::brute_force::{Beyond, courses};
use crate::testing::composition::{Stops, blocks, changes, drafted, wandered};

/// States of one net; nets with more are left out.
const STATES_MAX: usize = 600;

proptest! {
    /// Sound: from everywhere an end can be reached, none with something left. Safe: nothing comes twice to where it
    /// is still lying or at work. In other nets the rule is what defines when an OR-join starts.
    #[test]
    fn in_sound_and_safe_nets_an_or_join_is_never_early(
        block in blocks(),
        changes in prop::collection::vec(changes(), 0..4),
    ) {
        let draft = drafted(&block, &changes);
        let Some(definition) = draft.definition() else { return Ok(()) };
        let Some(found) = courses(&definition, Beyond::Nothing, STATES_MAX) else { return Ok(()) };
        if found.is_sound() && !found.is_unsafe {
            prop_assert!(found.early.is_none(), "{}\n{}", draft.text(), found.early.unwrap_or_default());
        }
    }

    #[test]
    fn in_any_net_looking_when_a_blocker_moved_is_as_good_as_looking_always(
        block in blocks(),
        changes in prop::collection::vec(changes(), 0..6),
        draws in prop::collection::vec(any::<u8>(), 120),
    ) {
        let Some(definition) = drafted(&block, &changes).definition() else { return Ok(()) };
        let course = wandered(&definition, &draws, Stops::Some);
        let mut state = State::new(course.state().workflow(), definition.clone());
        let mut events: Vec<Event> = Vec::new();
        with_rescans(|| {
            for command in course.commands() {
                let batch = decide(&mut state, command, &mut Answers::computed()).expect("it was accepted before");
                events.extend(batch.into_events());
            }
        });
        prop_assert_eq!(events, course.events());
    }
}

#[test]
fn the_nets_that_are_drawn_are_of_all_kinds() {
    let mut runner = TestRunner::deterministic();
    let nets = (blocks(), prop::collection::vec(changes(), 0..4));
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..150 {
        let (block, changes) = nets.new_tree(&mut runner).unwrap().current();
        let draft = drafted(&block, &changes);
        let Some(definition) = draft.definition() else { continue };
        let Some(found) = courses(&definition, Beyond::Nothing, STATES_MAX) else { continue };
        let is_good = found.is_sound() && !found.is_unsafe;
        let starts_with_less = is_good && found.started_with_less > 0;
        let is_circle = starts_with_less && draft.text().contains("back_from");
        for (name, is_one) in [
            ("explored", true),
            ("not sound", !found.is_sound()),
            ("sound and safe", is_good),
            ("an OR-join starts with less", starts_with_less),
            ("the same in a net that was changed", starts_with_less && !changes.is_empty()),
            ("the same in a net with circles", is_circle),
            ("the same in a changed net with circles", is_circle && !changes.is_empty()),
        ] {
            *counts.entry(name).or_default() += u32::from(is_one);
        }
    }
    assert!(counts.values().all(|count| *count >= 5), "{counts:?}");
}
