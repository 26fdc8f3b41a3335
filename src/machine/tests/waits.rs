//! Why a workflow does not move: every kind of wait, who may still serve a join, and what holds for all of them (R20).

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::definition::Definition;
use crate::failure::ErrorClass;
use crate::ids::ArcIndex;
use crate::machine::{MissingArc, ServerName, Wait, WaitReason, waits};
use crate::testing::course::{Course, ORIGIN};
use crate::testing::definitions::{fan_out, parallel, sequence, stage, with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{
    Happening, cancel_because, complete, fail, go_on, lose, pass, running, start, stopped, suspend, terminal,
};
use crate::testing::laws::{lawful, what_is_open_says_why};
use crate::testing::strategies::histories;

/// A wait in a line: who, since when, what for.
fn line(wait: &Wait) -> String {
    let mut who = wait.stage().unwrap_or("workflow").to_owned();
    if let Some(number) = wait.activation() {
        who += &format!("#{number}");
    }
    if let (Some(task), Some(attempt)) = (wait.task(), wait.attempt()) {
        who += &format!(".{task}@{attempt}");
    }
    let since = wait.since().since(ORIGIN);
    let what = match wait.reason() {
        WaitReason::RetryAt { due, failures, max_attempts } => {
            format!("RETRY_AT {} after {failures} of {max_attempts}", due.since(ORIGIN))
        }
        WaitReason::Timer { timer, due } => format!("TIMER {} {}", timer.0, due.since(ORIGIN)),
        WaitReason::Scheduled { timer, due, expiry } => {
            let expiry = expiry.map(|expiry| format!(" until {}", expiry.since(ORIGIN))).unwrap_or_default();
            format!("SCHEDULED {} {}{expiry}", timer.0, due.since(ORIGIN))
        }
        WaitReason::Running { timeout } => format!("RUNNING for {timeout}"),
        WaitReason::Join { missing, arcs } => {
            format!("JOIN of {arcs} lacks {}", missing_arcs(missing))
        }
        WaitReason::Signal { names, correlate } => {
            let when = correlate.as_ref().map(|when| format!(" when {when}")).unwrap_or_default();
            format!("SIGNAL {}{when}", names.join(", "))
        }
        WaitReason::TriggerTimer { timer, due } => format!("TRIGGER_TIMER {} {}", timer.0, due.since(ORIGIN)),
        WaitReason::OpenTrigger { signal } => format!("OPEN_TRIGGER {signal}"),
        WaitReason::Ending { cause } => format!("ENDING {cause:?}"),
        WaitReason::Stopping { cause, limit } => {
            let limit = limit.map(|limit| format!(" until {}", limit.due.since(ORIGIN))).unwrap_or_default();
            format!("STOPPING {cause:?}{limit}")
        }
        WaitReason::Approval { roles, .. } => format!("APPROVAL {roles:?}"),
        WaitReason::Paused { by, reason } => format!("PAUSED {by:?} {reason:?}"),
        WaitReason::Canceling { by, reason } => format!("CANCELING {by:?} {reason:?}"),
        WaitReason::Child { child } => format!("CHILD {child}"),
        WaitReason::Lock { kind, name, holder } => format!("LOCK {} {name} of {holder:?}", kind.name()),
        WaitReason::Arrivals { seen, threshold, missing } => {
            format!("ARRIVALS {seen} of {threshold}: {}", missing_arcs(missing))
        }
        WaitReason::Blocked { generation, missing } => format!("BLOCKED {generation}: {}", missing_arcs(missing)),
        WaitReason::Threads { most, merge_count, missing } => {
            format!("THREADS {most} of {merge_count}: {}", missing_arcs(missing))
        }
        WaitReason::Milestone { of, status, until } => format!("MILESTONE {of} {} {until:?}", status.name()),
        WaitReason::Instances { total, done, .. } => format!("INSTANCES {done} of {total}"),
        WaitReason::Serialized { activation } => format!("SERIALIZED {activation}"),
        WaitReason::Inside { iteration } => format!("INSIDE turn {iteration}"),
        WaitReason::Finishing { status, undone } => {
            let undone = undone.as_ref().map(|undone| format!(" undoes {}#{}", undone.stage, undone.activation));
            format!("FINISHING {status}{}", undone.unwrap_or_default())
        }
        WaitReason::Phase { phase } => format!("PHASE {}", phase.name()),
        reason @ (WaitReason::Queued | WaitReason::Settling | WaitReason::ByHand { .. } | WaitReason::Claim) => {
            reason.code().to_owned()
        }
    };
    let others: Vec<String> = wait.alternatives().map(|other| server_line(&other)).collect();
    let others = if others.is_empty() { String::new() } else { format!(", or {}", others.join(" ")) };
    let deadline = wait.deadline().map(|moment| format!(", deadline {}", moment.since(ORIGIN))).unwrap_or_default();
    format!("{who} since {since}: {what}{deadline}{others}")
}

fn server_line(server: &ServerName<'_>) -> String {
    format!("{}#{}", server.stage(), server.activation().map_or("?".to_owned(), |n| n.to_string()))
}

fn missing_arcs(missing: &[MissingArc]) -> String {
    missing.iter().map(missing_line).collect::<Vec<String>>().join(", ")
}

fn missing_line(arc: &MissingArc) -> String {
    let servers: Vec<String> = arc.may_be_served_by().map(|server| server_line(&server)).collect();
    let more = if arc.has_more_servers() { " .." } else { "" };
    format!("{} ({}{more})", arc.from().unwrap_or("start"), servers.join(" "))
}

/// What waits after all this has happened, a second between one thing and the next.
fn waiting(definition: &Definition, happenings: impl IntoIterator<Item = Happening>) -> Vec<String> {
    let spaced = happenings.into_iter().flat_map(|happening| [pass("1s"), happening]);
    let past = given(definition).after(spaced).when(pass("0s")).then([]);
    waits(past.course().state()).iter().map(line).collect()
}

#[test]
fn a_stage_whose_block_is_open_waits_for_what_is_inside() {
    let definition = yaml(
        "{ name: x, stages: { l: { deadline: 1h, loop: { while: 'true', stages: { x: , y: { needs: [x] } } } } } }",
    );
    assert_eq!(
        waiting(&definition, [complete("x"), complete("y")]),
        ["l#1 since 2s: INSIDE turn 1, deadline 1h", "x#2.noop@1 since 2s: QUEUED"]
    );
}

#[test]
fn an_alternative_says_what_it_is_offered_with() {
    let text = "
name: x
stages:
  s:
  x: { needs: [s] }
  a: { needs: [s], split_type: DEFERRED }
  b: { needs: [a], trigger: { signal: go } }
  c: { needs: [a] }
  d: { needs: [a, x] }
  t: { needs: [a], trigger: { timer: 1h } }
";
    let found = waiting(&yaml(text), [complete("s"), complete("a")]);
    let expected = [
        "x#1.noop@1 since 1s: QUEUED",
        "b#1 since 2s: SIGNAL go, or c#1 t#1 d#?",
        "c#1 since 2s: CLAIM, or b#1 t#1 d#?",
        "t#1 since 2s: TRIGGER_TIMER 1 1h2s, or b#1 c#1 d#?",
        "d since 2s: JOIN of 2 lacks x (x#1)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn each_phase_of_a_task_says_what_it_waits_for_and_since_when() {
    let definition = stage("retry: { max_attempts: 3, initial: 10s, jitter: 0 }, timeout: 5m");
    let transient = || fail("a", ErrorClass::Transient);
    for (happenings, expected) in [
        (vec![], "a#1.noop@1 since 0s: QUEUED"),
        (vec![start("a")], "a#1.noop@1 since 1s: RUNNING for 5m"),
        (vec![start("a"), transient()], "a#1.noop@2 since 2s: RETRY_AT 12s after 1 of 3"),
        (vec![transient(), pass("60s"), start("a")], "a#1.noop@2 since 1m3s: RUNNING for 5m"),
        (vec![start("a"), lose("a")], "a#1.noop@2 since 2s: QUEUED"),
        (vec![running("a", "90s")], "a#1.noop@1 since 1s: TIMER 1 1m31s"),
    ] {
        assert_eq!(waiting(&definition, happenings), [expected]);
    }
}

#[test]
fn what_is_scheduled_says_when_it_starts_and_until_when_it_may() {
    let times = "scheduled_time: 2026-01-01T00:01:00Z, start_time_expiry: 2026-01-01T00:00:30Z";
    let workflow = yaml(&format!("{{ name: x, {times}, stages: {{ a: }} }}"));
    assert_eq!(waiting(&workflow, []), ["workflow since 0s: SCHEDULED 1 1m until 30s"]);
    let stages =
        yaml(&format!("{{ name: x, stages: {{ a: , b: {{ needs: [a], {times} }}, c: {{ deadline: 1s }} }} }}"));
    let expected = ["b#1 since 1s: SCHEDULED 2 1m until 30s", "c#1.noop@1 since 0s: QUEUED, deadline 1s"];
    assert_eq!(waiting(&stages, [complete("a")]), expected);
}

#[test]
fn triggers_say_what_they_wait_for() {
    let text = "
name: x
stages:
  a:
  b: { needs: [a], trigger: { signal: go, correlate: 'signal.data == 1' } }
  c: { needs: [a], trigger: { timer: 1h } }
  s: { trigger: { signal: order, start: true } }
";
    let expected = [
        "b#1 since 1s: SIGNAL go when signal.data == 1",
        "c#1 since 1s: TRIGGER_TIMER 1 1h1s",
        "s since 0s: OPEN_TRIGGER order",
    ];
    assert_eq!(waiting(&yaml(text), [complete("a")]), expected);
    let suspended = |names: Vec<&'static str>| waiting(&stage(""), [suspend("a", names)]);
    assert_eq!(suspended(vec!["go", "stop"]), ["a#1.noop@1 since 1s: SIGNAL go, stop"]);
    assert_eq!(suspended(vec![]), ["a#1.noop@1 since 1s: SIGNAL "]);
}

#[test]
fn a_stage_with_several_tasks_waits_for_the_one_that_is_open() {
    let definition = stage("tasks: [{ name: t, uses: noop }, { name: u, uses: noop }]");
    assert_eq!(waiting(&definition, [complete("a.t")]), ["a#1.u@1 since 1s: QUEUED"]);
}

#[test]
fn what_has_ended_waits_for_nothing() {
    assert_eq!(waiting(&sequence(), [complete("a"), complete("b"), complete("c")]), [""; 0]);
    assert_eq!(waiting(&sequence(), [terminal("a")]), [""; 0]);
    assert_eq!(waits(Course::new(&sequence()).state()), []);
}

#[test]
fn a_join_names_what_it_lacks_and_who_is_nearest_to_it() {
    let expected = [
        "c#1.noop@1 since 1s: QUEUED",
        "e#1.noop@1 since 3s: RUNNING for 4h",
        "d since 2s: JOIN of 3 lacks c (c#1), e (e#1)",
    ];
    assert_eq!(waiting(&parallel(), [complete("a"), complete("b"), start("e")]), expected);
    let deep = yaml("{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [b] }, d: , e: { needs: [c, d] } } }");
    let join = |happenings: Vec<Happening>| waiting(&deep, happenings).pop().unwrap();
    assert_eq!(join(vec![complete("d")]), "e since 1s: JOIN of 2 lacks c (a#1)");
    assert_eq!(join(vec![complete("d"), complete("a")]), "e since 1s: JOIN of 2 lacks c (b#1)");
    assert_eq!(join(vec![complete("a"), complete("b"), complete("c")]), "e since 3s: JOIN of 2 lacks d (d#1)");
}

#[test]
fn a_join_that_waits_behind_a_join_names_who_serves_that() {
    let text = "{ name: x, stages: { a: , b: , c: , j: { needs: [a, b] }, k: { needs: [j, c] } } }";
    let expected =
        ["b#1.noop@1 since 0s: QUEUED", "j since 1s: JOIN of 2 lacks b (b#1)", "k since 2s: JOIN of 2 lacks j (b#1)"];
    assert_eq!(waiting(&yaml(text), [complete("a"), complete("c")]), expected);
}

#[test]
fn what_nobody_serves_any_more_is_said() {
    let text = "{ name: x, stages: { a: , b: { needs: [a] }, c: , d: { needs: [b, c] }, e: } }";
    let found = waiting(&yaml(text), [stopped("a"), complete("c")]);
    assert_eq!(found, ["e#1.noop@1 since 0s: QUEUED", "d since 2s: JOIN of 2 lacks b ()"]);
    // A split has chosen the other way; something else keeps the workflow open.
    let text = "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c] }
  e:
";
    let found = waiting(&yaml(text), [complete("a"), complete("b")]);
    assert_eq!(found, ["e#1.noop@1 since 0s: QUEUED", "d since 2s: JOIN of 2 lacks c ()"]);
}

#[test]
fn of_many_who_may_serve_the_first_are_named() {
    let text = {
        let width = 20;
        let mut text = "name: x\nstages:\n  a:\n".to_owned();
        let names: Vec<String> = (0..width).map(|index| format!("s{index}")).collect();
        for name in &names {
            text += &format!("  {name}:\n");
        }
        text + &format!("  z: {{ needs: [{}] }}\n  end: {{ needs: [z, a] }}\n", names.join(", "))
    };
    let found = waiting(&yaml(&text), [complete("a")]).pop().unwrap();
    let named = found.matches("#1").count();
    assert!(found.starts_with("end since 1s: JOIN of 2 lacks z (s0#1 s1#1 ") && found.ends_with(" ..)"), "{found}");
    assert_eq!(named, 16);
    let wide = fan_out(20);
    let found = waiting(&wide, [complete("a"), complete("s3")]).pop().unwrap();
    assert_eq!(found.matches("#1)").count(), 19, "{found}");
}

#[test]
fn a_long_way_back_is_walked_without_a_deep_stack() {
    let length = 20_000;
    let mut text = "name: x\nstages:\n  other:\n  s0:\n".to_owned();
    for index in 1..length {
        text += &format!("  s{index}: {{ needs: [s{}] }}\n", index - 1);
    }
    let last = length - 1;
    text += &format!("  end: {{ needs: [s{last}, other] }}\n");
    let found = waiting(&yaml(&text), [complete("other")]);
    assert_eq!(found.last().unwrap(), &format!("end since 1s: JOIN of 2 lacks s{last} (s0#1)"));
}

#[test]
fn a_batch_that_was_cut_is_settling_and_so_is_all_in_it() {
    let definition = with_limits(&parallel(), &[("chunk_events_max", 3)]);
    let found = waiting(&definition, []);
    assert_eq!(found, ["workflow since 0s: SETTLING", "a#1.noop@1 since 0s: QUEUED"]);
    let found = waiting(&definition, [go_on(), complete("a")]);
    let expected =
        ["workflow since 2s: SETTLING", "b since 2s: SETTLING", "c since 2s: SETTLING", "e since 2s: SETTLING"];
    assert_eq!(found, expected);
}

#[test]
fn an_end_that_was_asked_for_or_a_failure_says_so_until_it_is_done() {
    let definition = with_limits(&parallel(), &[("chunk_events_max", 3)]);
    let begun = || {
        let settled = (0..4).map(|_| go_on());
        [go_on(), complete("a")].into_iter().chain(settled).collect::<Vec<Happening>>()
    };
    let mut happenings = begun();
    happenings.push(cancel_because("enough").by("alice"));
    let expected = [
        r#"workflow since 7s: CANCELING Named("alice") Some("enough")"#,
        "workflow since 7s: SETTLING",
        "e#1 since 7s: ENDING Workflow",
    ];
    assert_eq!(waiting(&definition, happenings), expected);
    let mut happenings = begun();
    happenings.extend([complete("c"), go_on(), terminal("b")]);
    let expected = ["workflow since 9s: SETTLING", "e#1 since 9s: ENDING ScopeFailed", "d since 7s: SETTLING"];
    assert_eq!(waiting(&definition, happenings), expected);
}

proptest! {
    #[test]
    fn r20_what_is_not_closed_says_why_and_each_reason_has_its_release(history in histories()) {
        lawful(history.beginning(), &history.moves, &[what_is_open_says_why]);
    }

    /// The search says nobody only where nobody comes, whatever else happens.
    #[test]
    fn an_arc_that_nobody_serves_never_gets_a_token(history in histories()) {
        let mut course = history.beginning();
        course.happen(&crate::testing::happening::create());
        let mut forsaken: BTreeSet<ArcIndex> = BTreeSet::new();
        for tried in &history.moves {
            for wait in waits(course.state()) {
                let WaitReason::Join { missing, .. } = wait.reason() else { continue };
                forsaken.extend(missing.iter().filter(|arc| arc.servers.is_empty()).map(|arc| arc.arc));
            }
            let command = course.command(*tried);
            let _ = course.decide(command);
            for (_, arc, _) in course.state().tokens() {
                prop_assert!(!forsaken.contains(&arc), "\n{}", course.story());
            }
        }
    }
}
