//! Instances that end from outside: canceled or completed by timers, signals and other stages; closed by a signal; and
//! control that goes on from each of them (WCP 12, 15, 26, 27).

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::happening::{
    add_instances, complete, complete_instances, fire, pass, pause, resume, signal, terminal,
};

const NOTHING: [(&str, i32); 0] = [];

/// `a`, then `m` with four instances, and `k` beside it; `z` behind `m`, `e` where `m` is canceled.
fn beside(config: &str, of_k: &str) -> Definition {
    yaml(&format!(
        "
name: outside
stages:
  a:
  m: {{ needs: [a], mi_config: {{ {config} }}, on_cancelled: e }}
  k: {{ needs: [a]{of_k} }}
  z: {{ needs: [m] }}
  e: {{ if: \"instances[0].index == 0 and instances[1].index == 2\" }}
"
    ))
}

/// The same without `e`.
fn begun(config: &str, of_k: &str) -> Course {
    let text = "
name: outside
stages:
  a:
  m: { needs: [a], mi_config: { CONFIG } }
  k: { needs: [a]OF_K }
  z: { needs: [m] }
";
    let mut course = Course::begun(&yaml(&text.replace("CONFIG", config).replace("OF_K", of_k)), NOTHING);
    course.complete(["a"]);
    course
}

/// What `m` and `k` say, and what happens.
type Way = (String, String, fn(&mut Course));

/// Every way in which something outside ends the instances so: what `m` and `k` say, and what happens.
fn ways(key: &str, target: &str) -> [Way; 4] {
    [
        (format!("{key}: [{{ signal: enough }}]"), String::new(), |course| drop(course.happen(&signal("enough")))),
        (format!("{key}: [{{ timer: 1h }}]"), String::new(), |course| {
            course.happen(&pass("1h"));
            course.happen(&fire(1));
        }),
        (format!("{key}: [{{ completed: k }}]"), String::new(), |course| drop(course.happen(&complete("k")))),
        ("sequential: false".to_owned(), format!(", cancels: [{{ {target}: m }}]"), |course| {
            drop(course.happen(&complete("k")))
        }),
    ]
}

#[test]
fn a_stage_is_canceled_with_those_instances_that_have_not_ended() {
    for (config, of_k, happen) in ways("cancel_mi_on", "mi") {
        let mut course = begun(&format!("count: 4, {config}"), &of_k);
        course.complete(["m[0]", "m[2]"]);
        happen(&mut course);
        for line in ["stage.canceled m by mi", "stage.canceled m#1[1] by mi", "stage.canceled m#1[3] by mi"] {
            assert!(course.told(line), "{line} after {config}\n{}", course.story());
        }
        assert_eq!((course.live("m"), course.activations("z")), (0, 0));
        if course.status() == Status::Running {
            assert_eq!(course.attempt(&complete_instances("m#1")).unwrap_err().code(), "NOT_LIVE");
            course.complete(["k"]);
        }
        assert_eq!(course.status(), Status::Succeeded, "{config}");
    }
}

#[test]
fn control_goes_on_without_those_instances_that_have_not_ended() {
    for (config, of_k, happen) in ways("complete_mi_on", "complete_mi") {
        let mut course = begun(&format!("count: 4, {config}"), &of_k);
        course.complete(["m[0]", "m[2]"]);
        happen(&mut course);
        for line in ["instances.withdrawn m SUCCEEDED", "stage.canceled m#1[1] by mi", "stage.completed m to z"] {
            assert!(course.told(line), "{line} after {config}\n{}", course.story());
        }
        assert_eq!(course.activations("z"), 1);
        course.complete(["z"]);
        if course.status() == Status::Running {
            course.complete(["k"]);
        }
        assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 1), "{config}");
    }
}

#[test]
fn those_that_have_not_begun_never_do() {
    for (key, z) in [("cancel_mi_on", 0), ("complete_mi_on", 1)] {
        let mut course = begun(&format!("count: 4, sequential: true, {key}: [{{ signal: s }}]"), "");
        course.complete(["m[0]"]);
        course.happen(&signal("s"));
        assert!(!course.told("stage.canceled m#1[2] by mi"));
        assert_eq!((course.live("m"), course.activations("z")), (0, z));
    }
}

