//! Reads the normal form back.

use std::collections::BTreeMap;

use super::{cancellation, exclusion, generations, milestone};
use crate::definition::Definition;
use crate::definition::body::{Body, Loop, LoopCondition, LoopTest};
use crate::definition::cancellation::{Cancellation, Termination};
use crate::definition::check::{Arcs, BackArc, END, Sources, topological_order};
use crate::definition::decision_limits::{DecisionLimits, SignalLimits};
use crate::definition::error::NormalFormError;
use crate::definition::family::{Family, Member};
use crate::definition::generations::Generations;
use crate::definition::graph::{
    Branch, Graph, GraphStage, GraphTask, Join, JumpMode, LeftoverTokens, OnConditionError, OnFailure, OrScope,
    Reentry, RetryOn, RetryPolicy, Split, Target,
};
use crate::definition::header::{Header, Soundness, WorkflowType};
use crate::definition::input::{Input, InputType, Pattern, Shape};
use crate::definition::phase::{BlockId, StagePhase};
use crate::definition::reading::jumps::ANY;
use crate::definition::shell_text::ShellText;
use crate::definition::sub_workflow::{Called, OWN, OnParentCancel, SubWorkflow};
use crate::definition::template::{Template, read_template};
use crate::definition::times::Times;
use crate::definition::trigger::{Durability, SignalTrigger, Trigger, TriggerRole};
use crate::definition::verification::Verification;
use crate::expression::Expression;
use crate::ids::{ArcIndex, StageIndex};
use crate::limits::JUMPS;
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

use super::{PHASES, instances};
use crate::definition::instances::Instances;
pub(super) type Read<T> = Result<T, NormalFormError>;

/// The definition whose normal form `text` is.
pub(in crate::definition) fn read(text: &str) -> Read<(Header, Graph, DecisionLimits, Family)> {
    let value = Value::from_json_strict(text).map_err(|source| NormalFormError::Json { source })?;
    let map = Fields::of(&value, "")?;
    if map.integer::<u32>("normal")? != 1 {
        return Err(map.wrong("normal", "1"));
    }
    let header = header(&map)?;
    let graph = graph(&map)?;
    let limits = map.map("limits")?;
    let limit = |name: &str| limits.integer(name);
    let limits = DecisionLimits {
        tokens_max: limit("tokens_max")?,
        payload_bytes_max: limit("payload_bytes_max")?,
        chunk_events_max: limit("chunk_events_max")?,
        chunk_bytes_max: limit("chunk_bytes_max")?,
        instant_turns_max: limit("instant_turns_max")?,
        workers_lost_max: limit("workers_lost_max")?,
        commands_remembered: limit("commands_remembered")?,
        expression_fuel: limit("expression_fuel")?,
        signals: signal_limits(&limits)?,
    };
    let mut family = Family::new();
    if map.get("definitions").is_some() {
        let members = map.map("definitions")?;
        for name in members.map.keys() {
            let member = members.map(name)?;
            family.insert(
                name.clone(),
                Member { header: self::header(&member)?, graph: self::graph(&member)?, spans: Vec::new() },
            );
        }
    }
    Ok((header, graph, limits, family))
}

/// What is not written has the value it has always had.
fn signal_limits(limits: &Fields<'_>) -> Read<SignalLimits> {
    let usual = SignalLimits::USUAL;
    let limit = |name: &str, usual: u64| Ok(limits.some(name, Fields::integer)?.unwrap_or(usual));
    Ok(SignalLimits {
        buffered_max: limit("signals_buffered_max", usual.buffered_max)?,
        buffered_bytes_max: limit("signals_buffered_bytes_max", usual.buffered_bytes_max)?,
        remembered: limit("signals_remembered", usual.remembered)?,
    })
}

/// A map of the form and the path to it.
#[derive(Clone)]
pub(super) struct Fields<'v> {
    map: &'v Map,
    path: String,
}

