//! Blocks that are sound by their shape become one stage, so that only what is left has to be explored.
//!
//! A stage that is the only way on from another joins it; branches between the same split and the same join, of the
//! same kind, become one branch. What has any other construct stays as it is. After Murata, "Petri nets", 1989, and
//! Vanhatalo et al., "The refined process structure tree", 2009.

use std::collections::BTreeMap;

use crate::definition::{
    ArcKind, Body, Branch, Definition, Graph, GraphArc, GraphStage, Join, Reentry, Rest, Split, Target,
};
use crate::ids::{ArcIndex, StageIndex};

/// The definition with its blocks as single stages; the same if it has none.
pub(super) fn reduced(definition: &Definition) -> Definition {
    // Whom a stage cancels, where it jumps to, and what makes a milestone, stands anywhere, and must be found there.
    // What a join withdraws is named by the stages there are.
    if definition.graph().takes_away() || definition.graph().has_milestones() {
        return definition.clone();
    }
    let mut net = Net::of(definition.graph());
    while net.fuse_series() | net.fuse_branches() {}
    if net.alive.iter().all(|alive| *alive) { definition.clone() } else { definition.with_graph(net.graph(definition)) }
}

/// Stages and the arcs between them, by their places in the whole graph.
struct Net {
    alive: Vec<bool>,
    /// Nothing but join, split and gate, and no arc that leads back.
    plain: Vec<bool>,
    join: Vec<Join>,
    split: Vec<Way>,
    /// Where tokens come from: the start is `None`.
    from: Vec<Vec<Option<usize>>>,
    to: Vec<Vec<usize>>,
    /// The stage whose split is that of the block, by the first stage of the block.
    last: Vec<usize>,
}

/// How control goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To all.
    All,
    /// To one of them, and only to them.
    One,
    /// Otherwise; left alone.
    Other,
}

impl Net {
    fn of(graph: &Graph) -> Net {
        let stages = &graph.stages;
        let from = |arc: &ArcIndex| graph.arc(*arc).from.map(StageIndex::index);
        Net {
            alive: vec![true; stages.len()],
            plain: stages.iter().map(|stage| is_plain(graph, stage) && !stands_in_circle(graph, stage)).collect(),
            join: stages.iter().map(|stage| stage.join).collect(),
            split: stages.iter().map(way).collect(),
            from: stages.iter().map(|stage| stage.incoming.iter().map(from).collect()).collect(),
            to: stages
                .iter()
                .map(|stage| stage.outgoing.iter().map(|arc| graph.arc(*arc).to.index()).collect())
                .collect(),
            last: (0..stages.len()).collect(),
        }
    }

    /// A stage with one way on, to a stage with one way in, takes it up.
    fn fuse_series(&mut self) -> bool {
        let mut changed = false;
        for first in 0..self.alive.len() {
            while let Some(next) = self.only_next(first) {
                changed = true;
                self.alive[next] = false;
                self.split[first] = self.split[next];
                self.last[first] = self.last[next];
                self.to[first] = std::mem::take(&mut self.to[next]);
                for after in &self.to[first] {
                    self.from[*after]
                        .iter_mut()
                        .filter(|from| **from == Some(next))
                        .for_each(|from| *from = Some(first));
                }
            }
        }
        changed
    }

    fn only_next(&self, first: usize) -> Option<usize> {
        let [next] = self.to[first][..] else { return None };
        let fits = self.alive[first] && self.plain[first] && self.plain[next] && next != first;
        let is_plain_way = self.split[first] == Way::All && self.from[next].len() == 1;
        (fits && is_plain_way).then_some(next)
    }

