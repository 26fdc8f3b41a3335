//! `graph`: definitions and workflows as pictures, in each format.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::{Place, golden};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn release() -> String {
    root().join("examples/release.yaml").to_str().unwrap().to_owned()
}

const LIVE: &str = "
name: live
stages:
  first: { run: 'true' }
  flaky:
    needs: [first]
    retry: { max_attempts: 3, initial: 1ms }
    run: 'test $STABILIZE_ATTEMPT -ge 2 || exit 75'
  passed: { needs: [first], if: 'false', run: 'true' }
  choose: { needs: [flaky, passed], split_type: XOR, split_conditions: { never: 'false' }, split_default: broken }
  never: { needs: [choose], run: 'true' }
  broken: { needs: [choose], on_failure: continue, run: 'exit 1' }
  last: { needs: [never, broken], join_type: XOR, run: 'true' }
";

#[test]
fn the_release_example_is_drawn_in_each_format_as_it_always_was() {
    let place = Place::new();
    let release = release();
    for (format, name) in [("ascii", "graph.txt"), ("mermaid", "graph.mmd"), ("dot", "graph.dot")] {
        let finished = place.run(&["graph", &release, "--format", format]).exits(0);
        assert_eq!(finished.err, "");
        golden(name, &finished.out);
    }
    assert_eq!(place.run(&["graph", &release]).exits(0).out, place.run(&["graph", &release, "--format", "ascii"]).out);
}

#[test]
fn the_picture_of_the_readme_is_that_of_the_release_example() {
    let svg = Place::new().run(&["graph", &release(), "--format", "svg"]).exits(0).out;
    let path = root().join("docs/release.svg");
    if std::env::var_os("STABILIZE_BLESS").is_some() {
        fs::write(&path, &svg).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == svg, "{} is not current: make it anew", path.display());
    assert!(fs::read_to_string(root().join("README.md")).unwrap().contains("](docs/release.svg)"));
}

#[test]
fn a_workflow_is_drawn_with_its_statuses_also_as_it_was() {
    let place = Place::new();
    place.write("a.yaml", LIVE);
    place.run(&["run", "a.yaml"]).exits(0);
    golden("graph-live.txt", &place.run(&["graph", "last"]).exits(0).out);
    golden("graph-live.svg", &place.run(&["graph", "last", "--format", "svg"]).exits(0).out);
    golden("graph-live.mmd", &place.run(&["graph", "last", "--format", "mermaid"]).exits(0).out);
    golden("graph-live.dot", &place.run(&["graph", "last", "--format", "dot"]).exits(0).out);
    let before = place.run(&["graph", "last", "--at", "1"]).exits(0).out;
    assert!(before.contains("NOT_STARTED") && !before.contains("SUCCEEDED"), "{before}");
}

#[test]
fn a_file_takes_the_format_of_its_name() {
    let place = Place::new();
    let release = release();
    for (name, first) in [
        ("a.svg", "<svg "),
        ("a.mmd", "%% release"),
        ("a.dot", "digraph "),
        ("a.gv", "digraph "),
        ("a.txt", "release $"),
    ] {
        let finished = place.run(&["graph", &release, "-o", name]).exits(0);
        assert_eq!((finished.out.as_str(), finished.err), ("", format!("wrote {name}\n")));
        assert!(place.read(name).starts_with(first), "{name}");
    }
    place.run(&["graph", &release, "-o", "b.svg", "--format", "dot"]).exits(0);
    assert!(place.read("b.svg").starts_with("digraph "));
}

#[test]
fn what_can_not_be_drawn_says_so() {
    let place = Place::new();
    place.write("bad.yaml", "name: x\nstages: { a: { needs: [b], run: 'true' } }\n");
    let finished = place.run(&["graph", "bad.yaml"]).exits(3);
    assert!(finished.out.is_empty() && finished.err.contains("bad.yaml:2:"), "{}", finished.err);
    place.run(&["graph", "missing.yaml"]).exits(2);
    place.run(&["graph", "last"]).exits(4);
    place.write("a.yaml", LIVE);
    place.run(&["run", "a.yaml"]).exits(0);
    place.run(&["graph", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).exits(4);
    place.run(&["graph", "a.yaml", "--json"]).exits(2);
    place.run(&["graph", "a.yaml", "--at", "1"]).exits(2);
    place.run(&["graph", "a.yaml", "--format", "png"]).exits(2);
    place.run(&["graph", "a.yaml", "-o", "no/such/directory.svg"]).exits(7);
}
