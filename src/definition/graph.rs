//! The checked graph the machine walks: stages, arcs, splits, joins and the tasks inside the stages.
//!
//! Built in one place, from a document that has passed validation; whoever holds a graph never re-checks. Stages and
//! arcs are named by index, in definition order.

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::Expression;
use crate::failure::ErrorCode;
use crate::ids::{ArcIndex, LockIndex, SectionIndex, StageIndex, TaskIndex};
use crate::time::Duration;

use super::body::Body;
use super::by_hand::ByHand;
use super::cancellation::{Cancellation, Region, Termination, find_members, find_victims};
use super::choice::{Choices, DeferredChoice};
use super::exclusion::{Exclusion, Lock, Section, find_locks};
pub use super::flow::{ArcKind, Join, LeftoverTokens, OrScope, Reentry};
pub(crate) use super::flow::{Branch, JumpMode, Split, Target};
use super::generations::{Generations, Rest};
use super::instances::{Emission, Instances};
use super::jumps::Jumps;
use super::milestone::{Milestone, watchers};
use super::phase::{BlockId, StagePhase};
use super::rank::ranks;
pub(crate) use super::retry::{RetryOn, RetryPolicy};
use super::shell_text::ShellText;
use super::sub_workflow::SubWorkflow;
use super::template::Template;
use super::times::Times;
use super::trigger::{SignalTrigger, Trigger};
use super::verification::Verification;
use crate::limits::JUMPS;

/// Stages and the arcs between them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Graph {
    /// In definition order; those nested in a stage stand right behind it.
    pub(crate) stages: Vec<GraphStage>,
    /// Grouped by the stage they lead to, in definition order; within a stage in the order of `needs`, then of
    /// `back_from`, of those it takes over from, and of those that jump to it. A stage without `needs` has one arc,
    /// from the start of its block, in their place. Behind all of them those that jumps to anywhere share.
    pub(crate) arcs: Vec<GraphArc>,
    /// `outputs:` of the workflow in byte order of the names; empty if not written.
    pub(crate) outputs: Vec<(String, Template)>,
    /// When a workflow has succeeded.
    pub(crate) termination: Termination,
    /// Stages that are canceled together, in the byte order of their names.
    pub(crate) regions: Vec<Region>,
    /// The stages in the order of their ref ids.
    by_name: Vec<StageIndex>,
    /// The stages that have a trigger by signal, by the name of the signal, in definition order.
    signals: BTreeMap<String, Vec<StageIndex>>,
    /// The stages that signals start, in definition order.
    starts: Vec<StageIndex>,
    /// Where jumps lead.
    jumps: Jumps,
    /// How often tasks of one workflow may jump.
    pub(crate) max_jumps: u32,
    /// What is nested in what.
    blocks: BTreeMap<BlockId, Block>,
    /// What activations hold, one at a time: mutex keys, then interleaved groups, each by name.
    pub(crate) locks: Vec<Lock>,
    /// Stages that hold a lock together, by key and name.
    pub(crate) sections: Vec<Section>,
    /// Whether something in it ends activations, or takes tokens away, of which others go on.
    takes_away: bool,
    /// Which arcs lead to alternatives of a choice.
    choices: Choices,
    /// By stage those whose milestone it makes or ends.
    watchers: BTreeMap<StageIndex, Vec<StageIndex>>,
    /// The stages that a signal ends, by its name, in definition order.
    ended_by: BTreeMap<String, Vec<StageIndex>>,
    /// By stage: no arc leads to a lower one.
    ranks: Vec<u32>,
}

/// The stages that are nested directly in one stage, or in none: a graph of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Block {
    /// In definition order.
    pub(crate) stages: Vec<StageIndex>,
    /// The arcs from its start: each gets a token when the block is opened.
    pub(crate) starts: Vec<ArcIndex>,
}