impl<'v> Fields<'v> {
    fn of(value: &'v Value, path: &str) -> Read<Fields<'v>> {
        match value.as_map() {
            Some(map) => Ok(Fields { map, path: path.to_owned() }),
            None => Err(NormalFormError::Shape { path: path.to_owned(), expected: "a map" }),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn wrong(&self, key: &str, expected: &'static str) -> NormalFormError {
        NormalFormError::Shape { path: self.path(key), expected }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key)
    }

    pub(super) fn need(&self, key: &str) -> Read<&'v Value> {
        self.get(key).ok_or_else(|| self.wrong(key, "a value"))
    }

    /// What `read` makes of the value under `key`, if there is one.
    pub(super) fn some<T>(&self, key: &str, read: impl FnOnce(&Self, &str) -> Read<T>) -> Read<Option<T>> {
        self.get(key).map(|_| read(self, key)).transpose()
    }

    pub(super) fn text(&self, key: &str) -> Read<String> {
        self.need(key)?.as_str().map(str::to_owned).ok_or_else(|| self.wrong(key, "text"))
    }

    pub(super) fn integer<T: TryFrom<i128>>(&self, key: &str) -> Read<T> {
        let number = self.need(key)?.as_integer().and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.wrong(key, "a whole number in range"))
    }

    fn flag(&self, key: &str) -> Read<bool> {
        match self.need(key)? {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.wrong(key, "true or false")),
        }
    }

    fn duration(&self, key: &str) -> Read<Duration> {
        self.integer(key).map(Duration::from_microseconds)
    }

    /// The value whose name stands here.
    pub(super) fn word<T: Copy>(&self, key: &str, values: &[T], name: fn(T) -> &'static str) -> Read<T> {
        let word = self.text(key)?;
        values.iter().copied().find(|value| name(*value) == word).ok_or_else(|| self.wrong(key, "a known word"))
    }

    /// A word that is left out where it is the usual one.
    pub(super) fn word_or<T: Copy>(
        &self,
        key: &str,
        (values, name): (&[T], fn(T) -> &'static str),
        usual: T,
    ) -> Read<T> {
        if self.get(key).is_some() { self.word(key, values, name) } else { Ok(usual) }
    }

    /// The keys of the map.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'v String> {
        self.map.keys()
    }

    pub(super) fn map(&self, key: &str) -> Read<Fields<'v>> {
        Fields::of(self.need(key)?, &self.path(key))
    }

    pub(super) fn list(&self, key: &str) -> Read<&'v [Value]> {
        self.need(key)?.as_list().ok_or_else(|| self.wrong(key, "a list"))
    }

    /// The maps of a list.
    pub(super) fn maps(&self, key: &str) -> Read<Vec<Fields<'v>>> {
        let fields = |(index, value)| Fields::of(value, &format!("{}[{index}]", self.path(key)));
        self.list(key)?.iter().enumerate().map(fields).collect()
    }

    pub(super) fn expression(&self, key: &str) -> Read<Expression> {
        parse(&self.text(key)?, &self.path(key))
    }

    pub(super) fn template(&self, key: &str) -> Read<Template> {
        template(self.need(key)?, &self.path(key))
    }

    pub(super) fn templates(&self, key: &str) -> Read<Vec<(String, Template)>> {
        let fields = self.map(key)?;
        fields.map.keys().map(|name| Ok((name.clone(), fields.template(name)?))).collect()
    }
}

fn parse(text: &str, path: &str) -> Read<Expression> {
    Expression::parse(text).map_err(|source| NormalFormError::Expression { path: path.to_owned(), source })
}

fn template(value: &Value, path: &str) -> Read<Template> {
    read_template(value).map_err(|source| NormalFormError::Expression { path: path.to_owned(), source })
}

fn header(map: &Fields<'_>) -> Read<Header> {
    let inputs = map.map("inputs")?;
    let inputs = inputs.map.keys().map(|name| Ok((name.clone(), input(&inputs.map(name)?)?)));
    Ok(Header {
        name: map.template("name")?,
        application: map.text("application")?,
        workflow_type: map.word("type", &WorkflowType::ALL, WorkflowType::name)?,
        version: map.some("version", Fields::text)?,
        description: map.some("description", Fields::text)?,
        inputs: inputs.collect::<Read<BTreeMap<_, _>>>()?,
        context: map.templates("context")?,
        times: times(map)?,
        priority: map.integer("priority")?,
        leftover_tokens: map.word_or(
            "leftover_tokens",
            (&LeftoverTokens::ALL, LeftoverTokens::name),
            LeftoverTokens::Fail,
        )?,
        soundness: map
            .some("soundness", |map, key| map.word(key, &Soundness::ALL, Soundness::name))?
            .unwrap_or_default(),
    })
}

