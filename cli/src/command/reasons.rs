//! The sentences of `why`: for each kind of wait who, what, since when, and what releases it.

use std::collections::HashMap;
use std::path::Path;

use stabilize::{
    Actor, CancelCause, Duration, LockHolder, LockKind, MissingArc, OnDeadline, ServerName, StagePhase, Status,
    Timestamp, Undone, Wait, WaitReason, WorkflowId, WorkflowView,
};

use super::inspect::{in_a_line, second};
use super::log_flag;
use super::why::{Driving, Mover};
use crate::paint::harmless;
use crate::progress::length;
use crate::view::last_failure;

/// Missing arcs of one join that are shown.
const ARCS_SHOWN: usize = 10;

/// Who may serve one of them that is named.
const SERVERS_SHOWN: usize = 3;

/// What a sentence may speak of besides the wait itself.
pub(super) struct Around<'a> {
    view: &'a WorkflowView,
    waits: &'a [Wait],
    mover: Mover,
    now: Timestamp,
    log: &'a Path,
    /// The waits of live activations.
    live: HashMap<(&'a str, u32), &'a Wait>,
}

impl<'a> Around<'a> {
    pub(super) fn new(
        view: &'a WorkflowView,
        waits: &'a [Wait],
        mover: Mover,
        now: Timestamp,
        log: &'a Path,
    ) -> Around<'a> {
        let owners = waits.iter().filter(|wait| wait.instance().is_none());
        let live = owners.filter_map(|wait| Some(((wait.stage()?, wait.activation()?), wait))).collect();
        Around { view, waits, mover, now, log, live }
    }

    pub(super) fn view(&self) -> &WorkflowView {
        self.view
    }

    pub(super) fn waits(&self) -> &[Wait] {
        self.waits
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// `for 1m20s (since 2026-05-01 12:00:00Z)`.
    fn since(&self, moment: Timestamp) -> String {
        format!("for {} (since {})", length(moment, self.now), second(moment))
    }

    /// `at 2026-05-01 12:00:00Z, in 42.00s`, or how long that is past.
    fn at(&self, moment: Timestamp) -> String {
        if moment > self.now {
            format!("at {}, in {}", second(moment), length(self.now, moment))
        } else {
            format!("at {}, which is {} ago", second(moment), length(moment, self.now))
        }
    }

    /// Is there an engine that may do what is to be done?
    fn is_moved(&self) -> bool {
        match self.mover {
            Mover::Nobody | Mover::Holder { drives: Driving::No, .. } => false,
            Mover::Holder { drives: Driving::Yes | Driving::Unknown, .. } => true,
        }
    }
}

/// One wait, for a person.
pub(super) struct Reason {
    pub(super) who: String,
    pub(super) what: String,
    pub(super) details: Vec<String>,
}

