//! Stages and tasks in the schema, and what excludes or needs what in them.

use crate::definition::JumpMode;
use crate::definition::body::LoopTest;
use crate::definition::by_hand::{OnDeadline, OnReject};
use crate::definition::generations::{JoinMode, OnUnreachable, ResetOn};
use crate::definition::http::HTTP;
use crate::definition::reading::jumps::ANY;
use crate::definition::reading::keys::{
    APPROVAL, BACK_ARC, COMPENSATE, JUMP_TARGET, LOOP, MANUAL, ON_FAILURE, STAGE, SUB_WORKFLOW, TASK,
};
use crate::definition::reading::{
    GENERATION_FIELDS, MERGE_FIELDS, OR_FIELDS, PAIR_FIELDS, SHELL, SPLIT_FIELDS, THRESHOLD_FIELDS, UPSTREAM,
    WORK_FIELDS,
};
use crate::definition::sub_workflow::OnParentCancel;
use crate::limits::CALL_DEPTH_MAX;
use crate::limits::TOKENS_MAX;
use crate::value::Value;

use super::data::{
    any_case, anything, choice, expression, flag, instant, integer, list_of, name, named_templates, references,
    some_text, some_time, templates, text, without,
};
use super::instances;
use super::trigger::{trigger_keys, trigger_rules};
use super::{
    Join, OnConditionError, OnFailure, OrScope, Property, Reentry, TASKS_PER_STAGE_MAX, inherited, keyed, not,
    properties, reference, required, stages, when, with, with_more, with_rules,
};

/// A stage.
pub(super) fn stage() -> Value {
    let mut known = work();
    known.extend(inherited());
    known.extend(place());
    known.extend(control());
    known.extend(super::cancellation::stage());
    known.extend(super::exclusion::stage());
    known.extend(super::milestone::stage());
    known.push(super::verification::key());
    known.extend(instances::of_stage());
    let tasks =
        with_more(list_of(reference("task")), [("minItems", 1.into()), ("maxItems", TASKS_PER_STAGE_MAX.into())]);
    known.push(("tasks", "What it does, one task after the other.", tasks));
    known.push(("sub_workflow", "Another workflow that is its work.", reference("sub_workflow")));
    known.push(("loop", "Stages that are done again and again, in the place of tasks.", reference("loop")));
    let mut rules = work_rules();
    rules.push(when(required(["sub_workflow"]), without(["run", "uses", "with", "tasks"])));
    rules.push(when(required(["tasks"]), without(["run", "uses", "with"])));
    rules.push(when(required(["loop"]), without(WORK_FIELDS)));
    rules.push(when(required(["jump_targets"]), without(["loop", "sub_workflow", "mi_config", "for_each", "matrix"])));
    rules.push(when(required(["jump_mode"]), required(["jump_targets"])));
    rules.extend(phase_rules());
    rules.extend(split_rules());
    rules.extend(super::cancellation::rules());
    rules.extend(super::exclusion::rules());
    rules.extend(super::milestone::rules());
    rules.extend(super::verification::rules_of_stage());
    known.extend(trigger_keys());
    rules.extend(trigger_rules());
    rules.extend(join_rules());
    rules.extend(instances::of_stage_rules());
    with_rules(keyed(&STAGE, known), rules)
}

/// A loop.
pub(super) fn turns() -> Value {
    let known = vec![
        (
            "test",
            "When it asks: pre, before every turn (default), or post, after it.",
            choice(&LoopTest::ALL.map(LoopTest::name)),
        ),
        ("while", "There is another turn while this holds.", expression()),
        ("until", "There is another turn until this holds.", expression()),
        (
            "max_iterations",
            "Turns there are at most: rather than begin one more, the stage fails.",
            integer(1, u32::MAX),
        ),
        ("stages", "What is done in each turn, by ref ids that are unique in the whole definition.", stages()),
    ];
    let asks = Value::map([("oneOf", Value::list([required(["while"]), required(["until"])]))]);
    with_rules(keyed(&LOOP, known), [required(["stages"]), asks])
}

