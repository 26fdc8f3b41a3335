//! Doubts about a definition that nothing forbids: only those that are right whenever they are said.

use std::collections::BTreeMap;

use super::arcs::Connected;
use super::names::own_stage;
use super::reach::{Followers, Pair};
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::graph::{GraphStage, Join, Split, Target};
use crate::definition::milestone::MilestonePolicy;
use crate::definition::problem::Problem;
use crate::definition::site::{Site, StageSite, TaskSite, Use};
use crate::definition::template::Template;
use crate::definition::times::Times;
use crate::expression::{Expression, Reference, Scope};
use crate::ids::StageIndex;
use crate::value::Value;

/// Stages and arcs up to which doubts are looked for: larger definitions are made by programs, and nobody reads on.
const STAGES_READ: usize = 2_000;
const ARCS_READ: usize = 10_000;

/// Stages that are looked at on the way back from one; longer chains are not understood.
const WAY_MAX: usize = 64;

/// Writers of one output that are compared with each other.
const WRITERS_MAX: usize = 16;

/// What the outputs of the workflow are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WorkflowOutputs {
    /// Those of all stages.
    Merged,
    /// Those that are written.
    Written,
}

/// Everything that is doubtful about a definition without problems. `outputs` are those of the workflow.
pub(in crate::definition) fn doubts(
    uses: &[Use<'_>],
    source: &str,
    connected: &Connected,
    outputs: &[(String, Template)],
) -> Vec<Problem> {
    if connected.stages.len() > STAGES_READ || connected.arcs.len() > ARCS_READ {
        return Vec::new();
    }
    let all: Vec<usize> = (0..connected.stages.len()).collect();
    let followers = Followers::of(&all, &connected.predecessors, &connected.order);
    let doubts = Doubts { connected, followers };
    let mut found = doubts.joins();
    found.extend(doubts.writers(if outputs.is_empty() { WorkflowOutputs::Merged } else { WorkflowOutputs::Written }));
    for site in uses {
        for reference in &site.references {
            // Who names it twice in one expression asks whether it is there.
            let guarded = site.references.iter().filter(|other| other.path == reference.path).count() > 1;
            if guarded {
                continue;
            }
            if let Some(message) = doubts.missing_output(site.site, reference) {
                let span = site.span_of(reference, source);
                let help = "leave a branch out with a split, or write a default: x if x is not None else 0";
                found.push(Problem::warning(ProblemCode::OutputMayBeMissing, &span, message).with_help(help));
            }
        }
    }
    found
}

/// What is scheduled for a moment after that at which it expires. `times` are those of the workflow, whose place is
/// `span`.
pub(in crate::definition) fn never_starts(times: Times, span: &Span, connected: &Connected) -> Vec<Problem> {
    let doubt = |times: Times, span: &Span, meaning: &str| {
        let (scheduled, expiry) = (times.scheduled_time?, times.start_time_expiry?);
        let message = format!("it is scheduled for {scheduled}, after its expiry at {expiry}: {meaning}");
        (scheduled > expiry).then(|| Problem::warning(ProblemCode::NeverStarts, span, message))
    };
    let workflow = doubt(times, span, "the workflow never starts");
    let stages = connected.stages.iter().zip(&connected.spans);
    let stages = stages.filter_map(|(stage, span)| doubt(stage.times, span, "the stage is always passed by"));
    workflow.into_iter().chain(stages).collect()
}

struct Doubts<'c> {
    connected: &'c Connected,
    /// What follows each stage.
    followers: Followers,
}

/// Is the stage passed by when its milestone can hold no more?
fn may_miss_its_milestone(stage: &GraphStage) -> bool {
    stage.milestone.as_ref().is_some_and(|milestone| milestone.policy == MilestonePolicy::WaitSkip)
}

