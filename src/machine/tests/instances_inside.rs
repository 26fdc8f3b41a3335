//! What lies inside instances, and instances inside of what is done again and again: loops, and other workflows.

use crate::definition::Definition;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::happening::{add_instances, cancel, complete, complete_instances, terminal};
use crate::testing::world::World;
use crate::value::Map;

const NOTHING: [(&str, i32); 0] = [];

/// Two instances, each of them a loop of two turns over `b` and `c`.
fn loops() -> Definition {
    yaml(
        "
name: x
stages:
  m:
    for_each: [x, y]
    loop:
      while: loop.index < 2 and item != 'z'
      stages:
        b: { outputs: { mine: '${{ item }}${{ loop.index }}' } }
        c: { needs: [b], if: \"mine == 'x0' or index == 1\" }
    outputs: { given: '${{ mine }} of ${{ item }}' }
  z: { needs: [m], if: \"given == ['x1 of x', 'y1 of y']\" }
",
    )
}

#[test]
fn an_instance_may_be_a_loop_and_what_is_inside_sees_what_it_is_given() {
    let mut course = Course::begun(&loops(), NOTHING);
    assert_eq!(course.open(), ["b", "b#2"]);
    course.complete(["b#1"]);
    assert_eq!(course.open(), ["b#2", "c"]);
    course.complete(["c", "b#3", "b#2", "c#3"]);
    // Only the second instance is at work, which enters c in each turn.
    assert_eq!((course.open(), course.activations("z")), (vec!["b#4".to_owned()], 0), "{}", course.story());
    course.complete(["b#4", "c#4"]);
    assert_eq!(course.open(), ["z"], "{}", course.story());
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn what_fails_inside_an_instance_fails_it_and_ends_the_others() {
    let mut course = Course::begun(&loops(), NOTHING);
    let lines = course.happen(&terminal("b#1"));
    for line in ["instances.withdrawn m TERMINAL", "stage.canceled m#1[1] by mi", "stage.canceled b#2 by mi"] {
        assert!(lines.iter().any(|told| told.starts_with(line)), "{line}: {lines:?}");
    }
    assert_eq!((course.status(), course.open().len()), (Status::Terminal, 0));
}

#[test]
fn a_cancel_ends_what_is_inside_instances_first() {
    let mut course = Course::begun(&loops(), NOTHING);
    let lines = course.happen(&cancel());
    let place =
        |line: &str| lines.iter().position(|told| told.starts_with(line)).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(place("stage.canceled b#2") < place("stage.canceled m"));
    assert_eq!(course.status(), Status::Canceled);
    let mut completed = Course::begun(&loops(), NOTHING);
    completed.happen(&complete_instances("m"));
    assert_eq!((completed.live("b"), completed.status()), (0, Status::Succeeded), "{}", completed.story());
}

#[test]
fn every_turn_of_a_loop_has_instances_of_its_own() {
    let definition = yaml(
        "
name: x
stages:
  l:
    loop:
      while: loop.index < 2
      stages:
        a:
        m:
          needs: [a]
          mi_config: { count_from_context: n, allow_dynamic: true }
          outputs: { at: '${{ loop.index }}' }
        y: { needs: [m] }
  z: { needs: [l], if: 'at == [1, 1, 1] and n == 2' }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.happen(&complete("a").output("n", 1));
    course.complete(["m#1[0]", "y"]);
    course.happen(&complete("a#2").output("n", 2));
    assert_eq!(course.open(), ["m#2[0]", "m#2[1]"]);
    course.happen(&add_instances("m", ["x"]));
    course.complete(["m#2[2]", "m#2[0]"]);
    assert_eq!(course.activations("y"), 1);
    course.complete(["m#2[1]", "y#2"]);
    assert_eq!(course.open(), ["z"], "{}", course.story());
}

#[test]
fn instances_that_nobody_waits_for_keep_their_turn_open() {
    let definition = yaml(
        "
name: x
stages:
  l:
    loop:
      while: loop.index < 2
      stages:
        m: { mi_config: { count: 2, join_threshold: 1 } }
        y: { needs: [m] }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["m#1[0]", "y"]);
    assert_eq!(course.activations("m"), 1);
    course.complete(["m#1[1]"]);
    assert_eq!(course.activations("m"), 2);
    course.complete(["m#2[1]", "m#2[0]", "y"]);
    assert_eq!(course.status(), Status::Succeeded);
}

/// Each instance calls another workflow.
fn callers() -> Definition {
    yaml(
        "
name: x
definitions:
  other:
    name: other
    inputs: { n: { type: any } }
    stages: { a: { uses: manual, outputs: { k: '${{ inputs.n }}' } } }
stages:
  m:
    for_each: [x, y, z]
    sub_workflow: { definition: other, input: { n: '${{ item }} ${{ index }}' } }
outputs: { all: '${{ stages.m.outputs.k }}' }
",
    )
}

#[test]
fn each_instance_calls_a_workflow_of_its_own() {
    let mut world = World::begun(&callers(), &Map::new());
    let root = world.root();
    let called: Vec<_> = world.workflows().into_iter().filter(|workflow| *workflow != root).collect();
    assert_eq!(called.len(), 3);
    let mut told: Vec<String> = Vec::new();
    for workflow in called {
        world.crash();
        let inputs = world.state(workflow).creation().unwrap().inputs.to_map().unwrap();
        told.push(inputs["n"].to_json());
        world.happen(workflow, &complete("a")).unwrap();
    }
    told.sort_unstable();
    assert_eq!(told, ["\"x 0\"", "\"y 1\"", "\"z 2\""]);
    assert_eq!(world.status(root), Status::Succeeded);
    assert_eq!(world.outputs(root).text(), r#"{"all":["x 0","y 1","z 2"]}"#);
}

#[test]
fn the_ids_of_called_workflows_follow_from_caller_and_instance() {
    let (one, other) = (World::begun(&callers(), &Map::new()), World::begun(&callers(), &Map::new()));
    assert_eq!(one.workflows(), other.workflows());
    for batches in 1..=one.batches() {
        assert_eq!(one.after_crash_at(batches).workflows(), one.workflows(), "after {batches} batches");
    }
}

#[test]
fn what_instances_called_ends_with_them() {
    let mut world = World::begun(&callers(), &Map::new());
    let root = world.root();
    world.happen(root, &complete_instances("m")).unwrap();
    let statuses: Vec<Status> = world.workflows().into_iter().map(|workflow| world.status(workflow)).collect();
    assert_eq!(statuses.iter().filter(|status| **status == Status::Canceled).count(), 3, "{statuses:?}");
    assert_eq!(world.status(root), Status::Succeeded);
}