/// An arc from a stage, or from the start of its block, to a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GraphArc {
    /// Where tokens on this arc come from; `None` is the start, or of a jump any stage that may jump anywhere.
    pub(crate) from: Option<StageIndex>,
    /// The stage that consumes them.
    pub(crate) to: StageIndex,
    /// What kind of way it is.
    pub(crate) kind: ArcKind,
    /// How many tokens may come this way in one scope.
    pub(crate) max_iterations: Option<u32>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GraphStage {
    /// Its name in the graph, unique in the document.
    pub(crate) ref_id: String,
    /// The stage in whose block it stands; `None` is the workflow itself.
    pub(crate) parent: Option<StageIndex>,
    /// Which part of that stage; of the workflow its body.
    pub(crate) phase: StagePhase,
    /// Its name for people.
    pub(crate) name: String,
    /// Type shown to people: as written, or the type of the first task.
    pub(crate) stage_type: String,
    /// Arcs that lead here.
    pub(crate) incoming: Vec<ArcIndex>,
    /// Arcs that start here, in definition order of the stages they lead to.
    pub(crate) outgoing: Vec<ArcIndex>,
    /// When it starts.
    pub(crate) join: Join,
    /// How it counts arrivals: exactly if the join is a discriminator or N out of M.
    pub(crate) generations: Option<Generations>,
    /// Threads that become one, at least 2: exactly if the join is a thread merge.
    pub(crate) merge_count: Option<u32>,
    /// What is known of the branches before an OR-join.
    pub(crate) or_scope: OrScope,
    /// Where control goes from here.
    pub(crate) split: Split,
    /// What its conditions are about: of splits that name the same, conditions with the same text hold alike, for the
    /// checker.
    pub(crate) split_correlation: Option<String>,
    /// Whether it starts again while an activation of it lives.
    pub(crate) reentry: Reentry,
    /// Its instances, if it has several.
    pub(crate) instances: Option<Box<Instances>>,
    /// `if:`; false passes the stage by.
    pub(crate) condition: Option<Expression>,
    /// What an error in a condition of this stage means.
    pub(crate) on_condition_error: OnConditionError,
    /// What it does.
    pub(crate) body: Body,
    /// Where tasks are what it does, never empty: a stage without work has one `noop`. Else empty.
    pub(crate) tasks: Vec<GraphTask>,
    /// The stage's own context, in byte order of the names.
    pub(crate) context: Vec<(String, Template)>,
    /// `outputs:` of the stage, in byte order of the names.
    pub(crate) outputs: Vec<(String, Template)>,
    /// What a failure of the stage means.
    pub(crate) on_failure: OnFailure,
    /// When it starts, and how long it may take; one that has not started in time is passed by.
    pub(crate) times: Times,
    /// What it waits for besides its join.
    pub(crate) trigger: Option<Box<Trigger>>,
    /// What never runs beside it.
    pub(crate) exclusion: Option<Box<Exclusion>>,
    /// `deferred_choice_group`: one of the stages of the group is chosen by what comes first.
    pub(crate) choice_group: Option<String>,
    /// What another stage has to be for it to start.
    pub(crate) milestone: Option<Box<Milestone>>,
    /// 0 to 9, larger first; the workflow's where the stage has none.
    pub(crate) priority: u8,
    /// Whom it ends, what ends it, and where control goes then.
    pub(crate) cancellation: Cancellation,
    /// The arcs over which its tasks may send control elsewhere, ascending.
    pub(crate) jumps: Vec<ArcIndex>,
    /// Whether they may send it to any stage of its block, over arcs that all who may share.
    pub(crate) jumps_anywhere: bool,
    /// What these jumps do.
    pub(crate) jump_mode: JumpMode,
    /// The workflow that is its work; its one task then only stands for it.
    pub(crate) sub_workflow: Option<Box<SubWorkflow>>,
}

/// What an error in a condition means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnConditionError {
    /// The stage fails.
    Fail,
    /// The condition counts as false.
    False,
}

impl OnConditionError {
    /// Every meaning there is.
    pub(super) const ALL: [OnConditionError; 2] = [OnConditionError::Fail, OnConditionError::False];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            OnConditionError::Fail => "fail",
            OnConditionError::False => "false",
        }
    }
}

