//! Every part there is, with its questions and targets.

use super::part::{How, Label, Part, Reading, Target, Timed};
use super::{counts, deciding, floor, latency, past, throughput};

const fn label(row: &'static str, about: &'static str, unit: &'static str, target: Option<Target>) -> Label {
    Label { row, about, unit, target }
}

/// The parts, in the order in which they are measured: memory before what leaves some behind that would be used again.
pub const PARTS: &[Part] = &[
    Part {
        rows: &[label("floor", "F: writes of 200 bytes, each with its own fdatasync, on one thread", "writes/s", None)],
        how: How::Timed(Timed {
            open: floor::writes,
            units_min: 8,
            units_max: 10_000,
            elements: 1,
            reading: Reading::Pace,
        }),
    },
    Part {
        rows: &[label("memory", "a workflow of one stage that waits", "bytes", Some(Target::AtMost(700.0)))],
        how: How::Counted(counts::memory),
    },
    Part {
        rows: &[
            label("fresh-dispatch", "from nothing to the first task of three", "ms", Some(Target::AtMost(20.0))),
            label("fresh-log", "the log after a run of three stages", "KiB", Some(Target::AtMost(300.0))),
        ],
        how: How::Counted(past::fresh),
    },
    Part {
        rows: &[label(
            "transitions-1-producer",
            "accepted inputs of one thread that blocks",
            "inputs/s",
            Some(Target::AtLeastF(0.75)),
        )],
        how: How::Timed(Timed {
            open: throughput::transitions_of_one_producer,
            units_min: 32,
            units_max: 20_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "transitions-64-producers",
            "accepted inputs of 64 threads that block",
            "inputs/s",
            Some(Target::AtLeastF(10.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::transitions_of_64_producers,
            units_min: 1_024,
            units_max: 50_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "transitions-256-producers",
            "accepted inputs of 256 threads that block",
            "inputs/s",
            Some(Target::AtLeastF(12.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::transitions_of_256_producers,
            units_min: 2_048,
            units_max: 50_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "transitions-256-outstanding",
            "accepted inputs, 256 on their way",
            "inputs/s",
            Some(Target::AtLeastF(40.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::transitions_256_outstanding,
            units_min: 4_096,
            units_max: 60_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "transitions-4096-outstanding",
            "accepted inputs, 4,096 on their way",
            "inputs/s",
            Some(Target::AtLeastF(60.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::transitions_4096_outstanding,
            units_min: 16_384,
            units_max: 60_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "workflows-256-in-flight",
            "whole workflows of one stage, 256 on their way",
            "workflows/s",
            Some(Target::AtLeastF(20.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::workflows_256_in_flight,
            units_min: 2_048,
            units_max: 40_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "workflows-4096-in-flight",
            "whole workflows of one stage, 4,096 on their way",
            "workflows/s",
            Some(Target::AtLeastF(20.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::workflows_4096_in_flight,
            units_min: 16_384,
            units_max: 60_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "workflows-256-callers",
            "whole workflows of one stage for 256 threads that block",
            "workflows/s",
            None,
        )],
        how: How::Timed(Timed {
            open: throughput::workflows_of_256_callers,
            units_min: 2_048,
            units_max: 40_000,
            elements: 1,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "fan-out-alone",
            "stages of 1 -> 100 -> 1, one workflow after another",
            "stages/s",
            Some(Target::AtLeastF(10.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::fan_out_alone,
            units_min: 8,
            units_max: 1_000,
            elements: throughput::FAN_OUT_STAGES,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[label(
            "fan-out-16-in-flight",
            "stages of 1 -> 100 -> 1, 16 workflows on their way",
            "stages/s",
            Some(Target::AtLeastF(40.0)),
        )],
        how: How::Timed(Timed {
            open: throughput::fan_out_16_in_flight,
            units_min: 64,
            units_max: 2_000,
            elements: throughput::FAN_OUT_STAGES,
            reading: Reading::Rate,
        }),
    },
    Part {
        rows: &[
            label(
                "idle-p50",
                "a workflow of one stage on an idle engine, median",
                "us",
                Some(Target::AtMostWrites(2.5)),
            ),
            label(
                "idle-p99",
                "a workflow of one stage on an idle engine, 99 of 100",
                "us",
                Some(Target::AtMostWrites(6.0)),
            ),
        ],
        how: How::Timed(Timed {
            open: latency::idle,
            units_min: 32,
            units_max: 5_000,
            elements: 1,
            reading: Reading::Percentiles(&[0.5, 0.99]),
        }),
    },
    Part {
        rows: &[label(
            "chain-p50",
            "from one task of a chain to the next, median",
            "us",
            Some(Target::AtMostWrites(1.3)),
        )],
        how: How::Timed(Timed {
            open: latency::next_stage,
            units_min: 64,
            units_max: 5_000,
            elements: 1,
            reading: Reading::Percentiles(&[0.5]),
        }),
    },
    Part {
        rows: &[label(
            "chain-flatness",
            "the next stage behind 10,000 others, in the same behind none",
            "times",
            Some(Target::AtMost(1.25)),
        )],
        how: How::CountedAtLength(latency::flatness),
    },
    Part {
        rows: &[
            label("flushes-alone", "for a workflow of one stage, alone", "flushes", Some(Target::AtMost(2.0))),
            label(
                "flushes-256-in-flight",
                "for a workflow of one stage, 256 on their way",
                "flushes",
                Some(Target::AtMost(0.05)),
            ),
        ],
        how: How::Counted(counts::flushes),
    },
    Part {
        rows: &[
            label("event-bytes", "of the log for an event, beside its payload", "bytes", Some(Target::AtMost(64.0))),
            label("workflow-bytes", "of the log for a workflow of one stage", "bytes", Some(Target::AtMost(1536.0))),
        ],
        how: How::Counted(counts::bytes),
    },
    Part {
        rows: &[label(
            "fan-out-linearity",
            "a stage of 10,000 at once, in one of 1,000",
            "times",
            Some(Target::AtMost(1.25)),
        )],
        how: How::Counted(counts::linearity),
    },
    Part {
        rows: &[label("replay", "decode and fold, one thread", "events/s", Some(Target::AtLeast(3_000_000.0)))],
        how: How::Timed(Timed {
            open: past::replay,
            units_min: 100_000,
            units_max: 10_000_000,
            elements: 1,
            reading: Reading::Pace,
        }),
    },
    Part {
        rows: &[label(
            "opening",
            "a log of 100,000 events, with --full of a million",
            "ms",
            Some(Target::AtMost(100.0)),
        )],
        how: How::Counted(past::opening),
    },
    deciding::PARTS[0],
    deciding::PARTS[1],
    deciding::PARTS[2],
    deciding::PARTS[3],
    deciding::PARTS[4],
    deciding::PARTS[5],
    deciding::PARTS[6],
    deciding::PARTS[7],
    deciding::PARTS[8],
    deciding::PARTS[9],
    deciding::PARTS[10],
    deciding::PARTS[11],
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_have_names_of_their_own_that_a_shell_takes() {
        let rows: Vec<&str> = PARTS.iter().flat_map(|part| part.rows).map(|label| label.row).collect();
        let names: BTreeSet<&str> = rows.iter().copied().collect();
        assert_eq!(names.len(), rows.len(), "{rows:?}");
        let is_plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        assert!(rows.iter().all(|row| row.bytes().all(is_plain)), "{rows:?}");
    }
}
