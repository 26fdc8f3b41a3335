//! Tasks that people do: open until somebody says how they ended, for no worker.

use crate::definition::Definition;
use crate::event::{Json, Report, TaskReport};
use crate::machine::{Deed, Rejection, Request};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, fire, lose, start, terminal};

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
        .after([crate::testing::happening::pass("2d")])
        .when(fire(1))
        .then_among(["stage.failed look TERMINAL DEADLINE_EXCEEDED"])
        .when(crate::testing::happening::late("look@1"))
        .refused("NOT_AWAITED");
    given(&inspected("")).after([]).when(cancel()).then_among(["stage.canceled look by workflow"]).open([]);
}

/// What `deed` makes of these words, in a workflow that has come so far.
fn asked(course: &Course, work: &str) -> Result<Request, Rejection> {
    let deed = Deed { work: work.parse().unwrap(), report: Report::Succeeded, outputs: Json::empty() };
    deed.request(course.state(), None)
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
