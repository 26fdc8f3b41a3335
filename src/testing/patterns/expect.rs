//! What must be true when a scenario is over, read from short texts.

use std::fmt;

use crate::status::Status;

use super::scenario::Test;
use super::view::View;

/// What must be true at the end of a scenario.
#[derive(Clone, Default)]
pub(super) struct Expected {
    pub(super) status: Option<Status>,
    pub(super) runs: Vec<(String, usize)>,
    pub(super) outcomes: Vec<(String, Status)>,
    pub(super) order: Vec<(String, String)>,
    pub(super) lines: Vec<(String, usize)>,
    pub(super) tests: Vec<Test>,
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("status", &self.status).field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// The parts between commas.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn pair<'t>(part: &'t str, by: char, what: &str) -> (&'t str, &'t str) {
    let (left, right) = part.split_once(by).unwrap_or_else(|| panic!("{part:?} does not say {what}"));
    (left.trim(), right.trim())
}

impl Expected {
    pub(super) fn read_runs(&mut self, text: &str) {
        for part in parts(text) {
            let (stage, count) = pair(part, ' ', "how many activations of which stage");
            let count = count.parse().unwrap_or_else(|_| panic!("{part:?} has no number of activations"));
            self.runs.push((stage.to_owned(), count));
        }
    }

    pub(super) fn read_outcomes(&mut self, text: &str) {
        for part in parts(text) {
            let (stage, status) = pair(part, ' ', "how which stage ended");
            let status = Status::ALL.into_iter().find(|known| known.name() == status);
            let status = status.unwrap_or_else(|| panic!("{part:?} has no status"));
            self.outcomes.push((stage.to_owned(), status));
        }
    }

    pub(super) fn read_order(&mut self, text: &str) {
        for part in parts(text) {
            let (earlier, later) = pair(part, '<', "which stage comes before which");
            self.order.push((earlier.to_owned(), later.to_owned()));
        }
    }

    /// Is the scenario complete: does it say how it ends, and how many activations of each of these stages started?
    ///
    /// # Errors
    ///
    /// What it does not say.
    pub(super) fn covers<'s>(&self, stages: impl Iterator<Item = &'s str>) -> Result<(), String> {
        if self.status.is_none() {
            return Err("the scenario does not say how the workflow ends".to_owned());
        }
        let unsaid: Vec<&str> = stages.filter(|stage| !self.runs.iter().any(|(named, _)| named == stage)).collect();
        if unsaid.is_empty() {
            return Ok(());
        }
        Err(format!("the scenario does not say how many activations start of {}", unsaid.join(", ")))
    }

    /// Is all of it true?
    ///
    /// # Errors
    ///
    /// What is not.
    pub(super) fn hold(&self, view: &View<'_>) -> Result<(), String> {
        self.status.map_or(Ok(()), |status| view.expect_status(status))?;
        for (stage, count) in &self.runs {
            view.expect_runs(stage, *count)?;
        }
        for (stage, status) in &self.outcomes {
            view.expect_ended(stage, *status)?;
        }
        for (earlier, later) in &self.order {
            view.expect_order(earlier, later)?;
        }
        for (line, count) in &self.lines {
            view.expect_lines(line, *count)?;
        }
        self.tests.iter().try_for_each(|test| test(view))
    }
}
