//! Commands that arrive twice, and commands that are too old to tell (R8).

use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::definitions::{sequence, stage, with_limits};
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, create, fail, pass, start};

#[test]
fn a_command_that_is_repeated_is_answered_with_the_place_of_the_first() {
    let then = given(&sequence()).when(create().id(7)).then_among(["workflow.created"]);
    let mut course = then.course().clone();
    let answer = course.attempt(&create().id(7)).unwrap_err();
    assert_eq!((answer.code(), answer.to_string().ends_with("as event 1")), ("REPEATED", true));
    course.happen(&complete("a").id(8));
    let place = course.events().len();
    course.happen(&complete("b"));
    let answer = course.attempt(&complete("b").id(8)).unwrap_err();
    assert!(answer.to_string().ends_with(&format!("as event {}", place - 4)), "{answer}");
}

#[test]
fn a_repeated_command_acts_once_also_when_the_workflow_has_ended() {
    given(&stage(""))
        .after([cancel().id(1)])
        .when(cancel().id(1))
        .refused("REPEATED")
        .status(Status::Canceled)
        .when(cancel().id(2))
        .refused("ENDED")
        .when(cancel().id(2))
        .refused("ENDED");
}

#[test]
fn only_accepted_commands_are_remembered() {
    given(&sequence())
        .when(complete("b").id(1))
        .refused("NOT_AWAITED")
        .after([complete("a")])
        .when(complete("b").id(1))
        .then_among(["stage.completed b to c"]);
}

#[test]
fn a_command_older_than_all_that_is_remembered_is_refused() {
    let definition = with_limits(&stage("retry: { max_attempts: 100, initial: 0s }"), &[("commands_remembered", 3)]);
    let failures = (10..15).map(|id| fail("a", ErrorClass::Transient).id(id));
    // Remembered are 12, 13, 14; the greatest that was forgotten is 11.
    given(&definition)
        .after(failures)
        .when(start("a").id(12))
        .refused("REPEATED")
        .when(start("a").id(11))
        .refused("COMMAND_TOO_OLD")
        .when(start("a").id(3))
        .refused("COMMAND_TOO_OLD")
        .when(start("a").id(15))
        .then(["task.started a@6"]);
}

#[test]
fn the_greatest_forgotten_command_counts_not_the_last() {
    let definition = with_limits(&stage("retry: { max_attempts: 100, initial: 0s }"), &[("commands_remembered", 2)]);
    // Remembered are 6 and 21; forgotten are 20 and, after it, 5.
    let failures = [20, 5, 6, 21].map(|id| fail("a", ErrorClass::Transient).id(id));
    given(&definition)
        .after(failures)
        .when(start("a").id(10))
        .refused("COMMAND_TOO_OLD")
        .when(start("a").id(6))
        .refused("REPEATED")
        .when(start("a").id(22))
        .then(["task.started a@5"]);
}

#[test]
fn by_itself_a_workflow_remembers_256_commands() {
    let definition = stage("retry: { max_attempts: 1000, initial: 0s }");
    let failures = (0..257).map(|id| fail("a", ErrorClass::Transient).id(id));
    given(&definition)
        .after(failures)
        .when(start("a").id(1))
        .refused("REPEATED")
        .when(start("a").id(0))
        .refused("COMMAND_TOO_OLD");
}

#[test]
fn the_moment_of_a_workflow_never_goes_back() {
    let mut course = crate::testing::course::Course::begun(&sequence(), [("", 0); 0]);
    course.happen(&pass("1h"));
    course.happen(&complete("a"));
    let before = course.state().now();
    let mut command = course.commands()[1].clone();
    command.now = crate::testing::course::ORIGIN;
    let mut attempt = course.state().live().next().and_then(|id| course.state().newest_attempt(id)).unwrap();
    attempt.dispatch = 1;
    command.request = crate::machine::Request::StartTask(attempt);
    course.decide(command).unwrap();
    assert_eq!(course.state().now(), before);
}
