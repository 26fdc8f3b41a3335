//! Documents of definitions drawn at random: every key the language has, in all its spellings, in workflows of a few
//! stages that do something.
//!
//! A document is drawn in parts that do not know of each other and put together afterwards: where an expression names
//! another stage or task, it holds `@` or `%`, which the names of an ancestor or an earlier task replace.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::several;
use crate::value::{Map, Value};

mod assembly;
mod calls;
mod cancellation;
mod choices;
mod circles;
mod exclusion;
mod milestones;
mod phases;
mod splits;
mod triggers;

use super::joins::{self, JoinDraft};
use assembly::{ancestors, assembled, entry, insert};
use splits::{SplitDraft, splits};

/// The names of stages, by their place.
const STAGES: [&str; 7] = ["a", "b-1", "c_2", "d", "9e", "f", "g"];

/// A document as it is written, with inputs for a workflow of it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What stands in it.
    pub document: Value,
    /// The document as YAML; JSON in one half of the cases, which is YAML too.
    pub text: String,
    /// What is given to a workflow of it.
    pub given: Map,
}

/// Any document without problems.
pub fn documents() -> BoxedStrategy<Drawn> {
    let stages = prop_oneof![1 => vec(stages(), 1), 5 => vec(stages(), 2..7)];
    let last = weighted(0.15, vec(plain_stages(), 1..3)).prop_map(Option::unwrap_or_default);
    (workflow_keys(), (stages, last), any::<bool>(), any::<bool>(), any::<bool>(), given())
        .prop_map(|(keys, stages, as_list, backwards, as_json, given)| {
            let document = assembled(keys, stages, as_list, backwards);
            let text = if as_json { document.to_json() } else { block(&document, 0) };
            Drawn { document, text, given }
        })
        .boxed()
}

