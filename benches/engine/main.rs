//! How much of what the disk allows does the whole engine reach?
//!
//! Every figure stands beside F of the same run: one 200-byte write and one fdatasync per record, on one thread, into a
//! zero-filled file. F differs from machine to machine and from minute to minute; the ratios are what compares.
//! `cargo bench` measures; `cargo bench -- --test` runs everything once, small, and asserts nothing about speed.

mod chain;
mod executor;
mod floor;
mod flushes;
mod throughput;

use std::time::Duration;

/// How much work a measurement does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// Enough for a figure.
    Measure,
    /// Once, to see that it runs.
    Test,
}

impl Effort {
    /// `measured` rounds, or as many as a test takes.
    fn rounds(self, measured: usize) -> usize {
        match self {
            Effort::Measure => measured,
            Effort::Test => measured.min(4),
        }
    }
}

/// A figure beside the floor of the same minute.
fn print_row(what: &str, value: f64, unit: &str, floor: f64, ratio: f64, target: &str) {
    println!("{what:<58} {value:>12.1} {unit:<12} F {floor:>7.0}/s  ratio {ratio:>8.2}  target {target}");
}

/// The value below which this part of the sorted lengths lies.
fn percentile(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let place = (last as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// A question and the rows that answer it.
type Question = (&'static str, fn(Effort));

const QUESTIONS: [Question; 3] = [
    ("throughput", throughput::durable_single_stage_workflows_per_second),
    ("latency", chain::latency_of_one_workflow_and_of_the_next_stage),
    ("flushes", flushes::flushes_of_a_lone_workflow),
];

/// Answers the questions whose name is among the arguments; all of them if none is.
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let effort = if arguments.iter().any(|argument| argument == "--test") { Effort::Test } else { Effort::Measure };
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !QUESTIONS.iter().any(|(name, _)| named(name));
    for (_, answer) in QUESTIONS.iter().filter(|(name, _)| all || named(name)) {
        answer(effort);
    }
}
