//! A real server and a real client, on this machine's own address.

mod server;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use self::server::Server;
use super::super::program::tests::wait_until_gone;
use super::super::tests::{dispatch, map};
use super::*;
use crate::failure::ErrorClass;
use crate::task::outcome::TaskErrorParts;
use crate::task::{Dispatch, Ended, Place, Stop, run};
use crate::testing::needs;
use crate::value::Value;

/// Long enough that no test depends on it.
const LONG: Duration = Duration::from_secs(3_600);

struct Bench {
    server: Server,
    /// How long the client has.
    grace: Duration,
}

impl Bench {
    /// None, and it is said so, where there is no server or no client.
    fn new() -> Option<Bench> {
        (needs("sshd") && needs("ssh")).then(|| {
            let bench = Bench { server: Server::start(), grace: LONG };
            fs::create_dir(bench.path("work")).unwrap();
            bench
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.server.path(name)
    }

    /// What reaches the server, and above it what the test says.
    fn dispatch(&self, with: &str) -> Dispatch {
        let text = |name| Value::from(self.path(name).display().to_string());
        let mut all = Map::from([
            ("host".to_owned(), "127.0.0.1".into()),
            ("port".to_owned(), i64::from(self.server.port).into()),
            ("key_file".to_owned(), text("user_key")),
            ("known_hosts".to_owned(), text("known_hosts")),
        ]);
        all.extend(map(with));
        let (place, workdir) = (Place::new(self.path("log")), self.path("work"));
        Dispatch { with: all, place, workdir, ..dispatch() }
    }

    fn ended(&self, dispatch: &Dispatch) -> Ended {
        let ssh = Ssh { patience: Patience { grace: self.grace, drain: LONG } };
        let ended = run(&ssh, dispatch).ended;
        for left in ["log/tmp", "log/processes"] {
            assert_eq!(fs::read_dir(self.path(left)).map_or(0, Iterator::count), 0, "{left}");
        }
        ended
    }

    fn outputs(&self, with: &str) -> Map {
        match self.ended(&self.dispatch(with)) {
            Ended::Outcome(outcome) => outcome.into_parts().outputs,
            other => panic!("{with}: {other:?}"),
        }
    }

    fn error(&self, with: &str) -> TaskErrorParts {
        failed(self.ended(&self.dispatch(with)))
    }

    /// Starts a program that has started another, does something to the attempt when both run, and gives how it ended.
    /// Neither is there any more then.
    fn disturbed(&self, what: impl FnOnce(&Dispatch)) -> Ended {
        assert!(Command::new("mkfifo").arg(self.path("fifo")).status().unwrap().success());
        let mut dispatch = self.dispatch(r#"{"command":"sleep 3600 & echo $$ $! > \"$FIFO\"; wait"}"#);
        let fifo = self.path("fifo");
        let environment = Map::from([("FIFO".to_owned(), fifo.display().to_string().into())]);
        dispatch.with.insert("environment".to_owned(), Value::Map(environment));
        // Open in both directions, so that a program that never comes keeps nobody in `open`.
        let fifo = File::options().read(true).write(true).open(fifo).unwrap();
        let (ended, pids) = thread::scope(|scope| {
            let ended = scope.spawn(|| self.ended(&dispatch));
            let mut pids = String::new();
            BufReader::new(fifo).read_line(&mut pids).unwrap();
            what(&dispatch);
            (ended.join().unwrap(), pids)
        });
        pids.split_whitespace().for_each(|pid| wait_until_gone(pid.parse().unwrap()));
        ended
    }
}

fn failed(ended: Ended) -> TaskErrorParts {
    match ended {
        Ended::Failed(error) => error.into_parts(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_on_another_host_leaves_its_streams_and_its_exit_code() {
    let Some(bench) = Bench::new() else { return };
    let outputs = bench.outputs(r#"{"command":"echo out; echo err >&2; exit 3","expected_codes":[3]}"#);
    let user = server::user();
    let expected = format!(
        r#"{{"exit_code":3,"host":"127.0.0.1","returncode":3,"stderr":"err","stdout":"out","truncated":false,"user":"{user}"}}"#
    );
    assert_eq!(Value::Map(outputs).to_json(), expected);
    let parts = bench.error(&format!(r#"{{"command":"false; echo no","user":"{user}"}}"#));
    assert_eq!(parts.failure.class(), ErrorClass::Exit);
    assert_eq!(parts.failure.message(), "the program ended with exit code 1");
    assert_eq!((&parts.outputs["stdout"], &parts.outputs["host"]), (&"".into(), &"127.0.0.1".into()));
    assert_eq!(bench.error(r#"{"command":"exit 75"}"#).failure.class(), ErrorClass::Transient);
}

#[test]
fn words_variables_and_input_arrive_as_they_are_and_are_no_code() {
    let Some(bench) = Bench::new() else { return };
    let awkward = r#"'; $(echo no) `no` "x" \\ * \n-- \t\u00e9 ''"#;
    let show = r#""sh","-c","printf '[%s]' \"$@\" \"$A\"; printf '<'; cat; printf '>'","sh""#;
    let with =
        format!(r#"{{"command":[{show},"{awkward}","",7],"environment":{{"A":"{awkward}"}},"stdin":"{awkward}\n\n"}}"#)
            .replace(r#" "x" "#, r#" \"x\" "#);
    let awkward = map(&with)["environment"].as_map().unwrap()["A"].as_str().unwrap().to_owned();
    let expected = format!("[{awkward}][][7][{awkward}]<{awkward}\n\n>");
    assert_eq!(bench.outputs(&with)["stdout"], expected.into());
    let outputs = bench.outputs(r#"{"command":"cat; echo $STABILIZE_IDEMPOTENCY_KEY"}"#);
    assert_eq!(outputs["stdout"], "key".into(), "without input there is none");
    let unread = "x".repeat(300_000);
    let outputs = bench.outputs(&format!(r#"{{"command":"head -c 3","stdin":"{unread}"}}"#));
    assert_eq!(outputs["stdout"], "xxx".into());
}

#[test]
fn the_clients_words_hold_nothing_of_the_work_and_no_value_is_an_option() {
    let settings = map(
        r#"{"host":"::1","user":"me.x","port":2222,"key_file":"~/.ssh/a b","known_hosts":"hosts","connect_timeout":1.5,
            "command":"planted","stdin":"planted","environment":{"A":"planted"}}"#,
    );
    let known: Vec<&str> = settings.keys().map(String::as_str).collect();
    let words = words::words(Settings::read("ssh", &settings, &known).unwrap(), "/log".as_ref()).unwrap();
    let expected = "ssh -T -E /log -o BatchMode=yes -o LogLevel=DEBUG1 -o ControlMaster=no -o ControlPath=none \
                    -o ClearAllForwardings=yes -o UpdateHostKeys=no -o ConnectionAttempts=1 \
                    -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o ConnectTimeout=2 \
                    -o IdentityFile=\"~/.ssh/a b\" -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
                    -o UserKnownHostsFile=\"hosts\" -o GlobalKnownHostsFile=/dev/null -o User=me.x -o Port=2222 \
                    -- ::1 exec /bin/sh";
    assert_eq!(words.join(" "), expected);
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name() {
    for (with, reason) in [
        (r#"{"command":"x"}"#, "with.host: expected this"),
        (r#"{"host":"-oProxyCommand=x","command":"x"}"#, "with.host: expected the name or address of a host"),
        (r#"{"host":"me@h","command":"x"}"#, "with.host: expected the name or address of a host"),
        (r#"{"host":"ssh://h","command":"x"}"#, "with.host: expected the name or address of a host"),
        (r#"{"host":"h","user":"-x","command":"x"}"#, "with.user: expected the name of a user"),
        (r#"{"host":"h","user":"a b","command":"x"}"#, "with.user: expected the name of a user"),
        (r#"{"host":"h","port":0,"command":"x"}"#, "with.port: expected a port from 1 to 65535, found 0"),
        (r#"{"host":"h","key_file":"../k","command":"x"}"#, "with.key_file: a path with .. is not taken"),
        (r#"{"host":"h","key_file":"${HOME}/k","command":"x"}"#, "with.key_file: expected a path"),
        (r#"{"host":"h","strict_host_key":false,"known_hosts":"k","command":"x"}"#, "with.known_hosts: "),
        (r#"{"host":"h","connect_timeout":0,"command":"x"}"#, "with.connect_timeout: expected a length"),
        (r#"{"host":"h"}"#, "with.command: expected a text, or a list"),
        (r#"{"host":"h","command":[]}"#, "with.command: expected a text, or a list"),
        (r#"{"host":"h","command":["-c","x"]}"#, "with.command: its first word is no program"),
        (r#"{"host":"h","command":"a\u0000b"}"#, "with.command: the character NUL"),
        (r#"{"host":"h","command":"x","environment":{"A;x":"1"}}"#, "is no name of a variable"),
        (r#"{"host":"h","command":"x","environment":{"STABILIZE_A":"1"}}"#, "is no name of a variable"),
        (r#"{"host":"h","command":"x","stdin":"\u0000"}"#, "with.stdin: the character NUL"),
        (r#"{"host":"h","command":"x","proxy":"y"}"#, "with.proxy is not known"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path());
        let failure = failed(run(&Ssh::new(), &Dispatch { with: map(with), place, ..dispatch() }).ended).failure;
        assert!(failure.message().contains(reason), "{with}: {failure}");
        assert_eq!(failure.code(), &ErrorCode::CONFIGURATION_INVALID);
    }
}

#[test]
fn an_exit_code_of_the_client_is_told_from_the_programs() {
    let Some(bench) = Bench::new() else { return };
    assert_eq!(bench.outputs(r#"{"command":"exit 255","expected_codes":[255]}"#)["exit_code"], 255.into());
    let parts = bench.error(r#"{"command":"echo 'Permission denied (publickey)' >&2; exit 255"}"#);
    assert_eq!((parts.failure.class(), parts.failure.code()), (ErrorClass::Exit, &ErrorCode::USER_CODE_ERROR));
    let failure = bench.error(r#"{"command":"kill -KILL $PPID"}"#).failure;
    assert_eq!((failure.class(), failure.message()), (ErrorClass::Exit, "ssh: what 127.0.0.1 ran was killed there"));
}

#[test]
fn who_cannot_be_reached_is_tried_again_and_who_refuses_is_not() {
    let Some(bench) = Bench::new() else { return };
    let (transient, permanent) = (ErrorClass::Transient, ErrorClass::Permanent);
    let key =
        |name: &str| format!(r#"{{"command":"x","expected_codes":[255],"key_file":"{}"}}"#, bench.path(name).display());
    let hosts = |name: &str| format!(r#"{{"command":"x","known_hosts":"{}"}}"#, bench.path(name).display());
    for (with, class, code, message) in [
        (
            format!(r#"{{"command":"x","port":{}}}"#, server::closed_port()),
            transient,
            ErrorCode::NETWORK_ERROR,
            "reached",
        ),
        (key("host_key"), permanent, ErrorCode::AUTHENTICATION_FAILED, "does not let this user in"),
        (key("nothing"), permanent, ErrorCode::AUTHENTICATION_FAILED, "does not let this user in"),
        (hosts("nothing"), permanent, ErrorCode::AUTHENTICATION_FAILED, "has not shown a key"),
        (hosts("other_hosts"), permanent, ErrorCode::AUTHENTICATION_FAILED, "has not shown a key"),
    ] {
        let failure = bench.error(&with).failure;
        assert_eq!((failure.class(), failure.code()), (class, &code), "{with}: {failure} {:?}", failure.causes());
        assert!(failure.message().contains(message), "{with}: {failure}");
        assert!(!failure.causes().is_empty(), "the client's own words are kept");
    }
    let trusting = bench.outputs(r#"{"command":"echo in","known_hosts":null,"strict_host_key":false}"#);
    assert_eq!(trusting["stdout"], "in".into());
    bench.server.refuse();
    let failure = bench.error(r#"{"command":"x"}"#).failure;
    assert_eq!((failure.class(), failure.code()), (transient, &ErrorCode::NETWORK_ERROR), "{:?}", failure.causes());
}

#[test]
fn a_program_on_another_host_is_ended_with_its_attempt() {
    for stop in [Stop::Canceled, Stop::TimedOut, Stop::Closing] {
        let Some(bench) = Bench::new() else { return };
        let ended = bench.disturbed(|dispatch| dispatch.cancel.cancel(stop));
        match ended {
            Ended::Failed(error) if stop == Stop::TimedOut => {
                let failure = error.into_parts().failure;
                assert_eq!(failure.class(), ErrorClass::Timeout);
                assert_eq!(failure.causes(), [] as [&str; 0], "the other side has told that it ended");
            }
            ended => assert_eq!(ended, Ended::Stopped(stop)),
        }
    }
}

#[test]
fn where_nobody_tells_that_a_program_ended_it_may_still_run() {
    let Some(mut bench) = Bench::new() else { return };
    bench.grace = Duration::ZERO;
    let failure = failed(bench.disturbed(|dispatch| dispatch.cancel.cancel(Stop::TimedOut))).failure;
    assert_eq!(failure.class(), ErrorClass::Timeout);
    assert!(failure.causes().iter().any(|cause| cause.starts_with("it may still run on 127.0.0.1")), "{failure}");
}

#[test]
fn a_client_that_still_connects_is_ended_with_its_attempt() {
    let Some(mut bench) = Bench::new() else { return };
    bench.grace = Duration::ZERO;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let dispatch = bench.dispatch(&format!(r#"{{"command":"x","port":{port}}}"#));
    thread::scope(|scope| {
        let ended = scope.spawn(|| bench.ended(&dispatch));
        let _connection = silent.accept().unwrap();
        dispatch.cancel.cancel(Stop::Canceled);
        assert_eq!(ended.join().unwrap(), Ended::Stopped(Stop::Canceled));
    });
}

#[test]
fn a_connection_that_is_lost_ends_the_program_and_only_the_author_has_it_done_again() {
    let Some(bench) = Bench::new() else { return };
    let failure = failed(bench.disturbed(|_| bench.server.hang_up())).failure;
    assert_eq!((failure.class(), failure.code()), (ErrorClass::Exit, &ErrorCode::NETWORK_ERROR));
    assert!(failure.message().contains("was lost before it told how the program ended"), "{failure}");
}

#[test]
fn what_a_program_leaves_running_there_does_not_outlive_it() {
    let Some(bench) = Bench::new() else { return };
    let outputs = bench.outputs(r#"{"command":"trap '' TERM; sleep 3600 & echo $!"}"#);
    wait_until_gone(outputs["stdout"].as_str().unwrap().parse().unwrap());
}
