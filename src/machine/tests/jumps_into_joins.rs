//! Jumps into joins that count arrivals, and into merges of threads (R14).

use crate::definition::Definition;
use crate::event::{Arrival, Event};
use crate::ids::{ArcIndex, ScopeId};
use crate::machine::evolve;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{Happening, complete, jump, stopped};

/// Joins of three arcs: the first or the second of them starts the stage, whatever becomes of the others.
const JOINS: [&str; 7] = [
    "join_type: DISCRIMINATOR, join_mode: structured",
    "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all",
    "join_type: DISCRIMINATOR, join_mode: blocking",
    "join_type: DISCRIMINATOR, join_mode: cancelling",
    "join_type: N_OF_M, join_threshold: 2, join_mode: structured",
    "join_type: N_OF_M, join_threshold: 2, join_mode: blocking, reset_on: all",
    "join_type: N_OF_M, join_threshold: 2, join_mode: cancelling",
];

/// `a`, then `b`, `c` and `e` at once, then `d` with this join, then `f`; tasks of `b` and `f` may jump to these.
fn fan(join: &str, targets: &str) -> Definition {
    yaml(&format!(
        "{{ name: x, stages: {{ a: , b: {{ needs: [a], jump_targets: [d], jump_mode: move }}, c: {{ needs: [a] }}, e: {{ needs: [a] }}, \
         d: {{ needs: [b, c, e], {join} }}, f: {{ needs: [d], jump_targets: {targets}, jump_mode: move }} }} }}"
    ))
}

fn played<const N: usize>(definition: &Definition, happenings: [Happening; N]) -> Course {
    let mut course = Course::begun::<&str, i64>(definition, []);
    happenings.iter().for_each(|happening| {
        course.happen(happening);
    });
    course
}

fn runs<const N: usize>(course: &Course, stages: [&str; N]) -> [usize; N] {
    stages.map(|stage| course.activations(stage))
}

/// Does all that is asked for until nothing is left.
fn finish(course: &mut Course) {
    while let Some(next) = course.open().first().cloned() {
        course.happen(&complete(&next));
    }
}

fn tells(course: &Course, line: &str) -> usize {
    course.story().lines().filter(|found| *found == line).count()
}

#[test]
fn a_jump_does_not_wait_for_arrivals_and_what_comes_after_it_is_absorbed() {
    for join in JOINS {
        let then = given(&fan(join, "[a]"))
            .after([complete("a")])
            .when(jump("b", "d"))
            .then_among(["jump.executed b to d", "stage.started d by jump from b"])
            .open(["c", "e", "d"])
            .when(complete("c"))
            .then([
                "task.reported c SUCCEEDED",
                "task.completed c",
                "stage.completed c to d",
                "tokens.removed c to d by a jump to d",
            ])
            .after([complete("d"), complete("f")])
            .when(complete("e"))
            .then_among(["tokens.removed e to d by a jump to d", "workflow.completed"])
            .status(Status::Succeeded);
        assert_eq!(runs(then.course(), ["d", "f"]), [1, 1], "{join}");
    }
}

#[test]
fn a_jump_takes_along_what_was_counted() {
    let partial = JOINS.iter().filter(|join| join.contains("N_OF_M"));
    for join in partial {
        let then = given(&fan(join, "[a]"))
            .after([complete("a"), complete("c")])
            .when(jump("b", "d"))
            .then_among(["stage.started d by jump from b, and from c"])
            .when(complete("e"))
            .then_among(["tokens.removed e to d by a jump to d"])
            .after([complete("d"), complete("f")])
            .status(Status::Succeeded);
        assert_eq!(runs(then.course(), ["d", "f"]), [1, 1], "{join}");
    }
}

