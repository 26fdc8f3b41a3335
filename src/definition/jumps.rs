//! The arcs over which jumps come, and what follows from them.
//!
//! A jump that was declared has an arc of its own. Those to anywhere share one for each stage of their block, which
//! comes from nowhere: so they cost no more than the stages there are, and nobody who looks back along arcs finds them.

use super::phase::BlockId;
use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ArcIndex, StageIndex};

use super::flow::{ArcKind, JumpMode};
use super::graph::{GraphArc, GraphStage};

/// Where jumps lead.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Jumps {
    /// By the stage to which they come its arcs, ascending; a stage without such has no entry.
    to: BTreeMap<StageIndex, Vec<ArcIndex>>,
    /// The stages to which some rewind.
    pub(super) rewound_to: BTreeSet<StageIndex>,
}

impl Jumps {
    /// Those of these stages. Arcs of jumps to anywhere are put behind the others, where there are none yet.
    pub(super) fn of(stages: &[GraphStage], arcs: &mut Vec<GraphArc>) -> Jumps {
        let open: BTreeSet<BlockId> =
            stages.iter().filter(|stage| stage.jumps_anywhere).map(GraphStage::block).collect();
        let may_be_anywhere = |stage: &GraphStage| open.contains(&stage.block());
        if !arcs.iter().any(GraphArc::comes_from_anywhere) {
            let targets = (0..).zip(stages).filter(|(_, stage)| may_be_anywhere(stage));
            arcs.extend(targets.map(|(place, _)| GraphArc {
                from: None,
                to: StageIndex::new(place),
                kind: ArcKind::Jump,
                max_iterations: None,
            }));
        }
        let mut to: BTreeMap<StageIndex, Vec<ArcIndex>> = BTreeMap::new();
        for (place, arc) in (0..).zip(arcs.iter()).filter(|(_, arc)| arc.kind == ArcKind::Jump) {
            to.entry(arc.to).or_default().push(ArcIndex::new(place));
        }
        let mut rewound_to = BTreeSet::new();
        let mut rewound: BTreeSet<BlockId> = BTreeSet::new();
        for stage in stages.iter().filter(|stage| stage.jump_mode == JumpMode::Rewind) {
            rewound_to.extend(stage.jumps.iter().map(|arc| arcs[arc.index()].to));
            rewound.extend(stage.jumps_anywhere.then_some(stage.block()));
        }
        let targets = (0..).zip(stages).filter(|(_, stage)| rewound.contains(&stage.block()));
        rewound_to.extend(targets.map(|(place, _)| StageIndex::new(place)));
        Jumps { to, rewound_to }
    }

    /// The arcs over which they come to `stage`, ascending.
    pub(super) fn to(&self, stage: StageIndex) -> &[ArcIndex] {
        self.to.get(&stage).map_or(&[], Vec::as_slice)
    }

    /// Is there none?
    pub(super) fn is_empty(&self) -> bool {
        self.to.is_empty()
    }
}

impl GraphArc {
    /// Do jumps share it that may lead anywhere?
    pub(crate) fn comes_from_anywhere(&self) -> bool {
        self.kind == ArcKind::Jump && self.from.is_none()
    }
}
