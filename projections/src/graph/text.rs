//! A drawing in letters: boxes and arcs from the letters made for them, a cell of the layout each.
//!
//! Where arcs cross without meaning each other, the one that goes down is drawn on top; where they meet, the letter
//! has a branch for each. Whoever prints it gives the tones colours, or does not.

use stabilize::Status;
use stabilize::limits::DRAWN_CELLS_MAX;

use super::diagram::DiagramBox;
use super::drawing::Drawing;
use super::layout::{Cell, Direction, Rect, Route, TooLarge};
use super::letters::{columns, columns_of};

/// What a piece of text is, for whoever gives it a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// The name of a stage, or a title.
    Name,
    /// Arcs, details, marks.
    Faint,
    /// Something that has this status.
    Status(Status),
}

/// Text in one tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPiece {
    /// What it is.
    pub tone: Tone,
    /// The text, without control characters.
    pub text: String,
}

/// A line of a drawing, without blanks at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLine {
    pieces: Vec<TextPiece>,
}

impl TextLine {
    /// Its pieces from left to right; neighbours differ in tone.
    pub fn pieces(&self) -> &[TextPiece] {
        &self.pieces
    }

    fn of(pieces: impl IntoIterator<Item = (Tone, String)>) -> TextLine {
        let mut line = TextLine { pieces: Vec::new() };
        pieces.into_iter().for_each(|(tone, text)| line.push(tone, &text));
        line
    }

    fn push(&mut self, tone: Tone, text: &str) {
        match self.pieces.last_mut() {
            Some(last) if last.tone == tone => last.text.push_str(text),
            _ => self.pieces.push(TextPiece { tone, text: text.to_owned() }),
        }
    }
}

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;
/// An arc turns here, so what meets here belongs together.
const TURN: u8 = 16;
/// An arc passes here that does not lead back.
const FORWARD: u8 = 32;

/// What stands beside a wide letter's first column.
const COVERED: char = '\0';

/// The letters of a drawing, before they are lines.
struct Canvas {
    width: usize,
    lines: Vec<u8>,
    letters: Vec<char>,
    tones: Vec<Tone>,
}

pub(super) fn lines(drawing: &Drawing<'_>) -> Result<Vec<TextLine>, TooLarge> {
    let (diagram, layout) = (drawing.diagram(), drawing.layout());
    let cells = layout.width() as usize * layout.height() as usize;
    if cells > DRAWN_CELLS_MAX {
        return Err(TooLarge { what: "cells", found: cells, limit: DRAWN_CELLS_MAX });
    }
    let mut canvas = Canvas {
        width: layout.width() as usize,
        lines: vec![0; cells],
        letters: vec![' '; cells],
        tones: vec![Tone::Plain; cells],
    };
    layout.routes().iter().for_each(|route| canvas.trace(route));
    canvas.draw_lines();
    for (shown, rect) in diagram.boxes().iter().zip(layout.boxes()) {
        canvas.draw_box(shown, rect);
    }
    for (arc, route) in diagram.arcs().iter().zip(layout.routes()) {
        if let (Some(label), Some(rect)) = (arc.label(), route.label()) {
            let blank = " ".repeat(rect.width as usize);
            canvas.write(Cell { x: rect.left, y: rect.top }, &blank, Tone::Plain);
            let left = rect.left + (rect.width - columns(label)) / 2;
            canvas.write(Cell { x: left, y: rect.top }, label, Tone::Plain);
        }
        canvas.draw_ends(route);
    }
    let mut lines = vec![title(drawing), TextLine::of([])];
    lines.extend((0..layout.height() as usize).map(|row| canvas.line(row)));
    lines.extend(legend(drawing));
    Ok(lines)
}

fn title(drawing: &Drawing<'_>) -> TextLine {
    let diagram = drawing.diagram();
    let mut pieces = vec![(Tone::Name, diagram.title().to_owned())];
    pieces.extend(diagram.subtitle().map(|subtitle| (Tone::Faint, format!("  {subtitle}"))));
    pieces.extend(diagram.status().map(|status| (Tone::Status(status), format!("  {}", status.name()))));
    TextLine::of(pieces)
}

fn legend(drawing: &Drawing<'_>) -> Vec<TextLine> {
    let legend = drawing.diagram().legend();
    let mut lines = Vec::new();
    if !legend.statuses().is_empty() {
        let entries = legend.statuses().iter().enumerate().flat_map(|(place, status)| {
            let apart = if place == 0 { "" } else { "  " };
            [(Tone::Plain, apart.to_owned()), (Tone::Status(*status), format!("\u{25a0} {}", status.name()))]
        });
        lines.push(TextLine::of(entries.filter(|(_, text)| !text.is_empty())));
    }
    for mark in legend.marks() {
        lines.push(TextLine::of([(Tone::Faint, format!("{}: {}", mark.sign(), mark.meaning()))]));
    }
    if !lines.is_empty() {
        lines.insert(0, TextLine::of([]));
    }
    lines
}

impl Canvas {
    fn at(&self, cell: Cell) -> usize {
        cell.y as usize * self.width + cell.x as usize
    }