#[test]
fn a_jump_ends_a_generation_that_has_fired_and_what_that_had_not_got_is_absorbed() {
    for join in JOINS.iter().filter(|join| !join.contains("cancelling")) {
        let mut course = played(&fan(join, "[d]"), [complete("a"), complete("b"), complete("c")]);
        // Of the discriminators `c` came late, of the others it was the second.
        course.happen(&complete("d"));
        let events = course.happen(&jump("f", "d"));
        assert!(events.iter().any(|event| event == "stage.started d#2 by jump from f"), "{join} {events:?}");
        assert_eq!(
            course.happen(&complete("e")),
            [
                "task.reported e SUCCEEDED",
                "task.completed e",
                "stage.completed e to d",
                "tokens.removed e to d by a jump to d#2",
            ],
            "{join}"
        );
        finish(&mut course);
        assert_eq!((runs(&course, ["d", "f"]), course.status()), ([2, 2], Status::Succeeded), "{join}");
    }
}

#[test]
fn a_jump_behind_a_complete_generation_leaves_nothing_to_come_late() {
    for join in JOINS.iter().filter(|join| !join.contains("cancelling")) {
        let all = [complete("a"), complete("b"), complete("c"), complete("e"), complete("d"), jump("f", "d")];
        let mut course = played(&fan(join, "[d]"), all);
        finish(&mut course);
        assert_eq!((runs(&course, ["d", "f"]), course.status()), ([2, 2], Status::Succeeded), "{join}");
        assert_eq!(tells(&course, "join.reset d 0 complete"), 1, "{join}");
    }
}

#[test]
fn a_jump_into_a_cancelling_join_withdraws_nothing() {
    let mut course = played(
        &fan("join_type: DISCRIMINATOR, join_mode: cancelling", "[d]"),
        [complete("a"), jump("b", "d"), complete("d")],
    );
    assert_eq!(course.open(), ["c", "e", "f"]);
    course.happen(&jump("f", "d"));
    assert_eq!(course.open(), ["c", "e", "d#2"]);
    finish(&mut course);
    assert_eq!((runs(&course, ["d", "f"]), course.status()), ([2, 2], Status::Succeeded));
}

#[test]
fn what_knows_of_the_jump_counts_for_the_new_generation() {
    // The next round comes from `f`, which lies behind what the jump began.
    for join in JOINS {
        let first = [complete("a"), jump("b", "d"), complete("c"), complete("e"), complete("d"), jump("f", "a")];
        let mut course = played(&fan(join, "[a]"), first);
        course.complete(["a", "c"]);
        let is_first = join.contains("DISCRIMINATOR");
        assert_eq!(course.activations("d"), if is_first { 2 } else { 1 }, "{join}");
        finish(&mut course);
        assert_eq!((runs(&course, ["d", "f"]), course.status()), ([2, 2], Status::Succeeded), "{join}");
    }
}

#[test]
fn what_comes_late_and_what_comes_anew_over_one_arc_are_told_apart() {
    for join in JOINS {
        // `e` has lived since before the first jump.
        let first = [complete("a"), jump("b", "d"), complete("c"), complete("d"), jump("f", "a"), complete("a")];
        let mut course = played(&fan(join, "[a]"), first);
        let events = course.happen(&complete("e"));
        assert!(events.iter().any(|event| event == "tokens.removed e to d by a jump to d"), "{join} {events:?}");
        finish(&mut course);
        assert_eq!((runs(&course, ["d", "f"]), course.status()), ([2, 2], Status::Succeeded), "{join}");
    }
}

#[test]
fn what_waits_for_the_next_generation_is_taken_along_one_of_each_arc() {
    // `p` starts three times; the second and third wait at a join that blocks.
    let definition = yaml(
        "{ name: x, stages: { p1: , p2: , p3: , p: { needs: [p1, p2, p3], join_type: MULTI_MERGE }, q: , \
         d: { needs: [p, q], join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all }, \
         f: { needs: [d], jump_targets: [d], jump_mode: move } } }",
    );
    let then = given(&definition)
        .after([complete("p1"), complete("p"), complete("p2"), complete("p"), complete("p3"), complete("p")])
        .after([complete("d")])
        .when(jump("f", "d"))
        .then([
            "task.reported f REDIRECT",
            "task.completed f",
            "jump.executed f to d",
            "stage.completed f to d",
            "stage.started d#2 by jump from f, and from p",
            "task.queued d#2",
            "join.arrived d from p",
            "stage.started d#3",
            "task.queued d#3",
        ])
        .when(complete("q"))
        .then_among(["join.arrived d from q late", "join.reset d 1 complete"]);
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((runs(&course, ["p", "q", "d", "f"]), course.status()), ([3, 1, 3, 3], Status::Succeeded));
}

