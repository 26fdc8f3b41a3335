//! Verdicts on definitions: small ones by hand, and nets that were composed.

use proptest::prelude::*;

use super::*;
use crate::event::{CheckOutcome, EndReason, Event};
use crate::testing::brute_force::{Beyond, courses};
use crate::testing::composition::{Stops, blocks, changes, drafted, gate_changes, wandered};
use crate::testing::definitions::yaml;

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.findings().iter().map(|finding| finding.code().name()).collect()
}

fn check(stages: &str, options: &CheckOptions) -> Verdict {
    yaml(&format!("{{ name: x, stages: {{ {stages} }} }}")).check(options)
}

const DIAMOND: &str = "a: , b: { needs: [a] }, c: { needs: [a] }, d: { needs: [b, c] }";
const CHOICE: &str = "a: { split_type: XOR, split_conditions: { b: x, c: y } }, b: { needs: [a] }, c: { needs: [a] }, \
                      d: { needs: [b, c], join_type: XOR }";
const STARVED: &str = "a: { split_type: XOR, split_conditions: { b: x, c: y } }, b: { needs: [a] }, c: { needs: [a] }, \
                       d: { needs: [b, c] }";
/// Any number of two branches of two stages each.
const OPTIONS: &str = "a: { split_type: OR, split_conditions: { b: x, c: y } }, b: { needs: [a] }, b2: { needs: [b] }, \
                       c: { needs: [a] }, c2: { needs: [c] }, d: { needs: [b2, c2], join_type: OR }";
const OPTIONS_STARVED: &str = "a: { split_type: OR, split_conditions: { b: x, c: y } }, b: { needs: [a] }, \
                               b2: { needs: [b] }, c: { needs: [a] }, d: { needs: [b2, c] }";
const TWICE: &str = "a: , b: { needs: [a] }, c: { needs: [a] }, d: { needs: [b, c], join_type: XOR }";

#[test]
fn verdicts_on_blocks_that_fit_and_blocks_that_do_not() {
    let cases: [(&str, CheckOutcome, &[&str]); 9] = [
        ("a: ", CheckOutcome::Sound, &[]),
        (DIAMOND, CheckOutcome::Sound, &[]),
        (CHOICE, CheckOutcome::Sound, &[]),
        (STARVED, CheckOutcome::Unsound, &["DEADLOCK"]),
        (TWICE, CheckOutcome::Unsound, &["UNSAFE_XOR_JOIN"]),
        (OPTIONS, CheckOutcome::Sound, &[]),
        (OPTIONS_STARVED, CheckOutcome::Unsound, &["DEADLOCK"]),
        // Two ends: implicit termination.
        ("a: , b: { needs: [a] }, c: { needs: [a] }", CheckOutcome::Sound, &[]),
        ("a: { if: x, on_failure: stop, deadline: 1s }, b: { needs: [a] }", CheckOutcome::Sound, &[]),
    ];
    cases.iter().for_each(hold);
}

