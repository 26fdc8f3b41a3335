//! How much goes through a second: transitions, whole workflows, stages of a fan-out.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use stabilize::{Definition, Drive, Engine, Registry};

use super::error::Error;
use super::executor::keep_going;
use super::part::{Spent, Workload};
use super::setting::{Bench, Setting, fan_out, single_stage, start};

/// Stages of a fan-out: one, these, one.
const WIDTH: u64 = 100;

/// Stages of a fan-out in all.
pub(super) const FAN_OUT_STAGES: u64 = WIDTH + 2;

/// Nothing here takes so long.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// A caller needs no more.
const STACK: usize = 128 * 1024;

/// How work is kept under way.
#[derive(Clone, Copy)]
enum Callers {
    /// A thread for each, that blocks.
    Threads(u64),
    /// A future for each, all on one thread.
    Futures(u64),
}

/// What is asked for again and again.
#[derive(Clone, Copy)]
enum Ask {
    /// That a workflow begins: one accepted input.
    Begin,
    /// That a workflow begins, and to be told of its end.
    Finish,
}

struct Throughput {
    bench: Bench,
    definition: Definition,
    ask: Ask,
    callers: Callers,
}

fn open(setting: &Setting<'_>, definition: Definition, ask: Ask, callers: Callers) -> Result<Box<dyn Workload>, Error> {
    let driven = match ask {
        // What begins stays where it is, so that nothing but the inputs is measured.
        Ask::Begin => Drive::Only(BTreeSet::new()),
        Ask::Finish => Drive::All,
    };
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config.drive(driven))?;
    Ok(Box::new(Throughput { bench, definition, ask, callers }))
}

/// Accepted inputs of one thread that blocks.
pub(super) fn transitions_of_one_producer(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Begin, Callers::Threads(1))
}

/// Accepted inputs of 64 threads that block.
pub(super) fn transitions_of_64_producers(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Begin, Callers::Threads(64))
}

/// Accepted inputs of 256 threads that block.
pub(super) fn transitions_of_256_producers(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Begin, Callers::Threads(256))
}

/// Accepted inputs, 256 of them on their way.
pub(super) fn transitions_256_outstanding(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Begin, Callers::Futures(256))
}

/// Accepted inputs, 4,096 of them on their way.
pub(super) fn transitions_4096_outstanding(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Begin, Callers::Futures(4_096))
}

/// Whole workflows of one stage, 256 of them on their way.
pub(super) fn workflows_256_in_flight(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Finish, Callers::Futures(256))
}

/// Whole workflows of one stage, 4,096 of them on their way.
pub(super) fn workflows_4096_in_flight(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Finish, Callers::Futures(4_096))
}

/// Whole workflows of one stage for 256 threads that block.
pub(super) fn workflows_of_256_callers(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, single_stage(), Ask::Finish, Callers::Threads(256))
}

/// Whole workflows of 102 stages, one after another.
pub(super) fn fan_out_alone(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, fan_out(WIDTH), Ask::Finish, Callers::Threads(1))
}

/// Whole workflows of 102 stages, 16 of them on their way.
pub(super) fn fan_out_16_in_flight(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    open(setting, fan_out(WIDTH), Ask::Finish, Callers::Futures(16))
}

impl Workload for Throughput {
    fn perform(&mut self, units: u64) -> Result<Spent, Error> {
        let (engine, definition, ask) = (&self.bench.engine, &self.definition, self.ask);
        let began = Instant::now();
        match self.callers {
            Callers::Threads(1) => (0..units).try_for_each(|_| blocking(engine, definition, ask))?,
            Callers::Threads(callers) => threads(callers.min(units), units, || blocking(engine, definition, ask))?,
            Callers::Futures(at_once) => keep_going(at_once, units, || waiting(engine, definition, ask))?,
        }
        Ok(began.elapsed().into())
    }
}

fn blocking(engine: &Engine, definition: &Definition, ask: Ask) -> Result<(), Error> {
    let workflow = engine.submit(definition, start())?;
    match ask {
        Ask::Begin => (),
        Ask::Finish => drop(engine.wait(workflow, LONG)?),
    }
    Ok(())
}

fn waiting(engine: &Engine, definition: &Definition, ask: Ask) -> impl Future<Output = Result<(), Error>> + use<> {
    let engine = engine.clone();
    let begins = engine.submit_async(definition, start());
    async move {
        let workflow = begins.await?;
        match ask {
            Ask::Begin => (),
            Ask::Finish => drop(engine.wait_async(workflow).await?),
        }
        Ok(())
    }
}

/// Calls `once` from these many threads, `total` times in all.
///
/// # Errors
///
/// The error of one of the calls, or that there is no thread.
pub(super) fn threads(callers: u64, total: u64, once: impl Fn() -> Result<(), Error> + Sync) -> Result<(), Error> {
    let left = AtomicU64::new(total);
    let life = || {
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            once()?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let caller = |_| Builder::new().stack_size(STACK).spawn_scoped(scope, life);
        let callers: Vec<_> = (0..callers).map(caller).collect();
        callers.into_iter().try_for_each(|caller| {
            let caller = caller.map_err(|source| Error::Thread { source })?;
            caller.join().expect("a caller does not panic")
        })
    })
}
