//! A drawing as an SVG picture: cells stretched to pixels, arcs with round corners, colours for light and dark.

use std::fmt::Write as _;

use stabilize::Status;

use super::diagram::{Diagram, DiagramArc, DiagramBox};
use super::drawing::Drawing;
use super::layout::{Cell, Direction, Rect, Route};
use super::legend::Mark;
use super::letters::columns;
use super::palette::{DARK, LIGHT, Palette, word};

/// Pixels of a cell.
const CELL_WIDTH: u32 = 9;
const CELL_HEIGHT: u32 = 18;

/// Pixels around everything.
const MARGIN: u32 = 24;

/// Pixels of the title with what is below it.
const TITLE_HEIGHT: u32 = 30;
const SUBTITLE_HEIGHT: u32 = 24;

/// Pixels from line to line of the legend.
const LEGEND_HEIGHT: u32 = 24;

/// Pixels a letter of each size takes at most on the average, in most fonts.
const TITLE_LETTER: u32 = 11;
const SMALL_LETTER: u32 = 8;

/// Pixels of a coloured field of the legend, with what parts it from its text.
const SWATCH: u32 = 22;

/// Pixels that a picture is wide at least, so that its legend has room.
const WIDTH_LEAST: u32 = 420;

/// Radius of the corners of arcs.
const CORNER: u32 = 7;

/// Pixels of the head of an arc.
const HEAD: u32 = 8;

pub(super) fn write(drawing: &Drawing<'_>) -> String {
    let mut picture = Picture::of(drawing);
    picture.write(drawing).expect("a string takes all that is written");
    picture.out
}

/// A picture while it is written.
struct Picture {
    out: String,
    width: u32,
    height: u32,
    /// Where the layout begins.
    left: u32,
    top: u32,
    legend: Vec<Vec<Entry>>,
}

/// Something the legend explains.
struct Entry {
    class: String,
    sign: String,
    meaning: String,
}

impl Entry {
    fn width(&self) -> u32 {
        let letters = |text: &str, width: u32| columns(text) * width;
        // Statuses are written in capitals.
        let sign = if self.meaning.is_empty() { letters(&self.sign, 9) } else { letters(&self.sign, 7) + 6 };
        let swatch = if self.class.is_empty() { 0 } else { SWATCH };
        swatch + sign + letters(&self.meaning, 7) + 16
    }
}

impl Picture {
    fn of(drawing: &Drawing<'_>) -> Picture {
        let (diagram, layout) = (drawing.diagram(), drawing.layout());
        let drawn = layout.width() * CELL_WIDTH;
        let title = columns(diagram.title()) * TITLE_LETTER;
        let inner = drawn.max(title).max(WIDTH_LEAST);
        let legend = legend(diagram, inner);
        let top = MARGIN + TITLE_HEIGHT + if diagram.status().is_some() { SUBTITLE_HEIGHT } else { 0 };
        let below = if legend.is_empty() { 0 } else { 16 + LEGEND_HEIGHT * u32::try_from(legend.len()).unwrap_or(0) };
        Picture {
            out: String::new(),
            width: inner + 2 * MARGIN,
            height: top + layout.height() * CELL_HEIGHT + below + MARGIN,
            left: MARGIN + (inner - drawn) / 2,
            top,
            legend,
        }
    }

