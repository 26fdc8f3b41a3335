//! Every course of an abstract definition, breadth first: what the machine decides, for every answer and outcome.
//!
//! A state is told from others by its key (R21). Whole batches are the steps, so that what is found is found between
//! two of them, where people would see it, too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::definition::{Definition, StagePhase};
use crate::digest::sha256;
use crate::event::{Actor, CheckOutcome, Creation, EndReason, Event};
use crate::ids::{StageIndex, WorkflowId};
use crate::machine::{Answers, Command, Correlated, Outcomes, Request, State, Unsafe, decide};
use crate::status::Status;
use crate::time::Timestamp;

use super::finding::{Finding, FindingCode, help};
use super::monitor::{Monitor, Watched};
use super::verdict::{Verdict, Witness};
use super::{CheckOptions, Reduction};

/// States looked at behind the first error: there may be more to tell, and nobody waits long for it.
const STATES_BEHIND_ERROR: u64 = 2_000;

/// The moment every course begins: 2026-01-01, midnight.
const ORIGIN: Timestamp = Timestamp::from_microseconds(1_767_225_600_000_000);

/// A state that was reached, and how.
struct Place {
    from: Option<u32>,
    step: Step,
    /// No further from here: the workflow has ended, or nobody looks further.
    is_end: bool,
}

/// A command, with the answers that its decision took.
#[derive(Clone)]
struct Step {
    command: Command,
    script: Vec<bool>,
}

/// What was found, where: at a place, or by a step from it.
struct Found {
    finding: Finding,
    from: Option<u32>,
    step: Option<Step>,
}

/// What came of looking at every course.
pub(super) struct Exploration {
    definition: Definition,
    places: Vec<Place>,
    arcs: Vec<(u32, u32)>,
    found: Vec<Found>,
    started: BTreeSet<StageIndex>,
    known: BTreeMap<[u8; 16], u32>,
    /// Was everything looked at, but for counts beyond the bound?
    is_complete: bool,
    is_bounded: bool,
    bound: u32,
    states_max: u64,
    error_at: Option<u64>,
}

/// Looks at every course of a definition without data.
pub(super) fn explore(definition: &Definition, options: &CheckOptions) -> Exploration {
    // A split into threads brings as many as it says.
    let threads = definition.graph().stages.iter().map(|stage| stage.split.tokens_per_arc()).max().unwrap_or(1);
    let mut exploration = Exploration {
        definition: definition.clone(),
        places: Vec::new(),
        arcs: Vec::new(),
        found: Vec::new(),
        started: BTreeSet::new(),
        known: BTreeMap::new(),
        is_complete: true,
        is_bounded: true,
        bound: options.bound.saturating_mul(threads),
        states_max: options.states_max,
        error_at: None,
    };
    let monitor = Monitor::new(definition, &options.properties);
    let outcomes = if options.properties.is_empty() { Outcomes::Orderly } else { Outcomes::All };
    let mut ahead = VecDeque::new();
    let begun = (monitor.begin(), Correlated::default());
    let begin = command(ORIGIN, Request::Create(Creation::bare(definition)));
    let workflow = WorkflowId::from_parts(ORIGIN, 0);
    let fresh = State::new(workflow, definition.clone());
    exploration.follow(None, &fresh, &begin, &monitor, &begun, &mut ahead);
    while let Some((place, state, known)) = ahead.pop_front() {
        if exploration.is_enough() {
            exploration.is_complete = false;
            break;
        }
        let now = state.now().unwrap_or(ORIGIN);
        for request in state.possible(outcomes) {
            let now = match &request {
                Request::FireTimer(timer) => state.timer(*timer).map_or(now, |(due, _)| now.max(due)),
                _ => now,
            };
            exploration.follow(Some(place), &state, &command(now, request), &monitor, &known, &mut ahead);
        }
    }
    if exploration.is_complete && exploration.error_at.is_none() {
        exploration.look_for_livelock();
        if options.reduction == Reduction::None || !exploration.has_findings() {
            exploration.look_for_dead_stages();
        }
    }
    exploration
}

fn command(now: Timestamp, request: Request) -> Command {
    Command { now, id: None, actor: Actor::Engine, request }
}

/// What is known of a course besides its state.
type Known = (Watched, Correlated);

type Ahead = VecDeque<(u32, State, Known)>;

impl Exploration {
    fn is_enough(&self) -> bool {
        let states = self.places.len() as u64;
        !self.is_complete || self.error_at.is_some_and(|at| states >= at.saturating_add(STATES_BEHIND_ERROR))
    }

