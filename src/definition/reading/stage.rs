//! Reads stages: their place in the graph, their tasks, their data.

use super::Reader;
use super::cancellation::CancellationDraft;
use super::cycles::BackDraft;
use super::data::Named;
use super::exclusion::ExclusionDraft;
use super::generations::GenerationsDraft;
use super::keys::{Fields, STAGE};
use super::loops::LOOP_TYPE;
use super::synchronizing::OrDraft;
use super::task::{Inherited, noop};
use crate::definition::body::Body;
use crate::definition::cancellation::Cancellation;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node, Span};
use crate::definition::graph::{
    GraphStage, GraphTask, Join, JumpMode, OnConditionError, OnFailure, OrScope, Reentry, Split,
};
use crate::definition::instances::Instances;
use crate::definition::phase::StagePhase;
use crate::definition::site::{Site, StageSite};
use crate::definition::times::Times;
use crate::expression::Expression;
use crate::ids::StageIndex;
use crate::limits::TASKS_PER_STAGE_MAX;

/// A stage whose fields have been read; the arcs are not there yet.
pub(in crate::definition) struct StageDraft<'d> {
    /// Without arcs and split.
    pub(in crate::definition) stage: GraphStage,
    /// Where its ref id stands.
    pub(in crate::definition) span: &'d Span,
    pub(in crate::definition) needs: Vec<Named<'d>>,
    pub(in crate::definition) back_from: Vec<BackDraft<'d>>,
    /// Where its tasks may send control.
    pub(in crate::definition) jump_targets: Vec<BackDraft<'d>>,
    pub(in crate::definition) split: SplitDraft<'d>,
    pub(in crate::definition) cancellation: CancellationDraft<'d>,
    pub(in crate::definition) exclusion: ExclusionDraft<'d>,
    pub(in crate::definition) choice_group: Option<Named<'d>>,
    /// The stage in whose block it stands, by its place.
    pub(in crate::definition) parent: Option<usize>,
    /// What is said of the branches of an OR-join.
    pub(in crate::definition) or: Option<OrDraft<'d>>,
    /// Of a join that counts arrivals.
    pub(in crate::definition) generations: Option<GenerationsDraft<'d>>,
}

/// The blocks of a stage in the order of their phases, and what their stages have of the levels outside.
pub(super) struct Nested<'d> {
    pub(super) blocks: Vec<Part<'d>>,
    pub(super) inherited: Inherited,
    pub(super) priority: u8,
}

/// A part of the work of a stage that is stages itself.
pub(super) struct Part<'d> {
    pub(super) phase: StagePhase,
    /// Its stages, or the only one.
    pub(super) node: &'d Node,
    /// The ref id of the only one; empty where it says that itself.
    pub(super) only: Option<String>,
}

/// What surrounds a stage.
#[derive(Clone, Copy)]
pub(super) struct Outer<'a> {
    pub(super) inherited: &'a Inherited,
    pub(super) priority: u8,
    /// The stage in whose block it stands, by its place.
    pub(super) parent: Option<usize>,
    /// Which part of that stage.
    pub(super) phase: StagePhase,
    /// Is it done when the workflow ends?
    pub(super) is_at_the_end: bool,
}

/// The fields of a split as they were written.
pub(in crate::definition) enum SplitDraft<'d> {
    /// One token on every outgoing arc.
    And,
    /// So many tokens on every outgoing arc.
    Thread { count: u32 },
    /// The same, and one of them is taken.
    Deferred,
    /// By conditions.
    Conditional {
        kind: Conditional,
        /// Where the split is declared.
        span: &'d Span,
        conditions: Vec<(Named<'d>, Option<Expression>)>,
        default: Option<Named<'d>>,
        order: Option<(&'d Node, Vec<Named<'d>>)>,
    },
}

/// How many branches of a split with conditions are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::definition) enum Conditional {
    /// The first whose condition holds.
    Xor,
    /// All whose conditions hold.
    Or,
}

/// The names of a stage's outgoing control where `split_type` says which.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SplitType {
    And,
    Deferred,
    Conditional(Conditional),
    Thread,
}

