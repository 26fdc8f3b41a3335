//! Real programs. They wait on pipes and are killed; no test rests for a length of time.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use super::super::program::tests::{record_group, wait_until_gone};
use super::super::tests::{dispatch, map};
use super::*;
use crate::failure::{ErrorClass, ErrorCode};
use crate::limits::STREAM_BYTES_KEPT;
use crate::task::outcome::{OutcomeParts, TaskErrorParts};
use crate::task::{Dispatch, Ended, Place, Report, Stop, StreamName, kill_leftovers, run};
use crate::value::Map;

const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(20);

/// A directory to work in, and what every attempt in it has.
struct Bench {
    directory: tempfile::TempDir,
    patience: Patience,
}

impl Bench {
    fn new() -> Bench {
        let patience = Patience { grace: LONG, drain: LONG };
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("work")).unwrap();
        Bench { directory, patience }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("work").join(name)
    }

    fn place(&self) -> Place {
        Place::new(self.directory.path())
    }

    fn dispatch(&self, with: &str) -> Dispatch {
        Dispatch { with: map(with), place: self.place(), workdir: self.path(""), ..dispatch() }
    }

    /// Makes one attempt and checks that nothing of it is left.
    fn report(&self, dispatch: &Dispatch) -> Report {
        let shell = Shell { patience: self.patience };
        let report = run(&shell, dispatch);
        for left in ["tmp", "processes"] {
            let left = self.directory.path().join(left);
            assert_eq!(fs::read_dir(left).map_or(0, Iterator::count), 0);
        }
        report
    }

    fn outcome(&self, with: &str) -> OutcomeParts {
        match self.report(&self.dispatch(with)).ended {
            Ended::Outcome(outcome) => outcome.into_parts(),
            other => panic!("{with}: {other:?}"),
        }
    }

    fn outputs(&self, with: &str) -> Map {
        self.outcome(with).outputs
    }

    fn error(&self, with: &str) -> TaskErrorParts {
        failed(self.report(&self.dispatch(with)))
    }

    /// Starts an attempt, waits until its program writes into `fifo`, and stops the attempt. Gives what it wrote.
    fn stopped(&self, dispatch: &Dispatch, stop: Stop) -> (Report, String) {
        thread::scope(|scope| {
            let report = scope.spawn(|| self.report(dispatch));
            let written = fs::read_to_string(self.path("fifo")).unwrap();
            dispatch.cancel.cancel(stop);
            (report.join().unwrap(), written)
        })
    }

    fn make_fifo(&self) {
        assert!(Command::new("mkfifo").arg(self.path("fifo")).status().unwrap().success());
    }
}

fn failed(report: Report) -> TaskErrorParts {
    match report.ended {
        Ended::Failed(error) => error.into_parts(),
        other => panic!("{other:?}"),
    }
}

fn text<'a>(outputs: &'a Map, name: &str) -> &'a str {
    outputs.get(name).and_then(Value::as_str).unwrap()
}

