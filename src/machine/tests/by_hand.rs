//! Tasks that people do: open until somebody says how they ended, for no worker.

use crate::definition::Definition;
use crate::event::{Json, Report, TaskReport};
use crate::machine::{Answerer, Deed, Rejection, Request, Said, Verdict};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, fire, lose, pass, pause, resume, start, terminal};

fn inspected(keys: &str) -> Definition {
    yaml(&format!("name: x\nstages:\n  look: {{ uses: manual{keys} }}\n  after: {{ needs: [look] }}\n"))
}

#[test]
fn a_task_that_people_do_is_open_until_somebody_says_how_it_ended() {
    given(&inspected(""))
        .after([])
        .when(start("look"))
        .refused("DONE_BY_HAND")
        .open(["look by hand"])
        .when(lose("look"))
        .refused("NOT_AWAITED")
        .when(complete("look").by("alice").output("parts", 12))
        .then([
            "task.reported look SUCCEEDED",
            "task.completed look",
            "stage.completed look to after",
            "stage.started after",
            "task.queued after",
        ])
        .open(["after"]);
}

#[test]
fn its_failure_is_mapped_as_any_other() {
    given(&inspected("")).after([]).when(terminal("look")).then_among(["stage.failed look TERMINAL"]);
    given(&inspected(", on_failure: continue"))
        .after([])
        .when(terminal("look"))
        .then_among(["stage.failed look FAILED_CONTINUE to after", "task.queued after"]);
}

#[test]
fn the_deadline_of_its_stage_ends_it_and_nobody_is_awaited_any_more() {
    given(&inspected(", deadline: 2d"))
        .after([pass("2d")])
        .when(fire(1))
        .then_among(["stage.failed look TERMINAL DEADLINE_EXCEEDED"])
        .when(crate::testing::happening::late("look@1"))
        .refused("NOT_AWAITED");
    given(&inspected("")).after([]).when(cancel()).then_among(["stage.canceled look by workflow"]).open([]);
}

/// What `deed` makes of these words, in a workflow that has come so far.
fn asked(course: &Course, work: &str) -> Result<Request, Rejection> {
    let said = Said::Ended(Report::Succeeded, Json::empty());
    said_of(course, work, said)
}

fn said_of(course: &Course, work: &str, said: Said) -> Result<Request, Rejection> {
    Deed { work: work.parse().unwrap(), said }.request(course.state(), None, course.now())
}

fn answered(course: &Course, verdict: Verdict, role: Option<&str>) -> Result<TaskReport, &'static str> {
    let answerer = Answerer { by: "alice".to_owned(), role: role.map(str::to_owned), comment: None };
    match said_of(course, "ask", Said::Answered(verdict, answerer)) {
        Ok(Request::ReportTask(report)) => Ok(report),
        Ok(other) => panic!("{other:?}"),
        Err(rejection) => Err(rejection.code()),
    }
}

fn asked_with(with: &str) -> Definition {
    let text = "name: x\nstages:\n  ask: { uses: approval, deadline: 2d, with: { WITH } }\n  after: { needs: [ask] }\n";
    yaml(&text.replace("WITH", with))
}

#[test]
fn an_approval_is_answered_by_whom_it_asks() {
    let then = given(&asked_with("roles: [ops, dev]")).after([]).when(start("ask")).refused("DONE_BY_HAND");
    let course = then.course();
    assert_eq!(asked(course, "ask").unwrap_err().code(), "APPROVAL_AWAITED");
    assert_eq!(answered(course, Verdict::Approved, None), Err("ROLE_NOT_ASKED"));
    assert_eq!(answered(course, Verdict::Rejected, Some("boss")), Err("ROLE_NOT_ASKED"));
    let told = answered(course, Verdict::Approved, Some("dev")).unwrap();
    assert_eq!(told.report, Report::Succeeded);
    let outputs = r#"{"approved":true,"at":"2026-01-01T00:00:00.000000Z","by":"alice","comment":null,"role":"dev"}"#;
    assert_eq!(told.outputs.text(), outputs);
    let rejected = answered(course, Verdict::Rejected, Some("ops")).unwrap().report;
    let error = rejected.error().unwrap();
    assert_eq!((error.code().as_str(), error.message()), ("APPROVAL_REJECTED", "rejected by alice as ops"));
    let then = given(&asked_with("on_reject: continue")).after([]).when(start("ask")).refused("DONE_BY_HAND");
    let told = answered(then.course(), Verdict::Rejected, None).unwrap();
    assert_eq!(told.report.name(), "FAILED_CONTINUE");
    let then = given(&inspected("")).after([]).when(start("look")).refused("DONE_BY_HAND");
    let answerer = Answerer { by: "alice".to_owned(), role: None, comment: None };
    let refused = said_of(then.course(), "look", Said::Answered(Verdict::Approved, answerer)).unwrap_err();
    assert_eq!(refused.code(), "NO_APPROVAL_AWAITED");
}