/// What a failure means for what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// TERMINAL: the scope fails at once.
    Fail,
    /// FAILED_CONTINUE: control goes on as after success.
    Continue,
    /// STOPPED: this branch ends, others go on.
    Stop,
    /// STOPPED, and the workflow is TERMINAL when the other branches are done.
    FailAtEnd,
}

impl OnFailure {
    /// Every meaning there is.
    pub(super) const ALL: [OnFailure; 4] =
        [OnFailure::Fail, OnFailure::Continue, OnFailure::Stop, OnFailure::FailAtEnd];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            OnFailure::Fail => "fail",
            OnFailure::Continue => "continue",
            OnFailure::Stop => "stop",
            OnFailure::FailAtEnd => "fail_at_end",
        }
    }
}

/// One task of a stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GraphTask {
    /// Unique in its stage.
    pub(crate) name: String,
    /// The registered task type that does the work.
    pub(crate) uses: String,
    /// `if:`; false skips the task.
    pub(crate) condition: Option<Expression>,
    /// The text of `with.command` of a task type that runs shell text; `with` then has no `command`.
    pub(crate) shell_text: Option<ShellText>,
    /// `with:`, a map.
    pub(crate) with: Template,
    /// Environment of workflow, defaults, stage and task, inner ones winning; `None` unsets. By byte order of names.
    pub(crate) env: Vec<(String, Option<Template>)>,
    /// Directory, relative to the workflow's.
    pub(crate) cwd: Option<Template>,
    /// The shell that reads the text; `None` is `/bin/sh`.
    pub(crate) shell: Option<String>,
    /// How often and when a failed attempt is tried again.
    pub(crate) retry: RetryPolicy,
    /// Limit of one attempt from its real start.
    pub(crate) timeout: Duration,
    /// What a failure of the task means; the stage's where the task has none.
    pub(crate) on_failure: OnFailure,
    /// `loop_start`: a task after it, or itself, may send its activation back here.
    pub(crate) loop_start: bool,
    /// `loop_end`: no task after it may.
    pub(crate) loop_end: bool,
    /// What is asked of its outputs.
    pub(crate) verification: Option<Box<Verification>>,
}

impl GraphTask {
    /// When it is tried again after a failure with this code.
    pub(crate) fn retry_after(&self, code: &ErrorCode) -> &RetryPolicy {
        let own = self.verification.as_ref().filter(|_| *code == ErrorCode::VERIFICATION_FAILED);
        own.and_then(|verification| verification.retry.as_ref()).unwrap_or(&self.retry)
    }

    /// What people are to do, where they and no worker do the task.
    pub(crate) fn by_hand(&self) -> Option<ByHand> {
        ByHand::of(&self.uses)
    }
}

impl GraphStage {
    /// The block it stands in.
    pub(crate) fn block(&self) -> BlockId {
        BlockId { owner: self.parent, phase: self.phase }
    }

    /// The task to which this one may send its activation back: the first of the loop in which it stands.
    pub(crate) fn loop_around(&self, task: TaskIndex) -> Option<TaskIndex> {
        let own = self.tasks.get(task.index())?;
        if own.loop_start {
            return Some(task);
        }
        let before = (0..task.get()).rev().map(TaskIndex::new);
        let mut inside = before.take_while(|index| !self.tasks[index.index()].loop_end);
        inside.find(|index| self.tasks[index.index()].loop_start)
    }

    /// Does control go on from each of its instances?
    pub(crate) fn emits_per_instance(&self) -> bool {
        self.instances.as_ref().is_some_and(|several| several.emission == Emission::PerInstance)
    }

    /// Is the first task of an activation queued as soon as it begins, whatever it sees?
    pub(crate) fn begins_at_once(&self) -> bool {
        self.body == Body::Tasks
            && self.sub_workflow.is_none()
            && self.tasks.first().is_some_and(|task| task.condition.is_none())
    }

