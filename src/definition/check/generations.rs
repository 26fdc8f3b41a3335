//! Fits joins that count arrivals to the arcs around them: which split they belong to, whether their branches bring one
//! token each, and what a cancelling join withdraws.

use std::collections::BTreeSet;

use super::arcs::Connected;
use super::balance::Balance;
use super::between::{Between, Flaw, Splits};
use super::cancellation;
use crate::definition::choice::Choices;
use crate::definition::code::ProblemCode;
use crate::definition::document::Span;
use crate::definition::generations::{Generations, JoinMode, ResetOn, Rest};
use crate::definition::graph::{Join, Split};
use crate::definition::problem::Problem;
use crate::definition::reading::{ARCS_COUNTED_MAX, GenerationsDraft, Named, ScopeDraft};
use crate::ids::StageIndex;

/// Gives the stages of `connected` that count arrivals what `drafts` say of it, by the place of the stage. What is
/// doubtful about them is returned.
pub(super) fn fit(
    drafts: &[(usize, GenerationsDraft<'_>)],
    connected: &mut Connected,
    splits: &Splits,
    problems: &mut Vec<Problem>,
) -> Vec<Problem> {
    let mut doubts = Vec::new();
    // Inner joins before outer ones, which rest on them.
    let mut places = vec![0; connected.stages.len()];
    connected.order.iter().enumerate().for_each(|(place, stage)| places[*stage] = place);
    let mut drafts: Vec<&(usize, GenerationsDraft<'_>)> = drafts.iter().collect();
    drafts.sort_by_key(|(stage, _)| places[*stage]);
    for (stage, draft) in drafts {
        let found = Fitting { connected, splits, stage: *stage, draft }.generations(problems, &mut doubts);
        connected.stages[*stage].generations = Some(found);
    }
    doubts
}

/// The largest threshold a merge of threads and the number of its arcs have to agree on.
pub(super) fn check_merges(connected: &Connected, problems: &mut Vec<Problem>) {
    for (stage, span) in connected.stages.iter().zip(&connected.spans) {
        if stage.join == Join::ThreadMerge && stage.incoming.len() != 1 {
            let message = format!("`{}` merges the threads of {} arcs", stage.ref_id, stage.incoming.len());
            let help = "let the threads meet in a stage with join_type: MULTI_MERGE or XOR before";
            problems.push(Problem::error(ProblemCode::MergeOfSeveralArcs, span, message).with_help(help));
        }
    }
}

/// One join and what is around it.
struct Fitting<'c> {
    connected: &'c Connected,
    splits: &'c Splits,
    stage: usize,
    draft: &'c GenerationsDraft<'c>,
}

impl Fitting<'_> {
    fn generations(&self, problems: &mut Vec<Problem>, doubts: &mut Vec<Problem>) -> Generations {
        self.check_threshold(problems);
        let pair = self.splits.pair(self.stage).map(index);
        let right_pair = self.check_pair(problems);
        let rest = match self.draft.mode {
            Some((JoinMode::Structured, span)) => {
                if let (Err((code, why)), true) = (self.structure(), right_pair) {
                    let help = "write join_mode: blocking, which takes any arcs";
                    problems.push(Problem::error(code, span, why).with_help(help));
                }
                Rest::Swallowed { pair }
            }
            Some((JoinMode::Blocking, _)) => self.blocked(),
            Some((JoinMode::Cancelling, span)) => Rest::Withdrawn { stages: self.withdrawn(span, problems) },
            None if self.draft.reset_on.is_some_and(|(reset_on, _)| reset_on == ResetOn::Active) => self.blocked(),
            None => match self.structure() {
                Ok(()) => Rest::Swallowed { pair },
                Err((_, why)) => {
                    let span = self.draft.threshold.1;
                    let message = format!("{why}; so this join blocks");
                    let help = "say so with join_mode: blocking, or fit the branches";
                    doubts.push(Problem::warning(ProblemCode::JoinBlocks, span, message).with_help(help));
                    self.blocked()
                }
            },
        };
        Generations { threshold: self.draft.threshold.0, rest, on_unreachable: self.draft.on_unreachable }
    }

    fn blocked(&self) -> Rest {
        Rest::Blocked { reset_on: self.draft.reset_on.map_or(ResetOn::Active, |(reset_on, _)| reset_on) }
    }

    fn name(&self, stage: usize) -> &str {
        self.connected.names.name(stage)
    }

    fn check_threshold(&self, problems: &mut Vec<Problem>) {
        let (threshold, span) = self.draft.threshold;
        let n_arcs = self.connected.stages[self.stage].incoming.len();
        if threshold as usize > n_arcs {
            let message = format!("join_threshold is {threshold}, but `{}` has {n_arcs} arcs", self.name(self.stage));
            problems.push(Problem::error(ProblemCode::ThresholdTooLarge, span, message));
        }
        if n_arcs > ARCS_COUNTED_MAX {
            let message = format!("a join that counts arrivals on {n_arcs} arcs, more than {ARCS_COUNTED_MAX}");
            problems.push(Problem::error(ProblemCode::TooManyArcs, span, message));
        }
    }

    /// A pair that is written has to be the split from which all branches come.
    fn check_pair(&self, problems: &mut Vec<Problem>) -> bool {
        let Some(named) = self.draft.pair else { return true };
        let told = match self.draft.mode {
            Some((JoinMode::Cancelling, _)) => {
                (ProblemCode::OpenCancelScope, "write join_cancel_scope: { stages: [..] }")
            }
            Some(_) | None => (ProblemCode::WrongJoinPair, "leave join_pair out, or fit the branches"),
        };
        self.splits.is_pair(self.connected, (self.stage, named), told, problems)
    }

    /// Does each arc get exactly one token whenever the split has emitted (WCP 9, 30)?
    fn structure(&self) -> Result<(), (ProblemCode, Flaw)> {
        let unfit = |why| (ProblemCode::NotStructured, why);
        let between = self.splits.between(self.connected, self.stage).map_err(unfit)?;
        if let Some(why) = between.part_canceled() {
            return Err((ProblemCode::PartialCancelInStructuredRegion, why));
        }
        let flaw = between.circle().or_else(|| between.opening()).or_else(|| between.beginning());
        let flaw = flaw.or_else(|| self.no_parallel_split(&between)).or_else(|| between.missed());
        flaw.map_or(Ok(()), |why| Err(unfit(why)))?;
        Balance::check(&between).map_err(unfit)
    }

    fn no_parallel_split(&self, between: &Between<'_>) -> Option<Flaw> {
        let choices = Choices::of(&self.connected.stages, &self.connected.arcs);
        let offers = |pair: usize| choices.all().iter().any(|choice| choice.split == Some(index(pair)));
        let is_parallel = |pair: usize| matches!(self.connected.stages[pair].split, Split::And) && !offers(pair);
        let pair = between.pair.filter(|pair| !is_parallel(*pair))?;
        Some(format!("the split of `{}` is `{}`, which is no AND split", self.name(self.stage), self.name(pair)))
    }

    fn withdrawn(&self, span: &Span, problems: &mut Vec<Problem>) -> Vec<StageIndex> {
        match &self.draft.scope {
            Some((ScopeDraft::Stages(named), _)) => return self.named(named, problems),
            Some((ScopeDraft::Region(named), _)) => return self.in_region(named, problems),
            Some((ScopeDraft::Upstream, _)) | None => {}
        }
        let between = self.splits.between(self.connected, self.stage);
        let closed = between.and_then(|between| between.opening().map_or(Ok(between.stages), Err));
        match closed {
            Ok(stages) => stages.into_iter().map(index).collect(),
            Err(why) => {
                let message = format!("what lies before this join cannot be withdrawn: {why}");
                let help = "write join_cancel_scope: { stages: [..] }, or { region: NAME }";
                problems.push(Problem::error(ProblemCode::OpenCancelScope, span, message).with_help(help));
                Vec::new()
            }
        }
    }

    fn named(&self, named: &[Named<'_>], problems: &mut Vec<Problem>) -> Vec<StageIndex> {
        let mut stages = BTreeSet::new();
        for named in named {
            match self.connected.names.find(named.text) {
                Some(stage) if stage == self.stage => {
                    let message = format!("`{}` would withdraw itself", named.text);
                    problems.push(Problem::error(ProblemCode::OpenCancelScope, named.span, message));
                }
                Some(stage) if !self.connected.names.share_a_block(self.stage, stage) => {
                    problems.push(self.connected.names.crossing(self.stage, stage, named.span));
                }
                Some(stage) => {
                    stages.insert(stage);
                }
                None => problems.push(self.connected.names.unknown(named.text, named.span)),
            }
        }
        stages.into_iter().map(index).collect()
    }

    /// The stages beside the join that lie in the region: what a join withdraws is in its own block.
    fn in_region(&self, named: &Named<'_>, problems: &mut Vec<Problem>) -> Vec<StageIndex> {
        let Some(region) = cancellation::region(named, &self.connected.regions, problems) else { return Vec::new() };
        let lies_in = |stage: &usize| self.connected.stages[*stage].cancellation.regions.contains(&region);
        let beside = |stage: &usize| self.connected.names.share_a_block(self.stage, *stage);
        let stages: Vec<usize> = (0..self.connected.stages.len()).filter(lies_in).filter(beside).collect();
        let (name, region) = (self.name(self.stage), named.text);
        let flaw = if stages.contains(&self.stage) {
            let help = "take it out of the region, or name the stages: { stages: [..] }";
            Some((format!("`{name}` lies in the region `{region}` and would withdraw itself"), help))
        } else if stages.is_empty() {
            let help = "name a region in which stages of its own block lie";
            Some((format!("no stage beside `{name}` lies in the region `{region}`"), help))
        } else {
            None
        };
        if let Some((message, help)) = flaw {
            problems.push(Problem::error(ProblemCode::OpenCancelScope, named.span, message).with_help(help));
        }
        stages.into_iter().map(index).collect()
    }
}

fn index(stage: usize) -> StageIndex {
    StageIndex::new(u32::try_from(stage).expect("there are at most STAGES_MAX stages"))
}