type Keys = Vec<(&'static str, Value)>;

fn one(key: &'static str, value: impl Into<Value>) -> Keys {
    vec![(key, value.into())]
}

fn text(text: &str) -> Value {
    Value::from(text)
}

/// Keys of which each is there with a chance of `percent`.
fn some(percent: u32, keys: impl Strategy<Value = Keys> + 'static) -> BoxedStrategy<Keys> {
    weighted(f64::from(percent) / 100.0, keys).prop_map(Option::unwrap_or_default).boxed()
}

fn constant(key: &'static str, values: Vec<Value>) -> BoxedStrategy<Keys> {
    select(values).prop_map(move |value| one(key, value)).boxed()
}

fn texts(key: &'static str, values: &'static [&'static str]) -> BoxedStrategy<Keys> {
    constant(key, values.iter().copied().map(Value::from).collect())
}

/// All these keys, those that are there.
fn all(parts: Vec<BoxedStrategy<Keys>>) -> BoxedStrategy<Keys> {
    parts.prop_map(|parts| parts.into_iter().flatten().collect()).boxed()
}

fn map(key: &'static str, keys: BoxedStrategy<Keys>) -> BoxedStrategy<Keys> {
    keys.prop_map(move |keys| one(key, Value::map(keys))).boxed()
}

fn given() -> impl Strategy<Value = Map> {
    (0..4_i32, select(vec!["main", "dev"]), any::<bool>()).prop_map(|(n, s, b)| {
        let given: [(&str, Value); 3] = [("n", n.into()), ("s", s.into()), ("b", b.into())];
        given.map(|(key, value)| (key.to_owned(), value)).into()
    })
}

// ---- the workflow

fn workflow_keys() -> BoxedStrategy<Keys> {
    let context = templates(&["${{ inputs.n }}", "of ${{ workflow.name }}", "${{ trigger.user }}", "plain"]);
    let outputs = templates(&[
        "${{ stages.@.outputs.k }}",
        "${{ k }}",
        "of ${{ k }}",
        "${{ inputs.s }}",
        "${{ stages.@.status }}",
    ]);
    let defaults = all(vec![
        some(40, retry()),
        some(40, timeout()),
        some(40, env(&["${{ inputs.s }}", "${{ stage.ref_id }}", "x"])),
        some(40, texts("cwd", &["build", "${{ inputs.s }}"])),
        some(40, texts("shell", &["bash", "sh"])),
    ]);
    all(vec![
        texts("name", &["x", "release", "of ${{ inputs.s }}"]),
        some(30, texts("application", &["shop"])),
        some(40, texts("type", &["PIPELINE", "pipeline", "ORCHESTRATION"])),
        some(20, texts("version", &["2"])),
        some(20, texts("description", &["What it does."])),
        map("inputs", inputs()),
        some(50, map("outputs", outputs)),
        some(30, map("context", context)),
        some(20, env(&["${{ inputs.n }}", "${{ k }}", "${{ workflow.id }}"])),
        some(20, map("defaults", defaults)),
        some(15, triggers::start_times()),
        some(10, texts("deadline", &["1s", "2m", "3h"])),
        some(20, constant("priority", vec![0.into(), 9.into()])),
        some(20, texts("leftover_tokens", &["fail", "fail", "ignore"])),
        some(10, texts("or_join_cycle", &["fail"])),
        some(20, constant("max_jumps", vec![0.into(), 2.into(), 20.into()])),
        some(10, texts("soundness", &["strict", "weak", "OFF"])),
        some(25, cancellation::regions()),
        some(20, exclusion::sections()),
        some(20, texts("split_correlation", &["k", "j"])),
        some(15, texts("termination", &["implicit", "explicit", "explicit"])),
        constant("definitions", vec![calls::definitions()]),
        some(10, constant("x-team", vec![Value::map([("any", Value::list(["thing"]))])])),
    ])
}

fn inputs() -> BoxedStrategy<Keys> {
    let ranged = || all(vec![some(30, one_of("min", -5)), some(30, one_of("max", 9)), some(30, described())]);
    let choice = |values: Vec<Value>| constant("enum", vec![Value::List(values)]);
    let items = all(vec![
        texts("type", &["string"]),
        some(30, choice(vec![text("x"), text("y")])),
        some(30, one_of("min", 1)),
        some(30, one_of("max", 5)),
        some(30, texts("pattern", &["^[a-z]+$"])),
        some(30, described()),
    ]);
    let nested = all(vec![texts("type", &["list"]), some(50, map("items", items.clone()))]);
    let default = |value: Value| some(50, constant("default", vec![value]));
    let secret = constant("secret", vec![true.into(), false.into()]);
    all(vec![
        some(20, map("t", all(vec![texts("type", &["string"]), secret, one_default(text("env:TOKEN"))]))),
        map("n", all(vec![texts("type", &["integer"]), ranged(), default(2.into())])),
        map("s", all(vec![texts("type", &["string"]), some(30, texts("pattern", &["^[a-z]"])), default(text("main"))])),
        map("b", all(vec![texts("type", &["boolean"]), default(true.into())])),
        some(20, map("r", all(vec![texts("type", &["number", "NUMBER"]), one_of("default", 3)]))),
        some(
            30,
            map(
                "l",
                all(vec![texts("type", &["list"]), some(50, map("items", items)), one_default(Value::list(["x"]))]),
            ),
        ),
        some(
            20,
            map("ll", all(vec![texts("type", &["list"]), map("items", nested), one_default(Value::list([0; 0]))])),
        ),
        some(20, map("m", all(vec![texts("type", &["map"]), one_default(Value::map([("k", 1)]))]))),
        some(
            20,
            map(
                "y",
                all(vec![
                    texts("type", &["any"]),
                    some(50, choice(vec![Value::Null, 1.into()])),
                    one_default(Value::Null),
                ]),
            ),
        ),
    ])
}

fn one_of(key: &'static str, value: i32) -> BoxedStrategy<Keys> {
    constant(key, vec![value.into()])
}

fn one_default(value: Value) -> BoxedStrategy<Keys> {
    constant("default", vec![value])
}

fn described() -> BoxedStrategy<Keys> {
    texts("description", &["what it is"])
}

// ---- what several levels have

fn retry() -> BoxedStrategy<Keys> {
    let classes = [vec!["transient"], vec!["timeout", "exit"], vec!["transient", "timeout", "exit"], vec![]];
    let mut on: Vec<Vec<Value>> = classes.map(|on| on.into_iter().map(Value::from).collect()).into();
    on.push(vec!["transient".into(), "USER_CODE_ERROR".into(), 7.into()]);
    let on = select(on);
    map(
        "retry",
        all(vec![
            some(80, constant("max_attempts", vec![1.into(), 2.into(), 3.into()])),
            some(40, texts("initial", &["0s", "1s", "300ms"])),
            some(30, constant("factor", vec![1.into(), 2.into(), Value::number(1.5).unwrap_or(Value::Null)])),
            some(30, texts("max", &["60s", "1h30m"])),
            some(50, constant("jitter", vec![0.into(), Value::number(0.25).unwrap_or(Value::Null)])),
            some(30, on.prop_map(|classes| one("on", Value::list(classes)))),
        ]),
    )
}

/// `verification`, and what it asks for.
fn verification() -> BoxedStrategy<Keys> {
    let retry = all(vec![
        some(80, constant("max_attempts", vec![2.into(), 3.into()])),
        some(50, texts("initial", &["0s", "1s"])),
        some(20, constant("factor", vec![1.into()])),
        some(20, texts("max", &["60s"])),
        some(50, constant("jitter", vec![0.into()])),
    ]);
    let types = Value::map([("k", "string"), ("n", "Integer")]);
    map(
        "verification",
        all(vec![
            constant("required_keys", vec![Value::list(["k"]), Value::list(["k", "n"]), Value::List(Vec::new())]),
            some(60, constant("types", vec![types])),
            some(20, texts("verifier", &["looks good"])),
            some(50, map("retry", retry)),
        ]),
    )
}

/// Work of which `asked` is asked, unless people do it.
fn asked((work, asked): (Keys, Keys)) -> Keys {
    let by_people = [Value::from("manual"), Value::from("approval")];
    let is_by_people = work.iter().any(|(key, value)| *key == "uses" && by_people.contains(value));
    if is_by_people { work } else { work.into_iter().chain(asked).collect() }
}

fn timeout() -> BoxedStrategy<Keys> {
    texts("timeout", &["10m", "90s", "2d"])
}

fn env(values: &'static [&'static str]) -> BoxedStrategy<Keys> {
    let value = prop_oneof![
        6 => select(values).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(Value::from(3)),
        1 => Just(Value::from(true)),
    ];
    (select(vec!["A", "B", "PATH"]), value).prop_map(|(name, value)| one("env", Value::map([(name, value)]))).boxed()
}

fn templates(values: &'static [&'static str]) -> BoxedStrategy<Keys> {
    let value = || select(values).prop_map(Value::from);
    let value = prop_oneof![
        6 => value(),
        1 => value().prop_map(|value| Value::list([Value::from(1), value])),
        1 => value().prop_map(|value| Value::map([("in", value)])),
        1 => Just(Value::from("$${{ not computed }}")),
        2 => (0..4_i32).prop_map(Value::from),
        1 => vec(0..4_i32, 0..3).prop_map(Value::list),
    ];
    vec((select(vec!["k", "l", "m"]), value), 1..3).boxed()
}