    /// Marks the cells of an arc with the sides on which it leaves them.
    fn trace(&mut self, route: &Route) {
        let forward = if route.direction() == Direction::Forward { FORWARD } else { 0 };
        for pair in route.points().windows(2) {
            let (from, to) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
            let (back, ahead, stride) = if from.x == to.x { (UP, DOWN, self.width) } else { (LEFT, RIGHT, 1) };
            let (mut at, end) = (self.at(from), self.at(to));
            while at < end {
                self.lines[at] |= ahead | forward;
                at += stride;
                self.lines[at] |= back | forward;
            }
        }
        let inner = route.points().get(1..route.points().len().saturating_sub(1)).unwrap_or_default();
        for turn in inner {
            let at = self.at(*turn);
            self.lines[at] |= TURN;
        }
    }

    fn draw_lines(&mut self) {
        for at in 0..self.lines.len() {
            let line = self.lines[at];
            if line != 0 {
                self.letters[at] = letter(line);
                self.tones[at] = Tone::Faint;
            }
        }
    }

    fn draw_box(&mut self, shown: &DiagramBox, rect: &Rect) {
        let tone = shown.status().map_or(Tone::Plain, Tone::Status);
        let (left, right) = (rect.left, *rect.columns().end());
        let (top, bottom) = (rect.top, *rect.rows().end());
        let inner = "\u{2500}".repeat(rect.width as usize - 2);
        let corners = if shown.is_end() {
            ["\u{256d}", "\u{256e}", "\u{2570}", "\u{256f}"]
        } else {
            ["\u{250c}", "\u{2510}", "\u{2514}", "\u{2518}"]
        };
        self.write(Cell { x: left, y: top }, &format!("{}{inner}{}", corners[0], corners[1]), tone);
        self.write(Cell { x: left, y: bottom }, &format!("{}{inner}{}", corners[2], corners[3]), tone);
        let blank = " ".repeat(rect.width as usize - 2);
        for y in top + 1..bottom {
            self.write(Cell { x: left, y }, "\u{2502}", tone);
            self.write(Cell { x: left + 1, y }, &blank, Tone::Plain);
            self.write(Cell { x: right, y }, "\u{2502}", tone);
        }
        let first = Cell { x: left + 2, y: top + 1 };
        self.write(first, shown.name(), Tone::Name);
        if let Some(marks) = shown.marks() {
            self.write(Cell { x: right - 1 - columns(&marks), y: first.y }, &marks, Tone::Faint);
        }
        let details = shown.details().iter().map(|detail| (detail.clone(), Tone::Faint));
        let outcome = shown.outcome().map(|outcome| (outcome, tone));
        for (y, (text, tone)) in (first.y + 1..).zip(details.chain(outcome)) {
            self.write(Cell { x: first.x, y }, &text, tone);
        }
    }

    /// Where an arc leaves its box the border has a branch, before the box it leads to it has a head.
    fn draw_ends(&mut self, route: &Route) {
        let (Some(first), Some(last)) = (route.points().first(), route.points().last()) else { return };
        let at = self.at(*first);
        self.letters[at] = '\u{252c}';
        if let Some(above) = last.y.checked_sub(1) {
            let at = self.at(Cell { x: last.x, y: above });
            self.letters[at] = if route.direction() == Direction::Back { '\u{25bd}' } else { '\u{25bc}' };
            self.tones[at] = Tone::Faint;
        }
    }

    fn write(&mut self, from: Cell, text: &str, tone: Tone) {
        let mut at = self.at(from);
        for letter in text.chars() {
            let width = columns_of(letter);
            if width == 0 {
                continue;
            }
            self.letters[at] = letter;
            self.tones[at] = tone;
            if width == 2 {
                self.letters[at + 1] = COVERED;
                self.tones[at + 1] = tone;
            }
            at += width as usize;
        }
    }

    fn line(&self, row: usize) -> TextLine {
        let from = row * self.width;
        let cells = self.letters[from..from + self.width].iter().zip(&self.tones[from..from + self.width]);
        let used = cells.clone().rposition(|(letter, _)| *letter != ' ').map_or(0, |last| last + 1);
        let mut line = TextLine { pieces: Vec::new() };
        for (letter, tone) in cells.take(used).filter(|(letter, _)| **letter != COVERED) {
            // A blank has no tone of its own, unless it parts words.
            line.push(if *letter == ' ' { Tone::Plain } else { *tone }, letter.encode_utf8(&mut [0; 4]));
        }
        line
    }
}

/// The letter for the sides on which arcs leave a cell.
fn letter(line: u8) -> char {
    let is_dashed = line & FORWARD == 0;
    match line & (UP | DOWN | LEFT | RIGHT) {
        // No arc turns here: they only cross.
        15 if line & TURN == 0 => '\u{2502}',
        15 => '\u{253c}',
        3 if is_dashed => '\u{2506}',
        12 if is_dashed => '\u{2504}',
        1..=3 => '\u{2502}',
        4 | 8 | 12 => '\u{2500}',
        5 => '\u{2518}',
        6 => '\u{2510}',
        7 => '\u{2524}',
        9 => '\u{2514}',
        10 => '\u{250c}',
        11 => '\u{251c}',
        13 => '\u{2534}',
        14 => '\u{252c}',
        _ => ' ',
    }
}