fn times(map: &Fields<'_>) -> Read<Times> {
    let moment = |key| Ok(map.some(key, Fields::integer)?.map(Timestamp::from_microseconds));
    Ok(Times {
        scheduled_time: moment("scheduled_time")?,
        start_time_expiry: moment("start_time_expiry")?,
        deadline: map.some("deadline", Fields::duration)?,
    })
}

fn input(map: &Fields<'_>) -> Read<Input> {
    Ok(Input {
        shape: shape(map)?,
        default: map.get("default").cloned(),
        secret: map.some("secret", Fields::flag)?.unwrap_or(false),
        description: map.some("description", Fields::text)?,
    })
}

fn shape(map: &Fields<'_>) -> Read<Shape> {
    let pattern =
        |map: &Fields<'_>, key: &str| Pattern::new(&map.text(key)?).map_err(|_| map.wrong(key, "a regular expression"));
    Ok(Shape {
        input_type: map.word("type", &InputType::ALL, InputType::name)?,
        choices: map.some("enum", |map, key| map.list(key).map(<[Value]>::to_vec))?,
        min: map.get("min").cloned(),
        max: map.get("max").cloned(),
        pattern: map.some("pattern", pattern)?,
        items: map.some("items", |map, key| shape(&map.map(key)?).map(Box::new))?,
    })
}

fn graph(map: &Fields<'_>) -> Read<Graph> {
    let mut written = Vec::new();
    let mut blocks = Vec::new();
    flatten((map, "stages"), BlockId::ROOT, &mut written, &mut blocks)?;
    if map.get("finally").is_some() {
        flatten((map, "finally"), BlockId::FINALLY, &mut written, &mut blocks)?;
    }
    let names: Vec<String> = written.iter().map(|stage| stage.text("ref_id")).collect::<Read<_>>()?;
    let by_name: BTreeMap<&str, usize> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    let mut sources = Sources::default();
    for stage in &written {
        let own = sources.needs.len();
        let beside = |other: &usize| blocks.get(*other) == blocks.get(own);
        let find = |need: &Value| need.as_str().and_then(|name| by_name.get(name)).copied().filter(beside);
        let needs: Option<Vec<usize>> = stage.list("needs")?.iter().map(find).collect();
        sources.needs.push(needs.ok_or_else(|| stage.wrong("needs", "names of stages"))?);
        let back = back_from(stage, &by_name)?;
        if !back.iter().all(|back| beside(&back.from)) {
            return Err(stage.wrong("back_from", "names of stages of its block"));
        }
        sources.back_from.push(back);
    }
    sources.cancelled = cancellation::read_paths(&written, &by_name)?;
    sources.jumps = jumps(&written, &by_name)?;
    if topological_order(&sources.before()).len() < written.len() {
        return Err(map.wrong("stages", "stages without a cycle"));
    }
    let Arcs { arcs, incoming, outgoing, paths, jumps } = Arcs::of(&sources);
    let regions = cancellation::read_regions(map)?;
    let block = |stage: StageIndex| blocks.get(stage.index());
    if arcs.iter().any(|arc| arc.from.is_some_and(|from| block(from) != block(arc.to))) {
        return Err(map.wrong("stages", "arcs inside blocks"));
    }
    let mut sections = exclusion::read_sections(map)?;
    let mut stages = Vec::with_capacity(written.len());
    for ((((map, incoming), outgoing), path), jumps) in written.iter().zip(incoming).zip(outgoing).zip(paths).zip(jumps)
    {
        let target = |name: &str| {
            if name == END {
                return Some(Target::End);
            }
            let stage = StageIndex::new(u32::try_from(*by_name.get(name)?).ok()?);
            outgoing.iter().find(|arc| arcs[arc.index()].to == stage).copied().map(Target::Arc)
        };
        let split = split(map, target, &outgoing)?;
        let cancellation = Cancellation { path, ..cancellation::read(map, (&by_name, &regions))? };
        let block = blocks.get(stages.len()).copied().unwrap_or(BlockId::ROOT);
        let join = map.word("join_type", &Join::ALL, Join::name)?;
        let find = |name: &str| Some(StageIndex::new(u32::try_from(*by_name.get(name)?).ok()?));
        let generations = generations::read(map, join, incoming.len(), find)?;
        let several = map.some("instances", |map, key| instances::read(&map.map(key)?, &by_name).map(Box::new))?;
        let place =
            Place { block, incoming, outgoing, join, generations, split, cancellation, instances: several, jumps };
        let mut stage = stage(map, place)?;
        stage.exclusion = exclusion::read(map, sections.remove(&stage.ref_id))?;
        stage.milestone = milestone::read(map, &by_name)?;
        stages.push(stage);
    }
    let termination = map.word_or("termination", (&Termination::ALL, Termination::name), Termination::Implicit)?;
    let max_jumps = map.some("max_jumps", Fields::integer)?.unwrap_or(JUMPS);
    Ok(Graph::new(stages, arcs, map.templates("outputs")?).with_rules(termination, regions, max_jumps))
}

