//! One Rust file, seen as code, as comments, and as parts that are compiled for tests only.
//!
//! A scanner of a page, not a parser: it knows where strings and comments end, and which braces belong together.

use std::ops::Range;

/// A Rust file. The views have the length and the lines of `text`; what does not belong to them is blank.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Without comments and without the insides of strings and characters.
    pub(crate) code: String,
    /// Comments only.
    pub(crate) comments: String,
    /// Whether a file above declares this one for tests only.
    pub(crate) declared_for_tests: bool,
    test_parts: Vec<Range<usize>>,
    line_starts: Vec<usize>,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// From the word `fn` to the closing brace.
    pub(crate) extent: Range<usize>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let (code, comments) = views(text);
        let line_starts = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let test_parts = test_parts(text, &code);
        let (path, text) = (path.to_owned(), text.to_owned());
        Source { path, text, code, comments, declared_for_tests: false, test_parts, line_starts }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// Whether the whole file is compiled for tests only.
    pub(crate) fn is_test_file(&self) -> bool {
        let in_folder = ["tests/", "benches/", "fuzz/", "examples/"].iter().any(|top| self.path.starts_with(top));
        self.declared_for_tests || in_folder || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Whether the byte stands in something that is compiled for tests only.
    pub(crate) fn is_test(&self, offset: usize) -> bool {
        self.is_test_file() || self.test_parts.iter().any(|part| part.contains(&offset))
    }

    /// Paths, without an ending, of the files that are modules of a test part of this one.
    pub(crate) fn files_for_tests(&self) -> Vec<String> {
        let folder = match self.path.strip_suffix("/mod.rs").or(self.path.strip_suffix("/lib.rs")) {
            Some(folder) => folder,
            None => self.path.trim_end_matches(".rs"),
        };
        let module = |at: usize| {
            let (name, _) = self.code[at + 3..].split_once(';')?;
            let is_name = name.trim().chars().all(is_word);
            (is_name && self.is_test(at)).then(|| format!("{folder}/{}", name.trim()))
        };
        self.words("mod").filter_map(module).collect()
    }

    /// Lines that are not in a test part.
    pub(crate) fn lines_without_tests(&self) -> usize {
        let in_part = |part: &Range<usize>| self.line(part.end.saturating_sub(1)) + 1 - self.line(part.start);
        self.text.lines().count() - self.test_parts.iter().map(in_part).sum::<usize>()
    }

    /// Where `word` stands in the code as a word of its own.
    pub(crate) fn words<'s>(&'s self, word: &'s str) -> impl Iterator<Item = usize> + 's {
        words_in(&self.code, word)
    }

    /// The functions with a body, in order.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let function = |at: usize| {
            let rest = &self.code[at + 2..];
            let name: String = rest.trim_start().chars().take_while(|letter| is_word(*letter)).collect();
            let body = item_end(&self.code, at)?;
            let has_body = !name.is_empty() && self.code[..body].ends_with('}');
            has_body.then_some(Function { name, extent: at..body })
        };
        self.words("fn").filter_map(function).collect()
    }

    /// Names and bodies of the modules written inside this file.
    pub(crate) fn inline_modules(&self) -> Vec<(String, Range<usize>)> {
        let module = |at: usize| {
            let rest = self.code[at + 3..].trim_start();
            let name: String = rest.chars().take_while(|letter| is_word(*letter)).collect();
            let end = item_end(&self.code, at)?;
            let is_inline = rest[name.len()..].trim_start().starts_with('{');
            is_inline.then_some((name, at..end))
        };
        self.words("mod").filter_map(module).collect()
    }
}

/// Where `word` stands in `text` as a word of its own.
pub(crate) fn words_in<'s>(text: &'s str, word: &'s str) -> impl Iterator<Item = usize> + 's {
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Whether a letter may stand in an identifier.
pub(crate) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    /// The inside of a string or character.
    Literal,
}

fn views(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut code, mut comments) = (blank(bytes), blank(bytes));
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = stretch(text, at);
        match kind {
            Kind::Code => code[at..end].copy_from_slice(&bytes[at..end]),
            Kind::Comment => comments[at..end].copy_from_slice(&bytes[at..end]),
            Kind::Literal => (code[at], code[end - 1]) = (b'"', b'"'),
        }
        at = end;
    }
    let whole = "characters are blanked or kept whole";
    (String::from_utf8(code).expect(whole), String::from_utf8(comments).expect(whole))
}

fn blank(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect()
}