/// The sentences for one wait.
pub(super) fn reason(wait: &Wait, around: &Around<'_>) -> Reason {
    let (what, mut details) = match wait.reason() {
        WaitReason::Running { timeout } => running(wait, *timeout, around),
        WaitReason::Queued => queued(wait, around),
        WaitReason::RetryAt { due, failures, max_attempts } => retried(wait, *due, (*failures, *max_attempts), around),
        WaitReason::Timer { due, .. } => timer(wait, *due, around),
        WaitReason::Scheduled { due, expiry, .. } => scheduled(wait, *due, *expiry, around),
        WaitReason::Join { missing, arcs } => join(wait, missing, *arcs, around),
        WaitReason::Ending { cause } => (ending(*cause).to_owned(), by_engine(around)),
        WaitReason::Canceling { by, reason } => canceling(wait, by, reason.as_deref(), around),
        WaitReason::Finishing { status, undone } => finishing(wait, *status, undone.as_ref(), around),
        WaitReason::Settling => (settling(wait).to_owned(), by_engine(around)),
        WaitReason::Serialized { activation } => serialized(wait, *activation, around),
        WaitReason::ByHand { prompt } => by_hand(wait, prompt.as_deref(), around),
        WaitReason::Approval { prompt, roles, .. } => approval(wait, prompt.as_deref(), roles, around),
        WaitReason::Arrivals { seen, threshold, missing } => arrivals(wait, (*seen, *threshold), missing, around),
        WaitReason::Blocked { missing, .. } => blocked(wait, missing, around),
        WaitReason::Threads { most, merge_count, missing } => threads(wait, (*most, *merge_count), missing, around),
        WaitReason::Paused { by, reason } => paused(wait, by, reason.as_deref(), around),
        WaitReason::Child { child } => called(wait, *child, around),
        WaitReason::Signal { names, correlate } => signal(wait, names, correlate.as_deref(), around),
        WaitReason::TriggerTimer { due, .. } => trigger_timer(wait, *due, around),
        WaitReason::Claim => claim(wait, around),
        WaitReason::OpenTrigger { signal } => open_trigger(wait, signal, around),
        WaitReason::Inside { iteration } => inside(wait, *iteration, around),
        WaitReason::Phase { phase } => beside(wait, *phase, around),
        WaitReason::Milestone { of, status, until } => milestone(wait, (of, status.name()), until.as_deref(), around),
        WaitReason::Lock { kind, name, holder } => locked(wait, (*kind, name), holder, around),
        WaitReason::Instances { .. } => instances(wait, around),
        WaitReason::Stopping { cause, limit } => stopping(wait, *cause, limit.map(|limit| limit.due), around),
        other => (format!("{} {}", other.code(), around.since(wait.since())), Vec::new()),
    };
    details.extend(offered(wait));
    if let Some(deadline) = wait.deadline() {
        let then = match wait.reason() {
            WaitReason::Approval { on_deadline: OnDeadline::Approve, .. } => "it counts as approved",
            WaitReason::Approval { on_deadline: OnDeadline::Reject, .. } => "it counts as rejected",
            _ => "it is stopped and the stage fails",
        };
        details.push(format!("its deadline passes {}; then {then}", around.at(deadline)));
    }
    Reason { who: who(wait), what, details }
}

fn who(wait: &Wait) -> String {
    let Some(stage) = wait.stage() else { return "workflow".to_owned() };
    let mut who = harmless(stage);
    who += &numbers(wait.activation(), wait.instance());
    if let Some(task) = wait.task().filter(|task| wait.task_type() != Some(task)) {
        who += &format!("/{}", harmless(task));
    }
    who
}

/// What stands behind the name of a stage: `#2`, `#1[5]`, and nothing for its first activation.
pub(super) fn numbers(activation: Option<u32>, instance: Option<u32>) -> String {
    match (activation, instance) {
        (Some(number), Some(instance)) => format!("#{number}[{instance}]"),
        (Some(number), None) if number > 1 => format!("#{number}"),
        (_, _) => String::new(),
    }
}

fn running(wait: &Wait, timeout: Duration, around: &Around<'_>) -> (String, Vec<String>) {
    let (attempt, since) = (wait.attempt().unwrap_or(1), wait.since());
    if !around.is_moved() {
        let what = format!(
            "attempt {attempt} was begun {} ago ({}), and the engine that ran it is gone",
            length(since, around.now),
            second(since)
        );
        return (what, vec!["released by the next engine that drives it, with another attempt".to_owned()]);
    }
    let place = match around.mover {
        Mover::Holder { pid: Some(pid), drives: Driving::Yes } => format!(" in pid {pid}"),
        Mover::Holder { .. } | Mover::Nobody => String::new(),
    };
    let what = format!("attempt {attempt} runs{place}, {}", around.since(since));
    let end = format!("released by its end; after its timeout of {timeout} it is stopped");
    let (flag, id, stage) = (log_flag(around.log), around.view.id(), wait.stage().unwrap_or_default());
    (what, vec![end, format!("stabilize{flag} logs {id} {stage} shows what it has written")])
}

