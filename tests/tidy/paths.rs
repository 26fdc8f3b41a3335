//! The paths that code names, with every `use a::{b, c::d}` written out.

use crate::source::{Source, is_word};

/// A path of two or more parts, somewhere in code.
pub(crate) struct PathUse {
    pub(crate) offset: usize,
    pub(crate) parts: Vec<String>,
}

impl PathUse {
    /// Whether the path begins with these parts, written with `::`.
    pub(crate) fn starts_with(&self, beginning: &str) -> bool {
        let mut parts = self.parts.iter();
        beginning.split("::").all(|wanted| parts.next().is_some_and(|part| part == wanted))
    }
}

/// Every path of a file, in order. Names behind an import are not followed: their import is a path itself.
pub(crate) fn paths(source: &Source) -> Vec<PathUse> {
    let mut reader = Reader { code: &source.code, at: 0, found: Vec::new() };
    while reader.at < reader.code.len() {
        let before = reader.code[..reader.at].chars().next_back();
        match reader.peek() {
            Some(letter) if is_word(letter) && !before.is_some_and(|letter| letter == '$' || letter == '\'') => {
                reader.path(&[]);
            }
            Some(letter) if is_word(letter) => reader.skip_word(),
            Some(letter) => reader.at += letter.len_utf8(),
            None => break,
        }
    }
    reader.found
}

/// The path from the root of the crate `src/`, if it is one inside this crate.
pub(crate) fn absolute(source: &Source, path: &PathUse) -> Option<Vec<String>> {
    let mut base = Vec::new();
    let mut parts = path.parts.iter().peekable();
    if parts.peek().is_some_and(|part| *part == "crate") {
        parts.next();
    } else if parts.peek().is_some_and(|part| *part == "super" || *part == "self") {
        let file = source.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        base.extend(file.split('/').filter(|part| !["mod", "lib"].contains(part)).map(str::to_owned));
        let around = source.inline_modules().into_iter().filter(|(_, extent)| extent.contains(&path.offset));
        base.extend(around.map(|(name, _)| name));
        while let Some(part) = parts.next_if(|part| *part == "super" || *part == "self") {
            if part == "super" {
                base.pop();
            }
        }
    } else {
        return None;
    }
    base.extend(parts.cloned());
    Some(base)
}

struct Reader<'c> {
    code: &'c str,
    at: usize,
    found: Vec<PathUse>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.code[self.at..].chars().next()
    }

    fn skip_word(&mut self) {
        self.at += self.code[self.at..].find(|letter| !is_word(letter)).unwrap_or(self.code.len() - self.at);
    }

    fn skip_blanks(&mut self) {
        self.at += self.code[self.at..].len() - self.code[self.at..].trim_start().len();
    }

    fn skip(&mut self, text: &str) -> bool {
        let starts = self.code[self.at..].starts_with(text);
        self.at += if starts { text.len() } else { 0 };
        starts
    }

    /// Reads the path that begins here, behind `prefix`.
    fn path(&mut self, prefix: &[String]) {
        let offset = self.at;
        let mut parts = prefix.to_vec();
        loop {
            let start = self.at;
            self.skip_word();
            parts.push(self.code[start..self.at].to_owned());
            let end = self.at;
            self.skip_blanks();
            if !self.skip("::") {
                self.at = end;
                break;
            }
            self.skip_blanks();
            if self.skip("{") {
                return self.group(&parts);
            }
            if self.skip("*") {
                parts.push("*".to_owned());
                break;
            }
            if !self.peek().is_some_and(is_word) {
                break;
            }
        }
        if parts.len() > 1 {
            self.found.push(PathUse { offset, parts });
        }
    }

    /// Reads the inside of `{}` in an import, and the brace.
    fn group(&mut self, prefix: &[String]) {
        loop {
            self.skip_blanks();
            match self.peek() {
                Some('}') | None => break,
                Some(letter) if is_word(letter) => self.path(prefix),
                Some(letter) => self.at += letter.len_utf8(),
            }
            self.skip_blanks();
            if self.skip("as ") {
                self.skip_blanks();
                self.skip_word();
            }
        }
        self.skip("}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let source = Source::new(path, text);
        let name = |path: &PathUse| absolute(&source, path).unwrap_or_else(|| path.parts.clone()).join("::");
        paths(&source).iter().map(name).collect()
    }

    #[test]
    fn imports_are_written_out() {
        let text =
            "use std::{fs, io::{self, Read as _}};\nuse crate::value::*;\nlet x = a::<b::C>::d(e::f, $crate::g);";
        let expected = ["std::fs", "std::io::self", "std::io::Read", "value::*", "b::C", "e::f"];
        assert_eq!(names("src/log/record.rs", text), expected);
    }

    #[test]
    fn parents_are_resolved_through_files_and_inline_modules() {
        let text = "use super::a::B;\nmod tests {\n    use super::super::C;\n    use super::super::super::d::E;\n}";
        assert_eq!(names("src/log/record.rs", text), ["log::a::B", "log::C", "d::E"]);
        assert_eq!(names("src/log/mod.rs", "use super::time::Timestamp;"), ["time::Timestamp"]);
    }
}
