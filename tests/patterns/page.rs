//! `docs/PATTERNS.md`, and the table in the README, are what the suite finds. `STABILIZE_BLESS=1` writes both anew.

use std::fs;
use std::path::{Path, PathBuf};

use stabilize::testing::patterns::{Kind, Report, Verdict};

use crate::{found, is_long};

const HEAD: &str = "\
# Patterns

The 43 workflow control-flow patterns of Russell, ter Hofstede, van der Aalst and Mulyar (2006), and what the suite in
[`src/testing/patterns`](../src/testing/patterns/mod.rs) finds of this engine. The page is written from what the suite
finds; a test holds the two together. `stabilize patterns` tries them again, `stabilize patterns NUMBER` shows a
pattern's definition, its picture, a trace of each scenario and how much was tried.

A pattern counts as passed if all five kinds of tests exist and pass:

- **positive**: its scenarios, in every order of what the environment does that they leave open. Each says how often
  every stage runs, how the workflow ends, and that nothing happens afterwards; its definition passes the check.
- **negative**: definitions that are refused with their code, place and hint, and what provably does not happen.
- **crash**: the process is gone after every batch and the state is folded again; also with batches cut after every
  micro-step, which leads to the same events.
- **loop**: three rounds inside a loop, and nothing of one round is left in the next.
- **composed**: inside a sub-workflow, and inside the instances of a multi-instance stage.

A kind that cannot be tried is shown as `-`, never as passed.

";

const BEGIN: &str = "<!-- patterns: written by tests/patterns -->\n";
const END: &str = "<!-- patterns end -->\n";

/// A row a pattern, and the count.
fn table(reports: &[&Report], module: impl Fn(&Report) -> String) -> String {
    let mut table =
        "| | pattern | positive | negative | crash | loop | composed |\n|---|---|---|---|---|---|---|\n".to_owned();
    for report in reports {
        let cells = Kind::ALL.map(|kind| match report.verdict(kind) {
            Verdict::Passed(_) => "passed",
            Verdict::Failed { .. } => "FAILED",
            Verdict::Missing { .. } => "-",
        });
        table += &format!("| {} | {} | {} |\n", report.number, module(report), cells.join(" | "));
    }
    let passed = reports.iter().filter(|report| report.passed()).count();
    table + &format!("\n{passed} of {} patterns pass all five kinds of tests.\n", reports.len())
}

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_tables_of_the_documents_are_what_the_suite_finds() {
    // The long tests find the same, and are not here to write.
    if is_long() {
        return;
    }
    let reports: Vec<&Report> = (1..=43).map(found).collect();
    let linked = |report: &Report| {
        let path = format!("src/testing/patterns/{}.rs", report.id());
        if root(&path).exists() { format!("[{}](../{path})", report.name) } else { report.name.to_owned() }
    };
    let page = HEAD.to_owned() + &table(&reports, linked);
    let readme = fs::read_to_string(root("README.md")).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place for the table has an end");
    let rows = table(&reports, |report| report.name.to_owned());
    let fresh = format!("{before}{BEGIN}{rows}{END}{after}");
    if std::env::var_os("STABILIZE_BLESS").is_some() {
        fs::write(root("docs/PATTERNS.md"), &page).unwrap();
        fs::write(root("README.md"), &fresh).unwrap();
        return;
    }
    let found = fs::read_to_string(root("docs/PATTERNS.md")).unwrap_or_default();
    assert!(found == page, "docs/PATTERNS.md is not what the suite finds: STABILIZE_BLESS=1 writes it anew\n{page}");
    assert!(readme == fresh, "the table of the README is not what the suite finds: STABILIZE_BLESS=1 writes it anew");
}