fn queued(wait: &Wait, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("attempt {} is queued, {}", wait.attempt().unwrap_or(1), around.since(wait.since()));
    let detail = if around.is_moved() {
        "released by the first free worker of an engine that drives it"
    } else {
        "released by an engine that drives it"
    };
    (what, vec![detail.to_owned()])
}

fn by_hand(wait: &Wait, prompt: Option<&str>, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("waits for completion by hand, {}", around.since(wait.since()));
    let (flag, id, work) = (log_flag(around.log), around.view.id(), address(wait));
    let mut details: Vec<String> = prompt.map(harmless).into_iter().collect();
    details.push("released by whoever does it and says so, or that it has failed (--fail TEXT)".to_owned());
    details.push(format!("stabilize{flag} complete {id} {work}"));
    (what, details)
}

fn approval(wait: &Wait, prompt: Option<&str>, roles: &[String], around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("waits for an approval, {}", around.since(wait.since()));
    let (flag, id, work) = (log_flag(around.log), around.view.id(), address(wait));
    let mut details: Vec<String> = prompt.map(harmless).into_iter().collect();
    let speaker = roles.first().map(|role| format!(" --as {}", harmless(role))).unwrap_or_default();
    if !roles.is_empty() {
        let roles: Vec<String> = roles.iter().map(|role| harmless(role)).collect();
        details.push(format!("asked are, by what they claim to be: {}", roles.join(", ")));
    }
    details.push("released by whoever approves or rejects".to_owned());
    details.push(format!("stabilize{flag} approve {id} {work}{speaker}"));
    details.push(format!("stabilize{flag} reject {id} {work}{speaker} --comment TEXT"));
    (what, details)
}

fn called(wait: &Wait, child: WorkflowId, around: &Around<'_>) -> (String, Vec<String>) {
    let what = match wait.stage() {
        Some(_) => format!("waits for workflow {child}, which does its work, {}", around.since(wait.since())),
        None => format!("has ended and waits for workflow {child}, which is being canceled"),
    };
    (what, vec![format!("stabilize{} why {child}", log_flag(around.log))])
}

fn signal(wait: &Wait, names: &[String], correlate: Option<&str>, around: &Around<'_>) -> (String, Vec<String>) {
    let names: Vec<String> = names.iter().map(|name| harmless(name)).collect();
    let awaited = if names.is_empty() { "any signal".to_owned() } else { format!("signal {}", names.join(" or ")) };
    let what = format!("waits for {awaited}, {}", around.since(wait.since()));
    let (flag, id, work) = (log_flag(around.log), around.view.id(), address(wait));
    let name = names.first().map_or("NAME", String::as_str);
    let mut details = Vec::new();
    let data = match correlate {
        Some(correlate) => {
            details.push(format!("released by one with data that fits: {}", harmless(correlate)));
            " --data JSON"
        }
        None => {
            details.push("released by whoever sends one".to_owned());
            ""
        }
    };
    details.push(format!("stabilize{flag} signal {id} {name} --stage {work}{data}"));
    (what, details)
}

fn claim(wait: &Wait, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("is offered, {}", around.since(wait.since()));
    let (flag, id, work) = (log_flag(around.log), around.view.id(), address(wait));
    (what, vec!["released by whoever claims it".to_owned(), format!("stabilize{flag} claim {id} {work}")])
}

/// What is withdrawn if the one that waits is chosen, and the other way round.
fn offered(wait: &Wait) -> Option<String> {
    let name = |other: ServerName<'_>| match other.activation() {
        Some(1) | None => harmless(other.stage()),
        Some(number) => format!("{}#{number}", harmless(other.stage())),
    };
    let others: Vec<String> = wait.alternatives().map(name).collect();
    (!others.is_empty())
        .then(|| format!("whichever comes first, of this and {}: it withdraws the others", others.join(", ")))
}

