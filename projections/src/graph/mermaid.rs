//! A diagram as a Mermaid flowchart, for pages that draw these; they find the places themselves.

use std::fmt::Write as _;

use super::diagram::Diagram;
use super::layout::Direction;
use super::palette::{Colours, LIGHT, word};

pub(super) fn write(diagram: &Diagram) -> String {
    let mut out = String::new();
    write_to(diagram, &mut out).expect("a string takes all that is written");
    out
}

fn write_to(diagram: &Diagram, out: &mut String) -> std::fmt::Result {
    // A comment; but two of its signs with a brace would be an order to the program that draws.
    writeln!(out, "%% {}", diagram.heading().replace('%', "#37;"))?;
    writeln!(out, "flowchart TD")?;
    for (place, shown) in diagram.boxes().iter().enumerate() {
        let lines: Vec<String> = shown.lines().map(|line| escaped(&line)).collect();
        let (open, close) = if shown.is_end() { ("([", "])") } else { ("[", "]") };
        writeln!(out, "  s{place}{open}\"{}\"{close}", lines.join("<br/>"))?;
    }
    for (arc, direction) in diagram.arcs().iter().zip(diagram.directions()) {
        let line = if direction == Direction::Back { "-.->" } else { "-->" };
        let label = arc.label().map(|label| format!("|\"{}\"|", escaped(label))).unwrap_or_default();
        writeln!(out, "  s{} {line}{label} s{}", arc.from(), arc.to())?;
    }
    let legend = diagram.legend();
    if legend.statuses().is_empty() {
        return Ok(());
    }
    writeln!(out, "  subgraph legend")?;
    for (place, status) in legend.statuses().iter().enumerate() {
        writeln!(out, "    l{place}[\"{}\"]", status.name())?;
    }
    writeln!(out, "  end")?;
    for (place, status) in legend.statuses().iter().enumerate() {
        let Colours { fill, line } = (LIGHT.status)(*status);
        let word = word(*status);
        writeln!(out, "  classDef {word} fill:{fill},stroke:{line},color:{}", LIGHT.text)?;
        let boxes = diagram.boxes().iter().enumerate().filter(|(_, shown)| shown.status() == Some(*status));
        let names: Vec<String> = boxes.map(|(place, _)| format!("s{place}")).chain([format!("l{place}")]).collect();
        writeln!(out, "  class {} {word}", names.join(","))?;
    }
    Ok(())
}

/// A text as it may stand in quotes: what could end them, or mean something to what draws it, as the number of its
/// letter.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() || " .,:_-+/'=()!?@$\u{2026}".contains(letter) {
            escaped.push(letter);
        } else {
            // Writing to a string does not fail.
            write!(escaped, "#{};", u32::from(letter)).ok();
        }
    }
    escaped
}
