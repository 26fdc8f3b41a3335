//! A definition without data: every stage has one task that somebody ends, and every condition may hold or not.
//!
//! The result is an ordinary definition. Scheduled starts are left out, since time stands still; a start that may
//! expire is a condition; deadlines stay, since any timer may fire.

use crate::definition::{
    Body, CancelMode, Completion, Definition, Durability, Emission, GraphStage, Instances, Source, Template, Times,
    Trigger,
};
use crate::expression::Expression;
use crate::limits::INSTANCES_MAX;
use crate::value::{Map, Value};

/// The definition without data.
pub(super) fn abstracted(definition: &Definition) -> Definition {
    // What may be from anywhere to anywhere nobody can foresee: the verdict says so.
    let mut graph = definition.graph().clone().without_jumps_to_anywhere();
    graph.stages.iter_mut().for_each(abstract_stage);
    graph.outputs.clear();
    // How often it jumps depends on data.
    graph.max_jumps = u32::MAX;
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
    if let Some(instances) = &mut stage.instances {
        abstract_instances(instances);
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
    // Between its cancellation and its end lies what other work may do, if a worker may be at it.
    let is_worked_on = stage.sub_workflow.is_none() && stage.tasks.iter().any(|task| task.by_hand().is_none());
    let stops_first = is_worked_on && stage.cancellation.mode.waits();
    // That nobody waits any longer is as if it had stopped.
    stage.cancellation.mode = if stops_first { CancelMode::Wait { timeout: None } } else { CancelMode::Try };
    let mut task = stage.tasks.swap_remove(0);
    task.uses = if stops_first { "noop" } else { "manual" }.to_owned();
    task.condition = None;
    task.shell_text = None;
    task.with = Template::Constant(Value::Map(Map::new()));
    task.env.clear();
    task.cwd = None;
    task.shell = None;
    task.on_failure = stage.on_failure;
    stage.tasks = vec![task];
}

/// As few instances as show the same: none, one, two, as many as have to be done, and one more.
fn abstract_instances(instances: &mut Instances) {
    let wanted = match &mut instances.completion {
        Completion::Threshold(threshold) => {
            let written = *threshold;
            *threshold = written.min(2);
            Some((written, *threshold))
        }
        Completion::All | Completion::Condition(_) | Completion::Started => None,
    };
    // Where each of them lets control go on, another number would be another number of tokens.
    if let Source::Fixed(count) = &mut instances.source
        && instances.emission == Emission::Once
    {
        *count = match wanted {
            Some((written, few)) => few + u32::from(*count > written),
            None => (*count).min(2),
        };
    }
    // Nobody adds any, and those that wait for more would wait for ever.
    instances.growth = None;
    (instances.min, instances.max) = (0, INSTANCES_MAX);
}