/// May tasks of the stage jump to any stage of its block?
fn jumps_anywhere(stage: &Fields<'_>) -> bool {
    stage.get("jump_targets").and_then(Value::as_str) == Some(ANY)
}

/// By stage the jumps that lead there.
fn jumps(written: &[Fields<'_>], by_name: &BTreeMap<&str, usize>) -> Read<Vec<Vec<BackArc>>> {
    let mut found: Vec<Vec<BackArc>> = written.iter().map(|_| Vec::new()).collect();
    let declares = |stage: &Fields<'_>| stage.get("jump_targets").is_some() && !jumps_anywhere(stage);
    for (from, stage) in written.iter().enumerate().filter(|(_, stage)| declares(stage)) {
        for target in stage.maps("jump_targets")? {
            let to = by_name.get(target.text("stage")?.as_str()).copied();
            let to = to.ok_or_else(|| target.wrong("stage", "the name of a stage"))?;
            found[to].push(BackArc { from, max_iterations: target.some("max_iterations", Fields::integer)? });
        }
    }
    Ok(found)
}

fn back_from(stage: &Fields<'_>, by_name: &BTreeMap<&str, usize>) -> Read<Vec<BackArc>> {
    let read = |map: &Fields<'_>| {
        let from = by_name.get(map.text("stage")?.as_str()).copied();
        let from = from.ok_or_else(|| map.wrong("stage", "the name of a stage"))?;
        Ok(BackArc { from, max_iterations: map.some("max_iterations", Fields::integer)? })
    };
    if stage.get("back_from").is_none() {
        return Ok(Vec::new());
    }
    stage.maps("back_from")?.iter().map(read).collect()
}

