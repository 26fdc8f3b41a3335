//! A pattern inside other constructs: three rounds of a loop, a sub-workflow, an instance of several.
//!
//! Everything here happens in weather in which processes crash after every batch.

use std::sync::Arc;

use crate::testing::happening;
use crate::value::Map;

use super::explore::{Bounds, explore};
use super::net::{AFTER, INSTANCES, MANY, Net, ROUNDS, TURNS};
use super::pattern::{Nesting, Pattern};
use super::report::Counts;
use super::scenario::{Nested, Scenario, Step, Test};
use super::trial::{Outcome, Trouble, plan_in, read_nested};
use super::view::{Frame, Opening};
use super::world::{Weather, World};

/// What is played in `length` frames, one after the other or side by side: scenarios of the same stages and inputs take
/// turns, each of them first once; what ends everything comes last.
fn casts(pattern: &Pattern, length: usize) -> Result<Vec<Vec<&Scenario>>, Trouble> {
    let mut groups: Vec<Vec<&Scenario>> = Vec::new();
    let is_same =
        |one: &Scenario, other: &Scenario| pattern.net_of(one) == pattern.net_of(other) && one.inputs == other.inputs;
    for scenario in pattern.positive.iter().filter(|scenario| scenario.nests()) {
        match groups.iter_mut().find(|group| is_same(group[0], scenario)) {
            Some(group) => group.push(scenario),
            None => groups.push(vec![scenario]),
        }
    }
    let mut casts: Vec<Vec<&Scenario>> = Vec::new();
    for group in &groups {
        casts.extend(
            (0..group.len()).map(|start| (0..length).map(|turn| group[(start + turn) % group.len()]).collect()),
        );
    }
    for last in pattern.positive.iter().filter(|scenario| scenario.nested == Nested::Last) {
        let before = groups.iter().map(|group| group[0]).find(|other| is_same(other, last));
        casts.extend(before.map(|before| (1..length).map(|_| before).chain([last]).collect()));
    }
    if casts.is_empty() { Err(Trouble::Missing("no scenario can be nested".to_owned())) } else { Ok(casts) }
}

/// Three rounds of a loop.
pub(super) fn looped(pattern: &Pattern, bounds: Bounds) -> Outcome {
    let form = match pattern.nesting {
        Nesting::Body | Nesting::CallByInstances(_) => Form::Loop,
        Nesting::Call(_) => Form::CallsInLoop,
    };
    all(pattern, form, bounds)
}

/// A sub-workflow, and an instance of several.
pub(super) fn composed(pattern: &Pattern, bounds: Bounds) -> Outcome {
    let instances = match pattern.nesting {
        Nesting::Body => Form::Instances,
        Nesting::Call(_) | Nesting::CallByInstances(_) => Form::CallsByInstances,
    };
    let mut counts = all(pattern, instances, bounds)?;
    counts.add(all(pattern, Form::Call, bounds)?);
    Ok(counts)
}

fn all(pattern: &Pattern, form: Form, bounds: Bounds) -> Outcome {
    let mut counts = Counts::default();
    for cast in casts(pattern, form.length())? {
        counts.add(play(pattern, form, &cast, bounds)?);
    }
    Ok(counts)
}

/// What is around a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// It is the body of a loop.
    Loop,
    /// It is what instances do, side by side.
    Instances,
    /// It is called.
    Call,
    /// It is called in every turn of a loop.
    CallsInLoop,
    /// It is called by instances, side by side.
    CallsByInstances,
}

impl Form {
    fn title(self) -> &'static str {
        match self {
            Form::Loop => "in a loop",
            Form::Instances => "in instances",
            Form::Call => "called",
            Form::CallsInLoop => "called in a loop",
            Form::CallsByInstances => "called by instances",
        }
    }

    /// How often the pattern is there.
    fn length(self) -> usize {
        match self {
            Form::Loop | Form::CallsInLoop => TURNS,
            Form::Instances | Form::CallsByInstances => INSTANCES,
            Form::Call => 1,
        }
    }

    fn text(self, net: &Net, name: &str, inputs: &Map) -> String {
        let text = match self {
            Form::Loop => Net::looped,
            Form::Instances => Net::in_instances,
            Form::Call => Net::called,
            Form::CallsInLoop => Net::called_in_loop,
            Form::CallsByInstances => Net::called_by_instances,
        };
        text(net, name, inputs)
    }

    /// Where the pattern is the `number`-th time.
    fn frame(self, number: usize) -> Frame {
        let of_block = |owner| Frame { called: None, within: Some(Opening { owner, number }) };
        match self {
            Form::Loop => of_block(ROUNDS),
            Form::Instances => of_block(MANY),
            Form::Call | Form::CallsInLoop | Form::CallsByInstances => Frame { called: Some(number), within: None },
        }
    }

    /// The names in the outermost workflow mean the pattern's stages, too.
    fn is_inside(self) -> bool {
        matches!(self, Form::Loop | Form::Instances)
    }

    /// The inputs of the outermost workflow.
    fn inputs(self, inputs: &Map) -> Map {
        if self.is_inside() { inputs.clone() } else { Map::new() }
    }

    /// One after the other, or side by side.
    fn ordered(self, steps: Vec<Step>) -> Vec<Step> {
        match self {
            Form::Loop | Form::CallsInLoop | Form::Call => steps,
            Form::Instances | Form::CallsByInstances => {
                vec![Step::AnyOrder(steps.into_iter().map(|step| vec![step]).collect())]
            }
        }
    }
}

