//! `bench`: what the engine does on this machine, beside what its disk can do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde::Serialize;
use stabilize_cli::measure::{Effort, Error, PARTS, Part, Row, Setting, Survey};

use crate::args::Bench;
use crate::exit::Exit;
use crate::interrupt;
use crate::output::{Form, Output};
use crate::paint::{FAINT, RIGHT, Style, WRONG};
use crate::progress::Doing;
use crate::report::{Report, Stop};
use crate::table::{Cell, Table};

/// A row as programs read it.
#[derive(Serialize)]
struct Shown {
    row: &'static str,
    value: f64,
    unit: &'static str,
    ratio_to_f: Option<f64>,
    target: Option<String>,
    met: Option<bool>,
}

impl From<&Row> for Shown {
    fn from(row: &Row) -> Shown {
        Shown {
            row: row.label.row,
            value: row.value,
            unit: row.label.unit,
            ratio_to_f: row.ratio_to_f,
            target: row.label.target.map(|target| target.to_string()),
            met: row.met(),
        }
    }
}

/// Measures, and prints what came out; all the same if somebody wants an end before.
pub(super) fn bench(args: &Bench, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let parts = chosen(&args.rows)?;
    let (tell, told) = mpsc::channel();
    let watched = interrupt::watch(tell, ());
    watched.map_err(|error| Report::new(Exit::Unusable, "could not wait for signals").because(&error))?;
    let directory = beside(log)?;
    let setting = Setting { directory: &directory, effort: effort(args), is_over: &|| told.try_recv().is_ok() };
    let mut rows = Vec::new();
    let doing = Doing::new(out.form());
    let measured = measure(setting, &parts, &args.rows, &doing, |row| {
        match out.form() {
            Form::Json => out.json(&Shown::from(row)).and_then(|()| out.flush())?,
            Form::Human => rows.push(*row),
        }
        Ok(())
    });
    drop(doing);
    if !rows.is_empty() {
        out.table(&table(&rows))?;
    }
    match measured {
        Ok(()) => Ok(Exit::Success),
        Err(Stopped::Interrupted) => Ok(Exit::Interrupted),
        Err(Stopped::By(stop)) => Err(stop),
    }
}

/// Why not everything was measured.
enum Stopped {
    Interrupted,
    By(Stop),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        match error {
            Error::Stopped => Stopped::Interrupted,
            error => {
                let report = Report::new(Exit::Unusable, "could not measure").because(&error);
                Stopped::By(report.into())
            }
        }
    }
}

fn measure(
    setting: Setting<'_>,
    parts: &[&Part],
    names: &[String],
    doing: &Doing,
    mut show: impl FnMut(&Row) -> Result<(), Stop>,
) -> Result<(), Stopped> {
    let mut survey = Survey::begin(setting)?;
    for (part, number) in parts.iter().zip(1..) {
        let about = part.rows.first().map_or("", |label| label.about);
        doing.say(format!("{number} of {}: {about}", parts.len()));
        for row in survey.measure(part)?.iter().filter(|row| is_meant(row.label.row, names)) {
            show(row).map_err(Stopped::By)?;
        }
    }
    Ok(())
}

fn effort(args: &Bench) -> Effort {
    match (args.quick, args.full) {
        (true, _) => Effort::Once,
        (false, true) => Effort::Full,
        (false, false) => Effort::Usual,
    }
}

fn is_meant(row: &str, names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|name| row.starts_with(name.as_str()))
}

/// The parts with a row that is meant.
fn chosen(names: &[String]) -> Result<Vec<&'static Part>, Report> {
    let rows = || PARTS.iter().flat_map(|part| part.rows).map(|label| label.row);
    for name in names {
        if !rows().any(|row| row.starts_with(name.as_str())) {
            let all = rows().collect::<Vec<_>>().join(", ");
            return Err(
                Report::new(Exit::Usage, format!("no row begins with {name:?}")).hint(format!("there are {all}"))
            );
        }
    }
    let is_chosen = |part: &&Part| part.rows.iter().any(|label| is_meant(label.row, names));
    Ok(PARTS.iter().filter(is_chosen).collect())
}

/// The nearest directory that exists around the log: its file system is the one to be measured.
fn beside(log: &Path) -> Result<PathBuf, Report> {
    let unusable =
        |error: io::Error| Report::new(Exit::Unusable, format!("could not find {}", log.display())).because(&error);
    let log = std::path::absolute(log).map_err(unusable)?;
    let found = log.ancestors().skip(1).find(|path| path.is_dir()).unwrap_or(&log);
    Ok(found.to_owned())
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["ROW", "VALUE", "UNIT", "RATIO TO F", "TARGET", "MET", "WHAT"]);
    for row in rows {
        let (met, style) = match row.met() {
            Some(true) => ("yes", RIGHT),
            Some(false) => ("no", WRONG),
            None => ("", Style::new()),
        };
        table.row([
            row.label.row.into(),
            figure(row.value).into(),
            row.label.unit.into(),
            row.ratio_to_f.map(figure).unwrap_or_default().into(),
            row.label.target.map(|target| target.to_string()).unwrap_or_default().into(),
            Cell::styled(met, style),
            Cell::styled(row.label.about, FAINT),
        ]);
    }
    table
}

/// Three digits that count, at least.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 4,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_that_count() {
        for (value, expected) in [(123_456.7, "123457"), (99.94, "99.9"), (2.5, "2.50"), (0.0123, "0.0123")] {
            assert_eq!(figure(value), expected);
        }
    }

    #[test]
    fn rows_are_meant_by_how_they_begin() {
        let names = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(chosen(&names(&[])).unwrap().len(), PARTS.len());
        assert_eq!(chosen(&names(&["idle", "floor"])).unwrap().len(), 2);
        assert_eq!(chosen(&names(&["idle", "flor"])).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn logs_are_made_beside_the_log_that_is_there_or_will_be() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(beside(Path::new(".stabilize")).unwrap(), here);
        assert_eq!(beside(Path::new("no-such/folder/log")).unwrap(), here);
    }
}
