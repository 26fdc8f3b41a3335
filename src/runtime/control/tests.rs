//! Behaviour of the control socket, with the engine and its callers in one process.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use crate::definition::Definition;
use crate::ids::{CommandId, Sequence, WorkflowId};
use crate::limits::CONTROL_CONNECTIONS_MAX;
use crate::replay::{At, History};
use crate::runtime::{Answer, By, Config, Control, Drive, Engine, Error, RemoteReason, Start, Trigger};
use crate::status::Status;
use crate::task::Registry;
use crate::value::Value;

const PATIENCE: Duration = Duration::from_secs(60);

fn definition(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap()
}

/// Waits for a day.
fn waiting() -> Definition {
    definition("name: long\nstages: { a: { uses: wait, with: { duration: 1d } } }")
}

fn short() -> Definition {
    definition("name: short\nstages: { a: {} }")
}

fn open(directory: &Path) -> Engine {
    Engine::open(Config::at(directory), Registry::with_builtins()).unwrap()
}

/// An engine that drives nothing of its own.
fn open_idle(directory: &Path) -> Engine {
    let config = Config::at(directory).drive(Drive::Only([].into()));
    Engine::open(config, Registry::with_builtins()).unwrap()
}

fn connect(directory: &Path) -> Control {
    Control::connect(directory).unwrap().unwrap()
}

fn socket(directory: &Path) -> PathBuf {
    let control = Value::from_json(&fs::read_to_string(directory.join("CONTROL")).unwrap()).unwrap();
    assert_eq!(control.get("version"), Some(&1.into()));
    assert_eq!(control.get("pid"), Some(&std::process::id().into()));
    PathBuf::from(control.get("path").unwrap().as_str().unwrap())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_socket_is_there_while_the_engine_lives_and_only_its_user_may_use_it() {
    let directory = tempfile::tempdir().unwrap();
    assert!(Control::connect(directory.path()).unwrap().is_none());
    let engine = open(directory.path());
    let path = socket(directory.path());
    assert_eq!(path, directory.path().join("control.sock"));
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(mode(&path), 0o600);
    let control = connect(directory.path());
    assert_eq!((control.pid(), control.version()), (std::process::id(), env!("CARGO_PKG_VERSION")));
    assert!(control.drives_all());
    engine.close().unwrap();
    assert!(!path.exists() && !directory.path().join("CONTROL").exists());
    assert!(Control::connect(directory.path()).unwrap().is_none());
}

#[test]
fn where_the_path_is_too_long_the_socket_is_in_a_private_folder() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("d".repeat(100)).join("e".repeat(100));
    fs::create_dir_all(&long).unwrap();
    let engine = open(&long);
    let path = socket(&long);
    assert!(!path.starts_with(directory.path()), "{}", path.display());
    let folder = path.parent().unwrap().to_owned();
    assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
    assert_eq!(connect(&long).pid(), std::process::id());
    engine.close().unwrap();
    assert!(!folder.exists());
}

#[test]
fn an_engine_that_was_told_not_to_listen_has_no_socket() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::at(directory.path()).control(false);
    let engine = Engine::open(config, Registry::with_builtins()).unwrap();
    assert!(!directory.path().join("control.sock").exists());
    assert!(Control::connect(directory.path()).unwrap().is_none());
    engine.close().unwrap();
}

#[test]
fn what_a_killed_holder_left_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).close().unwrap();
    let stale = directory.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    fs::write(directory.path().join("CONTROL"), r#"{"version":1,"pid":1,"path":"/nowhere/control.sock"}"#).unwrap();
    fs::create_dir(directory.path().join(".control")).unwrap();
    fs::write(directory.path().join(".control/s"), "").unwrap();
    assert!(Control::connect(directory.path()).unwrap().is_none());
    let engine = open(directory.path());
    assert_eq!(connect(directory.path()).pid(), std::process::id());
    assert!(!directory.path().join(".control").exists());
    engine.close().unwrap();
}

#[test]
fn a_copy_of_the_directory_does_not_lead_to_the_holder_of_the_original() {
    let directory = tempfile::tempdir().unwrap();
    let (here, copy) = (directory.path().join("log"), directory.path().join("copy"));
    let engine = open(&here);
    fs::create_dir(&copy).unwrap();
    for name in ["CONTROL", "LOCK"] {
        fs::copy(here.join(name), copy.join(name)).unwrap();
    }
    assert!(Control::connect(&copy).unwrap().is_none());
    assert!(Control::connect(&here).unwrap().is_some());
    engine.close().unwrap();
}