/// What begins at `at`, and where it ends.
fn stretch(text: &str, at: usize) -> (Kind, usize) {
    let rest = &text[at..];
    let letter = rest.chars().next().expect("the text goes on");
    if rest.starts_with("//") {
        return (Kind::Comment, at + rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, at + block_comment(rest));
    }
    if is_word(letter) {
        return match raw_string(rest) {
            Some(length) => (Kind::Literal, at + length),
            None => (Kind::Code, at + rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())),
        };
    }
    match letter {
        '"' => (Kind::Literal, at + quoted(rest, b'"')),
        '\'' if is_character(rest) => (Kind::Literal, at + quoted(rest, b'\'')),
        _ => (Kind::Code, at + letter.len_utf8()),
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..rest.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of the raw string that begins here. Strings with other prefixes are a word and then a string.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix).unwrap_or_default();
        after.trim_start_matches('#').starts_with('"')
    })?;
    let hashes = rest[prefix.len()..].bytes().take_while(|byte| *byte == b'#').count();
    let close = format!("\"{}", "#".repeat(hashes));
    let inside = prefix.len() + hashes + 1;
    Some(rest[inside..].find(&close).map_or(rest.len(), |length| inside + length + close.len()))
}

/// Length of the string or character that begins here.
fn quoted(rest: &str, quote: u8) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether a quote begins a character, not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut letters = rest.chars().skip(1);
    letters.next() == Some('\\') || letters.next() == Some('\'')
}

fn test_parts(text: &str, code: &str) -> Vec<Range<usize>> {
    let for_tests = |attribute: &str| {
        let plain: String = attribute.split_whitespace().collect();
        ["cfg(test)]", r#"cfg(any(test,feature="testing"))]"#, r#"cfg(any(test,feature="patterns"))]"#]
            .contains(&&plain[2..])
            || plain[2..].starts_with("cfg(all(test,")
    };
    let part = |(at, _): (usize, &str)| {
        let end = closing(code, at + 1)?;
        if !for_tests(&text[at..end]) {
            return None;
        }
        Some(at..item_end(code, end)?)
    };
    let mut parts: Vec<Range<usize>> = code.match_indices("#[cfg(").filter_map(part).collect();
    // A part inside a part counts once.
    let all = parts.clone();
    parts.retain(|part| !all.iter().any(|other| other.start < part.start && part.end <= other.end));
    parts
}

/// Where the item that begins at `at` ends: behind its `;` or its closing brace.
fn item_end(code: &str, at: usize) -> Option<usize> {
    let mut at = at;
    let is_import = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
        .iter()
        .any(|start| code[at..].trim_start().starts_with(start));
    while let Some(byte) = code.as_bytes().get(at) {
        match byte {
            b';' => return Some(at + 1),
            b'{' if !is_import => return closing(code, at),
            b'(' | b'[' | b'{' => at = closing(code, at)?,
            _ => at += 1,
        }
    }
    None
}

/// Behind the bracket that closes the one at `at`.
fn closing(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => continue,
        }
        if depth == 0 {
            return Some(offset + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_not_code() {
        let text = "let a = \"// x\"; // y\nlet b = r#\"\"z\"\"#; /* /* w */ */ let c: &'a str = '\\''; b'\"'; q()";
        let source = Source::new("src/a.rs", text);
        assert_eq!(source.code.len(), text.len());
        for gone in ["x", "y", "z", "w"] {
            assert!(source.words(gone).next().is_none(), "{gone} is in {:?}", source.code);
        }
        for kept in ["a", "b", "c", "str", "q"] {
            assert!(source.words(kept).next().is_some(), "{kept} is not in {:?}", source.code);
        }
        assert_eq!(source.comments.split_whitespace().collect::<Vec<_>>(), ["//", "y", "/*", "/*", "w", "*/", "*/"]);
    }

    #[test]
    fn parts_for_tests_end_with_their_item() {
        let text = "#[cfg(test)]\nuse a::{b};\nfn c() {}\n#[cfg(any(test, feature = \"testing\"))]\nmod d;\nfn e() {}\n\
                    #[cfg(feature = \"shell\")]\nfn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        let source = Source::new("src/a.rs", text);
        let is_test = |word: &str| source.is_test(source.words(word).next().unwrap());
        assert_eq!(["b", "c", "d", "e", "f", "g"].map(is_test), [true, false, true, false, false, true]);
        assert_eq!(source.lines_without_tests(), 4);
    }

    #[test]
    fn files_declared_for_tests_are_known() {
        let source = Source::new("src/a/mod.rs", "#[cfg(test)]\npub(crate) mod b;\nmod c;\n#[cfg(test)]\nmod d {}\n");
        assert_eq!(source.files_for_tests(), ["src/a/b"]);
    }

    #[test]
    fn functions_have_a_name_and_an_extent() {
        let text = "trait T { fn a(&self) -> [u8; 3]; }\nfn b<F: Fn(fn(u8))>() {\n    {}\n}\n";
        let functions = Source::new("src/a.rs", text).functions();
        let found: Vec<_> =
            functions.iter().map(|function| (function.name.as_str(), &text[function.extent.clone()])).collect();
        assert_eq!(found, [("b", "fn b<F: Fn(fn(u8))>() {\n    {}\n}")]);
    }
}
