//! Loops of tasks inside a stage: `loop_start`, `loop_end` and the outcome redirect.

use crate::definition::Definition;
use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{
    complete, fail, failed_continue, lose, redirect, skipped, start, stop_orderly, terminal,
};

/// Four tasks, of which the second and the third are a loop.
fn looping(said: &str) -> Definition {
    yaml(&format!(
        "
name: x
stages:
  a:
    tasks:
      - {{ name: before, uses: noop }}
      - {{ name: poll, uses: noop, loop_start: true }}
      - {{ name: look, uses: noop, loop_end: true, {said} }}
      - {{ name: behind, uses: noop, if: tasks.look.outputs.n == 2 }}
  b: {{ needs: [a], if: n == 2 }}
"
    ))
}

#[test]
fn a_task_sends_its_stage_back_to_where_the_loop_begins() {
    given(&looping(""))
        .after([complete("a.before"), complete("a.poll")])
        .when(redirect("a.look").output("n", 1))
        .then(["task.reported a.look REDIRECT", "task.completed a.look", "task.queued a.poll@2"])
        .when(complete("a.poll"))
        .then_among(["task.queued a.look@2"])
        .when(complete("a.look").output("n", 2))
        .then(["task.reported a.look@2 SUCCEEDED", "task.completed a.look", "task.queued a.behind"])
        .when(complete("a.behind"))
        .then_among(["stage.completed a to b", "stage.started b"])
        .activations("a", 1);
}

#[test]
fn the_next_turn_sees_what_the_one_before_gave() {
    let definition = yaml(
        "{ name: x, stages: { a: { tasks: [{ name: one, uses: noop, loop_start: true, if: n != 3 }, \
         { name: two, uses: noop }] }, b: { needs: [a] } } }",
    );
    given(&definition)
        .after([complete("a.one").output("n", 1)])
        .when(redirect("a.two").output("n", 3))
        .then(["task.reported a.two REDIRECT", "task.completed a.two", "task.skipped a.one", "task.queued a.two@2"])
        .when(complete("a.two"))
        .then_among(["task.completed a.two", "stage.completed a to b"]);
}

#[test]
fn only_the_newest_turn_says_how_a_task_has_ended() {
    given(&looping(""))
        .after([complete("a.before"), failed_continue("a.poll"), redirect("a.look"), complete("a.poll")])
        .when(skipped("a.look"))
        // The failure of the first turn is forgotten: the stage has succeeded.
        .then_among(["task.skipped a.look", "task.skipped a.behind", "stage.completed a to b"]);
    given(&looping(""))
        .after([complete("a.before"), complete("a.poll"), redirect("a.look")])
        .when(terminal("a.poll"))
        .then_among(["stage.failed a TERMINAL"]);
}

#[test]
fn attempts_of_another_turn_are_others() {
    given(&looping("retry: { max_attempts: 2, initial: 0s }"))
        .after([complete("a.before"), complete("a.poll"), fail("a.look", ErrorClass::Transient), redirect("a.look")])
        .when(complete("a.look@2"))
        .refused("NOT_AWAITED")
        .when(complete("a.poll@1"))
        .refused("NOT_AWAITED")
        .after([start("a.poll"), lose("a.poll"), start("a.poll"), stop_orderly("a.poll")])
        .when(complete("a.poll"))
        .then_among(["task.queued a.look@3"])
        // It has its tries anew.
        .when(fail("a.look", ErrorClass::Transient))
        .then_among(["task.retried a.look@3 failure 1", "task.queued a.look@4 due 0s"]);
}

#[test]
fn a_redirect_leads_nowhere_but_to_the_loop_around_it() {
    for (tasks, works) in [
        ("[{ name: t, uses: noop }, { name: u, uses: noop }]", vec![]),
        ("[{ name: s, uses: noop, loop_start: true, loop_end: true }, { name: t, uses: noop }]", vec!["a.s"]),
        ("[{ name: t, uses: noop }, { name: s, uses: noop, loop_start: true }]", vec![]),
    ] {
        given(&yaml(&format!("{{ name: x, stages: {{ a: {{ tasks: {tasks} }} }} }}")))
            .after(works.into_iter().map(complete))
            .when(redirect("a.t"))
            .then_among(["task.failed a.t TERMINAL NO_LOOP_START", "stage.failed a TERMINAL"])
            .status(Status::Terminal);
    }
    let continued = "{ name: x, stages: { a: { on_failure: continue }, b: { needs: [a] } } }";
    given(&yaml(continued)).when(redirect("a")).then_among(["stage.started b"]);
}

#[test]
fn two_loops_of_one_stage_do_not_know_each_other() {
    let definition = yaml(
        "{ name: x, stages: { a: { tasks: [{ name: one, uses: noop, loop_start: true, loop_end: true }, \
         { name: two, uses: noop, loop_start: true }, { name: three, uses: noop }] } } }",
    );
    given(&definition)
        .after([redirect("a.one"), redirect("a.one"), complete("a.one")])
        .after([complete("a.two"), redirect("a.three")])
        .when(redirect("a.two"))
        .then_among(["task.queued a.two@3"])
        .after([complete("a.two")])
        .when(complete("a.three"))
        .then_among(["stage.completed a", "workflow.completed"]);
}

#[test]
fn going_back_counts_as_a_jump() {
    let definition =
        yaml("{ name: x, max_jumps: 2, stages: { a: { tasks: [{ name: t, uses: noop, loop_start: true }] } } }");
    given(&definition)
        .after([redirect("a"), redirect("a")])
        .when(redirect("a"))
        .then_among(["task.failed a TERMINAL LOOP_LIMIT"])
        .status(Status::Terminal);
}

#[test]
fn each_instance_goes_round_by_itself() {
    let definition = yaml(
        "{ name: x, stages: { a: { mi_config: { count: 2 }, tasks: [{ name: t, uses: noop, loop_start: true }] } } }",
    );
    given(&definition)
        .after([complete("a#1[1]").output("n", 2)])
        .when(redirect("a#1[0]").output("n", 1))
        .then_among(["task.queued a#1[0]@2"])
        .when(complete("a#1[0]").output("n", 3))
        .then_among(["stage.completed a", "workflow.completed"]);
}
