//! Writes the normal form.

use super::{PHASES, cancellation, exclusion, generations, milestone};
use crate::definition::body::Loop;
use crate::definition::cancellation::Termination;
use crate::definition::check::END;
use crate::definition::decision_limits::DecisionLimits;
use crate::definition::family::Family;
use crate::definition::graph::{
    Graph, GraphArc, GraphStage, GraphTask, LeftoverTokens, Reentry, RetryPolicy, Split, Target,
};
use crate::definition::header::{Header, Soundness};
use crate::definition::input::{Input, Shape};
use crate::definition::phase::{BlockId, StagePhase};
use crate::definition::reading::jumps::ANY;
use crate::definition::shell_text::ShellText;
use crate::definition::sub_workflow::{Called, OWN, SubWorkflow};
use crate::definition::template::Template;
use crate::definition::times::Times;
use crate::definition::trigger::{SignalTrigger, Trigger, TriggerRole};
use crate::definition::verification::Verification;
use crate::expression::Expression;
use crate::ids::StageIndex;
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

use super::instances;

/// The normal form of a definition, as canonical JSON.
pub(in crate::definition) fn write(header: &Header, graph: &Graph, limits: &DecisionLimits, family: &Family) -> String {
    let mut map = body(header, graph);
    put(&mut map, "normal", 1);
    put(&mut map, "limits", Value::map(limits.named().into_iter().chain(limits.signals.changed())));
    if !family.is_empty() {
        let members =
            family.iter().map(|(name, member)| (name.clone(), Value::Map(body(&member.header, &member.graph))));
        put(&mut map, "definitions", members.collect::<Map>());
    }
    Value::Map(map).to_json()
}

/// What a definition says, without the limits that it is decided by.
fn body(header: &Header, graph: &Graph) -> Map {
    let mut map = Map::new();
    put(&mut map, "name", header.name.written());
    put(&mut map, "application", header.application.as_str());
    put(&mut map, "type", header.workflow_type.name());
    put_some(&mut map, "version", header.version.as_deref());
    put_some(&mut map, "description", header.description.as_deref());
    put(
        &mut map,
        "inputs",
        header.inputs.iter().map(|(name, input)| (name.clone(), write_input(input))).collect::<Map>(),
    );
    put(&mut map, "context", templates(&header.context));
    write_times(&header.times, &mut map);
    put(&mut map, "priority", header.priority);
    if header.leftover_tokens != LeftoverTokens::Fail {
        put(&mut map, "leftover_tokens", header.leftover_tokens.name());
    }
    if graph.has_jumps() {
        put(&mut map, "max_jumps", graph.max_jumps);
    }
    if header.soundness != Soundness::default() {
        put(&mut map, "soundness", header.soundness.name());
    }
    put(&mut map, "stages", write_block(graph, BlockId::ROOT));
    put_some(&mut map, "finally", graph.has_finally().then(|| write_block(graph, BlockId::FINALLY)));
    put(&mut map, "outputs", templates(&graph.outputs));
    cancellation::write_regions(&graph.regions, &mut map);
    exclusion::write_sections(graph, &mut map);
    if graph.termination != Termination::Implicit {
        put(&mut map, "termination", graph.termination.name());
    }
    map
}

pub(super) fn put(map: &mut Map, key: &str, value: impl Into<Value>) {
    map.insert(key.to_owned(), value.into());
}

/// What is not there is left out, so that what later versions add changes no older definition.
pub(super) fn put_some(map: &mut Map, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(map, key, value);
    }
}

pub(super) fn templates(entries: &[(String, Template)]) -> Value {
    Value::Map(entries.iter().map(|(name, template)| (name.clone(), template.written())).collect())
}

fn expression(expression: Option<&Expression>) -> Option<&str> {
    expression.map(Expression::text)
}

fn write_input(input: &Input) -> Value {
    let mut map = write_shape(&input.shape);
    put_some(&mut map, "default", input.default.as_ref());
    put_some(&mut map, "secret", input.secret.then_some(true));
    put_some(&mut map, "description", input.description.as_deref());
    Value::Map(map)
}

fn write_shape(shape: &Shape) -> Map {
    let mut map = Map::new();
    put(&mut map, "type", shape.input_type.name());
    put_some(&mut map, "enum", shape.choices.as_ref().map(Value::list));
    put_some(&mut map, "min", shape.min.as_ref());
    put_some(&mut map, "max", shape.max.as_ref());
    put_some(&mut map, "pattern", shape.pattern.as_ref().map(|pattern| pattern.text()));
    put_some(&mut map, "items", shape.items.as_ref().map(|items| write_shape(items)));
    map
}

