//! `ls`, `show`, `events`: what the log tells of workflows.

use std::path::Path;

use stabilize::{
    At, Envelope, Failure, Filter, InstancesView, Sequence, StageView, Status, TaskView, Timestamp, Value, WorkflowView,
};
use stabilize_projections::{Driver, WorkflowList};

use super::Reading;
use super::reasons::numbers;
use crate::args::{Events, Ls, Moment, Show};
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{self, HEADING, harmless};
use crate::progress::length;
use crate::report::{Report, Stop};
use crate::table::{Cell, Table};
use crate::view;

/// Lists workflows, newest first.
pub(super) fn ls(args: &Ls, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let mut filter = args.status.iter().fold(Filter::new(), |filter, status| filter.status(*status));
    if let Some(application) = &args.application {
        filter = filter.application(application);
    }
    let mut list = Driver::new(&reading.history, WorkflowList::new());
    list.catch_up().map_err(|error| Report::of_history(&error))?;
    let shown = list.projection().newest_first(&filter).take(args.limit.unwrap_or(usize::MAX));
    match out.form() {
        Form::Json => {
            for workflow in shown {
                out.json(&view::Summary::from(workflow))?;
            }
        }
        Form::Human => {
            let mut table = Table::new(&["ID", "NAME", "APPLICATION", "STATUS", "CREATED", "TIME"]);
            for workflow in shown {
                table.row([
                    workflow.id().to_string().into(),
                    workflow.name().into(),
                    workflow.application().into(),
                    status(workflow.status()),
                    second(workflow.created_at()).into(),
                    taken(workflow.start_time(), workflow.end_time()).into(),
                ]);
            }
            out.table(&table)?;
        }
    }
    reading.end(out)
}

/// Shows one workflow.
pub(super) fn show(args: &Show, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.id)?;
    let at = args.at.map_or(At::Latest, Moment::at);
    let view = reading.history.state(workflow, at).map_err(|error| Report::of_history(&error))?;
    match out.form() {
        Form::Json => out.json(&view::Workflow::from(&view))?,
        Form::Human => print_workflow(&view, out)?,
    }
    reading.end(out)
}

/// Prints a workflow for a person.
pub(super) fn print_workflow(view: &WorkflowView, out: &mut Output) -> Result<(), Stop> {
    let paint = out.paint();
    let mut fields = vec![("workflow", view.id().to_string()), ("name", harmless(view.name()))];
    if !view.application().is_empty() {
        fields.push(("application", harmless(view.application())));
    }
    let trigger = view.trigger();
    fields.extend([
        ("status", paint.paint(paint::status(view.status()), view.status().name()).to_string()),
        ("definition", view.definition().to_string()),
        ("trigger", format!("{} by {}", harmless(trigger.trigger_type()), harmless(trigger.user()))),
        ("created", second(view.created_at())),
    ]);
    fields.extend(view.scheduled_time().map(|moment| ("scheduled", format!("for {}", second(moment)))));
    if view.start_time().is_none() {
        fields.extend(view.start_time_expiry().map(|moment| ("expires", second(moment))));
    }
    fields.extend(view.start_time().map(|start| ("started", second(start))));
    fields.extend(view.deadline().map(|deadline| ("deadline", format!("{deadline} after its start"))));
    if let Some((start, end)) = view.start_time().zip(view.end_time()) {
        fields.push(("ended", format!("{} after {}", second(end), length(start, end))));
    }
    if let Some(by) = view.canceled_by() {
        let reason = view.cancellation_reason().map(|reason| format!(": {}", harmless(reason))).unwrap_or_default();
        fields.push(("canceled", format!("by {}{reason}", harmless(by))));
    }
    if let Some(paused) = view.paused().filter(|paused| paused.is_paused() && !view.status().is_complete()) {
        let reason = paused.reason().map(|reason| format!(": {}", harmless(reason))).unwrap_or_default();
        let (by, since) = (harmless(paused.paused_by()), second(paused.pause_time()));
        fields.push(("paused", format!("by {by}{reason}, since {since}")));
    }
    fields.extend(view.error().map(|error| ("error", described(error))));
    for (name, value) in fields {
        out.line(format_args!("{} {value}", paint.paint(HEADING, format_args!("{name:<11}"))))?;
    }
    out.line("")?;
    out.table(&stages(view.stages()))?;
    print_outputs(view.outputs(), out)
}

/// Prints the outputs of a workflow, one a line.
pub(super) fn print_outputs(outputs: &Value, out: &mut Output) -> Result<(), Stop> {
    let Some(outputs) = outputs.as_map().filter(|outputs| !outputs.is_empty()) else { return Ok(()) };
    let heading = out.paint().paint(HEADING, "outputs");
    out.line("")?;
    out.line(heading)?;
    for (name, value) in outputs {
        let value = value.as_str().map_or_else(|| value.to_json(), harmless);
        out.line(format_args!("  {}: {value}", harmless(name)))?;
    }
    Ok(())
}

