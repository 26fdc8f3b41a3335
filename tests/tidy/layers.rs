//! S2: which layer may name which. The table is the one in `docs/ARCHITECTURE.md`.

use crate::finding::Finding;
use crate::paths::{absolute, paths};
use crate::source::Source;
use crate::tree::Tree;

pub(crate) const RULES: [&str; 1] = ["S2"];

/// A layer of `src/` and the layers it may name, all of them further up in this table.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) may_name: &'static [&'static str],
    pub(crate) purity: Purity,
}

/// Which side of the purity line a layer is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purity {
    /// Functions of values: no IO, clock, thread, randomness, log line or hash order.
    Pure,
    /// May reach outside, each thing in its one home.
    Edge,
}

use Purity::{Edge, Pure};

/// The layers from the bottom to the top.
pub(crate) const LAYERS: &[Layer] = &[
    Layer { name: "limits", may_name: &[], purity: Pure },
    Layer { name: "digest", may_name: &[], purity: Pure },
    Layer { name: "status", may_name: &[], purity: Pure },
    Layer { name: "time", may_name: &["limits"], purity: Pure },
    Layer { name: "ids", may_name: &["limits", "digest", "time"], purity: Pure },
    Layer { name: "value", may_name: &["limits"], purity: Pure },
    Layer { name: "failure", may_name: &["limits", "value"], purity: Pure },
    Layer { name: "expression", may_name: &["limits", "value"], purity: Pure },
    Layer {
        name: "definition",
        may_name: &["limits", "digest", "status", "time", "ids", "value", "failure", "expression"],
        purity: Pure,
    },
    Layer {
        name: "event",
        may_name: &["limits", "digest", "status", "time", "ids", "value", "failure", "definition"],
        purity: Pure,
    },
    Layer {
        name: "machine",
        may_name: &[
            "limits",
            "digest",
            "status",
            "time",
            "ids",
            "value",
            "failure",
            "expression",
            "definition",
            "event",
        ],
        purity: Pure,
    },
    Layer {
        name: "soundness",
        may_name: &[
            "limits",
            "digest",
            "status",
            "time",
            "ids",
            "value",
            "failure",
            "expression",
            "definition",
            "event",
            "machine",
        ],
        purity: Pure,
    },
    Layer { name: "log", may_name: &["limits", "digest", "time", "ids"], purity: Edge },
    Layer { name: "store", may_name: &["limits", "status", "time", "ids", "failure", "event", "log"], purity: Edge },
    Layer {
        name: "replay",
        may_name: &[
            "limits",
            "digest",
            "status",
            "time",
            "ids",
            "value",
            "failure",
            "definition",
            "event",
            "machine",
            "store",
        ],
        purity: Edge,
    },
    Layer { name: "task", may_name: &["limits", "digest", "time", "ids", "value", "failure"], purity: Edge },
    Layer {
        name: "runtime",
        may_name: &[
            "limits",
            "digest",
            "status",
            "time",
            "ids",
            "value",
            "failure",
            "expression",
            "definition",
            "event",
            "machine",
            "soundness",
            "log",
            "store",
            "replay",
            "task",
        ],
        purity: Edge,
    },
    // Not a layer anybody builds on: what this build is, said to who asks.
    Layer { name: "version", may_name: &["machine", "store"], purity: Edge },
];

/// What tests need. It may name everything, and only tests may name it.
const TESTING: &str = "testing";

/// The layer a file belongs to, if it is one of the engine's and not `lib.rs` or `testing`.
pub(crate) fn layer_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("src/")?.strip_suffix(".rs")?.split('/').next()?;
    (name != "lib" && name != TESTING).then_some(name)
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let in_layer = |source: &Source| Some(check_layer(source, layer_of(&source.path)?));
    tree.sources().iter().filter_map(in_layer).flatten().collect()
}

fn check_layer(source: &Source, name: &str) -> Vec<Finding> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        let message = format!("the layer `{name}` has no row in the table of tests/tidy/layers.rs: give it one");
        return vec![Finding::new(&source.path, 1, "S2", message)];
    };
    let mut findings = Vec::new();
    for path in paths(source) {
        let Some(target) = absolute(source, &path).and_then(|parts| parts.into_iter().next()) else { continue };
        let is_fine = target == layer.name
            || layer.may_name.contains(&target.as_str())
            || (target == TESTING && source.is_test(path.offset));
        if !is_fine {
            findings.push(Finding::new(&source.path, source.line(path.offset), "S2", advice(layer, &target)));
        }
    }
    findings
}

fn advice(layer: &Layer, target: &str) -> String {
    let name = layer.name;
    if target == TESTING {
        return format!("`{name}` names `testing` outside of a test: only tests may");
    }
    if !LAYERS.iter().any(|layer| layer.name == target) {
        return format!("`crate::{target}` is no layer: name the layer it comes from");
    }
    let allowed = if layer.may_name.is_empty() { "nothing".to_owned() } else { layer.may_name.join(", ") };
    format!("`{name}` may not name `{target}`, only {allowed}: move the shared type down, or the function up")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::places;

    #[test]
    fn the_table_points_one_way() {
        for (index, layer) in LAYERS.iter().enumerate() {
            for name in layer.may_name {
                let is_below = LAYERS[..index].iter().any(|below| below.name == *name);
                assert!(is_below, "{} may name {name}, which is not below it", layer.name);
                let target = LAYERS.iter().find(|other| other.name == *name).unwrap();
                assert!(layer.purity == Edge || target.purity == Pure, "{} is pure, {name} is not", layer.name);
            }
        }
    }

    #[test]
    fn a_path_to_a_layer_above_is_found_however_it_is_written() {
        let record = "//! A.\nuse crate::{ids::Position, event::Event};\nfn a() { crate::store::b() }\n\
                      use super::super::machine;\n#[cfg(test)]\nmod tests { use crate::testing::c; use crate::task::d; }\n";
        let ids = "//! A.\nuse super::testing::dice;\nuse crate::Definition;\n";
        let tree = Tree::of([("src/log/record.rs", record), ("src/ids.rs", ids), ("src/spare/mod.rs", "//! A.\n")]);
        let expected = [
            "src/ids.rs:2 S2",
            "src/ids.rs:3 S2",
            "src/log/record.rs:2 S2",
            "src/log/record.rs:3 S2",
            "src/log/record.rs:4 S2",
            "src/log/record.rs:6 S2",
            "src/spare/mod.rs:1 S2",
        ];
        assert_eq!(places(&check(&tree)), expected);
    }
}