/// The stages of a block, in definition order.
fn write_block(graph: &Graph, block: BlockId) -> Value {
    Value::list(graph.block(block).stages.iter().map(|stage| write_stage(graph, *stage)))
}

fn write_stage(graph: &Graph, index: StageIndex) -> Value {
    let stage = graph.stage(index);
    let mut map = Map::new();
    put(&mut map, "ref_id", stage.ref_id.as_str());
    put(&mut map, "name", stage.name.as_str());
    put(&mut map, "type", stage.stage_type.as_str());
    let index = graph.stage_index(&stage.ref_id).expect("every stage of a graph has its name there");
    let needs = graph.needs(index);
    put(&mut map, "needs", Value::list(needs.map(|from| graph.stage(from).ref_id.as_str())));
    put(&mut map, "join_type", stage.join.name());
    let back: Vec<Value> = graph.back_from(index).filter_map(|arc| Some(write_way(graph, arc.from?, arc))).collect();
    put_some(&mut map, "back_from", (!back.is_empty()).then_some(Value::List(back)));
    generations::write(graph, stage, &mut map);
    write_jumps(graph, stage, &mut map);
    write_split(graph, &stage.split, &mut map);
    put_some(&mut map, "split_correlation", stage.split_correlation.clone());
    if stage.reentry != Reentry::Parallel {
        put(&mut map, "reentry", stage.reentry.name());
    }
    put_some(&mut map, "instances", stage.instances.as_deref().map(|several| instances::write(graph, several)));
    put_some(&mut map, "if", expression(stage.condition.as_ref()));
    put(&mut map, "on_condition_error", stage.on_condition_error.name());
    put(&mut map, "tasks", Value::list(stage.tasks.iter().map(write_task)));
    put_some(
        &mut map,
        "loop",
        stage.body.as_loop().map(|turns| write_loop(turns, write_block(graph, BlockId::of(index, StagePhase::Body)))),
    );
    for (key, phase) in PHASES {
        let block = graph.has_phase(index, phase).then(|| write_block(graph, BlockId::of(index, phase)));
        put_some(&mut map, key, block);
    }
    put(&mut map, "context", templates(&stage.context));
    put(&mut map, "outputs", templates(&stage.outputs));
    put(&mut map, "on_failure", stage.on_failure.name());
    write_times(&stage.times, &mut map);
    put_some(&mut map, "trigger", stage.trigger.as_deref().map(write_trigger));
    exclusion::write(stage, &mut map);
    put_some(&mut map, "deferred_choice_group", stage.choice_group.as_deref());
    milestone::write(graph, stage, &mut map);
    put(&mut map, "priority", stage.priority);
    cancellation::write(graph, stage, &mut map);
    put_some(&mut map, "sub_workflow", stage.sub_workflow.as_deref().map(write_sub_workflow));
    Value::Map(map)
}

fn write_sub_workflow(sub_workflow: &SubWorkflow) -> Value {
    let mut map = Map::new();
    match &sub_workflow.definition {
        Called::Own => put(&mut map, "definition", OWN),
        Called::Member(name) => put(&mut map, "definition", name.as_str()),
        Called::Embedded(definition) => {
            let embedded = Value::from_json(&definition.to_json()).expect("a normal form is JSON");
            put(&mut map, "embedded", embedded);
        }
    }
    put(&mut map, "input", templates(&sub_workflow.input));
    put_some(&mut map, "output", sub_workflow.output.as_deref().map(templates));
    put(&mut map, "max_depth", sub_workflow.max_depth);
    put(&mut map, "on_parent_cancel", sub_workflow.on_parent_cancel.name());
    Value::Map(map)
}

/// The arc with the stage at its other end.
fn write_way(graph: &Graph, other: StageIndex, arc: GraphArc) -> Value {
    let mut map = Map::new();
    put(&mut map, "stage", graph.stage(other).ref_id.as_str());
    put_some(&mut map, "max_iterations", arc.max_iterations);
    Value::Map(map)
}

fn write_jumps(graph: &Graph, stage: &GraphStage, map: &mut Map) {
    if stage.jumps_anywhere {
        put(map, "jump_targets", ANY);
    } else if stage.jumps.is_empty() {
        return;
    } else {
        let arcs = stage.jumps.iter().map(|arc| graph.arc(*arc));
        put(map, "jump_targets", Value::list(arcs.map(|arc| write_way(graph, arc.to, arc))));
    }
    put(map, "jump_mode", stage.jump_mode.name());
}

