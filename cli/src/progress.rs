//! What is going on while a workflow is followed, on standard error: a line a running stage on a terminal, plain lines
//! elsewhere, nothing beside a machine form.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use stabilize::{Envelope, Status, Timestamp, Value, WorkflowView};

use crate::output::Form;
use crate::paint::{self, FAINT, Paint, harmless};

/// How often the lines of running stages are drawn.
const TICK: Duration = Duration::from_millis(100);

/// Tells what is going on.
pub(crate) struct Progress {
    face: Face,
    paint: Paint,
    /// `--log DIR` as the verbs that are named are given it.
    log: String,
    /// Running activations of stages.
    running: HashMap<(String, u32), Running>,
}

enum Face {
    Silent,
    Lines,
    Bars(MultiProgress),
}

struct Running {
    since: Timestamp,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress beside results of this form. `log` is what a verb is told of where the log is.
    pub(crate) fn new(form: Form, log: String) -> Progress {
        let paint = Paint::of(&io::stderr());
        let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
        let face = match form {
            Form::Json => Face::Silent,
            Form::Human if is_terminal => Face::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
            Form::Human => Face::Lines,
        };
        Progress { face, paint, log, running: HashMap::new() }
    }

    /// Takes in where a workflow stands that goes on.
    pub(crate) fn resume(&mut self, workflow: &WorkflowView) {
        self.say(format!("workflow {} {} goes on", workflow.id(), harmless(workflow.name())));
        for stage in workflow.stages().iter().filter(|stage| stage.status() == Status::Running) {
            let key = (stage.ref_id().to_owned(), stage.activations());
            if let Some(since) = stage.start_time() {
                self.begin(key, since);
            }
        }
    }

    /// Takes in an event of the workflow that is followed.
    pub(crate) fn tell(&mut self, envelope: &Envelope) {
        let (Some(stage), Some(activation)) = (envelope.stage(), envelope.activation()) else {
            if envelope.name() == "timer.set" {
                scheduled(envelope).into_iter().for_each(|moment| self.say(format!("scheduled for {moment}")));
            }
            if envelope.name() == "workflow.created" {
                let data = envelope.data();
                let name = data.get("name").and_then(|name| name.as_str()).unwrap_or_default();
                let workflow = envelope.workflow().map(|workflow| workflow.to_string()).unwrap_or_default();
                self.say(format!("workflow {workflow} {}", harmless(name)));
            }
            return;
        };
        let key = (stage.to_owned(), activation);
        let mut shown = shown(&key);
        if let Some(instance) = envelope.instance() {
            shown = format!("{stage}#{activation}[{instance}]");
        }
        match envelope.name() {
            "stage.started" => self.begin(key, envelope.at()),
            "timer.set" => {
                let moment = scheduled(envelope).into_iter();
                moment.for_each(|moment| self.say(format!("{shown}: scheduled for {moment}")));
            }
            "task.queued" => self.by_hand(&shown, envelope),
            "task.lease_lost" => {
                let is_orderly = envelope.data().get("orderly").is_some_and(Value::is_truthy);
                let what = if is_orderly { "is given back" } else { "lost its engine" };
                self.say(format!("{shown}: task {} {what}", envelope.task().unwrap_or_default()));
            }
            "task.retried" => {
                let data = envelope.data();
                let error = data.get("last_error").and_then(|error| error.get("message")?.as_str());
                let (task, error) = (envelope.task().unwrap_or_default(), harmless(error.unwrap_or("it failed")));
                self.say(format!("{shown}: task {task} is tried again: {error}"));
            }
            name if name.starts_with("stage.") && envelope.instance().is_none() => self.end(&key, &shown, envelope),
            _ => (),
        }
    }

    /// What people do waits until one of them says how it ended.
    fn by_hand(&self, shown: &str, envelope: &Envelope) {
        let data = envelope.data();
        let verb = match data.get("implementing_class").and_then(Value::as_str) {
            Some("manual") => Some("complete"),
            Some("approval") => Some("approve"),
            _ => None,
        };
        if let Some(verb) = verb {
            let workflow = envelope.workflow().map(|workflow| workflow.to_string()).unwrap_or_default();
            self.say(format!("{shown}: waits for `stabilize{} {verb} {workflow} {shown}`", self.log));
        }
    }