#[test]
fn where_instances_are_canceled_control_goes_to_the_path_and_what_has_ended_stands() {
    let mut course = Course::begun(&beside("count: 4, cancel_mi_on: [{ signal: enough }]", ""), NOTHING);
    course.complete(["a", "m[0]", "m[2]"]);
    course.happen(&signal("enough"));
    assert_eq!(course.open(), ["k", "e"], "{}", course.story());
}

#[test]
fn before_any_instance_has_ended_control_may_go_on_too() {
    let mut course = begun("count: 2, complete_mi_on: [{ signal: s }]", "");
    course.happen(&signal("s"));
    assert_eq!(course.open(), ["k", "z"]);
}

#[test]
fn a_stage_whose_instances_are_over_is_not_ended_again() {
    let mut course = begun("count: 1, join_threshold: 1", ", cancels: [{ complete_mi: m }, { mi: m }]");
    course.complete(["m[0]", "k"]);
    assert_eq!((course.open(), course.activations("z")), (vec!["z".to_owned()], 1));
    let mut drained = begun("count: 2, join_threshold: 1", ", cancels: [{ complete_mi: m }, { mi: m }]");
    drained.complete(["m[0]", "k"]);
    assert_eq!(drained.open(), ["m#1[1]", "z"], "those that run on concern nobody");
}

#[test]
fn what_a_stage_cancels_ends_before_control_goes_on_from_it() {
    let mut course = begun("count: 2", ", cancels: [{ complete_mi: m }]");
    let lines = course.happen(&complete("k"));
    let place = |line: &str| lines.iter().position(|told| told == line).unwrap_or_else(|| panic!("{line}: {lines:?}"));
    assert!(place("stage.canceled m#1[0] by mi") < place("stage.completed k"));
    assert!(place("stage.completed k") < place("stage.completed m to z"));
}

#[test]
fn a_stage_that_waits_to_be_closed_goes_on_with_the_signal() {
    let mut course = begun("count: 1, allow_dynamic: true, dynamic_close_on: { signal: close }", "");
    course.complete(["m[0]"]);
    assert_eq!(course.activations("z"), 0);
    let waits = waits(course.state());
    let expected = WaitReason::Instances {
        total: 1,
        live: 0,
        done: 1,
        failed: 0,
        is_open: true,
        signals: vec!["close".to_owned()],
    };
    assert!(waits.iter().any(|wait| *wait.reason() == expected), "{waits:?}");
    course.happen(&add_instances("m", ["x"]));
    let lines = course.happen(&signal("close"));
    let delivered = lines.iter().find(|line| line.starts_with("signal.delivered")).unwrap();
    assert!(delivered.ends_with("to the instances of m"), "{delivered}");
    assert!(lines.contains(&"instances.closed m".to_owned()));
    assert_eq!(course.attempt(&add_instances("m", ["y"])).unwrap_err().code(), "MI_CLOSED");
    assert_eq!(course.activations("z"), 0, "an instance that was added is still waited for");
    course.complete(["m[1]"]);
    assert_eq!(course.open(), ["k", "z"]);
}

#[test]
fn a_stage_without_instances_may_wait_to_be_closed() {
    let mut course = begun("allow_dynamic: true, dynamic_close_on: { signal: close }", "");
    assert_eq!(course.open(), ["m#1 more instances", "k", "signal to m#1"]);
    course.happen(&signal("close"));
    assert_eq!(course.open(), ["k", "z"]);
}

#[test]
fn a_signal_that_was_kept_is_taken_at_the_start() {
    let definition = beside("count: 2, complete_mi_on: [{ signal: enough }]", "");
    let mut course = Course::begun(&definition, NOTHING);
    course.happen(&signal("enough"));
    let lines = course.happen(&complete("a"));
    assert!(lines.contains(&"instances.withdrawn m SUCCEEDED".to_owned()), "{lines:?}");
    assert!(course.told("stage.completed m to z"), "{}", course.story());
}

