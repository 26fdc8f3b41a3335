//! What can be read of a log.

use std::sync::Arc;
use std::time::Duration;

use crate::definition::Definition;
use crate::event::{Actor, Envelope, Event, Registration, Report, Stamp};
use crate::ids::{Position, Sequence, StreamId, WorkflowId};
use crate::replay::{At, Error, Filter, History};
use crate::status::Status;
use crate::store::{Append, Encoded, EventStore, Expected, MemoryStore};
use crate::testing::{Recording, stores};
use crate::time::Timestamp;
use crate::value::Map;

use super::{RELEASE, definition, map};

const TWO: &str = "name: two\nstages:\n  a: { run: 'true' }\n  b: { needs: [a], run: 'true' }\n";

fn number(number: u64) -> Sequence {
    Sequence::new(number).unwrap()
}

/// A workflow of each definition, moved by turns.
fn interleaved() -> (Recording, WorkflowId, WorkflowId) {
    let mut recording = Recording::in_memory();
    let two = recording.begin(&definition(TWO), Map::new());
    let release = recording.begin(&definition(RELEASE), Map::new());
    recording.complete(two, "a", Map::new());
    recording.complete(release, "checkout", map([("lint", true)]));
    recording.complete(two, "b", map([("done", true)]));
    (recording, two, release)
}

fn lines(history: &History, from: u64) -> Vec<String> {
    let line = |envelope: Envelope| {
        let task = envelope.task().map(|task| format!(" {task}")).unwrap_or_default();
        let stage = envelope.stage().map(|stage| format!(" {stage}")).unwrap_or_default();
        format!("{}<{} {}{stage}{task}", envelope.position(), envelope.causation(), envelope.name())
    };
    history.all(Position::new(from).unwrap()).map(|envelope| line(envelope.unwrap())).collect()
}

#[test]
fn the_whole_log_is_read_in_order_with_the_cause_of_each_event() {
    let (recording, _, _) = interleaved();
    let all = lines(&recording.history(), 1);
    assert_eq!(
        all[..12],
        [
            "1<1 definition.registered",
            "2<2 workflow.created",
            "3<2 workflow.started",
            "4<2 stage.started a",
            "5<2 task.queued a shell",
            "6<6 definition.registered",
            "7<7 workflow.created",
            "8<7 workflow.started",
            "9<7 stage.started checkout",
            "10<7 task.queued checkout shell",
            "11<11 task.started a shell",
            "12<12 task.reported a shell",
        ]
    );
    // Wherever reading begins, in the middle of a batch as well, the same is told.
    for from in 1..=all.len() {
        assert_eq!(lines(&recording.history(), from as u64), all[from - 1..], "{from}");
    }
    assert_eq!(lines(&recording.history(), all.len() as u64 + 1), [""; 0]);
}

#[test]
fn an_envelope_knows_its_actor_and_definition() {
    let (recording, two, release) = interleaved();
    let history = recording.history();
    let of = |id| history.events(id, ..).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let events = of(two);
    assert_eq!((events[0].actor(), events[3].actor(), events[4].actor()), ("alice", "alice", "engine"));
    assert!(events[0].command().is_some() && events[0].command() == events[3].command());
    assert_eq!(events[4].command(), None);
    assert!(events.iter().all(|event| event.definition() == definition(TWO).hash()));
    assert!(of(release).iter().all(|event| event.definition() == definition(RELEASE).hash()));
    let registered = history.all(Position::FIRST).next().unwrap().unwrap();
    assert_eq!((registered.workflow(), registered.definition()), (None, definition(TWO).hash()));
    assert_eq!(
        registered.data().get("source").and_then(|source| source.as_str().map(str::to_owned)).as_deref(),
        Some(TWO)
    );
}

#[test]
fn events_of_a_workflow_are_read_by_their_sequences() {
    let (recording, two, _) = interleaved();
    let history = recording.history();
    let read = |range: Vec<u64>| range.into_iter().map(number).collect::<Vec<_>>();
    let sequences =
        |events: crate::replay::Envelopes| events.map(|event| event.unwrap().sequence()).collect::<Vec<_>>();
    assert_eq!(sequences(history.events(two, number(3)..=number(5)).unwrap()), read(vec![3, 4, 5]));
    assert_eq!(sequences(history.events(two, number(3)..number(5)).unwrap()), read(vec![3, 4]));
    assert_eq!(sequences(history.events(two, ..number(1)).unwrap()), []);
    assert_eq!(sequences(history.events(two, number(900)..).unwrap()), []);
    assert_eq!(sequences(history.events(two, ..number(3)).unwrap()), read(vec![1, 2]));
    let nobody = WorkflowId::from_parts(Timestamp::from_microseconds(0), 1);
    assert!(matches!(history.events(nobody, ..), Err(Error::NotFound { workflow }) if workflow == nobody));
}

