//! What deciding costs, without disk and threads: nanoseconds an event in nets of 100, 1,000 and 10,000 stages, in as
//! many turns, with as many instances. Where it grows with the size, something looks at more than what has changed.

use std::time::Instant;

use stabilize::testing::nets::{Order, Shape, pass};

use super::error::Error;
use super::part::{How, Label, Part, Target};
use super::setting::Setting;

/// Stages of the nets, turns and instances.
const SIZES: [u64; 3] = [100, 1_000, 10_000];

const fn cost(row: &'static str, about: &'static str) -> Label {
    Label { row, about, unit: "ns/event", target: None }
}

const fn growth(row: &'static str) -> Label {
    let about = "an event of the largest, in one of the smallest";
    Label { row, about, unit: "times", target: Some(Target::AtMost(2.0)) }
}

/// Each join takes one look, as far as the chain is long: a look has no bound but the net.
const fn passes(row: &'static str) -> Label {
    Label { target: None, ..growth(row) }
}

/// A part for each shape.
pub(super) const PARTS: [Part; 12] = [
    Part {
        rows: &[
            cost("decide-chain-100", "deciding, 100 stages one after another"),
            cost("decide-chain-1000", "1,000"),
            cost("decide-chain-10000", "10,000"),
            growth("decide-chain-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Chain)),
    },
    Part {
        rows: &[
            cost("decide-fan-100", "deciding, 1 -> n -> 1 of 100 stages"),
            cost("decide-fan-1000", "1,000"),
            cost("decide-fan-10000", "10,000"),
            growth("decide-fan-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Fan)),
    },
    Part {
        rows: &[
            cost("decide-layers-100", "deciding, layers of 4 that wait for all before, of 100 stages"),
            cost("decide-layers-1000", "1,000"),
            cost("decide-layers-10000", "10,000"),
            growth("decide-layers-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Layers)),
    },
    Part {
        rows: &[
            cost("decide-choices-100", "deciding, exclusive choices and merges, of 100 stages"),
            cost("decide-choices-1000", "1,000"),
            cost("decide-choices-10000", "10,000"),
            growth("decide-choices-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Choices)),
    },
    Part {
        rows: &[
            cost("decide-merges-100", "deciding, OR-splits with OR-joins one after another, of 100 stages"),
            cost("decide-merges-1000", "1,000"),
            cost("decide-merges-10000", "10,000"),
            growth("decide-merges-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Merges)),
    },
    Part {
        rows: &[
            cost("decide-merges-at-once-100", "deciding, OR-joins that all wait at once, of 100 stages"),
            cost("decide-merges-at-once-1000", "1,000"),
            cost("decide-merges-at-once-10000", "10,000"),
            growth("decide-merges-at-once-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::MergesAtOnce)),
    },
    Part {
        rows: &[
            cost("decide-merges-behind-one-100", "deciding, OR-joins that wait for one chain, of 100 stages"),
            cost("decide-merges-behind-one-1000", "1,000"),
            cost("decide-merges-behind-one-10000", "10,000"),
            passes("decide-merges-behind-one-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::MergesBehindOne)),
    },
    Part {
        rows: &[
            cost("decide-wide-merge-100", "deciding, one OR-join behind chains of 10, of 100 stages"),
            cost("decide-wide-merge-1000", "1,000"),
            cost("decide-wide-merge-10000", "10,000"),
            growth("decide-wide-merge-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::WideMerge)),
    },
    Part {
        rows: &[
            cost("decide-circle-1000", "deciding, 1,000 turns over an arc that leads back"),
            cost("decide-circle-10000", "10,000"),
            cost("decide-circle-100000", "100,000"),
            growth("decide-circle-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Circle)),
    },
    Part {
        rows: &[
            cost("decide-loop-1000", "deciding, 1,000 turns of a structured loop"),
            cost("decide-loop-10000", "10,000"),
            cost("decide-loop-100000", "100,000"),
            growth("decide-loop-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Loop)),
    },
    Part {
        rows: &[
            cost("decide-instances-1000", "deciding, 1,000 instances of a stage"),
            cost("decide-instances-10000", "10,000"),
            cost("decide-instances-100000", "100,000"),
            growth("decide-instances-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Instances)),
    },
    Part {
        rows: &[
            cost("decide-loops-1000", "deciding, 1,000 instances of a loop with an OR-join"),
            cost("decide-loops-10000", "10,000"),
            cost("decide-loops-100000", "100,000"),
            growth("decide-loops-growth"),
        ],
        how: How::CountedAtLength(|setting| grows(setting, Shape::Loops)),
    },
];

/// Nanoseconds an event of each size, and how much more the largest takes than the smallest. The sizes take turns, as
/// others use the machine, too, and the median counts.
fn grows(setting: &Setting<'_>, shape: Shape) -> Result<Vec<f64>, Error> {
    let more = if shape.is_of_one_stage() { 10 } else { 1 };
    let sizes = SIZES.map(|size| setting.effort.pick(size * more, size * more));
    let nets = sizes.map(|size| shape.net(size as usize));
    let mut figures = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((net, size), figures) in nets.iter().zip(sizes).zip(&mut figures) {
            setting.go_on()?;
            // As many events of each, so that the small ones are measured as well.
            let times = (sizes[1] / size).max(1);
            let began = Instant::now();
            let events: u64 = (0..times).map(|_| pass(net, Order::First)).sum();
            figures.push(began.elapsed().as_secs_f64() * 1e9 / events as f64);
        }
    }
    let [small, middle, large] = figures.map(|mut figures| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    });
    Ok(vec![small, middle, large, large / small])
}

const ROUNDS: usize = 3;