/// One of several tasks of a stage.
pub(super) fn task() -> Value {
    let mut known = work();
    known.extend(inherited());
    known.extend([
        ("name", "Its name in the stage.", name()),
        ("if", "Whether it runs; false passes it by.", expression()),
        ("on_failure", "What its failure means.", on_failure()),
        ("loop_start", "Tasks from here on may send the stage back here (outcome redirect).", flag()),
        ("loop_end", "Tasks behind it may not.", flag()),
        super::verification::key(),
    ]);
    let mut rules = work_rules();
    rules.push(Value::map([("anyOf", Value::list([required(["run"]), required(["uses"])]))]));
    rules.extend(super::verification::rules());
    with_rules(keyed(&TASK, known), rules)
}

/// The workflow that a stage calls.
pub(super) fn sub_workflow() -> Value {
    let known = vec![
        ("definition", "A name of `definitions`, $self, or ./FILE.yaml.", some_text()),
        ("input", "Its inputs; may hold ${{ }}.", templates()),
        ("output", "The outputs of the stage, from child.outputs; default: all of its outputs.", named_templates()),
        ("max_depth", "How deep calls may be nested here; default 100.", integer(1, CALL_DEPTH_MAX)),
        (
            "on_parent_cancel",
            "What becomes of it when the stage is canceled; default cancel.",
            choice(&OnParentCancel::ALL.map(OnParentCancel::name)),
        ),
    ];
    with_more(keyed(&SUB_WORKFLOW, known), [("required", Value::list(["definition"]))])
}

/// What is done.
fn work() -> Vec<Property> {
    vec![
        ("run", "Shell text; values come into it with ${{ }}.", text()),
        ("uses", "The type of task that does the work.", some_text()),
        ("with", "What the task is given; may hold ${{ }}.", templates()),
    ]
}

/// What people are told.
fn prompt() -> Property {
    ("prompt", "What people are told who do it; may hold ${{ }}.", text())
}

fn approval() -> Vec<Property> {
    vec![
        prompt(),
        ("roles", "As whom somebody has to speak; a claim, as who they say they are.", list_of(some_text())),
        (
            "on_deadline",
            "What the deadline of the stage makes of it; default fail.",
            choice(&OnDeadline::ALL.map(OnDeadline::name)),
        ),
        ("on_reject", "What a rejection means; default fail.", choice(&OnReject::ALL.map(OnReject::name))),
    ]
}

fn work_rules() -> Vec<Value> {
    let either = Value::map([("anyOf", Value::list([required(["run"]), required(["uses"])]))]);
    let command = with("command", Value::map([("type", Value::list(["string", "array"]))]));
    let is_shell = with_more(with("uses", Value::map([("const", SHELL)])), [("not", required(["run"]))]);
    let people =
        |name: &str, with_of: Value| when(with("uses", Value::map([("const", name)])), properties([("with", with_of)]));
    let http = with_more(properties([("with", reference("http"))]), [("required", Value::list(["with"]))]);
    vec![
        when(with("uses", Value::map([("const", HTTP)])), http),
        people("manual", keyed(&MANUAL, vec![prompt()])),
        people("approval", keyed(&APPROVAL, approval())),
        not(required(["run", "uses"])),
        when(required(["with"]), either),
        when(is_shell, with("with", command)),
        when(required(["run", "with"]), properties([("with", without(["command"]))])),
    ]
}

/// Where a stage stands, what it is called and sees.
fn place() -> Vec<Property> {
    vec![
        ("ref_id", "Its name in the graph; the key says it where stages are a map.", name()),
        ("name", "Its name for people.", some_text()),
        ("type", "Its type for people; default: that of its first task.", some_text()),
        ("needs", "The stages it waits for.", references()),
        ("if", "Whether it runs; false passes it by, and what follows runs.", expression()),
        ("priority", "0 to 9, larger first; default: the workflow's.", integer(0, 9)),
        ("context", "What its tasks see besides what came before; may hold ${{ }}.", templates()),
        ("outputs", "What it gives, computed when its tasks are over.", named_templates()),
        ("deadline", "Limit of all its attempts and waits together, like 2h; pauses excluded.", some_time()),
        ("scheduled_time", "It does not start before this moment (RFC 3339).", instant()),
        ("start_time_expiry", "If it has not started by this moment (RFC 3339) it is passed by.", instant()),
    ]
}

