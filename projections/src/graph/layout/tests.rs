//! What holds of every layout, on graphs made by hand and drawn at random: with circles, which definitions do not have.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { width: 9, height: 3 };

fn link((from, to): (usize, usize)) -> Link {
    Link { from, to, label: None, is_back: false }
}

fn layout(boxes: usize, pairs: &[(usize, usize)]) -> Layout {
    let links: Vec<Link> = pairs.iter().copied().map(link).collect();
    checked(&vec![SIZE; boxes], &links)
}

/// The layout of these, held to everything that holds of layouts.
fn checked(boxes: &[Size], links: &[Link]) -> Layout {
    let layout = Layout::of(boxes, links).unwrap();
    assert_eq!((layout.boxes().len(), layout.routes().len()), (boxes.len(), links.len()));
    assert_sound(links, &layout);
    layout
}

/// Holds a layout to everything that holds of layouts.
pub(in crate::graph) fn assert_sound(links: &[Link], layout: &Layout) {
    let owners = owners(layout);
    for (link, route) in links.iter().zip(layout.routes()) {
        ends_at_its_boxes(link, route, layout);
        for cell in cells(route) {
            let owner = owners.get(&cell);
            let is_end = Some(&cell) == route.points().first() || Some(&cell) == route.points().last();
            let is_own = match owner {
                Some(Owner::Box(_)) => is_end,
                Some(Owner::Label(other)) => layout.routes()[*other] == *route,
                None => true,
            };
            assert!(is_own, "{link:?} at {cell:?} meets {owner:?} in {layout:?}");
        }
    }
    shared_ways_are_plain(links, layout);
}

#[derive(Debug, PartialEq)]
enum Owner {
    Box(usize),
    Label(usize),
}

/// Who stands on each cell; nothing stands on another, or outside.
fn owners(layout: &Layout) -> BTreeMap<Cell, Owner> {
    let labels = layout.routes().iter().enumerate();
    let labels =
        labels.filter_map(|(index, route)| route.label().map(|rect| (Owner::Label as fn(_) -> _, index, rect)));
    let boxes = layout.boxes().iter().enumerate().map(|(index, rect)| (Owner::Box as fn(_) -> _, index, *rect));
    let mut owners = BTreeMap::new();
    for (owner, index, rect) in boxes.chain(labels) {
        for (x, y) in rect.columns().flat_map(|x| rect.rows().map(move |y| (x, y))) {
            assert!(x < layout.width() && y < layout.height(), "{rect:?} leaves {layout:?}");
            let before = owners.insert(Cell { x, y }, owner(index));
            assert_eq!(before, None, "{rect:?} stands on it in {layout:?}");
        }
    }
    owners
}

/// The cells of a route, in their order.
fn cells(route: &Route) -> Vec<Cell> {
    let mut cells = vec![route.points()[0]];
    for pair in route.points().windows(2) {
        let (from, to) = (pair[0], pair[1]);
        assert!((from.x == to.x) != (from.y == to.y), "{from:?} to {to:?} is neither down nor across");
        while cells[cells.len() - 1] != to {
            let Cell { x, y } = cells[cells.len() - 1];
            let toward = |at: u32, end: u32| if at < end { at + 1 } else { at - u32::from(at > end) };
            cells.push(Cell { x: toward(x, to.x), y: toward(y, to.y) });
        }
    }
    cells
}

fn ends_at_its_boxes(link: &Link, route: &Route, layout: &Layout) {
    let (from, to) = (layout.boxes()[link.from], layout.boxes()[link.to]);
    let (first, last) = (route.points()[0], route.points()[route.points().len() - 1]);
    let inside = |rect: &Rect, cell: Cell| rect.left < cell.x && cell.x < *rect.columns().end();
    assert!(inside(&from, first) && first.y == *from.rows().end(), "{link:?} begins at {first:?} in {layout:?}");
    assert!(inside(&to, last) && last.y == to.top, "{link:?} ends at {last:?} in {layout:?}");
    let goes_down = route.points().windows(2).all(|pair| pair[0].y <= pair[1].y);
    assert_eq!(goes_down, route.direction() == Direction::Forward, "{link:?} in {layout:?}");
    assert_eq!(route.label().is_some(), link.label.is_some());
    if let (Some(rect), Some(width)) = (route.label(), link.label) {
        assert!(rect.width >= width && cells(route).contains(&Cell { x: rect.middle(), y: rect.top }), "{layout:?}");
    }
}

/// Two arcs that go along one cell the same way begin at one box, end at one, or each of the boxes they begin at leads
/// to each of those they end at.
fn shared_ways_are_plain(links: &[Link], layout: &Layout) {
    let pairs: BTreeSet<(usize, usize)> = links.iter().map(|link| (link.from, link.to)).collect();
    let mut ways: BTreeMap<(Cell, Cell), Vec<&Link>> = BTreeMap::new();
    for (link, route) in links.iter().zip(layout.routes()) {
        for pair in cells(route).windows(2) {
            let way = ways.entry((pair[0].min(pair[1]), pair[0].max(pair[1]))).or_default();
            let is_plain = |other: &&Link| {
                let crossed = [(link.from, other.to), (other.from, link.to)];
                link.from == other.from || link.to == other.to || crossed.iter().all(|pair| pairs.contains(pair))
            };
            assert!(way.iter().all(is_plain), "{link:?} and {way:?} share {pair:?} in {layout:?}");
            way.push(link);
        }
    }
}

