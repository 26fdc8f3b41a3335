//! `graph`: a definition or a workflow as a picture.

use std::fs;
use std::path::Path;

use stabilize::At;
use stabilize_projections::{Diagram, TextLine, Tone, TooLarge};

use super::Reading;
use super::lint::definition;
use crate::args::{Graph, GraphFormat, Moment};
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::paint::{self, FAINT, HEADING, Paint};
use crate::progress::note;
use crate::report::{Report, Stop};

/// Draws a definition or a workflow.
pub(super) fn graph(args: &Graph, log: &Path, out: &mut Output) -> Result<Exit, Stop> {
    if out.form() == Form::Json {
        let report = Report::new(Exit::Usage, "a picture has no --json");
        return Err(report.hint("`show ID --json` has what is known of a workflow").into());
    }
    let path = Path::new(&args.what);
    if is_file(path) {
        if args.at.is_some() {
            return Err(Report::new(Exit::Usage, "--at is for a workflow: nothing has happened to a definition").into());
        }
        write(&Diagram::of(&definition(path)?), args, out)?;
        out.flush()?;
        return Ok(Exit::Success);
    }
    let reading = Reading::open(log)?;
    let workflow = reading.find(&args.what)?;
    let at = args.at.map_or(At::Latest, Moment::at);
    let view = reading.history.state(workflow, at).map_err(|error| Report::of_history(&error))?;
    write(&Diagram::of_workflow(&view), args, out)?;
    reading.end(out)
}

/// What has the name of a definition, or is there, is a file; everything else names a workflow.
fn is_file(path: &Path) -> bool {
    let is_named_like_one = path.extension().is_some() || path.components().count() > 1;
    is_named_like_one || path.exists()
}

fn write(diagram: &Diagram, args: &Graph, out: &mut Output) -> Result<(), Stop> {
    let format = args.format.unwrap_or_else(|| format_of(args.output.as_deref()));
    let paint = if args.output.is_some() { Paint::Plain } else { out.paint() };
    let text = match format {
        GraphFormat::Svg => diagram.draw().map_err(too_large)?.to_svg(),
        GraphFormat::Mermaid => diagram.to_mermaid(),
        GraphFormat::Dot => diagram.to_dot(),
        GraphFormat::Ascii => in_letters(diagram, paint)?,
    };
    match &args.output {
        None => out.bytes(text.as_bytes())?,
        Some(path) => {
            let unwritten =
                |error| Report::new(Exit::Unusable, format!("could not write {}", path.display())).because(&error);
            fs::write(path, text).map_err(unwritten)?;
            note(format!("wrote {}", path.display()));
        }
    }
    Ok(())
}

/// Prints the picture in letters.
pub(super) fn letters(diagram: &Diagram, out: &mut Output) -> Result<(), Stop> {
    let text = in_letters(diagram, out.paint())?;
    out.bytes(text.as_bytes())?;
    Ok(())
}

fn in_letters(diagram: &Diagram, paint: Paint) -> Result<String, Report> {
    let drawing = diagram.draw().map_err(too_large)?;
    let lines = drawing.to_text().map_err(too_wide)?;
    Ok(lines.iter().map(|line| painted(line, paint) + "\n").collect())
}

/// What the name of the output asks for; letters where it does not say.
fn format_of(output: Option<&Path>) -> GraphFormat {
    match output.and_then(Path::extension).and_then(|extension| extension.to_str()) {
        Some("svg") => GraphFormat::Svg,
        Some("mmd" | "mermaid") => GraphFormat::Mermaid,
        Some("dot" | "gv") => GraphFormat::Dot,
        _ => GraphFormat::Ascii,
    }
}

/// No terminal shows it; a picture can still be moved about in.
fn too_wide(error: TooLarge) -> Report {
    Report::new(Exit::Unusable, error.to_string()).hint("--format svg -o FILE makes a picture of it")
}

fn too_large(error: TooLarge) -> Report {
    Report::new(Exit::Unusable, error.to_string()).hint("--format dot or mermaid leaves the drawing to others")
}

fn painted(line: &TextLine, paint: Paint) -> String {
    let style = |tone| match tone {
        Tone::Name => HEADING,
        Tone::Faint => FAINT,
        Tone::Status(status) => paint::status(status),
        _ => paint::PLAIN,
    };
    line.pieces().iter().map(|piece| paint.paint(style(piece.tone), &piece.text).to_string()).collect()
}
