//! What the rules allow all the same, each with its reason. An entry that covers nothing fails its test.

use crate::finding::Finding;

/// One allowed breach of a rule.
pub(crate) struct Exception {
    pub(crate) rule: &'static str,
    /// A file, or a folder that ends with `/`.
    pub(crate) path: &'static str,
    /// Part of the finding's message.
    pub(crate) what: &'static str,
    pub(crate) reason: &'static str,
}

impl Exception {
    pub(crate) fn covers(&self, finding: &Finding) -> bool {
        let here = finding.path == self.path || (self.path.ends_with('/') && finding.path.starts_with(self.path));
        here && finding.rule == self.rule && finding.message.contains(self.what)
    }
}

/// The list.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "home",
        path: "src/store/local.rs",
        what: "`std::thread`",
        reason: "a reader in another process has nobody to wake it: it looks, pauses and looks again",
    },
    Exception {
        rule: "machine path",
        path: "src/task/shell/tests.rs",
        what: "ends_in(",
        reason: "the end of a path in a folder that the test makes",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_for_one_rule_in_one_place() {
        let exception = Exception { rule: "S4", path: "src/log/", what: "`run`", reason: "a test" };
        let cases = [("src/log/a.rs", "S4", "`run`", true), ("src/a.rs", "S4", "`run`", false)];
        let more = [("src/log/a.rs", "S3", "`run`", false), ("src/log/a.rs", "S4", "`walk`", false)];
        for (path, rule, message, expected) in cases.into_iter().chain(more) {
            assert_eq!(exception.covers(&Finding::new(path, 1, rule, message)), expected, "{path} {rule} {message}");
        }
    }

    #[test]
    fn every_exception_has_a_reason() {
        for exception in EXCEPTIONS {
            assert!(exception.reason.split_whitespace().count() >= 3, "{} in {}", exception.rule, exception.path);
        }
    }
}
