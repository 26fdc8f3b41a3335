//! The suite itself: it counts right, and what is wrong it finds.

use super::words::*;
use super::{Counts, Kind, Report};

fn abc() -> Net {
    Net::of("a:\nb: { needs: [a] }\nc: { needs: [a] }\ne: { needs: [a] }")
}

fn tried(scenario: Scenario) -> Report {
    report(&Pattern::of(1, abc()).positive(scenario), Effort::Sampled { seed: 1 })
}

fn counts(report: &Report, kind: Kind) -> Counts {
    match report.verdict(kind) {
        Verdict::Passed(counts) => *counts,
        other => panic!("{other:?}"),
    }
}

fn what(report: &Report) -> String {
    let (_, _, breach) = report.failures().next().expect("something fails");
    breach.what.clone()
}

fn in_any_order() -> Scenario {
    scenario("x", chain().complete("a").rest()).ends(Status::Succeeded).runs("a 1, b 1, c 1, e 1")
}

#[test]
fn every_order_is_tried_once() {
    for (chain, expected) in [
        (chain().complete("a").rest(), 6),
        (chain().complete("a").any_order([complete("b"), complete("c"), complete("e")]), 6),
        (chain().complete("a").any_order([chain().complete("b").complete("c"), chain().complete("e")]), 3),
        (chain().complete("a").complete("b").rest(), 2),
        (chain().complete("a").complete("b").complete("c").complete("e"), 1),
    ] {
        let found = tried(scenario("x", chain).ends(Status::Succeeded).runs("a 1, b 1, c 1, e 1"));
        let positive = counts(&found, Kind::Positive);
        assert_eq!((positive.enumerated, positive.drawn), (expected, 0));
        let crash = counts(&found, Kind::Crash);
        assert!(crash.crashes >= 5 * crash.enumerated, "{crash:?}");
    }
}

#[test]
fn a_check_belongs_to_what_happened_before_it() {
    let right = chain().complete("a").any_order([
        chain().complete("b").ended("b", Status::Succeeded).live("b", 0),
        chain().complete("c").ended("c", Status::Succeeded),
    ]);
    tried(scenario("x", right.complete("e")).ends(Status::Succeeded).runs("a 1, b 1, c 1, e 1"));
    let wrong = chain().complete("a").any_order([chain().complete("b").live("c", 1), chain().complete("c")]);
    let found = tried(scenario("x", wrong.complete("e")).ends(Status::Succeeded).runs("a 1, b 1, c 1, e 1"));
    assert_eq!(what(&found), "live(c) is 0, expected 1");
}

#[test]
fn what_is_wrong_is_found() {
    let steps = || chain().complete("a").rest();
    for (wrong, expected) in [
        (in_any_order().runs("b 2"), "runs(b) is 1, expected 2"),
        (in_any_order().ends(Status::Canceled), "the workflow is SUCCEEDED, expected CANCELED"),
        (in_any_order().order("b<c"), "b has not ended before c started"),
        (in_any_order().outcomes("b CANCELED"), "the end of b is SUCCEEDED, expected CANCELED"),
        (in_any_order().sees("stage.started b", 2), "events \"stage.started b\" is 1, expected 2"),
        (in_any_order().at_most_live("b", 0), "1 activations of b live, at most 0 may"),
        (in_any_order().finally(|_| Err("never".to_owned())), "never"),
        (scenario("x", steps()).runs("a 1, b 1, c 1, e 1"), "the scenario does not say how the workflow ends"),
        (
            scenario("x", steps()).ends(Status::Succeeded).runs("a 1, b 1"),
            "the scenario does not say how many activations start of c, e",
        ),
        (scenario("x", chain().complete("b")).ends(Status::Running).runs("a 1, b 0, c 0, e 0"), "is refused"),
        (
            scenario("x", chain().refused(complete("a"), "ENDED")).ends(Status::Running).runs("a 1, b 0, c 0, e 0"),
            "accepted",
        ),
    ] {
        let found = what(&tried(wrong));
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_kind_of_which_nothing_is_declared_is_missing() {
    let found = tried(in_any_order());
    assert!(matches!(found.verdict(Kind::Negative), Verdict::Missing { .. }) && !found.passed());
    let nothing = report_of(43, Effort::Sampled { seed: 1 });
    assert!(!nothing.passed() || pattern(43).is_some());
    let running = tried(scenario("x", chain()).ends(Status::Running).runs("a 1, b 0, c 0, e 0"));
    assert!(matches!(running.verdict(Kind::Loop), Verdict::Missing { .. }));
}

#[test]
fn a_definition_that_is_not_refused_as_said_is_found() {
    let nowhere = || Net::of("a: { needs: [nowhere] }");
    let refused = |net, code, at| {
        let pattern = Pattern::of(1, abc()).refuses(net, code, at);
        verdict(&pattern, Kind::Negative, Effort::Sampled { seed: 1 })
    };
    assert!(refused(nowhere(), ProblemCode::UnknownStage, "nowhere]").passed());
    assert!(!refused(nowhere(), ProblemCode::UnknownStage, "a:").passed());
    assert!(!refused(nowhere(), ProblemCode::BadName, "nowhere]").passed());
    assert!(!refused(abc(), ProblemCode::UnknownStage, "a:").passed());
    let sound = Pattern::of(1, abc()).unsound(abc(), FindingCode::Deadlock, "b");
    assert!(!verdict(&sound, Kind::Negative, Effort::Sampled { seed: 1 }).passed());
}

#[test]
fn the_same_seed_draws_the_same() {
    let many = Net::of(
        "a:\nb: { needs: [a] }\nc: { needs: [a] }\ne: { needs: [a] }\nf: { needs: [a] }\ng: { needs: [a] }\nh: { needs: [a] }",
    );
    let pattern = Pattern::of(1, many).positive(
        scenario("x", chain().complete("a").rest()).ends(Status::Succeeded).runs("a 1, b 1, c 1, e 1, f 1, g 1, h 1"),
    );
    let drawn = |seed| verdict(&pattern, Kind::Crash, Effort::Sampled { seed });
    let Verdict::Passed(counts) = drawn(7) else { panic!("{:?}", drawn(7)) };
    assert!(counts.drawn > 0 && counts.enumerated == 0, "{counts:?}");
    assert_eq!(drawn(7), drawn(7));
}

#[test]
fn a_pattern_has_its_name_and_each_module_its_number() {
    assert_eq!((NAMES[0], NAMES[42]), ("Sequence", "Explicit Termination"));
    for number in 1..=43 {
        let Some(pattern) = pattern(number) else { continue };
        assert_eq!((pattern.number(), pattern.name()), (number, NAMES[number - 1]));
        // One whose definition is not supported yet is reported as missing, and has none.
        let traces = traces(&pattern);
        let is_missing = |what: &str| what.contains("NOT_SUPPORTED");
        assert!(
            traces.as_ref().map_or_else(|breach| is_missing(&breach.what), |traces| !traces.is_empty()),
            "{number}: {traces:?}"
        );
    }
}