/// Where control goes.
fn control() -> Vec<Property> {
    let joins = Join::ALL.map(Join::name);
    let conditions = Value::map([
        ("type", "object".into()),
        ("additionalProperties", expression()),
        ("minProperties", Value::from(1)),
    ]);
    // YAML reads a bare `false` as a boolean.
    let on_error = choice(&OnConditionError::ALL.map(OnConditionError::name));
    let on_error = Value::map([("anyOf", Value::list([on_error, Value::map([("const", false)])]))]);
    let mut known = vec![
        ("on_failure", "What its failure means, and what is done before that.", stage_on_failure()),
        ("before", "Stages that are done before its own work.", stages()),
        ("after", "Stages that are done when its own work has succeeded.", stages()),
        (
            "compensate",
            "What undoes its work, where its workflow does not succeed: one stage, or stages.",
            compensate(),
        ),
        (
            "join_type",
            "AND and GENERALIZED_AND wait for all it needs; XOR and MULTI_MERGE start with each, OR when \
             no more can come; DISCRIMINATOR and N_OF_M \
             with some; THREAD_MERGE with threads.",
            choice(&joins),
        ),
        ("join_threshold", "Of N_OF_M: arrivals on so many arcs start it.", integer(1, u32::MAX)),
        (
            "join_mode",
            "What a DISCRIMINATOR or N_OF_M does with arrivals that come late or twice.",
            choice(&JoinMode::ALL.map(JoinMode::name)),
        ),
        ("join_pair", "The split to which such a join or an OR-join belongs; found by itself unless written.", text()),
        ("or_scope", "What is known of the branches before an OR-join.", choice(&OrScope::ALL.map(OrScope::name))),
        ("join_cancel_scope", "What a cancelling join withdraws; default upstream.", cancel_scope()),
        (
            "reset_on",
            "When a blocking join starts over: all arcs seen, or all that can still bring a token.",
            choice(&ResetOn::ALL.map(ResetOn::name)),
        ),
        (
            "on_unreachable",
            "What it means that N_OF_M can never get its arrivals.",
            choice(&OnUnreachable::ALL.map(OnUnreachable::name)),
        ),
        ("merge_count", "Of THREAD_MERGE: so many threads of one split become one.", integer(2, u32::MAX)),
        ("merge_group", "Which threads become one: those of the innermost split.", choice(&["innermost"])),
        (
            "thread_count",
            "Of THREAD: so many tokens on each arc, each a thread of its own.",
            integer(2, u32::try_from(TOKENS_MAX).unwrap_or(u32::MAX)),
        ),
        (
            "split_type",
            "AND goes on everywhere, XOR to the first stage whose condition holds, OR to all whose conditions hold; \
             THREAD makes threads, DEFERRED waits for what comes first.",
            choice(&["AND", "XOR", "OR", "THREAD", "DEFERRED"]),
        ),
        ("deferred_choice_group", "Of the stages of a group the first for which something comes is chosen.", name()),
        ("split_conditions", "By ref id of a stage that needs this one, or $end: when control goes there.", conditions),
        ("split_default", "Where control goes if no condition holds.", text()),
        ("split_order", "The order in which conditions are tried.", references()),
        ("split_correlation", "For `check`: splits that name the same take conditions of the same text alike.", name()),
        ("on_no_match", "Says again whether there is a split_default.", choice(&["fail", "default"])),
        ("on_condition_error", "What an error in a condition means.", on_error),
    ];
    known.extend(ways());
    known
}

/// How control comes back, jumps, and overlaps.
fn ways() -> Vec<Property> {
    vec![
        (
            "back_from",
            "Stages behind it from which control comes back.",
            with_more(list_of(back_arc()), [("uniqueItems", true.into())]),
        ),
        (
            "jump_targets",
            "Stages to which its tasks may send control; any is every stage of its block.",
            jump_targets(),
        ),
        (
            "jump_mode",
            "What a jump does: rewind (default) undoes what has come from its target, move only leaves for it.",
            choice(&JumpMode::ALL.map(JumpMode::name)),
        ),
        (
            "reentry",
            "Whether it starts again while an activation of it lives.",
            choice(&Reentry::ALL.map(Reentry::name)),
        ),
    ]
}

/// The name of a stage, or more about the way from there.
fn back_arc() -> Value {
    let known = vec![
        ("stage", "The stage it comes from.", text()),
        ("max_iterations", "How many tokens may come this way.", integer(1, u32::MAX)),
    ];
    let written = with_more(keyed(&BACK_ARC, known), [("required", Value::list(["stage"]))]);
    Value::map([("anyOf", Value::list([text(), written]))])
}

