//! What history costs: reading it back, opening a log, and the first workflow of a fresh one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use stabilize::{Config, Encoded, Engine, Position, Registry, State, WorkflowId, evolve};

use super::error::Error;
use super::executor::keep_going;
use super::latency::marking;
use super::part::{Spent, Workload};
use super::scratch::bytes_below;
use super::setting::{Bench, Setting, chain, config, fan_out, single_stage, start};
use super::throughput::LONG;

/// Workflows whose events are read back again and again, and how wide they are.
const READ: (u64, u64) = (200, 8);

/// Encoded events become states.
pub(super) fn replay(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    let engine = Engine::open(Config::memory(), Registry::with_builtins())?;
    let (total, width) = READ;
    let definition = fan_out(width);
    let total = setting.effort.pick(total, total);
    keep_going(16, total, || {
        let (begins, engine) = (engine.submit_async(&definition, start()), engine.clone());
        async move {
            let workflow = begins.await?;
            engine.wait_async(workflow).await?;
            Ok(())
        }
    })?;
    let mut workflows: BTreeMap<WorkflowId, Vec<Encoded>> = BTreeMap::new();
    for envelope in engine.history().all(Position::FIRST) {
        let envelope = envelope?;
        if let Some(workflow) = envelope.workflow() {
            workflows.entry(workflow).or_default().push(Encoded::of(envelope.event()));
        }
    }
    engine.close()?;
    Ok(Box::new(Replay { definition, workflows: workflows.into_iter().collect() }))
}

struct Replay {
    definition: stabilize::Definition,
    workflows: Vec<(WorkflowId, Vec<Encoded>)>,
}

impl Workload for Replay {
    fn perform(&mut self, units: u64) -> Result<Spent, Error> {
        let mut left = units;
        let began = Instant::now();
        for (workflow, events) in self.workflows.iter().cycle() {
            let mut state = State::new(*workflow, self.definition.clone());
            for encoded in events {
                if left == 0 {
                    return Ok(began.elapsed().into());
                }
                let event = encoded.decode().expect("it was encoded here");
                evolve(&mut state, &event).expect("an engine has recorded it");
                left -= 1;
            }
        }
        Ok(began.elapsed().into())
    }
}

/// Milliseconds in which an engine opens a log of so many events of ended workflows, and how many events it holds.
pub(super) fn opening(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config)?;
    let events = setting.effort.pick(100_000, 1_000_000);
    let definition = single_stage();
    let durable = |engine: &Engine| -> Result<u64, Error> { Ok(engine.history().durable()?.get()) };
    while durable(&bench.engine)? < events {
        setting.go_on()?;
        let missing = events - durable(&bench.engine)?;
        // A workflow has several events; what is missing then is made in the next round.
        keep_going(1_024, (missing / 10).clamp(1, 10_000), || {
            let (begins, engine) = (bench.engine.submit_async(&definition, start()), bench.engine.clone());
            async move {
                let workflow = begins.await?;
                engine.wait_async(workflow).await?;
                Ok(())
            }
        })?;
    }
    bench.engine.close()?;
    let mut lengths = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let engine = Engine::open(config(bench.scratch.path()), Registry::with_builtins())?;
        lengths.push(began.elapsed());
        engine.close()?;
        setting.go_on()?;
    }
    lengths.sort_unstable();
    Ok(vec![lengths[1].as_secs_f64() * 1e3])
}

/// Milliseconds from nothing to the first task of a workflow of three stages, and bytes of its log in the end.
pub(super) fn fresh(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let definition = chain(3, "mark");
    let mut lengths = Vec::new();
    let mut bytes = 0;
    for _ in 0..setting.effort.pick(5, 15) {
        let scratch = setting.scratch()?;
        let begun = Arc::new(Mutex::new(Vec::new()));
        let began = Instant::now();
        let engine = Engine::open(config(&scratch.path().join("log")), marking(&begun))?;
        let workflow = engine.submit(&definition, start())?;
        engine.wait(workflow, LONG)?;
        engine.close()?;
        let first = begun.lock().unwrap_or_else(PoisonError::into_inner).first().copied();
        lengths.extend(first.map(|first| first - began));
        bytes = bytes_below(scratch.path())?;
    }
    lengths.sort_unstable();
    Ok(vec![lengths[lengths.len() / 2].as_secs_f64() * 1e3, bytes as f64 / 1024.0])
}
