//! One survey of a machine: every part beside what the disk could do in the same seconds.

use std::time::{Duration, Instant};

use super::error::Error;
use super::floor::Floor;
use super::latency::percentile;
use super::part::{Effort, How, Part, Reading, Row, Spent, Timed};
use super::setting::Setting;

/// How often a part is measured; the median counts. Rather many short rounds than few long ones: a disk that others use
/// changes within a second, and F is that of the moments before and after.
const ROUNDS: usize = 5;

/// How long a round of a part should take.
const ROUND: Duration = Duration::from_millis(150);

/// No round after this one, however slow the disk is.
const PART: Duration = Duration::from_secs(2);

/// A machine being measured.
#[derive(Debug)]
pub struct Survey<'a> {
    setting: Setting<'a>,
    floor: Floor,
}

/// What was done, and F just before and after.
struct Round {
    units: u64,
    spent: Spent,
    floor: f64,
}

impl<'a> Survey<'a> {
    /// Begins one.
    ///
    /// # Errors
    ///
    /// If nothing can be written there.
    pub fn begin(setting: Setting<'a>) -> Result<Survey<'a>, Error> {
        Ok(Survey { setting, floor: Floor::open(&setting)? })
    }

    /// Measures a part; its rows, which are none where this system does not tell.
    ///
    /// # Errors
    ///
    /// If it came to no figure, or somebody wanted an end.
    pub fn measure(&mut self, part: &Part) -> Result<Vec<Row>, Error> {
        self.setting.go_on()?;
        let values: Vec<(f64, Option<f64>)> = match &part.how {
            How::Timed(timed) => self.timed(timed)?,
            How::CountedAtLength(_) if self.setting.effort == Effort::Usual => Vec::new(),
            How::Counted(count) | How::CountedAtLength(count) => {
                count(&self.setting)?.into_iter().map(|value| (value, None)).collect()
            }
        };
        let row = |(label, (value, ratio_to_f)): (&_, _)| Row { label: *label, value, ratio_to_f };
        Ok(part.rows.iter().zip(values).map(row).collect())
    }

    fn floor(&mut self) -> Result<f64, Error> {
        self.floor.measure(self.setting.effort)
    }

    fn timed(&mut self, timed: &Timed) -> Result<Vec<(f64, Option<f64>)>, Error> {
        let mut workload = (timed.open)(&self.setting)?;
        let few = if self.setting.effort == Effort::Once { timed.units_min.min(4) } else { timed.units_min };
        let warm = workload.perform(few)?;
        let (rounds, units) = match self.setting.effort {
            Effort::Once => (1, few),
            Effort::Usual | Effort::Full => (ROUNDS, fitting(timed, &warm)),
        };
        let began = Instant::now();
        let mut before = self.floor()?;
        let mut done: Vec<Round> = Vec::new();
        while done.len() < rounds && (done.is_empty() || began.elapsed() < PART) {
            self.setting.go_on()?;
            let spent = workload.perform(units)?;
            let after = self.floor()?;
            // The mean of the times of a write, as a rate.
            done.push(Round { units, spent, floor: 2.0 / (1.0 / before + 1.0 / after) });
            before = after;
        }
        for round in &mut done {
            round.spent.each.sort_unstable();
        }
        let middle = |of: &dyn Fn(&Round) -> (f64, Option<f64>)| {
            let mut values: Vec<(f64, Option<f64>)> = done.iter().map(of).collect();
            let key = |value: &(f64, Option<f64>)| value.1.unwrap_or(value.0);
            values.sort_by(|left, right| key(left).total_cmp(&key(right)));
            values[values.len() / 2]
        };
        let rate = |round: &Round| (round.units * timed.elements) as f64 / round.spent.total.as_secs_f64();
        Ok(match timed.reading {
            Reading::Rate => vec![middle(&|round| (rate(round), Some(rate(round) / round.floor)))],
            Reading::Pace => vec![middle(&|round| (rate(round), None))],
            Reading::Percentiles(parts) => {
                let length = |round: &Round, part| percentile(&round.spent.each, part).as_secs_f64();
                let of = |part: &f64| {
                    middle(&|round| (length(round, *part) * 1e6, Some(length(round, *part) * round.floor)))
                };
                parts.iter().map(of).collect()
            }
        })
    }
}

/// How many units make a round, after `warm` for the fewest.
fn fitting(timed: &Timed, warm: &Spent) -> u64 {
    let unit = warm.total.as_secs_f64() / timed.units_min as f64;
    ((ROUND.as_secs_f64() / unit) as u64).clamp(timed.units_min, timed.units_max)
}
