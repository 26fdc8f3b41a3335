//! What is true of every decision and of every course, written once: for properties, for fuzzers, for your workflows.
//!
//! Each law takes what it speaks of and panics where it does not hold.

use crate::definition::{BlockId, StagePhase};
use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{ArcKind, Graph, GraphStage};
use crate::event::{Arrival, Consumed, Emitted, Event, Firing, Rewound, SignalMessage, SignalRecipient};
use crate::ids::{ActivationId, ArcIndex, ScopeId, Sequence, StageIndex};
use crate::machine::{
    Answers, AttemptStage, Batch, Command, Rejection, Request, State, WaitReason, Work, decide, evolve, outstanding,
    waits,
};

use super::course::Course;
use super::moves::Move;
use super::releases::release;

/// One decision: what was asked, and the state before and after.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'d> {
    /// The state that decided.
    pub before: &'d State,
    /// What it was asked.
    pub command: &'d Command,
    /// What it said.
    pub outcome: &'d Result<Batch, Rejection>,
    /// The state it left.
    pub after: &'d State,
}

/// A law of single decisions.
pub type Law = fn(Decided<'_>);

/// Every law of single decisions.
pub const LAWS: [Law; 10] = [
    a_refusal_changes_nothing,
    a_batch_is_one_input_and_its_consequences,
    folding_gives_the_state,
    deciding_again_gives_the_same,
    input_and_command_are_one,
    a_repeated_command_acts_once,
    what_lives_asks_for_something,
    what_has_ended_stays_so,
    what_is_open_says_why,
    what_is_paused_lets_nothing_begin,
];

/// The course of these moves, with these laws held against every decision.
///
/// # Panics
///
/// If a law does not hold.
pub fn lawful(mut course: Course, moves: &[Move], laws: &[Law]) -> Course {
    let create = course.creation_command();
    held(&mut course, create, laws);
    for tried in moves {
        let command = course.command(*tried);
        held(&mut course, command, laws);
    }
    course
}

/// The course after a command, with these laws held against the decision.
fn held(course: &mut Course, command: Command, laws: &[Law]) {
    let before = course.state().clone();
    let mut after = before.clone();
    let outcome = decide(&mut after, &command, &mut Answers::computed());
    for law in laws {
        law(Decided { before: &before, command: &command, outcome: &outcome, after: &after });
    }
    // A refusal is as good as any other outcome here.
    let _ = course.decide(command);
    assert!(*course.state() == after, "the same state decides in two ways");
}

/// After a refusal everything is as it was.
///
/// # Panics
///
/// If it is not so.
pub fn a_refusal_changes_nothing(decided: Decided<'_>) {
    if decided.outcome.is_err() {
        assert!(decided.before == decided.after, "refused, and changed: {:?}", decided.command);
    }
}

/// R1 and R4: the first event of a batch is an input, no other is, and its size is bounded.
///
/// # Panics
///
/// If it is not so.
pub fn a_batch_is_one_input_and_its_consequences(decided: Decided<'_>) {
    let Ok(batch) = decided.outcome else { return };
    let (first, rest) = batch.events().split_first().expect("a batch is never empty");
    assert!(first.is_input() && !rest.iter().any(Event::is_input), "{:?}", batch.events());
    let definition = decided.after.definition();
    // The last micro-step may go beyond the limit by all tasks of a stage, its beginning and its end.
    let n_tasks = definition.graph().stages.iter().map(|stage| stage.tasks.len()).max().unwrap_or(0) as u64;
    let most = definition.limits().chunk_events_max + n_tasks + 6;
    assert!(batch.events().len() as u64 <= most, "{} events", batch.events().len());
}

/// P1: folding the events of a batch into the state before it gives the state after it.
///
/// # Panics
///
/// If it is not so.
pub fn folding_gives_the_state(decided: Decided<'_>) {
    let Ok(batch) = decided.outcome else { return };
    let mut folded = decided.before.clone();
    for event in batch.events() {
        evolve(&mut folded, event).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(folded == *decided.after, "the fold differs from the state after {:?}", decided.command);
}

/// P2: the same state gives the same answer to the same command.
///
/// # Panics
///
/// If it is not so.
pub fn deciding_again_gives_the_same(decided: Decided<'_>) {
    let mut again = decided.before.clone();
    let outcome = decide(&mut again, decided.command, &mut Answers::computed());
    assert_eq!(outcome, *decided.outcome);
    assert!(again == *decided.after, "the same answer, another state, to {:?}", decided.command);
}

/// R1: an accepted command and its input are made from each other, and deciding again on the command that was made
/// from the input gives the same batch.
///
/// # Panics
///
/// If it is not so.
pub fn input_and_command_are_one(decided: Decided<'_>) {
    let Ok(batch) = decided.outcome else { return };
    let rebuilt = Command::from_input(&batch.events()[0]).expect("the first event of a batch is an input");
    let now = decided.before.now().map_or(decided.command.now, |before| before.max(decided.command.now));
    assert_eq!(rebuilt, Command { now, ..decided.command.clone() });
    let mut again = decided.before.clone();
    let outcome = decide(&mut again, &rebuilt, &mut Answers::computed());
    assert_eq!(outcome.as_ref(), Ok(batch));
    for derived in &batch.events()[1..] {
        assert_eq!(Command::from_input(derived), None);
    }
}

/// P7: what was accepted is refused when it comes again: by its id, with the place of the first, or, where it has none
/// and is about one thing, by what it is about.
///
/// # Panics
///
/// If it is not so.
pub fn a_repeated_command_acts_once(decided: Decided<'_>) {
    let Ok(batch) = decided.outcome else { return };
    if decided.command.id.is_none() && decided.command.request == Request::ContinueSettling {
        // It is about whatever is to be continued.
        return;
    }
    if let (None, Request::Signal(SignalMessage { id: None, .. })) = (decided.command.id, &decided.command.request) {
        // Two signals that say the same are two.
        return;
    }
    let mut again = decided.after.clone();
    let outcome = decide(&mut again, decided.command, &mut Answers::computed());
    let rejection = outcome.expect_err("a command acts once");
    assert!(again == *decided.after, "repeated, and changed: {:?}", decided.command);
    if decided.command.id.is_some() && decided.after.definition().limits().commands_remembered > 0 {
        let length = batch.events().len() as u64;
        let first = decided.after.sequence().map_or(0, Sequence::get) + 1 - length;
        assert_eq!(rejection, Rejection::Repeated { first: Sequence::new(first).expect("sequences begin at 1") });
    }
}

/// A workflow that has begun and not ended asks the world for something, and its state is sound.
///
/// # Panics
///
/// If it is not so.
pub fn what_lives_asks_for_something(decided: Decided<'_>) {
    let state = decided.after;
    if let Err(broken) = state.check() {
        panic!("{broken} after {:?}", decided.command);
    }
    if state.sequence().is_some() && !state.is_closed() {
        // A paused one may ask for nothing but to go on, and for nothing at all one whose stages wait for each other's
        // milestones, or where a section waits for a stage that it keeps out: `check` names both (LOCK_ORDER).
        let holds = |reason: &WaitReason| matches!(reason, WaitReason::Milestone { .. } | WaitReason::Lock { .. });
        let is_held = || waits(state).iter().any(|wait| holds(wait.reason()));
        let asks = outstanding(state).next().is_some() || state.is_paused() || is_held();
        assert!(asks, "nothing to do after {:?}, though {:?} waits", decided.command, waits(state));
    }
}

/// R16: while a workflow is paused no attempt is handed out and no gate opens.
///
/// # Panics
///
/// If it is not so.
pub fn what_is_paused_lets_nothing_begin(decided: Decided<'_>) {
    if !decided.after.is_paused() {
        return;
    }
    for work in outstanding(decided.after) {
        let begins = matches!(work, Work::RunTask { stage: AttemptStage::Queued, .. });
        assert!(!begins, "asked for in a pause: {work:?}");
    }
    for event in decided.outcome.iter().flat_map(Batch::events) {
        let opens = matches!(event, Event::StageStarted { consumed: Consumed::Ready, .. });
        assert!(!opens, "a gate opens in a pause: {event:?}");
    }
}

/// P3 with R12: a workflow that has ended asks for nothing and takes nothing but late outcomes.
///
/// # Panics
///
/// If it is not so.
pub fn what_has_ended_stays_so(decided: Decided<'_>) {
    if decided.after.is_closed() {
        assert_eq!(outstanding(decided.after).count(), 0);
        assert!(!decided.after.is_unsettled());
    }
    if decided.before.is_closed() && decided.outcome.is_ok() {
        let late = matches!(decided.command.request, Request::DiscardResult(_));
        assert!(late, "accepted after the end: {:?}", decided.command);
        assert_eq!(decided.before.end_reason(), decided.after.end_reason());
        assert_eq!(decided.before.status(), decided.after.status());
    }
}

/// R20: exactly what is not closed waits for something; all that lives and every token is told of; and for each entry
/// there is something that the workflow accepts and that removes or changes the entry.
///
/// # Panics
///
/// If it is not so.
pub fn what_is_open_says_why(decided: Decided<'_>) {
    let state = decided.after;
    let found = waits(state);
    assert_eq!(found.is_empty(), state.is_closed() || state.sequence().is_none(), "after {:?}", decided.command);
    let graph = state.definition().graph();
    let name = |stage: StageIndex| graph.stage(stage).ref_id.as_str();
    for live in state.live() {
        let is_told =
            found.iter().any(|wait| wait.activation() == Some(live.number) && wait.stage() == Some(name(live.stage)));
        assert!(is_told, "nothing tells why {}#{} does not move", name(live.stage), live.number);
    }
    // What has ended may wait for those it called; its tokens do not move any more.
    for (_, arc, _) in state.tokens().filter(|_| !state.status().is_complete()) {
        let stage = name(graph.arc(arc).to);
        let is_told = found.iter().any(|wait| wait.activation().is_none() && wait.stage() == Some(stage));
        assert!(is_told, "nothing tells why a token waits at {stage}");
    }
    for wait in &found {
        release(state, wait);
    }
}

/// What becomes of a signal is said at once, and then once at most: it is taken by one, lost, or kept until it is taken
/// or listed at the end. Those of which nothing tells one from another are taken in the order in which they came.
///
/// # Panics
///
/// If it is not so.
pub fn signals_are_taken_once(course: &Course) {
    let graph = course.state().definition().graph();
    let correlates = |stage: &GraphStage| stage.signal_trigger().is_some_and(|trigger| trigger.correlate.is_some());
    let is_plain = !graph.stages.iter().any(correlates);
    let mut kept: BTreeMap<Sequence, &SignalMessage> = BTreeMap::new();
    let mut arrived = None;
    let taken = |kept: &mut BTreeMap<Sequence, &SignalMessage>, signal: &Sequence| {
        let message = kept.remove(signal).expect("what is taken is kept, or has just come");
        let alike = |other: &&SignalMessage| {
            (&other.name, other.target, other.durability) == (&message.name, message.target, message.durability)
        };
        let passed = kept.range(..*signal).find(|(_, other)| alike(other));
        assert!(!is_plain || passed.is_none(), "an older one alike stays: {}", course.story());
    };
    for (event, place) in course.events().iter().zip(1..) {
        let place = Sequence::new(place).expect("sequences begin at 1");
        if let Some(signal) = arrived.take() {
            let said = match event {
                Event::SignalDelivered { signal, .. }
                | Event::SignalBuffered { signal }
                | Event::SignalDiscarded { signal } => *signal,
                _ => panic!("nothing says what becomes of a signal: {}", course.story()),
            };
            assert_eq!(said, signal, "{}", course.story());
        }
        match event {
            Event::SignalReceived(_, message) => {
                arrived = Some(place);
                kept.insert(place, message);
            }
            // Who is ended by a signal takes none that came before.
            Event::SignalDelivered { signal, to: SignalRecipient::Boundary(_) } => {
                assert!(kept.remove(signal).is_some(), "{}", course.story());
            }
            Event::SignalDelivered { signal, .. } => taken(&mut kept, signal),
            Event::SignalBuffered { signal } => assert!(kept.contains_key(signal)),
            Event::SignalDiscarded { signal } => assert!(kept.remove(signal).is_some()),
            Event::SignalsLeft { signals } => {
                signals.iter().for_each(|signal| assert!(kept.remove(signal).is_some(), "{}", course.story()));
            }
            _ => (),
        }
    }
    let is_over = course.state().is_closed();
    assert!(!is_over || kept.is_empty(), "what nobody took is listed at the end: {}", course.story());
}

/// P6: what the events say was put on each arc, less what they say was taken from it, lies there; nothing is taken that
/// is not there; no token lies in two places; what lies somewhere at the end is listed.
///
/// # Panics
///
/// If it is not so.
pub fn tokens_are_conserved(course: &Course) {
    let mut counted = Counted::of(course);
    for event in course.events() {
        counted.follow(event);
    }
    assert_eq!(course.state().token_turnover(), (counted.produced, counted.consumed), "{}", course.story());
    let mut lying: BTreeMap<(ScopeId, ArcIndex), u64> = BTreeMap::new();
    let mut numbers: Vec<u64> = Vec::new();
    for (scope, arc, number) in course.state().tokens() {
        *lying.entry((scope, arc)).or_default() += 1;
        numbers.push(number);
    }
    counted.on_arcs.retain(|_, count| *count > 0);
    assert_eq!(lying, counted.on_arcs, "{}", course.story());
    // What it still waits for, once it has ended, moves no tokens.
    let left = if course.state().status().is_complete() { lying } else { BTreeMap::new() };
    assert_eq!(counted.left, left, "what is left at the end is listed: {}", course.story());
    numbers.sort_unstable();
    assert!(numbers.is_sorted_by(|one, next| one < next), "a token lies in two places");
    assert!(numbers.last().is_none_or(|last| *last <= counted.produced));
}

struct Counted<'g> {
    course: &'g Course,
    graph: &'g Graph,
    on_arcs: BTreeMap<(ScopeId, ArcIndex), u64>,
    /// What was listed as left, of scopes that are open or have ended with the workflow.
    left: BTreeMap<(ScopeId, ArcIndex), u64>,
    /// The scope of each activation that lives, and the one that is open inside it.
    scopes: BTreeMap<ActivationId, ScopeId>,
    inside: BTreeMap<ActivationId, ScopeId>,
    /// What joins have counted in their generation.
    counted: BTreeMap<(ScopeId, StageIndex), Arrived>,
    /// The scope of each activation that has ever begun.
    owners: BTreeMap<ActivationId, ScopeId>,
    produced: u64,
    consumed: u64,
}

/// One generation of a join that counts arrivals.
#[derive(Default)]
struct Arrived {
    arcs: BTreeSet<ArcIndex>,
    fired: bool,
    /// Arcs of which a choice has taken a token while others lie there: what was counted may be what it took, and then
    /// the next token arrives.
    unsure: BTreeSet<ArcIndex>,
}

impl Arrived {
    fn count(&mut self, arc: ArcIndex) -> bool {
        self.arcs.insert(arc) || self.unsure.remove(&arc)
    }
}

impl<'g> Counted<'g> {
    fn of(course: &'g Course) -> Counted<'g> {
        let graph = course.state().definition().graph();
        let (on_arcs, left, scopes, inside, counted, owners) = Default::default();
        Counted { course, graph, on_arcs, left, scopes, inside, counted, owners, produced: 0, consumed: 0 }
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::WorkflowStarted => self.put(ScopeId::ROOT, &self.graph.block(BlockId::ROOT).starts),
            Event::ScopeOpened { .. } | Event::PhaseStarted { .. } | Event::ScopeClosed { .. } => self.nest(event),
            Event::WorkflowEnding { .. }
            | Event::CompensationStarted { .. }
            | Event::CompensationEnded { .. }
            | Event::FinallyStarted { .. }
            | Event::FinallyEnded { .. } => self.wind_up(event),
            Event::StageReady { activation, scope, consumed } | Event::StageStarted { activation, scope, consumed } => {
                self.scopes.insert(*activation, *scope);
                self.owners.insert(*activation, *scope);
                self.take(*scope, activation.stage, consumed);
            }
            Event::StageEnded { activation, emitted, .. } | Event::StageCanceled { activation, emitted, .. } => {
                let scope = self.end(*activation);
                let stage = self.graph.stage(activation.stage);
                let arcs = match emitted {
                    Emitted::All => {
                        assert!(!stage.outgoing.is_empty());
                        stage.outgoing.as_slice()
                    }
                    Emitted::Arcs(arcs) => arcs,
                    Emitted::Nothing => &[],
                };
                let jumps = arcs.iter().any(|arc| self.graph.arc(*arc).kind == ArcKind::Jump);
                let is_split = matches!(event, Event::StageEnded { .. }) && !jumps;
                let tokens = if is_split { stage.split.tokens_per_arc() } else { 1 };
                (0..tokens).for_each(|_| self.put(scope, arcs));
            }
            Event::JoinArrived { scope, arc, arrival } => {
                let stage = self.graph.arc(*arc).to;
                let counted = self.counted.entry((*scope, stage)).or_default();
                assert!(counted.count(*arc), "a generation counts an arc once: {}", self.course.story());
                assert_eq!(counted.fired, *arrival == Arrival::Late, "what comes late is not counted");
                if *arrival == Arrival::Late {
                    self.take_from(*scope, &[*arc]);
                }
            }
            Event::JoinReset { scope, stage, .. } => {
                let counted = self.counted.remove(&(*scope, *stage)).unwrap_or_default();
                assert!(counted.fired || counted.arcs.is_empty(), "what was counted is neither lost nor counted again");
            }
            Event::TokensRemoved { scope, removed, .. } => {
                for left in removed {
                    (0..left.tokens).for_each(|_| self.take_from(*scope, &[left.arc]));
                    let counted = self.counted.entry((*scope, self.graph.arc(left.arc).to)).or_default();
                    if !counted.fired {
                        counted.arcs.remove(&left.arc);
                    }
                }
            }
            Event::JumpExecuted { source, rewound: Some(rewound), .. } => self.undo(self.scopes[source], rewound),
            Event::ChoiceMade { winner, withdrawn, .. } => self.withdraw(self.scopes[winner], withdrawn),
            Event::SignalDelivered { to: SignalRecipient::Start(stage), .. } => {
                let arc = self.graph.stage(*stage).incoming[0];
                self.put(ScopeId::ROOT, &[arc]);
            }
            Event::TokensLeft { scope, left } => {
                let mut listed = left.iter().map(|left| self.left.insert((*scope, left.arc), left.tokens.into()));
                assert!(listed.all(|before| before.is_none()), "an arc is listed once");
            }
            _ => {}
        }
    }

    /// What is done before the end, where the root is over.
    fn wind_up(&mut self, event: &Event) {
        match event {
            Event::WorkflowEnding { .. } => self.drop_scope(ScopeId::ROOT),
            Event::CompensationStarted { scope, activation } => {
                let block = BlockId::of(activation.stage, StagePhase::Compensate);
                self.put(*scope, &self.graph.block(block).starts);
            }
            Event::FinallyStarted { scope } => self.put(*scope, &self.graph.block(BlockId::FINALLY).starts),
            Event::CompensationEnded { scope, .. } | Event::FinallyEnded { scope, .. } => self.drop_scope(*scope),
            _ => {}
        }
    }

    /// What is opened and closed inside activations.
    fn nest(&mut self, event: &Event) {
        match event {
            Event::ScopeOpened { scope, owner } => {
                assert_eq!(
                    self.inside.insert(*owner, *scope),
                    None,
                    "one scope at a time is open inside an activation"
                );
                self.put(*scope, &self.graph.block(BlockId::of(owner.stage, StagePhase::Body)).starts);
            }
            Event::PhaseStarted { scope, owner, phase, .. } => {
                // A scope in which a deadline has ended everything may stand there still.
                if let Some(earlier) = self.inside.insert(*owner, *scope) {
                    self.drop_scope(earlier);
                }
                self.put(*scope, &self.graph.block(BlockId::of(owner.stage, *phase)).starts);
            }
            Event::ScopeClosed { scope, owner, .. } => {
                assert_eq!(self.inside.remove(owner), Some(*scope));
                self.drop_scope(*scope);
            }
            _ => {}
        }
    }

    /// The activation ends, and with it what lies inside it; its scope.
    fn end(&mut self, id: ActivationId) -> ScopeId {
        if let Some(inside) = self.inside.remove(&id) {
            self.drop_scope(inside);
        }
        // An instance may go on after its activation has ended.
        let scope = if id.instance.is_some() { self.owners.get(&id.owner()).copied() } else { self.scopes.remove(&id) };
        scope.expect("what ends has begun")
    }

    /// What lies in a scope that is over has been listed.
    fn drop_scope(&mut self, scope: ScopeId) {
        let of_scope = |tokens: &mut BTreeMap<(ScopeId, ArcIndex), u64>| {
            let dropped = tokens.extract_if(.., |(of, _), _| *of == scope);
            dropped.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(of_scope(&mut self.on_arcs), of_scope(&mut self.left), "what is left in a scope is listed");
        assert!(!self.scopes.values().any(|of| *of == scope), "what lives in a scope ends before it");
    }

    fn withdraw(&mut self, scope: ScopeId, arcs: &[ArcIndex]) {
        for arc in arcs {
            let count = self.on_arcs.get_mut(&(scope, *arc)).filter(|count| **count > 0);
            let lies = count.unwrap_or_else(|| panic!("only what lies is withdrawn: {}", self.course.story()));
            *lies -= 1;
            let is_empty = *lies == 0;
            self.consumed += 1;
            // A join that has fired has counted for a generation that is over.
            let counted = self.counted.get_mut(&(scope, self.graph.arc(*arc).to)).filter(|counted| !counted.fired);
            match counted {
                Some(counted) if is_empty => drop(counted.arcs.remove(arc)),
                Some(counted) if counted.arcs.contains(arc) => drop(counted.unsure.insert(*arc)),
                _ => (),
            }
        }
    }

    /// A jump has gone back.
    fn undo(&mut self, scope: ScopeId, rewound: &Rewound) {
        rewound.removed.iter().for_each(|token| self.take_from(scope, &[token.arc]));
        rewound.put_back.iter().for_each(|put| self.put(scope, &[put.arc]));
        for join in &rewound.joins {
            let counted = self.counted.entry((scope, join.stage)).or_default();
            for arc in &join.forgotten {
                assert!(counted.arcs.remove(arc), "only what was counted is forgotten");
            }
            if join.firing == Firing::Undone {
                assert!(counted.fired, "only a firing is undone");
                counted.fired = false;
            }
        }
    }

    fn put(&mut self, scope: ScopeId, arcs: &[ArcIndex]) {
        for arc in arcs {
            *self.on_arcs.entry((scope, *arc)).or_default() += 1;
            self.produced += 1;
        }
    }

    fn take(&mut self, scope: ScopeId, stage: StageIndex, consumed: &Consumed) {
        let spec = self.graph.stage(stage);
        let arcs: Vec<ArcIndex> = match consumed {
            Consumed::OnePerArc => spec.incoming.clone(),
            Consumed::Arcs(arcs) => arcs.clone(),
            Consumed::Jump { jump, arcs, .. } => {
                let counted = self.counted.remove(&(scope, stage)).filter(|counted| !counted.fired);
                let mut counted = counted.map(|counted| counted.arcs).unwrap_or_default();
                counted.retain(|arc| !arcs.contains(arc));
                assert!(counted.is_empty(), "a jump takes along what was counted");
                arcs.iter().chain([jump]).copied().collect()
            }
            Consumed::Ready => return,
            Consumed::Held => {
                let counted = self.counted.entry((scope, stage)).or_default();
                assert!(!counted.fired, "a generation fires once");
                counted.fired = true;
                counted.arcs.iter().copied().collect()
            }
            Consumed::Threads(_) => vec![spec.incoming[0]; spec.merge_count.expect("it merges threads") as usize],
        };
        assert!(!arcs.is_empty());
        assert!(arcs.iter().all(|arc| self.graph.arc(*arc).to == stage));
        self.take_from(scope, &arcs);
    }

    fn take_from(&mut self, scope: ScopeId, arcs: &[ArcIndex]) {
        for arc in arcs {
            let count = self.on_arcs.get_mut(&(scope, *arc)).filter(|count| **count > 0);
            let lies = count.unwrap_or_else(|| panic!("only what lies on an arc is taken: {}", self.course.story()));
            *lies -= 1;
            self.consumed += 1;
        }
    }
}
