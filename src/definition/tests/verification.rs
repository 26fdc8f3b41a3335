//! What `verification` refuses, where it stands and what it means by default.

use super::*;
use crate::failure::{ErrorClass, ErrorCode};

/// Documents with mistakes, and each with its place.
const MISTAKES: &[(&str, &[&str])] = &[
    ("{name: x, stages: {a: {run: x, verification: {}}}}", &["1:46 MISSING_KEY"]),
    ("{name: x, stages: {a: {uses: manual, verification: {verifier: v}}}}", &["1:38 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: {verification: {verifier: v}}}}", &["1:24 MISSING_KEY"]),
    ("{name: x, stages: {a: {tasks: [{run: x}], verification: {verifier: v}}}}", &["1:43 CONFLICTING_KEYS"]),
    (
        "{name: x, stages: {a: {run: x, verification: {required_keys: [k, k, '-'], types: {'a b': list, k: l}, \
         verifier: '${{ v }}', retry: {on: [exit]}}}}}",
        &[
            "1:66 DUPLICATE_REFERENCE",
            "1:69 BAD_NAME",
            "1:83 BAD_NAME",
            "1:99 BAD_VALUE",
            "1:114 TEMPLATE_NOT_ALLOWED",
            "1:133 UNKNOWN_KEY",
        ],
    ),
];

#[test]
fn every_mistake_of_a_verification_is_said_with_its_place() {
    for (text, expected) in MISTAKES {
        let said: Vec<String> =
            refuse(text).iter().map(|problem| format!("{} {}", problem.span(), problem.code())).collect();
        assert_eq!(said, *expected, "{text}");
    }
}

#[test]
fn a_verification_has_its_own_retry_or_that_of_its_task() {
    let attempts = |said: &str, code: &ErrorCode| {
        let text =
            format!("name: x\nstages:\n  a: {{ run: x, retry: {{ max_attempts: 5 }}, verification: {{ {said} }} }}\n");
        let definition = read(&text);
        let policy = definition.graph().stages[0].tasks[0].retry_after(code).clone();
        let is_retried = policy.on.covers(ErrorClass::Permanent, code, || None);
        (policy.max_attempts, is_retried)
    };
    let (failed, other) = (ErrorCode::VERIFICATION_FAILED, ErrorCode::USER_CODE_ERROR);
    assert_eq!(attempts("verifier: v", &failed), (5, false));
    assert_eq!(attempts("verifier: v, retry: { max_attempts: 2 }", &failed), (2, true));
    assert_eq!(attempts("verifier: v, retry: {}", &failed), (10, true));
    assert_eq!(attempts("verifier: v, retry: { max_attempts: 2 }", &other), (5, false));
}
