//! A diagram in the language of Graphviz, which finds the places itself.

use std::fmt::Write as _;

use super::diagram::{Diagram, DiagramArc, DiagramBox};
use super::layout::Direction;
use super::palette::{Colours, LIGHT};

pub(super) fn write(diagram: &Diagram) -> String {
    let mut out = String::new();
    write_to(diagram, &mut out).expect("a string takes all that is written");
    out
}

fn write_to(diagram: &Diagram, out: &mut String) -> std::fmt::Result {
    writeln!(out, "digraph {} {{", quoted(diagram.title()))?;
    writeln!(
        out,
        "  graph [rankdir=TB, nodesep=0.4, ranksep=0.5, fontname=\"sans-serif\", labelloc=t, label={}]",
        quoted(&diagram.heading())
    )?;
    writeln!(out, "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=12]")?;
    writeln!(out, "  edge [fontname=\"monospace\", fontsize=10, color=\"{}\"]", LIGHT.arc)?;
    for (place, shown) in diagram.boxes().iter().enumerate() {
        let lines: Vec<String> = shown.lines().collect();
        let shape = if shown.is_end() { ", shape=oval" } else { "" };
        writeln!(out, "  s{place} [label={}, {}{shape}]", quoted(&lines.join("\n")), colours(of_box(shown)))?;
    }
    for (arc, direction) in diagram.arcs().iter().zip(diagram.directions()) {
        writeln!(out, "  s{} -> s{}{}", arc.from(), arc.to(), settings(arc, direction))?;
    }
    let statuses = diagram.legend();
    if !statuses.statuses().is_empty() {
        writeln!(out, "  subgraph cluster_legend {{")?;
        writeln!(out, "    label=\"legend\"")?;
        for (place, status) in statuses.statuses().iter().enumerate() {
            writeln!(out, "    l{place} [label={}, {}]", quoted(status.name()), colours((LIGHT.status)(*status)))?;
        }
        writeln!(out, "  }}")?;
    }
    writeln!(out, "}}")
}

fn of_box(shown: &DiagramBox) -> Colours {
    shown.status().map_or(LIGHT.plain, LIGHT.status)
}

fn colours(colours: Colours) -> String {
    format!("fillcolor=\"{}\", color=\"{}\"", colours.fill, colours.line)
}

fn settings(arc: &DiagramArc, direction: Direction) -> String {
    let mut settings = Vec::new();
    settings.extend(arc.label().map(|label| format!("label={}", quoted(label))));
    if direction == Direction::Back {
        settings.push(format!("style=dashed, constraint=false, color=\"{}\"", LIGHT.back));
    }
    if settings.is_empty() { String::new() } else { format!(" [{}]", settings.join(", ")) }
}

/// A text in quotes. A line end is written as the language writes it; so is a backslash, which would begin an escape.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