#[test]
fn verdicts_on_jumps() {
    let cases: [(&str, CheckOutcome, &[&str]); 13] = [
        // Back, over a join, and into one out of a branch, where what comes late is absorbed.
        ("a: , b: { needs: [a], jump_targets: [a], jump_mode: move }, c: { needs: [b] }", CheckOutcome::Sound, &[]),
        (
            "a: , b: { needs: [a], jump_targets: [e], jump_mode: move }, c: { needs: [a] }, d: { needs: [b, c] }, e: { needs: [d], join_type: XOR }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "a: , b: { needs: [a], jump_targets: [d], jump_mode: move }, c: { needs: [a] }, d: { needs: [b, c] }",
            CheckOutcome::Sound,
            &[],
        ),
        // Back out of one branch: its join gets two tokens from the other.
        (
            "a: , b: { needs: [a], jump_targets: [a], jump_mode: move }, c: { needs: [a] }, d: { needs: [b, c] }",
            CheckOutcome::Unsound,
            &["UNSAFE_AND_JOIN", "UNBOUNDED"],
        ),
        // Unless what came from there is undone: then only what comes from elsewhere waits at the join.
        (
            "a: , b: { needs: [a], jump_targets: [a], jump_mode: rewind }, c: { needs: [a] }, d: { needs: [b, c] }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "a: , b: , d: { needs: [a, b], jump_targets: [a], jump_mode: rewind }, e: { needs: [d] }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "a: , b: , d: { needs: [a, b], jump_targets: [a], jump_mode: move }, e: { needs: [d] }",
            CheckOutcome::Unsound,
            &["DEADLOCK"],
        ),
        (
            "s: , a: { needs: [s] }, b: { needs: [s] }, d: { needs: [a, b], join_type: DISCRIMINATOR }, \
             e: { needs: [d], jump_targets: [a, s, d2], jump_mode: rewind }, d2: { needs: [e], join_type: XOR }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "s: , a: { needs: [s] }, m: { needs: [s], mi_config: { count: 2, join_threshold: 1 } }, \
             d: { needs: [a, m], jump_targets: [a, d], jump_mode: rewind }",
            CheckOutcome::Sound,
            &[],
        ),
        // Into joins that count: what comes late behind the jump is no arrival.
        (
            "s: , a: { needs: [s], jump_targets: [d], jump_mode: move }, b: { needs: [s] }, c: { needs: [s] }, \
             d: { needs: [a, b, c], join_type: N_OF_M, join_threshold: 2 }, e: { needs: [d] }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "s: , a: { needs: [s] }, b: { needs: [s] }, d: { needs: [a, b], join_type: DISCRIMINATOR }, \
             e: { needs: [d], jump_targets: [d], jump_mode: move }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "s: , a: { needs: [s] }, b: { needs: [s] }, d: { needs: [a, b], join_type: DISCRIMINATOR, join_mode: cancelling }, \
             e: { needs: [d], jump_targets: [d, s], jump_mode: rewind }",
            CheckOutcome::Sound,
            &[],
        ),
        (
            "a: { split_type: THREAD, thread_count: 2 }, b: { needs: [a] }, \
             m: { needs: [b], join_type: THREAD_MERGE, merge_count: 2 }, e: { needs: [m], jump_targets: [m], jump_mode: rewind }",
            CheckOutcome::Sound,
            &[],
        ),
    ];
    cases.iter().for_each(hold);
}

/// The verdict is so, with this outcome and these findings, however it is found.
fn hold((stages, outcome, expected): &(&str, CheckOutcome, &[&str])) {
    for options in [CheckOptions::new(), CheckOptions::new().without_reduction()] {
        let verdict = check(stages, &options);
        assert_eq!((verdict.outcome(), codes(&verdict)), (*outcome, expected.to_vec()), "{stages} {options:?}");
        assert_eq!(verdict.witness().is_some(), *outcome == CheckOutcome::Unsound, "{stages}");
    }
}

#[test]
fn the_answer_of_check_is_about_workflows_without_it() {
    for (stages, outcome) in [
        ("a: , b: { needs: [a], jump_targets: any }, c: { needs: [a] }, d: { needs: [b, c] }", CheckOutcome::Sound),
        (
            "a: { split_type: XOR, split_conditions: { b: x, c: y }, jump_targets: any }, b: { needs: [a] }, \
          c: { needs: [a] }, d: { needs: [b, c] }",
            CheckOutcome::Unsound,
        ),
    ] {
        for options in [CheckOptions::new(), CheckOptions::new().without_reduction()] {
            let verdict = check(stages, &options);
            assert_eq!((verdict.outcome(), verdict.unforeseen_jumps().len()), (outcome, 1), "{stages}");
        }
    }
    assert!(check("a: { jump_targets: [a], jump_mode: move }", &CheckOptions::new()).unforeseen_jumps().is_empty());
}