    /// The signal it waits for, if it has a trigger by one.
    pub(crate) fn signal_trigger(&self) -> Option<&SignalTrigger> {
        self.trigger.as_ref()?.signal()
    }

    /// Does something hold an activation until its trigger comes?
    pub(crate) fn is_held_by_a_trigger(&self) -> bool {
        self.trigger.as_ref().is_some_and(|trigger| !trigger.starts())
    }

    /// The locks an activation needs to start, ascending.
    pub(crate) fn locks(&self) -> &[LockIndex] {
        self.exclusion.as_deref().map_or(&[], |exclusion| &exclusion.locks)
    }

    /// The critical section it belongs to.
    pub(crate) fn section(&self) -> Option<SectionIndex> {
        self.exclusion.as_deref()?.member_of
    }

    /// Does something hold an activation, besides its condition and its times?
    pub(crate) fn is_held_by_a_gate(&self) -> bool {
        self.milestone.is_some() || self.is_held_by_a_trigger() || !self.locks().is_empty()
    }

    /// Does its join withdraw what has not arrived when it fires?
    pub(crate) fn withdraws(&self) -> bool {
        self.generations.as_ref().is_some_and(|join| matches!(join.rest, Rest::Withdrawn { .. }))
    }

    /// Does each signal begin a thread of its own here? Then its one arc from the start gets no token at the start.
    pub(crate) fn is_started_by_signals(&self) -> bool {
        self.trigger.as_ref().is_some_and(|trigger| trigger.starts())
    }
}

impl Graph {
    /// The graph of these stages, at most as many as an index can name.
    pub(super) fn new(mut stages: Vec<GraphStage>, mut arcs: Vec<GraphArc>, outputs: Vec<(String, Template)>) -> Graph {
        let mut by_name: Vec<StageIndex> = (0..).zip(&stages).map(|(place, _)| StageIndex::new(place)).collect();
        by_name.sort_by(|one, other| stages[one.index()].ref_id.cmp(&stages[other.index()].ref_id));
        find_victims(&mut stages);
        let (locks, sections) = find_locks(&mut stages);
        let watchers = watchers(&stages);
        let mut signals: BTreeMap<String, Vec<StageIndex>> = BTreeMap::new();
        let mut starts = Vec::new();
        for (place, stage) in (0..).zip(&stages) {
            let Some(trigger) = stage.trigger.as_ref().and_then(|trigger| trigger.signal()) else { continue };
            signals.entry(trigger.signal.clone()).or_default().push(StageIndex::new(place));
            starts.extend(stage.is_started_by_signals().then(|| StageIndex::new(place)));
        }
        let mut blocks: BTreeMap<BlockId, Block> = BTreeMap::new();
        for (place, stage) in (0..).zip(&stages) {
            let block = blocks.entry(stage.block()).or_default();
            block.stages.push(StageIndex::new(place));
            let from_start = stage.incoming.iter().filter(|arc| arcs[arc.index()].from.is_none());
            block.starts.extend(from_start.filter(|_| !stage.is_started_by_signals()));
        }
        let jumps = Jumps::of(&stages, &mut arcs);
        let takes_away = takes_away(&stages, &jumps);
        let (termination, regions) = (Termination::default(), Vec::new());
        let choices = Choices::of(&stages, &arcs);
        let mut ended_by: BTreeMap<String, Vec<StageIndex>> = BTreeMap::new();
        for (place, stage) in (0..).zip(&stages) {
            for signal in &stage.cancellation.boundary.signals {
                ended_by.entry(signal.clone()).or_default().push(StageIndex::new(place));
            }
        }
        let ranks = ranks(&stages, &arcs);
        Graph {
            stages,
            arcs,
            outputs,
            termination,
            regions,
            by_name,
            signals,
            starts,
            jumps,
            max_jumps: JUMPS,
            blocks,
            locks,
            sections,
            takes_away,
            choices,
            watchers,
            ended_by,
            ranks,
        }
    }

