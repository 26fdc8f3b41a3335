//! S44: the promises of `docs/GUARANTEES.md` are kept by tests that exist, each with at least one.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::tree::Tree;

const PATH: &str = "docs/GUARANTEES.md";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(PATH) else {
        return vec![Finding::new(PATH, 1, "S44", "the file is missing: a reader counts on it")];
    };
    let functions: BTreeSet<&str> =
        tree.sources().iter().flat_map(|source| named_functions(&source.text).collect::<Vec<&str>>()).collect();
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [promise, _, tests] = cells[..] else { continue };
        if promise == "promise" || promise.starts_with("---") {
            continue;
        }
        let names: Vec<&str> = quoted(tests).collect();
        if names.is_empty() {
            findings.push(Finding::new(PATH, index + 1, "S44", "a promise without a test: name one that would fail"));
        }
        let unknown = names.into_iter().filter(|name| !functions.contains(name));
        findings.extend(unknown.map(|name| {
            Finding::new(PATH, index + 1, "S44", format!("no test has the name `{name}`: name one that exists"))
        }));
    }
    findings
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The names behind `fn`, also inside of macros.
pub(crate) fn named_functions(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices("fn ").filter_map(move |(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        let end = rest.find(|letter: char| !is_name(letter)).unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    #[test]
    fn a_promise_names_tests_that_exist() {
        let text = "| promise | kept by | tests |\n|---|---|---|\n| A. | x | `it_holds` |\n| B. | x | `gone` |\n\
                    | C. | x | |\n";
        let tree = Tree::of([(PATH, text), ("src/a.rs", "//! A.\n#[test]\nfn it_holds() {}\n")]);
        assert_eq!(places(&check(&tree)), ["docs/GUARANTEES.md:4 S44", "docs/GUARANTEES.md:5 S44"]);
    }
}