#[test]
fn the_witness_is_a_shortest_way_to_the_flaw() {
    let verdict = check(STARVED, &CheckOptions::new());
    let witness = verdict.witness().unwrap();
    let names: Vec<Vec<&str>> = witness.batches().iter().map(|batch| batch.iter().map(Event::name).collect()).collect();
    // It begins, the first stage ends, one branch ends: then the join starves.
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names[0][..2], ["workflow.created", "workflow.started"]);
    assert_eq!(names[2].last(), Some(&"workflow.failed"));
}

#[test]
fn many_parallel_stages_are_one_block_and_without_reduction_too_many_states() {
    let branches: Vec<String> = (0..200).map(|branch| format!("b{branch}: {{ needs: [a] }}")).collect();
    let needs: Vec<String> = (0..200).map(|branch| format!("b{branch}")).collect();
    let text = format!("a: , {}, z: {{ needs: [{}] }}", branches.join(", "), needs.join(", "));
    let verdict = check(&text, &CheckOptions::new());
    assert_eq!((verdict.outcome(), codes(&verdict)), (CheckOutcome::Sound, Vec::new()));
    assert!(verdict.states() < 10, "{}", verdict.states());
    let verdict = check(&text, &CheckOptions::new().without_reduction().states_max(300));
    assert_eq!((verdict.outcome(), verdict.states()), (CheckOutcome::Unknown, 300));
}

#[test]
fn conditions_that_name_nothing_are_computed() {
    let never =
        "a: { split_type: XOR, split_conditions: { b: 'false', c: 'true' } }, b: { needs: [a] }, c: { needs: [a] }";
    let verdict = check(never, &CheckOptions::new().without_reduction());
    assert_eq!((verdict.outcome(), codes(&verdict)), (CheckOutcome::Sound, vec!["DEAD_STAGE"]));
}

#[test]
fn properties_hold_in_every_course_or_have_a_witness() {
    let never = |text: &str| Property::never(text).unwrap();
    for (stages, property, holds) in [
        (DIAMOND, Property::always_before("b", "d"), true),
        (DIAMOND, Property::always_before("b", "c"), false),
        (DIAMOND, never("stages.d.live > 0 and stages.b.live > 0"), true),
        (DIAMOND, never("stages.b.live > 0 and stages.c.live > 0"), false),
        (CHOICE, never("stages.b.activations > 0 and stages.c.activations > 0"), true),
        (CHOICE, Property::eventually_after("a", "b"), false),
        // It may fail, or be stopped.
        (DIAMOND, Property::eventually_after("a", "d"), false),
        ("a: , b: { needs: [a] }", Property::eventually_after("a", "b"), true),
    ] {
        let verdict = check(stages, &CheckOptions::new().property(property.clone()));
        let expected = if holds { Vec::new() } else { vec!["PROPERTY_VIOLATED"] };
        assert_eq!(codes(&verdict), expected, "{stages} {property:?}");
        assert_eq!(verdict.witness().is_none(), holds);
    }
    let definition = yaml("{ name: x, stages: { a: } }");
    let unknown = PropertyError::UnknownStage { ref_id: "b".to_owned() };
    assert_eq!(Property::always_before("a", "b").fits(&definition), Err(unknown.clone()));
    assert_eq!(never("stages.b.live > 0").fits(&definition), Err(unknown));
    assert!(Property::never("1 +").is_err());
}

#[test]
fn a_milestone_that_may_block_is_a_doubt() {
    let waits = check("a: { milestone_ref_id: b, milestone_policy: wait }, b: { needs: [a] }", &CheckOptions::new());
    assert_eq!(codes(&waits), ["MILESTONE_MAY_BLOCK"]);
    assert!(!waits.is_refused());
    let each_other = check("a: { milestone_ref_id: b }, b: { milestone_ref_id: a }", &CheckOptions::new());
    assert_eq!(codes(&each_other).first(), Some(&"MILESTONE_MAY_BLOCK"));
    let skips = check("a: { milestone_ref_id: b }, b: { needs: [c] }, c: ", &CheckOptions::new());
    assert_eq!(codes(&skips), [""; 0]);
}

