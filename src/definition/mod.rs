//! What a workflow is: an immutable, checked graph.

mod code;
mod document;
mod error;
mod flow_hint;
mod graph;
mod json;
mod problem;
mod shell_scanner;
mod shell_text;
mod template;
mod yaml;

pub use code::ProblemCode;
pub use document::Span;
pub(crate) use error::TemplateError;
pub use problem::{Problem, Problems, Severity};
pub(crate) use shell_text::ShellText;
pub(crate) use template::Template;
