//! Definitions are checked before workflows of them begin, once, as strictly as they ask for.

use crate::event::{CheckOutcome, Event};
use crate::ids::StreamId;
use crate::runtime::{Config, Engine, Error, Start};
use crate::task::Registry;
use crate::testing::definitions::{sequence, starved_join, unchecked, yaml};

fn engine() -> Engine {
    Engine::open(Config::manual(), Registry::with_builtins()).unwrap()
}

#[test]
fn an_unsound_definition_is_refused_and_nothing_is_recorded() {
    let engine = engine();
    let refused = engine.submit(&starved_join(), Start::new()).unwrap_err();
    let Error::Unsound { message, verdict } = &refused else { panic!("{refused:?}") };
    assert!(
        message.starts_with("the definition starved is UNSOUND, and its policy is weak: DEADLOCK at d: "),
        "{message}"
    );
    assert_eq!(verdict.outcome(), CheckOutcome::Unsound);
    assert_eq!(engine.store().last(StreamId::definition(starved_join().hash())).unwrap(), None);
    engine.submit(&sequence(), Start::new()).unwrap();
}

#[test]
fn what_a_document_calls_is_checked_with_it() {
    let called = "definitions: { other: { name: other, stages: { a: { split_type: XOR, split_conditions: { b: inputs }, \
                  split_default: c }, b: { needs: [a] }, c: { needs: [a] }, d: { needs: [b, c] } } } }";
    let calls = "stages: { s: { sub_workflow: { definition: other } } }";
    let refused = engine().submit(&yaml(&format!("{{ name: x, {called}, {calls} }}")), Start::new()).unwrap_err();
    assert!(refused.to_string().starts_with("the definition other is UNSOUND"), "{refused}");
}

#[test]
fn whoever_says_so_begins_it_all_the_same() {
    engine().submit(&unchecked(&starved_join()), Start::new()).unwrap();
}

#[test]
fn the_verdict_is_recorded_with_the_definition() {
    let engine = engine();
    let definition = yaml("{ name: x, soundness: strict, stages: { a: , b: { needs: [a] } } }");
    engine.submit(&definition, Start::new()).unwrap();
    let stored = engine.store().read(StreamId::definition(definition.hash()), crate::ids::Sequence::FIRST, 1).unwrap();
    let Event::DefinitionRegistered(_, registration) = &stored[0].event else { panic!("{stored:?}") };
    let check = registration.check.unwrap();
    assert_eq!((check.policy.name(), check.outcome), ("strict", CheckOutcome::Sound));
    assert!(check.states > 0);
}
