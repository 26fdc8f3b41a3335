//! What is wrong with a definition: every problem with its code, place, text and hint, printed like a compiler does.

use std::fmt;
use std::sync::Arc;

use super::code::ProblemCode;
use super::document::Span;
use crate::limits::PROBLEMS_MAX;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The definition is accepted; this probably is not what its author means.
    Warning,
    /// The definition is refused.
    Error,
}

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: ProblemCode,
    severity: Severity,
    span: Span,
    message: String,
    help: Option<String>,
}

impl Problem {
    /// A reason to refuse the definition.
    pub(super) fn error(code: ProblemCode, span: &Span, message: impl Into<String>) -> Problem {
        Problem {
            code,
            severity: Severity::Error,
            span: span.clone(),
            message: message.into(),
            help: Some(code.cure().to_owned()),
        }
    }

    /// A doubt about the definition.
    pub(super) fn warning(code: ProblemCode, span: &Span, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(code, span, message) }
    }

    /// The same problem with a hint.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// The same problem, with a hint if there is one.
    pub(super) fn with_hint(mut self, help: Option<String>) -> Problem {
        self.help = help.or(self.help);
        self
    }

    /// What kind of problem it is.
    pub fn code(&self) -> ProblemCode {
        self.code
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Where it is.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// What is wrong: lower case, without full stop.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// Everything that is wrong with a definition, in document order.
///
/// Prints each problem as `FILE:LINE:COLUMN: error[CODE]: text`, with the line it stands in and a hint, and for the
/// first of each kind where the documentation explains it.
#[derive(Clone, Debug)]
pub struct Problems {
    problems: Vec<Problem>,
    file: Option<String>,
    source: Arc<str>,
}

impl Problems {
    /// These problems of a definition read from `source`, sorted by place; what was said twice is said once.
    pub(super) fn new(mut problems: Vec<Problem>, source: Arc<str>) -> Problems {
        problems.sort_by(|left, right| {
            let order = |problem: &Problem| (problem.span.order(), problem.code);
            order(left).cmp(&order(right)).then_with(|| left.message.cmp(&right.message))
        });
        problems.dedup();
        problems.truncate(PROBLEMS_MAX);
        Problems { problems, file: None, source }
    }

    /// The problem that a file could not be read.
    pub(crate) fn unreadable(file: &str, reason: &str) -> Problems {
        let message = format!("could not read the file: {reason}");
        let problem = Problem::error(ProblemCode::UnreadableFile, &Span::start(), message);
        Problems::new(vec![problem], Arc::from("")).in_file(file)
    }

    /// The same problems, printed with this file name.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Problems {
        self.file = Some(file.into());
        self
    }

    /// The problems in document order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Is it the first of its kind? Only that one says where its kind is explained.
    fn is_first(&self, problem: &Problem) -> bool {
        self.problems.iter().find(|other| other.code == problem.code).is_some_and(|first| std::ptr::eq(first, problem))
    }

    fn write_problem(&self, f: &mut fmt::Formatter<'_>, problem: &Problem, lines: &[&str]) -> fmt::Result {
        let severity = match problem.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        write!(f, "{}: {severity}[{}]: {}", problem.span, problem.code, Escaped(&problem.message))?;
        let margin = write_line(f, &problem.span, &self.source, lines)?;
        if let Some(help) = &problem.help {
            write!(f, "\n{:margin$} = help: {}", "", Escaped(help))?;
        }
        if self.is_first(problem) {
            write!(f, "\n{:margin$} = see {}", "", problem.code.anchor())?;
        }
        Ok(())
    }
}

/// The line of the source with a caret below; the answer is the width of the line's number.
pub(super) fn write_line(
    f: &mut dyn fmt::Write,
    span: &Span,
    source: &str,
    lines: &[&str],
) -> Result<usize, fmt::Error> {
    let (Some(line), Some(column), Some(bytes)) = (span.line(), span.column(), span.bytes()) else {
        return Ok(0);
    };
    let number = line.to_string();
    let Some(text) = lines.get(line as usize - 1) else {
        return Ok(number.len());
    };
    let Window { text, before, after } = Window::around(text, column as usize - 1);
    let covered = source.get(bytes).unwrap_or("").lines().next().unwrap_or("").chars().count();
    let carets = covered.clamp(1, after.max(1));
    let margin = number.len();
    write!(f, "\n{:margin$} |\n{number} | {}\n{:margin$} | {:before$}{:^<carets$}", "", Escaped(text), "", "", "")?;
    Ok(margin)
}

/// The part of a long line that is shown.
struct Window<'t> {
    text: &'t str,
    /// Characters shown before the place.
    before: usize,
    /// Characters shown from the place on.
    after: usize,
}

impl<'t> Window<'t> {
    /// Characters of a line that are shown.
    const WIDTH: usize = 160;

    fn around(line: &'t str, column: usize) -> Window<'t> {
        let length = line.chars().count();
        let skipped = if length <= Window::WIDTH { 0 } else { column.saturating_sub(Window::WIDTH / 2) };
        let byte = |index: usize| line.char_indices().nth(index).map_or(line.len(), |(byte, _)| byte);
        let end = (skipped + Window::WIDTH).min(length);
        let before = column.min(length) - skipped.min(column.min(length));
        Window { text: &line[byte(skipped)..byte(end)], before, after: end.saturating_sub(column) }
    }
}

/// Prints text so that it cannot steer a terminal: a control character is one replacement character wide.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '\t' => f.write_str(" "),
            letter if letter.is_control() => f.write_str("\u{fffd}"),
            letter => write!(f, "{letter}"),
        })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.source.lines().collect();
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            self.write_problem(f, problem, &lines)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
