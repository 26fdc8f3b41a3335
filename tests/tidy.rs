//! The tree polices itself: reads the sources and documents and refuses untidy ones, with the place and a way out.
//!
//! One test a group of rules; S-numbers are those of the style the project follows, `docs/ARCHITECTURE.md` has the
//! layers. Each rule is itself tested on a made-up tree. What is allowed all the same stands, with its reason, in
//! `tests/tidy/exceptions.rs`. Reads no git and runs no program.

#[path = "tidy/defects.rs"]
mod defects;
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/exceptions.rs"]
mod exceptions;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/finding.rs"]
mod finding;
#[path = "tidy/guarantees.rs"]
mod guarantees;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/leftovers.rs"]
mod leftovers;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;

use finding::verdict;
use tree::Tree;

#[test]
fn files_have_headers_nouns_and_bounds() {
    verdict(&shape::RULES, shape::check(Tree::real()));
}

#[test]
fn layers_name_only_what_is_below_them() {
    verdict(&layers::RULES, layers::check(Tree::real()));
}

#[test]
fn the_core_is_pure_and_the_outside_has_homes() {
    verdict(&purity::RULES, purity::check(Tree::real()));
}

#[test]
fn dependencies_have_one_home() {
    verdict(&dependencies::RULES, dependencies::check(Tree::real()));
}

#[test]
fn nothing_is_left_behind() {
    verdict(&leftovers::RULES, leftovers::check(Tree::real()));
}

#[test]
fn documents_lead_somewhere() {
    verdict(&documents::RULES, documents::check(Tree::real()));
}

#[test]
fn promises_have_tests() {
    verdict(&documents::RULES, guarantees::check(Tree::real()));
}

#[test]
fn defects_of_the_system_before_this_one_have_tests() {
    verdict(&documents::RULES, defects::check(Tree::real()));
}

#[test]
fn files_belong_to_no_machine() {
    verdict(&files::RULES, files::check(Tree::real()));
}

#[test]
fn exceptions_name_a_rule_that_exists() {
    let rules = [
        &shape::RULES[..],
        &layers::RULES,
        &purity::RULES,
        &dependencies::RULES,
        &leftovers::RULES,
        &documents::RULES,
        &files::RULES,
    ]
    .concat();
    for exception in exceptions::EXCEPTIONS {
        assert!(rules.contains(&exception.rule), "{}: {}", exception.path, exception.rule);
    }
}