/// No command shortens it; paused or driven by nobody, it takes longer.
fn trigger_timer(wait: &Wait, due: Timestamp, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("waits for the timer of its trigger, which is due {}", around.at(due));
    (what, vec![format!("it waits {}", around.since(wait.since())), at_the_moment(due, around)])
}

fn open_trigger(wait: &Wait, signal: &str, around: &Around<'_>) -> (String, Vec<String>) {
    let (signal, stage) = (harmless(signal), harmless(wait.stage().unwrap_or_default()));
    let what = format!("starts with each signal {signal}, and waits for more, {}", around.since(wait.since()));
    let (flag, id) = (log_flag(around.log), around.view.id());
    let details = vec![
        format!("stabilize{flag} signal {id} {signal} --stage {stage}"),
        "released by whoever closes its trigger".to_owned(),
        format!("stabilize{flag} close-trigger {id} {stage}"),
    ];
    (what, details)
}

/// How many instances are over, and what lets control go on before the others are.
fn instances(wait: &Wait, around: &Around<'_>) -> (String, Vec<String>) {
    let WaitReason::Instances { total, live, done, failed, is_open, signals } = wait.reason() else {
        return (String::new(), Vec::new());
    };
    let over = if *failed > 0 { format!("{done} done, {failed} failed") } else { format!("{done} done") };
    let what = format!("has {total} instances: {over}, {live} at work, {}", around.since(wait.since()));
    let (flag, id, work) = (log_flag(around.log), around.view.id(), address(wait));
    let mut details = Vec::new();
    if *is_open {
        details.push("more may be added".to_owned());
        details.push(format!("stabilize{flag} add-instances {id} {work} --item JSON"));
        details.push(format!("stabilize{flag} close-instances {id} {work}"));
    }
    details.push("released when they are over, or by whoever goes on without the rest".to_owned());
    details.push(format!("stabilize{flag} complete-instances {id} {work}"));
    details.extend(signals.iter().map(|name| format!("stabilize{flag} signal {id} {}", harmless(name))));
    (what, details)
}

/// The work that waits, as a verb takes it in a shell.
fn address(wait: &Wait) -> String {
    let stage = wait.stage().unwrap_or_default();
    let address = format!("{stage}{}", numbers(wait.activation(), wait.instance()));
    // Brackets are a pattern of file names there.
    if address.contains('[') { format!("'{address}'") } else { address }
}

/// The workflow says who, why and how it goes on; all that waits with it only that it does.
fn paused(wait: &Wait, by: &Actor, reason: Option<&str>, around: &Around<'_>) -> (String, Vec<String>) {
    if wait.stage().is_some() {
        return ("begins when the workflow goes on: it is paused".to_owned(), Vec::new());
    }
    let by = match by {
        Actor::Named(name) => harmless(name),
        _ => "the engine".to_owned(),
    };
    let reason = reason.map(|reason| format!(": {}", harmless(reason))).unwrap_or_default();
    let what = format!("is paused by {by}{reason}, {}", around.since(wait.since()));
    let (flag, id) = (log_flag(around.log), around.view.id());
    let begun = "what has begun goes on, nothing new begins, deadlines stand still".to_owned();
    (what, vec![begun, "released by whoever has it go on".to_owned(), format!("stabilize{flag} resume {id}")])
}

fn retried(wait: &Wait, due: Timestamp, (failures, most): (u32, u32), around: &Around<'_>) -> (String, Vec<String>) {
    let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times") };
    let what = format!("has failed {times} and is tried again {} (at most {most} tries)", around.at(due));
    let mut details = Vec::new();
    if let Some(error) = last_failure(around.view, wait) {
        details.push(format!("the last failure, {} ago: {}", length(wait.since(), around.now), in_a_line(error)));
    }
    details.push(at_the_moment(due, around));
    (what, details)
}

