//! The example programs, run as their readers run them. `cargo test` builds them beside the tests.

use std::path::PathBuf;
use std::process::Command;

/// The built example of this name.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its file");
    let profile = test.ancestors().nth(2).expect("tests stand in <profile>/deps");
    let path = profile.join("examples").join(name);
    assert!(path.is_file(), "build it first: cargo build --package stabilize-projections --example {name}");
    path
}

#[test]
fn the_quick_start_greets_and_looks_back() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(example("quick_start")).current_dir(&directory).output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert_eq!(out, "SUCCEEDED Some({\"greeting\":\"Hello, Stabilize!\"})\nwas RUNNING\n");
    assert!(directory.path().join(".stabilize/log/0000000001.seg").is_file(), "the log is always on");
}

#[test]
fn the_import_goes_on_where_it_was_also_in_another_engine() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(example("progress")).current_dir(&directory).output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    let expected = "\
\"FAILED\" leaves {\"processed\":10}
\"FAILED\" leaves {\"processed\":20}
\"FAILED\" leaves {\"processed\":30}
\"SUCCEEDED\" leaves {}
SUCCEEDED {\"total\":40}
";
    assert_eq!(out, expected);
}
