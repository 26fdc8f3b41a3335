//! A pattern inside other constructs: three rounds of a loop, a sub-workflow, an instance of several.
//!
//! Everything here happens in weather in which processes crash after every batch.

use std::sync::Arc;

use crate::testing::happening;

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
    if let Nesting::Call(_) = pattern.nesting {
        return Err(Trouble::Missing("the suite does not play sub-workflows yet".to_owned()));
    }
    let mut counts = Counts::default();
    for rounds in casts(pattern, TURNS)? {
        counts.add(play(pattern, &Play::rounds(pattern.net_of(rounds[0]), &rounds), bounds)?);
    }
    Ok(counts)
}

/// A sub-workflow, and an instance of several.
pub(super) fn composed(pattern: &Pattern, bounds: Bounds) -> Outcome {
    let mut counts = Counts::default();
    for both in casts(pattern, INSTANCES)? {
        counts.add(play(pattern, &Play::instances(pattern.net_of(both[0]), &both), bounds)?);
    }
    Err(Trouble::Missing("the suite does not play sub-workflows yet".to_owned()))
}

/// A definition around a pattern, with the scenario that is played in each frame.
struct Play<'s> {
    title: &'static str,
    text: fn(&Net, &str) -> String,
    net: Net,
    frames: Vec<Frame>,
    scenarios: Vec<&'s Scenario>,
    order: fn(Vec<Step>) -> Vec<Step>,
}

impl<'s> Play<'s> {
    fn rounds(net: &Net, scenarios: &[&'s Scenario]) -> Play<'s> {
        let frames = (0..TURNS).map(|number| Frame::of_block(0, Opening { owner: ROUNDS, number })).collect();
        let (title, net, scenarios) = ("in a loop", net.clone(), scenarios.to_vec());
        Play { title, text: Net::looped, net, frames, scenarios, order: |steps| steps }
    }

    fn instances(net: &Net, scenarios: &[&'s Scenario]) -> Play<'s> {
        let frames = (0..INSTANCES).map(|number| Frame::of_block(0, Opening { owner: MANY, number })).collect();
        let (title, net, scenarios) = ("in instances", net.clone(), scenarios.to_vec());
        let side_by_side: fn(Vec<Step>) -> Vec<Step> =
            |steps| vec![Step::AnyOrder(steps.into_iter().map(|step| vec![step]).collect())];
        let has_last = scenarios.iter().any(|scenario| scenario.nested == Nested::Last);
        let order = if has_last { |steps| steps } else { side_by_side };
        Play { title, text: Net::in_instances, net, frames, scenarios, order }
    }
}

fn play(pattern: &Pattern, play: &Play<'_>, bounds: Bounds) -> Outcome {
    let name = pattern.workflow_name();
    let definition = read_nested(&(play.text)(&play.net, &name))?;
    let titled = |scenario: &Scenario| format!("{} {}", scenario.name, play.title);
    let failed = |breach| Trouble::Failed(titled(play.scenarios[0]), breach);
    let inner = play.scenarios.iter().enumerate().map(|(frame, scenario)| plan_in(frame, scenario)).collect();
    let outer = play.frames.len();
    let mut plan = (play.order)(inner);
    let end = match play.scenarios.iter().find(|scenario| scenario.nested == Nested::Last) {
        None => vec![Step::Check(all_runs(&play.scenarios)), Step::Happen(happening::complete(AFTER))],
        Some(last) => vec![Step::Check(all_runs(&play.scenarios)), Step::Check(ended_all(last))],
    };
    plan.push(Step::In(outer, end));
    let frames: Arc<[Frame]> = play.frames.iter().copied().chain([Frame::WHOLE]).collect();
    let always = |(frame, scenario): (usize, &&Scenario)| -> Vec<(usize, Test)> {
        scenario.always.iter().map(|test| (frame, Arc::clone(test))).collect()
    };
    let always: Arc<[(usize, Test)]> = play.scenarios.iter().enumerate().flat_map(always).collect();
    let inputs = &play.scenarios[0].inputs;
    let world = World::begin(&definition, inputs, frames, always, Weather::Crashes).map_err(failed)?;
    let mut counts = Counts { scenarios: 1, ..Counts::default() };
    let seen = explore(&world, &plan, bounds, &mut |mut world| {
        counts.crashes += world.crashes();
        world.over()
    });
    let seen = seen.map_err(failed)?;
    counts.enumerated = seen.interleavings;
    counts.drawn = seen.drawn;
    Ok(counts)
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