fn timer(wait: &Wait, due: Timestamp, around: &Around<'_>) -> (String, Vec<String>) {
    let at = around.at(due);
    let what = match wait.task_type() {
        Some("wait") => format!("waits; its time is over {at}"),
        _ => format!("asked to be called again {at}"),
    };
    (what, vec![format!("it waits {}", around.since(wait.since())), at_the_moment(due, around)])
}

fn scheduled(wait: &Wait, due: Timestamp, expiry: Option<Timestamp>, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("is scheduled to start {}", around.at(due));
    let mut details = vec![format!("it waits {}", around.since(wait.since())), at_the_moment(due, around)];
    if let Some(expiry) = expiry {
        let then = if wait.stage().is_some() { "it is passed by" } else { "the workflow is canceled" };
        details.push(format!("if it has not started {}, {then}", around.at(expiry)));
    }
    (what, details)
}

/// What releases that which waits for a moment.
fn at_the_moment(due: Timestamp, around: &Around<'_>) -> String {
    match (around.is_moved(), due > around.now) {
        (true, true) => "released by that moment",
        (true, false) => "released by an engine that drives it: the moment has come",
        (false, true) => "released by that moment, if an engine drives it then",
        (false, false) => "released by the next engine that drives it: the moment has come",
    }
    .to_owned()
}

fn join(wait: &Wait, missing: &[MissingArc], arcs: usize, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("waits for {} of the {arcs} stages it needs, {}", missing.len(), around.since(wait.since()));
    let mut details = missing_arcs(missing, around);
    let never = missing.iter().any(|arc| arc.may_be_served_by().next().is_none());
    details.push(if never {
        "so it cannot start any more: the workflow ends when all else in it has".to_owned()
    } else {
        "released when all of them have passed control on".to_owned()
    });
    (what, details)
}

fn missing_arcs(missing: &[MissingArc], around: &Around<'_>) -> Vec<String> {
    let mut details: Vec<String> = missing.iter().take(ARCS_SHOWN).map(|arc| missing_arc(arc, around)).collect();
    if missing.len() > ARCS_SHOWN {
        details.push(format!("and {} more", missing.len() - ARCS_SHOWN));
    }
    details
}

fn arrivals(
    wait: &Wait,
    (seen, threshold): (usize, usize),
    missing: &[MissingArc],
    around: &Around<'_>,
) -> (String, Vec<String>) {
    let what = format!("has {seen} of the {threshold} arrivals it needs, {}", around.since(wait.since()));
    let mut details = missing_arcs(missing, around);
    details.push(format!("released when {} of them have passed control on", threshold.saturating_sub(seen)));
    (what, details)
}

fn blocked(wait: &Wait, missing: &[MissingArc], around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("has been started by others of its branches before, {}", around.since(wait.since()));
    let mut details = missing_arcs(missing, around);
    details.push("released when these have passed control on: then its join starts over".to_owned());
    (what, details)
}

fn threads(
    wait: &Wait,
    (most, count): (usize, usize),
    missing: &[MissingArc],
    around: &Around<'_>,
) -> (String, Vec<String>) {
    let what = format!("has {most} of the {count} threads of one split it needs, {}", around.since(wait.since()));
    let mut details = missing_arcs(missing, around);
    details.push("released by more threads of that split".to_owned());
    (what, details)
}

fn serialized(wait: &Wait, activation: u32, around: &Around<'_>) -> (String, Vec<String>) {
    let stage = harmless(wait.stage().unwrap_or_default());
    let what =
        format!("has its tokens and starts again when {stage}#{activation} has ended, {}", around.since(wait.since()));
    (what, vec![format!("released by the end of {stage}#{activation}: its reentry is serialize")])
}

fn milestone(
    wait: &Wait,
    (of, status): (&str, &str),
    until: Option<&str>,
    around: &Around<'_>,
) -> (String, Vec<String>) {
    let until = until.map(|until| format!(" and {} has not started since", harmless(until))).unwrap_or_default();
    let what = format!("waits until {} is {status}{until}, {}", harmless(of), around.since(wait.since()));
    (what, vec![format!("released when that holds, or when {} can be that no more", harmless(of))])
}

