//! S44: what the documents name exists, and the questions of a newcomer are answered.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::tree::Tree;

pub(crate) const RULES: [&str; 1] = ["S44"];

/// Files that a reader may count on.
const REQUIRED: &[&str] = &[
    "README.md",
    "docs/ARCHITECTURE.md",
    "docs/DESIGN.md",
    "docs/CHANGELOG.md",
    "docs/ERRORS.md",
    "docs/FORMAT.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// Where a path in text begins, if it is one of the repository.
const TOPS: [&str; 9] = ["src/", "tests/", "docs/", "cli/", "projections/", "fuzz/", "benches/", "examples/", ".ci/"];

/// What a newcomer asks first. `docs/ARCHITECTURE.md` answers each in a row with one or two links.
const QUESTIONS: [&str; 7] = [
    "why did this workflow not move on?",
    "what is on disk?",
    "what happens at power loss?",
    "how do I add a kind of task?",
    "how do I put it on my database?",
    "which patterns are supported?",
    "why is it like this?",
];

/// The invariants of `docs/ARCHITECTURE.md` are numbered from 1 to here.
const INVARIANTS: usize = 13;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let absent = REQUIRED.iter().filter(|path| tree.text(path).is_none());
    let mut findings: Vec<Finding> =
        absent.map(|path| Finding::new(path, 1, "S44", "the file is missing: a reader counts on it")).collect();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let text = String::from_utf8_lossy(&file.bytes);
        findings.extend(links(tree, &file.path, &text));
        findings.extend(named_paths(tree, &file.path, &text));
    }
    if let Some(text) = tree.text("docs/ARCHITECTURE.md") {
        findings.extend(questions(&text));
        findings.extend(invariants(&text));
    }
    findings
}

/// Lines with their number and whether they stand in a fenced block.
fn lines(text: &str) -> impl Iterator<Item = (usize, bool, &str)> {
    let mut fenced = false;
    text.lines().enumerate().map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (index + 1, fenced || is_fence, line)
    })
}

/// The targets of the links of a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next())
}

fn links(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, _, line) in lines(text).filter(|(_, fenced, _)| !fenced) {
        for target in targets(line).filter(|target| !target.contains("://") && !target.starts_with("mailto:")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { Some(path.to_owned()) } else { joined(path, file) };
            let problem = match file {
                None => Some("leaves the repository".to_owned()),
                Some(file) if !tree.holds(&file) => Some(format!("leads to {file}, which does not exist")),
                Some(file) if !anchor.is_empty() && !has_heading(tree, &file, anchor) => {
                    Some(format!("leads to a heading that {file} does not have"))
                }
                Some(_) => None,
            };
            findings
                .extend(problem.map(|what| Finding::new(path, number, "S44", format!("the link `{target}` {what}"))));
        }
    }
    findings
}

/// `target` seen from the folder of `path`, as a path from the root.
fn joined(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn has_heading(tree: &Tree, file: &str, anchor: &str) -> bool {
    let text = tree.text(file).unwrap_or_default();
    lines(&text).filter(|(_, fenced, line)| !fenced && line.starts_with('#')).any(|(_, _, line)| slug(line) == anchor)
}

/// The anchor that a heading gets where the documents are shown.
fn slug(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn named_paths(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, fenced, line) in lines(text) {
        let code: Vec<&str> = if fenced { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for word in code.iter().flat_map(|code| code.split([' ', '"', '\'', '(', ')', ',', ';'])) {
            let word = word.trim_end_matches(['.', ':']);
            if TOPS.iter().any(|top| word.starts_with(top)) && !word.contains(['*', '<', '{']) && !tree.holds(word) {
                let message = format!("`{word}` does not exist: name what is there, from the root");
                findings.push(Finding::new(path, number, "S44", message));
            }
        }
    }
    findings
}

fn questions(text: &str) -> Vec<Finding> {
    let path = "docs/ARCHITECTURE.md";
    let mut findings = Vec::new();
    for question in QUESTIONS {
        let row = lines(text)
            .find(|(_, _, line)| line.starts_with('|') && line.to_lowercase().contains(&question.to_lowercase()));
        let problem = match row {
            None => Some((1, "has no row: a newcomer asks it")),
            Some((number, _, line)) => {
                let hops = targets(line).collect::<BTreeSet<_>>().len();
                (!(1..=2).contains(&hops)).then_some((number, "must lead on in one or two links"))
            }
        };
        let say = |(number, what)| Finding::new(path, number, "S44", format!("the question `{question}` {what}"));
        findings.extend(problem.map(say));
    }
    findings
}

fn invariants(text: &str) -> Vec<Finding> {
    let missing = (1..=INVARIANTS).filter(|number| !text.contains(&format!("**Invariant {number}.**")));
    let say = |number| Finding::new("docs/ARCHITECTURE.md", 1, "S44", format!("`**Invariant {number}.**` is missing"));
    missing.map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(tree: &Tree) -> Vec<String> {
        let about = |finding: &&Finding| finding.path == "README.md";
        check(tree).iter().filter(about).map(|finding| format!("{} {}", finding.line, finding.message)).collect()
    }

    #[test]
    fn links_and_paths_lead_somewhere() {
        let readme = "# Top\n[a](docs/A.md) [b](docs/A.md#two-words) [c](docs/B.md) [d](docs/A.md#three) [e](#top)\n\
                      `src/a.rs` and `src/gone.rs`, and `a/b`\n```sh\nrun examples/gone.yaml # [f](gone)\n```\n[g](../x)\n";
        let tree = Tree::of([("README.md", readme), ("docs/A.md", "## Two words!\n"), ("src/a.rs", "//! A.\n")]);
        let expected = [
            "2 the link `docs/B.md` leads to docs/B.md, which does not exist",
            "2 the link `docs/A.md#three` leads to a heading that docs/A.md does not have",
            "7 the link `../x` leaves the repository",
            "3 `src/gone.rs` does not exist: name what is there, from the root",
            "5 `examples/gone.yaml` does not exist: name what is there, from the root",
        ];
        assert_eq!(messages(&tree), expected);
    }

    #[test]
    fn a_question_without_an_answer_is_found() {
        let text =
            "| what is on disk? | [f](a), then [r](b) |\n| Why is it like this? | nobody knows |\n**Invariant 1.** x\n";
        let found: Vec<String> = questions(text).into_iter().map(|finding| finding.message).collect();
        assert_eq!(found.len(), QUESTIONS.len() - 1, "{found:?}");
        assert!(found.contains(&"the question `why is it like this?` must lead on in one or two links".to_owned()));
        assert_eq!(invariants(text).len(), INVARIANTS - 1);
    }
}
