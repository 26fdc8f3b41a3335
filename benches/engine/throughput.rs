//! How many durable single-stage workflows go through a second, with 1, 256 and 4,096 in flight, and
//! with 256 threads that block?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stabilize::{Config, Definition, Engine, Registry, Stage, Start};

use crate::executor;
use crate::floor::floor;
use crate::{Effort, print_row};

/// Rounds of which the median counts.
const ROUNDS: usize = 5;

/// How workflows are kept in flight.
#[derive(Clone, Copy)]
enum By {
    /// A thread for each, that blocks.
    Threads,
    /// A future for each, all on one thread.
    Futures,
}

/// The rows of durable workflows per second.
pub(crate) fn durable_single_stage_workflows_per_second(effort: Effort) {
    let rows = [
        ("1 in flight", By::Threads, 1, 400, "-"),
        ("256 in flight", By::Futures, 256, 40_000, "20 F"),
        ("4,096 in flight", By::Futures, 4_096, 60_000, "20 F"),
        ("256 blocking callers", By::Threads, 256, 20_000, "-"),
    ];
    for (name, by, in_flight, total, target) in rows {
        let mut rounds: Vec<(f64, f64)> = (0..effort.rounds(ROUNDS))
            .map(|_| (rate(by, in_flight.min(effort.rounds(in_flight)), effort.rounds(total)), floor(effort)))
            .collect();
        rounds.sort_by(|left, right| (left.0 / left.1).total_cmp(&(right.0 / right.1)));
        if let Some((rate, floor)) = rounds.get(rounds.len() / 2) {
            let what = format!("single-stage no-op workflows, {name}");
            print_row(&what, *rate, "workflows/s", *floor, rate / floor, target);
        }
    }
}

/// Workflows per second, submitted and waited for, `in_flight` at a time.
fn rate(by: By, in_flight: usize, total: usize) -> f64 {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = Config::at(directory.path()).workers(2);
    let engine = Engine::open(config, Registry::with_builtins()).expect("an engine");
    let definition = Definition::builder("bench").stage(Stage::new("only").uses("noop")).build().expect("a definition");
    let began = Instant::now();
    match by {
        By::Threads => threads(&engine, &definition, in_flight, total),
        By::Futures => executor::run(in_flight, total, || {
            let engine = engine.clone();
            let begins = engine.submit_async(&definition, Start::new().workdir("/"));
            async move {
                let workflow = begins.await.expect("a workflow");
                engine.wait_async(workflow).await.expect("its end")
            }
        }),
    }
    let rate = total as f64 / began.elapsed().as_secs_f64();
    engine.close().expect("an orderly end");
    rate
}

fn threads(engine: &Engine, definition: &Definition, callers: usize, total: usize) {
    let left = Arc::new(AtomicUsize::new(total));
    std::thread::scope(|scope| {
        for _ in 0..callers {
            let (engine, definition, left) = (engine.clone(), definition.clone(), Arc::clone(&left));
            let caller = std::thread::Builder::new().stack_size(64 * 1024);
            let life = move || {
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let workflow = engine.submit(&definition, Start::new().workdir("/")).expect("a workflow");
                    engine.wait(workflow, Duration::from_secs(60)).expect("its end");
                }
            };
            caller.spawn_scoped(scope, life).expect("a caller");
        }
    });
}
