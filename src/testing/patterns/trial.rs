//! Tries a pattern in all five ways.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::definition::Definition;
use crate::soundness::CheckOptions;
use crate::status::Status;
use crate::testing::definitions::with_limits;

use super::explore::{Bounds, explore, first};
use super::nesting;
use super::pattern::{Pattern, Refused};
use super::report::{Counts, Kind, Report, Verdict};
use super::scenario::{Scenario, Step, Test};
use super::view::Frame;
use super::world::{Breach, Weather, World};

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// At most about a thousand interleavings of each pattern, and some hundred crashed and nested ones.
    Sampled {
        /// What is drawn depends on it.
        seed: u64,
    },
    /// All interleavings of each scenario, up to ten thousand, in all five ways.
    Complete {
        /// What is drawn where there are more depends on it.
        seed: u64,
    },
}

impl Effort {
    /// The interleavings of each of so many scenarios.
    fn bounds(self, kind: Kind, scenarios: usize) -> Bounds {
        let scenarios = scenarios.max(1) as u64;
        match (self, kind) {
            (Effort::Complete { seed }, _) => Bounds { most: 10_000, seed },
            (Effort::Sampled { seed }, Kind::Positive) => Bounds { most: (1_000 / scenarios).max(24), seed },
            (Effort::Sampled { seed }, _) => Bounds { most: (120 / scenarios).max(3), seed },
        }
    }
}

/// What went wrong with a scenario, or why it could not be tried.
pub(super) enum Trouble {
    Missing(String),
    Failed(String, Breach),
}

pub(super) type Outcome = Result<Counts, Trouble>;

/// Tries `pattern` in all five ways.
pub fn report(pattern: &Pattern, effort: Effort) -> Report {
    Report {
        number: pattern.number(),
        name: pattern.name(),
        verdicts: Kind::ALL.map(|kind| verdict(pattern, kind, effort)),
    }
}

/// Tries `pattern` in one way.
pub fn verdict(pattern: &Pattern, kind: Kind, effort: Effort) -> Verdict {
    let tried = catch_unwind(AssertUnwindSafe(|| match kind {
        Kind::Positive => positive(pattern, effort),
        Kind::Negative => negative(pattern, effort),
        Kind::Crash => crash(pattern, effort),
        Kind::Loop => nesting::looped(pattern, effort.bounds(kind, pattern.positive.len())),
        Kind::Composed => nesting::composed(pattern, effort.bounds(kind, 2 * pattern.positive.len())),
    }));
    match tried {
        Ok(Ok(counts)) => Verdict::Passed(counts),
        Ok(Err(Trouble::Missing(why))) => Verdict::Missing { why },
        Ok(Err(Trouble::Failed(scenario, breach))) => Verdict::Failed { scenario, breach },
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let what = text.unwrap_or_else(|| "a panic without a text".to_owned());
            Verdict::Failed { scenario: kind.name().to_owned(), breach: Breach { what, story: String::new() } }
        }
    }
}

/// One course of each positive scenario, by name, a line an event.
///
/// # Errors
///
/// What is wrong with a scenario.
pub fn traces(pattern: &Pattern) -> Result<Vec<(String, String)>, Breach> {
    let trace = |scenario: &Scenario| {
        let definition = read(&pattern.net_of(scenario).text(&pattern.workflow_name()))?;
        let world = begin(&definition, scenario, Weather::Fair)?;
        Ok((scenario.name.clone(), first(world, plain_plan(scenario))?.story()))
    };
    pattern.positive.iter().map(trace).collect()
}

fn positive(pattern: &Pattern, effort: Effort) -> Outcome {
    if pattern.positive.is_empty() {
        return Err(Trouble::Missing("no scenario is declared".to_owned()));
    }
    let bounds = effort.bounds(Kind::Positive, pattern.positive.len());
    total(pattern, &pattern.positive, |scenario| {
        starts(&read(&pattern.net_of(scenario).text(&pattern.workflow_name()))?)?;
        plain(pattern, scenario, bounds, Weather::Fair, Cut::Never)
    })
}

fn negative(pattern: &Pattern, effort: Effort) -> Outcome {
    if pattern.negative.is_empty() && pattern.refusals.is_empty() {
        return Err(Trouble::Missing("nothing is declared that must not be".to_owned()));
    }
    let bounds = effort.bounds(Kind::Positive, pattern.negative.len());
    let mut counts =
        total(pattern, &pattern.negative, |scenario| plain(pattern, scenario, bounds, Weather::Fair, Cut::Never))?;
    for refusal in &pattern.refusals {
        let name = pattern.workflow_name();
        let failed = |refused| match refused {
            Refused::NotSupported(why) => Trouble::Missing(why),
            Refused::Otherwise(what) => {
                Trouble::Failed(refusal.code().to_owned(), Breach { what, story: String::new() })
            }
        };
        refusal.holds(&name).map_err(failed)?;
        counts.refusals += 1;
    }
    Ok(counts)
}

