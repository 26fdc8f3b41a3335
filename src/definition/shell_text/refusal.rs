//! Why an expression cannot stand at a place of shell text, with the way out.

use crate::definition::code::ProblemCode;

/// Why no expression can stand in the word that is being read.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    pub(super) code: ProblemCode,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

const USE_ENV: &str = "put it into env: and read the variable there, as in env: { NAME: \"${{ x }}\" } and \"$NAME\"";

pub(super) const ARITHMETIC: Refusal = Refusal {
    code: ProblemCode::TemplateInArithmetic,
    message: "`${{` inside shell arithmetic, which can run a value as code",
    help: "put it into env: and check that it is a number before computing with it",
};

pub(super) const EVAL: Refusal = Refusal {
    code: ProblemCode::TemplateInShellSyntax,
    message: "`eval` would run the value as code",
    help: "call the command directly; if the value is meant to be code, put it into env:",
};

pub(super) const INNER_SHELL: Refusal = Refusal {
    code: ProblemCode::TemplateInShellSyntax,
    message: "the inner shell would run the value as code",
    help: "hand it over as an argument: sh -c 'echo \"$1\"' sh ${{ x }}",
};

pub(super) const SINGLE_QUOTES: Refusal = Refusal {
    code: ProblemCode::TemplateInSingleQuotes,
    message: "`${{` inside single quotes, where the shell reads no variable",
    help: USE_ENV,
};

pub(super) const QUOTED_HERE_DOCUMENT: Refusal = Refusal {
    code: ProblemCode::TemplateInQuotedHereDocument,
    message: "`${{` inside a quoted here-document, where the shell reads no variable",
    help: "put it into env:, or write the delimiter without quotes",
};

pub(super) const BACKSLASH: Refusal = Refusal {
    code: ProblemCode::TemplateInShellSyntax,
    message: "`${{` behind a backslash",
    help: "`$${{` writes `${{`; to put a backslash before a value, quote it: '\\'${{ x }}",
};

pub(super) const DELIMITER: Refusal = Refusal {
    code: ProblemCode::TemplateInShellSyntax,
    message: "`${{` in the delimiter of a here-document",
    help: "a delimiter is fixed text",
};

pub(super) const PARAMETER: Refusal = Refusal {
    code: ProblemCode::TemplateInShellSyntax,
    message: "`${{` inside `${ }` other than in a default such as ${NAME:-${{ x }}}",
    help: USE_ENV,
};

pub(super) const TOO_DEEP: Refusal = Refusal {
    code: ProblemCode::TemplateInShellSyntax,
    message: "`${{` in shell text that is nested too deep to be understood",
    help: USE_ENV,
};

pub(super) const UNCLOSED: Refusal =
    Refusal { code: ProblemCode::UnclosedExpression, message: "`${{` without `}}`", help: "`$${{` writes `${{`" };
