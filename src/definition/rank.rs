//! Which stages come before which: ranks that never fall along an arc.
//!
//! An order of the stages along the arcs that lead forward, in which all that stand between the two ends of an arc or a
//! jump that leads back have the rank of the first.

use super::flow::ArcKind;
use super::graph::{GraphArc, GraphStage};

/// The rank of each stage: no arc leads to a lower one.
pub(super) fn ranks(stages: &[GraphStage], arcs: &[GraphArc]) -> Vec<u32> {
    let may_lead_back = |arc: &GraphArc| matches!(arc.kind, ArcKind::Back | ArcKind::Jump);
    let mut missing = vec![0_u32; stages.len()];
    for arc in arcs.iter().filter(|arc| arc.from.is_some() && !may_lead_back(arc)) {
        missing[arc.to.index()] += 1;
    }
    let mut order: Vec<usize> = (0..stages.len()).filter(|stage| missing[*stage] == 0).collect();
    let mut place = 0;
    while let Some(stage) = order.get(place) {
        place += 1;
        let stage = &stages[*stage];
        for arc in stage.outgoing.iter().chain(&stage.cancellation.path).map(|arc| arcs[arc.index()]) {
            if !may_lead_back(&arc) {
                missing[arc.to.index()] -= 1;
                if missing[arc.to.index()] == 0 {
                    order.push(arc.to.index());
                }
            }
        }
    }
    if order.len() < stages.len() {
        // Something leads in a circle that does not say so: nothing is known to come first.
        return vec![0; stages.len()];
    }
    let mut ranks = vec![0; stages.len()];
    (0..).zip(&order).for_each(|(rank, stage)| ranks[*stage] = rank);
    let circles = arcs.iter().filter(|arc| may_lead_back(arc));
    let circles = circles.filter_map(|arc| Some((ranks[arc.to.index()], ranks[arc.from?.index()])));
    let mut circles: Vec<(u32, u32)> = circles.filter(|(first, last)| first <= last).collect();
    circles.sort_unstable();
    let mut circles = circles.into_iter().peekable();
    // The circle in which the stage stands: its first rank and its last.
    let mut around: Option<(u32, u32)> = None;
    for (rank, stage) in (0..).zip(&order) {
        around = around.filter(|(_, last)| rank <= *last);
        while let Some((first, last)) = circles.next_if(|(first, _)| *first <= rank) {
            around = around.map_or(Some((first, last)), |(begin, end)| Some((begin, end.max(last))));
        }
        ranks[*stage] = around.map_or(rank, |(first, _)| first);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use crate::testing::definitions::yaml;

    fn ranks(stages: &str) -> Vec<u32> {
        let definition = yaml(&format!("{{ name: x, stages: {{ {stages} }} }}"));
        let graph = definition.graph();
        for arc in &graph.arcs {
            let from = arc.from.map_or(0, |from| graph.rank(from));
            assert!(from <= graph.rank(arc.to), "{arc:?}");
        }
        (0..).take(graph.stages.len()).map(|stage| graph.rank(crate::ids::StageIndex::new(stage))).collect()
    }

    #[test]
    fn ranks_rise_along_arcs_whatever_the_order_of_the_stages() {
        assert_eq!(ranks("c: { needs: [b] }, b: { needs: [a] }, a: "), [2, 1, 0]);
        assert_eq!(ranks("a: , b: { needs: [a] }, c: { needs: [a] }, d: { needs: [b, c] }"), [0, 1, 2, 3]);
    }

    #[test]
    fn what_stands_in_a_circle_has_one_rank() {
        let circle = "a: , b: { needs: [a], back_from: [d], join_type: XOR }, c: { needs: [b] }, \
                      d: { needs: [c], split_type: XOR, split_conditions: { b: x, e: y } }, e: { needs: [d] }";
        assert_eq!(ranks(circle), [0, 1, 1, 1, 4]);
        let two = "a: { join_type: XOR, back_from: [b] }, \
                   b: { needs: [a], join_type: XOR, back_from: [c], split_type: XOR, \
                   split_conditions: { a: x, c: y } }, \
                   c: { needs: [b], split_type: XOR, split_conditions: { b: x, d: y } }, d: { needs: [c] }";
        assert_eq!(ranks(two), [0, 0, 0, 3]);
        let jumps =
            "a: , b: { needs: [a] }, c: { needs: [b], jump_targets: [b, e] }, d: { needs: [c] }, e: { needs: [d] }";
        assert_eq!(ranks(jumps), [0, 1, 1, 3, 4]);
    }
}
