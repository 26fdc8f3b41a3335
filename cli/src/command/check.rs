//! `check`: whether a definition is sound, what was found, and the way to it as a log.

use std::path::Path;

use serde::Serialize;
use stabilize::{
    CheckOptions, CheckOutcome, Definition, Finding, Property, PropertyError, Soundness, Span, Verdict, WorkflowId,
};

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
    /// Its name in the file, if it stands there beside another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'a str>,
    outcome: &'static str,
    policy: &'static str,
    states: u64,
    bound: u32,
    findings: Vec<Found<'a>>,
    /// Stages with `jump_targets: any`: it is about workflows in which they do not jump.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unforeseen_jumps: &'a [String],
    /// Where the way to the first finding was written.
    witness: Option<Written>,
}

#[derive(Serialize)]
struct Found<'a> {
    code: &'static str,
    stage: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
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

/// A definition of the file, and what was found of it.
pub(super) struct Checked {
    /// Its name, if it stands beside the one that the file is about.
    member: Option<String>,
    definition: Definition,
    verdict: Verdict,
}

impl Checked {
    /// What it is called in messages.
    fn title(&self, file: &Path) -> String {
        let file = harmless(&file.display().to_string());
        match &self.member {
            Some(name) => format!("{file}, definition {}", harmless(name)),
            None => file,
        }
    }

    /// What was found, each with its line of the file, what to do about it, and where more is said of it.
    fn lines(&self, file: &Path) -> Vec<String> {
        let file = file.display().to_string();
        let printed =
            self.verdict.findings().iter().map(|finding| finding.in_file(&self.definition, &file).to_string());
        let lines: Vec<String> = printed.collect();
        lines.iter().flat_map(|text| text.lines()).map(harmless).collect()
    }
}

/// Explores the definition and all that stand in the same file, the worst first. What was asked for besides concerns
/// the definition itself.
fn explored(definition: Definition, options: &CheckOptions) -> Vec<Checked> {
    let members: Vec<Definition> = definition.members().collect();
    let verdict = definition.check(options);
    let mut all = vec![Checked { member: None, definition, verdict }];
    let bare = options.clone().without_properties();
    all.extend(members.into_iter().map(|definition| {
        let verdict = definition.check(&bare);
        Checked { member: Some(definition.name()), definition, verdict }
    }));
    all.sort_by_key(|checked| match (checked.verdict.is_refused(), checked.verdict.outcome()) {
        (true, _) => 0,
        (false, CheckOutcome::Unsound) => 1,
        (false, CheckOutcome::Unknown) => 2,
        (false, CheckOutcome::Sound) => 3,
    });
    all
}

/// Refuses what the engine would refuse.
pub(super) fn refuse_unsound(file: &Path, definition: &Definition) -> Result<(), Report> {
    let is_off = |definition: &Definition| definition.soundness() == Soundness::Off;
    if is_off(definition) && definition.members().all(|member| is_off(&member)) {
        return Ok(());
    }
    let refused = explored(definition.clone(), &CheckOptions::at_start());
    let Some(checked) = refused.into_iter().next().filter(|checked| checked.verdict.is_refused()) else {
        return Ok(());
    };
    checked.lines(file).into_iter().for_each(note);
    let hint = format!("`stabilize check {} --witness DIR` writes the way there as a log", file.display());
    Err(refusal(file, &checked).hint(hint))
}

fn refusal(file: &Path, checked: &Checked) -> Report {
    let (outcome, policy) = (checked.verdict.outcome().name(), checked.verdict.policy().name());
    Report::new(Exit::Refused, format!("{} is refused: {outcome}, and its policy is {policy}", checked.title(file)))
}

