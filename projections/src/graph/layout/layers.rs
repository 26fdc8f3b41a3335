//! Which arcs lead back, and how deep each box stands: below all that lead to it.

use super::{Direction, Link};

/// The links that leave each box, by their place.
fn outgoing(boxes: usize, links: &[Link]) -> Vec<Vec<usize>> {
    let mut outgoing = vec![Vec::new(); boxes];
    for (place, link) in links.iter().enumerate() {
        outgoing[link.from].push(place);
    }
    outgoing
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Unseen,
    Open,
    Closed,
}

/// Which way each link leads: back if it says so and does lead up, or closes a circle of the others when the boxes are
/// walked in their order, those that nothing leads to first. Without these links there is no circle.
pub(super) fn directions(boxes: usize, links: &[Link]) -> Vec<Direction> {
    let mut outgoing = outgoing(boxes, links);
    outgoing.iter_mut().for_each(|places| places.retain(|place| !links[*place].is_back));
    let mut is_entered = vec![false; boxes];
    links.iter().filter(|link| !link.is_back).for_each(|link| is_entered[link.to] = true);
    let roots = (0..boxes).filter(|index| !is_entered[*index]).chain((0..boxes).filter(|index| is_entered[*index]));
    let mut visits = vec![Visit::Unseen; boxes];
    let declared = |link: &Link| if link.is_back { Direction::Back } else { Direction::Forward };
    let mut directions: Vec<Direction> = links.iter().map(declared).collect();
    for root in roots {
        if visits[root] != Visit::Unseen {
            continue;
        }
        visits[root] = Visit::Open;
        let mut way = vec![(root, 0)];
        while let Some((at, next)) = way.last_mut() {
            let Some(&place) = outgoing[*at].get(*next) else {
                visits[*at] = Visit::Closed;
                way.pop();
                continue;
            };
            *next += 1;
            let to = links[place].to;
            match visits[to] {
                Visit::Unseen => {
                    visits[to] = Visit::Open;
                    way.push((to, 0));
                }
                Visit::Open => directions[place] = Direction::Back,
                Visit::Closed => {}
            }
        }
    }
    let depths = ranks(boxes, links, &directions);
    for (link, direction) in links.iter().zip(&mut directions).filter(|(link, _)| link.is_back) {
        if depths[link.from] < depths[link.to] {
            *direction = Direction::Forward;
        }
    }
    directions
}

/// How many links the longest way to each box has, back links left out.
pub(super) fn ranks(boxes: usize, links: &[Link], directions: &[Direction]) -> Vec<usize> {
    let outgoing = outgoing(boxes, links);
    let mut missing = vec![0_usize; boxes];
    for (link, _) in links.iter().zip(directions).filter(|(_, direction)| **direction == Direction::Forward) {
        missing[link.to] += 1;
    }
    let mut ranks = vec![0; boxes];
    let mut ahead: Vec<usize> = (0..boxes).filter(|index| missing[*index] == 0).collect();
    while let Some(at) = ahead.pop() {
        for place in outgoing[at].iter().copied().filter(|place| directions[*place] == Direction::Forward) {
            let to = links[place].to;
            ranks[to] = ranks[to].max(ranks[at] + 1);
            missing[to] -= 1;
            if missing[to] == 0 {
                ahead.push(to);
            }
        }
    }
    ranks
}