const CONDITIONS: [&str; 22] = [
    "true",
    "false",
    "inputs.n > 1",
    "${{ inputs.b }}",
    "inputs.s == 'main'",
    "k",
    "k == 2",
    "not l",
    "context['k'] == 1",
    "1 in l",
    "stages.@.outputs.k == 1",
    "stages.@.outputs.k",
    "stages.@.status == 'SUCCEEDED'",
    "stages.@.status != 'SKIPPED'",
    "stages.@.error.code == 'TOLD'",
    "stages.@.activations > 1",
    "trigger.user == 'anonymous'",
    "trigger.payload.n",
    "workflow.name == 'x'",
    "missing.name",
    // These have no value.
    "1 < 'x'",
    "k < l",
];

const TASK_CONDITIONS: [&str; 6] = [
    "signal.name == 'go'",
    "signal.data.k == 1",
    "tasks.%.status == 'SUCCEEDED'",
    "tasks.%.outputs.k",
    "tasks.%.outputs.k == 2",
    "tasks.%.status == 'SKIPPED'",
];

fn conditions() -> BoxedStrategy<Value> {
    prop_oneof![8 => select(&CONDITIONS[..]).prop_map(Value::from), 1 => any::<bool>().prop_map(Value::Bool)].boxed()
}

const ON_FAILURE: [&str; 5] = ["fail", "continue", "stop", "fail_at_end", "STOP"];

