//! `lint`: every problem of every file.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::Serialize;
use stabilize::{Definition, Problem, Problems, Severity};

use crate::args::Lint;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::progress::note;
use crate::report::{Report, Stop};

#[derive(Serialize)]
struct Line<'a> {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    /// Where the documentation explains the code.
    see: String,
}

/// Checks the files. Problems are the result, so they stand on standard output.
pub(super) fn lint(args: &Lint, out: &mut Output) -> Result<Exit, Stop> {
    let mut n_refused = 0_usize;
    for file in &args.files {
        readable(file)?;
        match Definition::from_file(file) {
            Ok(definition) => print(definition.warnings(), file, out)?,
            Err(problems) => {
                print(&problems, file, out)?;
                n_refused += 1;
            }
        }
    }
    out.flush()?;
    if n_refused == 0 {
        return Ok(Exit::Success);
    }
    Err(Report::new(Exit::Refused, format!("{n_refused} of {} definitions refused", args.files.len())).into())
}

fn print(problems: &Problems, file: &Path, out: &mut Output) -> Result<(), Stop> {
    match out.form() {
        Form::Json => problems.iter().try_for_each(|problem| out.json(&line(problem, file)))?,
        Form::Human if problems.is_empty() => out.line(format_args!("{}: ok", file.display()))?,
        Form::Human => out.line(format_args!("{problems}\n"))?,
    }
    Ok(())
}

fn line<'a>(problem: &'a Problem, file: &Path) -> Line<'a> {
    Line {
        file: file.display().to_string(),
        line: problem.span().line(),
        column: problem.span().column(),
        severity: if problem.severity() == Severity::Error { "error" } else { "warning" },
        code: problem.code().name(),
        message: problem.message(),
        help: problem.help(),
        see: problem.code().anchor(),
    }
}

/// The definition in a file, for a verb that needs one: problems and doubts go to standard error.
pub(super) fn definition(file: &Path) -> Result<Definition, Report> {
    readable(file)?;
    match Definition::from_file(file) {
        Ok(definition) => {
            if !definition.warnings().is_empty() {
                note(definition.warnings().to_string());
            }
            Ok(definition)
        }
        Err(problems) => {
            note(format!("{problems}\n"));
            let count = problems.len();
            let plural = if count == 1 { "" } else { "s" };
            Err(Report::new(Exit::Refused, format!("{} is refused: {count} problem{plural}", file.display())))
        }
    }
}

/// A file that cannot be read is a mistake on the command line, not in a definition.
fn readable(file: &Path) -> Result<(), Report> {
    let unreadable =
        |error: io::Error| Report::new(Exit::Usage, format!("could not read {}", file.display())).because(&error);
    let metadata = File::open(file).and_then(|file| file.metadata()).map_err(unreadable)?;
    // A directory opens, and is found out when it is read.
    if metadata.is_dir() { Err(unreadable(ErrorKind::IsADirectory.into())) } else { Ok(()) }
}
