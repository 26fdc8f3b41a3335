//! How often does a lone workflow make the disk sync, and how often does one among many?

use std::time::Duration;

use stabilize::testing::counted;
use stabilize::{Definition, Engine, Registry, Stage, Start};

use crate::Effort;

/// The rows of flushes per workflow.
pub(crate) fn flushes_of_a_lone_workflow(effort: Effort) {
    for (in_flight, total, target) in [(1, 200, "2"), (256, 10_000, "0.05")] {
        let callers = in_flight.min(effort.rounds(in_flight));
        let flushes = flushes_per_workflow(callers, effort.rounds(total));
        println!("flushes per single-stage workflow, {in_flight:>4} in flight {flushes:>26.3}  target {target}");
    }
}

fn flushes_per_workflow(callers: usize, total: usize) -> f64 {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (config, flushes) = counted(directory.path()).expect("a log");
    let engine = Engine::open(config.workers(2), Registry::with_builtins()).expect("an engine");
    let definition = Definition::builder("bench").stage(Stage::new("only").uses("noop")).build().expect("a definition");
    // The definition itself is stored once; it does not belong to the workflows that are counted.
    let first = engine.submit(&definition, Start::new().workdir("/")).expect("a workflow");
    engine.wait(first, Duration::from_secs(60)).expect("its end");
    let before = flushes.count();
    let each = total.div_ceil(callers);
    std::thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                for _ in 0..each {
                    let workflow = engine.submit(&definition, Start::new().workdir("/")).expect("a workflow");
                    engine.wait(workflow, Duration::from_secs(60)).expect("its end");
                }
            });
        }
    });
    let counted = flushes.count() - before;
    engine.close().expect("an orderly end");
    counted as f64 / (each * callers) as f64
}
