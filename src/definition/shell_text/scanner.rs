//! Walks the quoting of POSIX shell text (and of bash, where it differs) to find how a variable is read at each `${{`.
//!
//! The grammar is that of POSIX.1-2024, XCU 2.2, 2.3 and 2.6. What the walk gets wrong can split a value into words or
//! show its name in place of it, but never runs it: a value is only ever reached through a variable. The places where
//! shells do run the value of a variable, arithmetic and `eval` above all, are refused.

use std::collections::BTreeMap;
use std::ops::Range;

use super::command::{Commands, Opener, Test};
use super::here_document::HereDocument;
use super::refusal::{ARITHMETIC, BACKSLASH, PARAMETER, Refusal, SINGLE_QUOTES, TOO_DEEP, UNCLOSED};
use crate::definition::code::ProblemCode;
use crate::definition::template::expression_range;
use crate::limits::DEPTH_MAX;

/// Shell text after the walk.
pub(super) struct Scanned {
    /// With references in place of `${{ }}`.
    pub(super) text: String,
    /// In the order of their first use.
    pub(super) variables: Vec<Variable>,
    pub(super) problems: Vec<ShellProblem>,
}

/// A variable made for an expression.
pub(super) struct Variable {
    pub(super) name: String,
    /// Where the expression stands in the text, blanks aside.
    pub(super) expression: Range<usize>,
}

/// A place where an expression cannot stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::definition) struct ShellProblem {
    pub(in crate::definition) code: ProblemCode,
    pub(in crate::definition) range: Range<usize>,
    pub(in crate::definition) message: &'static str,
    pub(in crate::definition) help: &'static str,
}

/// Walks `text`.
pub(super) fn scan(text: &str) -> Scanned {
    let mut scanner = ShellScanner {
        text,
        at: 0,
        depth: 0,
        arithmetic: double_parentheses(text),
        here_documents: Vec::new(),
        names: BTreeMap::new(),
        refusal: None,
        scanned: Scanned { text: String::new(), variables: Vec::new(), problems: Vec::new() },
    };
    if text.contains("${{") {
        scanner.commands(End::Text);
    }
    scanner.copy(text.len() - scanner.at.min(text.len()));
    scanner.scanned
}

/// What ends a stretch of commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Parenthesis,
    Backtick,
}

/// Whether double quotes, or a here-document, surround a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    Double,
}

/// A walk under way.
pub(super) struct ShellScanner<'t> {
    pub(super) text: &'t str,
    /// Of the next byte; always a character boundary.
    pub(super) at: usize,
    depth: usize,
    /// Where `((` opens arithmetic, with the offset behind its `))`.
    arithmetic: BTreeMap<usize, usize>,
    /// Whose bodies follow the line.
    pub(super) here_documents: Vec<HereDocument>,
    /// The variables made so far, by expression.
    names: BTreeMap<String, String>,
    refusal: Option<Refusal>,
    scanned: Scanned,
}