#[test]
fn a_section_that_waits_for_what_it_keeps_out_is_found() {
    let text = "{ name: x, critical_sections: [{ mutex_key: k, sections: { s: [b, d], t: [c] } }], \
                stages: { b: , c: , d: { needs: [b, c] } } }";
    let verdict = Definition::from_yaml(text).unwrap().check(&CheckOptions::new());
    assert_eq!(codes(&verdict), ["LOCK_ORDER"]);
    let fine = text.replace("needs: [b, c]", "needs: [b]");
    assert_eq!(codes(&Definition::from_yaml(&fine).unwrap().check(&CheckOptions::new())), [""; 0]);
}

#[test]
fn the_policy_says_what_is_refused() {
    for (policy, stages, refused) in
        [("weak", STARVED, true), ("strict", STARVED, true), ("off", STARVED, false), ("strict", DIAMOND, false)]
    {
        let verdict =
            yaml(&format!("{{ name: x, soundness: {policy}, stages: {{ {stages} }} }}")).check(&CheckOptions::new());
        assert_eq!(verdict.is_refused(), refused, "{policy} {stages}");
    }
    let unknown = |policy: &str| {
        let definition = yaml(&format!("{{ name: x, soundness: {policy}, stages: {{ {DIAMOND} }} }}"));
        definition.check(&CheckOptions::new().without_reduction().states_max(2)).is_refused()
    };
    assert_eq!(["weak", "strict", "off"].map(unknown), [false, true, false]);
}

/// States of one net; of more of them nothing is said.
const STATES_MAX: u64 = 3_000;

#[test]
fn that_work_is_never_undone_is_no_flaw() {
    let definition = yaml(
        "{ name: x, stages: { a: { compensate: { stages: { u: { before: { v: } } } } }, b: { needs: [a] } }, finally: { f: } }",
    );
    let verdict = definition.check(&CheckOptions::new());
    assert_eq!((verdict.outcome(), codes(&verdict)), (CheckOutcome::Sound, Vec::new()));
}

proptest! {
    #[test]
    fn nets_that_were_composed_of_blocks_are_sound(block in blocks()) {
        let definition = drafted(&block, &[]).definition().unwrap();
        for options in [CheckOptions::new(), CheckOptions::new().without_reduction()] {
            let verdict = definition.check(&options.states_max(STATES_MAX));
            if verdict.states() < STATES_MAX {
                prop_assert_eq!((verdict.outcome(), codes(&verdict)), (CheckOutcome::Sound, Vec::new()));
            }
            prop_assert!(verdict.outcome() != CheckOutcome::Unsound);
        }
    }

    /// Brute force knows nothing of reductions, and of what is stopped.
    #[test]
    fn with_one_gate_changed_the_verdict_is_that_of_brute_force(block in blocks(), change in gate_changes()) {
        let draft = drafted(&block, &[change]);
        let Some(definition) = draft.definition() else { return Ok(()) };
        let Some(found) = courses(&definition, Beyond::Everything, 600) else { return Ok(()) };
        let is_sound = found.is_sound() && !found.is_ambiguous;
        let expected = if is_sound { CheckOutcome::Sound } else { CheckOutcome::Unsound };
        for options in [CheckOptions::new(), CheckOptions::new().without_reduction()] {
            let verdict = definition.check(&options);
            prop_assert_eq!(verdict.outcome(), expected, "{}\n{:?} {:?}", draft.text(), found, codes(&verdict));
        }
    }

    #[test]
    fn courses_of_what_is_sound_never_deadlock(
        block in blocks(),
        changes in prop::collection::vec(changes(), 0..4),
        draws in prop::collection::vec(prop::collection::vec(any::<u8>(), 180), 4),
    ) {
        let draft = drafted(&block, &changes);
        let Some(definition) = draft.definition() else { return Ok(()) };
        let verdict = definition.check(&CheckOptions::new().states_max(STATES_MAX));
        if verdict.outcome() != CheckOutcome::Sound {
            return Ok(());
        }
        for (place, draws) in draws.iter().enumerate() {
            let stops = if place % 2 == 0 { Stops::None } else { Stops::Some };
            let course = wandered(&definition, draws, stops);
            let reason = course.state().end_reason().map(EndReason::code);
            let is_left = course.events().iter().any(|event| matches!(event, Event::TokensLeft { .. }));
            let is_proper = !is_left || course.state().has_stopped();
            prop_assert!(reason.is_none() && is_proper, "{reason:?}\n{}\n{}", draft.text(), course.story());
        }
    }
}

