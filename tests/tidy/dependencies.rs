//! S32: every dependency has one home, so that it can be replaced, and the packages depend one way.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::paths::paths;
use crate::source::Source;
use crate::tree::Tree;

pub(crate) const RULES: [&str; 2] = ["S32", "manifest"];

/// Where a dependency may be named.
enum Home {
    /// In this one file.
    File(&'static str),
    /// In these, for the reason that stands beside it.
    Places(&'static [&'static str]),
    /// Wherever it is needed: its names are part of how all code is written.
    Anywhere,
    /// In tests, and in what tests need.
    Tests,
}

use Home::{Anywhere, File, Places, Tests};

/// Every dependency of the three packages.
const HOMES: &[(&str, Home)] = &[
    ("anstyle", File("cli/src/paint.rs")),
    ("bincode", File("src/store/codec.rs")),
    ("clap", Places(&["cli/src/args.rs", "cli/src/args/"])),
    ("clap_complete", File("cli/src/completion.rs")),
    ("criterion", File("benches/engine/main.rs")),
    ("crc32c", File("src/log/record.rs")),
    ("crossbeam", File("src/runtime/promise.rs")),
    ("getrandom", File("src/runtime/entropy.rs")),
    ("indicatif", File("cli/src/progress.rs")),
    ("jiff", File("src/time.rs")),
    ("jsonschema", Tests),
    ("proptest", Tests),
    ("regex-lite", File("src/definition/input.rs")),
    // The system calls that std does not offer. Needs that share nothing: space and locks of the log, process groups
    // with their streams, connections whose every wait can be ended, waiting for whichever of several connections
    // speaks first, limits of the machine. Each stays inside one folder.
    (
        "rustix",
        Places(&[
            "src/log/storage.rs",
            "src/task/http/connection.rs",
            "src/task/program/",
            "src/runtime/control/listener.rs",
            "cli/src/host.rs",
        ]),
    ),
    ("rustls", Tests),
    // The two traits may stand as bounds.
    ("serde", Anywhere),
    ("serde-saphyr", File("src/definition/yaml.rs")),
    // What machines are told; the engine writes canonical JSON itself.
    ("serde_json", Places(&["cli/src/output.rs", "cli/tests/"])),
    ("sha2", File("src/digest.rs")),
    ("signal-hook", File("cli/src/interrupt.rs")),
    ("sled", File("src/store/table.rs")),
    ("stabilize", Places(&["projections/", "cli/"])),
    ("stabilize-projections", Places(&["cli/"])),
    ("tempfile", Tests),
    // The derive of every layer's error enum; nothing of it is in a signature.
    ("thiserror", Anywhere),
    // Its macros; below the purity line the rule S19 forbids them.
    ("tracing", Anywhere),
    ("ulid", File("src/ids.rs")),
    ("ureq", File("src/task/http/client.rs")),
];

/// The packages and the folders of their code.
const PACKAGES: [(&str, &[&str]); 3] = [
    ("Cargo.toml", &["src/", "tests/", "examples/"]),
    ("projections/Cargo.toml", &["projections/"]),
    ("cli/Cargo.toml", &["cli/", "benches/"]),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    [named_at_home(tree), manifests(tree), one_way(tree)].concat()
}

fn named_at_home(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources().iter().filter(|source| !source.path.starts_with("fuzz/")) {
        for path in paths(source) {
            let Some((name, home)) = HOMES.iter().find(|(name, _)| code_name(name) == path.parts[0]) else { continue };
            if !lives_at(home, source, path.offset) {
                findings.push(Finding::new(&source.path, source.line(path.offset), "S32", advice(name, home)));
            }
        }
    }
    findings
}

fn code_name(package: &str) -> String {
    package.replace('-', "_")
}

fn lives_at(home: &Home, source: &Source, offset: usize) -> bool {
    match home {
        File(path) => source.path == *path,
        Places(places) => {
            let is_here =
                |place: &str| source.path == place || (place.ends_with('/') && source.path.starts_with(place));
            places.iter().copied().any(is_here) || source.is_test(offset)
        }
        Anywhere => true,
        Tests => source.path.starts_with("src/testing/") || source.is_test(offset),
    }
}

