//! Workflows as the work of a stage: recursion, failure, cancel, crashes between any two batches (WCP-22, R9, R10).

use crate::definition::Definition;
use crate::event::Event;
use crate::ids::WorkflowId;
use crate::machine::waits;
use crate::status::Status;
use crate::testing::definitions::yaml;
use crate::testing::happening::{cancel, complete, pause, resume, terminal};
use crate::testing::world::World;
use crate::value::{Map, Value};

/// Calls itself until n is 0 and gives the sum of all n.
fn recursive() -> Definition {
    yaml(
        "
name: sum
inputs: { n: { type: integer } }
stages:
  a: { uses: manual, split_type: XOR, split_conditions: { e: inputs.n == 0 }, split_default: r }
  r:
    needs: [a]
    sub_workflow: { definition: $self, input: { n: '${{ less }}' }, output: { below: '${{ child.outputs.sum }}' } }
  e: { needs: [a, r], join_type: XOR, uses: manual }
",
    )
}

fn numbers(n: i64) -> Map {
    Map::from([("n".to_owned(), Value::from(n))])
}

fn statuses(world: &World) -> Vec<Status> {
    world.workflows().into_iter().map(|workflow| world.status(workflow)).collect()
}

/// `a` ends and says one less than what it was given.
fn count_down(world: &mut World, workflow: WorkflowId) {
    let n = given(world, workflow);
    world.happen(workflow, &complete("a").output("less", n - 1)).unwrap();
}

fn given(world: &World, workflow: WorkflowId) -> i64 {
    let inputs = world.state(workflow).creation().unwrap().inputs.to_map().unwrap();
    i64::try_from(inputs["n"].as_integer().unwrap()).unwrap()
}

fn newest(world: &World) -> WorkflowId {
    *world.workflows().last().unwrap()
}

/// The depth-first course: every `a` on the way down, every `e` on the way up.
fn run(world: &mut World, mut between: impl FnMut(&mut World)) {
    loop {
        let workflow = newest(world);
        count_down(world, workflow);
        between(world);
        if newest(world) == workflow {
            break;
        }
    }
    let mut sum = 0;
    for workflow in world.workflows().into_iter().rev() {
        sum += given(world, workflow);
        world.happen(workflow, &complete("e").output("sum", sum)).unwrap();
        between(world);
    }
}

#[test]
fn a_definition_that_calls_itself_ends_from_the_inside_out_and_outputs_come_back() {
    let mut world = World::begun(&recursive(), &numbers(3));
    run(&mut world, |_| ());
    assert_eq!(statuses(&world), [Status::Succeeded; 4]);
    let depths: Vec<u32> = world.workflows().iter().map(|workflow| world.state(*workflow).depth()).collect();
    assert_eq!(depths, [0, 1, 2, 3]);
    assert_eq!(world.outputs(world.root()).to_map().unwrap().get("sum"), Some(&Value::from(6)));
}

#[test]
fn crashes_between_any_two_commands_change_nothing() {
    let mut smooth = World::begun(&recursive(), &numbers(2));
    run(&mut smooth, |_| ());
    let mut rough = World::begun(&recursive(), &numbers(2));
    run(&mut rough, World::crash);
    for (one, other) in smooth.workflows().into_iter().zip(rough.workflows()) {
        assert_eq!(smooth.events(one), rough.events(other));
    }
}

#[test]
fn wherever_the_log_is_cut_the_rest_ends_alike() {
    let mut whole = World::begun(&recursive(), &numbers(2));
    run(&mut whole, |_| ());
    for batches in 1..=whole.batches() {
        let mut world = whole.after_crash_at(batches);
        // Whatever is open goes on: the way down, then the way up.
        let mut sum = 0;
        while world.status(world.root()) == Status::Running {
            let open: Vec<WorkflowId> =
                world.workflows().into_iter().filter(|workflow| !world.state(*workflow).is_closed()).collect();
            let workflow = *open.last().unwrap();
            let n = given(&world, workflow);
            if world.happen(workflow, &complete("a").output("less", n - 1)).is_err() {
                sum = (0..=n).sum();
                world.happen(workflow, &complete("e").output("sum", sum)).unwrap();
            }
        }
        assert_eq!(statuses(&world), [Status::Succeeded; 3], "after {batches} batches");
        assert!(sum == 0 || sum == 3);
        assert_eq!(world.outputs(world.root()).to_map().unwrap().get("sum"), Some(&Value::from(3)));
    }
}

