//! Here-documents of shell text: their delimiters, and their bodies, which follow the line.

use super::refusal::{DELIMITER, QUOTED_HERE_DOCUMENT};
use super::scanner::ShellScanner;

/// A here-document whose body is still to come.
pub(super) struct HereDocument {
    delimiter: String,
    tabs_stripped: bool,
    quoted: bool,
}

impl ShellScanner<'_> {
    /// `<<` and its delimiter.
    pub(super) fn here_document(&mut self) {
        self.copy(2);
        let tabs_stripped = self.peek() == Some(b'-');
        self.copy(usize::from(tabs_stripped));
        while let Some(b' ' | b'\t') = self.peek() {
            self.copy(1);
        }
        let start = self.at;
        let mut delimiter = String::new();
        let mut quote = None;
        let mut quoted = false;
        while let Some(letter) = self.text[self.at..].chars().next() {
            let next = self.text[self.at + letter.len_utf8()..].chars().next();
            if quote == Some(letter) {
                quote = None;
            } else if quote.is_some() {
                delimiter.push(letter);
            } else if matches!(letter, '\'' | '"') {
                quote = Some(letter);
                quoted = true;
            } else if letter == '\\' {
                quoted = true;
                delimiter.extend(next);
                self.copy(1);
            } else if letter.is_ascii_whitespace() || ";&|()<>".contains(letter) {
                break;
            } else {
                delimiter.push(letter);
            }
            self.copy(1);
        }
        if let Some(at) = self.text[start..self.at].find("${{") {
            self.refuse(start + at..start + at + 3, DELIMITER);
        }
        self.here_documents.push(HereDocument { delimiter, tabs_stripped, quoted });
    }

    /// The bodies that follow the line that has just ended.
    pub(super) fn here_document_bodies(&mut self) {
        for document in std::mem::take(&mut self.here_documents) {
            self.nested(|scanner| scanner.here_document_body(&document));
        }
    }

    fn here_document_body(&mut self, document: &HereDocument) {
        while self.at < self.text.len() {
            let line = self.text[self.at..].split('\n').next().unwrap_or("");
            let length = line.len();
            let content = if document.tabs_stripped { line.trim_start_matches('\t') } else { line };
            if content == document.delimiter {
                return self.copy(length + 1);
            }
            if document.quoted {
                self.copy_refusing(self.at + length, QUOTED_HERE_DOCUMENT);
            } else {
                while let Some(byte) = self.peek().filter(|byte| *byte != b'\n') {
                    self.quoted_byte(byte);
                }
            }
            self.copy(1);
        }
    }
}