    /// Decides `command` with every script of answers that its questions allow.
    fn follow(
        &mut self,
        from: Option<u32>,
        state: &State,
        command: &Command,
        monitor: &Monitor<'_>,
        (watched, correlated): &Known,
        ahead: &mut Ahead,
    ) {
        let mut scripts = vec![Vec::new()];
        while let Some(script) = scripts.pop() {
            let mut next = state.clone();
            let mut answers = Answers::scripted(&script, correlated);
            // What is refused moves nothing.
            let Ok(batch) = decide(&mut next, command, &mut answers) else { return };
            if answers.is_open() {
                scripts.extend([false, true].map(|answer| script.iter().copied().chain([answer]).collect()));
                continue;
            }
            let step = Step { command: command.clone(), script };
            let known = (watched.clone(), answers.into_correlated());
            self.arrive(from, step, next, batch.events(), monitor, known, ahead);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the exploration, with where it came from")]
    fn arrive(
        &mut self,
        from: Option<u32>,
        step: Step,
        state: State,
        events: &[Event],
        monitor: &Monitor<'_>,
        (watched, correlated): Known,
        ahead: &mut Ahead,
    ) {
        for event in events {
            if let Event::StageStarted { activation, .. } = event {
                self.started.insert(activation.stage);
            }
        }
        let (watched, violated) = monitor.after(&watched, events, &state);
        if let Some(violated) = violated {
            let message = format!("there is a course without: {}", monitor.words(violated));
            self.note(FindingCode::PropertyViolated, None, message, from, &step);
        }
        let mut key = state.key(self.bound);
        watched.add_to(&mut key);
        correlated.add_to(&mut key);
        let mut name = [0; 16];
        name.copy_from_slice(&sha256(&key)[..16]);
        if let Some(known) = self.known.get(&name) {
            self.arcs.extend(from.map(|from| (from, *known)));
            return;
        }
        if self.places.len() as u64 >= self.states_max {
            self.is_complete = false;
            return;
        }
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.known.insert(name, place);
        self.arcs.extend(from.map(|from| (from, place)));
        let goes_on = self.examine(&state, events, from, &step);
        self.places.push(Place { from, step, is_end: !goes_on });
        if goes_on {
            ahead.push_back((place, state, (watched, correlated)));
        }
    }

    /// Looks for what is wrong with a new state; does anybody look further from there?
    fn examine(&mut self, state: &State, events: &[Event], from: Option<u32>, step: &Step) -> bool {
        let names = |stage: StageIndex| self.definition.graph().stage(stage).ref_id.clone();
        if state.is_closed() {
            self.examine_end(state, events, from, step);
            return false;
        }
        if let Some(found) = state.unsafe_join() {
            let (code, stage, message) = match found {
                Unsafe::AndJoin(stage, arc) => {
                    let before = self.definition.graph().arc(arc).from.map_or("the start".to_owned(), names);
                    (FindingCode::UnsafeAndJoin, stage, format!("two tokens can lie on the arc from {before}"))
                }
                Unsafe::XorJoin(stage) => {
                    (FindingCode::UnsafeXorJoin, stage, "a second token can come while the first is at work".to_owned())
                }
            };
            self.note(code, Some(stage), message, from, step);
            return false;
        }
        if let Some(stage) = state.beyond(self.bound) {
            let message = format!("more than {} tokens or activations at once", self.bound);
            self.note(FindingCode::Unbounded, Some(stage), message, from, step);
            self.is_bounded = false;
            return false;
        }
        if state.possible(Outcomes::Orderly).is_empty() {
            let (code, stage, message) = match (state.locked_out_stage(), state.stage_at_milestone()) {
                (Some(stage), _) => (FindingCode::LockOrder, Some(stage), "it can wait for ever for a lock"),
                (None, Some(stage)) => {
                    (FindingCode::MilestoneMayBlock, Some(stage), "it can wait for ever for its milestone")
                }
                (None, None) => (FindingCode::Deadlock, None, "nothing can happen any more"),
            };
            self.note(code, stage, message.to_owned(), from, step);
            return false;
        }
        true
    }

    fn examine_end(&mut self, state: &State, events: &[Event], from: Option<u32>, step: &Step) {
        let names = |stage: StageIndex| self.definition.graph().stage(stage).ref_id.as_str();
        match state.end_reason() {
            Some(EndReason::Deadlock { waiting }) => {
                let stage = waiting.first().map(|waiting| waiting.stage);
                let missing = waiting.iter().flat_map(|waiting| &waiting.missing);
                let from_stages: Vec<&str> =
                    missing.filter_map(|arc| self.definition.graph().arc(*arc).from).map(names).take(8).collect();
                let message = format!("it can wait for ever for a token from {}", from_stages.join(", "));
                self.note(FindingCode::Deadlock, stage, message, from, step);
            }
            Some(EndReason::StageFailed { activation, error: Some(error) })
                if error.code().as_str() == FindingCode::StructureViolation.name() =>
            {
                let (stage, message) = (activation.stage, error.message().to_owned());
                self.note(FindingCode::StructureViolation, Some(stage), message, from, step);
            }
            Some(reason) if reason.code() == FindingCode::OrJoinCycle.name() => {
                let message = "joins can come to wait for each other".to_owned();
                self.note(FindingCode::OrJoinCycle, None, message, from, step);
            }
            Some(_) | None => (),
        }
        let tokens_are_left = events.iter().any(|event| matches!(event, Event::TokensLeft { .. }));
        if state.status() == Status::Succeeded && tokens_are_left && !state.has_stopped() {
            let message = "tokens can be left when it succeeds".to_owned();
            self.note(FindingCode::ImproperEnd, None, message, from, step);
        }
    }

    fn note(&mut self, code: FindingCode, stage: Option<StageIndex>, message: String, from: Option<u32>, step: &Step) {
        let help = help(code, &self.definition, stage);
        let stage = stage.map(|stage| self.definition.graph().stage(stage).ref_id.clone());
        let is_known = |found: &Found| found.finding.code == code && found.finding.stage == stage;
        if self.found.iter().any(is_known) {
            return;
        }
        if !code.is_doubt() && self.error_at.is_none() {
            self.error_at = Some(self.places.len() as u64);
        }
        self.found.push(Found { finding: Finding { code, stage, message, help }, from, step: Some(step.clone()) });
    }

    /// The first place from which no end can be reached.
    fn look_for_livelock(&mut self) {
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.places.len()];
        self.arcs.iter().for_each(|(from, to)| before[*to as usize].push(*from));
        let mut ends: Vec<bool> = self.places.iter().map(|place| place.is_end).collect();
        let mut ahead: Vec<usize> = (0..ends.len()).filter(|place| ends[*place]).collect();
        while let Some(place) = ahead.pop() {
            for from in &before[place] {
                if !std::mem::replace(&mut ends[*from as usize], true) {
                    ahead.push(*from as usize);
                }
            }
        }
        if let Some(place) = ends.iter().position(|ends| !ends) {
            let (from, step) = (self.places[place].from, self.places[place].step.clone());
            let message = "it can come to where no end can be reached any more".to_owned();
            self.note(FindingCode::Livelock, None, message, from, &step);
        }
    }

    fn look_for_dead_stages(&mut self) {
        if !self.is_bounded {
            return;
        }
        // Work is undone where another fails, and of failures not all are tried.
        let mut undoing: BTreeSet<StageIndex> = BTreeSet::new();
        for (place, stage) in (0..).map(StageIndex::new).zip(&self.definition.graph().stages) {
            if stage.phase == StagePhase::Compensate || stage.parent.is_some_and(|parent| undoing.contains(&parent)) {
                undoing.insert(place);
            } else if !self.started.contains(&place) {
                let (code, stage) = (FindingCode::DeadStage, Some(stage.ref_id.clone()));
                let message = "it never starts, whatever happens".to_owned();
                let finding = Finding { code, stage, message, help: code.help() };
                self.found.push(Found { finding, from: None, step: None });
            }
        }
    }

    pub(super) fn has_findings(&self) -> bool {
        !self.found.is_empty()
    }

    /// The verdict on `definition`, of which the explored one is the abstract form.
    pub(super) fn verdict(self, definition: &Definition) -> Verdict {
        let policy = definition.soundness();
        let is_error = |found: &Found| !found.finding.code.is_doubt();
        let outcome = if self.found.iter().any(is_error) {
            CheckOutcome::Unsound
        } else if self.is_complete && self.is_bounded {
            CheckOutcome::Sound
        } else {
            CheckOutcome::Unknown
        };
        let first = self.found.iter().find(|found| is_error(found)).or(self.found.first());
        let witness = first.and_then(|found| self.witness(found));
        let mut findings: Vec<Finding> = self.found.iter().map(|found| found.finding.clone()).collect();
        // Stable: within errors and doubts the shortest way stays first.
        findings.sort_by_key(|finding| finding.code.is_doubt());
        let states = self.places.len() as u64;
        let jumping = definition.graph().stages.iter().filter(|stage| stage.jumps_anywhere);
        let unforeseen = jumping.map(|stage| stage.ref_id.clone()).collect();
        Verdict { outcome, policy, states, bound: self.bound, findings, unforeseen, witness }
    }

    /// The way to a finding, decided once more.
    fn witness(&self, found: &Found) -> Option<Witness> {
        let mut steps = vec![found.step.clone()?];
        let mut place = found.from;
        while let Some(at) = place {
            let before = &self.places[at as usize];
            steps.push(before.step.clone());
            place = before.from;
        }
        let workflow = WorkflowId::from_parts(ORIGIN, 0);
        let mut state = State::new(workflow, self.definition.clone());
        let (mut batches, mut correlated) = (Vec::new(), Correlated::default());
        for step in steps.iter().rev() {
            let mut answers = Answers::scripted(&step.script, &correlated);
            let batch = decide(&mut state, &step.command, &mut answers).ok()?;
            batches.push(batch.into_events());
            correlated = answers.into_correlated();
        }
        Some(Witness { definition: self.definition.clone(), workflow, batches })
    }
}
