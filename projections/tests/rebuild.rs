//! P10: a projection built while things happen is the one that is built again from the beginning.

use std::time::Duration;

use proptest::prelude::*;
use stabilize::testing::Recording;
use stabilize::{
    Config, Definition, Engine, Envelope, Filter, History, Map, Outcome, Position, Registry, Report, Stage, Start,
    Status, WorkflowId,
};
use stabilize_projections::{Driver, Projection, WorkflowList, follow, follow_history};

/// Every event it has been given, by position.
#[derive(Clone, Debug, Default, PartialEq)]
struct Names(Vec<(Position, &'static str)>);

impl Projection for Names {
    fn name(&self) -> &str {
        "names"
    }

    fn apply(&mut self, envelope: &Envelope) {
        self.0.push((envelope.position(), envelope.name()));
    }

    fn reset(&mut self) {
        self.0.clear();
    }
}

fn definition() -> Definition {
    let stages = [Stage::new("a").uses("greet"), Stage::new("b").needs(["a"]).uses("greet")];
    let builder =
        stages.into_iter().fold(Definition::builder("two").application("shop"), |all, stage| all.stage(stage));
    builder.build().unwrap_or_else(|problems| panic!("{problems}"))
}

fn rebuilt<P: Projection>(history: &History, projection: P) -> P {
    let mut driver = Driver::new(history, projection);
    driver.catch_up().expect("the history can be read");
    driver.into_projection()
}

#[test]
fn a_follower_has_taken_in_what_was_durable_when_it_is_read() {
    let mut tasks = Registry::with_builtins();
    tasks.register_fn("greet", |_| Ok(Outcome::success().output("greeting", "Hello"))).unwrap();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    let list = follow(&engine, WorkflowList::new()).unwrap();
    let names = follow(&engine, Names::default()).unwrap();
    assert!(list.read(WorkflowList::is_empty));
    for n_workflows in 1..=3 {
        let id = engine.submit(&definition(), Start::new()).unwrap();
        assert_eq!(list.read(WorkflowList::len), n_workflows);
        engine.wait(id, Duration::from_secs(600)).unwrap();
        assert_eq!(list.read(|list| list.get(id).map(|workflow| workflow.status())), Some(Status::Succeeded));
    }
    let history = engine.history();
    assert_eq!(names.read(Names::clone), rebuilt(&history, Names::default()));
    assert_eq!(list.read(WorkflowList::clone), rebuilt(&history, WorkflowList::new()));
    engine.close().unwrap();
    assert_eq!(list.into_projection().len(), 3);
}

#[test]
fn the_list_is_that_of_the_history() {
    let mut recording = Recording::in_memory();
    let first = recording.begin(&definition(), Map::new());
    let second = recording.begin(&definition(), Map::new());
    recording.cancel(first, "bob", "late");
    let list = rebuilt(&recording.history(), WorkflowList::new());
    let ids = |filter: &Filter| list.newest_first(filter).map(|workflow| workflow.id()).collect::<Vec<_>>();
    assert_eq!(ids(&Filter::new()), [second, first]);
    for filter in [Filter::new(), Filter::new().status(Status::Canceled), Filter::new().application("nobody's")] {
        let shown: Vec<_> = list.newest_first(&filter).cloned().collect();
        assert_eq!(shown, recording.history().workflows(&filter).unwrap());
    }
}

/// Mostly what brings workflows forward.
#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    Complete(usize),
    Fail(usize),
    Cancel(usize),
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Begin),
        6 => (0_usize..8).prop_map(Step::Complete),
        1 => (0_usize..8).prop_map(Step::Fail),
        1 => (0_usize..8).prop_map(Step::Cancel),
        3 => Just(Step::Look),
    ];
    prop::collection::vec(step, 0..30)
}

fn take(recording: &mut Recording, ids: &mut Vec<WorkflowId>, step: Step) {
    let meant = |which: usize, ids: &[WorkflowId]| ids.get(which % ids.len().max(1)).copied();
    match step {
        Step::Begin => {
            let id = recording.begin(&definition(), Map::new());
            ids.push(id);
        }
        Step::Complete(which) | Step::Fail(which) => {
            let Some(id) = meant(which, ids) else { return };
            let Some(stage) = recording.open(id).first().cloned() else { return };
            let report = if matches!(step, Step::Fail(_)) { Report::Canceled } else { Report::Succeeded };
            recording.report(id, &stage, report, Map::new());
        }
        Step::Cancel(which) => {
            if let Some(id) = meant(which, ids).filter(|id| !recording.state(*id).is_closed()) {
                recording.cancel(id, "bob", "late");
            }
        }
        Step::Look => (),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn live_resumed_and_rebuilt_are_the_same(steps in steps()) {
        let mut recording = Recording::in_memory();
        let history = recording.history();
        let list = follow_history(&history, WorkflowList::new()).unwrap();
        let names = follow_history(&history, Names::default()).unwrap();
        let mut kept = (WorkflowList::new(), Position::FIRST);
        let mut ids = Vec::new();
        for step in steps {
            take(&mut recording, &mut ids, step);
            if let Step::Look = step {
                let shown = list.read(WorkflowList::clone);
                prop_assert_eq!(&shown, &rebuilt(&history, WorkflowList::new()));
                names.catch_up().unwrap();
                let mut resumed = Driver::resume(&history, kept.0, kept.1);
                resumed.catch_up().unwrap();
                prop_assert_eq!(resumed.projection(), &shown);
                kept = (resumed.projection().clone(), resumed.checkpoint());
            }
        }
        let names = names.read(Names::clone);
        prop_assert_eq!(&names, &rebuilt(&history, Names::default()));
        let mut again = Driver::new(&history, names);
        let n_events = again.rebuild().unwrap();
        prop_assert_eq!(n_events, again.projection().0.len() as u64);
        prop_assert_eq!(again.checkpoint(), history.durable().unwrap());
        prop_assert!(again.projection().0.iter().zip(1..).all(|((position, _), place)| position.get() == place));
    }
}
