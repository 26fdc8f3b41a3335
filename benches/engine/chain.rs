//! How long does one workflow take on an idle engine, and how long until the next stage of a chain runs?

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stabilize::{Config, Definition, Engine, Outcome, Registry, Stage, Start};

use crate::floor::floor;
use crate::{Effort, percentile, print_row};

/// The rows of latency.
pub(crate) fn latency_of_one_workflow_and_of_the_next_stage(effort: Effort) {
    let mut lengths = one_after_another(effort.rounds(400));
    lengths.sort();
    let floor_before = floor(effort);
    for (name, part, target) in [("p50", 0.5, "2.5/F"), ("p99", 0.99, "6/F")] {
        let length = percentile(&lengths, part).as_secs_f64();
        let what = format!("idle engine, single-stage workflows one by one, {name}");
        print_row(&what, length * 1e6, "us", floor_before, length * floor_before, target);
    }
    let mut steps = chain(effort.rounds(1_000));
    steps.sort();
    let floor_after = floor(effort);
    let length = percentile(&steps, 0.5).as_secs_f64();
    print_row(
        "next stage of a chain, in-process task, p50",
        length * 1e6,
        "us",
        floor_after,
        length * floor_after,
        "1.3/F",
    );
}

fn one_after_another(total: usize) -> Vec<Duration> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let engine = Engine::open(Config::at(directory.path()).workers(2), Registry::with_builtins()).expect("an engine");
    let definition = Definition::builder("bench").stage(Stage::new("only").uses("noop")).build().expect("a definition");
    let lengths = (0..total)
        .map(|_| {
            let began = Instant::now();
            let workflow = engine.submit(&definition, Start::new().workdir("/")).expect("a workflow");
            engine.wait(workflow, Duration::from_secs(60)).expect("its end");
            began.elapsed()
        })
        .collect();
    engine.close().expect("an orderly end");
    lengths
}

/// Time from one task of a chain to the next.
fn chain(stages: usize) -> Vec<Duration> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Registry::with_builtins();
    let marks = Arc::clone(&seen);
    let mark = move |_: &stabilize::TaskContext<'_>| {
        marks.lock().expect("no caller panics").push(Instant::now());
        Ok(Outcome::success())
    };
    tasks.register_fn("mark", mark).expect("a new name");
    let engine = Engine::open(Config::at(directory.path()).workers(2), tasks).expect("an engine");
    let mut builder = Definition::builder("chain").stage(Stage::new("s0").uses("mark"));
    for number in 1..stages {
        builder = builder.stage(Stage::new(format!("s{number}")).needs([format!("s{}", number - 1)]).uses("mark"));
    }
    let definition = builder.build().expect("a definition");
    let workflow = engine.submit(&definition, Start::new().workdir("/")).expect("a workflow");
    engine.wait(workflow, Duration::from_secs(120)).expect("its end");
    engine.close().expect("an orderly end");
    let seen = seen.lock().expect("no caller panics");
    seen.windows(2).map(|pair| pair[1] - pair[0]).collect()
}
