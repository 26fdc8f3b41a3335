//! Tries all patterns, as many at once as the machine has processors.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::report::Report;
use super::trial::Effort;
use super::{NAMES, report_of};

/// Tries all 43 patterns; `seen` is told of each, in the order of their numbers, as soon as it and those before it are
/// done. What is found does not depend on how many are tried at once.
pub fn reports(effort: Effort, mut seen: impl FnMut(&Report)) -> Vec<Report> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(NAMES.len());
    let next = AtomicUsize::new(1);
    let (done, finished) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more only if `seen` has panicked.
                    if number > NAMES.len() || done.send((number, report_of(number, effort))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut early = BTreeMap::new();
        let mut found = Vec::with_capacity(NAMES.len());
        for (number, report) in finished {
            early.insert(number, report);
            while let Some(report) = early.remove(&(found.len() + 1)) {
                seen(&report);
                found.push(report);
            }
        }
        found
    })
}
