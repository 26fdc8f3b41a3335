//! Whatever happens to a workflow, both folds tell the same and deciding again gives the same.

use proptest::prelude::*;

use crate::definition::Definition;
use crate::event::Report;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::replay::At;
use crate::status::Status;
use crate::testing::{Recording, definitions};
use crate::value::{Map, Value};

use super::{RELEASE, definition, map};

/// What the world does next.
#[derive(Clone, Copy, Debug)]
enum Move {
    Start,
    Lose,
    Fire,
    Cancel,
    Report(usize),
}

/// Mostly what brings a workflow forward.
fn moves() -> impl Strategy<Value = Vec<(Move, usize)>> {
    let moves = prop_oneof![
        6 => Just(Move::Start),
        1 => Just(Move::Lose),
        1 => Just(Move::Fire),
        1 => Just(Move::Cancel),
        12 => prop_oneof![6 => Just(0_usize), 6 => 1_usize..8].prop_map(Move::Report),
    ];
    prop::collection::vec((moves, 0_usize..4), 0..25)
}

fn report(kind: usize, recording: &Recording) -> Report {
    let error = |class| Failure::new(ErrorCode::USER_CODE_ERROR, class, "it broke");
    match kind {
        0 => Report::Succeeded,
        1 => Report::Running { until: recording.now() },
        2 => Report::Terminal { error: error(ErrorClass::Permanent) },
        3 => Report::FailedContinue { error: error(ErrorClass::Exit) },
        4 => Report::Skipped,
        5 => Report::Canceled,
        6 => Report::Stopped,
        _ => Report::Failed { error: error(ErrorClass::Transient), retry_after: None },
    }
}

/// Does what the workflow takes at the time, and nothing else.
fn play(recording: &mut Recording, id: crate::ids::WorkflowId, moves: &[(Move, usize)]) {
    for (next, which) in moves {
        if recording.state(id).is_closed() {
            return;
        }
        let open = recording.open(id);
        let stage = open.get(which % open.len().max(1)).cloned();
        let is_started = stage.as_ref().is_some_and(|stage| recording.is_started(id, stage));
        match (next, stage) {
            (Move::Cancel, _) => recording.cancel(id, "bob", "enough"),
            (Move::Fire, _) if recording.is_waiting(id) => recording.fire(id),
            (Move::Start, Some(stage)) if !is_started => recording.start(id, &stage),
            (Move::Lose, Some(stage)) if is_started => recording.lose(id, &stage),
            (Move::Report(kind), Some(stage)) => {
                let outputs = map([("lint", Value::Bool(*which == 0)), ("notify", Value::Bool(*kind == 0))]);
                let told = report(*kind, recording);
                recording.report_with(id, &stage, told, outputs, map([("left", *which as u64)]));
            }
            _ => (),
        }
    }
}

/// Half of the time the one with everything in it.
fn any_definition(which: usize) -> Definition {
    match which {
        0 => definitions::sequence(),
        1 => definitions::parallel(),
        2 => definitions::starved_join(),
        3 => definitions::fan_out(5),
        _ => definition(RELEASE),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_replayed_workflow_is_the_one_that_was_decided(which in 0_usize..8, moves in moves()) {
        let mut recording = Recording::in_memory();
        let id = recording.begin(&any_definition(which), Map::new());
        play(&mut recording, id, &moves);
        let history = recording.history();
        let mut names = Vec::new();
        let replayed = history.replay(id, None, |event| names.push((event.name(), event.data()))).unwrap();
        prop_assert_eq!(replayed.digest(), crate::replay::Digest::of(recording.state(id)));
        prop_assert_eq!(replayed.view(), &history.state(id, At::Latest).unwrap());
        prop_assert_eq!(replayed.view().status().is_complete(), recording.state(id).is_closed());
        let verified = history.verify(id).unwrap();
        prop_assert!(verified.divergences().is_empty(), "{:?}", verified);
        prop_assert!(names.iter().all(|(_, data)| data.as_map().is_some()));
        let is_open = |status: Status| matches!(status, Status::NotStarted | Status::Running);
        if replayed.view().status().is_complete() {
            for stage in replayed.view().stages() {
                prop_assert!(stage.activations() == 0 || !is_open(stage.status()), "{}", stage.id());
            }
        }
    }
}