fn locked(
    wait: &Wait,
    (kind, name): (LockKind, &str),
    holder: &LockHolder,
    around: &Around<'_>,
) -> (String, Vec<String>) {
    let lock = match kind {
        LockKind::Interleave => format!("the turn of group {}", harmless(name)),
        _ => format!("lock {}", harmless(name)),
    };
    let (holder, end) = match holder {
        LockHolder::Activation { stage, activation } => {
            let holder = format!("{}{}", harmless(stage), numbers(Some(*activation), None));
            let does = around.live.get(&(stage.as_str(), *activation)).map(|wait| doing(wait.reason(), around));
            (format!("{holder}, which {}", does.unwrap_or("lives")), format!("released by the end of {holder}"))
        }
        LockHolder::Section { section } => {
            let section = format!("section {}", harmless(section));
            (section.clone(), format!("released when nothing of {section} is left"))
        }
        _ => ("others".to_owned(), "released by its holder".to_owned()),
    };
    (format!("waits for {lock}, held by {holder}, {}", around.since(wait.since())), vec![end])
}

fn missing_arc(arc: &MissingArc, around: &Around<'_>) -> String {
    let from = arc.from().unwrap_or("the start");
    let servers: Vec<String> = arc
        .may_be_served_by()
        .map(|server| match server.activation() {
            None => format!("{}, which is about to start", harmless(server.stage())),
            Some(number) => {
                let wait = around.live.get(&(server.stage(), number));
                let name = if number == 1 { harmless(server.stage()) } else { format!("{}#{number}", server.stage()) };
                format!("{name}, which {}", wait.map_or("lives", |wait| doing(wait.reason(), around)))
            }
        })
        .collect();
    let name = harmless(from);
    if servers.is_empty() {
        let status = around.view.stage(from).map_or("NOT_STARTED", |stage| stage.status().name());
        return format!("{name} ({status}): nothing comes from it any more");
    }
    let has_more = arc.has_more_servers() || servers.len() > SERVERS_SHOWN;
    let more = if has_more { "; and from others" } else { "" };
    let shown: Vec<String> = servers.into_iter().take(SERVERS_SHOWN).collect();
    format!("{name}: may still come from {}{more}", shown.join("; "))
}

/// What somebody does that a join waits for.
fn doing(reason: &WaitReason, around: &Around<'_>) -> &'static str {
    match reason {
        WaitReason::Running { .. } if !around.is_moved() => "has to be begun again",
        WaitReason::Running { .. } => "runs",
        WaitReason::Queued => "is queued",
        WaitReason::RetryAt { .. } => "is tried again",
        WaitReason::Timer { .. } => "waits for its moment",
        WaitReason::ByHand { .. } => "is done by hand",
        WaitReason::Approval { .. } => "waits for an approval",
        WaitReason::Paused { .. } => "begins when the workflow goes on",
        WaitReason::Child { .. } => "waits for the workflow it called",
        WaitReason::Signal { .. } | WaitReason::OpenTrigger { .. } => "waits for a signal",
        WaitReason::Claim => "waits to be claimed",
        WaitReason::TriggerTimer { .. } => "waits for the timer of its trigger",
        WaitReason::Inside { .. } => "turns",
        WaitReason::Phase { .. } => "does what stands beside its own work",
        WaitReason::Lock { .. } => "waits for a lock",
        WaitReason::Milestone { .. } => "waits for its milestone",
        WaitReason::Instances { .. } => "waits for its instances",
        WaitReason::Stopping { .. } => "is being stopped",
        _ => "is about to go on",
    }
}

fn inside(wait: &Wait, iteration: u32, around: &Around<'_>) -> (String, Vec<String>) {
    let what = format!("turn {} of its loop is under way, {}", iteration.saturating_add(1), around.since(wait.since()));
    (what, vec!["released by the end of what is inside".to_owned()])
}

fn beside(wait: &Wait, phase: StagePhase, around: &Around<'_>) -> (String, Vec<String>) {
    let stages = match phase {
        StagePhase::Before => "its before-stages are",
        StagePhase::After => "its after-stages are",
        StagePhase::OnFailure => "it has failed, and its on_failure stages are",
        _ => "its stages are",
    };
    let what = format!("{stages} under way, {}", around.since(wait.since()));
    (what, vec!["released by the end of what is inside".to_owned()])
}

fn ending(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Workflow => "is being ended: the end of the workflow was asked for",
        CancelCause::ScopeFailed => "is being ended: another stage has failed",
        CancelCause::Stage { .. } => "is being ended: a stage that cancels it has succeeded",
        CancelCause::Timer => "is being ended: it has lived as long as its cancel_on says",
        CancelCause::Jump { .. } => "is being ended: a jump has come before it",
        CancelCause::Region { .. } => "is being ended: a region was canceled in which it lies",
        CancelCause::Signal => "is being ended: a signal of its cancel_on has come",
        CancelCause::Withdrawn { .. } => "is being ended: another alternative was chosen",
        CancelCause::Instances => "is being ended: the instances it belongs to are not waited for any more",
        CancelCause::ExplicitEnd => "is being ended: a stage that ends the workflow has succeeded",
        CancelCause::Deadline => "is being ended: the deadline of the workflow, or of a stage around it, has passed",
        CancelCause::Discriminator => "is being ended: the join after it has started without it",
        _ => "is being ended",
    }
}

