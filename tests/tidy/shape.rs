//! S1, S3, S4 and the width of a line: what a file looks like before anybody reads it.

use crate::finding::Finding;
use crate::source::{Source, is_word};
use crate::tree::Tree;

pub(crate) const RULES: [&str; 4] = ["S1", "S3", "S4", "width"];

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 120;

/// Words that say what role code plays, not what it is about.
const NOT_NOUNS: [&str; 17] = [
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "managers",
    "handler",
    "handlers",
    "processor",
    "processors",
    "service",
    "services",
    "impl",
    "types",
    "stuff",
];

/// The same words at the end of a type's name.
const NOT_TYPES: [&str; 6] = ["Manager", "Handler", "Processor", "Service", "Helper", "Util"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let rules = [header, file_name, type_names, file_length, function_length, width];
    tree.sources().iter().flat_map(|source| rules.iter().flat_map(|rule| rule(source)).collect::<Vec<_>>()).collect()
}

fn header(source: &Source) -> Vec<Finding> {
    // What an interpreter or a script line takes is no header, but may stand above one.
    let first = source.text.lines().find(|line| !line.starts_with("#!/"));
    let starts = first.is_some_and(|line| line.starts_with("//! "));
    let message = "the file begins with `//!`: one sentence on what it is, and what it is not";
    if starts { Vec::new() } else { vec![Finding::new(&source.path, 1, "S1", message)] }
}

fn file_name(source: &Source) -> Vec<Finding> {
    let path = source.path.strip_suffix(".rs").unwrap_or(&source.path);
    let is_bad = |word: &&str| NOT_NOUNS.contains(word) || word.strip_prefix("part").is_some_and(is_number);
    let bad = path.split(['/', '_', '-']).filter(is_bad);
    let say =
        |word| format!("`{word}` is a role, not a noun of the field: name the concept, or put it beside its caller");
    bad.map(|word| Finding::new(&source.path, 1, "S3", say(word))).collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn type_names(source: &Source) -> Vec<Finding> {
    let declared =
        ["struct", "enum", "trait", "type"].into_iter().flat_map(|word| source.words(word).map(move |at| (word, at)));
    let bad = |(word, at): (&str, usize)| {
        let name: String =
            source.code[at + word.len()..].trim_start().chars().take_while(|letter| is_word(*letter)).collect();
        let role = NOT_TYPES.into_iter().find(|role| name.ends_with(role))?;
        let message = format!("`{name}`: a type is what it is (`Flusher`, `Recovery`), not a `{role}`");
        Some(Finding::new(&source.path, source.line(at), "S3", message))
    };
    declared.filter_map(bad).collect()
}

fn file_length(source: &Source) -> Vec<Finding> {
    let lines = source.lines_without_tests();
    let message = format!("{lines} lines without tests, at most {FILE_LINES_MAX}: split by concept, with a new noun");
    if lines <= FILE_LINES_MAX { Vec::new() } else { vec![Finding::new(&source.path, 1, "S4", message)] }
}

fn function_length(source: &Source) -> Vec<Finding> {
    let too_long = |function: crate::source::Function| {
        let line = source.line(function.extent.start);
        // Counted like clippy's `too_many_lines`: what stands between the braces, without blank lines and comments.
        let code = &source.code[function.extent.clone()];
        let body = code.split_once('{').map_or("", |(_, body)| body.trim_end_matches('}'));
        let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
        let message = format!("`{}` has {lines} lines, at most {FUNCTION_LINES_MAX}: name its parts", function.name);
        (lines > FUNCTION_LINES_MAX).then(|| Finding::new(&source.path, line, "S4", message))
    };
    source.functions().into_iter().filter_map(too_long).collect()
}

/// A line with a string in it may be wider: breaking the text would make it harder to read and to search for.
fn width(source: &Source) -> Vec<Finding> {
    let too_wide = |(index, (line, code)): (usize, (&str, &str))| {
        let columns = line.chars().count();
        let message = format!("{columns} columns, at most {COLUMNS_MAX}: break the line");
        let is_text = code.contains('"');
        (columns > COLUMNS_MAX && !is_text).then(|| Finding::new(&source.path, index + 1, "width", message))
    };
    source.text.lines().zip(source.code.lines()).enumerate().filter_map(too_wide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    #[test]
    fn a_file_needs_a_header_and_a_noun() {
        let tree =
            Tree::of([("src/log/utils.rs", "fn a() {}\n"), ("src/log/part2.rs", "//! A.\nstruct LogManager;\n")]);
        let expected =
            ["src/log/part2.rs:1 S3", "src/log/part2.rs:2 S3", "src/log/utils.rs:1 S1", "src/log/utils.rs:1 S3"];
        assert_eq!(places(&check(&tree)), expected);
    }

    #[test]
    fn long_files_functions_and_lines_are_found() {
        let long_file = format!("//! A.\n{}", "const A: u8 = 1;\n".repeat(600));
        let tests = format!("//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(600));
        let long_function = format!("//! A.\nfn a() {{\n{}}}\n", "    a();\n\n".repeat(71));
        let long_line = format!("//! A.\nlet a = \"{}\";\n// {}\n", "x".repeat(118), "x".repeat(118));
        let tree = Tree::of([
            ("src/a.rs", long_file.as_str()),
            ("src/b.rs", &tests),
            ("src/c.rs", &long_function),
            ("src/d.rs", &long_line),
        ]);
        assert_eq!(places(&check(&tree)), ["src/a.rs:1 S4", "src/c.rs:2 S4", "src/d.rs:3 width"]);
    }
}