#[test]
fn workflows_begin_and_are_canceled_through_the_socket_and_nothing_acts_twice() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let mut control = connect(directory.path());
    let trigger = Trigger::new().of_type("webhook").user("alice").parameter("n", 3).artifact("x");
    let workflow = WorkflowId::generate();
    let start = Start::new().id(workflow).trigger(trigger).origin("test").actor("bob").priority(7);
    for _ in 0..2 {
        assert_eq!(control.submit(&waiting(), start.clone()).unwrap(), workflow);
    }
    let view = engine.history().state(workflow, At::Latest).unwrap();
    assert_eq!((view.name(), view.trigger().user()), ("long", "alice"));
    let by = By::user("carol").because("enough").command(CommandId::generate());
    let first = control.cancel(workflow, by.clone()).unwrap();
    let Answer::Applied(sequence) = first else { panic!("{first:?}") };
    assert_eq!(control.cancel(workflow, by).unwrap(), Answer::Repeated(sequence));
    let view = engine.history().state(workflow, At::Latest).unwrap();
    assert_eq!((view.status(), view.canceled_by()), (Status::Canceled, Some("carol")));
    let created = engine.history().events(workflow, Sequence::FIRST..).unwrap();
    let names: Vec<&str> = created.map(|envelope| envelope.unwrap().name()).collect();
    assert_eq!(names.iter().filter(|name| **name == "workflow.created").count(), 1);
    engine.close().unwrap();
}

#[test]
fn refusals_keep_their_kind() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let mut control = connect(directory.path());
    let reason = |result: Result<Answer, Error>| match result {
        Err(Error::Remote { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(control.cancel(WorkflowId::generate(), By::user("x"))), RemoteReason::NotFound);
    let workflow = control.submit(&short(), Start::new()).unwrap();
    engine.wait(workflow, PATIENCE).unwrap();
    assert_eq!(reason(control.cancel(workflow, By::user("x"))), RemoteReason::Rejected);
    let picky = definition("name: x\ninputs: { n: { type: integer } }\nstages: { a: {} }");
    let refused = control.submit(&picky, Start::new().input("n", "many")).map(|_| Answer::Applied(Sequence::FIRST));
    assert_eq!(reason(refused), RemoteReason::Input);
    engine.close().unwrap();
}

#[test]
fn a_definition_keeps_its_hash_on_the_way_however_it_was_made() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let mut control = connect(directory.path());
    let built = Definition::builder("built").stage(crate::definition::Stage::new("a").uses("noop")).build().unwrap();
    let json = Definition::from_json("{\"name\": \"json\", \"stages\": {\"a\": {}}}").unwrap();
    for definition in [built, json, short()] {
        let workflow = control.submit(&definition, Start::new()).unwrap();
        let view = engine.wait(workflow, PATIENCE).unwrap();
        assert_eq!((view.definition(), view.status()), (definition.hash(), Status::Succeeded));
    }
    engine.close().unwrap();
}

#[test]
fn an_engine_drives_what_it_is_asked_to_drive_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open_idle(directory.path());
    let mut control = connect(directory.path());
    assert!(!control.drives_all());
    let recorded = control.submit(&short(), Start::new()).unwrap();
    let asked_before = WorkflowId::generate();
    assert!(!control.drives(asked_before).unwrap() && !control.drives(recorded).unwrap());
    control.drive(asked_before).unwrap();
    assert!(control.drives(asked_before).unwrap());
    control.submit(&short(), Start::new().id(asked_before)).unwrap();
    assert_eq!(engine.wait(asked_before, PATIENCE).unwrap().status(), Status::Succeeded);
    assert!(matches!(engine.wait(recorded, Duration::ZERO), Err(Error::TimedOut { .. })));
    for _ in 0..2 {
        control.drive(recorded).unwrap();
    }
    assert_eq!(engine.wait(recorded, PATIENCE).unwrap().status(), Status::Succeeded);
    engine.close().unwrap();
}

#[test]
fn what_another_engine_left_running_is_taken_up_when_it_is_to_be_driven() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let workflow = first.submit(&waiting(), Start::new()).unwrap();
    first.close().unwrap();
    let engine = open_idle(directory.path());
    engine.drive(workflow).unwrap();
    engine.cancel(workflow, By::user("x")).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Canceled);
    engine.close().unwrap();
}

#[test]
fn who_waits_for_the_end_hears_of_it_when_the_log_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let mut control = connect(directory.path());
    control.stay().unwrap();
    let (told, heard) = mpsc::channel();
    let place = directory.path().to_owned();
    let waits = std::thread::Builder::new().spawn(move || {
        control.hear_the_end();
        // The first engine is gone, and its lock with it.
        told.send(Engine::open(Config::at(place), Registry::with_builtins()).map(drop)).unwrap();
    });
    engine.close().unwrap();
    drop(engine);
    heard.recv_timeout(PATIENCE).unwrap().unwrap();
    waits.unwrap().join().unwrap();
}