    /// Of branches between the same split and a join of its kind one is enough.
    fn fuse_branches(&mut self) -> bool {
        let mut changed = false;
        for split in 0..self.alive.len() {
            if !self.alive[split] || !self.plain[split] || self.to[split].len() < 2 {
                continue;
            }
            // By the join: the direct arc, or the first branch of one stage.
            let mut kept: BTreeMap<usize, usize> = BTreeMap::new();
            let mut gone = Vec::new();
            for next in self.to[split].clone() {
                let Some(join) = self.branch_to(split, next) else { continue };
                if kept.insert(join, *kept.get(&join).unwrap_or(&next)).is_some() {
                    gone.push((next, join));
                }
            }
            for (branch, join) in gone {
                changed = true;
                self.alive[branch] = false;
                self.to[split].retain(|to| *to != branch);
                self.from[join].retain(|from| *from != Some(branch));
                self.to[branch].clear();
                if self.to[split].len() == 1 && self.split[split] == Way::One {
                    self.split[split] = Way::All;
                }
            }
        }
        changed
    }

    /// The join that a branch of one stage leads to, if both ends are of one kind.
    fn branch_to(&self, split: usize, next: usize) -> Option<usize> {
        let [join] = self.to[next][..] else { return None };
        let fits = self.alive[next] && self.plain[next] && self.plain[join] && join != split && join != next;
        let is_branch = self.from[next].len() == 1 && self.split[next] == Way::All;
        let same = matches!((self.split[split], self.join[join]), (Way::All, Join::And) | (Way::One, Join::Xor));
        (fits && is_branch && same).then_some(join)
    }

    /// The graph that is left.
    fn graph(&self, definition: &Definition) -> Graph {
        let whole = definition.graph();
        let mut place = vec![None; self.alive.len()];
        let left = (0..self.alive.len()).filter(|stage| self.alive[*stage]);
        left.clone().enumerate().for_each(|(new, old)| place[old] = Some(index(new)));
        let mut arcs = Vec::new();
        let mut stages = Vec::new();
        for old in left.clone() {
            let mut stage = whole.stages[old].clone();
            let to = place[old].expect("it is left");
            // A stage around others is not plain, and so is left.
            stage.parent = stage.parent.and_then(|parent| place[parent.index()]);
            stage.incoming = Vec::new();
            if let Some(Rest::Swallowed { pair }) = stage.generations.as_mut().map(|join| &mut join.rest) {
                *pair = pair.and_then(|pair| place[pair.index()]);
            }
            for (at, from) in self.from[old].iter().enumerate() {
                stage.incoming.push(ArcIndex::new(u32::try_from(arcs.len()).unwrap_or(u32::MAX)));
                let from = from.and_then(|from| place[from]);
                // What is not plain has kept its arcs; before what is plain none leads back.
                let way = whole.stages[old].incoming.get(at).filter(|_| !self.plain[old]).map(|arc| whole.arc(*arc));
                let (kind, most) = way.map_or((ArcKind::Forward, None), |way| (way.kind, way.max_iterations));
                arcs.push(GraphArc { from, to, kind, max_iterations: most });
            }
            stages.push(stage);
        }
        let mut outgoing = vec![Vec::new(); stages.len()];
        for (at, arc) in (0..).map(ArcIndex::new).zip(&arcs) {
            arc.from.iter().for_each(|from| outgoing[from.index()].push(at));
        }
        for ((stage, outgoing), old) in stages.iter_mut().zip(outgoing).zip(left) {
            stage.outgoing = outgoing;
            stage.split = self.split_of(whole, old, &stage.outgoing, &arcs, &place);
        }
        whole.with(stages, arcs)
    }