impl ShellScanner<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(prefix.as_bytes())
    }

    /// Copies the next `length` bytes, and what is left of a character they cut.
    pub(super) fn copy(&mut self, length: usize) {
        let mut end = (self.at + length).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        self.scanned.text.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    pub(super) fn refuse(&mut self, range: Range<usize>, refusal: Refusal) {
        let Refusal { code, message, help } = refusal;
        self.scanned.problems.push(ShellProblem { code, range, message, help });
    }

    /// Copies up to `end`; expressions on the way are refused.
    pub(super) fn copy_refusing(&mut self, end: usize, refusal: Refusal) {
        while self.at < end {
            if self.starts_with("$${{") {
                self.escaped_expression();
            } else if self.starts_with("${{") {
                let extent = self.extent();
                self.refuse(extent.clone(), refusal);
                self.copy(extent.len());
            } else {
                self.copy(1);
            }
        }
    }

    /// The bytes of the `${{ }}` that begins here.
    fn extent(&self) -> Range<usize> {
        let end = expression_range(self.text, self.at)
            .and_then(|inside| self.text[inside.end..].find("}}").map(|close| inside.end + close + 2));
        self.at..end.unwrap_or(self.text.len())
    }

    /// `$${{` stands for `${{`.
    fn escaped_expression(&mut self) {
        self.at += 1;
        self.copy(3);
    }

    /// Runs `walk` one level deeper; what is nested too deep is no longer understood.
    pub(super) fn nested(&mut self, walk: impl FnOnce(&mut Self)) {
        if self.depth == DEPTH_MAX {
            return self.copy_refusing(self.text.len(), TOO_DEEP);
        }
        self.depth += 1;
        walk(self);
        self.depth -= 1;
    }

    fn commands(&mut self, end: End) {
        let refusal = self.refusal;
        let mut commands = Commands::new(refusal);
        while let Some(byte) = self.peek() {
            let closes = match end {
                End::Text => false,
                End::Parenthesis => byte == b')' && commands.openers.is_empty(),
                End::Backtick => byte == b'`',
            };
            if closes {
                self.copy(1);
                break;
            }
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    commands.in_word = false;
                    self.operator(byte, &mut commands);
                }
                b'#' if !commands.in_word => self.comment(end),
                _ => self.word(byte, &mut commands),
            }
        }
        self.refusal = refusal;
    }

    /// A byte that ends a word.
    fn operator(&mut self, byte: u8, commands: &mut Commands) {
        match byte {
            b'<' if self.starts_with("<<<") => self.copy(3),
            b'<' if self.starts_with("<<") => self.here_document(),
            b' ' | b'\t' | b'<' | b'>' => self.copy(1),
            b'(' if let Some(end) = self.arithmetic.get(&self.at) => self.copy_refusing(*end, ARITHMETIC),
            b'(' => {
                commands.openers.push(Opener::Parenthesis);
                commands.new_command();
                self.copy(1);
            }
            b')' => {
                if commands.openers.last() == Some(&Opener::Parenthesis) {
                    commands.openers.pop();
                }
                commands.new_command();
                self.copy(1);
            }
            b'\n' => {
                commands.new_command();
                self.copy(1);
                self.here_document_bodies();
            }
            _ => {
                commands.new_command();
                self.copy(1);
            }
        }
    }

    /// A byte of a word.
    fn word(&mut self, byte: u8, commands: &mut Commands) {
        if !commands.in_word {
            commands.in_word = true;
            commands.in_subscript = self.subscript_begins();
            self.refusal = commands.refusal_of_word();
            if let Some(length) = self.plain_word_length() {
                let word = &self.text[self.at..self.at + length];
                if word == "]]" {
                    self.end_test(commands.test.take());
                }
                commands.plain_word(word);
                return self.copy(length);
            }
            commands.command_start = false;
        }
        match byte {
            b'\'' => self.single_quoted(),
            b'"' => {
                self.copy(1);
                self.nested(Self::double_quoted);
            }
            b'\\' => self.backslash(),
            b'`' => self.backtick(),
            b'$' if self.starts_with("${{") => self.expression_in_word(commands),
            b'$' if self.starts_with("$'") => self.dollar_single_quoted(),
            b'$' => self.dollar(Quoting::None),
            _ => {
                commands.in_subscript &= byte != b']';
                self.copy(1);
            }
        }
    }

    /// Whether the word that begins here is an element of an array: a name and `[`.
    fn subscript_begins(&self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        name > 0 && !rest[0].is_ascii_digit() && rest.get(name) == Some(&b'[')
    }

    /// Length of the word that begins here, if it has neither quotes nor expansions.
    fn plain_word_length(&self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|byte| b" \t\n;&|()<>'\"\\`$".contains(byte)).unwrap_or(rest.len());
        let ends = rest.get(length).is_none_or(|byte| b" \t\n;&|()<>".contains(byte));
        (length > 0 && ends).then_some(length)
    }

    fn expression_in_word(&mut self, commands: &mut Commands) {
        if let Some(test) = &mut commands.test {
            test.expressions.push(self.extent());
        }
        if commands.in_subscript {
            let end = self.extent().end;
            self.copy_refusing(end, ARITHMETIC);
        } else {
            self.expression(Quoting::None);
        }
    }

    fn end_test(&mut self, test: Option<Test>) {
        for extent in test.filter(|test| test.computes).map(|test| test.expressions).unwrap_or_default() {
            self.refuse(extent, ARITHMETIC);
        }
    }

    /// Puts a reference to a variable in place of the `${{ }}` that begins here.
    fn expression(&mut self, quoting: Quoting) {
        let extent = self.extent();
        let refusal = match expression_range(self.text, self.at) {
            None => Some(UNCLOSED),
            Some(_) => self.refusal,
        };
        if let Some(refusal) = refusal {
            return self.copy_refusing(extent.end, refusal);
        }
        let Some(inside) = expression_range(self.text, self.at) else {
            return;
        };
        let expression = &self.text[inside.clone()];
        let name = match self.names.get(expression) {
            Some(name) => name.clone(),
            None => {
                let name = format!("STABILIZE_X{}", self.names.len() + 1);
                self.names.insert(expression.to_owned(), name.clone());
                self.scanned.variables.push(Variable { name: name.clone(), expression: inside });
                name
            }
        };
        let reference = match quoting {
            Quoting::None => format!("\"${{{name}}}\""),
            Quoting::Double => format!("${{{name}}}"),
        };
        self.scanned.text.push_str(&reference);
        self.at = extent.end;
    }

    fn comment(&mut self, end: End) {
        let rest = &self.text.as_bytes()[self.at..];
        let stop = |byte: &u8| *byte == b'\n' || (*byte == b'`' && end == End::Backtick);
        self.copy(rest.iter().position(stop).unwrap_or(rest.len()));
    }

    fn single_quoted(&mut self) {
        let inside = self.at + 1;
        let length = self.text[inside..].find('\'').map_or(self.text.len() - inside, |length| length + 1);
        self.copy_refusing(inside + length, SINGLE_QUOTES);
    }

    /// `$' '` of bash: a backslash may stand before a quote.
    fn dollar_single_quoted(&mut self) {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 2;
        while let Some(byte) = bytes.get(end) {
            end += match byte {
                b'\'' => break,
                b'\\' => 2,
                _ => 1,
            };
        }
        self.copy_refusing((end + 1).min(bytes.len()), SINGLE_QUOTES);
    }

    /// Up to and with the closing quote.
    fn double_quoted(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => return self.copy(1),
                byte => self.quoted_byte(byte),
            }
        }
    }

    /// A byte inside double quotes or a here-document.
    pub(super) fn quoted_byte(&mut self, byte: u8) {
        match byte {
            b'\\' => self.backslash(),
            b'`' => self.backtick(),
            b'$' => self.dollar(Quoting::Double),
            _ => self.copy(1),
        }
    }

    fn backslash(&mut self) {
        self.copy(1);
        if self.starts_with("$${{") {
            self.escaped_expression();
        } else if self.starts_with("${{") {
            let end = self.extent().end;
            self.copy_refusing(end, BACKSLASH);
        } else if self.peek().is_some() {
            self.copy(1);
        }
    }

    fn backtick(&mut self) {
        self.copy(1);
        self.nested(|scanner| scanner.commands(End::Backtick));
    }

    /// What begins with a `$`.
    fn dollar(&mut self, quoting: Quoting) {
        if self.starts_with("$${{") {
            self.escaped_expression();
        } else if self.starts_with("${{") {
            self.expression(quoting);
        } else if self.starts_with("$(") {
            match self.arithmetic.get(&(self.at + 1)) {
                Some(end) => self.copy_refusing(*end, ARITHMETIC),
                None => {
                    self.copy(2);
                    self.nested(|scanner| scanner.commands(End::Parenthesis));
                }
            }
        } else if self.starts_with("${") {
            self.copy(2);
            self.nested(|scanner| scanner.parameter(quoting));
        } else if self.starts_with("$[") {
            let length = self.text[self.at..].find([']', '\n']).unwrap_or(1);
            self.copy_refusing(self.at + length, ARITHMETIC);
        } else {
            self.copy(1);
        }
    }

    /// The inside of `${ }`, up to and with the closing brace.
    fn parameter(&mut self, quoting: Quoting) {
        let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@*#?!".contains(byte);
        let length = self.text.as_bytes()[self.at..].iter().take_while(|byte| name(byte)).count();
        self.copy(length);
        if self.peek() == Some(b'[') {
            let length = self.text[self.at..].find([']', '}', '\n']).unwrap_or(1);
            self.copy_refusing(self.at + length, ARITHMETIC);
        }
        let operator = self.text[self.at..].trim_start_matches([']', ':']);
        let outer = self.refusal;
        if !operator.starts_with(['-', '=', '+', '?', '}']) {
            self.refusal = outer.or(Some(PARAMETER));
        }
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => {
                    self.copy(1);
                    break;
                }
                b'"' => {
                    self.copy(1);
                    self.nested(Self::double_quoted);
                }
                b'\'' if quoting == Quoting::None => self.single_quoted(),
                b'$' => self.dollar(quoting),
                byte => self.quoted_byte(byte),
            }
        }
        self.refusal = outer;
    }
}

/// Where `((` is closed by `))`, with the offset behind it; any other `((` is two parentheses.
fn double_parentheses(text: &str) -> BTreeMap<usize, usize> {
    let mut open = Vec::new();
    let mut closed = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open.push(at),
            b')' => {
                let Some(start) = open.pop() else { continue };
                closed.insert(start, at);
                if closed.get(&(start + 1)).is_some_and(|inner| inner + 1 == at) {
                    found.insert(start, at + 1);
                }
            }
            _ => {}
        }
    }
    found
}
