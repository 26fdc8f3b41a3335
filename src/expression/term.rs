//! The tree of an expression. Operators of one level stand side by side in it, so that only brackets, signs and arms
//! of a choice make it deep.

use std::ops::Range;

use crate::value::Value;

/// A part of an expression and where it stands in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Term {
    pub(super) kind: TermKind,
    pub(super) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TermKind {
    Literal(Value),
    Name(String),
    List(Vec<Term>),
    /// A value and the way from it to one inside.
    Path(Box<Term>, Vec<Key>),
    Negate(Box<Term>),
    Not(Box<Term>),
    /// `and`: two or more.
    All(Vec<Term>),
    /// `or`: two or more.
    Any(Vec<Term>),
    /// A first operand, and operators with theirs: one or more.
    Compare(Box<Term>, Vec<(Comparison, Term)>),
    Choice(Box<Choice>),
}

/// `then if condition else otherwise`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) condition: Term,
    pub(super) then: Term,
    pub(super) otherwise: Term,
}

/// One part of a way into a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    /// `.name`
    Member(String, Range<usize>),
    /// `[term]`; the range takes in the brackets.
    Index(Term, Range<usize>),
}

impl Key {
    pub(super) fn span(&self) -> &Range<usize> {
        match self {
            Key::Member(_, span) | Key::Index(_, span) => span,
        }
    }

    /// The key, if it is a text that stands in the expression.
    fn fixed(&self) -> Option<&str> {
        match self {
            Key::Member(name, _) => Some(name),
            Key::Index(Term { kind: TermKind::Literal(value), .. }, _) => value.as_str(),
            Key::Index(..) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

impl Comparison {
    /// The operator as it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::In => "in",
            Comparison::NotIn => "not in",
            Comparison::Is => "is",
            Comparison::IsNot => "is not",
        }
    }
}

/// A use of a name in an expression: `stages.build.outputs["tag"]` has root `stages`, path `build`, `outputs`, `tag`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The name.
    pub root: String,
    /// The keys behind it, up to the first that is not a text written in the expression.
    pub path: Vec<String>,
    /// The bytes of the expression's text that root and path take.
    pub span: Range<usize>,
}

impl Term {
    pub(super) fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect(&self, found: &mut Vec<Reference>) {
        match &self.kind {
            TermKind::Literal(_) => (),
            TermKind::Name(name) => found.push(self.reference(name, &[])),
            TermKind::Path(base, keys) => {
                match &base.kind {
                    TermKind::Name(name) => found.push(base.reference(name, keys)),
                    _ => base.collect(found),
                }
                for key in keys {
                    if let Key::Index(index, _) = key {
                        index.collect(found);
                    }
                }
            }
            TermKind::Negate(operand) | TermKind::Not(operand) => operand.collect(found),
            TermKind::List(terms) | TermKind::All(terms) | TermKind::Any(terms) => {
                terms.iter().for_each(|term| term.collect(found));
            }
            TermKind::Compare(first, rest) => {
                first.collect(found);
                rest.iter().for_each(|(_, term)| term.collect(found));
            }
            TermKind::Choice(choice) => {
                choice.then.collect(found);
                choice.condition.collect(found);
                choice.otherwise.collect(found);
            }
        }
    }

    fn reference(&self, name: &str, keys: &[Key]) -> Reference {
        let fixed: Vec<&str> = keys.iter().map_while(Key::fixed).collect();
        let end = fixed.len().checked_sub(1).map_or(self.span.end, |last| keys[last].span().end);
        Reference {
            root: name.to_owned(),
            path: fixed.into_iter().map(str::to_owned).collect(),
            span: self.span.start..end,
        }
    }
}