#[test]
fn any_moment_can_be_shown() {
    let (recording, two, _) = interleaved();
    let history = recording.history();
    let last = history.state(two, At::Latest).unwrap().version();
    let mut seen = Vec::new();
    for sequence in 1..=last.get() {
        let view = history.state(two, At::sequence(sequence).unwrap()).unwrap();
        assert_eq!(view.version().get(), sequence);
        seen.push(view.status());
        let at = history.events(two, number(sequence)..).unwrap().next().unwrap().unwrap().at();
        let at_time = history.state(two, At::time(at)).unwrap();
        assert!(at_time.version() >= view.version());
        assert_eq!(history.state(two, At::Sequence(at_time.version())).unwrap(), at_time);
    }
    assert_eq!((seen[0], seen[1], seen.last()), (Status::NotStarted, Status::Running, Some(&Status::Succeeded)));
    let early = Timestamp::from_microseconds(0);
    assert!(matches!(history.state(two, At::time(early)), Err(Error::NotCreated { at, .. }) if at == early));
    let behind = At::Sequence(last.next());
    assert!(matches!(history.state(two, behind), Err(Error::NotReached { last: end, .. }) if end == last));
}

#[test]
fn workflows_are_listed_newest_first() {
    let (recording, two, release) = interleaved();
    let history = recording.history();
    let ids = |filter: &Filter| {
        history.workflows(filter).unwrap().iter().map(crate::replay::WorkflowSummary::id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&Filter::new()), [release, two]);
    assert_eq!(ids(&Filter::new().status(Status::Succeeded)), [two]);
    assert_eq!(ids(&Filter::new().status(Status::Succeeded).status(Status::Running)), [release, two]);
    assert_eq!(ids(&Filter::new().application("shop")), [release]);
    assert_eq!(ids(&Filter::new().name("two").status(Status::Running)), []);
    for summary in history.workflows(&Filter::new()).unwrap() {
        let view = history.state(summary.id(), At::Latest).unwrap();
        assert_eq!((summary.name(), summary.application()), (view.name(), view.application()));
        assert_eq!((summary.status(), summary.version()), (view.status(), view.version()));
        assert_eq!((summary.start_time(), summary.end_time()), (view.start_time(), view.end_time()));
        assert_eq!((summary.definition(), summary.origin()), (view.definition(), view.origin()));
    }
}

#[test]
fn a_workflow_is_found_by_its_id_by_a_part_of_it_or_as_the_last() {
    let (recording, two, release) = interleaved();
    let history = recording.history();
    assert_eq!(history.find("last").unwrap(), release);
    assert_eq!(history.find(&two.to_string()).unwrap(), two);
    assert_eq!(history.find(&two.to_string().to_lowercase()).unwrap(), two);
    assert_eq!(history.find(&two.to_string()[18..].to_lowercase()).unwrap(), two);
    assert_eq!(history.find(&release.to_string()[..20]).unwrap(), release);
    let both = &two.to_string()[..6];
    match history.find(both) {
        Err(Error::Ambiguous { candidates, .. }) => assert_eq!(candidates, [release, two]),
        other => panic!("{other:?}"),
    }
    let short = &two.to_string()[21..];
    for text in [short, "", "nobody", "123456"] {
        let missed = history.find(text).unwrap_err();
        assert!(matches!(missed, Error::NoMatch { .. }) && missed.is_not_found(), "{text}");
    }
    let nobody = WorkflowId::from_parts(Timestamp::from_microseconds(0), 1);
    assert!(matches!(history.find(&nobody.to_string()), Err(Error::NotFound { .. })));
    assert!(Recording::in_memory().history().find("last").unwrap_err().is_not_found());
}

