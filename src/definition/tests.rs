//! What a definition is, from the outside: examples that are read, and mistakes with what is said of them.

use super::*;

fn read(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn arcs_follow_the_needs_in_definition_order() {
    let definition = read("{name: x, stages: {a: {}, b: {needs: [a]}, c: {needs: [a]}, d: {needs: [c, b]}}}");
    let graph = definition.graph();
    let arcs: Vec<_> = graph.arcs.iter().map(|arc| (arc.from.map(|from| from.get()), arc.to.get())).collect();
    assert_eq!(arcs, [(None, 0), (Some(0), 1), (Some(0), 2), (Some(2), 3), (Some(1), 3)]);
    let outgoing: Vec<u32> = graph.stages[0].outgoing.iter().map(|arc| arc.get()).collect();
    assert_eq!(outgoing, [1, 2]);
}