fn write_trigger(trigger: &Trigger) -> Value {
    let mut map = Map::new();
    match trigger {
        Trigger::Timer(length) => put(&mut map, "timer", length.microseconds()),
        Trigger::Signal(SignalTrigger { signal, durability, correlate, role, max_buffered }) => {
            put(&mut map, "signal", signal.as_str());
            put(&mut map, "durability", durability.name());
            put_some(&mut map, "correlate", expression(correlate.as_ref()));
            put(&mut map, "start", *role != TriggerRole::Gate);
            if let TriggerRole::Start { required } = role {
                put(&mut map, "required", *required);
            }
            put_some(&mut map, "max_buffered", *max_buffered);
        }
    }
    Value::Map(map)
}

fn write_loop(turns: &Loop, stages: Value) -> Value {
    let mut map = Map::new();
    put(&mut map, "test", turns.test.name());
    put(&mut map, turns.condition.key(), turns.condition.expression().text());
    put_some(&mut map, "max_iterations", turns.max_iterations);
    put(&mut map, "stages", stages);
    Value::Map(map)
}

fn write_times(times: &Times, map: &mut Map) {
    put_some(map, "scheduled_time", times.scheduled_time.map(Timestamp::microseconds));
    put_some(map, "start_time_expiry", times.start_time_expiry.map(Timestamp::microseconds));
    put_some(map, "deadline", times.deadline.map(Duration::microseconds));
}

fn write_split(graph: &Graph, split: &Split, map: &mut Map) {
    if let Split::Thread { count } = split {
        put(map, "thread_count", *count);
    }
    put(map, "split_type", split.name());
    let (Split::Xor { branches, default } | Split::Or { branches, default, .. }) = split else { return };
    let target = |target: &Target| match target {
        Target::Arc(arc) => graph.stage(graph.arc(*arc).to).ref_id.as_str(),
        Target::End => END,
    };
    let branches =
        branches.iter().map(|branch| Value::map([("to", target(&branch.target)), ("if", branch.condition.text())]));
    put(map, "split_conditions", Value::list(branches));
    put_some(map, "split_default", default.as_ref().map(target));
}

fn write_task(task: &GraphTask) -> Value {
    let mut map = Map::new();
    put(&mut map, "name", task.name.as_str());
    put(&mut map, "uses", task.uses.as_str());
    put_some(&mut map, "if", expression(task.condition.as_ref()));
    put(&mut map, "with", task.with.written());
    put_some(&mut map, "shell_text", task.shell_text.as_ref().map(write_shell_text));
    let env = task.env.iter().map(|(name, value)| (name.as_str(), value.as_ref().map(Template::written)));
    put(&mut map, "env", Value::map(env));
    put_some(&mut map, "cwd", task.cwd.as_ref().map(Template::written));
    put_some(&mut map, "shell", task.shell.as_deref());
    put(&mut map, "retry", write_retry(&task.retry));
    put(&mut map, "timeout", task.timeout.microseconds());
    put(&mut map, "on_failure", task.on_failure.name());
    for (key, said) in [("loop_start", task.loop_start), ("loop_end", task.loop_end)] {
        put_some(&mut map, key, said.then_some(true));
    }
    put_some(&mut map, "verification", task.verification.as_deref().map(write_verification));
    Value::Map(map)
}

fn write_verification(verification: &Verification) -> Value {
    let mut map = Map::new();
    put(&mut map, "required_keys", Value::list(verification.required_keys.iter().map(String::as_str)));
    put(&mut map, "types", Value::map(verification.types.iter().map(|(name, of)| (name.as_str(), of.name()))));
    put_some(&mut map, "verifier", verification.verifier.as_deref());
    put_some(&mut map, "retry", verification.retry.as_ref().map(write_retry));
    Value::Map(map)
}

/// As it was made of what was written, so that a later scanner changes no workflow that runs.
fn write_shell_text(shell_text: &ShellText) -> Value {
    let values = shell_text.values.iter().map(|(name, expression)| Value::list([name.as_str(), expression.text()]));
    Value::map([("text", Value::from(shell_text.text.as_str())), ("values", Value::list(values))])
}

fn write_retry(retry: &RetryPolicy) -> Value {
    let classes = [("transient", retry.on.transient), ("timeout", retry.on.timeout), ("exit", retry.on.exit)];
    let on = classes.into_iter().filter(|(_, retried)| *retried).map(|(class, _)| Value::from(class));
    let codes = retry.on.codes.iter().map(|code| Value::from(code.as_str()));
    let exit_codes = retry.on.exit_codes.iter().map(|code| Value::from(u32::from(*code)));
    let on = on.chain(codes).chain(exit_codes);
    Value::map([
        ("max_attempts", Value::from(retry.max_attempts)),
        ("initial", Value::from(retry.initial.microseconds())),
        ("factor_thousandths", Value::from(retry.factor_thousandths)),
        ("max", Value::from(retry.max.microseconds())),
        ("jitter_thousandths", Value::from(retry.jitter_thousandths)),
        ("on", Value::list(on)),
    ])
}