#[test]
fn following_gives_history_and_then_what_happens() {
    let (mut recording, two, release) = interleaved();
    let mut follow = recording.history().follow(Position::new(3).unwrap());
    let mut taken = Vec::new();
    let take = |follow: &mut crate::replay::Follow, taken: &mut Vec<Position>| {
        while let Some(envelope) = follow.next_timeout(Duration::ZERO).unwrap() {
            taken.push(envelope.position());
            assert_eq!(follow.position(), envelope.position().next());
        }
    };
    take(&mut follow, &mut taken);
    assert_eq!(taken.last().copied(), Position::new(recording.history().durable().unwrap().get() - 1));
    recording.complete(release, "lint", Map::new());
    recording.cancel(release, "bob", "late");
    take(&mut follow, &mut taken);
    let all: Vec<Position> = recording.history().all(Position::FIRST).map(|event| event.unwrap().position()).collect();
    assert_eq!(taken, all[2..]);
    assert_eq!(recording.history().state(two, At::Latest).unwrap().status(), Status::Succeeded);
}

#[test]
fn following_wakes_when_something_becomes_durable() {
    let mut recording = Recording::in_memory();
    let mut follow = recording.history().follow(Position::FIRST);
    std::thread::scope(|scope| {
        let awaited =
            scope.spawn(move || follow.next_timeout(Duration::from_secs(600)).unwrap().map(|event| event.name()));
        recording.begin(&definition(TWO), Map::new());
        assert_eq!(awaited.join().unwrap(), Some("definition.registered"));
    });
}

#[test]
fn replaying_gives_what_is_shown_and_the_digest_of_the_state_that_was_decided() {
    let (recording, two, release) = interleaved();
    let history = recording.history();
    for id in [two, release] {
        let mut names = Vec::new();
        let replayed = history.replay(id, None, |event| names.push(event.name())).unwrap();
        assert_eq!(replayed.view(), &history.state(id, At::Latest).unwrap());
        assert_eq!(replayed.digest(), crate::replay::Digest::of(recording.state(id)));
        assert_eq!(replayed.digest().to_string().len(), 64);
        assert_eq!(names.len() as u64, replayed.events());
        let inputs = history.events(id, ..).unwrap().filter(|event| event.as_ref().unwrap().event().is_input());
        assert_eq!(inputs.count() as u64, replayed.batches());
        for until in 1..=replayed.events() {
            let cut = history.replay(id, Some(number(until)), |_| ()).unwrap();
            assert_eq!(cut.view(), &history.state(id, At::sequence(until).unwrap()).unwrap());
            assert_eq!(cut.digest() == replayed.digest(), until == replayed.events());
        }
        let beyond = history.replay(id, Some(number(replayed.events() + 1)), |_| ());
        assert!(matches!(beyond, Err(Error::NotReached { .. })));
    }
}

#[test]
fn every_batch_is_decided_as_it_was() {
    let (mut recording, two, release) = interleaved();
    recording.start(release, "test");
    recording.cancel(release, "bob", "late");
    for (id, batches) in [(two, 5), (release, 5)] {
        let verified = recording.history().verify(id).unwrap();
        assert_eq!((verified.batches(), verified.divergences().len(), verified.is_violated()), (batches, 0, false));
    }
}

#[test]
fn a_large_batch_is_read_from_its_middle() {
    let stages: String = (0..2_100).map(|n| format!("  s{n}: {{ needs: [a] }}\n")).collect();
    let yaml = format!("name: wide\nstages:\n  a: {{ }}\n{stages}");
    let mut recording = Recording::in_memory();
    let id = recording.begin(&Definition::from_yaml(&yaml).unwrap(), Map::new());
    recording.complete(id, "a", Map::new());
    let history = recording.history();
    let replayed = history.replay(id, None, |_| ()).unwrap();
    assert!(replayed.events() > 4_200);
    let last = history.events(id, number(replayed.events())..).unwrap().next().unwrap().unwrap();
    let input = history.events(id, ..).unwrap().map(Result::unwrap).filter(|event| event.event().is_input()).last();
    assert_eq!(last.causation(), input.unwrap().position());
    assert!(!history.verify(id).unwrap().is_violated());
}

#[test]
fn a_log_is_read_beside_its_writer() {
    let directory = tempfile::tempdir().unwrap();
    let mut recording = Recording::at(directory.path());
    let id = recording.begin(&definition(TWO), Map::new());
    let history = History::open(directory.path()).unwrap();
    assert_eq!(history.state(id, At::Latest).unwrap().status(), Status::Running);
    recording.report(id, "a", Report::Stopped, Map::new());
    assert_eq!(history.state(id, At::Latest).unwrap().status(), Status::Succeeded);
    assert_eq!(history.find("last").unwrap(), id);
    assert_eq!((history.unconfirmed(), history.damage().is_none()), (0, true));
    assert_eq!(lines(&history, 1), lines(&recording.history(), 1));
}