#[test]
fn an_approval_that_nobody_answers_follows_its_definition_at_the_deadline() {
    let late = |with: &str| given(&asked_with(with)).after([pass("2d")]).when(fire(1));
    late("on_deadline: approve").then([
        "timer.fired 1",
        "task.answered ask SUCCEEDED",
        "task.completed ask",
        "stage.completed ask to after",
        "stage.started after",
        "task.queued after",
    ]);
    late("on_deadline: reject").then_among([
        "task.answered ask TERMINAL",
        "task.failed ask TERMINAL",
        "workflow.failed STAGE_FAILED ask APPROVAL_REJECTED",
    ]);
    late("on_deadline: reject, on_reject: continue")
        .then_among(["task.answered ask FAILED_CONTINUE", "task.queued after"]);
    late("on_deadline: fail").then([
        "timer.fired 1",
        "stage.failed ask TERMINAL DEADLINE_EXCEEDED",
        "workflow.failed STAGE_FAILED ask DEADLINE_EXCEEDED",
    ]);
}

/// Three instances of `ask`, each with an approval of its own.
fn asked_often(config: &str, with: &str, keys: &str) -> Definition {
    yaml(&format!(
        "name: x
stages:
  ask: {{ uses: approval, deadline: 2d, mi_config: {{ {config} }}, with: {{ {with} }}{keys} }}
  after: {{ needs: [ask] }}
"
    ))
}

#[test]
fn every_instance_that_nobody_has_answered_follows_the_definition_at_the_deadline() {
    let late =
        |with: &str| given(&asked_often("count: 3", with, "")).after([complete("ask[1]"), pass("2d")]).when(fire(1));
    late("on_deadline: approve")
        .then_among(["task.answered ask#1[0] SUCCEEDED", "task.answered ask#1[2] SUCCEEDED", "stage.started after"])
        .open(["after"]);
    late("on_deadline: reject, on_reject: continue")
        .then_among(["task.answered ask#1[0] FAILED_CONTINUE", "task.answered ask#1[2] FAILED_CONTINUE"])
        .open(["after"]);
    late("on_deadline: reject")
        .then_among(["task.answered ask#1[0] TERMINAL", "stage.failed ask TERMINAL APPROVAL_REJECTED"])
        .status(Status::Terminal);
    late("on_deadline: fail")
        .then_among(["instances.withdrawn ask TERMINAL DEADLINE_EXCEEDED"])
        .status(Status::Terminal);
}

#[test]
fn what_has_not_begun_at_the_deadline_is_answered_when_it_does() {
    given(&asked_often("count: 3, sequential: true", "on_deadline: approve", ""))
        .after([complete("ask[0]"), pass("2d")])
        .when(fire(1))
        .then_among(["task.answered ask#1[1] SUCCEEDED", "task.answered ask#1[2] SUCCEEDED", "stage.started after"])
        .open(["after"]);
    // A rejection fails its instance only, until too few are left to be enough.
    given(&asked_often("count: 3, join_threshold: 1", "on_deadline: reject", ""))
        .after([pass("2d")])
        .when(fire(1))
        .then_among([
            "task.answered ask#1[0] TERMINAL",
            "task.answered ask#1[1] TERMINAL",
            "task.answered ask#1[2] TERMINAL",
        ])
        .status(Status::Terminal);
}

#[test]
fn the_deadline_of_an_approval_stands_still_in_a_pause() {
    given(&asked_with("on_deadline: approve"))
        .after([pass("1d"), pause(), pass("9d")])
        .when(fire(1))
        .refused("STANDING")
        .after([resume(), pass("1d")])
        .when(fire(1))
        .then_among(["task.answered ask SUCCEEDED"]);
}

#[test]
fn whom_somebody_means_is_found_by_stage_and_number() {
    let text = "
name: x
stages:
  a: { uses: manual, split_type: AND }
  b: {}
  c: {}
  d: { needs: [b, c], join_type: XOR, uses: manual }
";
    let then = given(&yaml(text)).done(["b", "c"]);
    let then = then.when(start("d")).refused("DONE_BY_HAND");
    let course = then.course();
    let number = |request: Result<Request, Rejection>| match request {
        Ok(Request::ReportTask(TaskReport { attempt, .. })) => Ok(attempt.task.activation.number),
        Ok(other) => panic!("{other:?}"),
        Err(rejection) => Err(rejection.code()),
    };
    for (work, expected) in [
        ("a", Ok(1)),
        ("a#1", Ok(1)),
        ("a#2", Err("NOTHING_BY_HAND")),
        ("a#1[0]", Err("NOTHING_BY_HAND")),
        ("b", Err("NOTHING_BY_HAND")),
        ("d", Ok(1)),
        ("d#2", Ok(2)),
        ("e", Err("NO_SUCH_STAGE")),
    ] {
        assert_eq!(number(asked(course, work)), expected, "{work}");
    }
    let then = then.after([complete("d#1")]);
    assert_eq!(number(asked(then.course(), "d")), Ok(2));
    let then = then.after([complete("d"), complete("a")]).status(Status::Succeeded);
    assert_eq!(number(asked(then.course(), "a")), Err("ENDED"));
    assert_eq!(number(asked(&Course::new(&yaml(text)), "a")), Err("NOT_CREATED"));
}