fn play(pattern: &Pattern, form: Form, cast: &[&Scenario], bounds: Bounds) -> Outcome {
    let (net, inputs) = (pattern.net_of(cast[0]), &cast[0].inputs);
    let definition = read_nested(&form.text(net, &pattern.workflow_name(), inputs))?;
    let failed = |breach| Trouble::Failed(format!("{} {}", cast[0].name, form.title()), breach);
    let frames = (0..cast.len()).map(|number| form.frame(number)).chain([Frame::WHOLE]).collect();
    let always = |(frame, scenario): (usize, &&Scenario)| -> Vec<(usize, Test)> {
        scenario.always.iter().map(|test| (frame, Arc::clone(test))).collect()
    };
    let always = cast.iter().enumerate().flat_map(always).collect();
    let world = World::begin(&definition, &form.inputs(inputs), frames, always, Weather::Crashes).map_err(failed)?;
    let mut counts = Counts { scenarios: 1, ..Counts::default() };
    let seen = explore(&world, &plan(form, cast), bounds, &mut |mut world| {
        counts.crashes += world.crashes();
        world.over()
    });
    let seen = seen.map_err(failed)?;
    counts.enumerated = seen.interleavings;
    counts.drawn = seen.drawn;
    Ok(counts)
}

/// The scenarios in their frames, then the end of what is around them.
fn plan(form: Form, cast: &[&Scenario]) -> Vec<Step> {
    let inner = cast.iter().enumerate().map(|(frame, scenario)| plan_in(frame, scenario)).collect();
    let last = cast.iter().find(|scenario| scenario.nested == Nested::Last);
    // What ends everything ends it when the others are done; time passes for all of them at once.
    let is_one_by_one = last.is_some() || cast.iter().any(|scenario| scenario.steps.iter().any(takes_time));
    let mut plan = if is_one_by_one { inner } else { form.ordered(inner) };
    let mut end = Vec::new();
    if form.is_inside() {
        end.push(Step::Check(all_runs(cast)));
    }
    end.push(last.map_or_else(|| Step::Happen(happening::complete(AFTER)), |last| Step::Check(ended_all(last))));
    plan.push(Step::In(cast.len(), end));
    plan
}

/// Does time pass in it?
fn takes_time(step: &Step) -> bool {
    match step {
        Step::Pass(_) => true,
        Step::AnyOrder(chains) => chains.iter().flatten().any(takes_time),
        Step::In(_, steps) | Step::Called(_, steps) => steps.iter().any(takes_time),
        Step::Happen(_) | Step::Refused(..) | Step::Check(_) | Step::Rest => false,
    }
}

/// All together as many activations started as each round or instance by itself says.
fn all_runs(scenarios: &[&Scenario]) -> Test {
    let mut sums: Vec<(String, usize)> = Vec::new();
    for (stage, count) in scenarios.iter().flat_map(|scenario| &scenario.expected.runs) {
        match sums.iter_mut().find(|(known, _)| known == stage) {
            Some((_, sum)) => *sum += count,
            None => sums.push((stage.clone(), *count)),
        }
    }
    Arc::new(move |view| sums.iter().try_for_each(|(stage, sum)| view.expect_runs(stage, *sum)))
}

/// The whole workflow has ended as this scenario says, and what stands behind has not started.
fn ended_all(last: &Scenario) -> Test {
    let status = last.expected.status;
    Arc::new(move |view| {
        status.map_or(Ok(()), |status| view.expect_status(status))?;
        view.expect_runs(AFTER, 0)
    })
}
