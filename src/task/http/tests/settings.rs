//! What cannot be meant is refused before anybody is asked.

use std::fs;

use super::*;
use crate::failure::ErrorClass;

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name_and_without_their_value() {
    let bench = Bench::new();
    fs::write(bench.path("no.pem"), "hush").unwrap();
    for (with, reason) in [
        (r#"{}"#, "with.url: expected this"),
        (r#"{"url":1}"#, "with.url: expected a text"),
        (r#"{"url":"http://hush@h/"}"#, "with.url: it holds credentials"),
        (r#"{"url":"file:///hush"}"#, "with.url: it begins with neither"),
        (r#"{"urll":"http://h"}"#, "with.urll is not known, only url, method, query"),
        (r#"{"url":"http://h","method":"TRACE"}"#, "with.method: it is none of GET, POST"),
        (r#"{"url":"http://h","json":1,"form":{}}"#, "with.form: there is with.json already"),
        (r#"{"url":"http://h","body":"x","upload_file":"y"}"#, "with.upload_file: there is with.body already"),
        (r#"{"url":"http://h","method":"HEAD","body":"x"}"#, "with.method: a HEAD request has no body"),
        (r#"{"url":"http://h","upload_form":{}}"#, "with.upload_form: there is no with.upload_file"),
        (r#"{"url":"http://h","upload_file":"../hush"}"#, "with.upload_file: a path with .. is not taken"),
        (r#"{"url":"http://h","download_to":"a/../hush"}"#, "with.download_to: a path with .. is not taken"),
        (r#"{"url":"http://h","download_to":"a/"}"#, "with.download_to: it names no file"),
        (r#"{"url":"http://h","form":{"a":{"b":"hush"}}}"#, "with.form: expected a map from names"),
        (r#"{"url":"http://h","query":["hush"]}"#, "with.query: expected a map from names"),
        (r#"{"url":"http://h","headers":{"a b":"hush"}}"#, "\"a b\" is no name of a header"),
        (r#"{"url":"http://h","headers":{"A":"hush\r\nX: y"}}"#, "\"a\" has control characters in its value"),
        (r#"{"url":"http://h","headers":{"A":["hush"]}}"#, "\"a\" has a value that is no text"),
        (r#"{"url":"http://h","headers":{"Host":"hush"}}"#, "\"host\" is set by the connection"),
        (r#"{"url":"http://h","headers":{"Content-Length":1}}"#, "\"content-length\" is set by the connection"),
        (r#"{"url":"http://h","headers":{"A":"hush","a":"hush"}}"#, "\"a\" stands there twice"),
        (r#"{"url":"http://h","auth":["hush"]}"#, "with.auth: expected a list of user and password"),
        (r#"{"url":"http://h","auth":["hush:hush","x"]}"#, "with.auth: a user's name holds no colon"),
        (r#"{"url":"http://h","auth":["a","hush"],"bearer_token":"hush"}"#, "with.bearer_token: there is with.auth"),
        (r#"{"url":"http://h","bearer_token":"hu sh"}"#, "with.bearer_token: it is empty, or holds blanks"),
        (
            r#"{"url":"http://h","bearer_token":"x","headers":{"authorization":"hush"}}"#,
            "the header Authorization already",
        ),
        (r#"{"url":"http://h","expected_status":"200"}"#, "with.expected_status: expected a status"),
        (r#"{"url":"http://h","expected_status":[200,600]}"#, "with.expected_status: expected a status"),
        (r#"{"url":"http://h","retry_on_status":[99]}"#, "with.retry_on_status: expected a status"),
        (
            r#"{"url":"http://h","max_response_size":1048577}"#,
            "with.max_response_size: expected a number of bytes up to",
        ),
        (
            r#"{"url":"http://h","max_response_size":-1,"download_to":"x"}"#,
            "with.max_response_size: expected a whole number",
        ),
        (r#"{"url":"http://h","max_redirects":51}"#, "with.max_redirects: expected a whole number from 0 to 50"),
        (
            r#"{"url":"http://h","max_redirects":1,"follow_redirects":false}"#,
            "with.max_redirects: redirects are not followed",
        ),
        (r#"{"url":"http://h","retries":-1}"#, "with.retries: expected a whole number"),
        (r#"{"url":"http://h","retry_delay":"soon"}"#, "with.retry_delay: expected a length of time"),
        (r#"{"url":"http://h","timeout":true}"#, "with.timeout: expected a length of time"),
        (r#"{"url":"http://h","verify_ssl":"no"}"#, "with.verify_ssl: expected true or false"),
        (r#"{"url":"http://h","ca_cert":"no.pem"}"#, "with.ca_cert: there is no certificate in it"),
        (r#"{"url":"http://h","ca_cert":"no.pem","verify_ssl":false}"#, "with.ca_cert: verify_ssl: false asks for no"),
        (r#"{"url":"http://h","client_cert":"no.pem"}"#, "with.client_cert: there is no with.client_key"),
        (r#"{"url":"http://h","client_key":"no.pem"}"#, "with.client_key: there is no with.client_cert"),
        (r#"{"url":"http://h","allow_hosts":"hush"}"#, "with.allow_hosts: expected a list of hosts"),
        (r#"{"url":"http://h","allow_private_urls":1}"#, "with.allow_private_urls: expected true or false"),
        (r#"{"url":"http://h","continue_on_failure":"yes"}"#, "with.continue_on_failure: expected true or false"),
    ] {
        let parts = failed(bench.ended(&bench.dispatch(with)));
        assert!(parts.failure.message().contains(reason), "{with}: {}", parts.failure);
        assert!(!parts.failure.message().replace(with, "").contains("hush"), "{}", parts.failure);
        assert_eq!(parts.failure.class(), ErrorClass::Permanent);
        assert_eq!(parts.failure.code(), &ErrorCode::CONFIGURATION_INVALID, "{with}");
    }
    let parts = failed(bench.ended(&bench.dispatch(r#"{"url":"http://h","ca_cert":"gone.pem"}"#)));
    assert!(parts.failure.message().starts_with("could not read "), "{}", parts.failure);
}