fn pids(text: &str) -> Vec<i32> {
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn a_program_leaves_its_streams_and_its_exit_code() {
    let outputs = Bench::new().outputs(r#"{"command":"echo out; echo; echo err >&2"}"#);
    let expected = r#"{"exit_code":0,"returncode":0,"stderr":"err","stdout":"out\n","truncated":false}"#;
    assert_eq!(Value::Map(outputs).to_json(), expected);
}

#[test]
fn a_command_is_text_for_a_shell_or_a_list_of_words() {
    let bench = Bench::new();
    fs::write(bench.path("odd"), "#!/bin/sh\necho \"odd $1 $2\"").unwrap();
    Command::new("chmod").arg("755").arg(bench.path("odd")).status().unwrap();
    for (with, stdout) in [
        (r#"{"command":"echo a; false; echo b","expected_codes":[1]}"#, "a"),
        (r#"{"command":"false; echo b","shell":"/bin/sh"}"#, "b"),
        (r#"{"command":"false | true; echo b"}"#, "b"),
        (r#"{"command":"echo a; false | true; echo b","shell":"bash","expected_codes":[1]}"#, "a"),
        (r#"{"command":["echo","$HOME","a  b",1,true]}"#, "$HOME a  b 1 true"),
        (r#"{"command":["./odd","-c","*"]}"#, "odd -c *"),
        (r#"{"command":["sh","-c","echo \"$0\"","-e"]}"#, "-e"),
    ] {
        assert_eq!(text(&bench.outputs(with), "stdout"), stdout, "{with}");
    }
    let mut dispatch = bench.dispatch(r#"{"command":"false | true; echo b"}"#);
    dispatch.shell = Some("bash".into());
    assert_eq!(failed(bench.report(&dispatch)).failure.class(), ErrorClass::Exit);
}

#[test]
fn an_exit_code_is_success_or_a_reason_to_try_again_or_a_failure() {
    let bench = Bench::new();
    for (with, class, message) in [
        (r#"{"command":"exit 3"}"#, ErrorClass::Exit, "the program ended with exit code 3"),
        (r#"{"command":"exit 75"}"#, ErrorClass::Transient, "the program ended with exit code 75"),
        (
            r#"{"command":"exit 4","transient_codes":[3,4]}"#,
            ErrorClass::Transient,
            "the program ended with exit code 4",
        ),
        (r#"{"command":"exit 75","transient_codes":[]}"#, ErrorClass::Exit, "exit code 75"),
        (r#"{"command":"true","expected_codes":[1]}"#, ErrorClass::Exit, "exit code 0"),
        (r#"{"command":"kill -9 $$"}"#, ErrorClass::Exit, "the program was killed by signal 9"),
    ] {
        let parts = bench.error(with);
        assert_eq!(parts.failure.class(), class, "{with}");
        assert!(parts.failure.message().contains(message), "{with}: {}", parts.failure);
    }
    for (with, code) in [
        (r#"{"command":"exit 3","expected_codes":[0,3]}"#, 3),
        (r#"{"command":"kill -9 $$","expected_codes":[137]}"#, 137),
    ] {
        assert_eq!(bench.outputs(with).get("exit_code"), Some(&code.into()));
    }
}

#[test]
fn a_failed_program_leaves_its_last_words_and_its_outputs() {
    let command = r#"{"command":"echo done=2 >> $STABILIZE_OUTPUT; echo out; echo why >&2; exit 1"}"#;
    let parts = Bench::new().error(command);
    assert_eq!(parts.failure.causes(), ["why"]);
    assert_eq!(
        Value::Map(parts.outputs).to_json(),
        r#"{"done":"2","exit_code":1,"returncode":1,"stderr":"why","stdout":"out","truncated":false}"#
    );
    let half = r#"{"command":"echo half >> $STABILIZE_OUTPUT; exit 1"}"#;
    assert_eq!(Bench::new().error(half).failure.class(), ErrorClass::Exit);
}

#[test]
fn streams_are_kept_whole_up_to_a_limit_and_drained_behind_it() {
    let bench = Bench::new();
    let dispatch = bench.dispatch(r#"{"command":"head -c 12000000 /dev/zero | tr '\\0' x; printf '\\377' >&2"}"#);
    let report = bench.report(&dispatch);
    let [out, err] = report.streams.as_slice() else {
        panic!("{:?}", report.streams);
    };
    for (record, stream, bytes, dropped) in
        [(out, StreamName::Out, STREAM_BYTES_KEPT, 12_000_000 - STREAM_BYTES_KEPT), (err, StreamName::Err, 1, 0)]
    {
        let path = bench.place().stream(dispatch.workflow, dispatch.attempt, stream);
        let file = fs::read(path).unwrap();
        assert_eq!((record.stream, record.bytes, record.bytes_dropped), (stream, bytes, dropped));
        assert_eq!(file.len() as u64, bytes);
        assert_eq!(record.sha256, crate::digest::sha256(&file));
    }
    let Ended::Outcome(outcome) = report.ended else {
        panic!("{:?}", report.ended);
    };
    let outputs = outcome.into_parts().outputs;
    assert_eq!(text(&outputs, "stdout"), "x".repeat(64 * 1024));
    assert_eq!(text(&outputs, "stderr"), "\u{fffd}");
    assert_eq!(outputs.get("truncated"), Some(&true.into()));
}

#[test]
fn max_output_size_says_how_much_of_a_stream_stands_in_the_outputs() {
    let bench = Bench::new();
    for (max, stdout, truncated) in [(3, "abc", true), (6, "abcdef", true), (7, "abcdef", false), (0, "", true)] {
        let outputs = bench.outputs(&format!(r#"{{"command":"echo abcdef","max_output_size":{max}}}"#));
        assert_eq!(text(&outputs, "stdout"), stdout);
        assert_eq!(outputs.get("truncated"), Some(&truncated.into()));
    }
}

#[test]
fn the_output_file_gives_outputs_and_a_wrong_line_fails_the_task() {
    let bench = Bench::new();
    let command =
        r#"{"command":"{ echo 'a=x y'; echo 'b:=[1]'; echo 'c<<E'; echo 1; echo 2; echo E; } >> $STABILIZE_OUTPUT"}"#;
    let outputs = bench.outputs(command);
    assert_eq!(text(&outputs, "a"), "x y");
    assert_eq!(outputs.get("b"), Some(&Value::list([1])));
    assert_eq!(text(&outputs, "c"), "1\n2");
    for (command, code, message) in [
        (
            "echo a=1 >> $STABILIZE_OUTPUT; echo oops >> $STABILIZE_OUTPUT",
            ErrorCode::VALIDATION_FAILED,
            "line 2 of the output file: \"oops\"",
        ),
        ("echo stdout=1 >> $STABILIZE_OUTPUT", ErrorCode::VALIDATION_FAILED, "the name stdout is taken"),
        ("rm $STABILIZE_OUTPUT; mkfifo $STABILIZE_OUTPUT", ErrorCode::VALIDATION_FAILED, "is no file any more"),
        ("head -c 1048577 /dev/zero > $STABILIZE_OUTPUT", ErrorCode::RESOURCE_EXHAUSTED, "longer than 1048576 bytes"),
    ] {
        let parts = bench.error(&format!(r#"{{"command":"{command}"}}"#));
        assert!(parts.failure.message().contains(message), "{}", parts.failure);
        assert_eq!((parts.failure.code(), parts.failure.class()), (&code, ErrorClass::Permanent));
        assert_eq!(parts.outputs.get("exit_code"), Some(&0.into()));
    }
    assert!(bench.outputs(r#"{"command":"rm $STABILIZE_OUTPUT"}"#).contains_key("stdout"));
}

#[test]
fn the_result_file_gives_another_outcome_of_a_program_that_ended_well() {
    let bench = Bench::new();
    let write = |json: &str, then: &str| {
        fs::write(bench.path("result"), json).unwrap();
        format!(
            r#"{{"command":"cp result $STABILIZE_RESULT; echo a=1 > $STABILIZE_OUTPUT; echo b=1 >> $STABILIZE_OUTPUT; {then}"}}"#
        )
    };
    let json = r#"{"outcome":"skipped","outputs":{"b":2},"context":{"c":3}}"#;
    let parts = bench.outcome(&write(json, "true"));
    assert_eq!(parts.kind, Outcome::skipped().into_parts().kind);
    assert_eq!(parts.context, map(r#"{"c":3}"#));
    assert_eq!((text(&parts.outputs, "a"), parts.outputs.get("b")), ("1", Some(&2.into())));
    assert_eq!(bench.error(&write(json, "exit 1")).failure.class(), ErrorClass::Exit);
    let parts = bench.error(&write(r#"{"outcome":"transient","retry_after":"1m","context_update":{"n":1}}"#, ""));
    assert_eq!(parts.failure.class(), ErrorClass::Transient);
    assert_eq!(parts.retry_after, Some(crate::time::Duration::from_seconds(60)));
    assert_eq!(parts.context_update, map(r#"{"n":1}"#));
    assert_eq!(text(&parts.outputs, "a"), "1");
    let parts = bench.error(&write("{", "true"));
    assert_eq!(parts.failure.code(), &ErrorCode::VALIDATION_FAILED);
}

#[test]
fn json_on_standard_output_becomes_a_value_and_its_keys_outputs() {
    let bench = Bench::new();
    let run = |json: &str| bench.outputs(&format!(r#"{{"command":["printf","%s\n",{json:?}],"parse_json":true}}"#));
    let outputs = run(r#" {"a": 1, "b c": 2, "stdout": 3, "json": 4} "#);
    assert_eq!(outputs.get("json"), Some(&Value::Map(map(r#"{"a":1,"b c":2,"stdout":3,"json":4}"#))));
    assert_eq!(outputs.get("a"), Some(&1.into()));
    assert!(!outputs.contains_key("b c"));
    assert_eq!(run("[1]").get("json"), Some(&Value::list([1])));
    let long = r#"{"command":"printf '\"%070000d\"' 7","parse_json":true}"#;
    assert_eq!(text(&bench.outputs(long), "json").len(), 70_000);
    for (command, code) in [
        ("echo hello", ErrorCode::VALIDATION_FAILED),
        ("printf '\\\\377'", ErrorCode::VALIDATION_FAILED),
        ("head -c 1048577 /dev/zero | tr '\\\\0' 1", ErrorCode::RESOURCE_EXHAUSTED),
    ] {
        let parts = bench.error(&format!(r#"{{"command":"{command}","parse_json":true}}"#));
        assert_eq!(parts.failure.code(), &code, "{command}");
    }
}

#[test]
fn a_program_knows_its_work_and_has_the_environment_of_all_layers() {
    let bench = Bench::new();
    let command = r#"{"command":"echo $STABILIZE_WORKFLOW_ID $STABILIZE_STAGE $STABILIZE_ACTIVATION $STABILIZE_TASK $STABILIZE_ATTEMPT $STABILIZE_IDEMPOTENCY_KEY; echo $A $B ${C-unset} $D; test -d $STABILIZE_TMP; test -f $STABILIZE_OUTPUT; test ! -e $STABILIZE_RESULT; test -z \"${STABILIZE_GO+x}\"","env":{"B":"with","C":null,"D":[1,{"x":true}]}}"#;
    let mut dispatch = bench.dispatch(command);
    for (name, value) in [("A", "task"), ("B", "task"), ("C", "task"), ("STABILIZE_GO", "x")] {
        dispatch.env.insert(name.into(), Some(value.into()));
    }
    let Ended::Outcome(outcome) = bench.report(&dispatch).ended else {
        panic!("a variable is missing");
    };
    let outputs = outcome.into_parts().outputs;
    let workflow = dispatch.workflow;
    let expected = format!("{workflow} build 1 work 1 key\ntask with unset [1,{{\"x\":true}}]");
    assert_eq!(text(&outputs, "stdout"), expected);
}

#[test]
fn a_program_reads_what_with_says_or_nothing() {
    let bench = Bench::new();
    for (with, stdout) in [
        (r#"{"command":"cat; echo end"}"#, "end"),
        (r#"{"command":"cat; echo end","stdin":"a\nb\n"}"#, "a\nb\nend"),
        (r#"{"command":"cat","stdin":{"a":1}}"#, "{\"a\":1}"),
        (r#"{"command":["cat"],"stdin":""}"#, ""),
    ] {
        assert_eq!(text(&bench.outputs(with), "stdout"), stdout, "{with}");
    }
    let large = "x".repeat(1 << 20);
    let count = bench.outputs(&format!(r#"{{"command":"wc -c","stdin":"{large}"}}"#));
    assert_eq!(text(&count, "stdout").trim(), "1048576");
    let unread = bench.outputs(&format!(r#"{{"command":"exec <&-; echo end","stdin":"{large}"}}"#));
    assert_eq!(text(&unread, "stdout"), "end");
}

#[test]
fn what_keeps_a_program_from_running_is_a_typed_error() {
    let bench = Bench::new();
    fs::write(bench.path("text"), "").unwrap();
    for (with, message) in [
        (r#"{"command":"true","cwd":"gone"}"#, "the working directory"),
        (r#"{"command":"true","cwd":"text"}"#, "is not there"),
        (r#"{"command":["no-such-program"]}"#, "program \"no-such-program\" is in no directory of PATH"),
        (r#"{"command":["./text"]}"#, "is no file that can be run"),
        (r#"{"command":"true","shell":"/no/such/shell"}"#, "is no file that can be run"),
        (r#"{"command":[""]}"#, "the command is empty"),
        (r#"{"command":"echo \u0000"}"#, "could not start"),
        (r#"{"command":"true","cmd":"x"}"#, "shell: with.cmd is not known, only command, shell, cwd"),
        ("{}", "with.command: expected a text, or a list"),
        (r#"{"command":" "}"#, "with.command"),
        (r#"{"command":[]}"#, "with.command"),
        (r#"{"command":["a",null]}"#, "with.command"),
        (r#"{"command":["a"],"shell":"sh"}"#, "with.shell: a list of words uses no shell"),
        (r#"{"command":"true","expected_codes":0}"#, "with.expected_codes: expected a list of exit codes"),
        (r#"{"command":"true","transient_codes":[256]}"#, "with.transient_codes"),
        (r#"{"command":"true","max_output_size":1048577}"#, "with.max_output_size: expected a number of bytes up to"),
        (r#"{"command":"true","timeout":"5"}"#, "with.timeout"),
        (r#"{"command":"true","env":{"A=B":"x"}}"#, "with.env: \"A=B\" is no name"),
        (r#"{"command":"true","parse_json":"yes"}"#, "with.parse_json: expected true or false"),
    ] {
        let parts = bench.error(with);
        assert!(parts.failure.message().contains(message), "{with}: {}", parts.failure);
        let expected = (&ErrorCode::CONFIGURATION_INVALID, ErrorClass::Permanent);
        assert_eq!((parts.failure.code(), parts.failure.class()), expected, "{with}");
    }
}

#[test]
fn more_environment_than_the_system_takes_is_a_typed_error() {
    let value = "x".repeat(4 << 20);
    let parts = Bench::new().error(&format!(r#"{{"command":"true","env":{{"A":"{value}"}}}}"#));
    assert_eq!(parts.failure.code(), &ErrorCode::RESOURCE_EXHAUSTED, "{}", parts.failure);
}

#[test]
fn a_program_runs_in_the_directory_of_its_task() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("a/b")).unwrap();
    let mut dispatch = bench.dispatch(r#"{"command":"pwd"}"#);
    let mut ends_in = |cwd: Option<&str>, with: &str, end: &str| {
        dispatch.cwd = cwd.map(PathBuf::from);
        dispatch.with = map(with);
        let Ended::Outcome(outcome) = bench.report(&dispatch).ended else {
            panic!("{with}");
        };
        assert!(text(&outcome.into_parts().outputs, "stdout").ends_with(end), "{with}");
    };
    ends_in(None, r#"{"command":"pwd"}"#, "/work");
    ends_in(Some("a"), r#"{"command":"pwd"}"#, "/work/a");
    ends_in(Some("a"), r#"{"command":"pwd","cwd":"a/b"}"#, "/work/a/b");
}

#[test]
fn a_passed_timeout_ends_a_program() {
    let bench = Bench::new();
    for timeout in [r#""10ms""#, "0.01"] {
        let parts = bench.error(&format!(r#"{{"command":"sleep 1000","timeout":{timeout}}}"#));
        assert_eq!(parts.failure.class(), ErrorClass::Timeout);
        assert_eq!(parts.failure.code(), &ErrorCode::TASK_TIMEOUT);
        assert!(parts.failure.message().contains("10ms"), "{}", parts.failure);
    }
    let mut dispatch = bench.dispatch(r#"{"command":"sleep 1000"}"#);
    dispatch.timeout = crate::time::Duration::from_milliseconds(10);
    assert_eq!(failed(bench.report(&dispatch)).failure.class(), ErrorClass::Timeout);
}

#[test]
fn a_timed_out_attempt_ends_the_whole_group_and_keeps_what_it_left() {
    let bench = Bench::new();
    bench.make_fifo();
    let command = "echo left=1 > $STABILIZE_OUTPUT; echo out; echo err >&2; sleep 1000 & echo $$ $! > fifo; wait";
    let dispatch = bench.dispatch(&format!(r#"{{"command":"{command}"}}"#));
    let (report, written) = bench.stopped(&dispatch, Stop::TimedOut);
    let parts = failed(report);
    assert_eq!(parts.failure.class(), ErrorClass::Timeout);
    assert_eq!(parts.failure.causes(), ["err"]);
    let outputs = r#"{"left":"1","stderr":"err","stdout":"out","truncated":false}"#;
    assert_eq!(Value::Map(parts.outputs).to_json(), outputs);
    let pids = pids(&written);
    assert_eq!(pids.len(), 2);
    pids.into_iter().for_each(wait_until_gone);
}

#[test]
fn a_canceled_attempt_ends_the_whole_group() {
    let bench = Bench::new();
    bench.make_fifo();
    for stop in [Stop::Canceled, Stop::Closing] {
        let dispatch = bench.dispatch(r#"{"command":"sleep 1000 & echo $$ $! > fifo; wait"}"#);
        let (report, written) = bench.stopped(&dispatch, stop);
        assert_eq!(report.ended, Ended::Stopped(stop));
        pids(&written).into_iter().for_each(wait_until_gone);
    }
}

#[test]
fn a_program_may_clean_up_when_it_is_asked_to_end() {
    let bench = Bench::new();
    bench.make_fifo();
    let command =
        r#"{"command":"trap 'echo bye > said; exit 0' TERM; echo ready > fifo; while :; do sleep 0.01; done"}"#;
    let (report, _) = bench.stopped(&bench.dispatch(command), Stop::Canceled);
    assert_eq!(report.ended, Ended::Stopped(Stop::Canceled));
    assert_eq!(fs::read_to_string(bench.path("said")).unwrap(), "bye\n");
}

#[test]
fn a_program_that_does_not_obey_is_killed() {
    let mut bench = Bench::new();
    bench.patience.grace = SHORT;
    bench.make_fifo();
    let command = r#"{"command":"trap '' TERM; sleep 1000 & echo $$ $! > fifo; wait"}"#;
    let (report, written) = bench.stopped(&bench.dispatch(command), Stop::Canceled);
    assert_eq!(report.ended, Ended::Stopped(Stop::Canceled));
    pids(&written).into_iter().for_each(wait_until_gone);
}

#[test]
fn a_stopped_program_ends_too() {
    let bench = Bench::new();
    bench.make_fifo();
    let command = r#"{"command":"sh -c 'echo $$ > fifo; kill -STOP $$'"}"#;
    let (report, written) = bench.stopped(&bench.dispatch(command), Stop::Canceled);
    assert_eq!(report.ended, Ended::Stopped(Stop::Canceled));
    pids(&written).into_iter().for_each(wait_until_gone);
}

#[test]
fn nothing_is_started_for_an_attempt_that_should_stop_already() {
    let bench = Bench::new();
    let dispatch = bench.dispatch(r#"{"command":"echo > ran"}"#);
    dispatch.cancel.cancel(Stop::Closing);
    assert_eq!(bench.report(&dispatch).ended, Ended::Stopped(Stop::Closing));
    assert!(!bench.path("ran").exists());
}

#[test]
fn what_a_program_leaves_running_is_killed_and_holds_nobody_up() {
    let mut bench = Bench::new();
    bench.patience.drain = SHORT;
    for command in ["sleep 1000 & echo $!", "sleep 1000 > /dev/null 2>&1 & echo $!"] {
        let outputs = bench.outputs(&format!(r#"{{"command":"{command}"}}"#));
        pids(text(&outputs, "stdout")).into_iter().for_each(wait_until_gone);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_out_of_reach_holds_nobody_up() {
    let mut bench = Bench::new();
    bench.patience.drain = SHORT;
    bench.make_fifo();
    let command = r#"{"command":"setsid sh -c 'echo $$ > fifo; exec sleep 1000' & cat fifo"}"#;
    let outputs = bench.outputs(command);
    let daemon = text(&outputs, "stdout");
    assert!(Command::new("kill").args(["-9", daemon]).status().unwrap().success());
}

#[test]
fn an_attempt_begins_with_empty_files_whatever_one_of_its_number_left() {
    let bench = Bench::new();
    let dispatch = bench.dispatch(r#"{"command":"ls -A $STABILIZE_TMP; cat $STABILIZE_OUTPUT"}"#);
    let (workflow, attempt, place) = (dispatch.workflow, dispatch.attempt, bench.place());
    fs::create_dir_all(place.tmp(workflow, attempt).join("old")).unwrap();
    fs::write(place.outputs(workflow, attempt), "a=1").unwrap();
    fs::write(place.result(workflow, attempt), "{").unwrap();
    let stream = place.stream(workflow, attempt, StreamName::Err);
    fs::create_dir_all(stream.parent().unwrap()).unwrap();
    fs::write(&stream, "old").unwrap();
    let report = bench.report(&dispatch);
    let Ended::Outcome(outcome) = report.ended else {
        panic!("{:?}", report.ended);
    };
    assert_eq!(text(&outcome.into_parts().outputs, "stdout"), "");
    assert_eq!(report.streams, []);
    assert!(!stream.exists());
}

#[test]
fn what_a_killed_engine_left_running_is_killed_at_the_next_open() {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::Stdio;

    let bench = Bench::new();
    bench.make_fifo();
    let dispatch = bench.dispatch("{}");
    let place = bench.place();
    let record = place.process(dispatch.workflow, dispatch.attempt);
    for (script, leader_lives) in [
        ("read go; sleep 1000 & echo $! > fifo; exec sleep 1000", true),
        ("read go; sleep 1000 & echo $! > fifo", false),
    ] {
        let mut leader = Command::new("/bin/sh")
            .args(["-c", script])
            .current_dir(bench.path(""))
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        record_group(&leader, &record);
        drop(leader.stdin.take());
        let child = pids(&fs::read_to_string(bench.path("fifo")).unwrap());
        let ended_before = (!leader_lives).then(|| leader.wait().unwrap());
        assert_eq!(kill_leftovers(&place).unwrap(), 1);
        child.into_iter().for_each(wait_until_gone);
        let signal = leader.wait().unwrap().signal();
        assert_eq!(signal, if leader_lives { Some(9) } else { None });
        assert_eq!(ended_before.is_some(), !leader_lives);
        assert!(!record.exists());
        assert_eq!(kill_leftovers(&place).unwrap(), 0);
    }
}
