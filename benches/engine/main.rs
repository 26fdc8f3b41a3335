//! How much of what the disk allows does the whole engine reach?
//!
//! The parts are those of `stabilize bench`, which measures them beside the disk of the same seconds; here criterion
//! repeats what can be repeated, says how sure a figure is, and compares with the figures of another build. What is
//! counted once is printed as it is, unless only some benches are asked for. `cargo bench -- --test` runs everything
//! once, small, and asserts nothing about speed.

use std::env;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use stabilize_cli::measure::{Effort, How, PARTS, Part, Setting, Timed, Workload};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let effort = if is_test { Effort::Once } else { Effort::Usual };
    let is_all = is_test || arguments.iter().all(|argument| argument == "--bench");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let setting = Setting { directory, effort, is_over: &|| false };
    let criterion = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500));
    let mut criterion = criterion.measurement_time(Duration::from_secs(3)).configure_from_args();
    for part in PARTS {
        match &part.how {
            How::Timed(timed) => repeat(&mut criterion, &setting, part, timed),
            How::Counted(count) | How::CountedAtLength(count) if is_all => print(part, count(&setting)),
            How::Counted(_) | How::CountedAtLength(_) => (),
        }
    }
    criterion.final_summary();
}

/// Measures a part that can be repeated, under the name of its first row.
fn repeat(criterion: &mut Criterion, setting: &Setting<'_>, part: &Part, timed: &Timed) {
    let units = if setting.effort == Effort::Once { timed.units_min.min(4) } else { timed.units_min };
    let label = &part.rows[0];
    let mut group = criterion.benchmark_group("engine");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(units * timed.elements));
    // Opened when criterion calls, and not if it leaves this bench out.
    let mut opened: Option<Box<dyn Workload>> = None;
    group.bench_function(label.row, |bencher| {
        let workload = opened.get_or_insert_with(|| (timed.open)(setting).expect("what is measured can be made ready"));
        bencher.iter_custom(|times| workload.perform(times * units).expect("what is measured can be done").total);
    });
    group.finish();
}

/// Prints what was counted.
fn print(part: &Part, values: Result<Vec<f64>, stabilize_cli::measure::Error>) {
    for (label, value) in part.rows.iter().zip(values.expect("what is counted can be made")) {
        println!("{:<40} {value:>12.3} {}: {}", label.row, label.unit, label.about);
    }
}
