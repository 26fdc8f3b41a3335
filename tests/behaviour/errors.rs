//! `docs/ERRORS.md` is what the code says of its errors. `STABILIZE_BLESS=1` writes it anew.

use std::path::Path;

use stabilize::{ErrorCode, FindingCode, ProblemCode, Rejection};

const HEAD: &str = "\
# Errors

Every error code, what it means and what to do about it. `stabilize lint` and `stabilize run` name the place on this
page. It is written from the code that makes the errors; a test holds the two together.

- [Problems of definitions](#problems-of-definitions): printed by `lint`, and by verbs that are given a definition; exit
  code 3.
- [Flaws of definitions](#flaws-of-definitions): found by `check`; exit code 3.
- [Failures of work](#failures-of-work): why a task, a stage or a workflow failed, as events keep it; a workflow that
  fails ends `run` with exit code 1.
- [Refused commands](#refused-commands): the state of a workflow did not allow what was asked; exit code 5.

Damage of the log (exit code 6) and a log or machine that cannot be used (exit code 7) are told with their place and the
next command to type; they have no codes.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut section = |title: &str, introduction: &str, entries: Vec<(String, String, String)>| {
        page.push_str(&format!("\n## {title}\n\n{introduction}\n"));
        for (code, meaning, cure) in entries {
            page.push_str(&format!("\n### {code}\n\n{meaning}\n\n*What to do:* {cure}.\n"));
        }
    };
    let entry = |code: &str, meaning: &str, cure: &str| (code.to_owned(), meaning.to_owned(), cure.to_owned());
    let problems = ProblemCode::ALL.iter().map(|code| entry(code.name(), code.meaning(), code.cure()));
    section(
        "Problems of definitions",
        "All problems of a definition are told at once, each with its place. Where a place allows a better hint, that one is\nprinted.",
        problems.collect(),
    );
    // What also ends a workflow stands with the failures: one heading a name.
    let is_failure = |code: &FindingCode| ErrorCode::ALL.iter().any(|failure| failure.as_str() == code.name());
    let flaws = FindingCode::EXPLAINED.iter().filter(|(code, _, _)| !is_failure(code));
    let flaws = flaws.map(|(code, meaning, cure)| entry(code.name(), meaning, cure));
    section(
        "Flaws of definitions",
        "They show when every course that a workflow could take is explored.",
        flaws.collect(),
    );
    let failures = ErrorCode::ALL
        .iter()
        .map(|code| entry(code.as_str(), code.meaning().unwrap_or_default(), code.cure().unwrap_or_default()));
    section("Failures of work", "Tasks may name codes of their own; these are the engine's.", failures.collect());
    let refusals = Rejection::EXPLAINED.iter().map(|(code, meaning, cure)| entry(code, meaning, cure));
    section("Refused commands", "A refusal changes nothing and is not recorded.", refusals.collect());
    page
}

#[test]
fn the_page_of_errors_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ERRORS.md");
    let page = page();
    if std::env::var_os("STABILIZE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page, "STABILIZE_BLESS=1 writes it anew");
}

#[test]
fn an_anchor_is_a_heading_of_the_page() {
    let page = page();
    let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("### ")).collect();
    let different: std::collections::BTreeSet<&str> = headings.iter().copied().collect();
    assert_eq!(headings.len(), different.len(), "an anchor leads to one place");
    let anchors = ProblemCode::ALL.iter().map(|code| code.anchor());
    let anchors = anchors.chain(FindingCode::EXPLAINED.iter().map(|(code, _, _)| code.anchor()));
    for anchor in anchors.chain(ErrorCode::ALL.iter().filter_map(ErrorCode::anchor)) {
        let name = anchor.strip_prefix("docs/ERRORS.md#").unwrap().to_uppercase();
        assert!(page.contains(&format!("\n### {name}\n")), "{name}");
    }
}
