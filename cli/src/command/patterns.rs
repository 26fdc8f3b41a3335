//! `patterns`: what the conformance suite of the 43 control-flow patterns finds of this build.

use serde::Serialize;
use stabilize::Definition;
use stabilize::testing::patterns::{self, Counts, Effort, Kind, Pattern, Report as Findings, Verdict};
use stabilize_projections::Diagram;

use super::graph;
use crate::args::Patterns;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{self, HEADING};
use crate::progress::{Doing, note};
use crate::report::{Report, Stop};
use crate::table::{Cell, Table};

/// One pattern for programs.
#[derive(Serialize)]
struct Line {
    id: String,
    name: &'static str,
    positive: bool,
    negative: bool,
    crash: bool,
    #[serde(rename = "loop")]
    looped: bool,
    composed: bool,
    passed: bool,
}

/// Tries all patterns, or shows one.
pub(super) fn patterns(args: &Patterns, out: &mut Output) -> Result<Exit, Stop> {
    let effort = if args.full { Effort::Complete { seed: args.seed } } else { Effort::Sampled { seed: args.seed } };
    let found = match args.number {
        Some(number) => vec![one(usize::from(number), effort, out)?],
        None => all(effort, out)?,
    };
    out.flush()?;
    let failed: Vec<&Findings> = found.iter().filter(|findings| findings.failures().next().is_some()).collect();
    for findings in &failed {
        for (kind, scenario, breach) in findings.failures() {
            let story = breach.story.lines().map(|line| format!("\n    {line}")).collect::<String>();
            note(format!("{} {}, {scenario}: {}{story}", findings.id(), kind.name(), breach.what));
        }
    }
    if failed.is_empty() {
        return Ok(Exit::Success);
    }
    Err(Report::new(Exit::Damage, format!("{} of {} patterns fail", failed.len(), found.len())).into())
}

fn all(effort: Effort, out: &mut Output) -> Result<Vec<Findings>, Stop> {
    let doing = Doing::new(out.form());
    let mut written = Ok(());
    let found = patterns::reports(effort, |findings| {
        doing.say(format!("{} {}", findings.id(), findings.name));
        if out.form() == Form::Json && written.is_ok() {
            written = out.json(&line(findings));
        }
    });
    drop(doing);
    written?;
    let seed = seed(effort);
    if out.form() == Form::Json {
        note(format!("seed {seed}"));
        return Ok(found);
    }
    let mut table = Table::new(&["PATTERN", "NAME", "POSITIVE", "NEGATIVE", "CRASH", "LOOP", "COMPOSED"]);
    for findings in &found {
        let head = [Cell::from(findings.number.to_string()), Cell::from(findings.name)];
        table.row(head.into_iter().chain(findings.verdicts.iter().map(cell)));
    }
    out.table(&table)?;
    let passed = found.iter().filter(|findings| findings.passed()).count();
    out.line(format_args!("\n{passed} of {} patterns pass all five kinds of tests, seed {seed}", found.len()))?;
    Ok(found)
}

fn one(number: usize, effort: Effort, out: &mut Output) -> Result<Findings, Stop> {
    let name = number.checked_sub(1).and_then(|index| patterns::NAMES.get(index));
    let Some(name) = name else {
        return Err(Report::new(Exit::Usage, format!("there is no pattern {number}, only 1 to 43")).into());
    };
    let Some(pattern) = patterns::pattern(number) else {
        return Err(Report::new(Exit::NotFound, format!("pattern {number}, {name}, is not supported yet")).into());
    };
    let findings = patterns::report(&pattern, effort);
    if out.form() == Form::Json {
        out.json(&line(&findings))?;
        note(format!("seed {}", seed(effort)));
        return Ok(findings);
    }
    show(&pattern, &findings, out)?;
    out.line(format_args!("\nseed {}", seed(effort)))?;
    Ok(findings)
}

/// Definition, picture, traces, verdicts.
fn show(pattern: &Pattern, findings: &Findings, out: &mut Output) -> Result<(), Stop> {
    let paint = out.paint();
    let heading = format!("{} {}", pattern.number(), pattern.name());
    out.line(format_args!("{}\n\n{}", paint.paint(HEADING, &heading), pattern.text()))?;
    let definition = Definition::from_yaml(&pattern.text())
        .map_err(|problems| Report::new(Exit::Refused, format!("the definition is refused:\n{problems}")))?;
    graph::letters(&Diagram::of(&definition), out)?;
    let traces = patterns::traces(pattern).unwrap_or_else(|breach| vec![(breach.what, breach.story)]);
    for (scenario, story) in traces {
        out.line(format_args!("\n{}", paint.paint(HEADING, &scenario)))?;
        for event in story.lines() {
            out.line(format_args!("  {event}"))?;
        }
    }
    out.line("")?;
    let mut table = Table::new(&["KIND", "VERDICT", "TRIED"]);
    for (kind, verdict) in Kind::ALL.into_iter().zip(&findings.verdicts) {
        table.row([kind.name().into(), cell(verdict), tried(verdict).into()]);
    }
    out.table(&table)?;
    Ok(())
}

fn line(findings: &Findings) -> Line {
    let passed = |kind| findings.verdict(kind).passed();
    Line {
        id: findings.id(),
        name: findings.name,
        positive: passed(Kind::Positive),
        negative: passed(Kind::Negative),
        crash: passed(Kind::Crash),
        looped: passed(Kind::Loop),
        composed: passed(Kind::Composed),
        passed: findings.passed(),
    }
}

fn cell(verdict: &Verdict) -> Cell {
    match verdict {
        Verdict::Passed(_) => Cell::styled("passed", paint::status(stabilize::Status::Succeeded)),
        Verdict::Failed { .. } => Cell::styled("FAILED", paint::status(stabilize::Status::Terminal)),
        Verdict::Missing { .. } => Cell::styled("missing", paint::FAINT),
    }
}

/// What was tried, or why nothing was.
fn tried(verdict: &Verdict) -> String {
    let counts = match verdict {
        Verdict::Passed(counts) => counts,
        Verdict::Failed { scenario, .. } => return scenario.clone(),
        Verdict::Missing { why } => return why.clone(),
    };
    let Counts { scenarios, enumerated, drawn, crashes, refusals, .. } = *counts;
    let parts = [
        (scenarios, "scenarios"),
        (enumerated, "interleavings, all there are"),
        (drawn, "interleavings drawn"),
        (crashes, "crashes"),
        (refusals, "definitions refused"),
    ];
    let told = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    told.collect::<Vec<String>>().join(", ")
}

fn seed(effort: Effort) -> u64 {
    match effort {
        Effort::Sampled { seed } | Effort::Complete { seed } => seed,
    }
}