/// Explores the definition. What is found is the result, so it stands on standard output.
pub(super) fn check(args: &Check, out: &mut Output) -> Result<Exit, Stop> {
    let definition = lint::definition(&args.file)?;
    let options = options(args, &definition)?;
    let all = explored(definition, &options);
    let witness = all.iter().find_map(|checked| checked.verdict.witness().map(|witness| (checked, witness)));
    let written = match (&args.witness, witness) {
        (Some(log), Some((checked, witness))) => {
            let workflow = witness.record(log).map_err(|error| Report::of_engine(&error))?;
            Some((checked, workflow, log.as_path()))
        }
        (Some(_), None) | (None, _) => None,
    };
    for checked in &all {
        let written = written.filter(|(of, ..)| std::ptr::eq(*of, checked)).map(|(_, workflow, log)| (workflow, log));
        match out.form() {
            Form::Json => out.json(&line(&args.file, checked, written))?,
            Form::Human => print(&args.file, checked, written, out)?,
        }
    }
    out.flush()?;
    all.iter().try_fold(Exit::Success, |_, checked| end(&args.file, checked))
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

fn print(file: &Path, checked: &Checked, written: Option<(WorkflowId, &Path)>, out: &mut Output) -> Result<(), Stop> {
    let (paint, verdict) = (out.paint(), &checked.verdict);
    let style = match verdict.outcome() {
        CheckOutcome::Sound => RIGHT,
        CheckOutcome::Unsound => WRONG,
        CheckOutcome::Unknown => PLAIN,
    };
    let plural = if verdict.states() == 1 { "" } else { "s" };
    let (outcome, title) = (paint.paint(style, verdict.outcome().name()), checked.title(file));
    let (states, bound, policy) = (verdict.states(), verdict.bound(), verdict.policy().name());
    out.line(format_args!("{outcome} {title}: {states} state{plural} seen, bound {bound}, policy {policy}"))?;
    if !verdict.unforeseen_jumps().is_empty() {
        let names: Vec<String> = verdict.unforeseen_jumps().iter().map(|name| harmless(name)).collect();
        let names = names.join(", ");
        out.line(format_args!("of workflows without a jump from {names}: `jump_targets: any` is not foreseen"))?;
    }
    for line in checked.lines(file) {
        out.line(line)?;
    }
    if let Some((workflow, log)) = written {
        out.line(format_args!("witness: stabilize show {workflow}{}", log_flag(log)))?;
    }
    Ok(())
}

fn line<'a>(file: &Path, checked: &'a Checked, written: Option<(WorkflowId, &Path)>) -> Line<'a> {
    let verdict = &checked.verdict;
    Line {
        file: file.display().to_string(),
        definition: checked.member.as_deref(),
        outcome: verdict.outcome().name(),
        policy: verdict.policy().name(),
        states: verdict.states(),
        bound: verdict.bound(),
        findings: verdict.findings().iter().map(|finding| found(finding, &checked.definition)).collect(),
        unforeseen_jumps: verdict.unforeseen_jumps(),
        witness: written
            .map(|(workflow, log)| Written { workflow: workflow.to_string(), log: log.display().to_string() }),
    }
}

fn found<'a>(finding: &'a Finding, definition: &Definition) -> Found<'a> {
    let span = finding.stage().and_then(|stage| definition.span_of(stage));
    Found {
        code: finding.code().name(),
        stage: finding.stage(),
        line: span.and_then(Span::line),
        column: span.and_then(Span::column),
        message: finding.message(),
        help: finding.help(),
        see: finding.code().anchor(),
    }
}

/// The policy of the definition says whether the answer refuses it.
fn end(file: &Path, checked: &Checked) -> Result<Exit, Stop> {
    let verdict = &checked.verdict;
    if verdict.is_refused() {
        return Err(refusal(file, checked).into());
    }
    let (title, policy) = (checked.title(file), verdict.policy().name());
    match verdict.outcome() {
        CheckOutcome::Sound => (),
        CheckOutcome::Unsound => note(format!("warning: {title} is UNSOUND, and its policy is {policy}")),
        CheckOutcome::Unknown => {
            let states = verdict.states();
            note(format!("warning: nothing wrong was found in {states} states of {title}, and not all were seen"));
        }
    }
    Ok(Exit::Success)
}