    fn split_of(
        &self,
        whole: &Graph,
        old: usize,
        outgoing: &[ArcIndex],
        arcs: &[GraphArc],
        place: &[Option<StageIndex>],
    ) -> Split {
        if self.split[old] == Way::All {
            return Split::And;
        }
        let target = |target: &Target| match target {
            Target::End => Some(Target::End),
            Target::Arc(arc) => {
                let to = place[whole.arc(*arc).to.index()]?;
                outgoing.iter().find(|arc| arcs[arc.index()].to == to).map(|arc| Target::Arc(*arc))
            }
        };
        let (branches, default) = match &whole.stages[self.last[old]].split {
            Split::Xor { branches, default } => (branches, default),
            Split::Or { branches, default, .. } => return or_split((branches, *default), outgoing, target),
            Split::Thread { count } => return Split::Thread { count: *count },
            Split::Deferred => return Split::Deferred,
            Split::And => return Split::And,
        };
        let kept = branches
            .iter()
            .filter_map(|branch| Some(Branch { target: target(&branch.target)?, condition: branch.condition.clone() }));
        let default = default.as_ref().and_then(target);
        let mut kept: Vec<Branch> = kept.collect();
        // A default that is gone leaves its choice to the branch that stands for it: the last one then always holds.
        if default.is_none() && kept.is_empty() {
            return Split::And;
        }
        if let Some(only) = default.as_ref() {
            kept.retain(|branch| branch.target != *only);
            if kept.is_empty() {
                return Split::And;
            }
        }
        Split::Xor { branches: kept, default }
    }
}

/// No branch of an OR split is ever taken up, so that all of them are left.
fn or_split(
    (branches, default): (&[Branch], Option<Target>),
    outgoing: &[ArcIndex],
    target: impl Fn(&Target) -> Option<Target>,
) -> Split {
    let kept = branches
        .iter()
        .filter_map(|branch| Some(Branch { target: target(&branch.target)?, condition: branch.condition.clone() }));
    Split::or(kept.collect(), default.as_ref().and_then(&target), outgoing)
}

fn index(place: usize) -> StageIndex {
    StageIndex::new(u32::try_from(place).unwrap_or(u32::MAX))
}

/// Does an arc lead back to the stage, or from it?
fn stands_in_circle(graph: &Graph, stage: &GraphStage) -> bool {
    stage.incoming.iter().chain(&stage.outgoing).any(|arc| graph.arc(*arc).kind == ArcKind::Back)
}

/// Has the stage nothing but join, split and gate? Every field is named, so that a new one has to be thought about.
fn is_plain(graph: &Graph, stage: &GraphStage) -> bool {
    // What is nested in it stays inside it.
    if graph.stage_index(&stage.ref_id).is_none_or(|index| graph.has_blocks(index)) {
        return false;
    }
    let GraphStage {
        reentry,
        instances,
        ref_id: _,
        parent: _,
        phase: _,
        body,
        name: _,
        stage_type: _,
        incoming,
        outgoing,
        join,
        generations: _,
        merge_count: _,
        or_scope: _,
        split: _,
        split_correlation: _,
        condition: _,
        on_condition_error: _,
        tasks: _,
        context: _,
        outputs: _,
        on_failure: _,
        times: _,
        trigger,
        exclusion,
        // It follows from the arcs.
        choice_group: _,
        milestone: _,
        priority: _,
        cancellation: _,
        jumps: _,
        jumps_anywhere: _,
        jump_mode: _,
        sub_workflow: _,
    } = stage;
    let plain_join = match join {
        Join::And | Join::Xor => true,
        Join::Or | Join::MultiMerge | Join::GeneralizedAnd | Join::Discriminator | Join::NOfM | Join::ThreadMerge => {
            false
        }
    };
    // What is chosen among is withdrawn by name, where it stands.
    let chooses = incoming.iter().chain(outgoing).any(|arc| graph.choice_of(*arc).is_some());
    let plain_work = *body == Body::Tasks && instances.is_none() && trigger.is_none() && exclusion.is_none();
    plain_join && !chooses && plain_work && *reentry == Reentry::Parallel
}

fn way(stage: &GraphStage) -> Way {
    match &stage.split {
        Split::And => Way::All,
        Split::Or { .. } | Split::Deferred | Split::Thread { .. } => Way::Other,
        Split::Xor { branches, default } => {
            let targets = branches.iter().map(|branch| branch.target).chain(default.iter().copied());
            if targets.clone().any(|target| target == Target::End) { Way::Other } else { Way::One }
        }
    }
}