/// The stages of a workflow; where a stage has several tasks, each of them below it.
pub(super) fn stages(stages: &[StageView]) -> Table {
    let mut table = Table::new(&["STAGE", "STATUS", "TIME", "ATTEMPTS", "ERROR"]);
    for stage in stages {
        let attempts: u32 = stage.tasks().iter().map(TaskView::attempts).sum();
        let name = if stage.activations() > 1 { stage.id() } else { stage.ref_id().to_owned() };
        table.row([
            name.into(),
            status(stage.status()),
            taken(stage.start_time(), stage.end_time()).into(),
            attempts.to_string().into(),
            stage.error().map(in_a_line).unwrap_or_default().into(),
        ]);
        if let Some(instances) = stage.instances() {
            table.row([format!("  {}", counted(instances)).into(), "".into(), "".into(), "".into(), "".into()]);
        }
        for task in stage.tasks().iter().filter(|_| stage.tasks().len() > 1) {
            table.row([
                format!("  {}", task.name()).into(),
                status(task.status()),
                taken(task.start_time(), task.end_time()).into(),
                task.attempts().to_string().into(),
                task.error().map(in_a_line).unwrap_or_default().into(),
            ]);
        }
    }
    table
}

/// How many instances a stage has, and how they stand.
fn counted(instances: InstancesView) -> String {
    let n_waiting = instances.total().saturating_sub(instances.started());
    let counts = [
        (instances.done(), "done"),
        (instances.failed(), "failed"),
        (instances.canceled(), "canceled"),
        (instances.live(), "at work"),
        (n_waiting, "to come"),
    ];
    let named = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    let named: Vec<String> = named.collect();
    let separator = if named.is_empty() { "" } else { ": " };
    format!("{} instances{separator}{}", instances.total(), named.join(", "))
}

fn status(status: Status) -> Cell {
    Cell::styled(status.name(), paint::status(status))
}

fn taken(start: Option<Timestamp>, end: Option<Timestamp>) -> String {
    start.zip(end).map(|(start, end)| length(start, end)).unwrap_or_default()
}

/// A failure with its code and causes; what its lines are stays so.
pub(super) fn described(failure: &Failure) -> String {
    let mut text = in_short(failure);
    for cause in failure.causes() {
        text.push_str(": ");
        text.push_str(cause);
    }
    text.lines().map(harmless).collect::<Vec<String>>().join("\n  ")
}

/// A failure with its code and causes in a line: of a cause of several, as a standard error is, the last.
pub(super) fn in_a_line(failure: &Failure) -> String {
    let causes = failure.causes().iter().filter_map(|cause| cause.lines().last());
    causes.fold(in_short(failure), |text, cause| format!("{text}: {}", harmless(cause)))
}

/// A failure in a line.
pub(super) fn in_short(failure: &Failure) -> String {
    let message = failure.message().lines().next().unwrap_or_default();
    harmless(&format!("{}: {message}", failure.code().as_str()))
}

/// A moment to the second, for people.
pub(super) fn second(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{}Z", seconds.replacen('T', " ", 1)),
        None => text,
    }
}

/// Lists the events of a workflow in order.
pub(super) fn events(args: &Events, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.id)?;
    let envelopes = reading.history.events(workflow, Sequence::FIRST..);
    let envelopes = envelopes.map_err(|error| Report::of_history(&error))?;
    if out.form() == Form::Human {
        let heading = format!("{:>5}  {:<27}  {:<23}  {:<24}  DATA", "SEQ", "AT", "TYPE", "SUBJECT");
        out.line(out.paint().paint(HEADING, heading))?;
    }
    for envelope in envelopes {
        let envelope = envelope.map_err(|error| Report::of_history(&error))?;
        match out.form() {
            Form::Json => out.json(&view::Event::from(&envelope))?,
            Form::Human => out.line(line(&envelope))?,
        }
    }
    reading.end(out)
}

/// Characters of an event's data that are shown.
const DATA_SHOWN: usize = 120;

/// Fields of an event's data that say again what stands in other columns, or what only programs ask for.
const NOT_SHOWN: [&str; 11] = [
    "command",
    "definition",
    "end_time",
    "implementing_class",
    "now",
    "ref_id",
    "rules",
    "scope",
    "stage_id",
    "start_time",
    "type",
];

fn line(envelope: &Envelope) -> String {
    let mut subject = envelope.stage().unwrap_or_default().to_owned();
    subject.push_str(&numbers(envelope.activation(), envelope.instance()));
    if let Some(task) = envelope.task() {
        subject.push_str(&format!("/{task}"));
    }
    if let Some(attempt) = envelope.attempt() {
        subject.push_str(&format!(" {attempt}"));
    }
    let mut data = envelope.data();
    if let Value::Map(fields) = &mut data {
        // Of a stage or a task the name stands in another column, too.
        let is_named = envelope.stage().is_some();
        fields.retain(|name, _| !(NOT_SHOWN.contains(&name.as_str()) || is_named && name == "name"));
    }
    let data = harmless(&data.to_json());
    let rest = if data.chars().nth(DATA_SHOWN).is_some() { ".." } else { "" };
    let shown: String = data.chars().take(DATA_SHOWN).collect();
    let (sequence, at, name) = (envelope.sequence().get(), envelope.at().to_string(), envelope.name());
    format!("{sequence:>5}  {at:<27}  {name:<23}  {subject:<24}  {shown}{rest}")
}
