//! S16, S19 and the homes of what reaches outside: files, threads, the clock, the environment, programs, the network.

use crate::finding::Finding;
use crate::layers::{LAYERS, Purity, layer_of};
use crate::paths::paths;
use crate::source::Source;
use crate::tree::Tree;

pub(crate) const RULES: [&str; 4] = ["S16", "S19", "S33", "home"];

/// Paths that reach outside. Below the purity line none of them may stand, above it each has its homes.
struct Outside {
    what: &'static str,
    /// Files, or folders that end with `/`.
    homes: &'static [&'static str],
}

const OUTSIDE: &[Outside] = &[
    // The log's bytes; what requests send and download; what programs read and write (output files, streams, the table
    // of processes); definition files; the folder of an engine whose log is in memory; captured streams, read back; the
    // control socket; the lock of the index, which a child that is being started may have; where the links of a path
    // lead that a container is to see.
    Outside {
        what: "std::fs",
        homes: &[
            "src/log/storage.rs",
            "src/task/docker/leave.rs",
            "src/task/http/",
            "src/task/program/",
            "src/task/secret.rs",
            "src/store/table.rs",
            "src/runtime/definition_file.rs",
            "src/runtime/open.rs",
            "src/runtime/captured.rs",
            "src/runtime/control/door.rs",
            "src/testing/",
        ],
    },
    // Workers; the thread that waits beside a program for its end, its streams and its time; patterns tried at once;
    // the one that waits for the system's resolver, which cannot be interrupted.
    Outside {
        what: "std::thread",
        homes: &[
            "src/runtime/workers.rs",
            "src/store/table.rs",
            "src/task/http/connection.rs",
            "src/task/program/",
            "src/testing/patterns/side_by_side.rs",
        ],
    },
    // Requests; and the control socket, only because that is where the two directions of a connection are named.
    Outside { what: "std::net", homes: &["src/runtime/control/listener.rs", "src/task/http/"] },
    Outside { what: "std::os::unix::net", homes: &["src/runtime/control/"] },
    // Programs are started in one folder; who else needs one asks a task. The other two need our own id only.
    Outside { what: "std::process", homes: &["src/task/program/", "src/runtime/open.rs", "src/testing/"] },
    // What programs inherit; and the folder for temporary files.
    Outside {
        what: "std::env",
        homes: &[
            "src/task/program/",
            "src/task/secret.rs",
            "src/runtime/open.rs",
            "src/runtime/control/door.rs",
            "src/testing/",
        ],
    },
];

/// Words that read a clock, and who may.
const CLOCKS: &[Outside] = &[
    Outside { what: "SystemTime", homes: &["src/runtime/clock.rs"] },
    // How long to wait yet: never a moment that is recorded.
    Outside { what: "Instant", homes: &["src/runtime/", "src/task/"] },
];

/// Words that make equal inputs give different answers, or that hide an effect.
const IMPURE: [&str; 6] = ["rand", "tracing", "Mutex", "RwLock", "RefCell", "AtomicBool"];

/// Collections whose order is another one in each process.
const UNORDERED: [&str; 2] = ["HashMap", "HashSet"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let engine = tree.sources().iter().filter(|source| source.path.starts_with("src/"));
    engine.flat_map(|source| [below_the_line(source), homes(source), no_async(source)].concat()).collect()
}

fn below_the_line(source: &Source) -> Vec<Finding> {
    let is_pure = |layer: &&crate::layers::Layer| layer.purity == Purity::Pure;
    let Some(layer) =
        layer_of(&source.path).and_then(|name| LAYERS.iter().filter(is_pure).find(|layer| layer.name == name))
    else {
        return Vec::new();
    };
    let banned = UNORDERED.map(|word| (word, "S16", "take the ordered one, or the order leaks into events"));
    let reason = "below the purity line: let the value come in with the command";
    let words = banned.into_iter().chain(IMPURE.map(|word| (word, "S19", reason)));
    let clocks = CLOCKS.iter().map(|clock| (clock.what, "S19", reason));
    let mut findings = Vec::new();
    for (word, rule, advice) in words.chain(clocks) {
        let places = source.words(word).filter(|at| !source.is_test(*at));
        let say = || format!("`{word}` in `{}`, {advice}", layer.name);
        findings.extend(places.map(|at| Finding::new(&source.path, source.line(at), rule, say())));
    }
    for path in paths(source).iter().filter(|path| !source.is_test(path.offset)) {
        if let Some(outside) = OUTSIDE.iter().find(|outside| path.starts_with(outside.what)) {
            let message = format!("`{}` in `{}`, {reason}", outside.what, layer.name);
            findings.push(Finding::new(&source.path, source.line(path.offset), "S19", message));
        }
    }
    findings
}

fn homes(source: &Source) -> Vec<Finding> {
    let is_pure = |name| LAYERS.iter().any(|layer| layer.name == name && layer.purity == Purity::Pure);
    if layer_of(&source.path).is_some_and(is_pure) {
        return Vec::new();
    }
    let is_home = |home: &str| source.path == home || (home.ends_with('/') && source.path.starts_with(home));
    let lives_here = |outside: &Outside| outside.homes.iter().copied().any(is_home);
    let say = |outside: &Outside| {
        let homes =
            if outside.homes.is_empty() { "nowhere".to_owned() } else { format!("in {}", outside.homes.join(", ")) };
        format!("`{}` is at home {homes}: ask there, or say in tests/tidy/purity.rs why here too", outside.what)
    };
    let mut findings = Vec::new();
    for path in paths(source).iter().filter(|path| !source.is_test(path.offset)) {
        let away = OUTSIDE.iter().find(|outside| path.starts_with(outside.what) && !lives_here(outside));
        findings.extend(away.map(|outside| Finding::new(&source.path, source.line(path.offset), "home", say(outside))));
    }
    for clock in CLOCKS.iter().filter(|clock| !lives_here(clock)) {
        let places = source.words(clock.what).filter(|at| !source.is_test(*at));
        findings.extend(places.map(|at| Finding::new(&source.path, source.line(at), "home", say(clock))));
    }
    findings
}

/// Gives futures to callers that have an executor.
const FUTURES: &str = "src/runtime/futures.rs";

fn no_async(source: &Source) -> Vec<Finding> {
    if source.path == FUTURES {
        return Vec::new();
    }
    let message = "no `async` in the engine: an executor lives behind `Task`";
    let places = ["async", "await"].into_iter().flat_map(|word| source.words(word));
    places.map(|at| Finding::new(&source.path, source.line(at), "S33", message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    #[test]
    fn the_outside_is_found_below_the_line() {
        let text = "//! A.\nuse std::{collections::HashMap, fs};\nfn a() { std::time::Instant::now(); }\n\
                    #[cfg(test)]\nmod tests { use std::env; use std::collections::HashSet; }\n";
        let tree = Tree::of([("src/machine/state.rs", text)]);
        let found = places(&check(&tree));
        assert_eq!(found, ["src/machine/state.rs:2 S16", "src/machine/state.rs:3 S19", "src/machine/state.rs:2 S19"]);
    }

    #[test]
    fn above_the_line_everything_has_a_home() {
        let text = "//! A.\nuse std::fs;\nuse std::time::SystemTime;\nasync fn a() {}\n";
        let tree = Tree::of([("src/log/reader.rs", text), ("src/log/storage.rs", "//! A.\nuse std::fs;\n")]);
        let expected = ["src/log/reader.rs:2 home", "src/log/reader.rs:3 home", "src/log/reader.rs:4 S33"];
        assert_eq!(places(&check(&tree)), expected);
    }
}
