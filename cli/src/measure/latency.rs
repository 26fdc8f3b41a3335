//! How long one takes: a whole workflow on an idle engine, and the next stage of a chain.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use stabilize::{Outcome, Registry, TaskContext, TaskError};

use super::error::Error;
use super::part::{Effort, Spent, Workload};
use super::setting::{Bench, Setting, chain, single_stage, start};
use super::throughput::LONG;

/// Workflows of one stage, one after another.
pub(super) fn idle(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config)?;
    Ok(Box::new(Idle { bench }))
}

struct Idle {
    bench: Bench,
}

impl Workload for Idle {
    fn perform(&mut self, units: u64) -> Result<Spent, Error> {
        let definition = single_stage();
        let one = |_| {
            let began = Instant::now();
            let workflow = self.bench.engine.submit(&definition, start())?;
            self.bench.engine.wait(workflow, LONG)?;
            Ok(began.elapsed())
        };
        let each: Result<Vec<Duration>, Error> = (0..units).map(one).collect();
        Ok(each?.into())
    }
}

/// Stages of one workflow, one after another: from the beginning of one task to that of the next.
pub(super) fn next_stage(setting: &Setting<'_>) -> Result<Box<dyn Workload>, Error> {
    Ok(Box::new(Chain::open(setting)?))
}

struct Chain {
    bench: Bench,
    begun: Arc<Mutex<Vec<Instant>>>,
}

impl Chain {
    fn open(setting: &Setting<'_>) -> Result<Chain, Error> {
        let begun = Arc::new(Mutex::new(Vec::new()));
        let bench = Bench::open(setting, marking(&begun), |config| config)?;
        Ok(Chain { bench, begun })
    }

    /// The times between the tasks of a chain of `units` stages and one.
    fn lengths(&self, units: u64) -> Result<Vec<Duration>, Error> {
        let definition = chain(units + 1, "mark");
        let workflow = self.bench.engine.submit(&definition, start())?;
        self.bench.engine.wait(workflow, LONG)?;
        let begun = std::mem::take(&mut *self.begun.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(begun.windows(2).map(|pair| pair[1] - pair[0]).collect())
    }
}

/// Tasks, one of which notes when it begins.
pub(super) fn marking(begun: &Arc<Mutex<Vec<Instant>>>) -> Registry {
    let begun = Arc::clone(begun);
    let mark = move |_: &TaskContext<'_>| -> Result<Outcome, TaskError> {
        begun.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        Ok(Outcome::success())
    };
    let mut tasks = Registry::with_builtins();
    tasks.register_fn("mark", mark).expect("no built-in task has this name");
    tasks
}

impl Workload for Chain {
    fn perform(&mut self, units: u64) -> Result<Spent, Error> {
        Ok(self.lengths(units)?.into())
    }
}

/// How much longer the next stage takes behind a long history: the median of the last stages of one workflow, in that
/// of its first ones.
pub(super) fn flatness(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let (length, part) = match setting.effort {
        Effort::Once => (16, 4),
        Effort::Usual | Effort::Full => (CHAIN_LENGTH, 1_000),
    };
    let mut lengths = Chain::open(setting)?.lengths(length)?;
    let behind = lengths.len().saturating_sub(part);
    let last = median(&mut lengths.split_off(behind));
    lengths.truncate(part);
    Ok(vec![last.as_secs_f64() / median(&mut lengths).as_secs_f64()])
}

/// Stages of a chain that is long: a definition holds not many more.
const CHAIN_LENGTH: u64 = 10_000;

fn median(lengths: &mut [Duration]) -> Duration {
    lengths.sort_unstable();
    percentile(lengths, 0.5)
}

/// The length below which this part of the sorted ones stays.
pub(super) fn percentile(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let place = (last as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_chain_fits_into_a_definition() {
        let stages = chain(CHAIN_LENGTH + 1, "mark").to_json().matches("\"uses\"").count();
        assert_eq!(stages as u64, CHAIN_LENGTH + 1);
    }

    #[test]
    fn a_percentile_is_one_of_the_lengths() {
        let lengths: Vec<Duration> = (1..=101).map(Duration::from_millis).collect();
        for (part, expected) in [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 101)] {
            assert_eq!(percentile(&lengths, part), Duration::from_millis(expected), "{part}");
        }
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