/// The stages in a list, each with the block it stands in; those nested in one stand right behind it, in the order of
/// its phases.
fn flatten<'v>(
    (map, key): (&Fields<'v>, &str),
    block: BlockId,
    stages: &mut Vec<Fields<'v>>,
    blocks: &mut Vec<BlockId>,
) -> Read<()> {
    for stage in map.maps(key)? {
        let index = u32::try_from(stages.len()).map_err(|_| map.wrong(key, "fewer stages"))?;
        let index = StageIndex::new(index);
        let turns = stage.some("loop", Fields::map)?;
        stages.push(stage.clone());
        blocks.push(block);
        let mut inside: Vec<(StagePhase, (&Fields<'v>, &str))> = Vec::new();
        inside.extend(turns.as_ref().map(|turns| (StagePhase::Body, (turns, "stages"))));
        let beside = PHASES.iter().filter(|(key, _)| stage.get(key).is_some());
        inside.extend(beside.map(|(key, phase)| (*phase, (&stage, *key))));
        inside.sort_by_key(|(phase, _)| *phase);
        for (phase, list) in inside {
            flatten(list, BlockId::of(index, phase), stages, blocks)?;
        }
    }
    Ok(())
}

/// What a stage has of the graph around it.
struct Place {
    block: BlockId,
    incoming: Vec<ArcIndex>,
    outgoing: Vec<ArcIndex>,
    join: Join,
    generations: Option<Generations>,
    split: Split,
    cancellation: Cancellation,
    instances: Option<Box<Instances>>,
    jumps: Vec<ArcIndex>,
}

fn stage(map: &Fields<'_>, place: Place) -> Read<GraphStage> {
    let tasks = map.maps("tasks")?;
    let body = body(map)?;
    if tasks.is_empty() == (body == Body::Tasks) {
        return Err(map.wrong("tasks", "at least one task, or none in a loop"));
    }
    Ok(GraphStage {
        ref_id: map.text("ref_id")?,
        parent: place.block.owner,
        phase: place.block.phase,
        name: map.text("name")?,
        stage_type: map.text("type")?,
        incoming: place.incoming,
        outgoing: place.outgoing,
        join: place.join,
        generations: place.generations,
        merge_count: generations::read_merge(map, place.join)?,
        or_scope: map.word_or("or_scope", (&OrScope::ALL, OrScope::name), OrScope::General)?,
        split: place.split,
        split_correlation: map.some("split_correlation", Fields::text)?,
        reentry: map.word_or("reentry", (&Reentry::ALL, Reentry::name), Reentry::Parallel)?,
        instances: place.instances,
        condition: map.some("if", Fields::expression)?,
        on_condition_error: map.word("on_condition_error", &OnConditionError::ALL, OnConditionError::name)?,
        body,
        tasks: tasks.iter().map(task).collect::<Read<_>>()?,
        context: map.templates("context")?,
        outputs: map.templates("outputs")?,
        on_failure: map.word("on_failure", &OnFailure::ALL, OnFailure::name)?,
        times: times(map)?,
        trigger: map.some("trigger", |map, key| trigger(&map.map(key)?))?,
        exclusion: None,
        choice_group: map.some("deferred_choice_group", Fields::text)?,
        milestone: None,
        priority: map.integer("priority")?,
        cancellation: place.cancellation,
        jumps: place.jumps,
        jumps_anywhere: jumps_anywhere(map),
        jump_mode: map.word_or("jump_mode", (&JumpMode::ALL, JumpMode::name), JumpMode::default())?,
        sub_workflow: map.some("sub_workflow", |map, key| sub_workflow(&map.map(key)?))?.map(Box::new),
    })
}

fn sub_workflow(map: &Fields<'_>) -> Read<SubWorkflow> {
    let definition = match map.get("embedded") {
        Some(embedded) => Called::Embedded(Definition::from_normal(&embedded.to_json())?),
        None => match map.text("definition")?.as_str() {
            OWN => Called::Own,
            name => Called::Member(name.to_owned()),
        },
    };
    let (all, name) = (&OnParentCancel::ALL, OnParentCancel::name);
    Ok(SubWorkflow {
        definition,
        input: map.templates("input")?,
        output: map.some("output", Fields::templates)?,
        max_depth: map.integer("max_depth")?,
        on_parent_cancel: map.word("on_parent_cancel", all, name)?,
    })
}

fn trigger(map: &Fields<'_>) -> Read<Box<Trigger>> {
    if map.get("timer").is_some() {
        return Ok(Box::new(Trigger::Timer(map.duration("timer")?)));
    }
    let role =
        if map.flag("start")? { TriggerRole::Start { required: map.flag("required")? } } else { TriggerRole::Gate };
    Ok(Box::new(Trigger::Signal(SignalTrigger {
        signal: map.text("signal")?,
        durability: map.word("durability", &Durability::ALL, Durability::name)?,
        correlate: map.some("correlate", Fields::expression)?,
        role,
        max_buffered: map.some("max_buffered", Fields::integer)?,
    })))
}

fn body(map: &Fields<'_>) -> Read<Body> {
    let Some(map) = map.some("loop", Fields::map)? else { return Ok(Body::Tasks) };
    let condition = match map.some("while", Fields::expression)? {
        Some(holds) => LoopCondition::While(holds),
        None => LoopCondition::Until(map.expression("until")?),
    };
    Ok(Body::Loop(Box::new(Loop {
        test: map.word("test", &LoopTest::ALL, LoopTest::name)?,
        condition,
        max_iterations: map.some("max_iterations", Fields::integer)?,
    })))
}

fn split(map: &Fields<'_>, target: impl Fn(&str) -> Option<Target>, outgoing: &[ArcIndex]) -> Read<Split> {
    let split_type = map.text("split_type")?;
    if split_type == "AND" {
        return Ok(Split::And);
    }
    if split_type == "THREAD" {
        let count = map.integer("thread_count")?;
        return if count < 2 { Err(map.wrong("thread_count", "at least 2")) } else { Ok(Split::Thread { count }) };
    }
    if split_type == "DEFERRED" {
        return Ok(Split::Deferred);
    }
    let find = |map: &Fields<'_>, key: &str| {
        target(&map.text(key)?).ok_or_else(|| map.wrong(key, "the name of a stage that follows"))
    };
    let branch = |map: &Fields<'_>| Ok(Branch { target: find(map, "to")?, condition: map.expression("if")? });
    let branches: Vec<Branch> = map.maps("split_conditions")?.iter().map(branch).collect::<Read<_>>()?;
    let default = map.some("split_default", find)?;
    match split_type.as_str() {
        "XOR" => Ok(Split::Xor { branches, default }),
        "OR" => Ok(Split::or(branches, default, outgoing)),
        _ => Err(map.wrong("split_type", "a known word")),
    }
}

fn task(map: &Fields<'_>) -> Read<GraphTask> {
    let env = map.map("env")?;
    let variable = |name: &String| {
        let value = env.get(name).filter(|value| !value.is_null()).map(|_| env.template(name)).transpose()?;
        Ok((name.clone(), value))
    };
    Ok(GraphTask {
        name: map.text("name")?,
        uses: map.text("uses")?,
        condition: map.some("if", Fields::expression)?,
        shell_text: map.some("shell_text", |map, key| shell_text(&map.map(key)?))?,
        with: map.template("with")?,
        env: env.map.keys().map(variable).collect::<Read<_>>()?,
        cwd: map.some("cwd", Fields::template)?,
        shell: map.some("shell", Fields::text)?,
        retry: retry(&map.map("retry")?)?,
        timeout: map.duration("timeout")?,
        on_failure: map.word("on_failure", &OnFailure::ALL, OnFailure::name)?,
        loop_start: map.some("loop_start", Fields::flag)?.unwrap_or(false),
        loop_end: map.some("loop_end", Fields::flag)?.unwrap_or(false),
        verification: map.some("verification", |map, key| verification(&map.map(key)?))?.map(Box::new),
    })
}

fn verification(map: &Fields<'_>) -> Read<Verification> {
    let types = map.map("types")?;
    let of = |name: &String| Ok((name.clone(), types.word(name, &InputType::ALL, InputType::name)?));
    let name =
        |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| map.wrong("required_keys", "names of outputs"));
    Ok(Verification {
        required_keys: map.list("required_keys")?.iter().map(name).collect::<Read<_>>()?,
        types: types.keys().map(of).collect::<Read<_>>()?,
        verifier: map.some("verifier", Fields::text)?,
        retry: map.some("retry", |map, key| retry(&map.map(key)?))?,
    })
}