fn advice(name: &str, home: &Home) -> String {
    let place = match home {
        File(path) => format!("only in {path}"),
        Places(places) => format!("only in {}", places.join(", ")),
        Anywhere => "anywhere".to_owned(),
        Tests => "only in src/testing/ and tests".to_owned(),
    };
    format!("`{name}` is named {place}: give that place a function for what is needed here")
}

/// A line of a manifest that begins a dependency.
struct Entry {
    name: String,
    line: usize,
    section: String,
}

fn entries(text: &str) -> Vec<Entry> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = header.to_owned();
        } else if section.ends_with("dependencies") && !line.trim_start().starts_with('#') {
            let end = line.find(['=', '.', ' ']).unwrap_or(0);
            if end > 0 {
                found.push(Entry { name: line[..end].to_owned(), line: index + 1, section: section.clone() });
            }
        }
    }
    found
}

fn manifests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (manifest, folders) in PACKAGES {
        let Some(text) = tree.text(manifest) else { continue };
        let mine = |source: &&Source| folders.iter().any(|folder| source.path.starts_with(folder));
        let sources: Vec<&Source> = tree.sources().iter().filter(mine).collect();
        let named: BTreeSet<String> =
            sources.iter().flat_map(|source| paths(source)).map(|path| path.parts[0].clone()).collect();
        for entry in entries(&text) {
            let mut say = |message: String| findings.push(Finding::new(manifest, entry.line, "S32", message));
            if !HOMES.iter().any(|(name, _)| *name == entry.name) {
                say(format!("`{}` has no home: name its one file in tests/tidy/dependencies.rs", entry.name));
            }
            if !named.contains(&code_name(&entry.name)) {
                say(format!("no code names `{}`: take it out", entry.name));
            }
        }
        if !text.contains("[lints]\nworkspace = true") {
            let message = "the package must take the lints of the workspace, which forbid `unsafe`";
            findings.push(Finding::new(manifest, 1, "manifest", message));
        }
    }
    findings
}

/// The engine depends on no other package of the workspace, also not for its tests; projections not on the command.
fn one_way(tree: &Tree) -> Vec<Finding> {
    let banned = [
        ("Cargo.toml", ["stabilize-projections", "stabilize-cli"]),
        ("projections/Cargo.toml", ["stabilize-cli", "stabilize-cli"]),
    ];
    let mut findings = Vec::new();
    for (manifest, names) in banned {
        let text = tree.text(manifest).unwrap_or_default();
        for entry in entries(&text).iter().filter(|entry| names.contains(&entry.name.as_str())) {
            let message = format!("`{}` in [{}]: packages depend one way", entry.name, entry.section);
            findings.push(Finding::new(manifest, entry.line, "manifest", message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn a_dependency_away_from_its_home_is_found() {
        let text = "//! A.\nuse bincode::Options;\nfn a() -> jiff::Timestamp { b() }\n#[derive(thiserror::Error)]\nstruct B;\n\
                    #[cfg(test)]\nmod tests { use proptest::prelude::*; use ulid::Ulid; }\n";
        let tree = Tree::of([("src/store/local.rs", text), ("src/store/codec.rs", "//! A.\nuse bincode::Options;\n")]);
        let expected = ["src/store/local.rs:2 S32", "src/store/local.rs:3 S32", "src/store/local.rs:7 S32"];
        assert_eq!(places(&check(&tree)), expected);
    }

    #[test]
    fn a_manifest_names_no_stranger_and_nobody_unused() {
        let root = format!("{LINTS}[dependencies]\nserde = \"1\"\nleft-pad = {{ version = \"1\" }}\nulid = \"3\"\n");
        let code = "//! A.\nuse serde::Serialize;\nuse left_pad::pad;\n";
        let tree = Tree::of([("Cargo.toml", root.as_str()), ("src/a.rs", code)]);
        assert_eq!(places(&check(&tree)), ["Cargo.toml:5 S32", "Cargo.toml:6 S32"]);
    }

    #[test]
    fn the_engine_depends_on_no_package_above_it() {
        let root = format!("{LINTS}[dev-dependencies]\nstabilize-projections = {{ path = \"projections\" }}\n");
        let cli = "[dependencies]\n";
        let tree = Tree::of([("Cargo.toml", root.as_str()), ("cli/Cargo.toml", cli)]);
        let found = places(&check(&tree));
        assert_eq!(found, ["Cargo.toml:4 S32", "cli/Cargo.toml:1 manifest", "Cargo.toml:4 manifest"]);
    }
}