    fn begin(&mut self, key: (String, u32), since: Timestamp) {
        let shown = shown(&key);
        let bar = match &self.face {
            Face::Bars(bars) => {
                let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
                let bar = ProgressBar::new_spinner().with_message(shown.clone());
                let bar = bars.add(bar.with_style(style.expect("the template is written as indicatif reads it")));
                bar.enable_steady_tick(TICK);
                Some(bar)
            }
            Face::Silent | Face::Lines => None,
        };
        if bar.is_none() {
            self.say(format!("{shown}: started"));
        }
        self.running.insert(key, Running { since, bar });
    }

    fn end(&mut self, key: &(String, u32), shown: &str, envelope: &Envelope) {
        let data = envelope.data();
        let status = match envelope.name() {
            "stage.canceled" => Some(Status::Canceled),
            _ => data.get("status").and_then(|status| status.as_str()?.parse().ok()),
        };
        let Some(status) = status else { return };
        let status = self.paint.paint(paint::status(status), status.name()).to_string();
        let line = match self.running.remove(key) {
            Some(running) => {
                if let Some(bar) = running.bar {
                    bar.finish_and_clear();
                }
                let length = self.paint.paint(FAINT, length(running.since, envelope.at()));
                format!("{shown}: {status} after {length}")
            }
            None => format!("{shown}: {status}"),
        };
        self.say(line);
    }

    /// One line, whatever else is shown.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        match &self.face {
            Face::Silent => (),
            Face::Bars(bars) => {
                // Progress that cannot be shown stops nobody.
                bars.println(line.as_ref()).ok();
            }
            Face::Lines => note(line.as_ref()),
        }
    }

    /// One line that is told beside a machine form, too.
    pub(crate) fn warn(&self, line: &str) {
        match &self.face {
            Face::Silent => note(line),
            Face::Lines | Face::Bars(_) => self.say(line),
        }
    }

    /// Takes the lines of running stages away, so that what follows stands by itself.
    pub(crate) fn clear(&mut self) {
        for (_, running) in self.running.drain() {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
    }
}

/// What is being done now, on a line that is gone in the end: on a terminal only, and not beside a machine form.
pub(crate) struct Doing {
    bar: Option<ProgressBar>,
}

impl Doing {
    /// Nothing yet, beside results of this form.
    pub(crate) fn new(form: Form) -> Doing {
        let is_shown = form == Form::Human && io::IsTerminal::is_terminal(&io::stderr());
        let bar = is_shown.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style.expect("the template is written as indicatif reads it"));
            bar.enable_steady_tick(TICK);
            bar
        });
        Doing { bar }
    }

    /// Now this is done.
    pub(crate) fn say(&self, what: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(what);
        }
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The moment for which something is scheduled, if that is what the event says.
fn scheduled(envelope: &Envelope) -> Option<String> {
    let data = envelope.data();
    let (purpose, due) = (data.get("purpose")?.as_str()?, data.get("due")?.as_str()?);
    let (seconds, _) = due.split_once('.')?;
    (purpose == "scheduled_time").then(|| format!("{}Z", seconds.replacen('T', " ", 1)))
}

/// A stage as it is named here: by its activation, too, if that is not the first.
fn shown((stage, activation): &(String, u32)) -> String {
    if *activation == 1 { stage.clone() } else { format!("{stage}#{activation}") }
}

/// One line on standard error. That it cannot be written stops nobody.
pub(crate) fn note(line: impl AsRef<str>) {
    writeln!(io::stderr(), "{}", line.as_ref()).ok();
}

/// The time between two moments, for people: `0.31s`, `2m05s`, `3h20m`.
pub(crate) fn length(from: Timestamp, to: Timestamp) -> String {
    let hundredths = to.since(from).microseconds() / 10_000;
    let seconds = hundredths / 100;
    match seconds {
        0..60 => format!("{seconds}.{:02}s", hundredths % 100),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        for (seconds, expected) in [(0.314, "0.31s"), (59.999, "59.99s"), (125.0, "2m05s"), (12_034.0, "3h20m")] {
            let to = Timestamp::from_microseconds((seconds * 1e6) as i64);
            assert_eq!(length(Timestamp::from_microseconds(0), to), expected);
        }
    }
}