/// A canceled attempt has not stopped yet.
fn stopping(wait: &Wait, cause: CancelCause, due: Option<Timestamp>, around: &Around<'_>) -> (String, Vec<String>) {
    let mut details = vec![ending(cause).to_owned()];
    details.push(if around.is_moved() {
        "released by its worker, when that has stopped".to_owned()
    } else {
        "released by an engine that drives it: what an engine that is gone ran has stopped".to_owned()
    });
    details.extend(due.map(|due| format!("given up {}", around.at(due))));
    (format!("was told to stop, and its stage waits for that, {}", around.since(wait.since())), details)
}

fn canceling(wait: &Wait, by: &Actor, reason: Option<&str>, around: &Around<'_>) -> (String, Vec<String>) {
    let by = match by {
        Actor::Named(name) => harmless(name),
        _ => "the engine".to_owned(),
    };
    let reason = reason.map(|reason| format!(": {}", harmless(reason))).unwrap_or_default();
    let ago = length(wait.since(), around.now);
    (format!("its end was asked for by {by}{reason}, {ago} ago ({})", second(wait.since())), by_engine(around))
}

fn finishing(wait: &Wait, status: Status, undone: Option<&Undone>, around: &Around<'_>) -> (String, Vec<String>) {
    let done = match undone {
        Some(undone) => format!(
            "what stage {} has done is undone",
            format_args!("{}{}", harmless(&undone.stage), numbers(Some(undone.activation), None))
        ),
        None => "what it does last is under way".to_owned(),
    };
    let what = format!("it is ending as {}, and {done}, {}", status.name(), around.since(wait.since()));
    let by_force = "somebody who cancels it with --force";
    (what, vec![format!("released by the end of what runs in it, or by {by_force}")])
}

fn settling(wait: &Wait) -> &'static str {
    if wait.stage().is_none() {
        "has much to do at once, and goes on with it in further batches"
    } else {
        "is about to go on"
    }
}

fn by_engine(around: &Around<'_>) -> Vec<String> {
    let stops = around.waits.iter().any(|wait| matches!(wait.reason(), WaitReason::Stopping { .. }));
    let by = match around.is_moved() {
        true if stops => "the engine, when what was told to stop has stopped",
        true => "the engine, without waiting for anything",
        false => "an engine that drives it",
    };
    vec![format!("released by {by}")]
}
