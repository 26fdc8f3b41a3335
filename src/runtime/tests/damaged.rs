//! An engine over a log in which the history of one workflow is damaged.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::ids::WorkflowId;
use crate::runtime::{By, Config, Engine, Start};
use crate::status::Status;
use crate::task::Registry;

use super::definition;

const PATIENCE: Duration = Duration::from_secs(60);

fn open(directory: &Path) -> Engine {
    Engine::open(Config::at(directory).workers(2), Registry::with_builtins()).unwrap()
}

/// Flips a bit where the log first speaks of this reason.
fn flip_at(directory: &Path, text: &str) {
    let path = directory.join("log/0000000001.seg");
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    bytes[place] ^= 1;
    fs::write(&path, bytes).unwrap();
}

#[test]
fn damage_in_the_history_of_a_workflow_stops_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let waits = definition("name: x\ncontext: { marked: here }\nstages: { a: { uses: wait, with: { duration: 1h } } }");
    let short = definition("name: y\nstages: { a: {} }");
    let (damaged, whole) = (WorkflowId::generate(), WorkflowId::generate());
    let engine = open(directory.path());
    engine.submit(&short, Start::new().id(whole)).unwrap();
    engine.submit(&waits, Start::new().id(damaged).origin("the damaged one")).unwrap();
    // Until the first segment is sealed: what is damaged there is met by who reads it.
    while !directory.path().join("log/0000000002.seg").exists() {
        engine.submit(&short, Start::new()).unwrap();
    }
    engine.close().unwrap();
    flip_at(directory.path(), "the damaged one");

    let engine = open(directory.path());
    let refused = engine.cancel(damaged, By::user("alice")).unwrap_err();
    assert!(refused.is_damage(), "{refused}");
    assert!(engine.drive(damaged).is_ok(), "an engine that drives all was asked for nothing new");
    let begun = engine.submit(&short, Start::new()).unwrap();
    assert_eq!(engine.wait(begun, PATIENCE).unwrap().status(), Status::Succeeded);
    assert_eq!(engine.wait(whole, PATIENCE).unwrap().status(), Status::Succeeded);
    engine.close().unwrap();
}