fn crash(pattern: &Pattern, effort: Effort) -> Outcome {
    if pattern.positive.is_empty() {
        return Err(Trouble::Missing("no scenario is declared".to_owned()));
    }
    let scenarios: Vec<Scenario> = pattern.positive.iter().chain(&pattern.negative).cloned().collect();
    let bounds = effort.bounds(Kind::Crash, scenarios.len());
    let mut counts =
        total(pattern, &scenarios, |scenario| plain(pattern, scenario, bounds, Weather::Crashes, Cut::Never))?;
    counts.add(total(pattern, &scenarios, |scenario| {
        plain(pattern, scenario, bounds, Weather::Crashes, Cut::EveryEvent)
    })?);
    counts.scenarios = scenarios.len() as u64;
    Ok(counts)
}

fn total(
    pattern: &Pattern,
    scenarios: &[Scenario],
    mut tried: impl FnMut(&Scenario) -> Result<Counts, Breach>,
) -> Outcome {
    let mut counts = Counts::default();
    for scenario in scenarios {
        is_supported(pattern, scenario)?;
        counts.add(tried(scenario).map_err(|breach| Trouble::Failed(scenario.name.clone(), breach))?);
    }
    Ok(counts)
}

/// What is not supported yet is missing, and not wrong.
fn is_supported(pattern: &Pattern, scenario: &Scenario) -> Result<(), Trouble> {
    match Definition::from_yaml(&pattern.net_of(scenario).text(&pattern.workflow_name())) {
        Ok(_) => Ok(()),
        Err(problems) => match Refused::of(&problems) {
            Refused::NotSupported(why) => Err(Trouble::Missing(why)),
            Refused::Otherwise(_) => Ok(()),
        },
    }
}

/// Are batches cut?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Never,
    /// After every micro-step.
    EveryEvent,
}

/// States that are looked at in a definition of which nothing else is known than that it should be sound; those of the
/// larger ones are seen by the tests of the check.
const STATES_MAX: u64 = 2_000;

/// What succeeds is sound: it would not be refused at its start.
fn starts(definition: &Definition) -> Result<(), Breach> {
    let verdict = definition.check(&CheckOptions::new().states_max(STATES_MAX));
    if !verdict.is_refused() {
        return Ok(());
    }
    let what = format!("the definition would be refused at its start: {:?}", verdict.findings());
    Err(Breach { what, story: String::new() })
}

/// A scenario by itself.
fn plain(pattern: &Pattern, scenario: &Scenario, bounds: Bounds, weather: Weather, cut: Cut) -> Result<Counts, Breach> {
    let definition = read(&pattern.net_of(scenario).text(&pattern.workflow_name()))?;
    let stages = definition.graph().stages.iter().map(|stage| stage.ref_id.as_str());
    scenario.expected.covers(stages).map_err(|what| Breach { what, story: String::new() })?;
    let decided = match cut {
        Cut::Never => definition.clone(),
        Cut::EveryEvent => with_limits(&definition, &[("chunk_events_max", 1)]),
    };
    let world = begin(&decided, scenario, weather)?;
    let mut counts = Counts { scenarios: 1, ..Counts::default() };
    let seen = explore(&world, &plain_plan(scenario), bounds, &mut |mut world| {
        counts.crashes += world.crashes();
        if cut == Cut::EveryEvent {
            world.replays_uncut(&definition)?;
        }
        if scenario.expected.status == Some(Status::Running) { Ok(()) } else { world.over() }
    })?;
    counts.enumerated = seen.interleavings;
    counts.drawn = seen.drawn;
    Ok(counts)
}

fn begin(definition: &Definition, scenario: &Scenario, weather: Weather) -> Result<World, Breach> {
    let always: Vec<(usize, Test)> = scenario.always.iter().map(|test| (0, Arc::clone(test))).collect();
    let frames = [Frame::WHOLE];
    World::begin(definition, &scenario.inputs, Arc::from(frames), Arc::from(always), weather)
}

/// What happens in a scenario, and at last what must have come of it.
pub(super) fn plan_in(frame: usize, scenario: &Scenario) -> Step {
    let expected = scenario.expected.clone();
    let end: Test = Arc::new(move |view| expected.hold(view));
    Step::In(frame, scenario.steps.iter().cloned().chain([Step::Check(end)]).collect())
}

fn plain_plan(scenario: &Scenario) -> Vec<Step> {
    vec![plan_in(0, scenario)]
}

fn read(text: &str) -> Result<Definition, Breach> {
    Definition::from_yaml(text).map_err(|problems| Breach { what: problems.to_string(), story: String::new() })
}

/// A definition that nests a pattern; what is not supported yet is missing, anything else wrong.
pub(super) fn read_nested(text: &str) -> Result<Definition, Trouble> {
    Definition::from_yaml(text).map_err(|problems| match Refused::of(&problems) {
        Refused::NotSupported(why) => Trouble::Missing(why),
        Refused::Otherwise(what) => {
            let breach = Breach { what: format!("{what}\n{text}"), story: String::new() };
            Trouble::Failed("the nested definition".to_owned(), breach)
        }
    })
}