    /// A number that is never lower than that of a stage from which one can come here.
    pub(crate) fn rank(&self, stage: StageIndex) -> u32 {
        self.ranks[stage.index()]
    }

    /// The same with another rule for its end, these regions, and so many jumps.
    pub(super) fn with_rules(self, termination: Termination, mut regions: Vec<Region>, max_jumps: u32) -> Graph {
        find_members(&self.stages, &mut regions);
        Graph { termination, regions, max_jumps, ..self }
    }

    /// The stages whose milestone this stage makes or ends, in definition order.
    pub(crate) fn watchers(&self, stage: StageIndex) -> &[StageIndex] {
        self.watchers.get(&stage).map_or(&[], Vec::as_slice)
    }

    /// Has any stage a milestone?
    pub(crate) fn has_milestones(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// The stages that have a trigger by a signal of this name, in definition order.
    pub(crate) fn triggered_by(&self, signal: &str) -> &[StageIndex] {
        self.signals.get(signal).map_or(&[], Vec::as_slice)
    }

    /// The choice to one of whose alternatives this arc leads.
    pub(crate) fn choice_of(&self, arc: ArcIndex) -> Option<&DeferredChoice> {
        self.choices.of_arc(arc)
    }

    /// All deferred choices.
    pub(crate) fn choices(&self) -> &[DeferredChoice] {
        self.choices.all()
    }

    /// The stages that a signal of this name ends, in definition order.
    pub(crate) fn ended_by(&self, signal: &str) -> &[StageIndex] {
        self.ended_by.get(signal).map_or(&[], Vec::as_slice)
    }

    /// The stages that signals start, in definition order.
    pub(crate) fn started_by_signals(&self) -> &[StageIndex] {
        &self.starts
    }

    /// The arcs over which jumps come to `stage`, ascending.
    pub(crate) fn jumps_to(&self, stage: StageIndex) -> &[ArcIndex] {
        self.jumps.to(stage)
    }

    /// The arc over which jumps come to `stage` from those of its block that may jump anywhere.
    pub(crate) fn jump_from_anywhere(&self, stage: StageIndex) -> Option<ArcIndex> {
        self.jumps_to(stage).last().copied().filter(|arc| self.arc(*arc).comes_from_anywhere())
    }

    /// May tasks of `from` jump over this arc, whether it was declared for them or not?
    pub(crate) fn may_jump(&self, from: StageIndex, way: GraphArc) -> bool {
        let stage = self.stage(from);
        let shares = way.from.is_none() && stage.jumps_anywhere && stage.block() == self.stage(way.to).block();
        way.kind == ArcKind::Jump && (way.from == Some(from) || shares)
    }

    /// The same as long as nobody jumps who may do so to anywhere.
    pub(crate) fn without_jumps_to_anywhere(mut self) -> Graph {
        self.stages.iter_mut().for_each(|stage| stage.jumps_anywhere = false);
        // They stand behind all others.
        self.arcs.retain(|arc| !arc.comes_from_anywhere());
        self.jumps = Jumps::of(&self.stages, &mut self.arcs);
        self.takes_away = takes_away(&self.stages, &self.jumps);
        self
    }

    /// May tasks of any stage jump?
    pub(crate) fn has_jumps(&self) -> bool {
        !self.jumps.is_empty()
    }

    /// The stages to which jumps rewind.
    pub(crate) fn rewound_to(&self) -> &BTreeSet<StageIndex> {
        &self.jumps.rewound_to
    }

    /// The stages from which control may come to `stage` directly.
    pub(crate) fn before(&self, stage: StageIndex) -> impl Iterator<Item = StageIndex> + '_ {
        let arcs = self.stage(stage).incoming.iter().chain(self.jumps_to(stage));
        arcs.filter_map(|arc| self.arc(*arc).from)
    }

    /// The stages of a block; none, if there is no such block.
    pub(crate) fn block(&self, block: BlockId) -> &Block {
        const NOTHING: &Block = &Block { stages: Vec::new(), starts: Vec::new() };
        self.blocks.get(&block).unwrap_or(NOTHING)
    }