    fn write(&mut self, drawing: &Drawing<'_>) -> std::fmt::Result {
        let (diagram, layout) = (drawing.diagram(), drawing.layout());
        let (width, height) = (self.width, self.height);
        writeln!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"stabilize\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">"
        )?;
        writeln!(self.out, "<title>{}</title>", escaped(diagram.title()))?;
        writeln!(self.out, "<style>")?;
        self.write_style(diagram)?;
        writeln!(self.out, "</style>")?;
        let (inner_width, inner_height) = (width - 1, height - 1);
        writeln!(
            self.out,
            "<rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{inner_width}\" height=\"{inner_height}\" rx=\"10\"/>"
        )?;
        self.write_title(diagram)?;
        for (arc, route) in diagram.arcs().iter().zip(layout.routes()) {
            self.write_arc(diagram, arc, route)?;
        }
        for (arc, route) in diagram.arcs().iter().zip(layout.routes()) {
            self.write_label(arc, route)?;
        }
        for (shown, rect) in diagram.boxes().iter().zip(layout.boxes()) {
            self.write_box(shown, rect)?;
        }
        self.write_legend(layout.height())?;
        writeln!(self.out, "</svg>")
    }

    fn write_style(&mut self, diagram: &Diagram) -> std::fmt::Result {
        let fonts = "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif";
        let code = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";
        writeln!(self.out, ".stabilize text{{{fonts};font-size:12px}}")?;
        writeln!(self.out, ".stabilize .title{{font-size:17px;font-weight:600}}")?;
        writeln!(self.out, ".stabilize .name{{font-size:14px;font-weight:600}}")?;
        writeln!(self.out, ".stabilize .id,.stabilize .label{{{code};font-size:11.5px}}")?;
        writeln!(self.out, ".stabilize .mark{{font-size:10.5px}}")?;
        writeln!(self.out, ".stabilize .outcome{{font-size:11.5px;font-weight:600}}")?;
        writeln!(self.out, ".stabilize .arc{{fill:none;stroke-width:1.6}}")?;
        writeln!(self.out, ".stabilize .arc.back{{stroke-dasharray:5 4}}")?;
        writeln!(self.out, ".stabilize .box{{stroke-width:1.6}}")?;
        writeln!(self.out, ".stabilize .box.skipped{{stroke-dasharray:4 3}}")?;
        self.write_colours(diagram, &LIGHT)?;
        writeln!(self.out, "@media (prefers-color-scheme:dark){{")?;
        self.write_colours(diagram, &DARK)?;
        writeln!(self.out, "}}")
    }

    fn write_colours(&mut self, diagram: &Diagram, palette: &Palette) -> std::fmt::Result {
        let Palette { ground, text, faint, arc, back, plain, mark, status } = palette;
        writeln!(self.out, ".stabilize text{{fill:{text}}}")?;
        writeln!(self.out, ".stabilize .faint{{fill:{faint}}}")?;
        writeln!(self.out, ".stabilize .ground{{fill:{};stroke:{}}}", ground.fill, ground.line)?;
        writeln!(self.out, ".stabilize .under{{fill:{}}}", ground.fill)?;
        writeln!(self.out, ".stabilize .arc{{stroke:{arc}}}.stabilize .head{{fill:{arc}}}")?;
        writeln!(self.out, ".stabilize .arc.back{{stroke:{back}}}.stabilize .head.back{{fill:{back}}}")?;
        writeln!(self.out, ".stabilize .box{{fill:{};stroke:{}}}", plain.fill, plain.line)?;
        writeln!(self.out, ".stabilize .chip{{fill:{};stroke:{}}}", mark.fill, mark.line)?;
        for status_of_stage in statuses(diagram) {
            let colours = status(status_of_stage);
            let word = word(status_of_stage);
            writeln!(self.out, ".stabilize .box.{word}{{fill:{};stroke:{}}}", colours.fill, colours.line)?;
            writeln!(self.out, ".stabilize .{word}-text{{fill:{}}}", colours.line)?;
        }
        Ok(())
    }

    fn write_title(&mut self, diagram: &Diagram) -> std::fmt::Result {
        let y = MARGIN + 12;
        writeln!(self.out, "<text class=\"title\" x=\"{MARGIN}\" y=\"{y}\">{}</text>", escaped(diagram.title()))?;
        let Some(status) = diagram.status() else { return Ok(()) };
        let (y, word) = (y + SUBTITLE_HEIGHT, word(status));
        let width = columns(status.name()) * SMALL_LETTER + 18;
        let (top, middle) = (y - 14, MARGIN + width / 2);
        writeln!(
            self.out,
            "<rect class=\"box {word}\" x=\"{MARGIN}\" y=\"{top}\" width=\"{width}\" height=\"20\" rx=\"10\"/>"
        )?;
        writeln!(
            self.out,
            "<text class=\"outcome {word}-text\" text-anchor=\"middle\" x=\"{middle}\" y=\"{y}\">{}</text>",
            status.name()
        )?;
        if let Some(id) = diagram.subtitle() {
            let x = MARGIN + width + 10;
            writeln!(self.out, "<text class=\"id faint\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(id))?;
        }
        Ok(())
    }

    /// The middle of a cell.
    fn place(&self, cell: Cell) -> (u32, u32) {
        (self.left + cell.x * CELL_WIDTH + CELL_WIDTH / 2, self.top + cell.y * CELL_HEIGHT + CELL_HEIGHT / 2)
    }

    fn write_arc(&mut self, diagram: &Diagram, arc: &DiagramArc, route: &Route) -> std::fmt::Result {
        let mut points: Vec<(u32, u32)> = route.points().iter().map(|cell| self.place(*cell)).collect();
        let Some(end) = points.last_mut() else { return Ok(()) };
        let tip = *end;
        // The line ends inside its head.
        end.1 -= HEAD - 2;
        let back = if route.direction() == Direction::Back { " back" } else { "" };
        let boxes = diagram.boxes();
        let names = format!("{} to {}", boxes[arc.from()].name(), boxes[arc.to()].name());
        writeln!(
            self.out,
            "<path class=\"arc{back}\" d=\"{}\"><title>{}</title></path>",
            path(&points),
            escaped(&names)
        )?;
        let (x, y, half) = (tip.0, tip.1, HEAD / 2);
        let (left, right, base) = (x - half, x + half, y - HEAD);
        writeln!(self.out, "<path class=\"head{back}\" d=\"M{left} {base}L{x} {y}L{right} {base}Z\"/>")
    }

    fn write_label(&mut self, arc: &DiagramArc, route: &Route) -> std::fmt::Result {
        let (Some(label), Some(rect)) = (arc.label(), route.label()) else { return Ok(()) };
        let (x, y) = self.place(Cell { x: rect.middle(), y: rect.top });
        let width = (columns(label) * 7 + 14).min(rect.width * CELL_WIDTH);
        let (left, top, base) = (x - width / 2, y - 10, y + 4);
        writeln!(self.out, "<rect class=\"chip\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"20\" rx=\"5\"/>")?;
        let class = if arc.is_default() { "label faint" } else { "label" };
        writeln!(
            self.out,
            "<text class=\"{class}\" text-anchor=\"middle\" x=\"{x}\" y=\"{base}\">{}</text>",
            escaped(label)
        )
    }

    fn write_box(&mut self, shown: &DiagramBox, rect: &Rect) -> std::fmt::Result {
        let (left, top) = self.place(Cell { x: rect.left, y: rect.top });
        let (right, bottom) = self.place(Cell { x: *rect.columns().end(), y: *rect.rows().end() });
        let (width, height) = (right - left, bottom - top);
        let class = shown.status().map(|status| format!(" {}", word(status))).unwrap_or_default();
        let radius = if shown.is_end() { height / 2 } else { 7 };
        let all: Vec<String> = shown.lines().collect();
        writeln!(self.out, "<g><title>{}</title>", escaped(&all.join("\n")))?;
        writeln!(
            self.out,
            "<rect class=\"box{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>"
        )?;
        let text_left = left + CELL_WIDTH + CELL_WIDTH / 2;
        let base = |row: u32| top + row * CELL_HEIGHT + 5;
        if shown.is_end() {
            let middle = u32::midpoint(left, right);
            writeln!(
                self.out,
                "<text class=\"faint\" text-anchor=\"middle\" x=\"{middle}\" y=\"{}\">{}</text>",
                base(1),
                escaped(shown.name())
            )?;
            return writeln!(self.out, "</g>");
        }
        writeln!(
            self.out,
            "<text class=\"name\" x=\"{text_left}\" y=\"{}\">{}</text>",
            base(1),
            escaped(shown.name())
        )?;
        if let Some(marks) = shown.marks() {
            self.write_chip(&marks, right - CELL_WIDTH, top + CELL_HEIGHT)?;
        }
        for (row, detail) in (2..).zip(shown.details()) {
            writeln!(
                self.out,
                "<text class=\"faint\" x=\"{text_left}\" y=\"{}\">{}</text>",
                base(row),
                escaped(detail)
            )?;
        }
        if let (Some(outcome), Some(status)) = (shown.outcome(), shown.status()) {
            let row = 2 + u32::try_from(shown.details().len()).unwrap_or(0);
            writeln!(
                self.out,
                "<text class=\"outcome {}-text\" x=\"{text_left}\" y=\"{}\">{outcome}</text>",
                word(status),
                base(row)
            )?;
        }
        writeln!(self.out, "</g>")
    }

    /// Small words on a ground of their own, up to the column `right`.
    fn write_chip(&mut self, words: &str, right: u32, middle: u32) -> std::fmt::Result {
        let width = columns(words) * 7 + 8;
        let (left, top, base) = (right - width, middle - 8, middle + 4);
        let centre = right - width / 2;
        writeln!(self.out, "<rect class=\"chip\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"16\" rx=\"8\"/>")?;
        writeln!(
            self.out,
            "<text class=\"mark faint\" text-anchor=\"middle\" x=\"{centre}\" y=\"{base}\">{words}</text>"
        )
    }

    fn write_legend(&mut self, rows: u32) -> std::fmt::Result {
        let first = self.top + rows * CELL_HEIGHT + 16;
        for (line, entries) in (0..).zip(std::mem::take(&mut self.legend)) {
            let (mut x, y) = (MARGIN, first + line * LEGEND_HEIGHT);
            let (top, base) = (y + 2, y + 12);
            for entry in entries {
                match entry.class.as_str() {
                    "" => {}
                    "back" => writeln!(self.out, "<path class=\"arc back\" d=\"M{x} {}h18\"/>", y + 8)?,
                    class => writeln!(
                        self.out,
                        "<rect class=\"box {class}\" x=\"{x}\" y=\"{top}\" width=\"16\" height=\"12\" rx=\"3\"/>"
                    )?,
                }
                let text = if entry.class.is_empty() { x } else { x + SWATCH };
                let meaning = if entry.meaning.is_empty() {
                    String::new()
                } else {
                    format!(" <tspan class=\"faint\">{}</tspan>", entry.meaning)
                };
                writeln!(self.out, "<text x=\"{text}\" y=\"{base}\">{}{meaning}</text>", entry.sign)?;
                x += entry.width();
            }
        }
        Ok(())
    }
}

