//! Several instances of a stage: how many there are, and what is waited for (WCP 12 to 15, 34 to 36).

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{
    add_instances, close_instances, complete, complete_instances, fail, fire, pass, skipped, stopped, terminal,
};
use crate::value::Value;

const NOTHING: [(&str, i32); 0] = [];

/// `a`, then `m` with these instances, then `z`.
fn several(config: &str) -> Definition {
    with_more(config, "")
}

fn with_more(config: &str, more: &str) -> Definition {
    yaml(&format!(
        "
name: several
stages:
  a:
  m: {{ needs: [a], mi_config: {{ {config} }}{more} }}
  z: {{ needs: [m] }}
"
    ))
}

/// The same, and what `a` gives is `n`.
fn counted(config: &str, n: impl Into<Value>) -> Course {
    let mut course = Course::begun(&several(config), NOTHING);
    course.happen(&complete("a").output("n", n));
    course
}

fn begun(config: &str) -> Course {
    let mut course = Course::begun(&several(config), NOTHING);
    course.complete(["a"]);
    course
}

#[test]
fn nobody_waits_for_instances_without_synchronization() {
    let mut course = begun("count: 3, sync_on_complete: false");
    assert_eq!(course.open(), ["m#1[0]", "m#1[1]", "m#1[2]", "z"]);
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Running);
    course.complete(["m[2]", "m[0]"]);
    assert_eq!(course.status(), Status::Running);
    course.complete(["m[1]"]);
    assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 1));
}

