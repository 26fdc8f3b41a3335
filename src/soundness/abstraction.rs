//! A definition without data: every stage has one task that somebody ends, and every condition may hold or not.
//!
//! The result is an ordinary definition. Scheduled starts are left out, since time stands still; a start that may
//! expire is a condition; deadlines stay, since any timer may fire.

use crate::definition::{Body, Definition, Durability, GraphStage, Template, Times, Trigger};
use crate::expression::Expression;
use crate::value::{Map, Value};

/// The definition without data.
pub(super) fn abstracted(definition: &Definition) -> Definition {
    let mut graph = definition.graph().clone();
    graph.stages.iter_mut().for_each(abstract_stage);
    graph.outputs.clear();
    definition.with_graph(graph)
}

fn abstract_stage(stage: &mut GraphStage) {
    match &mut stage.body {
        Body::Tasks => abstract_task(stage),
        // How often it may turn depends on data, too.
        Body::Loop(turns) => turns.max_iterations = None,
    }
    stage.context.clear();
    stage.outputs.clear();
    // What another workflow does is one task here.
    stage.sub_workflow = None;
    if stage.times.start_time_expiry.is_some() && stage.condition.is_none() {
        stage.condition = Some(Expression::parse("in_time").expect("a name is an expression"));
    }
    stage.times = Times { deadline: stage.times.deadline, ..Times::NONE };
    if let Some(Trigger::Signal(trigger)) = stage.trigger.as_deref_mut() {
        // Any signal may come, when the stage waits for it: one that was kept could come then just as well.
        trigger.correlate = None;
        trigger.durability = Durability::Transient;
        trigger.max_buffered = None;
    }
}

fn abstract_task(stage: &mut GraphStage) {
    let mut task = stage.tasks.swap_remove(0);
    task.uses = "manual".to_owned();
    task.condition = None;
    task.shell_text = None;
    task.with = Template::Constant(Value::Map(Map::new()));
    task.env.clear();
    task.cwd = None;
    task.shell = None;
    task.on_failure = stage.on_failure;
    stage.tasks = vec![task];
}
