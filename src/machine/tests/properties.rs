//! The properties of the machine, by their numbers, on definitions and histories drawn at random.

use proptest::prelude::*;

use super::with_rescans;
use crate::event::Event;
use crate::machine::{Answers, Command, State, Work, decide, evolve, outstanding, surroundings, waits};
use crate::testing::course::Course;
use crate::testing::laws::{self, Law, lawful, signals_are_taken_once, tokens_are_conserved};
use crate::testing::snapshots::restored;
use crate::testing::strategies::{History, events, histories};

fn held(history: &History, laws: &[Law]) -> Course {
    lawful(history.beginning(), &history.moves, laws)
}

proptest! {
    #[test]
    fn p1_folding_the_events_gives_the_state_that_decided_them(history in histories()) {
        let course = held(&history, &[laws::folding_gives_the_state]);
        prop_assert!(course.fold() == *course.state());
    }

    #[test]
    fn p2_deciding_twice_gives_the_same(history in histories()) {
        held(&history, &[laws::deciding_again_gives_the_same]);
    }

    #[test]
    fn p2_a_command_and_its_input_are_made_from_each_other(history in histories()) {
        held(&history, &[laws::input_and_command_are_one, laws::a_batch_is_one_input_and_its_consequences]);
    }

    #[test]
    fn p3_what_has_ended_asks_for_nothing_and_takes_nothing(history in histories()) {
        let mut course = held(&history, &[laws::what_has_ended_stays_so]);
        finish(&mut course);
        // Everything that was tried before is tried once more.
        let ended = course.state().clone();
        for tried in &history.moves {
            let command = course.command(*tried);
            let is_late = matches!(command.request, crate::machine::Request::DiscardResult(_));
            let outcome = course.decide(command).map(|_| ());
            prop_assert!(outcome.is_err() || is_late);
        }
        prop_assert_eq!((ended.status(), ended.end_reason()), (course.state().status(), course.state().end_reason()));
    }

    #[test]
    fn p6_tokens_are_conserved(history in histories()) {
        tokens_are_conserved(&history.course());
    }

    #[test]
    fn a_signal_wakes_at_most_one_and_none_is_lost_unsaid(history in histories()) {
        signals_are_taken_once(&history.course());
    }

    #[test]
    fn p7_a_repeated_command_acts_once(history in histories()) {
        held(&history, &[laws::a_repeated_command_acts_once, laws::a_refusal_changes_nothing]);
    }

    #[test]
    fn what_lives_is_sound_and_asks_for_something(history in histories()) {
        held(&history, &[laws::what_lives_asks_for_something]);
    }

    #[test]
    fn a_key_alone_is_what_the_whole_context_says(history in histories()) {
        let course = history.course();
        for work in outstanding(course.state()) {
            let Work::RunTask { attempt, .. } = work else { continue };
            let Some((seen, _)) = surroundings(course.state(), attempt) else { continue };
            // Context that cannot be computed is an error for the whole, and for the keys that are wrong.
            let Ok(all) = seen.all() else { continue };
            for key in all.keys().map(String::as_str).chain(["k", "l", "m", "n", "missing"]) {
                prop_assert_eq!(seen.lookup(key), Ok(all.get(key).cloned()));
            }
        }
    }

    #[test]
    fn looking_at_everything_before_every_micro_step_gives_the_same_events(history in histories()) {
        let course = history.course();
        let mut state = State::new(course.state().workflow(), course.state().definition().clone());
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

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn p4_a_snapshot_anywhere_and_the_rest_give_the_same_as_all(history in histories()) {
        let course = history.course();
        let (workflow, definition) = (course.state().workflow(), course.state().definition());
        let mut state = State::new(workflow, definition.clone());
        let mut batches = course.commands().iter();
        let mut copies: Vec<State> = Vec::new();
        for event in course.events() {
            if event.is_input() {
                // A state that was kept decides the same as one that was folded.
                let command = batches.next().expect("every input was a command");
                let expected = decide(&mut state.clone(), command, &mut Answers::computed());
                for kept in copies.drain(..) {
                    prop_assert_eq!(&decide(&mut kept.clone(), command, &mut Answers::computed()), &expected);
                    prop_assert!(kept == state);
                }
                copies.push(restored(&state));
            }
            evolve(&mut state, event).unwrap();
            for kept in &mut copies {
                evolve(kept, event).unwrap();
            }
            copies.push(restored(&state));
        }
        prop_assert!(copies.iter().all(|kept| kept == course.state()));
    }

    /// Events from anywhere: those of any shape, and those of a history in which some are lost, doubled or moved. What
    /// does not fit is a typed error, and what fits leaves a state that answers whatever it is asked.
    #[test]
    fn events_that_never_were_are_refused_or_leave_a_state_that_answers(
        history in histories(),
        foreign in prop::collection::vec(events(), 1..8),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let course = history.course();
        let mut spoiled: Vec<Event> = course.events().to_vec();
        for (from, to) in swaps {
            let place = from.index(spoiled.len());
            let event = if from.index(3) == 0 { spoiled[place].clone() } else { spoiled.remove(place) };
            if from.index(2) == 0 || spoiled.is_empty() {
                spoiled.insert(to.index(spoiled.len() + 1), event);
            }
        }
        let mut state = State::new(course.state().workflow(), course.state().definition().clone());
        for event in spoiled.iter().chain(&foreign) {
            let mut next = state.clone();
            if evolve(&mut next, event).is_ok() {
                state = next;
            }
        }
        let _ = outstanding(&state).count();
        let _ = waits(&state);
        for tried in &history.moves {
            let command = course.command_to(&state, *tried);
            let _ = decide(&mut state, &command, &mut Answers::computed());
        }
        for event in &foreign {
            if let Some(command) = Command::from_input(event) {
                let _ = decide(&mut state, &command, &mut Answers::computed());
            }
        }
    }
}

/// Things done to finish a workflow before its end is asked for.
const TURNS_MAX: u32 = 200;

/// Takes the workflow to its end: whatever it asks for is done, and succeeds.
fn finish(course: &mut Course) {
    let mut turns = 0;
    while !course.state().is_closed() {
        turns += 1;
        // A circle whose condition always holds goes on for ever.
        let is_stuck = outstanding(course.state()).next().is_none() && !course.state().is_paused();
        let is_due = (turns > TURNS_MAX || is_stuck) && !course.state().is_unsettled();
        // What it does at its end may be such a circle, too.
        if is_due && course.attempt(&crate::testing::happening::force_cancel()).is_ok() {
            turns = 0;
            continue;
        }
        let ordinary = course.command(crate::testing::moves::Move::new(0));
        assert!(course.decide(ordinary).is_ok(), "\n{}", course.story());
    }
}