// ---- stages

/// A stage and how it stands to others.
#[derive(Clone, Debug)]
struct StageDraft {
    keys: Keys,
    /// Of the stages before it; more than one may be the same.
    needs: Vec<Index>,
    split: Option<SplitDraft>,
    /// Of this stage and those behind it one from which control comes back, and how often at most.
    back_from: Option<(Index, Option<u32>)>,
    /// The stages of its block to which its tasks may jump, and how often at most.
    jumps: Vec<(Index, Option<u32>)>,
    turns: Option<LoopDraft>,
    /// What stands beside its own work.
    phases: Option<Box<phases::PhasesDraft>>,
    join: Option<JoinDraft>,
    /// It splits into threads, if it has no other split.
    is_threads: bool,
    /// The choice among those behind it is left to what comes first.
    choice: Option<choices::ChoiceDraft>,
    /// Which ancestor, which earlier task an expression names.
    named: Index,
    spelling: Spelling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Ours,
    Seed,
}

/// A loop, in the place of tasks.
#[derive(Clone, Debug)]
struct LoopDraft {
    keys: Keys,
    stages: Vec<StageDraft>,
}

fn stages() -> BoxedStrategy<StageDraft> {
    let phases = weighted(0.12, phases::phases(plain_stages()).prop_map(Box::new));
    (plain_stages(), weighted(0.2, turns(plain_stages())), phases)
        .prop_map(|(stage, turns, phases)| StageDraft { turns, phases, ..stage })
        .boxed()
}

fn turns(stages: BoxedStrategy<StageDraft>) -> BoxedStrategy<LoopDraft> {
    let bounded = vec!["loop.index < 2", "loop.index < 1", "${{ loop.index < 3 }}"];
    let of_data = vec!["k", "loop.previous.k == 1", "k == 2", "1 < 'x'", "stages.@.outputs.k == 1"];
    let asked = prop_oneof![6 => select(bounded), 2 => select(of_data.clone())].prop_map(|asked| one("while", asked));
    let until = vec!["loop.index > 1", "loop.index > 0", "loop.previous.k", "loop.index > 2", "k == 2"];
    let asked = prop_oneof![2 => asked, 1 => select(until).prop_map(|asked| one("until", asked))];
    let keys = all(vec![
        asked.boxed(),
        some(40, texts("test", &["pre", "post", "POST"])),
        some(50, constant("max_iterations", vec![1.into(), 1.into(), 2.into()])),
    ]);
    let undone = weighted(0.1, phases::compensation(stages.clone()).prop_map(Box::new));
    let inner = (stages.clone(), weighted(0.1, (keys.clone(), vec(stages, 1..3))), undone)
        .prop_map(|(stage, turns, phases)| {
            let turns = turns.map(|(keys, stages)| LoopDraft { keys, stages });
            StageDraft { turns, phases, ..stage }
        })
        .boxed();
    (keys, vec(inner, 1..4)).prop_map(|(keys, stages)| LoopDraft { keys, stages }).boxed()
}

