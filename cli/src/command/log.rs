//! The verbs about the log itself: verify, dump, stats, salvage, accept. All but the last read without its lock.

use std::ops::ControlFlow;
use std::path::Path;

use stabilize::{LogFiles, Position};

use super::Reading;
use super::start::actor;
use crate::args::Log;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::report::{Report, Stop};
use crate::table::{Cell, Table};
use crate::view;

/// Looks at the bytes of the log.
pub(super) fn log(verb: &Log, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let files = LogFiles::at(log);
    match verb {
        Log::Verify => verify(&files, out),
        Log::Dump => dump(&files, log, out),
        Log::Stats => stats(&files, out),
        Log::Salvage { directory, to, until } => salvage(directory, to, *until, out),
        Log::Accept { directory, reason, actor } => accept(directory, reason, actor.as_ref(), out),
    }
}

fn stats(files: &LogFiles, out: &mut Output) -> Result<Exit, Stop> {
    let stats = files.stats().map_err(|error| Report::of_store(&error))?;
    match out.form() {
        Form::Json => out.json(&view::Stats::from(&stats))?,
        Form::Human => {
            let span = stats.span.map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
            let (events, streams, segments) = (stats.events, stats.streams, stats.segments);
            out.line(format_args!("events {events}, streams {streams}, segments {segments}{span}"))?;
            let mean = stats.bytes_per_event().unwrap_or_default();
            let (files, events) = (stats.segment_bytes, stats.event_bytes);
            out.line(format_args!("bytes {files} in files, {events} in events, {mean} an event"))?;
            let (indexes, sealed, bytes) = (stats.indexes, stats.sealed(), stats.index_bytes);
            out.line(format_args!("indexes {indexes} of {sealed}, {bytes} bytes"))?;
            let mut table = Table::new(&["KIND", "TYPE", "EVENTS", "BYTES", "MEAN"]);
            for kind in &stats.kinds {
                let mean = kind.bytes.checked_div(kind.events).unwrap_or_default();
                let cells = [kind.kind.to_string(), kind.name.unwrap_or("unknown").to_owned()];
                let figures = [kind.events, kind.bytes, mean].map(|figure| figure.to_string());
                table.row(cells.into_iter().chain(figures).map(Cell::from));
            }
            out.table(&table)?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn salvage(directory: &Path, to: &Path, until: Option<Position>, out: &mut Output) -> Result<Exit, Stop> {
    if to.exists() {
        let message = format!("there is something at {}: name a new directory", to.display());
        return Err(Report::new(Exit::Usage, message).into());
    }
    let salvaged = LogFiles::at(directory).salvage(to, until).map_err(|error| Report::of_store(&error))?;
    match out.form() {
        Form::Json => out.json(&view::Salvage::from(&salvaged))?,
        Form::Human => {
            out.line(format_args!("{} events copied to {}, which is on hold", salvaged.events, to.display()))?;
            if let Some(damage) = &salvaged.damage {
                out.line(view::Finding::from(damage))?;
            }
            if salvaged.proven > salvaged.next {
                let last = salvaged.proven.get() - 1;
                out.line(format_args!("lost: positions {} to {last}", salvaged.next))?;
            }
            for (stream, events) in &salvaged.behind {
                out.line(format_args!("{stream}: {events} events behind it can be read, and are set aside"))?;
            }
            out.line(format_args!("to go on: stabilize log accept {} --reason TEXT", to.display()))?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn accept(directory: &Path, reason: &str, given: Option<&String>, out: &mut Output) -> Result<Exit, Stop> {
    let files = LogFiles::at(directory);
    if !files.is_on_hold().map_err(|error| Report::of_store(&error))? {
        let message = format!("{} is not on hold: there is nothing to accept", directory.display());
        return Err(Report::new(Exit::Conflict, message).into());
    }
    let actor = actor(given);
    files.accept(&actor, reason).map_err(|error| Report::of_store(&error))?;
    match out.form() {
        Form::Json => out.json(&view::Accepted { actor: &actor, reason })?,
        Form::Human => out.line(format_args!("accepted by {actor}: {}", directory.display()))?,
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn verify(files: &LogFiles, out: &mut Output) -> Result<Exit, Stop> {
    let report = files.verify().map_err(|error| Report::of_store(&error))?;
    match out.form() {
        Form::Json => {
            for finding in &report.findings {
                out.json(&view::Finding::from(finding))?;
            }
            out.json(&view::Verdict::from(&report))?;
        }
        Form::Human => {
            for finding in &report.findings {
                out.line(view::Finding::from(finding))?;
            }
            for place in &report.torn {
                out.line(format_args!("{place}: the rest of a write that was never acknowledged; no fault"))?;
            }
            if report.unconfirmed > 0 {
                out.line(format_args!("{} events not yet confirmed; the next writer decides", report.unconfirmed))?;
            }
            let verdict = if report.is_ok() { "ok" } else { "damaged" };
            out.line(format_args!("events {}, segments {}: {verdict}", report.events, report.segments))?;
        }
    }
    out.flush()?;
    match report.findings.first() {
        None => Ok(Exit::Success),
        Some(first) => Err(Report::new(Exit::Damage, view::Finding::from(first).to_string()).into()),
    }
}

fn dump(files: &LogFiles, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let mut written = Ok(());
    let dumped = files.dump(|frame| {
        let frame = view::Frame::from(frame);
        written = match out.form() {
            Form::Json => out.json(&frame),
            Form::Human => out.line(&frame),
        };
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written?;
    out.flush()?;
    dumped.map_err(|error| Report::of_store(&error))?;
    // The last segment may end anywhere; whether it ends too early is another question.
    Reading::open(log)?.end(out)
}