#[test]
fn a_jump_waits_for_a_counting_stage_that_is_not_to_overlap_and_comes_first_then() {
    let definition = fan("join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all, reentry: serialize", "[a]");
    given(&definition)
        .after([complete("a"), complete("c")])
        .when(jump("b", "d"))
        .then(["task.reported b REDIRECT", "task.completed b", "jump.executed b to d", "stage.completed b to d"])
        .when(complete("e"))
        .then_among(["join.arrived d from e late"])
        .when(complete("d"))
        .then_among(["stage.started d#2 by jump from b", "stage.started f"])
        .after([complete("d"), complete("f"), complete("f")])
        .status(Status::Succeeded);
}

#[test]
fn a_threshold_is_not_missed_behind_a_jump_unless_something_is_counted() {
    let definition = fan("join_type: N_OF_M, join_threshold: 2, join_mode: blocking", "[a]");
    // Of the second round only one branch comes: the workflow ends as without the jump before.
    let first = [complete("a"), jump("b", "d"), complete("c"), complete("e"), complete("d"), jump("f", "a")];
    let mut course = played(&definition, first);
    course.complete(["a", "b"]);
    course.happen(&stopped("c"));
    course.happen(&stopped("e"));
    assert_eq!((course.activations("d"), course.status()), (1, Status::Succeeded));
    assert_eq!(tells(&course, "tokens.left b to d"), 1, "\n{}", course.story());
}

/// `fan` in which jumps of `f` rewind.
fn rewinding(join: &str, targets: &str) -> Definition {
    yaml(&format!(
        "{{ name: x, stages: {{ a: , b: {{ needs: [a] }}, c: {{ needs: [a] }}, e: {{ needs: [a] }}, \
         d: {{ needs: [b, c, e], {join} }}, f: {{ needs: [d], jump_targets: {targets}, jump_mode: rewind }} }} }}"
    ))
}

#[test]
fn a_rewind_into_the_join_stands_for_what_had_fired_it() {
    for join in JOINS.iter().filter(|join| !join.contains("cancelling")) {
        let mut course = played(&rewinding(join, "[d]"), [complete("a"), complete("b"), complete("c"), complete("d")]);
        let events = course.happen(&jump("f", "d"));
        assert!(events.iter().any(|event| event == "stage.started d#2 by jump from f"), "{join} {events:?}");
        let events = course.happen(&complete("e"));
        assert!(events.iter().any(|event| event == "tokens.removed e to d by a jump to d#2"), "{join} {events:?}");
        finish(&mut course);
        assert_eq!((runs(&course, ["b", "c", "e", "d"]), course.status()), ([1, 1, 1, 2], Status::Succeeded), "{join}");
    }
}

#[test]
fn a_rewind_over_the_join_after_one_into_it_puts_back_what_had_fired_it() {
    for join in JOINS.iter().filter(|join| join.contains("N_OF_M") && join.contains("blocking")) {
        let mut course = played(
            &rewinding(join, "[b, d]"),
            [complete("a"), complete("b"), complete("c"), complete("d"), jump("f", "d")],
        );
        course.happen(&complete("d"));
        let events = course.happen(&jump("f", "b"));
        let is_told = |line: &str| events.iter().any(|event| event == line);
        assert!(is_told("jump.executed f#2 to b undoing b, puts back c to d"), "{join} {events:?}");
        assert!(is_told("join.arrived d from c"), "{join} {events:?}");
        let events = course.happen(&complete("b"));
        assert!(events.iter().any(|event| event == "stage.started d#3"), "{join} {events:?}");
        finish(&mut course);
        assert_eq!((runs(&course, ["b", "c", "d"]), course.status()), ([2, 1, 3], Status::Succeeded), "{join}");
    }
}

