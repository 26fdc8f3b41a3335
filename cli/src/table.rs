//! Small tables for people: columns as wide as their widest cell, two spaces apart.

use crate::paint::{HEADING, Paint, Style, harmless};

/// Rows under a heading.
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One place in a table.
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Text in a style of its own.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: harmless(&text.into()), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::styled(text, Style::new())
    }
}

impl Table {
    /// No rows under these headings.
    pub(crate) fn new(heading: &[&'static str]) -> Table {
        Table { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; what it has beyond the headings is not shown.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, without line ends and without spaces at their ends.
    pub(crate) fn lines(&self, paint: Paint) -> Vec<String> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.chars().count());
            cells.chain(self.heading.get(column).map(|name| name.len())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        let heading: Vec<Cell> = self.heading.iter().map(|name| Cell::styled(*name, HEADING)).collect();
        std::iter::once(&heading).chain(&self.rows).map(|row| line(row, &widths, paint)).collect()
    }
}

fn line(row: &[Cell], widths: &[usize], paint: Paint) -> String {
    let last = row.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or(0);
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate().take(last + 1) {
        line.push_str(&paint.paint(cell.style, &cell.text).to_string());
        if column < last {
            let gap = width - cell.text.chars().count() + 2;
            line.extend(std::iter::repeat_n(' ', gap));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_a_space() {
        let mut table = Table::new(&["STAGE", "STATUS", "ERROR"]);
        table.row(["build".into(), "SUCCEEDED".into(), "".into()]);
        table.row(["a longer name".into(), "TERMINAL".into(), "exit\n1".into()]);
        assert_eq!(
            table.lines(Paint::Plain),
            ["STAGE          STATUS     ERROR", "build          SUCCEEDED", "a longer name  TERMINAL   exit\u{fffd}1"]
        );
    }

    #[test]
    fn colours_do_not_move_columns() {
        let mut table = Table::new(&["A", "B"]);
        table.row([Cell::styled("x", HEADING), "y".into()]);
        assert_eq!(table.lines(Paint::Colours)[1], "\u{1b}[1mx\u{1b}[0m  y");
    }
}