/// The statuses that have a colour in it.
fn statuses(diagram: &Diagram) -> Vec<Status> {
    let mut statuses = diagram.legend().statuses().to_vec();
    statuses.extend(diagram.status());
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// The entries of the legend, in lines of at most this width.
fn legend(diagram: &Diagram, width: u32) -> Vec<Vec<Entry>> {
    let legend = diagram.legend();
    let status =
        |status: &Status| Entry { class: word(*status), sign: status.name().to_owned(), meaning: String::new() };
    let mark = |mark: &Mark| {
        let (class, sign) = match mark {
            Mark::Back => ("back".to_owned(), String::new()),
            _ => (String::new(), mark.sign().to_owned()),
        };
        Entry { class, sign, meaning: mark.meaning().to_owned() }
    };
    let statuses = legend.statuses().iter().map(status).collect();
    let marks = legend.marks().iter().map(mark).collect();
    [statuses, marks].into_iter().flat_map(|entries| wrapped(entries, width)).collect()
}

fn wrapped(entries: Vec<Entry>, width: u32) -> Vec<Vec<Entry>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut used = 0;
    for entry in entries {
        if used + entry.width() > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        used += entry.width();
        line.push(entry);
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
}

/// A line through these points, its corners round.
fn path(points: &[(u32, u32)]) -> String {
    let mut path = String::new();
    let mut write = |text: String| path.push_str(&text);
    for (place, (x, y)) in points.iter().enumerate() {
        let (before, after) = (place.checked_sub(1).map(|place| points[place]), points.get(place + 1));
        match (before, after) {
            (None, _) => write(format!("M{x} {y}")),
            (Some(_), None) => write(format!("L{x} {y}")),
            (Some(before), Some(after)) => {
                let radius = CORNER.min(length(before, (*x, *y)) / 2).min(length((*x, *y), *after) / 2);
                let (from, to) = (toward((*x, *y), before, radius), toward((*x, *y), *after, radius));
                write(format!("L{} {}Q{x} {y} {} {}", from.0, from.1, to.0, to.1));
            }
        }
    }
    path
}

fn length(one: (u32, u32), other: (u32, u32)) -> u32 {
    one.0.abs_diff(other.0) + one.1.abs_diff(other.1)
}

/// The point at this distance from `from` on the way to `to`, which lies straight above, below or beside it.
fn toward(from: (u32, u32), to: (u32, u32), distance: u32) -> (u32, u32) {
    let go = |from: u32, to: u32| match from.cmp(&to) {
        std::cmp::Ordering::Less => from + distance,
        std::cmp::Ordering::Equal => from,
        std::cmp::Ordering::Greater => from - distance,
    };
    (go(from.0, to.0), go(from.1, to.1))
}

/// A text as it may stand in an element or attribute; letters that XML does not know are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
