//! What a transition looks at, counted: as much in a large net as in a small one (R2, R3).

use super::{looks, work};
use crate::testing::nets::{Order, Passage, Shape, pass};

/// What it took to come to the end of a net.
#[derive(Clone, Copy, Debug)]
struct Cost {
    events: u64,
    /// Candidates tested, stages and arcs walked, entries of pasts copied or compared.
    work: u64,
    /// Looks at what may still come to a join.
    looks: u64,
}

fn cost(shape: Shape, size: usize, order: Order) -> Cost {
    let definition = shape.net(size);
    let (work_before, looks_before) = (work(), looks());
    let events = pass(&definition, order);
    Cost { events, work: work() - work_before, looks: (looks() - looks_before) as u64 }
}

#[test]
fn where_no_or_join_takes_part_a_transition_looks_at_what_has_changed() {
    for shape in [Shape::Chain, Shape::Fan, Shape::Layers, Shape::Choices] {
        for order in [Order::First, Order::Last] {
            let [small, middle, large] = [128, 512, 2_048].map(|size| cost(shape, size, order));
            for larger in [middle, large] {
                assert_eq!(larger.looks, 0, "{shape:?}");
                // A past is a trie, of more levels in a large net.
                let most = 2.0 * small.work as f64 / small.events as f64;
                let each = larger.work as f64 / larger.events as f64;
                assert!(each <= most, "{shape:?} {order:?}: {small:?}, {larger:?}");
            }
        }
    }
}

#[test]
fn an_or_join_looks_around_when_what_it_waited_for_is_gone_and_not_at_every_change() {
    // By its shape: of how many stages one is an OR-join, and how often each has to look: when its first token
    // has come, and once more where what it waited for went another way.
    let cases = [
        (Shape::Merges, 6, 2),
        (Shape::MergesAtOnce, 6, 2),
        (Shape::MergesBehindOne, 4, 1),
        (Shape::WideMerge, usize::MAX, 2),
    ];
    for (shape, every, most) in cases {
        for order in [Order::First, Order::Last] {
            let [small, middle, large] = [128, 512, 2_048].map(|size| (size, cost(shape, size, order)));
            for (size, cost) in [small, middle, large] {
                assert!(cost.looks <= most * (size / every).max(1) as u64, "{shape:?} {order:?} of {size}: {cost:?}");
            }
            // Each look costs what lies before the join: all of a long chain, where joins wait for its end.
            if shape != Shape::MergesBehindOne {
                let each = |(_, cost): (usize, Cost)| cost.work as f64 / cost.events as f64;
                assert!(each(large) <= 2.0 * each(small), "{shape:?} {order:?}: {small:?}, {large:?}");
            }
        }
    }
}

#[test]
fn turns_and_instances_take_work_linear_in_their_number() {
    for (shape, size) in
        [(Shape::Circle, 10_000), (Shape::Loop, 10_000), (Shape::Instances, 10_000), (Shape::Loops, 1_000)]
    {
        let [once, twice] = [size, 2 * size].map(|size| cost(shape, size, Order::First));
        assert!(twice.events * 10 <= once.events * 21, "{shape:?}: {once:?}, {twice:?}");
        assert!(twice.work * 10 <= once.work * 22, "{shape:?}: {once:?}, {twice:?}");
        assert!(twice.looks <= 2 * once.looks, "{shape:?}: {once:?}, {twice:?}");
    }
}

#[test]
fn what_a_state_holds_does_not_grow_with_turns() {
    for shape in [Shape::Circle, Shape::Loop] {
        let definition = shape.net(3_000);
        let mut passage = Passage::begin(&definition, Order::First);
        let mut size_after = |steps: usize| {
            (0..steps).for_each(|_| assert!(passage.step()));
            format!("{:?}", passage.state().core()).len()
        };
        let few = size_after(200);
        let many = size_after(2_000);
        // Numbers have more digits.
        assert!(many <= few + few / 10, "{shape:?}: {few} bytes have become {many}");
    }
}