impl Doubts<'_> {
    fn stages(&self) -> &[GraphStage] {
        &self.connected.stages
    }

    /// Outputs of a stage or task that is passed by when its `if` does not hold, used where null is no value.
    fn missing_output(&self, site: Site, reference: &Reference) -> Option<String> {
        let [name, part, ..] = reference.path.as_slice() else { return None };
        if part != "outputs" || is_condition(site) {
            return None;
        }
        match (reference.root.as_str(), own_stage(site)) {
            ("stages", own) => {
                let used = self.stages().get(self.connected.names.find(name)?)?;
                let own = own.and_then(|own| self.stages().get(own));
                if may_miss_its_milestone(used) {
                    return Some(format!("`{name}` is passed by when its milestone is missed; then it has no outputs"));
                }
                if used.times.start_time_expiry.is_some() {
                    return Some(format!(
                        "`{name}` is passed by when it has not started in time; then it has no outputs"
                    ));
                }
                let together = own.is_some_and(|own| same_condition(own.condition.as_ref(), used.condition.as_ref()));
                (may_be_false(used.condition.as_ref()) && !together)
                    .then(|| format!("`{name}` is passed by when its `if` does not hold; then it has no outputs"))
            }
            ("tasks", Some(own)) => {
                let used = self.stages().get(own)?.tasks.iter().find(|task| task.name == *name)?;
                may_be_false(used.condition.as_ref())
                    .then(|| format!("task `{name}` is skipped when its `if` does not hold; then it has no outputs"))
            }
            _ => None,
        }
    }

    /// Joins that wait for two branches of which only one is ever taken.
    fn joins(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        for (index, stage) in self.stages().iter().enumerate() {
            if !matches!(stage.join, Join::And | Join::GeneralizedAnd) || stage.incoming.len() < 2 {
                continue;
            }
            let mut branches: BTreeMap<StageIndex, (StageIndex, StageIndex)> = BTreeMap::new();
            for arc in &stage.incoming {
                let Some(from) = self.connected.arcs[arc.index()].from else { continue };
                for (split, branch) in self.exclusive_branches(from, index) {
                    let (first, earlier) = *branches.entry(split).or_insert((branch, from));
                    if first != branch {
                        found.push(self.never_fires(index, split, earlier, from));
                    }
                }
            }
        }
        found
    }

    fn never_fires(&self, stage: usize, split: StageIndex, one: StageIndex, other: StageIndex) -> Problem {
        let name = |index: StageIndex| self.connected.names.name(index.index());
        let message = format!(
            "`{}` waits for both `{}` and `{}`, but `{}` takes only one of these branches",
            self.connected.names.name(stage),
            name(one),
            name(other),
            name(split),
        );
        Problem::warning(ProblemCode::JoinNeverFires, &self.connected.spans[stage], message)
            .with_help("add join_type: XOR, which starts with whichever branch was taken")
    }

    /// The conditional splits before `stage` that lead to it by one branch only, with the stage that branch leads to.
    fn exclusive_branches(&self, stage: StageIndex, join: usize) -> Vec<(StageIndex, StageIndex)> {
        let mut found = Vec::new();
        let mut branch = stage;
        let leads = |split: &Split, to: usize| match split {
            Split::And | Split::Or { .. } | Split::Thread { .. } => false,
            Split::Deferred => true,
            Split::Xor { branches, default } => {
                let targets = branches.iter().map(|branch| &branch.target).chain(default);
                targets.map(|target| self.target(target)).any(|stage| stage == Some(to))
            }
        };
        // The split may lead to the join itself.
        if leads(&self.stages()[stage.index()].split, join) {
            found.push((stage, StageIndex::new(u32::try_from(join).unwrap_or(u32::MAX))));
        }
        for _ in 0..WAY_MAX {
            let [only] = self.stages()[branch.index()].incoming.as_slice() else { break };
            let Some(from) = self.connected.arcs[only.index()].from else { break };
            if leads(&self.stages()[from.index()].split, branch.index()) {
                found.push((from, branch));
            }
            branch = from;
        }
        found
    }

    fn target(&self, target: &Target) -> Option<usize> {
        match target {
            Target::Arc(arc) => Some(self.connected.arcs[arc.index()].to.index()),
            Target::End => None,
        }
    }

    /// Two stages that may run in parallel and write one scalar: the one defined later wins, whichever ended last.
    fn writers(&self, outputs: WorkflowOutputs) -> Vec<Problem> {
        let mut writers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, stage) in self.stages().iter().enumerate() {
            for (name, template) in &stage.outputs {
                if is_scalar(template) {
                    writers.entry(name).or_default().push(index);
                }
            }
        }
        let mut found = Vec::new();
        for (name, writers) in writers.into_iter().filter(|(_, writers)| writers.len() <= WRITERS_MAX) {
            for (place, &later) in writers.iter().enumerate() {
                let clash = writers[..place].iter().find(|earlier| self.clash(**earlier, later, outputs));
                if let Some(&earlier) = clash {
                    let names = &self.connected.names;
                    let message = format!(
                        "`{}` and `{}` may run in parallel and both write the output `{name}`; `{}` wins",
                        names.name(earlier),
                        names.name(later),
                        names.name(later),
                    );
                    let problem = Problem::warning(ProblemCode::ParallelWriters, &self.connected.spans[later], message);
                    found.push(problem.with_help("give them different names"));
                }
            }
        }
        found
    }

    fn clash(&self, one: usize, other: usize, outputs: WorkflowOutputs) -> bool {
        if !self.connected.names.share_a_block(one, other) {
            return false;
        }
        let before = |earlier, later| self.followers.contains(Pair { earlier, later });
        let is_xor = |stage: usize| matches!(self.stages()[stage].split, Split::Xor { .. } | Split::Deferred);
        let all = 0..self.stages().len();
        let ordered = before(one, other) || before(other, one);
        let exclusive = all.clone().any(|stage| is_xor(stage) && before(stage, one) && before(stage, other));
        let met =
            outputs == WorkflowOutputs::Merged || all.clone().any(|stage| before(one, stage) && before(other, stage));
        !ordered && !exclusive && met
    }
}

fn is_condition(site: Site) -> bool {
    matches!(
        site,
        Site::Stage(_, StageSite::Condition | StageSite::Split | StageSite::Correlate | StageSite::Loop)
            | Site::Task(_, _, TaskSite::Condition)
    )
}

/// Whether a condition is written that is not simply true.
fn may_be_false(condition: Option<&Expression>) -> bool {
    let Some(condition) = condition else { return false };
    let fixed = condition.references().is_empty();
    !(fixed && condition.evaluate(&Scope::new()).is_ok_and(|value| value.is_truthy()))
}

fn same_condition(one: Option<&Expression>, other: Option<&Expression>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.text() == other.text())
}

/// Whether a template surely gives no list, map or null; lists of parallel stages are put together.
fn is_scalar(template: &Template) -> bool {
    match template {
        Template::Constant(Value::Bool(_) | Value::Integer(_) | Value::Real(_) | Value::String(_))
        | Template::Text(_) => true,
        Template::Constant(Value::Null | Value::List(_) | Value::Map(_))
        | Template::Whole(_)
        | Template::List(_)
        | Template::Map(_) => false,
    }
}
