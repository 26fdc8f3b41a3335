//! `doctor`: whether a log is well where it stands. Each check says what was found and what cures it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use stabilize::{
    Clock as _, Control, Filter, History, LogFiles, LogHolder, Position, Status, SystemClock, Timestamp, Value,
};

use super::checks::{self, Check, Verdict};
use super::log_flag;
use crate::exit::Exit;
use crate::host::{self, FileSystem};
use crate::output::{Form, Output};
use crate::paint::{self, WRONG};
use crate::progress::length;
use crate::report::{Report, Stop};
use crate::table::{Cell, Table};

/// `doctor --json`: one check.
#[derive(Serialize)]
struct Line<'a> {
    check: &'static str,
    verdict: &'static str,
    found: &'a str,
    cure: Option<&'a str>,
}

/// Looks at everything and says how it is.
pub(super) fn doctor(log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let checks = examine(log);
    match out.form() {
        Form::Json => {
            for check in &checks {
                let (name, verdict) = (check.name, check.verdict.name());
                out.json(&Line { check: name, verdict, found: &check.found, cure: check.cure.as_deref() })?;
            }
        }
        Form::Human => print(&checks, out)?,
    }
    out.flush()?;
    match checks.iter().filter(|check| check.verdict == Verdict::Bad).count() {
        0 => Ok(Exit::Success),
        count => {
            let message = format!("{count} of {} checks are bad", checks.len());
            Err(Report::new(Exit::Unusable, message).into())
        }
    }
}

fn print(checks: &[Check], out: &mut Output) -> Result<(), Stop> {
    let mut table = Table::new(&["CHECK", "VERDICT", "FOUND"]);
    for check in checks {
        let style = match check.verdict {
            Verdict::Ok => paint::status(Status::Succeeded),
            Verdict::Warn => paint::status(Status::Paused),
            Verdict::Bad => WRONG,
        };
        table.row([check.name.into(), Cell::styled(check.verdict.name(), style), check.found.clone().into()]);
    }
    out.table(&table)?;
    let cures: Vec<&Check> = checks.iter().filter(|check| check.cure.is_some()).collect();
    if !cures.is_empty() {
        out.line("")?;
    }
    for check in cures {
        out.line(format_args!("{}: {}", check.name, check.cure.as_deref().unwrap_or_default()))?;
    }
    Ok(())
}

fn examine(log: &Path) -> Vec<Check> {
    let files = LogFiles::at(log);
    let history = History::open(log);
    let holder = files.holder().ok();
    let mut checks = vec![contents(&history, log)];
    let place = existing(log);
    let file_system = FileSystem::of(&place);
    checks.push(checks::file_system(&file_system));
    let syncs = host::measure_syncs(&place);
    checks.push(match &syncs {
        Ok(syncs) => checks::syncs(*syncs, file_system.kind),
        Err(error) => Check::bad(
            "fsync",
            format!("nothing can be written in {}: {error}", place.display()),
            "an engine needs to write there; reading verbs work all the same",
        ),
    });
    checks.push(match host::room(&place) {
        Ok(room) => checks::room(room),
        Err(error) => Check::warn("space", format!("could not be asked for: {error}"), "look with df"),
    });
    let last = history.as_ref().ok().and_then(last_recorded);
    checks.push(checks::clock(SystemClock.now(), last, syncs.map(|syncs| syncs.clock_step).unwrap_or_default()));
    checks.push(checks::open_files(host::open_files()));
    checks.push(held_by(log, holder));
    checks.push(hold(&files));
    checks.push(copy(log, holder));
    checks.push(index(log));
    if let Ok(history) = &history {
        checks.push(open_workflows(history, holder, log));
    }
    checks
}

/// The directory, or the nearest above it that there is: where a new log would be made.
fn existing(log: &Path) -> PathBuf {
    let whole = std::path::absolute(log).unwrap_or_else(|_| log.to_path_buf());
    whole.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_path_buf()
}

fn contents(history: &Result<History, stabilize::HistoryError>, log: &Path) -> Check {
    let verify = format!("stabilize{} log verify says what else is wrong; keep a copy of the directory", log_flag(log));
    match history {
        Ok(history) => match history.damage() {
            None => Check::ok("log", format!("whole, next position {}", history.durable().map_or(0, Position::get))),
            Some(damage) => Check::bad("log", one_line(&damage), verify),
        },
        Err(stabilize::HistoryError::Store { source }) if source.is_missing() => {
            Check::ok("log", format!("there is none in {} yet; the first run makes it", log.display()))
        }
        Err(error) => Check::bad("log", one_line(error), verify),
    }
}

fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// When the last event was recorded.
fn last_recorded(history: &History) -> Option<Timestamp> {
    let last = Position::new(history.durable().ok()?.get().checked_sub(1)?)?;
    Some(history.all(last).next()?.ok()?.at())
}

fn held_by(log: &Path, holder: Option<LogHolder>) -> Check {
    let Some(LogHolder::Process { pid }) = holder else { return Check::ok("holder", "no engine holds the log") };
    let name = pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
    match Control::connect(log) {
        Ok(Some(control)) => {
            let what = if control.drives_all() { "drives every open workflow" } else { "drives some workflows" };
            Check::ok("holder", format!("pid {} holds the log and {what}", control.pid()))
        }
        Ok(None) => Check::warn(
            "holder",
            format!("{name} holds the log, and does not listen to other processes"),
            "it may be starting or closing; else what is sent to its workflows has to wait for its end",
        ),
        Err(error) => Check::warn(
            "holder",
            format!("{name} holds the log, and cannot be talked with: {}", one_line(&error)),
            "use the same version of stabilize as that process",
        ),
    }
}

fn hold(files: &LogFiles) -> Check {
    match files.is_on_hold() {
        Ok(false) => Check::ok("hold", "tasks may begin"),
        Ok(true) => Check::warn(
            "hold",
            "the file HOLD is there, as after a salvage: no task may begin",
            "look at what was lost, then `stabilize log accept DIR --reason TEXT`",
        ),
        Err(error) => Check::warn("hold", one_line(&error), "the directory must be readable"),
    }
}

/// A directory that was copied while an engine held it says in CONTROL where that was.
fn copy(log: &Path, holder: Option<LogHolder>) -> Check {
    let (name, fine) = ("copy", "nothing says that this is a copy of another log");
    if !matches!(holder, Some(LogHolder::Nobody)) {
        return Check::ok(name, fine);
    }
    let Some(original) = original(log) else { return Check::ok(name, fine) };
    let place = original.display();
    let is_live = matches!(LogFiles::at(&original).holder(), Ok(LogHolder::Process { .. }));
    if is_live {
        return Check::bad(
            name,
            format!("it was copied from {place} while an engine held that, and one still does"),
            "do not run it: every open workflow of both would do its work twice",
        );
    }
    Check::warn(
        name,
        format!("it was in {place} when an engine held it last, and was copied or moved since"),
        "run only one of the two: every open workflow of both would do its work twice",
    )
}

/// The directory that CONTROL, left behind by an engine, says it is in, if that is another.
fn original(log: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(log.join("CONTROL")).ok()?;
    let control = Value::from_json(text.trim_end()).ok()?;
    let socket = PathBuf::from(control.get("path")?.as_str()?);
    let named = socket.parent()?;
    // Where the log's path is too long for a socket, that stands in a folder of its own, which holds no log.
    let is_own = named.file_name().is_some_and(|name| name.to_string_lossy().starts_with("stabilize-"));
    let is_of_a_log = named.join("LOCK").exists() || !is_own;
    let same = fs::canonicalize(named).ok().is_some_and(|named| fs::canonicalize(log).is_ok_and(|log| log == named));
    (is_of_a_log && !same).then(|| named.to_path_buf())
}

/// Sealed segments are all but the last.
fn index(log: &Path) -> Check {
    let names: Vec<String> = fs::read_dir(log.join("log"))
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    let mut segments: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".seg")).collect();
    segments.sort_unstable();
    segments.pop();
    let without = segments.iter().filter(|segment| !names.contains(&format!("{segment}.idx"))).count();
    checks::index(segments.len(), without)
}

fn open_workflows(history: &History, holder: Option<LogHolder>, log: &Path) -> Check {
    let name = "open workflows";
    let open = Status::ALL.into_iter().filter(|status| !status.is_complete()).fold(Filter::new(), Filter::status);
    let workflows = match history.workflows(&open) {
        Ok(workflows) => workflows,
        Err(error) => return Check::bad(name, one_line(&error), format!("stabilize{} log verify", log_flag(log))),
    };
    let Some(oldest) = workflows.last() else { return Check::ok(name, "none") };
    let age = length(oldest.created_at(), SystemClock.now());
    let found = format!("{}, the oldest {} since {age}", workflows.len(), oldest.id());
    match holder {
        Some(LogHolder::Nobody) => Check::warn(
            name,
            format!("{found}; no engine drives them"),
            format!("stabilize{} why {} says what it waits for and how to go on", log_flag(log), oldest.id()),
        ),
        Some(LogHolder::Process { .. }) | None => Check::ok(name, found),
    }
}
