//! From text to tokens. Names the constructs of Python that expressions leave out, since most show in one token.

use std::ops::Range;

use super::error::ExpressionError;
use super::literal;
use crate::value::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Name(String),
    /// A name behind a dot; the dot is part of the token.
    Member(String),
    Literal(Value),
    And,
    Or,
    Not,
    In,
    Is,
    If,
    Else,
    Comma,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Minus,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Behind the last character.
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// The tokens of `text`; the last is always `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let mut lexer = Lexer { text, offset: 0, tokens: Vec::new() };
    loop {
        lexer.skip_blanks();
        let start = lexer.offset;
        let kind = lexer.next()?;
        let ended = kind == TokenKind::End;
        lexer.tokens.push(Token { kind, span: start..lexer.offset });
        if ended {
            return Ok(lexer.tokens);
        }
    }
}

/// Whether `letter` may begin a name.
fn begins_name(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

/// Whether `letter` may stand inside a name.
pub(super) fn continues_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct Lexer<'t> {
    text: &'t str,
    offset: usize,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.offset..]
    }

    fn skip_blanks(&mut self) {
        self.offset += self.rest().len() - self.rest().trim_start().len();
    }

    /// Whether the last token ends an operand, so that an operator or a bracket of a call may follow.
    fn after_operand(&self) -> bool {
        matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(
                TokenKind::Name(_)
                    | TokenKind::Member(_)
                    | TokenKind::Literal(_)
                    | TokenKind::Close
                    | TokenKind::CloseBracket
            )
        )
    }

    fn next(&mut self) -> Result<TokenKind, ExpressionError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(TokenKind::End);
        };
        let digit_second = rest[first.len_utf8()..].starts_with(|letter: char| letter.is_ascii_digit());
        match first {
            '.' if self.after_operand() => self.member(),
            '0'..='9' => self.number(),
            '.' if digit_second => self.number(),
            '"' | '\'' => self.string(),
            _ if begins_name(first) => self.name(),
            _ => self.symbol(first),
        }
    }

    fn name(&mut self) -> Result<TokenKind, ExpressionError> {
        let start = self.offset;
        let rest = self.rest();
        let name = &rest[..rest.find(|letter| !continues_name(letter)).unwrap_or(rest.len())];
        self.offset += name.len();
        let prefixes = ["b", "br", "f", "fr", "r", "rb", "rf", "t", "tr", "rt", "u"];
        if self.rest().starts_with(['"', '\'']) && prefixes.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(ExpressionError::unsupported(start..self.offset + 1, &format!("strings with prefix `{name}`")));
        }
        let unsupported = |constructs| Err(ExpressionError::unsupported(start..start + name.len(), constructs));
        Ok(match name {
            "True" | "true" => TokenKind::Literal(Value::Bool(true)),
            "False" | "false" => TokenKind::Literal(Value::Bool(false)),
            "None" | "none" | "null" => TokenKind::Literal(Value::Null),
            "and" => TokenKind::And,
            "or" => TokenKind::Or,
            "not" => TokenKind::Not,
            "in" => TokenKind::In,
            "is" => TokenKind::Is,
            "if" => TokenKind::If,
            "else" => TokenKind::Else,
            "for" | "async" => return unsupported("comprehensions (`for`)"),
            "lambda" => return unsupported("functions (`lambda`)"),
            "await" | "yield" => return unsupported("coroutines (`await`, `yield`)"),
            _ => TokenKind::Name(name.to_owned()),
        })
    }

    fn member(&mut self) -> Result<TokenKind, ExpressionError> {
        self.offset += 1;
        self.skip_blanks();
        let rest = self.rest();
        let length = rest.find(|letter| !continues_name(letter) && letter != '-').unwrap_or(rest.len());
        if length == 0 || rest.starts_with('-') {
            return Err(ExpressionError::syntax(self.offset..self.offset, "expected a name behind `.`"));
        }
        self.offset += length;
        Ok(TokenKind::Member(rest[..length].to_owned()))
    }

    fn number(&mut self) -> Result<TokenKind, ExpressionError> {
        let (value, length) = literal::number(self.rest(), self.offset)?;
        self.offset += length;
        Ok(TokenKind::Literal(value))
    }

    fn string(&mut self) -> Result<TokenKind, ExpressionError> {
        let (string, length) = literal::string(self.rest(), self.offset)?;
        self.offset += length;
        Ok(TokenKind::Literal(Value::String(string)))
    }

    fn symbol(&mut self, first: char) -> Result<TokenKind, ExpressionError> {
        let table = [
            ("==", TokenKind::Equal),
            ("!=", TokenKind::NotEqual),
            ("<=", TokenKind::LessOrEqual),
            (">=", TokenKind::GreaterOrEqual),
            ("<", TokenKind::Less),
            (">", TokenKind::Greater),
            ("[", TokenKind::OpenBracket),
            ("]", TokenKind::CloseBracket),
            ("(", TokenKind::Open),
            (")", TokenKind::Close),
            (",", TokenKind::Comma),
            ("-", TokenKind::Minus),
        ];
        if let Some(error) = self.foreign_symbol() {
            return Err(error);
        }
        for (symbol, kind) in table {
            if self.rest().starts_with(symbol) {
                self.offset += symbol.len();
                return Ok(kind);
            }
        }
        let span = self.offset..self.offset + first.len_utf8();
        Err(ExpressionError::syntax(span, format!("unexpected {first:?}")))
    }

    /// The error for a symbol that people know from Python or elsewhere and that has no meaning here.
    fn foreign_symbol(&self) -> Option<ExpressionError> {
        let hints =
            [("&&", "write `and` for `&&`"), ("||", "write `or` for `||`"), ("?", "write `a if condition else b`")];
        let constructs = [
            ("...", "ellipses (`...`)"),
            (":=", "assignments (`:=`)"),
            ("<<", "shifts"),
            (">>", "shifts"),
            ("+", "arithmetic operators"),
            ("*", "arithmetic operators"),
            ("/", "arithmetic operators"),
            ("%", "arithmetic operators"),
            ("@", "arithmetic operators"),
            ("~", "bit operators"),
            ("&", "bit operators"),
            ("|", "bit operators"),
            ("^", "bit operators"),
            ("{", "map and set literals (`{`)"),
            (":", "slices (`:`)"),
            (";", "statements (`;`)"),
            ("#", "comments (`#`)"),
        ];
        let rest = self.rest();
        let span = |symbol: &str| self.offset..self.offset + symbol.len();
        if let Some((symbol, hint)) = hints.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            return Some(ExpressionError::syntax(span(symbol), *hint));
        }
        if let Some((symbol, construct)) = constructs.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            return Some(ExpressionError::unsupported(span(symbol), construct));
        }
        if rest.starts_with('=') && !rest.starts_with("==") {
            return Some(ExpressionError::unsupported(span("="), "assignments (`=`; equality is `==`)"));
        }
        if rest.starts_with('!') && !rest.starts_with("!=") {
            return Some(ExpressionError::syntax(span("!"), "write `not` for `!`"));
        }
        if self.after_operand() && rest.starts_with('(') {
            return Some(ExpressionError::unsupported(span("("), "calls"));
        }
        if self.after_operand() && rest.starts_with('-') {
            let construct = "arithmetic operators (for a name with `-` write context[\"the-name\"])";
            return Some(ExpressionError::unsupported(span("-"), construct));
        }
        None
    }
}