/// The stages that are named, or all.
fn jump_targets() -> Value {
    let named = with_more(list_of(jump_target()), [("uniqueItems", true.into())]);
    Value::map([("anyOf", Value::list([any_case(ANY), named]))])
}

/// The name of a stage, or more about jumps there.
fn jump_target() -> Value {
    let known = vec![
        ("stage", "The stage it leads to.", text()),
        ("max_iterations", "How often it may be taken.", integer(1, u32::MAX)),
    ];
    let written = with_more(keyed(&JUMP_TARGET, known), [("required", Value::list(["stage"]))]);
    Value::map([("anyOf", Value::list([text(), written]))])
}

fn on_failure() -> Value {
    choice(&OnFailure::ALL.map(OnFailure::name))
}

fn compensate() -> Value {
    let known = vec![("stages", "Stages that are done.", stages())];
    let several = with_more(keyed(&COMPENSATE, known), [("required", Value::list(["stages"]))]);
    Value::map([("anyOf", Value::list([reference("stage"), several]))])
}

fn stage_on_failure() -> Value {
    let known =
        vec![("stages", "Stages that are done first.", stages()), ("then", "What its failure means.", on_failure())];
    let written = with_more(keyed(&ON_FAILURE, known), [("required", Value::list(["stages"]))]);
    Value::map([("anyOf", Value::list([on_failure(), written]))])
}

/// What a stage has beside its own work it has once, not for each of its instances.
fn phase_rules() -> Vec<Value> {
    let several = ["mi_config", "for_each", "matrix"];
    let stages = with("on_failure", with_more(required(["stages"]), [("type", "object".into())]));
    vec![
        when(required(["before"]), without(several)),
        when(required(["after"]), without(several)),
        when(stages, without(several)),
    ]
}

fn cancel_scope() -> Value {
    let only = |key, value| with_more(with(key, value), [("type", "object".into()), ("maxProperties", 1.into())]);
    Value::map([("anyOf", Value::list([any_case(UPSTREAM), only("stages", references()), only("region", text())]))])
}

/// One of these kinds of join.
fn is_join<const N: usize>(kinds: [Join; N]) -> Value {
    Value::map([("anyOf", Value::list(kinds.map(|kind| with("join_type", any_case(kind.name())))))])
}

fn join_rules() -> Vec<Value> {
    let mode = |mode: JoinMode| with("join_mode", any_case(mode.name()));
    let counts = is_join([Join::Discriminator, Join::NOfM]);
    let pairs = is_join([Join::Discriminator, Join::NOfM, Join::Or]);
    vec![
        with_more(when(counts, anything()), [("else", without(GENERATION_FIELDS))]),
        with_more(when(is_join([Join::Or]), anything()), [("else", without(OR_FIELDS))]),
        with_more(when(pairs, anything()), [("else", without(PAIR_FIELDS))]),
        with_more(when(is_join([Join::NOfM]), required(["join_threshold"])), [("else", without(THRESHOLD_FIELDS))]),
        with_more(when(is_join([Join::ThreadMerge]), required(["merge_count"])), [("else", without(MERGE_FIELDS))]),
        when(required(["join_cancel_scope"]), mode(JoinMode::Cancelling)),
        when(mode(JoinMode::Cancelling), without(["reset_on"])),
        when(mode(JoinMode::Structured), not(with("reset_on", any_case(ResetOn::Active.name())))),
    ]
}

fn split_rules() -> Vec<Value> {
    let mut rules = condition_rules();
    let thread = with("split_type", any_case("THREAD"));
    rules.push(with_more(when(thread, required(["thread_count"])), [("else", without(["thread_count"]))]));
    rules
}

fn condition_rules() -> Vec<Value> {
    let conditional =
        Value::map([("anyOf", Value::list(["XOR", "OR"].map(|kind| with("split_type", any_case(kind)))))]);
    vec![
        with_more(when(conditional, required(["split_conditions"])), [("else", without(SPLIT_FIELDS))]),
        when(with("split_type", any_case("OR")), without(["split_order"])),
        when(with("on_no_match", any_case("fail")), without(["split_default"])),
        when(with("on_no_match", any_case("default")), required(["split_default"])),
    ]
}