fn plain_stages() -> BoxedStrategy<StageDraft> {
    let keys = all(vec![
        some(15, texts("name", &["A name"])),
        some(10, texts("type", &["build"])),
        some(30, conditions().prop_map(|condition| one("if", condition))),
        some(15, constant("priority", vec![1.into(), 7.into()])),
        some(25, map("context", templates(&["${{ k }}", "${{ inputs.n }}", "${{ stage.activation }}", "c"]))),
        some(25, map("outputs", templates(&["${{ k }}", "${{ tasks.%.outputs.k }}", "of ${{ stage.name }}", "o"]))),
        some(15, env(&["${{ k }}", "e"])),
        some(10, texts("cwd", &["sub", "${{ inputs.s }}"])),
        some(10, texts("shell", &["bash", "/bin/sh"])),
        some(30, retry()),
        some(15, timeout()),
        some(15, triggers::start_times()),
        some(15, texts("deadline", &["1s", "90s", "2h"])),
        some(40, texts("on_failure", &ON_FAILURE)),
        some(
            60,
            texts(
                "join_type",
                &["AND", "XOR", "XOR", "xor", "MULTI_MERGE", "MULTI_MERGE", "OR", "or", "GENERALIZED_AND"],
            ),
        ),
        some(12, texts("reentry", &["parallel", "serialize"])),
        some(14, several::instances()),
        some(20, constant("on_condition_error", vec![text("fail"), text("false"), Value::Bool(false)])),
        some(30, cancellation::keys()),
        some(15, triggers::keys()),
        some(12, exclusion::keys()),
        some(10, milestones::keys()),
        // Behind the others: what it names in `env` is there.
        body(),
    ]);
    let needs = prop_oneof![2 => vec(any::<Index>(), 1), 2 => vec(any::<Index>(), 2..4), 1 => Just(Vec::new())];
    let spelling = prop_oneof![4 => Just(Spelling::Ours), 1 => Just(Spelling::Seed)];
    let back_from = weighted(0.18, (any::<Index>(), weighted(0.9, 1..4_u32)));
    let jumps = weighted(0.2, vec((any::<Index>(), weighted(0.4, 1..4_u32)), 1..3)).prop_map(Option::unwrap_or_default);
    let splits = (weighted(0.35, splits()), weighted(0.48, joins::joins()), prop::bool::weighted(0.06));
    let choice = weighted(0.4, choices::choice());
    (keys, needs, splits, (back_from, jumps), any::<Index>(), spelling, choice)
        .prop_map(|(keys, needs, (split, join, is_threads), (back_from, jumps), named, spelling, choice)| StageDraft {
            keys,
            needs,
            split,
            // Where control comes back, the join is one that starts with any arc.
            join: join.filter(|_| back_from.is_none()),
            is_threads,
            back_from,
            jumps,
            turns: None,
            phases: None,
            choice,
            named,
            spelling,
        })
        .boxed()
}

/// What a stage does: nothing said, one task, or several.
fn body() -> BoxedStrategy<Keys> {
    // Where a loop of tasks begins and ends; behind the last one it has no end.
    let loops = select(vec![None, None, Some((0, 9)), Some((0, 0)), Some((0, 1)), Some((1, 2))]);
    let tasks = (vec(((work(), some(10, verification())).prop_map(asked), task_keys()), 1..4), loops).prop_map(
        |(tasks, turns)| {
            let turns = turns.filter(|(start, _)| *start < tasks.len());
            let tasks = tasks.into_iter().enumerate().map(|(place, (work, keys))| {
                let named = if place == 1 { one("name", "second") } else { Keys::new() };
                let is_at = |at: fn((usize, usize)) -> usize| turns.map(at) == Some(place);
                let start = if is_at(|(start, _)| start) { one("loop_start", true) } else { Keys::new() };
                let end = if is_at(|(_, end)| end) { one("loop_end", true) } else { Keys::new() };
                Value::map(keys.into_iter().chain(work).chain(named).chain(start).chain(end))
            });
            one("tasks", Value::list(tasks))
        },
    );
    prop_oneof![3 => Just(Keys::new()), 3 => (work(), some(10, verification())).prop_map(asked), 4 => tasks, 1 => map("sub_workflow", calls::sub_workflow())]
        .boxed()
}