const JOINS_LATER: [&str; 0] = [];
const SPLITS_LATER: [&str; 0] = [];
/// What only a split with conditions has.
pub(in crate::definition) const SPLIT_FIELDS: [&str; 5] =
    ["split_conditions", "split_default", "split_order", "on_no_match", "split_correlation"];

impl<'d> Reader<'d> {
    /// A stage, the `index`-th. `key` is its key where stages are a map. Nothing if it has no ref id.
    pub(super) fn stage(
        &mut self,
        node: &'d Node,
        key: Option<(&str, &'d Span)>,
        index: usize,
        around: Outer<'_>,
    ) -> Option<(StageDraft<'d>, Option<Nested<'d>>)> {
        if let (Content::Null, Some((ref_id, span))) = (&node.content, key) {
            self.name(ref_id, span, "ref id of a stage");
            return Some((bare_stage(ref_id, span, around), None));
        }
        let Some(fields) = self.fields(node, &STAGE) else {
            // What others say of this stage is still checked.
            return key.map(|(ref_id, span)| (bare_stage(ref_id, span, around), None));
        };
        let (ref_id, span) = self.ref_id(&fields, key)?;
        let site = |site| Site::Stage(index, site);
        let outer = self.copy(around.inherited);
        let mut inherited = self.inherit(&fields, outer, site(StageSite::Defaults), site(StageSite::Defaults));
        let (on_failure, when_failed) = self.stage_on_failure(&fields);
        inherited.on_failure = on_failure.unwrap_or(inherited.on_failure);
        let on_failure = inherited.on_failure;
        let priority = self.priority(&fields).unwrap_or(around.priority);
        let (body, stages) = self.looping(&fields, index);
        let blocks = self.blocks(&fields, (ref_id, around), stages, when_failed);
        let nested = self.nested(blocks, &inherited, priority);
        let (sub_workflow, tasks) = match self.sub_workflow(&fields, index, &inherited) {
            Some((sub_workflow, task)) => (Some(sub_workflow), vec![task]),
            None if body == Body::Tasks => (None, self.tasks(&fields, index, inherited)),
            None => (None, Vec::new()),
        };
        let name = fields.get("name").and_then(|node| self.some_text(node, "the name of a stage"));
        let stage_type = fields.get("type").and_then(|node| self.some_text(node, "the type of a stage"));
        let context = fields.get("context").map(|node| self.templates(node, site(StageSite::Context), "context"));
        let join = self.join(&fields);
        let join_span = fields.get("join_type").map_or(span, |node| &node.span);
        let generations = self.generations(&fields, join, join_span);
        let choice_group = self.choice_group(&fields);
        let (instances, ended_by) = self.instances(&fields, index);
        let stage = GraphStage {
            ref_id: ref_id.to_owned(),
            parent: around.parent.map(stage_index),
            phase: around.phase,
            name: name.unwrap_or(ref_id).to_owned(),
            stage_type: stage_type.unwrap_or(tasks.first().map_or(LOOP_TYPE, |task| &task.uses)).to_owned(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            join: join.unwrap_or(Join::And),
            generations: None,
            merge_count: self.merge_count(&fields, join, join_span),
            or_scope: self.or_scope(&fields, join),
            split: Split::And,
            split_correlation: self.split_correlation(&fields),
            reentry: self.reentry(&fields, instances.as_deref()),
            instances,
            condition: fields.get("if").and_then(|node| self.expression(node, site(StageSite::Condition), "`if`")),
            on_condition_error: self.on_condition_error(&fields),
            context: context.unwrap_or_default().into_iter().collect(),
            outputs: fields.get("outputs").map(|node| self.outputs(node, site(StageSite::Outputs))).unwrap_or_default(),
            on_failure,
            times: self.times(&fields),
            trigger: self.trigger(&fields, site(StageSite::Correlate)),
            exclusion: None,
            choice_group: choice_group.map(|group| group.text.to_owned()),
            milestone: None,
            cancellation: Cancellation::default(),
            jumps: Vec::new(),
            jumps_anywhere: self.jumps_anywhere(&fields),
            jump_mode: self.jump_mode(&fields),
            sub_workflow,
            priority,
            body,
            tasks,
        };
        let draft = self.draft(&fields, stage, (index, span), (join, generations));
        self.refuse_to_cancel_the_end(&fields, around, &draft.cancellation);
        let cancellation = CancellationDraft { instances: ended_by, ..draft.cancellation };
        Some((StageDraft { cancellation, choice_group, ..draft }, nested))
    }

    /// The blocks of a stage, if it has any. What a failure of a stage means is said by the stage itself, not by the
    /// one around it.
    fn nested(&mut self, blocks: Vec<Part<'d>>, inherited: &Inherited, priority: u8) -> Option<Nested<'d>> {
        if blocks.is_empty() {
            return None;
        }
        let mut inherited = self.copy(inherited);
        inherited.on_failure = OnFailure::Fail;
        Some(Nested { blocks, inherited, priority })
    }

    /// The stage with what it says of others.
    fn draft(
        &mut self,
        fields: &Fields<'d>,
        stage: GraphStage,
        (index, span): (usize, &'d Span),
        (join, generations): (Option<Join>, Option<GenerationsDraft<'d>>),
    ) -> StageDraft<'d> {
        self.refuse_verification(fields);
        StageDraft {
            span,
            needs: fields.get("needs").and_then(|node| self.references(node, "needs")).unwrap_or_default(),
            split: self.split(fields, span, Site::Stage(index, StageSite::Split)),
            cancellation: self.cancellation(fields),
            exclusion: self.exclusion(fields),
            or: self.or_branches(fields, join),
            back_from: fields.get("back_from").map(|node| self.back_from(node)).unwrap_or_default(),
            jump_targets: self.jump_targets(fields),
            generations,
            choice_group: None,
            parent: stage.parent.map(StageIndex::index),
            stage,
        }
    }

    fn choice_group(&mut self, fields: &Fields<'d>) -> Option<Named<'d>> {
        let node = fields.get("deferred_choice_group")?;
        let text = self.text(node, "deferred_choice_group")?;
        self.name(text, &node.span, "name of a group").then_some(Named { text, span: &node.span })
    }

    fn ref_id<'k>(&mut self, fields: &Fields<'d>, key: Option<(&'k str, &'d Span)>) -> Option<(&'k str, &'d Span)>
    where
        'd: 'k,
    {
        let written = fields.get("ref_id").map(|node| (self.text(node, "ref_id"), node));
        let (ref_id, span) = match (key, written) {
            (Some((key, span)), written) => {
                if let Some((Some(text), node)) = written
                    && text != key
                {
                    let message = format!("ref_id is `{text}`, but the stage stands under `{key}`");
                    self.report(ProblemCode::ConflictingKeys, &node.span, message);
                }
                (key, span)
            }
            (None, Some((text, node))) => (text?, &node.span),
            (None, None) => {
                let span = &fields.node.span;
                self.report(ProblemCode::MissingKey, span, "a stage in a list needs its ref_id");
                return None;
            }
        };
        self.name(ref_id, span, "ref id of a stage");
        Some((ref_id, span))
    }

    /// Never empty: a stage without work has one `noop`.
    fn tasks(&mut self, fields: &Fields<'d>, stage: usize, inherited: Inherited) -> Vec<GraphTask> {
        let Some(node) = fields.get("tasks") else {
            let only = self.only_task(fields, stage, &inherited);
            return vec![only.unwrap_or_else(|| noop(&inherited))];
        };
        for key in ["run", "uses", "with"] {
            if let Some(key) = fields.key(key) {
                let message = format!("`{}` beside `tasks`", key.text);
                let help = "put it into one of the tasks, or leave out tasks";
                self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
            }
        }
        let items = self.list(node, "tasks").unwrap_or_default();
        if items.len() > TASKS_PER_STAGE_MAX {
            let message = format!("{} tasks, more than {TASKS_PER_STAGE_MAX}", items.len());
            self.report(ProblemCode::TooManyTasks, &node.span, message);
            return vec![noop(&inherited)];
        }
        if items.is_empty() && matches!(node.content, Content::List(_)) {
            let help = "leave tasks out if there is nothing to do";
            self.report_with_help(ProblemCode::BadValue, &node.span, "tasks is empty", help);
        }
        let mut tasks: Vec<GraphTask> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            // A broken task keeps its place, so that the names of the others are checked against the right one.
            let task = self.task(item, (stage, index), &inherited, &tasks);
            tasks.push(task.unwrap_or_else(|| GraphTask { name: String::new(), ..noop(&inherited) }));
        }
        if tasks.is_empty() {
            tasks.push(noop(&inherited));
        }
        tasks
    }

    /// `None` if it is broken or not supported yet.
    fn join(&mut self, fields: &Fields<'d>) -> Option<Join> {
        let choices: (&[Join], fn(Join) -> &'static str) = (&Join::ALL, Join::name);
        let Some(node) = fields.get("join_type") else { return Some(Join::And) };
        self.choice_so_far(node, "join_type", &JOINS_LATER, choices)
    }

    fn reentry(&mut self, fields: &Fields<'d>, instances: Option<&Instances>) -> Reentry {
        let written = fields.get("reentry").and_then(|node| self.choice(node, "reentry", &Reentry::ALL, Reentry::name));
        // A second round must not meet what is left of the first.
        let are_drained = instances.is_some_and(Instances::are_drained);
        if are_drained { Reentry::Serialize } else { written.unwrap_or(Reentry::Parallel) }
    }

    fn on_condition_error(&mut self, fields: &Fields<'d>) -> OnConditionError {
        let (all, name) = (&OnConditionError::ALL, OnConditionError::name);
        let Some(node) = fields.get("on_condition_error") else { return OnConditionError::Fail };
        match node.content {
            // YAML reads a bare `false` as a boolean.
            Content::Bool(false) => OnConditionError::False,
            _ => self.choice(node, "on_condition_error", all, name).unwrap_or(OnConditionError::Fail),
        }
    }

    fn split(&mut self, fields: &Fields<'d>, stage: &'d Span, site: Site) -> SplitDraft<'d> {
        let name: fn(SplitType) -> &'static str = |split| match split {
            SplitType::And => "AND",
            SplitType::Deferred => "DEFERRED",
            SplitType::Conditional(Conditional::Xor) => "XOR",
            SplitType::Conditional(Conditional::Or) => "OR",
            SplitType::Thread => "THREAD",
        };
        let conditional = [Conditional::Xor, Conditional::Or].map(SplitType::Conditional);
        let types = [SplitType::And, conditional[0], conditional[1], SplitType::Thread, SplitType::Deferred];
        let node = fields.get("split_type");
        let written = node.map(|node| self.choice_so_far(node, "split_type", &SPLITS_LATER, (&types, name)));
        // Of a split that is broken or not supported yet, the other fields are read as if they fitted.
        let split_type = written.unwrap_or(Some(SplitType::And));
        let is_thread = split_type.map(|split| split == SplitType::Thread);
        let count = self.thread_count(fields, is_thread, node.map_or(stage, |node| &node.span));
        if matches!(split_type, Some(SplitType::And | SplitType::Deferred | SplitType::Thread)) {
            for key in SPLIT_FIELDS.iter().filter_map(|key| fields.key(key)) {
                let message = format!("`{}` on a stage whose split has no conditions", key.text);
                let help = "add split_type: XOR, or OR";
                self.report_with_help(ProblemCode::SplitFieldWithoutSplit, &key.span, message, help);
            }
        }
        let conditions = fields.get("split_conditions").map(|node| self.split_conditions(node, site));
        let default = fields.get("split_default").and_then(|node| {
            let text = self.text(node, "split_default")?;
            Some(Named { text, span: &node.span })
        });
        let order = fields.get("split_order").and_then(|node| Some((node, self.references(node, "split_order")?)));
        self.on_no_match(fields, default.as_ref());
        if let (Some(SplitType::Conditional(Conditional::Or)), Some(key)) = (split_type, fields.key("split_order")) {
            let message = "split_order on a split that takes all branches whose conditions hold";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, "leave it out, or write XOR");
        }
        match split_type {
            Some(SplitType::And) => SplitDraft::And,
            Some(SplitType::Deferred) => SplitDraft::Deferred,
            Some(SplitType::Conditional(kind)) => SplitDraft::Conditional {
                kind,
                span: node.map_or(stage, |node| &node.span),
                conditions: conditions.unwrap_or_default(),
                default,
                order,
            },
            Some(SplitType::Thread) => SplitDraft::Thread { count },
            None => SplitDraft::And,
        }
    }

    fn split_conditions(&mut self, node: &'d Node, site: Site) -> Vec<(Named<'d>, Option<Expression>)> {
        let mut conditions = Vec::new();
        for entry in self.map(node, "split_conditions").unwrap_or_default() {
            let expression = self.expression(&entry.value, site, "a condition of a split");
            conditions.push((Named { text: &entry.key.text, span: &entry.key.span }, expression));
        }
        conditions
    }

    /// What the conditions of a split are about, for the checker.
    pub(super) fn split_correlation(&mut self, fields: &Fields<'d>) -> Option<String> {
        let node = fields.get("split_correlation")?;
        let text = self.text(node, "split_correlation")?;
        self.name(text, &node.span, "split_correlation").then(|| text.to_owned())
    }

    /// `on_no_match` says again what `split_default` says; it only may not say the opposite.
    fn on_no_match(&mut self, fields: &Fields<'d>, default: Option<&Named<'d>>) {
        let Some(node) = fields.get("on_no_match") else { return };
        match self.choice(node, "on_no_match", &["fail", "default"], |choice| choice) {
            Some("fail") if default.is_some() => {
                let message = "on_no_match is fail, but there is a split_default";
                self.report(ProblemCode::ConflictingKeys, &node.span, message);
            }
            Some("default") if default.is_none() => {
                let message = "on_no_match is default, but there is no split_default";
                self.report(ProblemCode::MissingKey, &node.span, message);
            }
            Some(_) | None => {}
        }
    }
}

/// A stage that has nothing but its ref id.
fn bare_stage<'d>(ref_id: &str, span: &'d Span, around: Outer<'_>) -> StageDraft<'d> {
    let on_failure = around.inherited.on_failure;
    let task = noop(around.inherited);
    let stage = GraphStage {
        ref_id: ref_id.to_owned(),
        parent: around.parent.map(stage_index),
        phase: around.phase,
        name: ref_id.to_owned(),
        stage_type: task.uses.clone(),
        incoming: Vec::new(),
        outgoing: Vec::new(),
        join: Join::And,
        generations: None,
        merge_count: None,
        or_scope: OrScope::General,
        split: Split::And,
        split_correlation: None,
        reentry: Reentry::Parallel,
        instances: None,
        condition: None,
        on_condition_error: OnConditionError::Fail,
        body: Body::Tasks,
        tasks: vec![task],
        context: Vec::new(),
        outputs: Vec::new(),
        on_failure,
        times: Times::NONE,
        trigger: None,
        exclusion: None,
        choice_group: None,
        milestone: None,
        cancellation: Cancellation::default(),
        jumps: Vec::new(),
        jumps_anywhere: false,
        jump_mode: JumpMode::default(),
        sub_workflow: None,
        priority: around.priority,
    };
    bare_draft(stage, span, around.parent)
}

/// A stage of which nothing is said that the stages around it have to do with.
fn bare_draft<'d>(stage: GraphStage, span: &'d Span, parent: Option<usize>) -> StageDraft<'d> {
    StageDraft {
        stage,
        span,
        needs: Vec::new(),
        back_from: Vec::new(),
        jump_targets: Vec::new(),
        split: SplitDraft::And,
        cancellation: CancellationDraft::default(),
        exclusion: ExclusionDraft::default(),
        choice_group: None,
        or: None,
        generations: None,
        parent,
    }
}

/// The place of a stage as an index of the graph.
fn stage_index(place: usize) -> StageIndex {
    StageIndex::new(u32::try_from(place).expect("there are at most STAGES_MAX stages"))
}
