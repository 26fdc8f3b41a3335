//! The conformance suite of the 43 patterns: a test a pattern, in all five ways that it can be tried in.

mod page;

use std::sync::OnceLock;

use stabilize::testing::patterns::{Effort, Report, Verdict, report_of};

/// One reason to draw other interleavings is to look for a defect; a test draws the same every day.
const SEED: u64 = 43;

/// Do the nightly checks ask for all interleavings?
fn is_long() -> bool {
    std::env::var_os("STABILIZE_LONG").is_some()
}

/// What the suite finds of a pattern; it is tried once.
fn found(number: usize) -> &'static Report {
    static FOUND: [OnceLock<Report>; 43] = [const { OnceLock::new() }; 43];
    let effort = if is_long() { Effort::Complete { seed: SEED } } else { Effort::Sampled { seed: SEED } };
    FOUND[number - 1].get_or_init(|| report_of(number, effort))
}

/// All five kinds are there and pass.
fn holds(number: usize) {
    let report = found(number);
    if let Some((kind, scenario, breach)) = report.failures().next() {
        panic!("{} {}, {scenario}: {}\n{}", report.id(), kind.name(), breach.what, breach.story);
    }
    for verdict in &report.verdicts {
        if let Verdict::Missing { why } = verdict {
            panic!("{}: {why}", report.id());
        }
    }
}

macro_rules! patterns {
    ($($name:ident $number:literal)*) => {
        $(#[test]
        fn $name() {
            holds($number);
        })*
    };
}

patterns! {
    wcp_01 1 wcp_02 2 wcp_03 3 wcp_04 4 wcp_05 5 wcp_06 6 wcp_07 7 wcp_08 8 wcp_09 9 wcp_10 10 wcp_11 11 wcp_12 12
    wcp_13 13 wcp_14 14 wcp_15 15 wcp_16 16 wcp_17 17 wcp_18 18 wcp_19 19 wcp_20 20 wcp_21 21 wcp_22 22 wcp_23 23
    wcp_24 24 wcp_25 25 wcp_26 26 wcp_27 27 wcp_28 28 wcp_29 29 wcp_30 30 wcp_31 31 wcp_32 32 wcp_33 33 wcp_34 34
    wcp_35 35 wcp_36 36 wcp_37 37 wcp_38 38 wcp_39 39 wcp_40 40 wcp_41 41 wcp_42 42 wcp_43 43
}
