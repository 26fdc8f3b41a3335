//! Where results go: standard output, as a person or a machine reads it. What is no result goes to standard error.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

use crate::paint::Paint;
use crate::table::Table;

/// Who reads the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A person: tables and sentences, in colours on a terminal.
    Human,
    /// A program: one JSON value a line, always in UTF-8 and without colours.
    Json,
}

/// Standard output.
pub(crate) struct Output {
    form: Form,
    paint: Paint,
    out: BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// Standard output for this reader.
    pub(crate) fn new(form: Form) -> Output {
        let out = io::stdout().lock();
        Output { form, paint: Paint::of(&out), out: BufWriter::new(out) }
    }

    /// Who reads it.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Whether it shows colours.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Writes one JSON value on one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// Writes one JSON value: for a person over several lines, for a program on one.
    pub(crate) fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.form == Form::Json {
            return self.json(value);
        }
        serde_json::to_writer_pretty(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Writes a table.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        let paint = self.paint;
        table.lines(paint).iter().try_for_each(|line| self.line(line))
    }

    /// Hands on what has been written so far.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
