//! What a rule found, and the visible list of what is allowed all the same.

use std::fmt;

use crate::exceptions::{EXCEPTIONS, Exception};

/// One thing that breaks a rule.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// From 1; 1 where the whole file is meant.
    pub(crate) line: usize,
    /// The number of the rule in the style guide, or the word it is known by.
    pub(crate) rule: &'static str,
    /// What is wrong, and what to do instead.
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, rule: &'static str, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.message)
    }
}

/// Stops the test with every finding that no exception covers.
///
/// An exception of these rules that covers nothing is a finding too: the list must not outlive its reasons.
pub(crate) fn verdict(rules: &[&str], findings: Vec<Finding>) {
    let listed: Vec<&Exception> = EXCEPTIONS.iter().filter(|exception| rules.contains(&exception.rule)).collect();
    let mut problems = uncovered(&listed, &findings);
    for finding in &findings {
        assert!(rules.contains(&finding.rule), "the test of {rules:?} lists the rule of {finding}");
    }
    for exception in listed {
        if !findings.iter().any(|finding| exception.covers(finding)) {
            let message = format!("the exception for `{}` covers nothing any more: take it away", exception.what);
            problems.push(Finding::new(exception.path, 1, exception.rule, message));
        }
    }
    let lines: Vec<String> = problems.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{} untidy place(s):\n{}", lines.len(), lines.join("\n"));
}

fn uncovered(listed: &[&Exception], findings: &[Finding]) -> Vec<Finding> {
    let is_open = |finding: &&Finding| !listed.iter().any(|exception| exception.covers(finding));
    findings.iter().filter(is_open).cloned().collect()
}

/// The findings of a made-up tree as `path:line rule`, for the test of a rule.
#[cfg(test)]
pub(crate) fn places(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}:{} {}", finding.path, finding.line, finding.rule)).collect()
}