#[test]
fn a_chain_is_straight() {
    let layout = layout(3, &[(0, 1), (1, 2)]);
    assert_eq!((layout.width(), layout.height()), (9, 13));
    assert!(layout.routes().iter().all(|route| route.points().len() == 2), "{layout:?}");
}

#[test]
fn a_fork_with_its_join_is_symmetric_and_shares_its_ways() {
    let layout = layout(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
    let middles: Vec<u32> = layout.boxes().iter().map(Rect::middle).collect();
    assert_eq!((middles[0], middles[0]), (middles[3], u32::midpoint(middles[1], middles[2])), "{layout:?}");
    let ends: BTreeSet<Option<&Cell>> = layout.routes()[2..].iter().map(|route| route.points().last()).collect();
    assert_eq!(ends.len(), 1, "{layout:?}");
}

#[test]
fn arcs_that_do_not_lead_from_each_to_each_end_apart() {
    let layout = layout(4, &[(0, 2), (0, 3), (1, 3)]);
    assert_ne!(layout.routes()[1].points().last(), layout.routes()[2].points().last(), "{layout:?}");
}

#[test]
fn what_closes_a_circle_leads_back() {
    type Pairs = &'static [(usize, usize)];
    let cases: [(usize, Pairs, &[usize]); 5] = [
        (1, &[(0, 0)], &[0]),
        (2, &[(0, 1), (1, 0)], &[1]),
        (4, &[(0, 1), (1, 2), (2, 1), (2, 3)], &[2]),
        (4, &[(0, 1), (1, 2), (2, 3), (3, 0), (2, 0), (3, 3)], &[3, 4, 5]),
        (3, &[(1, 0), (2, 1), (0, 2)], &[0]),
    ];
    for (boxes, pairs, expected) in cases {
        let layout = layout(boxes, pairs);
        let routes = layout.routes().iter().enumerate();
        let back: Vec<usize> =
            routes.filter(|(_, route)| route.direction() == Direction::Back).map(|(index, _)| index).collect();
        assert_eq!(back, expected, "{pairs:?}");
    }
}

#[test]
fn a_long_arc_passes_beside_the_boxes_between() {
    let layout = layout(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
    assert!(layout.routes()[3].points().len() <= 6, "{layout:?}");
    assert_eq!(layout.routes()[1].points().len(), 2, "{layout:?}");
}

#[test]
fn nothing_is_drawn_of_nothing() {
    let layout = layout(0, &[]);
    assert_eq!((layout.width(), layout.height()), (0, 0));
}

#[test]
fn ten_thousand_boxes_have_their_places() {
    let count = 10_000;
    let chain: Vec<Link> = (1..count).map(|to| link((to - 1, to))).collect();
    let wide: Vec<Link> = (1..count).map(|to| link((0, to))).collect();
    let tree: Vec<Link> = (1..count).map(|to| link(((to - 1) / 3, to))).collect();
    let grid: Vec<Link> = (100..count).flat_map(|to| [link((to - 100, to)), link((to - 1 - to % 100, to))]).collect();
    for links in [chain, wide, tree, grid] {
        assert_eq!(Layout::of(&vec![SIZE; count], &links).unwrap().boxes().len(), count);
    }
}

#[test]
fn what_would_have_too_many_bends_is_refused() {
    let count = 4_000;
    let links: Vec<Link> = (1..count).flat_map(|to| [link((to - 1, to)), link((0, to))]).collect();
    let error = Layout::of(&vec![SIZE; count], &links).unwrap_err();
    assert_eq!((error.what, error.limit), ("boxes and bends", DRAWN_POINTS_MAX));
    assert!(error.found > DRAWN_POINTS_MAX);
}

fn graphs() -> impl Strategy<Value = (Vec<Size>, Vec<Link>)> {
    let size = (3..24_u32, 3..6_u32).prop_map(|(width, height)| Size { width, height });
    let ends = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::option::weighted(0.2, 1..20_u32));
    (vec(size, 1..14), vec(ends, 0..28), any::<bool>()).prop_map(|(boxes, ends, has_circles)| {
        let mut known = BTreeSet::new();
        let link = |(from, to, label): (prop::sample::Index, prop::sample::Index, Option<u32>)| {
            let (from, to) = (from.index(boxes.len()), to.index(boxes.len()));
            let (from, to) = if has_circles { (from, to) } else { (from.min(to), from.max(to)) };
            ((has_circles || from != to) && known.insert((from, to))).then_some(Link {
                from,
                to,
                label,
                is_back: has_circles && to <= from && label.is_none(),
            })
        };
        let links = ends.into_iter().filter_map(link).collect();
        (boxes, links)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_box_stands_on_another_and_no_arc_crosses_one((boxes, links) in graphs()) {
        let layout = checked(&boxes, &links);
        prop_assert_eq!(layout, Layout::of(&boxes, &links).unwrap());
    }
}