fn work() -> BoxedStrategy<Keys> {
    let commands = ["true", "echo ${{ inputs.n }} \"${{ k }}\"", "make S=${{ stage.ref_id }} ${{ task.attempt }}"];
    let script = select(commands.to_vec()).prop_map(|script| one("run", script));
    let program = Just(vec![
        ("uses", text("shell")),
        ("with", Value::map([("command", Value::list(["make", "${{ inputs.s }}"]))])),
    ]);
    let custom = (select(vec!["noop", "wait", "deploy"]), weighted(0.5, templates(&["${{ k }}", "${{ task.name }}"])))
        .prop_map(|(uses, with)| {
            let with = with.map(|with| ("with", Value::map(with)));
            one("uses", uses).into_iter().chain(with).collect()
        });
    let people = prop_oneof![
        Just(one("uses", text("manual"))),
        Just(vec![("uses", text("manual")), ("with", Value::map([("prompt", "look at ${{ inputs.n }}")]))]),
        (select(vec!["fail", "approve", "Reject"]), select(vec!["fail", "continue"])).prop_map(|(deadline, reject)| {
            let with = [("on_deadline", text(deadline)), ("on_reject", text(reject)), ("roles", Value::list(["ops"]))];
            vec![("uses", text("approval")), ("with", Value::map(with))]
        }),
    ];
    let with_env = Just(vec![
        ("uses", text("deploy")),
        ("env", Value::map([("A", "e")])),
        ("with", Value::map([("of_env", "${{ env.A }}")])),
    ]);
    let timed = script.clone().prop_map(|mut keys: Keys| {
        keys.push(("with", Value::map([("max_output_size", 100)])));
        keys
    });
    prop_oneof![3 => script, 1 => timed, 1 => program, 1 => with_env, 3 => custom, 1 => people].boxed()
}

fn task_keys() -> BoxedStrategy<Keys> {
    let condition = prop_oneof![2 => conditions(), 1 => select(&TASK_CONDITIONS[..]).prop_map(Value::from)];
    all(vec![
        some(30, condition.prop_map(|condition| one("if", condition))),
        some(15, env(&["${{ k }}", "${{ task.attempt }}", "t"])),
        some(10, texts("cwd", &["deep", "${{ inputs.s }}"])),
        some(10, texts("shell", &["bash"])),
        some(25, retry()),
        some(15, timeout()),
        some(30, texts("on_failure", &ON_FAILURE)),
    ])
}

