//! What an `http` task is given, as far as its text shows it.

use super::*;
use crate::expression::Scope;

#[test]
fn what_cannot_be_meant_is_said_before_anything_is_asked() {
    for (with, expected) in [
        ("", "MISSING_KEY an http task without url"),
        (", with: {}", "MISSING_KEY an http task without url"),
        (", with: {url: }", "WRONG_TYPE url is text, this is nothing"),
        (", with: {url: 'file:///etc/hush'}", "BAD_VALUE the url begins with neither http:// nor https://"),
        (", with: {url: 'http://h', urll: x}", "UNKNOWN_KEY unknown key `urll` in `with` of an http task"),
        (", with: {url: 'http://h', method: POTS}", "BAD_VALUE this is no method of HTTP that is known here"),
        (", with: {url: 'http://h', json: 1, form: {}}", "CONFLICTING_KEYS `form` beside `json`, and only one of them"),
        (", with: {url: 'http://h', auth: [a, b], bearer_token: x}", "CONFLICTING_KEYS `bearer_token` beside `auth`"),
        (", with: {url: 'http://h', client_cert: x}", "MISSING_KEY `client_cert` without `client_key`"),
        (", with: {url: 'http://h', upload_form: {}}", "MISSING_KEY `upload_form` without `upload_file`"),
        (
            ", with: {url: 'http://h', expected_status: [200, 99]}",
            "OUT_OF_RANGE expected_status is 99, not a number from",
        ),
        (", with: {url: 'http://h', max_redirects: 51}", "OUT_OF_RANGE max_redirects is 51, not a number from 0 to 50"),
        (", with: {url: 'http://h', parse_json: 'yes'}", "WRONG_TYPE parse_json is true or false, this is text"),
        (", with: {url: 'http://h', headers: {a: [hush]}}", "WRONG_TYPE the value is text or a number, this is a list"),
        (", with: {url: 'http://h', auth: [hush]}", "BAD_VALUE auth is a list of user and password"),
        (", with: {url: 'http://h', timeout: soon}", "BAD_DURATION"),
    ] {
        let problems = refuse(&format!("{{name: x, stages: {{a: {{uses: http{with}}}}}}}"));
        let said: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.code(), problem.message())).collect();
        assert!(said.len() == 1 && said[0].starts_with(expected), "{with}: {said:?}");
        assert!(!said[0].contains("hush"));
    }
}

#[test]
fn a_value_never_becomes_code() {
    for with in
        ["uses: python, with: {script: 'RESULT = ${{ n }}'}", "uses: ssh, with: {host: h, command: 'ls ${{ n }}'}"]
    {
        let problems = refuse(&format!("{{name: x, stages: {{a: {{{with}}}}}}}"));
        let codes: Vec<String> = problems.iter().map(|problem| problem.code().to_string()).collect();
        assert_eq!(codes, ["TEMPLATE_NOT_ALLOWED"], "{with}");
    }
    read("{name: x, stages: {a: {uses: python, with: {script: 'RESULT = INPUT', inputs: {n: '${{ n }}'}}}}}");
    read("{name: x, stages: {a: {uses: ssh, with: {host: h, command: [ls, '${{ n }}']}}}}");
}

#[test]
fn what_is_computed_in_an_address_stays_where_it_stands() {
    for (url, expected) in [
        ("http://h/${{ v }}/x?q=${{ v }}", "http://h/a%2F..%3Fb%26%40%20%C3%A4:1/x?q=a%2F..%3Fb%26%40%20%C3%A4:1"),
        ("https://${{ host }}/${{ n }}", "https://h:8080/7"),
        ("https://${{ evil }}.example.com/", "https://evil.test%2F.example.com/"),
        ("${{ base }}/${{ n }}", "http://b/x/7"),
        ("${{ base }}", "http://b/x"),
        ("http://constant/a b", "http://constant/a b"),
    ] {
        let definition =
            read(&format!("{{name: x, stages: {{a: {{uses: http, with: {{url: '{url}', json: '${{{{ n }}}}'}}}}}}}}"));
        let names = [("v", "a/..?b&@ ä:1"), ("host", "h:8080"), ("evil", "evil.test/"), ("base", "http://b/x")];
        let scope = names.into_iter().fold(Scope::new().with("n", 7), |scope, (name, value)| scope.with(name, value));
        let with = &definition.graph().stages[0].tasks[0].with;
        assert_eq!(with.entry("url").unwrap().render_address(&scope).unwrap(), expected.into(), "{url}");
    }
}