#[test]
fn a_failure_at_the_bottom_fails_every_caller() {
    let mut world = World::begun(&recursive(), &numbers(3));
    for _ in 0..3 {
        let workflow = newest(&world);
        count_down(&mut world, workflow);
    }
    let bottom = newest(&world);
    world.happen(bottom, &terminal("a")).unwrap();
    assert_eq!(statuses(&world), [Status::Terminal; 4]);
}

#[test]
fn canceling_the_outermost_cancels_all_and_it_closes_last() {
    let mut world = World::begun(&recursive(), &numbers(3));
    for _ in 0..3 {
        let workflow = newest(&world);
        count_down(&mut world, workflow);
    }
    let root = world.root();
    world.happen(root, &cancel()).unwrap();
    assert_eq!(statuses(&world), [Status::Canceled; 4]);
    assert!(world.workflows().into_iter().all(|workflow| world.state(workflow).is_closed()));
    let names: Vec<&str> = world.events(root).iter().map(Event::name).collect();
    assert_eq!(names[names.len() - 4..], ["workflow.canceled", "workflow.closing", "child.ended", "workflow.closed"]);
    assert!(waits(world.state(root)).is_empty());
}

#[test]
fn a_workflow_that_is_abandoned_goes_on() {
    let definition = yaml(
        "
name: x
definitions: { other: { name: other, stages: { b: { uses: manual } } } }
stages: { a: { sub_workflow: { definition: other, on_parent_cancel: abandon } } }
",
    );
    let mut world = World::begun(&definition, &Map::new());
    let (root, child) = (world.root(), newest(&world));
    world.happen(root, &cancel()).unwrap();
    assert_eq!((world.status(root), world.state(root).is_closed()), (Status::Canceled, true));
    world.happen(child, &complete("b")).unwrap();
    assert_eq!(world.status(child), Status::Succeeded);
}

#[test]
fn calls_have_a_limit() {
    let mut world = World::begun(&recursive(), &numbers(-1));
    while world.status(world.root()) == Status::Running {
        let workflow = newest(&world);
        count_down(&mut world, workflow);
    }
    assert_eq!(world.workflows().len(), 101);
    let bottom = world.state(newest(&world)).end_reason().unwrap().clone();
    assert!(format!("{bottom:?}").contains("RECURSION_LIMIT"), "{bottom:?}");
}

#[test]
fn definitions_of_a_document_call_each_other() {
    let definition = yaml(
        "
name: x
inputs: { n: { type: integer, default: 2 } }
stages: { start: { sub_workflow: { definition: ping, input: { n: '${{ inputs.n }}' } } } }
definitions:
  ping:
    name: ping
    inputs: { n: { type: integer } }
    stages:
      p: { uses: manual, split_type: XOR, split_conditions: { q: inputs.n > 0 }, split_default: $end }
      q: { needs: [p], sub_workflow: { definition: pong, input: { n: '${{ less }}' } } }
  pong:
    name: pong
    inputs: { n: { type: integer } }
    stages:
      p: { uses: manual }
      q: { needs: [p], sub_workflow: { definition: ping, input: { n: '${{ inputs.n }}' } } }
",
    );
    let mut world = World::begun(&definition, &numbers(2));
    while world.status(world.root()) == Status::Running {
        let workflow = newest(&world);
        let less = given(&world, workflow) - 1;
        world.happen(workflow, &complete("p").output("less", less)).unwrap();
    }
    assert!(statuses(&world).iter().all(|status| *status == Status::Succeeded), "{:?}", statuses(&world));
    // ping 2, pong 1, ping 1, pong 0, ping 0, below the outermost.
    assert_eq!(world.workflows().len(), 6);
}

#[test]
fn what_would_be_called_while_the_caller_is_paused_is_called_when_it_goes_on() {
    let mut world = World::begun(&recursive(), &numbers(1));
    let root = world.root();
    world.happen(root, &pause()).unwrap();
    count_down(&mut world, root);
    assert_eq!(world.workflows(), [root]);
    world.happen(root, &resume()).unwrap();
    assert_eq!(world.workflows().len(), 2);
}

#[test]
fn inputs_that_do_not_fit_fail_the_stage_and_create_nothing() {
    let definition = yaml(
        "
name: x
definitions: { other: { name: other, inputs: { n: { type: integer } }, stages: { b: } } }
stages: { a: { sub_workflow: { definition: other, input: { n: text } } } }
",
    );
    let world = World::begun(&definition, &Map::new());
    assert_eq!((world.workflows().len(), world.status(world.root())), (1, Status::Terminal));
    let reason = format!("{:?}", world.state(world.root()).end_reason());
    assert!(reason.contains("CHILD_REFUSED"), "{reason}");
}