#[test]
fn who_waits_for_the_end_hears_of_a_failure_before_anybody_closes_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let control = connect(directory.path());
    let waits = std::thread::Builder::new().spawn(move || control.wait_for_end());
    // Somebody else may write to the log now: the engine stops.
    fs::remove_file(directory.path().join("LOCK")).unwrap();
    assert!(engine.submit(&short(), Start::new()).is_err());
    let ended = waits.unwrap().join().unwrap();
    assert!(ended.map_or_else(|error| error.is_gone(), |()| true));
    assert!(matches!(engine.close(), Err(Error::Poisoned { .. })));
}

/// A connection that says what it likes.
struct Rude {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Rude {
    fn new(directory: &Path) -> Rude {
        let stream = UnixStream::connect(socket(directory)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Rude { lines: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        Value::from_json(&line).unwrap()
    }

    /// Hears an error of this kind.
    #[track_caller]
    fn error(&mut self, words: &str) {
        let answer = self.hear();
        assert_eq!(answer.get("error"), Some(&"not_understood".into()), "{answer}");
        assert!(answer.get("message").unwrap().as_str().unwrap().contains(words), "{answer}");
    }

    fn is_over(&mut self) -> bool {
        self.lines.read_to_end(&mut Vec::new()).is_ok_and(|count| count == 0)
    }
}

#[test]
fn whatever_is_said_gets_one_typed_line_and_harms_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    for (garbage, words) in [
        (&b"hello\n"[..], "no JSON"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b"[1]\n", "not a JSON object"),
        (b"\n", "no JSON"),
    ] {
        let mut rude = Rude::new(directory.path());
        rude.say(garbage);
        rude.error(words);
        assert!(rude.is_over());
    }
    let mut rude = Rude::new(directory.path());
    for (line, words) in [
        ("{\"version\":2,\"verb\":\"ping\"}\n", "version 1 of the control protocol, not 2"),
        ("{\"verb\":\"ping\"}\n", "not null"),
        ("{\"version\":1}\n", "no verb"),
        ("{\"version\":1,\"verb\":\"obey\"}\n", "no verb \"obey\""),
        ("{\"version\":1,\"verb\":\"ping\",\"loud\":true}\n", "unknown field `loud`"),
        ("{\"version\":1,\"verb\":\"drive\",\"workflow\":\"x\"}\n", "\"x\" is not a workflow id"),
        ("{\"version\":1,\"verb\":\"cancel\"}\n", "missing field"),
    ] {
        rude.say(line.as_bytes());
        rude.error(words);
    }
    rude.say(b"{\"version\":1,\"verb\":\"ping\"}\n{\"version\":1,");
    assert_eq!(rude.hear().get("answer"), Some(&"holder".into()));
    rude.stream.shutdown(std::net::Shutdown::Write).unwrap();
    rude.error("in the middle of a request");
    assert!(rude.is_over());
    assert_eq!(connect(directory.path()).pid(), std::process::id());
    engine.close().unwrap();
}

#[test]
fn half_a_request_does_not_keep_an_engine_from_closing_nor_do_a_crowd() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let mut crowd: Vec<Rude> = (0..CONTROL_CONNECTIONS_MAX + 5).map(|_| Rude::new(directory.path())).collect();
    for rude in &mut crowd {
        rude.say(b"{\"version\"");
    }
    engine.close().unwrap();
    assert!(!directory.path().join("control.sock").exists());
}

#[test]
fn who_comes_beyond_the_limit_is_served_when_others_have_gone() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let ping = b"{\"version\":1,\"verb\":\"ping\"}\n";
    let mut crowd: Vec<Rude> = (0..CONTROL_CONNECTIONS_MAX).map(|_| Rude::new(directory.path())).collect();
    for rude in &mut crowd {
        rude.say(ping);
        rude.hear();
    }
    let mut late = Rude::new(directory.path());
    late.say(ping);
    drop(crowd.pop());
    assert_eq!(late.hear().get("answer"), Some(&"holder".into()));
    engine.close().unwrap();
}

#[test]
fn a_command_that_was_answered_is_in_the_log_that_others_read() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open_idle(directory.path());
    let mut control = connect(directory.path());
    let workflow = control.submit(&short(), Start::new()).unwrap();
    let history = History::open(directory.path()).unwrap();
    assert_eq!(history.state(workflow, At::Latest).unwrap().name(), "short");
    engine.close().unwrap();
}