#[test]
fn of_two_stages_the_one_that_waited_longer_takes_the_signal() {
    let definition = yaml(
        "
name: x
stages:
  a: { mi_config: { count: 1, complete_mi_on: [{ signal: s }] } }
  b: { mi_config: { count: 1, complete_mi_on: [{ signal: s }] } }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.happen(&signal("s"));
    assert_eq!(course.open(), ["b#1[0]", "signal to b#1"]);
    course.happen(&signal("s"));
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn no_instance_begins_while_the_workflow_is_paused() {
    let mut course = begun("count: 3, sequential: true, allow_dynamic: true", "");
    course.happen(&pause());
    course.complete(["m[0]"]);
    assert_eq!(course.live("m"), 1, "{}", course.story());
    course.happen(&add_instances("m", ["x"]));
    assert_eq!(course.live("m"), 1);
    course.happen(&resume());
    assert!(course.told("instances.started m 1 to 2 of 4"), "{}", course.story());
    let mut held = begun("count: 2", "");
    held.happen(&pause());
    held.complete(["m[0]", "m[1]"]);
    assert_eq!(held.activations("z"), 1, "what has run goes on as far as no work begins");
}

#[test]
fn what_a_pause_keeps_from_being_counted_counts_where_more_are_added() {
    let text = "
name: x
stages:
  a:
  m: { needs: [a], mi_config: { count: 1, allow_dynamic: true, max_instances: 2 } }
";
    let mut course = Course::begun(&yaml(text), [("n", 0)]);
    course.happen(&pause());
    course.complete(["a"]);
    let full = course.attempt(&add_instances("m", [7, 8])).unwrap_err();
    assert_eq!(full.code(), "MI_FULL");
    course.happen(&add_instances("m", [7]));
    course.happen(&resume());
    assert_eq!(course.open(), ["m#1[0]", "m#1[1]"]);
}

#[test]
fn while_it_is_paused_a_timer_still_ends_instances() {
    let mut course = begun("count: 2, cancel_mi_on: [{ timer: 1h }]", "");
    course.happen(&pause());
    course.happen(&pass("1h"));
    course.happen(&fire(1));
    assert!(course.told("stage.canceled m#1[1] by mi"), "{}", course.story());
}

#[test]
fn each_instance_lets_control_go_on_by_itself() {
    let definition = yaml(
        "
name: x
stages:
  a:
  m:
    needs: [a]
    mi_config: { count: 3, sync_on_complete: false, emit: per_instance }
    outputs: { mine: '${{ index }}' }
  z: { needs: [m], join_type: MULTI_MERGE, outputs: { got: '${{ mine }}' } }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    let lines = course.happen(&complete("a"));
    assert!(lines.contains(&"stage.completed m".to_owned()), "{lines:?}");
    assert_eq!((course.live("m"), course.activations("z")), (3, 0));
    let lines = course.happen(&complete("m[2]"));
    assert!(lines.contains(&r#"stage.completed m#1[2] to z {"mine":2}"#.to_owned()), "{lines:?}");
    course.complete(["m[0]"]);
    let lines = course.happen(&complete("z#2"));
    assert!(lines.contains(&r#"stage.completed z#2 {"got":0}"#.to_owned()), "{lines:?}");
    course.happen(&terminal("m[1]"));
    assert_eq!(course.status(), Status::Running, "a failure of one concerns nobody");
    course.complete(["z#1"]);
    assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 2));
}

#[test]
fn an_or_join_waits_for_instances_that_emit_and_for_no_others() {
    let text = "
name: x
stages:
  a:
  m: { needs: [a], mi_config: { count: 2, sync_on_complete: false, emit: EMIT } }
  b: { needs: [a] }
  z: { needs: [m, b], join_type: OR }
";
    let mut each = Course::begun(&yaml(&text.replace("EMIT", "per_instance")), NOTHING);
    each.complete(["a", "b"]);
    assert_eq!(each.activations("z"), 0);
    each.complete(["m[0]"]);
    assert_eq!(each.activations("z"), 1, "every arc has a token: {}", each.story());
    let mut once = Course::begun(&yaml(&text.replace("EMIT", "once")), NOTHING);
    once.complete(["a", "b"]);
    assert_eq!(once.activations("z"), 1);
}
