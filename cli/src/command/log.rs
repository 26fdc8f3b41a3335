//! `log verify` and `log dump`: the bytes of the log, read without its lock.

use std::ops::ControlFlow;
use std::path::Path;

use stabilize::LogFiles;

use super::Reading;
use crate::args::Log;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::report::{Report, Stop};
use crate::view;

/// Looks at the bytes of the log.
pub(super) fn log(verb: &Log, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let files = LogFiles::at(log);
    match verb {
        Log::Verify => verify(&files, out),
        Log::Dump => dump(&files, log, out),
    }
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