/// `value` in the block style of YAML, with every text in quotes.
fn block(value: &Value, indent: usize) -> String {
    let margin = format!("\n{:indent$}", "");
    match value {
        Value::Map(entries) if !entries.is_empty() => entries
            .iter()
            .map(|(key, entry)| format!("{margin}{}: {}", Value::from(key.as_str()), block(entry, indent + 2)))
            .collect(),
        Value::List(items) if !items.is_empty() => {
            items.iter().map(|item| format!("{margin}- {}", block(item, indent + 2))).collect()
        }
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::definition::{Definition, spellings};

    /// Values and names that have to be drawn too: as the map, the key and what stands there.
    const CONSTRUCTS: [&str; 89] = [
        "a stage.back_from: name",
        "a stage.back_from: map",
        "a stage.jump_targets: name",
        "a stage.jump_targets: map",
        "a stage.jump_targets=any",
        "a stage.jump_mode=move",
        "a stage.jump_mode=rewind",
        "a trigger.signal=go",
        "a trigger.signal=stop",
        "a trigger.timer=1h",
        "a trigger.durability=transient",
        "a trigger.durability=persistent",
        "a trigger.durability=sender",
        "name: signal",
        "name: item",
        "name: index",
        "name: mi",
        "a workflow.type=pipeline",
        "a workflow.type=orchestration",
        "a stage.join_type=and",
        "a stage.join_type=xor",
        "a stage.join_type=multi_merge",
        "a stage.join_type=or",
        "a stage.join_type=generalized_and",
        "a stage.join_type=discriminator",
        "a stage.join_type=n_of_m",
        "a stage.join_type=thread_merge",
        "a stage.join_mode=blocking",
        "a stage.join_mode=cancelling",
        "a stage.join_cancel_scope: stages",
        "a stage.join_cancel_scope: region",
        "a stage.reset_on=all",
        "a stage.reset_on=active",
        "a stage.on_unreachable=fail",
        "a stage.on_unreachable=skip",
        "a stage.split_type=thread",
        "a stage.reentry=parallel",
        "a stage.reentry=serialize",
        "a workflow.leftover_tokens=fail",
        "a workflow.leftover_tokens=ignore",
        "a stage.split_type=xor",
        "a stage.split_type=or",
        "a stage.split_type=deferred",
        "a stage.on_no_match=fail",
        "a stage.on_no_match=default",
        "a stage.on_failure=fail",
        "a stage.on_failure=continue",
        "a stage.on_failure=stop",
        "a stage.on_failure=fail_at_end",
        "a stage.on_condition_error=fail",
        "a stage.on_condition_error=false",
        "a task.on_failure=fail",
        "a task.on_failure=continue",
        "a task.on_failure=stop",
        "a task.on_failure=fail_at_end",
        "retry.on=transient",
        "retry.on=timeout",
        "retry.on=exit",
        "an input.type=string",
        "an input.type=integer",
        "an input.type=number",
        "an input.type=boolean",
        "an input.type=list",
        "an input.type=map",
        "an input.type=any",
        "a loop.test=pre",
        "a loop.test=post",
        "a loop in a loop",
        "name: loop",
        "a stage.split_default=$end",
        "a stage.split_conditions: $end",
        "stages: map",
        "stages: list",
        "written: yaml",
        "written: json",
        "name: inputs",
        "name: context",
        "name: stages.outputs",
        "name: stages.status",
        "name: stages.error",
        "name: stages.activations",
        "name: tasks",
        "name: env",
        "name: trigger",
        "name: workflow",
        "name: stage",
        "name: task",
        "name: k",
        "x-team",
    ];

    #[derive(Default)]
    struct Found(BTreeSet<String>);

    impl Found {
        fn document(&mut self, drawn: &Drawn) {
            self.level("a workflow", &drawn.document);
            let layout = if drawn.text.starts_with('{') { "json" } else { "yaml" };
            self.0.insert(format!("written: {layout}"));
            self.names(&drawn.document);
        }

        fn level(&mut self, what: &str, value: &Value) {
            let Value::Map(entries) = value else { panic!("{what} is a map, not {value}") };
            for (key, entry) in entries {
                self.0.insert(format!("{what}.{key}"));
                match (what, key.as_str(), entry) {
                    (_, _, Value::String(text)) => {
                        self.0.insert(format!("{what}.{key}={}", text.to_ascii_lowercase()));
                    }
                    (_, "on_condition_error", Value::Bool(false)) => {
                        self.0.insert(format!("{what}.{key}=false"));
                    }
                    ("verification", "retry", _) => self.level("retry of a verification", entry),
                    (_, "retry" | "mi_config" | "verification", _) => self.level(key, entry),
                    ("retry", "on", Value::List(classes)) => {
                        let named = |class: &Value| format!("retry.on={}", class.as_str().unwrap_or_default());
                        self.0.extend(classes.iter().map(named));
                    }
                    ("a workflow", "inputs", Value::Map(inputs)) => {
                        inputs.values().for_each(|input| self.level("an input", input));
                    }
                    ("an input" | "items", "items", _) => self.level("items", entry),
                    ("a stage", "cancels" | "cancel_on", Value::List(items))
                    | ("a workflow", "critical_sections", Value::List(items)) => {
                        items.iter().for_each(|item| self.level(&format!("an item of {key}"), item));
                    }
                    ("a workflow", "defaults", _) => self.level("defaults", entry),
                    ("a stage", "sub_workflow", _) => self.level("sub_workflow", entry),
                    ("a workflow", "stages", Value::List(stages)) => {
                        self.0.insert("stages: list".to_owned());
                        stages.iter().for_each(|stage| self.level("a stage", stage));
                    }
                    ("a workflow", "stages", Value::Map(stages)) => {
                        self.0.insert("stages: map".to_owned());
                        stages.values().for_each(|stage| self.level("a stage", stage));
                    }
                    ("a stage", "join_cancel_scope", Value::Map(scope)) => {
                        self.0.extend(scope.keys().map(|key| format!("a stage.join_cancel_scope: {key}")));
                    }
                    ("a stage", "trigger", _) => self.level("a trigger", entry),
                    ("a stage", "tasks", Value::List(tasks)) => {
                        tasks.iter().for_each(|task| self.level("a task", task))
                    }
                    ("a stage", "back_from", Value::List(arcs)) => self.ways(key, "an arc that leads back", arcs),
                    ("a stage", "jump_targets", Value::List(arcs)) => self.ways(key, "a target of jumps", arcs),
                    ("a workflow", "regions", Value::Map(regions)) => {
                        regions.values().for_each(|region| self.level("a region", region));
                    }
                    ("a stage", "interleave", _) => self.level("interleave", entry),
                    ("mi_config", "cancel_mi_on" | "complete_mi_on", Value::List(items)) => {
                        items.iter().for_each(|item| self.level("what ends instances", item));
                    }
                    ("mi_config", "dynamic_close_on", _) => self.level("dynamic_close_on", entry),
                    ("a stage", "loop", _) => self.level("a loop", entry),
                    ("a loop", "stages", Value::Map(stages)) => {
                        stages.values().for_each(|stage| self.level("a stage", stage));
                        if stages.values().any(|stage| stage.get("loop").is_some()) {
                            self.0.insert("a loop in a loop".to_owned());
                        }
                    }
                    ("a stage", "split_conditions", Value::Map(conditions)) if conditions.contains_key("$end") => {
                        self.0.insert("a stage.split_conditions: $end".to_owned());
                    }
                    (_, "x-team", _) => {
                        self.0.insert("x-team".to_owned());
                    }
                    _ => {}
                }
            }
        }

        /// Ways to or from other stages, each a name or a map.
        fn ways(&mut self, key: &str, what: &str, ways: &[Value]) {
            for way in ways {
                let written = if way.as_str().is_some() { "name" } else { "map" };
                self.0.insert(format!("a stage.{key}: {written}"));
                if written == "map" {
                    self.level(what, way);
                }
            }
        }

        /// Names as expressions write them.
        fn names(&mut self, value: &Value) {
            match value {
                Value::String(text) => {
                    for root in
                        ["inputs", "tasks", "env", "trigger", "workflow", "stage", "task", "signal", "loop", "mi"]
                    {
                        if text.contains(&format!("{root}.")) {
                            self.0.insert(format!("name: {root}"));
                        }
                    }
                    for member in ["outputs", "status", "error", "activations"] {
                        if text.contains("stages.") && text.contains(&format!(".{member}")) {
                            self.0.insert(format!("name: stages.{member}"));
                        }
                    }
                    for name in ["item", "index"] {
                        if text.contains(&format!("${{{{ {name} }}}}")) {
                            self.0.insert(format!("name: {name}"));
                        }
                    }
                    if text.contains("context[") {
                        self.0.insert("name: context".to_owned());
                    }
                    if text.starts_with("k ") || text.contains("${{ k }}") {
                        self.0.insert("name: k".to_owned());
                    }
                }
                Value::List(items) => items.iter().for_each(|item| self.names(item)),
                Value::Map(entries) => entries.values().for_each(|entry| self.names(entry)),
                Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) => {}
            }
        }
    }

    #[test]
    fn every_construct_is_drawn_at_least_once_in_a_hundred_times() {
        let mut runner = TestRunner::deterministic();
        let mut drawn: BTreeMap<String, u32> = BTreeMap::new();
        for (what, key) in spellings() {
            drawn.insert(format!("{what}.{key}"), 0);
        }
        drawn.extend(CONSTRUCTS.map(|construct| (construct.to_owned(), 0)));
        let documents = documents();
        for _ in 0..1_000 {
            let document = documents.new_tree(&mut runner).unwrap().current();
            let mut found = Found::default();
            found.document(&document);
            for construct in found.0 {
                if let Some(count) = drawn.get_mut(&construct) {
                    *count += 1;
                }
            }
        }
        let rare: Vec<_> = drawn.iter().filter(|(_, count)| **count < 10).collect();
        assert!(rare.is_empty(), "{rare:?}");
    }

    proptest! {
        #[test]
        fn a_document_has_no_problems_and_means_the_same_in_json(drawn in documents()) {
            let read = Definition::from_yaml(&drawn.text);
            prop_assert!(read.is_ok(), "{}\n{}", drawn.text, read.unwrap_err());
            let read = read.unwrap();
            prop_assert_eq!(read.hash(), Definition::from_json(&drawn.document.to_json()).unwrap().hash());
            prop_assert!(read.bind_inputs(drawn.given).is_ok());
        }
    }
}