#[test]
fn failures_of_instances_that_nobody_waits_for_change_nothing() {
    let mut course = begun("count: 2, sync_on_complete: false");
    course.happen(&terminal("m[0]"));
    course.complete(["m[1]", "z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn all_instances_of_a_fixed_number_are_waited_for() {
    given(&several("count: 3"))
        .done(["a", "m[1]"])
        .when(complete("m[0]"))
        .then(["task.reported m#1[0] SUCCEEDED", "task.completed m#1[0]", "stage.completed m#1[0]"])
        .activations("z", 0)
        .when(complete("m[2]"))
        .then_among(["stage.completed m to z"])
        .activations("z", 1)
        .when(complete("z"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded);
}

#[test]
fn what_instances_give_is_a_list_by_number() {
    let definition = yaml(
        "
name: x
stages:
  m: { mi_config: { count: 3 } }
  z: { needs: [m], outputs: { all: '${{ stages.m.outputs.k }}', bare: '${{ k }}', each: '${{ instances }}' } }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    for (index, value) in [(2, "c"), (0, "a"), (1, "a")] {
        course.happen(&complete(&format!("m[{index}]")).output("k", value));
    }
    let lines = course.happen(&complete("z"));
    let each = |index, k| format!(r#"{{"index":{index},"outputs":{{"k":"{k}"}},"status":"SUCCEEDED"}}"#);
    let each = [each(0, "a"), each(1, "a"), each(2, "c")].join(",");
    let expected = format!(r#"stage.completed z {{"all":["a","a","c"],"bare":["a","a","c"],"each":[{each}]}}"#);
    assert!(lines.contains(&expected), "{lines:#?}");
}

#[test]
fn a_failed_instance_fails_the_stage_and_the_others_are_canceled() {
    given(&several("count: 3"))
        .done(["a", "m[2]"])
        .when(terminal("m[1]"))
        .then([
            "task.reported m#1[1] TERMINAL",
            "task.failed m#1[1] TERMINAL",
            "stage.failed m#1[1] TERMINAL",
            "instances.withdrawn m TERMINAL TOLD",
            "stage.canceled m#1[0] by mi",
            "stage.failed m TERMINAL TOLD",
            "workflow.failed STAGE_FAILED m TOLD",
        ])
        .status(Status::Terminal);
}

#[test]
fn a_failure_that_is_to_be_ignored_counts_as_done() {
    let mut course = Course::begun(&with_more("count: 2", ", on_failure: continue"), NOTHING);
    course.complete(["a"]);
    course.happen(&terminal("m[0]"));
    course.happen(&skipped("m[1]"));
    assert!(course.told("stage.failed m FAILED_CONTINUE to z"));
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_stopped_instance_ends_the_stage_as_itself() {
    let mut course = begun("count: 2");
    course.happen(&stopped("m[0]"));
    assert!(course.told("stage.failed m STOPPED UNKNOWN"), "{}", course.story());
    assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 0));
}

#[test]
fn the_number_of_instances_is_what_the_context_says_when_the_stage_starts() {
    let mut course = counted("count_from_context: n", 4);
    assert_eq!(course.open().len(), 4);
    course.happen(&complete("m[0]").output("n", 9));
    course.complete(["m[1]", "m[2]"]);
    assert_eq!(course.activations("z"), 0);
    course.complete(["m[3]"]);
    assert_eq!(course.open(), ["z"]);
    let course = counted("collection_from_context: n", Value::list(["x", "y"]));
    assert_eq!(course.open(), ["m#1[0]", "m#1[1]"]);
}

#[test]
fn a_stage_without_any_instance_is_passed_by() {
    for (config, n) in
        [("count_from_context: n", Value::from(0)), ("collection_from_context: n", Value::list(Vec::<Value>::new()))]
    {
        let mut course = counted(config, n);
        assert!(course.told("stage.skipped m to z"));
        assert_eq!((course.open(), course.activations("m")), (vec!["z".to_owned()], 1));
        course.complete(["z"]);
        assert_eq!(course.status(), Status::Succeeded);
    }
}

#[test]
fn a_number_that_is_none_fails_the_stage() {
    for (config, n, code) in [
        ("count_from_context: n", Value::from("x"), "CONFIGURATION_INVALID"),
        ("count_from_context: n", Value::from(-1), "CONFIGURATION_INVALID"),
        ("count_from_context: n", Value::from_json("1.5").unwrap(), "CONFIGURATION_INVALID"),
        ("count_from_context: other", Value::from(1), "VALUE_MISSING"),
        ("collection_from_context: n", Value::from(3), "CONFIGURATION_INVALID"),
        ("count_from_context: n", Value::from(1_000_000), "LIMIT_INSTANCES"),
        ("count_from_context: n, max_instances: 2", Value::from(3), "INSTANCES_OUT_OF_BOUNDS"),
        ("count_from_context: n, min_instances: 2", Value::from(1), "INSTANCES_OUT_OF_BOUNDS"),
        ("count_from_context: n, join_threshold: 3", Value::from(2), "THRESHOLD_GT_COUNT"),
    ] {
        let course = counted(config, n);
        assert!(course.told(&format!("stage.failed m TERMINAL {code}")), "{config}\n{}", course.story());
        assert_eq!(course.status(), Status::Terminal);
    }
}

#[test]
fn each_instance_is_given_its_item() {
    let definition = yaml(
        "
name: x
inputs: { items: { type: list } }
stages:
  m:
    for_each: '${{ inputs.items }}'
    outputs: { mine: '${{ item }}', number: '${{ index }}' }
  n: { needs: [m], if: \"instances[1].outputs.mine == ['y'] and mine[0] == 'x' and instances[2].outputs.number == 2\" }
",
    );
    let mut course = Course::begun(&definition, [("items", Value::from_json(r#"["x",["y"],null]"#).unwrap())]);
    let lines = course.happen(&complete("m[1]"));
    assert!(lines.contains(&r#"stage.completed m#1[1] {"mine":["y"],"number":1}"#.to_owned()), "{lines:?}");
    course.complete(["m[0]", "m[2]", "n"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_matrix_has_an_instance_for_each_combination() {
    let definition = yaml(
        "
name: x
inputs: { opts: { type: list } }
stages:
  m:
    matrix: { opt: '${{ inputs.opts }}', cc: [gcc, clang] }
    context: { flags: '-O${{ matrix.opt }}' }
    outputs: { made: '${{ matrix.cc }} ${{ flags }}', whole: '${{ item.cc }}' }
",
    );
    let mut course = Course::begun(&definition, [("opts", Value::list(["0", "2"]))]);
    for (index, made) in ["gcc -O0", "gcc -O2", "clang -O0", "clang -O2"].iter().enumerate() {
        let lines = course.happen(&complete(&format!("m[{index}]")));
        assert!(lines.iter().any(|line| line.contains(&format!("\"made\":\"{made}\""))), "{lines:?}");
    }
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn an_instance_sees_the_data_of_the_workflow() {
    let definition = yaml(
        "
name: x
stages:
  a:
  m: { needs: [a], mi_config: { count: 2 }, outputs: { got: '${{ k }} ${{ stages.a.outputs.k }} ${{ index }}' } }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.happen(&complete("a").output("k", "v"));
    let lines = course.happen(&complete("m[1]"));
    assert!(lines.contains(&r#"stage.completed m#1[1] {"got":"v v 1"}"#.to_owned()), "{lines:?}");
}

#[test]
fn instances_have_tries_tasks_and_conditions_of_their_own() {
    let definition = yaml(
        "
name: x
stages:
  m:
    for_each: [1, 2]
    tasks:
      - { name: t, uses: noop, if: 'item == 2' }
      - { name: u, uses: noop, retry: { max_attempts: 2, initial: 1s, jitter: 0 } }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    assert_eq!(course.open(), ["m#1[0].u", "m#1[1].t"]);
    course.happen(&fail("m[0].u", crate::failure::ErrorClass::Transient));
    course.complete(["m[1].t"]);
    assert_eq!(course.open(), ["m#1[0].u@2 due 1s", "m#1[1].u"]);
    course.happen(&pass("2s"));
    course.complete(["m[0].u", "m[1].u"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn sequential_instances_begin_one_after_the_other() {
    let mut course = begun("count: 3, sequential: true");
    for index in 0..3 {
        assert_eq!(course.open(), [format!("m#1[{index}]")]);
        course.complete([format!("m[{index}]").as_str()]);
    }
    assert_eq!(course.open(), ["z"]);
}

#[test]
fn instances_are_added_while_the_stage_waits_for_them() {
    let mut course = begun("count: 2, allow_dynamic: true, max_instances: 4");
    course.complete(["m[0]"]);
    let lines = course.happen(&add_instances("m", ["x", "y"]));
    let expected =
        ["instances.add_requested m \"x\", \"y\"", "instances.added m 2 to 4", "instances.started m 2 to 4 of 4"];
    assert_eq!(lines, expected);
    let full = course.attempt(&add_instances("m", ["z"])).unwrap_err();
    assert_eq!(full.code(), "MI_FULL");
    course.complete(["m[1]", "m[3]"]);
    assert_eq!(course.activations("z"), 0);
    course.complete(["m[2]"]);
    assert_eq!(course.open(), ["z"]);
    let late = course.attempt(&add_instances("m#1", ["x"])).unwrap_err();
    assert_eq!(late.code(), "MI_CLOSED");
}

#[test]
fn an_added_instance_is_given_its_item() {
    let config = "count: 1, allow_dynamic: true";
    let definition = with_more(config, ", outputs: { mine: \"${{ item.name }}\" }, on_failure: continue");
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["a"]);
    course.happen(&add_instances("m", [Value::map([("name", "x")])]));
    let lines = course.happen(&complete("m[1]"));
    assert!(lines.contains(&r#"stage.completed m#1[1] {"mine":"x"}"#.to_owned()), "{lines:?}");
    // Those of the start are given nothing.
    let lines = course.happen(&complete("m[0]"));
    assert!(lines.contains(&r#"stage.completed m#1[0] {"mine":null}"#.to_owned()), "{lines:?}");
}

#[test]
fn a_stage_to_which_nothing_may_be_added_refuses_it() {
    let mut course = begun("count: 2");
    assert_eq!(course.attempt(&add_instances("m", ["x"])).unwrap_err().code(), "MI_CLOSED");
    assert_eq!(course.attempt(&add_instances("a#1", ["x"])).unwrap_err().code(), "MI_CLOSED");
    assert_eq!(course.attempt(&close_instances("z")).unwrap_err().code(), "NOT_LIVE");
    assert_eq!(course.attempt(&complete_instances("a#1")).unwrap_err().code(), "NOT_LIVE");
}

#[test]
fn a_stage_that_grows_waits_for_its_least_number() {
    let mut course = begun("allow_dynamic: true, min_instances: 2");
    assert_eq!((course.live("m"), course.open()), (1, vec!["m#1 more instances".to_owned()]));
    course.happen(&add_instances("m", [1]));
    course.complete(["m[0]"]);
    assert_eq!(course.activations("z"), 0);
    course.happen(&add_instances("m", [2]));
    course.complete(["m[1]"]);
    assert_eq!(course.open(), ["z"]);
    let mut closed = begun("allow_dynamic: true, min_instances: 2");
    closed.happen(&add_instances("m", [1]));
    closed.happen(&close_instances("m"));
    closed.complete(["m[0]"]);
    assert_eq!(closed.open(), ["z"]);
}

#[test]
fn control_goes_on_at_the_threshold_and_the_rest_runs_on() {
    let mut course = begun("count: 5, join_threshold: 3");
    course.complete(["m[4]", "m[0]"]);
    assert_eq!(course.activations("z"), 0);
    course.complete(["m[2]"]);
    assert_eq!(course.open(), ["m#1[1]", "m#1[3]", "z"]);
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Running);
    course.happen(&terminal("m[1]"));
    course.complete(["m[3]"]);
    assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 1));
}

#[test]
fn a_second_round_begins_when_the_rest_of_the_first_has_ended() {
    let definition = yaml(
        "
name: x
stages:
  a:
  b:
  m: { needs: [a, b], join_type: MULTI_MERGE, mi_config: { count: 3, join_threshold: 1 } }
  z: { needs: [m], join_type: MULTI_MERGE }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["a", "m[1]", "b"]);
    assert_eq!((course.activations("m"), course.activations("z")), (1, 1));
    let waiting =
        waits(course.state()).into_iter().find(|wait| wait.stage() == Some("m") && wait.activation().is_none());
    assert!(matches!(waiting.unwrap().reason(), WaitReason::Serialized { activation: 1 }));
    course.complete(["m[0]"]);
    assert_eq!(course.activations("m"), 1);
    course.complete(["m[2]"]);
    assert_eq!(course.activations("m"), 2);
}

#[test]
fn the_rest_is_canceled_where_the_stage_says_so() {
    given(&several("count: 5, join_threshold: 3, cancel_remaining: true"))
        .done(["a", "m[0]", "m[4]"])
        .when(complete("m[3]"))
        .then_among([
            "instances.withdrawn m SUCCEEDED",
            "stage.canceled m#1[1] by mi",
            "stage.canceled m#1[2] by mi",
            "stage.completed m to z",
        ])
        .open(["z"])
        .when(complete("z"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded);
    let mut sequential = begun("count: 5, join_threshold: 1, cancel_remaining: true, sequential: true");
    sequential.complete(["m[0]"]);
    assert_eq!(sequential.open(), ["z"]);
}

#[test]
fn failures_are_recorded_until_the_threshold_cannot_be_reached() {
    let mut course = begun("count: 4, join_threshold: 2");
    course.happen(&terminal("m[0]"));
    course.happen(&stopped("m[1]"));
    assert_eq!((course.status(), course.live("m")), (Status::Running, 3));
    let lines = course.happen(&terminal("m[2]"));
    assert!(lines.contains(&"instances.withdrawn m TERMINAL THRESHOLD_UNREACHABLE".to_owned()), "{lines:?}");
    assert!(lines.contains(&"stage.canceled m#1[3] by mi".to_owned()), "{lines:?}");
    assert!(lines.contains(&"stage.failed m TERMINAL THRESHOLD_UNREACHABLE".to_owned()), "{lines:?}");
    assert_eq!(course.status(), Status::Terminal);
}

#[test]
fn canceled_instances_leave_the_count() {
    let mut course = begun("count: 3");
    course.happen(&crate::testing::happening::canceled("m[0]"));
    course.complete(["m[1]", "m[2]"]);
    assert_eq!(course.open(), ["z"]);
    let mut all = begun("count: 2");
    all.happen(&crate::testing::happening::canceled("m[0]"));
    all.happen(&crate::testing::happening::canceled("m[1]"));
    assert!(all.told("stage.skipped m to z"), "{}", all.story());
    let mut few = begun("count: 2, join_threshold: 2");
    few.happen(&crate::testing::happening::canceled("m[0]"));
    assert!(few.told("stage.failed m TERMINAL THRESHOLD_UNREACHABLE"), "{}", few.story());
}

#[test]
fn a_condition_is_asked_once_for_each_instance_that_ends() {
    let mut course = begun("count: 5, allow_dynamic: true, completion_condition: 'done >= 4'");
    course.happen(&add_instances("m", [1, 2]));
    course.happen(&close_instances("m"));
    assert_eq!(course.attempt(&add_instances("m", [3])).unwrap_err().code(), "MI_CLOSED");
    assert_eq!(course.attempt(&close_instances("m")).unwrap_err().code(), "MI_CLOSED");
    course.complete(["m[6]", "m[1]", "m[2]"]);
    assert_eq!(course.activations("z"), 0);
    course.complete(["m[0]"]);
    assert_eq!(course.activations("z"), 1);
    course.complete(["m[3]", "m[4]", "m[5]", "z"]);
    assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 1));
}

#[test]
fn adding_is_over_once_control_has_gone_on() {
    let mut course = begun("count: 2, allow_dynamic: true, completion_condition: 'mi.completed >= 1'");
    course.complete(["m[1]"]);
    assert_eq!(course.open(), ["m#1[0]", "z"]);
    assert_eq!(course.attempt(&add_instances("m#1", ["x"])).unwrap_err().code(), "MI_CLOSED");
}

#[test]
fn a_condition_sees_counts_and_results_and_one_that_never_holds_waits_for_all() {
    let mut course = begun(
        "count: 4, completion_condition: \"failed == 1 and live == 2 and total == 4 and results[0].status == 'SUCCEEDED'\"",
    );
    course.complete(["m[0]"]);
    assert_eq!(course.activations("z"), 0);
    course.happen(&terminal("m[3]"));
    assert_eq!(course.activations("z"), 1);
    let mut never = begun("count: 2, completion_condition: 'false'");
    never.complete(["m[0]"]);
    never.happen(&terminal("m[1]"));
    assert_eq!(never.open(), ["z"]);
    let mut wrong = begun("count: 2, completion_condition: \"done < 'x'\"");
    wrong.complete(["m[0]"]);
    assert!(wrong.told("stage.failed m TERMINAL CONDITION_FAILED"), "{}", wrong.story());
}

#[test]
fn a_condition_closes_the_stage_without_ending_it() {
    let mut course = begun("count: 2, allow_dynamic: true, close_when: 'total >= 3'");
    let lines = course.happen(&add_instances("m", ["x"]));
    assert!(lines.contains(&"instances.closed m".to_owned()), "{lines:?}");
    assert_eq!(course.attempt(&add_instances("m", ["y"])).unwrap_err().code(), "MI_CLOSED");
    course.complete(["m[0]", "m[1]", "m[2]"]);
    assert_eq!(course.open(), ["z"]);
}

#[test]
fn control_goes_on_without_the_rest_when_somebody_asks() {
    let mut course = begun("count: 4");
    course.happen(&complete("m[0]").output("k", 0));
    course.happen(&complete("m[2]").output("k", 2));
    let lines = course.happen(&complete_instances("m"));
    let expected = [
        "instances.complete_requested m",
        "instances.withdrawn m SUCCEEDED",
        "stage.canceled m#1[1] by mi",
        "stage.canceled m#1[3] by mi",
        "stage.completed m to z",
        "stage.started z",
        "task.queued z",
    ];
    assert_eq!(lines, expected);
    assert_eq!(course.attempt(&complete_instances("m#1")).unwrap_err().code(), "NOT_LIVE");
    let mut early = begun("count: 2, sequential: true");
    early.happen(&complete_instances("m"));
    assert_eq!(early.open(), ["z"]);
}

#[test]
fn a_deadline_stops_all_instances() {
    let mut course = Course::begun(&with_more("count: 2", ", deadline: 1h"), NOTHING);
    course.complete(["a", "m[0]"]);
    course.happen(&pass("1h"));
    let lines = course.happen(&fire(1));
    let expected = [
        "timer.fired 1",
        "instances.withdrawn m TERMINAL DEADLINE_EXCEEDED",
        "stage.canceled m#1[1] by mi",
        "stage.failed m TERMINAL DEADLINE_EXCEEDED",
        "workflow.failed STAGE_FAILED m DEADLINE_EXCEEDED",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_cancel_of_the_workflow_ends_instances_of_every_kind() {
    for config in ["count: 3", "count: 3, sequential: true", "count: 3, join_threshold: 1, sequential: true"] {
        let mut course = begun(config);
        if config.contains("threshold") {
            course.complete(["m[0]"]);
        }
        course.happen(&crate::testing::happening::cancel());
        assert_eq!((course.status(), course.open().len()), (Status::Canceled, 0));
    }
}

#[test]
fn a_gate_is_examined_once_for_all_instances() {
    given(&with_more("count: 2", ", if: 'false'"))
        .when(complete("a"))
        .then_among(["stage.ready m", "stage.skipped m to z"])
        .open(["z"]);
    given(&with_more("count: 2", ", if: 'true'"))
        .when(complete("a"))
        .then_among(["stage.ready m", "stage.started m", "instances.started m 0 to 2 of 2"])
        .open(["m#1[0]", "m#1[1]"]);
}

#[test]
fn a_workflow_says_how_many_instances_it_waits_for() {
    let mut course = begun("count: 3, allow_dynamic: true");
    course.complete(["m[1]"]);
    let waits = waits(course.state());
    let reasons: Vec<_> = waits.iter().map(|wait| (wait.instance(), wait.reason().code())).collect();
    assert_eq!(reasons, [(None, "INSTANCES"), (Some(0), "QUEUED"), (Some(2), "QUEUED")]);
    let expected = WaitReason::Instances { total: 3, live: 2, done: 1, failed: 0, is_open: true, signals: Vec::new() };
    assert_eq!(waits[0].reason(), &expected);
}

#[test]
fn an_instance_that_is_stopped_ends_its_own_branch_and_starves_nobody() {
    let text = "
name: x
stages:
  a:
  m: { needs: [a], on_failure: stop, mi_config: { count: 2, sync_on_complete: false, emit: per_instance } }
  n: { needs: [m], join_type: THREAD_MERGE, merge_count: 2 }
";
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["a", "m[0]"]);
    course.happen(&stopped("m[1]"));
    assert_eq!((course.status(), course.activations("n")), (Status::Succeeded, 0), "{}", course.story());
}
