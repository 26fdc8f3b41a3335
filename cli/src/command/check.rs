//! `check`: whether a definition is sound, what was found, and the way to it as a log.

use std::path::Path;

use serde::Serialize;
use stabilize::{CheckOptions, CheckOutcome, Definition, Finding, Property, PropertyError, Verdict, WorkflowId};

use crate::args::Check;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{PLAIN, RIGHT, WRONG, harmless};
use crate::progress::note;
use crate::report::{Report, Stop};

use super::{lint, log_flag};

#[derive(Serialize)]
struct Line<'a> {
    file: String,
    outcome: &'static str,
    policy: &'static str,
    states: u64,
    bound: u32,
    findings: Vec<Found<'a>>,
    /// Where the way to the first finding was written.
    witness: Option<Written>,
}

#[derive(Serialize)]
struct Found<'a> {
    code: &'static str,
    stage: Option<&'a str>,
    message: &'a str,
    help: &'static str,
    /// Where the documentation explains the code.
    see: String,
}

#[derive(Serialize)]
struct Written {
    workflow: String,
    log: String,
}

/// Explores the definition. What is found is the result, so it stands on standard output.
pub(super) fn check(args: &Check, out: &mut Output) -> Result<Exit, Stop> {
    let definition = lint::definition(&args.file)?;
    let verdict = definition.check(&options(args, &definition)?);
    let written = match (&args.witness, verdict.witness()) {
        (Some(log), Some(witness)) => {
            let workflow = witness.record(log).map_err(|error| Report::of_engine(&error))?;
            Some((workflow, log.as_path()))
        }
        (Some(_), None) | (None, _) => None,
    };
    match out.form() {
        Form::Json => out.json(&line(&args.file, &verdict, written))?,
        Form::Human => print(&args.file, &verdict, written, out)?,
    }
    out.flush()?;
    end(&args.file, &verdict)
}

/// How far to look, and for what.
fn options(args: &Check, definition: &Definition) -> Result<CheckOptions, Report> {
    let mut options = CheckOptions::new();
    if let Some(states) = args.max_states {
        options = options.states_max(states.get());
    }
    if let Some(bound) = args.bound {
        options = options.bound(bound.get());
    }
    let pairs = |names: &[String], property: fn(String, String) -> Property| -> Vec<Property> {
        names.chunks_exact(2).map(|pair| property(pair[0].clone(), pair[1].clone())).collect()
    };
    let never: Result<Vec<Property>, PropertyError> = args.never.iter().map(|text| Property::never(text)).collect();
    let asked = [
        ("--never", never),
        ("--always-before", Ok(pairs(&args.always_before, Property::always_before))),
        ("--eventually-after", Ok(pairs(&args.eventually_after, Property::eventually_after))),
    ];
    for (flag, properties) in asked {
        let usage = |error: PropertyError| Report::new(Exit::Usage, format!("{flag}: {error}"));
        for property in properties.map_err(usage)? {
            property.fits(definition).map_err(usage)?;
            options = options.property(property);
        }
    }
    Ok(options)
}

fn print(file: &Path, verdict: &Verdict, written: Option<(WorkflowId, &Path)>, out: &mut Output) -> Result<(), Stop> {
    let paint = out.paint();
    let style = match verdict.outcome() {
        CheckOutcome::Sound => RIGHT,
        CheckOutcome::Unsound => WRONG,
        CheckOutcome::Unknown => PLAIN,
    };
    let plural = if verdict.states() == 1 { "" } else { "s" };
    let (outcome, file) = (paint.paint(style, verdict.outcome().name()), harmless(&file.display().to_string()));
    let (states, bound, policy) = (verdict.states(), verdict.bound(), verdict.policy().name());
    out.line(format_args!("{outcome} {file}: {states} state{plural} seen, bound {bound}, policy {policy}"))?;
    for line in verdict.findings().iter().flat_map(told) {
        out.line(line)?;
    }
    if let Some((workflow, log)) = written {
        out.line(format_args!("witness: stabilize show {workflow}{}", log_flag(log)))?;
    }
    Ok(())
}

/// What was found, what to do about it, and where more is said of it.
pub(super) fn told(finding: &Finding) -> [String; 3] {
    let (code, message) = (finding.code(), harmless(finding.message()));
    let place = finding.stage().map(|stage| format!(" at {}", harmless(stage))).unwrap_or_default();
    [format!("{code}{place}: {message}"), format!("  help: {}", code.help()), format!("  see: {}", code.anchor())]
}

fn line<'a>(file: &Path, verdict: &'a Verdict, written: Option<(WorkflowId, &Path)>) -> Line<'a> {
    Line {
        file: file.display().to_string(),
        outcome: verdict.outcome().name(),
        policy: verdict.policy().name(),
        states: verdict.states(),
        bound: verdict.bound(),
        findings: verdict.findings().iter().map(found).collect(),
        witness: written
            .map(|(workflow, log)| Written { workflow: workflow.to_string(), log: log.display().to_string() }),
    }
}

fn found(finding: &Finding) -> Found<'_> {
    Found {
        code: finding.code().name(),
        stage: finding.stage(),
        message: finding.message(),
        help: finding.code().help(),
        see: finding.code().anchor(),
    }
}

/// The policy of the definition says whether the answer refuses it.
fn end(file: &Path, verdict: &Verdict) -> Result<Exit, Stop> {
    let (file, outcome, policy) = (file.display(), verdict.outcome().name(), verdict.policy().name());
    if verdict.is_refused() {
        let message = format!("{file} is refused: {outcome}, and its policy is {policy}");
        return Err(Report::new(Exit::Refused, message).into());
    }
    match verdict.outcome() {
        CheckOutcome::Sound => (),
        CheckOutcome::Unsound => note(format!("warning: {file} is UNSOUND, and its policy is {policy}")),
        CheckOutcome::Unknown => {
            let states = verdict.states();
            note(format!("warning: nothing wrong was found in {states} states of {file}, and not all were seen"));
        }
    }
    Ok(Exit::Success)
}