#[test]
fn a_rewind_into_the_join_after_one_over_it_comes_late_for_nothing() {
    for join in JOINS.iter().filter(|join| join.contains("blocking")) {
        let first = [complete("a"), complete("b"), complete("c"), complete("d"), jump("f", "b"), complete("b")];
        let mut course = played(&rewinding(join, "[b, d]"), first);
        assert_eq!(course.live("d"), 1, "{join}");
        course.happen(&complete("d"));
        course.happen(&jump("f", "d"));
        finish(&mut course);
        assert_eq!((runs(&course, ["b", "c", "e", "d"]), course.status()), ([2, 1, 1, 3], Status::Succeeded), "{join}");
    }
}

#[test]
fn what_a_rewind_undoes_absorbs_nothing_any_more() {
    // The jump into the join is undone with what it began: what comes then is counted.
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a], jump_targets: [d], jump_mode: move }, c: { needs: [a] }, e: { needs: [a] }, \
         d: { needs: [b, c, e], join_type: N_OF_M, join_threshold: 2 }, \
         f: { needs: [d], jump_targets: [b], jump_mode: rewind } } }",
    );
    let then = given(&definition)
        .after([complete("a"), jump("b", "d"), complete("d")])
        .when(jump("f", "b"))
        .then_among(["jump.executed f to b undoing b", "stage.started b#2 by jump from f"])
        .when(complete("c"))
        .then_among(["join.arrived d from c"])
        .when(complete("b"))
        .then_among(["join.arrived d from b", "stage.started d#2"]);
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((runs(&course, ["b", "c", "e", "d"]), course.status()), ([2, 1, 1, 2], Status::Succeeded));
}

/// `a` splits into three threads through `b`, whose tasks may jump to `m`, which merges them; then `z`.
fn threads(mode: &str) -> Definition {
    yaml(&format!(
        "{{ name: x, stages: {{ a: {{ split_type: THREAD, thread_count: 3 }}, b: {{ needs: [a], jump_targets: [m], jump_mode: move }}, \
         m: {{ needs: [b], join_type: THREAD_MERGE, merge_count: 3 }}, \
         z: {{ needs: [m], jump_targets: [m], jump_mode: {mode} }} }} }}"
    ))
}

#[test]
fn a_jump_starts_a_merge_and_takes_one_of_the_threads_along() {
    let then = given(&threads("move"))
        .after([complete("a"), complete("b")])
        .when(jump("b#2", "m"))
        .then_among(["stage.started m by jump from b, and from b"]);
    let state = then.course().state();
    let merged = state.live().find(|id| state.definition().graph().stage(id.stage).ref_id == "m").unwrap();
    assert_eq!(state.thread_indices(merged), [1], "it goes on in the thread that has jumped");
    // What is left of the threads waits for others, which one has kept from coming.
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((runs(&course, ["b", "m", "z"]), course.status()), ([3, 1, 1], Status::Succeeded));
    assert_eq!(tells(&course, "tokens.left b to m"), 1, "\n{}", course.story());
}

#[test]
fn a_jump_back_into_a_merge_begins_it_again_in_its_own_thread() {
    for mode in ["move", "rewind"] {
        let all = [complete("a"), complete("b"), complete("b"), complete("b"), complete("m"), jump("z", "m")];
        let mut course = played(&threads(mode), all);
        let state = course.state();
        assert!(state.live().all(|id| state.thread_indices(id).is_empty()), "{mode}");
        finish(&mut course);
        assert_eq!((runs(&course, ["b", "m", "z"]), course.status()), ([3, 2, 2], Status::Succeeded), "{mode}");
    }
}

#[test]
fn nothing_arrives_over_the_arc_of_a_jump() {
    let definition = fan("join_type: DISCRIMINATOR, join_mode: structured, reentry: serialize", "[a]");
    let course = played(&definition, [complete("a"), complete("c"), jump("b", "d")]);
    let graph = course.state().definition().graph();
    let arc = graph.jumps_to(graph.stage_index("d").unwrap())[0];
    assert_ne!(arc, ArcIndex::new(0));
    let arrived = Event::JoinArrived { scope: ScopeId::ROOT, arc, arrival: Arrival::Late };
    assert!(evolve(&mut course.state().clone(), &arrived).is_err());
}
