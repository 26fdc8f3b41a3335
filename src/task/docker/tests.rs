//! A client that the tests write: a script that keeps its words and does what the test says. No daemon is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use super::super::tests::{dispatch, map};
use super::*;
use crate::failure::{ErrorClass, ErrorCode};
use crate::task::outcome::TaskErrorParts;
use crate::task::{Dispatch, Ended, GivenSecrets, Place, Secrets, Stop, run};
use crate::value::{Map, Value};

/// Keeps its words, one call a line, each word in brackets; `$cid` and `$envs` are its files.
const CLIENT: &str = r#"#!/bin/sh
{ for word; do printf '[%s]' "$word"; done; echo; } >> "$STUB/calls"
for word; do
    case $word in
        --cidfile=*) cid=${word#*=} ;;
        --iidfile=*) iid=${word#*=} ;;
        --env-file=*) envs=${word#*=} ;;
    esac
done
. "$STUB/behaviour"
"#;

struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    /// A client that behaves like this: the text of a shell, which has the client's words.
    fn new(behaviour: &str) -> Bench {
        let bench = Bench { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(bench.path("work")).unwrap();
        fs::write(bench.path("client"), CLIENT).unwrap();
        fs::set_permissions(bench.path("client"), fs::Permissions::from_mode(0o755)).unwrap();
        // Written by another process: what one of our threads has open for writing, another cannot run.
        let copied = Command::new("cp").args([bench.path("client"), bench.path("docker")]).status().unwrap();
        assert!(copied.success());
        fs::write(bench.path("behaviour"), behaviour).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn dispatch(&self, with: &str) -> Dispatch {
        let stub = self.directory.path().display().to_string();
        let env = [("PATH", format!("{stub}:/usr/bin:/bin")), ("STUB", stub)];
        let env = env.map(|(name, value)| (name.to_owned(), Some(value))).into();
        let (place, workdir) = (Place::new(self.path("log")), self.path("work"));
        Dispatch { with: map(with), place, workdir, env, ..dispatch() }
    }

    fn ended(&self, dispatch: &Dispatch) -> Ended {
        let ended = run(&Docker::new(), dispatch).ended;
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
        match self.ended(&self.dispatch(with)) {
            Ended::Failed(error) => error.into_parts(),
            other => panic!("{with}: {other:?}"),
        }
    }

    /// The calls of the client so far, the path of its files as `TMP`.
    fn calls(&self) -> Vec<String> {
        let dispatch = dispatch();
        let tmp = Place::new(self.path("log")).tmp(dispatch.workflow, dispatch.attempt);
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.replace(&tmp.display().to_string(), "TMP").lines().map(str::to_owned).collect()
    }

    /// Starts an attempt, waits until its client writes into `fifo`, and stops the attempt.
    fn stopped(&self, with: &str, stop: Stop) -> Ended {
        assert!(Command::new("mkfifo").arg(self.path("fifo")).status().unwrap().success());
        let dispatch = self.dispatch(with);
        thread::scope(|scope| {
            let ended = scope.spawn(|| self.ended(&dispatch));
            fs::read_to_string(self.path("fifo")).unwrap();
            dispatch.cancel.cancel(stop);
            ended.join().unwrap()
        })
    }
}

fn own_mark() -> String {
    mark("key")
}

#[test]
fn a_run_is_a_list_of_words_in_which_no_value_is_an_option() {
    let bench = Bench::new("echo 0123456789abcdef > \"$cid\"; echo hello");
    let outputs = bench.outputs(
        r#"{"image":"alpine:3","command":"sh -c 'echo $A; ls'","user":"--privileged","memory":"1g","cpus":1.5,
            "cap_add":["cap_chown"],"cap_drop":["ALL"],"labels":{"a":"b c"},"ports":["127.0.0.1:80:80"],
            "ulimit":{"nofile":64},"entrypoint":["/e","-x"],"read_only":true,"stdin":"in",
            "volumes":["data:/data:ro"]}"#,
    );
    let mark = own_mark();
    let expected = format!(
        "[run][--name=stabilize-{mark}][--label=stabilize.work={mark}][--cidfile=TMP/container]\
         [--env-file=TMP/environment][--rm][--interactive][--read-only][--user=--privileged][--memory=1g][--cpus=1.5]\
         [--cap-add=cap_chown][--cap-drop=ALL][--publish=127.0.0.1:80:80][--ulimit=nofile=64][--label=a=b c]\
         [--mount=type=volume,source=data,target=/data,readonly][--entrypoint=/e][alpine:3][-x][sh][-c][echo $A; ls]"
    );
    assert_eq!(bench.calls(), [expected]);
    assert_eq!(outputs["stdout"], "hello".into());
    assert_eq!(outputs["container_id"], "0123456789ab".into());
}

#[test]
fn the_client_is_asked_once_and_nothing_beforehand() {
    for (with, call) in [
        (r#"{"action":"pull","image":"a/b@sha256:0"}"#, "[pull][a/b@sha256:0]"),
        (r#"{"action":"ps","all":true}"#, "[ps][--all]"),
        (r#"{"action":"images"}"#, "[images]"),
        (r#"{"action":"logs","name":"c","tail":5}"#, "[logs][--tail=5][c]"),
        (r#"{"action":"stop","name":"c"}"#, "[stop][c]"),
        (r#"{"action":"rm","name":"c","force":true}"#, "[rm][--force][c]"),
        (
            r#"{"action":"exec","name":"c","command":["ls","-l","a b"],"workdir":"/w"}"#,
            "[exec][--env-file=TMP/environment][--workdir=/w][c][ls][-l][a b]",
        ),
        (
            r#"{"action":"build","tag":"me:1","build_args":{"V":"1"},"no_cache":true}"#,
            "[build][--iidfile=TMP/image][--tag=me:1][--no-cache][--build-arg=V][.]",
        ),
    ] {
        let bench = Bench::new("");
        bench.outputs(with);
        assert_eq!(bench.calls(), [call]);
    }
}

#[test]
fn values_of_variables_are_not_among_the_words() {
    let bench = Bench::new(r#"cat "$envs"; stat -c %a "$envs"; echo "$TOKEN""#);
    let outputs = bench.outputs(r#"{"image":"a","environment":{"TOKEN":"planted = x","N":1}}"#);
    let expected =
        format!("STABILIZE_IDEMPOTENCY_KEY=key\nSTABILIZE_WORK={}\nN=1\nTOKEN=planted = x\n600\n", own_mark());
    assert_eq!(outputs["stdout"], expected.into());
    let bench = Bench::new("echo \"$TOKEN\"; echo sha256:feed > \"$iid\"");
    let outputs = bench.outputs(r#"{"action":"build","build_args":{"TOKEN":"planted"}}"#);
    assert_eq!((&outputs["stdout"], &outputs["image_id"]), (&"planted".into(), &"sha256:feed".into()));
    assert!(!bench.calls().concat().contains("planted"));
}

#[test]
fn what_reaches_behind_the_walls_needs_leave_however_it_is_written() {
    let bench = Bench::new("");
    std::os::unix::fs::symlink("/", bench.path("work/root")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("work/docker.sock")).unwrap();
    fs::write(bench.path("work/data"), "").unwrap();
    let inside = bench.path("work").display().to_string();
    for (key, value, leave) in [
        ("privileged", "true".to_owned(), r#""allow_privileged":true"#),
        ("security_opt", r#"["seccomp=unconfined"]"#.into(), r#""allow_privileged":true"#),
        ("cap_add", r#"["SYS_ADMIN"]"#.into(), r#""allow_dangerous_capabilities":true"#),
        ("cap_add", r#"["CAP_SYS_ADMIN"]"#.into(), r#""allow_dangerous_capabilities":true"#),
        ("cap_add", r#"["cap_bpf"]"#.into(), r#""allow_dangerous_capabilities":true"#),
        ("cap_add", r#"["All"]"#.into(), r#""allow_dangerous_capabilities":true"#),
        ("network", r#""host""#.into(), r#""allow_host_network":true"#),
        ("network", r#""name=host""#.into(), r#""allow_host_network":true"#),
        ("network", r#""container:other""#.into(), r#""allow_host_network":true"#),
        ("volumes", r#"["/:/host"]"#.into(), r#""allow_mounts":["/"]"#),
        ("volumes", r#"["//etc/./:/host:ro"]"#.into(), r#""allow_mounts":["/etc"]"#),
        ("volumes", format!(r#"["{inside}/root:/host"]"#), r#""allow_mounts":["/"]"#),
        ("volumes", format!(r#"["{inside}/docker.sock:/s"]"#), r#""allow_mounts":["/"]"#),
    ] {
        let parts = bench.error(&format!(r#"{{"image":"a","{key}":{value}}}"#));
        assert_eq!(parts.failure.code(), &ErrorCode::CONFIGURATION_INVALID);
        assert!(parts.failure.message().contains(&format!("with.{key}")), "{}", parts.failure);
        assert_eq!(bench.calls().len(), 0, "{value}");
        bench.outputs(&format!(r#"{{"image":"a","{key}":{value},{leave}}}"#));
        fs::remove_file(bench.path("calls")).unwrap();
    }
    bench.outputs(&format!(r#"{{"image":"a","volumes":["{inside}/data:/d"]}}"#));
    let data = fs::canonicalize(bench.path("work/data")).unwrap();
    assert!(bench.calls()[0].contains(&format!("[--mount=type=bind,source={},target=/d]", data.display())));
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name() {
    let bench = Bench::new("");
    for (with, reason) in [
        ("{}", "with.image: expected this"),
        (r#"{"action":"fly"}"#, "with.action: expected one of run"),
        (r#"{"image":"--privileged"}"#, "with.image: expected the name of an image"),
        (r#"{"image":"a","name":"-x"}"#, "with.name: expected the name of a container"),
        (r#"{"image":"a","pid":"host"}"#, "with.pid is not known"),
        (r#"{"image":"a","command":"'open"}"#, "with.command: expected a list of texts"),
        (r#"{"image":"a","command":[]}"#, "with.command: expected a program"),
        (r#"{"image":"a","volumes":["a/../b:/c"]}"#, "with.volumes"),
        (r#"{"image":"a","volumes":["/a/../b:/c"]}"#, "a path with .. is not taken"),
        (r#"{"image":"a","volumes":["a:b"]}"#, "the target is no absolute path"),
        (r#"{"image":"a","environment":{"A":"1\n2"}}"#, "with.environment: A has more than one line"),
        (r#"{"image":"a","environment":{"A=B":"1"}}"#, "is no name of a variable"),
        (r#"{"image":"a","restart":"always"}"#, "with.restart: only beside"),
        (r#"{"image":"a","labels":{"stabilize.work":"x"}}"#, "is no label of yours"),
        (r#"{"action":"exec","command":"ls"}"#, "with.name: expected this"),
        (r#"{"action":"build","context":"-"}"#, "with.context"),
        (r#"{"action":"build","build_args":{"LD_PRELOAD":"x"}}"#, "with.build_args"),
        (r#"{"action":"build","tag":"a","image":"b"}"#, "with.image: there is with.tag already"),
        (r#"{"action":"logs","name":"a","tail":-1}"#, "with.tail: expected a number of lines"),
    ] {
        let parts = bench.error(with);
        assert!(parts.failure.message().contains(reason), "{with}: {}", parts.failure);
        assert_eq!(parts.failure.code(), &ErrorCode::CONFIGURATION_INVALID);
    }
    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[test]
fn a_container_is_ended_with_its_attempt() {
    let behaviour = r#"case $1 in
        run) echo id > "$cid"; echo > "$STUB/fifo"; exec sleep 3600 ;;
        ps) echo one; echo two ;;
    esac"#;
    let list = format!("[ps][--quiet][--no-trunc][--filter=label=stabilize.work={}]", own_mark());
    for (with, verb) in
        [(r#"{"image":"a"}"#, "[rm][--force][one][two]"), (r#"{"image":"a","remove":false}"#, "[kill][one][two]")]
    {
        for stop in [Stop::Canceled, Stop::TimedOut, Stop::Closing] {
            let bench = Bench::new(behaviour);
            assert!(!matches!(bench.stopped(with, stop), Ended::Outcome(_)));
            assert_eq!(bench.calls()[1..], [list.as_str(), verb], "{stop:?}");
        }
    }
}

#[test]
fn a_program_in_the_container_of_others_is_ended_by_its_mark() {
    let bench = Bench::new(
        r#"case $2 in
            --user=0) exit 3 ;;
            *) echo > "$STUB/fifo"; exec sleep 3600 ;;
        esac"#,
    );
    let Ended::Failed(error) = bench.stopped(r#"{"action":"exec","name":"c","command":"x"}"#, Stop::TimedOut) else {
        panic!("it did not fail")
    };
    let failure = error.into_parts().failure;
    assert_eq!(failure.class(), ErrorClass::Timeout);
    assert!(failure.causes().iter().any(|cause| cause.starts_with("it may still run in its container: ")));
    let calls = fs::read_to_string(bench.path("calls")).unwrap();
    assert!(calls.contains("[exec][--user=0][c][/bin/sh][-c]["), "{calls}");
    assert!(calls.contains(&format!("[sh][STABILIZE_WORK={}]", own_mark())), "{calls}");
}

#[test]
fn the_script_that_ends_a_program_by_its_mark_ends_no_other() {
    let mark = format!("STABILIZE_WORK=test-of-marks-{}", std::process::id());
    let sleeping = |value: &str| {
        let (name, value) = value.split_once('=').unwrap();
        Command::new("sleep").arg("3600").env(name, value).spawn().unwrap()
    };
    let (mut marked, mut other) = (sleeping(&mark), sleeping("STABILIZE_WORK=other"));
    assert!(Command::new("/bin/sh").args(["-c", END_MARKED, "sh", &mark]).status().unwrap().success());
    assert_eq!(marked.wait().unwrap().code(), None);
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn what_a_killed_engine_left_makes_room_and_nothing_else_does() {
    let behaviour = r#"case $1 in
        run) [ -e "$STUB/free" ] && exit 0
             echo 'docker: Error response from daemon: Conflict. The container name "/x" is already in use' >&2
             exit 125 ;;
        ps) [ -e "$STUB/ours" ] && echo left || true ;;
        rm) touch "$STUB/free" ;;
    esac"#;
    let bench = Bench::new(behaviour);
    let failure = bench.error(r#"{"image":"a","name":"x"}"#).failure;
    assert_eq!(failure.message(), "docker: no container could be made");
    let calls = bench.calls();
    assert_eq!(calls.len(), 3, "run, ps, run: {calls:?}");
    assert!(calls[1].starts_with("[ps][--quiet][--no-trunc][--all][--filter=label="));
    fs::write(bench.path("ours"), "").unwrap();
    bench.outputs(r#"{"image":"a","name":"x"}"#);
    assert_eq!(bench.calls()[5], "[rm][--force][left]");
}

#[test]
fn a_failure_of_client_daemon_or_registry_is_told_from_the_programs() {
    let exit_125 = |words: &str| format!("echo '{words}' >&2; exit 125");
    let (transient, permanent) = (ErrorClass::Transient, ErrorClass::Permanent);
    let away = "docker: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
    for (behaviour, with, class, code) in [
        (exit_125(away), r#"{"image":"a","expected_codes":[125]}"#, transient, ErrorCode::NETWORK_ERROR),
        (exit_125("toomanyrequests: rate"), r#"{"image":"a"}"#, transient, ErrorCode::NETWORK_ERROR),
        (exit_125("pull access denied for a"), r#"{"image":"a"}"#, permanent, ErrorCode::AUTHENTICATION_FAILED),
        (exit_125("unknown flag"), r#"{"image":"a"}"#, permanent, ErrorCode::CONFIGURATION_INVALID),
        (
            exit_125("permission denied while trying to connect to the daemon"),
            r#"{"action":"ps"}"#,
            permanent,
            ErrorCode::AUTHENTICATION_FAILED,
        ),
        (
            "echo id > \"$cid\"; echo 'Cannot connect to the Docker daemon' >&2; exit 125".into(),
            r#"{"image":"a"}"#,
            ErrorClass::Exit,
            ErrorCode::USER_CODE_ERROR,
        ),
        ("exit 3".into(), r#"{"action":"rm","name":"c"}"#, ErrorClass::Exit, ErrorCode::USER_CODE_ERROR),
        (
            "echo 'Error response from daemon: No such container: c' >&2; exit 1".into(),
            r#"{"action":"exec","name":"c","command":"x","expected_codes":[0,1]}"#,
            permanent,
            ErrorCode::CONFIGURATION_INVALID,
        ),
    ] {
        let parts = Bench::new(&behaviour).error(with);
        assert_eq!((parts.failure.class(), parts.failure.code()), (class, &code), "{behaviour}: {}", parts.failure);
        assert!(parts.outputs.contains_key("exit_code"));
    }
    let outputs = Bench::new("echo id > \"$cid\"; exit 125").outputs(r#"{"image":"a","expected_codes":[125]}"#);
    assert_eq!(outputs["exit_code"], Value::from(125));
}

#[test]
fn a_missing_client_is_a_matter_of_configuration() {
    let bench = Bench::new("");
    let mut dispatch = bench.dispatch(r#"{"image":"a"}"#);
    dispatch.env.insert("PATH".into(), Some("/nowhere".into()));
    let Ended::Failed(error) = bench.ended(&dispatch) else { panic!("it did not fail") };
    let failure = error.into_parts().failure;
    assert_eq!(failure.code(), &ErrorCode::CONFIGURATION_INVALID);
    assert!(failure.message().contains("program \"docker\" is in no directory of PATH"), "{failure}");
}

/// Every secret has this value.
struct Hush;

impl Secrets for Hush {
    fn get(&self, _name: &str) -> Option<String> {
        Some("hush-hush".to_owned())
    }
}

#[test]
fn a_container_is_given_secrets_by_the_environment_of_the_client_and_by_no_file_or_word() {
    let bench =
        Bench::new("echo \"$KEY\" > \"$STUB/given\"; cp \"$envs\" \"$STUB/envs\"; echo 0123456789ab > \"$cid\"");
    let with = |environment: &str| {
        let with = format!(r#"{{"image":"alpine","environment":{environment}}}"#);
        let dispatch = Dispatch { secrets: GivenSecrets::of(Arc::new(Hush)), ..bench.dispatch(&with) };
        dispatch.secrets.read("KEY").unwrap();
        dispatch
    };
    let ended = bench.ended(&with(r#"{"KEY":"of hush-hush","PLAIN":"x"}"#));
    assert!(matches!(ended, Ended::Outcome(_)), "{ended:?}");
    assert_eq!(fs::read_to_string(bench.path("given")).unwrap(), "of hush-hush\n");
    let envs = fs::read_to_string(bench.path("envs")).unwrap();
    assert!(envs.contains("PLAIN=x\n") && !envs.contains("KEY=of") && !envs.contains("hush"), "{envs}");
    let calls = bench.calls().concat();
    assert!(calls.contains("[--env=KEY]") && !calls.contains("hush"), "{calls}");
    match bench.ended(&with(r#"{"PATH":"/hush-hush"}"#)) {
        Ended::Failed(error) => {
            let failure = error.into_parts().failure;
            let message = "docker: with.environment: \"PATH\" cannot hold a secret: the client itself obeys it";
            assert_eq!((failure.code(), failure.message()), (&ErrorCode::CONFIGURATION_INVALID, message));
        }
        other => panic!("{other:?}"),
    }
}
