//! S29 and its neighbours: what must not be left behind in code that lands.

use crate::finding::Finding;
use crate::source::{Source, words_in};
use crate::tree::Tree;

pub(crate) const RULES: [&str; 4] = ["S27", "S29", "S39", "leftover"];

/// A piece of code that may not stand anywhere.
const NOWHERE: [(&str, &str); 5] = [
    ("todo!", "write it, or leave the function out"),
    ("unimplemented!", "write it, or leave the function out"),
    ("dbg!", "take it out, or give the fact to `tracing`"),
    ("#[ignore", "a test runs always: make it fast, or scale it with STABILIZE_LONG"),
    ("#![ignore", "a test runs always: make it fast, or scale it with STABILIZE_LONG"),
];

/// Words that turn a comment into a note to oneself.
const NOTES: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let rules = [nowhere, notes, unwrap, sleep, errors];
    tree.sources().iter().flat_map(|source| rules.iter().flat_map(|rule| rule(source)).collect::<Vec<_>>()).collect()
}

fn at_each(source: &Source, piece: &str) -> Vec<usize> {
    source.code.match_indices(piece).map(|(at, _)| at).collect()
}

fn nowhere(source: &Source) -> Vec<Finding> {
    let places = |(piece, advice): (&str, &str)| {
        let say = |at| Finding::new(&source.path, source.line(at), "leftover", format!("`{piece}`: {advice}"));
        at_each(source, piece).into_iter().map(say).collect::<Vec<_>>()
    };
    NOWHERE.into_iter().flat_map(places).collect()
}

fn notes(source: &Source) -> Vec<Finding> {
    let say = |word: &str, at| {
        let message = format!("`{word}` in a comment: do it, or open an issue");
        Finding::new(&source.path, source.line(at), "leftover", message)
    };
    NOTES.into_iter().flat_map(|word| words_in(&source.comments, word).map(move |at| say(word, at))).collect()
}

fn unwrap(source: &Source) -> Vec<Finding> {
    let advice = "`.unwrap()` outside of a test: return an error, or `expect` the invariant that rules it out";
    let places = at_each(source, ".unwrap()").into_iter().filter(|at| !source.is_test(*at));
    places.map(|at| Finding::new(&source.path, source.line(at), "S29", advice)).collect()
}

fn sleep(source: &Source) -> Vec<Finding> {
    let advice = "a test that sleeps is slow or flaky: wait for what happens (a pipe, a channel, a fifo)";
    let places = at_each(source, "thread::sleep(").into_iter().filter(|at| source.is_test(*at));
    places.map(|at| Finding::new(&source.path, source.line(at), "S39", advice)).collect()
}

fn errors(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("src/") {
        return Vec::new();
    }
    let banned = [
        ("#[from] io::Error", "give its variant the path and the operation"),
        ("#[from] std::io::Error", "give its variant the path and the operation"),
        ("anyhow", "the library's errors are enums of their layer"),
    ];
    let places = |(piece, advice): (&str, &str)| {
        let outside = at_each(source, piece).into_iter().filter(|at| !source.is_test(*at));
        let say = |at| Finding::new(&source.path, source.line(at), "S27", format!("`{piece}`: {advice}"));
        outside.map(say).collect::<Vec<_>>()
    };
    banned.into_iter().flat_map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    #[test]
    fn what_is_left_behind_is_found() {
        let text = "//! A. FIXME.\nfn a() { b().unwrap() }\nfn c() { todo!() }\nconst D: &str = \"todo!() XXX\";\n\
                    enum E { F(#[from] io::Error) }\n\
                    #[cfg(test)]\nmod tests {\n    #[ignore]\n    fn h() { i().unwrap(); }\n\
                    \n    fn j() { std::thread::sleep(k); }\n}\n";
        let found = places(&check(&Tree::of([("src/a.rs", text)])));
        let expected = [
            "src/a.rs:3 leftover",
            "src/a.rs:8 leftover",
            "src/a.rs:1 leftover",
            "src/a.rs:2 S29",
            "src/a.rs:11 S39",
            "src/a.rs:5 S27",
        ];
        assert_eq!(found, expected);
    }
}
