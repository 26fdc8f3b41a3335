//! Joins: may this stage start, now that tokens lie on its incoming arcs?
//!
//! Pure: reads the marking and returns which tokens a firing consumes. Terms: van der Aalst et al., "Workflow
//! Patterns", 2003.

use crate::definition::{Graph, Join};
use crate::event::Consumed;
use crate::ids::{ArcIndex, ScopeId, StageIndex};
use crate::machine::marking::Marking;

/// What a firing of the stage's join would consume now; `None` if it has to wait.
pub(super) fn enabled(graph: &Graph, marking: &Marking, scope: ScopeId, stage: StageIndex) -> Option<Consumed> {
    let incoming = &graph.stage(stage).incoming;
    match graph.stage(stage).join {
        Join::And => (marking.marked(scope, stage) == incoming.len()).then_some(Consumed::OnePerArc),
        Join::Xor => marking.first_marked(scope, incoming).map(|arc| Consumed::Arcs(vec![arc])),
    }
}

/// The arcs a waiting join still lacks a token on.
pub(super) fn missing(graph: &Graph, marking: &Marking, scope: ScopeId, stage: StageIndex) -> Vec<ArcIndex> {
    let incoming = graph.stage(stage).incoming.iter();
    incoming.copied().filter(|arc| !marking.is_marked(scope, *arc)).collect()
}
