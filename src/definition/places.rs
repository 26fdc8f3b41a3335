//! Where the stages of a definition stand in the text it was read from, so that what is found later can show the line.

use std::fmt;
use std::sync::Arc;

use super::Definition;
use super::document::Span;
use super::problem::write_line;

/// The places of stages, in the order of their indices.
pub(super) struct Places {
    /// The text that they are places of.
    pub(super) text: Arc<str>,
    /// Where the ref id of each stage stands; none where there is no text.
    pub(super) spans: Vec<Span>,
}

impl Places {
    /// Those of a definition that was read from no text.
    pub(super) fn none() -> Places {
        Places { text: Arc::from(""), spans: Vec::new() }
    }
}

impl Definition {
    /// Where the ref id of a stage stands in the text this was read from, or in the calls that built it.
    ///
    /// `None` for a stage that it does not have, and for a definition that was read back from a log.
    pub fn span_of(&self, ref_id: &str) -> Option<&Span> {
        let stage = self.0.graph.stages.iter().position(|stage| stage.ref_id == ref_id)?;
        self.0.places.spans.get(stage)
    }

    /// The line of the text with carets below what `span` covers, as compilers print it, and how wide the margin is.
    pub(crate) fn quote(&self, f: &mut fmt::Formatter<'_>, span: &Span) -> Result<usize, fmt::Error> {
        let text = &self.0.places.text;
        let lines: Vec<&str> = text.lines().collect();
        write_line(f, span, text, &lines)
    }
}