    /// Has the stage this part?
    pub(crate) fn has_phase(&self, stage: StageIndex, phase: StagePhase) -> bool {
        self.blocks.contains_key(&BlockId::of(stage, phase))
    }

    /// Has the stage stages of its own, be it for its work or for the end of the workflow?
    pub(crate) fn has_blocks(&self, stage: StageIndex) -> bool {
        let parts = [StagePhase::Body, StagePhase::Compensate];
        self.has_phases(stage) || parts.into_iter().any(|phase| self.has_phase(stage, phase))
    }

    /// Is something done when the workflow ends, however that comes?
    pub(crate) fn has_finally(&self) -> bool {
        self.blocks.contains_key(&BlockId::FINALLY)
    }

    /// Has the stage stages beside its own work?
    pub(crate) fn has_phases(&self, stage: StageIndex) -> bool {
        StagePhase::BESIDE.into_iter().any(|phase| self.has_phase(stage, phase))
    }

    /// Does something in it end activations, or take tokens away, of which others go on?
    pub(crate) fn takes_away(&self) -> bool {
        self.takes_away
    }

    /// A graph of other stages and arcs, without outputs.
    pub(crate) fn with(&self, stages: Vec<GraphStage>, arcs: Vec<GraphArc>) -> Graph {
        Graph::new(stages, arcs, Vec::new()).with_rules(self.termination, self.regions.clone(), self.max_jumps)
    }

    /// The stage with this index. The machine only holds indices of its own definition.
    pub(crate) fn stage(&self, stage: StageIndex) -> &GraphStage {
        &self.stages[stage.index()]
    }

    /// The arc with this index.
    pub(crate) fn arc(&self, arc: ArcIndex) -> GraphArc {
        self.arcs[arc.index()]
    }

    /// The stage with this ref id.
    pub(crate) fn stage_index(&self, ref_id: &str) -> Option<StageIndex> {
        let name_of = |stage: &StageIndex| self.stage(*stage).ref_id.as_str();
        let place = self.by_name.binary_search_by(|stage| name_of(stage).cmp(ref_id)).ok()?;
        Some(self.by_name[place])
    }

    /// The stages that `stage` needs, in the order of `needs`.
    pub(crate) fn needs(&self, stage: StageIndex) -> impl Iterator<Item = StageIndex> {
        self.sources(stage, ArcKind::Forward).filter_map(|arc| arc.from)
    }

    /// The arcs that lead back to `stage`, in the order of `back_from`.
    pub(crate) fn back_from(&self, stage: StageIndex) -> impl Iterator<Item = GraphArc> {
        self.sources(stage, ArcKind::Back)
    }

    fn sources(&self, stage: StageIndex, kind: ArcKind) -> impl Iterator<Item = GraphArc> {
        let incoming = self.stage(stage).incoming.iter().map(|arc| self.arc(*arc));
        incoming.filter(move |arc| arc.kind == kind)
    }

    /// The stages from which a path of arcs leads to `stage`, in definition order. Found by walking: kept for every
    /// stage, a chain would cost the square of its length.
    pub(crate) fn ancestors(&self, stage: StageIndex) -> Vec<StageIndex> {
        let mut found = BTreeSet::new();
        let mut ahead = vec![stage];
        while let Some(stage) = ahead.pop() {
            let before = self.stage(stage).incoming.iter().filter_map(|arc| self.arc(*arc).from);
            ahead.extend(before.filter(|from| found.insert(*from)));
        }
        found.into_iter().collect()
    }

    /// The task with this index in `stage`.
    pub(crate) fn task(&self, stage: StageIndex, task: TaskIndex) -> &GraphTask {
        &self.stages[stage.index()].tasks[task.index()]
    }
}

/// Does something end activations, or take tokens away, of which others go on?
fn takes_away(stages: &[GraphStage], jumps: &Jumps) -> bool {
    !jumps.is_empty() || stages.iter().any(|stage| !stage.cancellation.is_none() || stage.withdraws())
}