#[test]
fn what_happens_while_work_stops_is_tried() {
    let net = |said: &str| {
        format!(
            "a: , b: {{ needs: [a], on_cancelled: y, {said} }}, k: {{ needs: [a], cancels: [{{ stage: b }}] }}, y: , \
             z: {{ needs: [k] }}, d: {{ needs: [b, y], join_type: XOR }}"
        )
    };
    let verdict = |said| check(&net(said), &CheckOptions::default());
    let (tries, waits) = (verdict("cancel_mode: try, run: x"), verdict("cancel_mode: wait, run: x"));
    assert_eq!((tries.outcome(), waits.outcome()), (CheckOutcome::Sound, CheckOutcome::Sound));
    // Whether `z` has ended before or behind makes a difference only where somebody waits.
    assert!(waits.states() > tries.states(), "{} {}", waits.states(), tries.states());
    // What people do by hand has nothing to stop.
    assert_eq!(verdict("cancel_mode: wait, uses: manual").states(), tries.states());
}

/// Two splits that ask the same: the second one's join waits for what the first has chosen.
fn asked_twice_in(header: &str, about: [&str; 2], conditions: [&str; 2]) -> Verdict {
    let [first, second] = about.map(|about| format!("split_type: XOR, split_default: e, {about}"));
    let stages = format!(
        "s: , a: {{ needs: [s], {first} split_conditions: {{ b: '{}' }} }}, b: {{ needs: [a] }}, e: {{ needs: [a] }}, \
             m: {{ needs: [b, e], join_type: XOR, {} split_conditions: {{ f: '{}' }} }}, f: {{ needs: [m, b2] }}, \
             b2: {{ needs: [b] }}, g: {{ needs: [m] }}",
        conditions[0],
        second.replace("split_default: e", "split_default: g"),
        conditions[1],
    );
    yaml(&format!("{{ name: x, {header}stages: {{ {stages} }} }}")).check(&CheckOptions::new())
}

fn asked_twice(about: [&str; 2], conditions: [&str; 2]) -> Verdict {
    asked_twice_in("", about, conditions)
}

#[test]
fn splits_about_the_same_are_answered_alike() {
    let about = "split_correlation: fast, ";
    // By themselves the two may differ: f can wait for ever for what the first has not chosen.
    assert!(codes(&asked_twice(["", ""], ["k", "k"])).contains(&"DEADLOCK"));
    assert!(codes(&asked_twice([about, "split_correlation: else, "], ["k", "k"])).contains(&"DEADLOCK"));
    assert!(codes(&asked_twice([about, about], ["k", "j"])).contains(&"DEADLOCK"));
    assert!(codes(&asked_twice([about, about], ["k", "not k"])).contains(&"DEADLOCK"));
    // With b the token of b2 is left if g is taken: that is found only where they may differ.
    for same in [["k", "k"], ["not k", "not not not k"], ["k", " k "]] {
        assert_eq!(codes(&asked_twice([about, about], same)), Vec::<&str>::new(), "{same:?}");
        assert_eq!(codes(&asked_twice_in("split_correlation: fast, ", ["", about], same)), Vec::<&str>::new());
    }
    let own = asked_twice_in("split_correlation: fast, ", ["", "split_correlation: else, "], ["k", "k"]);
    assert!(codes(&own).contains(&"DEADLOCK"), "what a split says itself comes first");
}
