//! Real interpreters.

use std::fs;

use super::super::tests::{dispatch, map};
use super::*;
use crate::failure::{ErrorClass, ErrorCode};
use crate::task::outcome::TaskErrorParts;
use crate::task::{Dispatch, Ended, Place, run};
use crate::testing::needs;

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap())
    }

    fn ended(&self, with: &str) -> Ended {
        let context = Box::new(map(r#"{"name":"outer","seen":[1]}"#));
        let (place, workdir) = (Place::new(self.0.path()), self.0.path().to_owned());
        run(&Python::new(), &Dispatch { with: map(with), place, workdir, context, ..dispatch() }).ended
    }

    fn outputs(&self, with: &str) -> Map {
        match self.ended(with) {
            Ended::Outcome(outcome) => outcome.into_parts().outputs,
            other => panic!("{with}: {other:?}"),
        }
    }

    fn error(&self, with: &str) -> TaskErrorParts {
        match self.ended(with) {
            Ended::Failed(error) => error.into_parts(),
            other => panic!("{with}: {other:?}"),
        }
    }
}

#[test]
fn code_finds_its_data_in_input_and_leaves_a_result() {
    if !needs("python3") {
        return;
    }
    let bench = Bench::new();
    fs::write(bench.0.path().join("own.py"), "import sys\nRESULT = [__file__ if 0 else sys.argv[0], INPUT['name']]\n")
        .unwrap();
    fs::write(
        bench.0.path().join("shop.py"),
        "class Cart:\n    @staticmethod\n    def size(given): return len(given)\n",
    )
    .unwrap();
    for (with, result) in [
        (r#"{"script":"RESULT = INPUT"}"#, r#"{"name":"outer","seen":[1]}"#),
        (r#"{"script":"RESULT = INPUT['name']","inputs":{"name":"'; import os #\n"}}"#, r#""'; import os #\n""#),
        (r#"{"script":"import sys; RESULT = sys.argv","args":["a b",1]}"#, r#"["<script>","a b","1"]"#),
        (
            r#"{"script":"if __name__ == '__main__':\n    def f(): return [f.__name__, float(2.5)]\n    RESULT = f()"}"#,
            r#"["f",2.5]"#,
        ),
        (r#"{"script_file":"own.py"}"#, r#"["own.py","outer"]"#),
        (r#"{"module":"shop","function":"Cart.size"}"#, "2"),
    ] {
        assert_eq!(bench.outputs(with).get("result").unwrap().to_json(), result, "{with}");
    }
}

#[test]
fn what_is_printed_is_no_result_and_no_result_is_none() {
    if !needs("python3") {
        return;
    }
    let bench = Bench::new();
    let outputs =
        bench.outputs(r#"{"script":"print('result:=1')\nimport sys; print(sys.stdin.read(), file=sys.stderr)"}"#);
    let expected = r#"{"exit_code":0,"returncode":0,"stderr":"","stdout":"result:=1","truncated":false}"#;
    assert_eq!(Value::Map(outputs).to_json(), expected);
    assert_eq!(bench.outputs(r#"{"script":"RESULT = None"}"#).get("result"), None);
}

#[test]
fn code_that_fails_says_so_by_its_exit_code_and_last_words() {
    if !needs("python3") {
        return;
    }
    let bench = Bench::new();
    for (script, words) in [
        ("1 / 0", "ZeroDivisionError"),
        ("RESULT = {1, 2}", "not JSON serializable"),
        ("RESULT = float('nan')", "not JSON compliant"),
        ("this is no code", "SyntaxError"),
        ("import nowhere", "ModuleNotFoundError"),
    ] {
        let parts = bench.error(&Value::map([("script", script)]).to_json());
        assert_eq!(parts.failure.class(), ErrorClass::Exit);
        assert!(parts.failure.causes()[0].contains(words), "{script}: {:?}", parts.failure.causes());
        assert_eq!(parts.outputs.get("result"), None);
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name() {
    let bench = Bench::new();
    for (with, reason) in [
        ("{}", "with.script: expected this, with.script_file or with.module"),
        (r#"{"script":"1","module":"m"}"#, "with.module: there is with.script already"),
        (r#"{"module":"m"}"#, "with.function: expected this beside with.module"),
        (r#"{"module":"m; x","function":"f"}"#, "with.module: module and function are names"),
        (r#"{"module":"m","function":"f()"}"#, "with.module: module and function are names"),
        (r#"{"script":"1","function":"f"}"#, "with.function: there is no with.module"),
        (r#"{"script_file":"../x.py"}"#, "with.script_file: a path with .. is not taken"),
        (r#"{"script":"1","stdin":"x"}"#, "with.stdin is not known"),
        (r#"{"script":"1","inputs":[]}"#, "with.inputs: expected a map"),
        (r#"{"script":"1","args":[[]]}"#, "with.args: expected a list of texts"),
        (r#"{"script":"1","python_path":"no-such-python"}"#, "no-such-python"),
    ] {
        let parts = bench.error(with);
        assert!(parts.failure.message().contains(reason), "{with}: {}", parts.failure);
        assert_eq!(parts.failure.code(), &ErrorCode::CONFIGURATION_INVALID);
    }
}