fn shell_text(map: &Fields<'_>) -> Read<ShellText> {
    let mut values = Vec::new();
    for pair in map.list("values")? {
        let [Value::String(name), Value::String(expression)] = pair.as_list().unwrap_or_default() else {
            return Err(map.wrong("values", "pairs of name and expression"));
        };
        values.push((name.clone(), parse(expression, &map.path("values"))?));
    }
    Ok(ShellText { text: map.text("text")?, values })
}

fn retry(map: &Fields<'_>) -> Read<RetryPolicy> {
    let mut on = RetryOn::default();
    for item in map.list("on")? {
        match item {
            Value::Integer(code) => {
                on.exit_codes.insert(u8::try_from(*code).map_err(|_| map.wrong("on", "exit codes from 0 to 255"))?);
            }
            Value::String(class) if class == "transient" => on.transient = true,
            Value::String(class) if class == "timeout" => on.timeout = true,
            Value::String(class) if class == "exit" => on.exit = true,
            Value::String(code) => {
                on.codes.insert(code.parse().map_err(|_| map.wrong("on", "known words and codes"))?);
            }
            Value::Null | Value::Bool(_) | Value::Real(_) | Value::List(_) | Value::Map(_) => {
                return Err(map.wrong("on", "words and numbers"));
            }
        }
    }
    Ok(RetryPolicy {
        max_attempts: map.integer("max_attempts")?,
        initial: map.duration("initial")?,
        factor_thousandths: map.integer("factor_thousandths")?,
        max: map.duration("max")?,
        jitter_thousandths: map.integer("jitter_thousandths")?,
        on,
    })
}
