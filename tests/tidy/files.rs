//! What no file of the repository may be or hold: the paths of one machine, a mebibyte, a fuzz target nobody runs.

use crate::finding::Finding;
use crate::tree::{File, Tree};

pub(crate) const RULES: [&str; 3] = ["machine path", "size", "S40"];

const BYTES_MAX: usize = 1024 * 1024;

/// Whole logs written by released versions: they are as large as they were.
const GOLDEN_LOGS: &str = "tests/golden/logs/";

/// Folders of somebody's machine, in parts so that this file does not hold them.
const MACHINE_FOLDERS: [&str; 3] = ["home", "root", "work"];

const FUZZ_TARGETS: &str = "fuzz/fuzz_targets/";
const FUZZ_LINES_MAX: usize = 20;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        tree.files.iter().flat_map(|file| [size(file), machine_paths(file)].concat()).collect();
    findings.extend(fuzz_targets(tree));
    findings
}

fn size(file: &File) -> Vec<Finding> {
    if file.bytes.len() <= BYTES_MAX || file.path.starts_with(GOLDEN_LOGS) {
        return Vec::new();
    }
    let message = format!("{} bytes, at most {BYTES_MAX}: make it in the test that needs it", file.bytes.len());
    vec![Finding::new(&file.path, 1, "size", message)]
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let text = String::from_utf8_lossy(&file.bytes);
    let mut findings = Vec::new();
    for folder in MACHINE_FOLDERS {
        let wanted = format!("/{folder}/");
        let at_start = |line: &str| {
            // Inside a longer path (`src/work/`) the folder is one of ours.
            line.match_indices(&wanted).any(|(at, _)| !line[..at].ends_with(|letter: char| letter.is_alphanumeric()))
        };
        for (index, line) in text.lines().enumerate().filter(|(_, line)| at_start(line)) {
            let message = format!("`{wanted}` is a path of one machine, in: {}", line.trim());
            findings.push(Finding::new(&file.path, index + 1, "machine path", message));
        }
    }
    findings
}

fn fuzz_targets(tree: &Tree) -> Vec<Finding> {
    let Some(manifest) = tree.text("fuzz/Cargo.toml") else { return Vec::new() };
    let mut findings = Vec::new();
    for source in tree.sources().iter().filter(|source| source.path.starts_with(FUZZ_TARGETS)) {
        let mut say = |message: String| findings.push(Finding::new(&source.path, 1, "S40", message));
        let name = source.path[FUZZ_TARGETS.len()..].trim_end_matches(".rs");
        if !manifest.contains(&format!("name = \"{name}\"")) {
            say("the target is not listed in fuzz/Cargo.toml".to_owned());
        }
        let lines = source.text.lines().count();
        if lines > FUZZ_LINES_MAX {
            say(format!("{lines} lines, at most {FUZZ_LINES_MAX}: the model belongs in src/testing/"));
        }
        if !source.code.contains("stabilize::testing::") {
            say("the target calls no function of `stabilize::testing`, so no test runs it on stable".to_owned());
        }
    }
    for path in manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")) {
        let path = format!("{FUZZ_TARGETS}{}", path.trim_end_matches('"'));
        if tree.source(&path).is_none() {
            findings.push(Finding::new("fuzz/Cargo.toml", 1, "S40", format!("{path} is listed and not there")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    #[test]
    fn paths_of_a_machine_and_large_files_are_found() {
        let path = ["see ", "/", "root", "/notes and src/", "work", "/a\n"].concat();
        let large = "x".repeat(BYTES_MAX + 1);
        let tree = Tree::of([("a.md", path.as_str()), ("b.bin", &large), ("tests/golden/logs/1.bin", &large)]);
        assert_eq!(places(&check(&tree)), ["a.md:1 machine path", "b.bin:1 size"]);
    }

    #[test]
    fn fuzz_targets_are_listed_and_short() {
        let manifest = "[[bin]]\nname = \"gone\"\npath = \"fuzz_targets/gone.rs\"\n[[bin]]\nname = \"good\"\n";
        let good = "//! A.\nuse stabilize::testing::good;\n";
        let tree = Tree::of([
            ("fuzz/Cargo.toml", manifest),
            ("fuzz/fuzz_targets/good.rs", good),
            ("fuzz/fuzz_targets/spare.rs", "//! A.\n"),
        ]);
        let expected =
            ["fuzz/fuzz_targets/spare.rs:1 S40", "fuzz/fuzz_targets/spare.rs:1 S40", "fuzz/Cargo.toml:1 S40"];
        assert_eq!(places(&check(&tree)), expected);
    }
}