#[test]
fn where_no_log_is_nothing_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let missing = History::open(directory.path()).unwrap_err();
    assert!(missing.is_not_found() && !missing.is_damage(), "{missing}");
}

#[test]
fn a_history_without_its_beginning_or_its_definition_is_damaged() {
    let two = definition(TWO);
    let id = WorkflowId::from_parts(Timestamp::from_microseconds(1), 1);
    let now = Timestamp::from_microseconds(1);
    let write = |streams: Vec<(StreamId, Event)>| {
        let store = Arc::new(MemoryStore::new());
        let mut writer = store.writer().unwrap();
        for (stream, event) in streams {
            let append = Append::new(stream, Expected::Any, now, vec![Encoded::of(&event)]).unwrap();
            stores::append(&mut *writer, append).unwrap();
        }
        History::of(store)
    };
    let stamp = || Stamp { now, command: None, actor: Actor::Engine, rules: 1 };
    let workflow = StreamId::workflow(id);
    let created = || {
        let (recording, two, _) = interleaved();
        let event = recording.history().events(two, ..).unwrap().next().unwrap().unwrap();
        (workflow, event.event().clone())
    };
    let registered = |normal: String| {
        let registration = Registration { hash: two.hash(), normal, source: None, check: None };
        (StreamId::definition(two.hash()), Event::DefinitionRegistered(stamp(), registration))
    };
    let other = definition(RELEASE).to_json();
    let cases = [
        (vec![(workflow, Event::WorkflowStarted)], "does not begin with workflow.created"),
        (vec![created()], "is missing in the log"),
        (vec![registered("{}".to_owned()), created()], "could not read definition"),
        (vec![registered(other), created()], "in the place of"),
        (vec![registered(two.to_json()), created(), created()], "event 2 of workflow"),
    ];
    for (streams, message) in cases {
        let history = write(streams);
        let shown = history.state(id, At::Latest).unwrap_err();
        assert!(shown.is_damage() && shown.to_string().contains(message), "{shown}");
        let replayed = history.replay(id, None, |_| ()).unwrap_err();
        assert!(replayed.is_damage(), "{replayed}");
        let read: Result<Vec<_>, _> = history.all(Position::FIRST).collect();
        assert!(read.is_err() || message.starts_with("event"), "{message}");
    }
}

#[test]
fn a_batch_that_comes_out_otherwise_is_told_and_what_was_recorded_stays() {
    let (recording, two, _) = interleaved();
    let events: Vec<Envelope> = recording.history().events(two, ..).unwrap().map(Result::unwrap).collect();
    let registered = recording.history().all(Position::FIRST).next().unwrap().unwrap();
    let store = Arc::new(MemoryStore::new());
    let mut writer = store.writer().unwrap();
    for envelope in std::iter::once(&registered).chain(&events) {
        let event = match envelope.event() {
            Event::TaskEnded { task, status: Status::Succeeded, .. } => {
                Event::TaskEnded { task: *task, status: Status::FailedContinue, error: None }
            }
            Event::StageEnded { activation, emitted, .. } => Event::StageEnded {
                activation: *activation,
                status: Status::FailedContinue,
                emitted: emitted.clone(),
                outputs: None,
                error: None,
            },
            other => other.clone(),
        };
        let append = Append::new(envelope.stream(), Expected::Any, envelope.at(), vec![Encoded::of(&event)]).unwrap();
        stores::append(&mut *writer, append).unwrap();
    }
    let history = History::of(store);
    let verified = history.verify(two).unwrap();
    let told: Vec<_> = verified.divergences().iter().map(|of| of.event().map(Event::name)).collect();
    assert_eq!((verified.batches(), told), (5, vec![Some("task.completed"); 2]));
    let first = &verified.divergences()[0];
    assert_eq!(events[first.sequence().get() as usize - 1].name(), "task.completed");
    assert!(verified.is_violated() && first.rejection().is_none());
    assert_eq!(history.state(two, At::Latest).unwrap().stage("a").unwrap().status(), Status::FailedContinue);
}
