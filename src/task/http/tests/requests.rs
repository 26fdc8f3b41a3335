//! What a server is asked, and what becomes of its answer.

use std::fs;

use super::server::{Server, answer, endless, say};
use super::*;
use crate::failure::ErrorCode;

/// The lines of a request that are not the same for every request.
fn told(request: &str) -> String {
    let usual = ["host: ", "user-agent: stabilize/", "accept: */*"];
    request.lines().filter(|line| !usual.iter().any(|usual| line.starts_with(usual))).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_answer_leaves_its_status_headers_and_body() {
    let server =
        Server::saying(["HTTP/1.1 201 Created\nContent-Type: text/plain\nX-A: 1\nx-a: 2\nContent-Length: 5\n\nhello"]);
    let mut outputs = Bench::new().outputs(&server.url("/a?b=c#d"), "");
    assert!(outputs.remove("elapsed_ms").unwrap().as_integer().is_some());
    let expected = format!(
        r#"{{"body":"hello","content_length":5,"content_type":"text/plain","headers":{{"content-length":"5","content-type":"text/plain","x-a":"1, 2"}},"status_code":201,"url":"{}"}}"#,
        server.url("/a?b=c")
    );
    assert_eq!(Value::Map(outputs).to_json(), expected);
    let requests = server.requests();
    assert_eq!(told(&requests[0]), "GET /a?b=c HTTP/1.1\n");
    assert!(requests[0].contains("user-agent: stabilize/"));
}

#[test]
fn a_request_says_what_its_settings_say() {
    let cases = [
        (r#""method":"head""#, "HEAD /p HTTP/1.1\n"),
        (r#""method":"OPTIONS""#, "OPTIONS /p HTTP/1.1\n"),
        (r#""method":"DELETE""#, "DELETE /p HTTP/1.1\n"),
        (r#""method":"POST""#, "POST /p HTTP/1.1\ncontent-length: 0\n"),
        (r#""query":{"a":"x y&z","b":[1,true],"c":null}"#, "GET /p?a=x%20y%26z&b=1&b=true HTTP/1.1\n"),
        (
            r#""method":"PUT","json":{"b":[1,"é"],"a":null}"#,
            "PUT /p HTTP/1.1\ncontent-type: application/json\ncontent-length: 23\n\n{\"a\":null,\"b\":[1,\"é\"]}",
        ),
        (
            r#""method":"POST","form":{"a":"1 2","b":["x","y"]}"#,
            "POST /p HTTP/1.1\ncontent-type: application/x-www-form-urlencoded\ncontent-length: 15\n\na=1%202&b=x&b=y",
        ),
        (
            r#""method":"PATCH","body":"raw","headers":{"Content-Type":"text/x","X-Key":7}"#,
            "PATCH /p HTTP/1.1\ncontent-type: text/x\nx-key: 7\ncontent-length: 3\n\nraw",
        ),
        (
            r#""method":"DELETE","json":[1]"#,
            "DELETE /p HTTP/1.1\ncontent-type: application/json\ncontent-length: 3\n\n[1]",
        ),
        (r#""auth":["Aladdin","open sesame"]"#, "GET /p HTTP/1.1\nauthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"),
        (r#""bearer_token":"t.k""#, "GET /p HTTP/1.1\nauthorization: Bearer t.k\n"),
    ];
    for (with, expected) in cases {
        let server = Server::saying(["HTTP/1.1 200 OK\nContent-Length: 0\n\n"]);
        let outputs = Bench::new().outputs(&server.url("/p"), with);
        assert_eq!(outputs.get("status_code"), Some(&200.into()), "{with}");
        assert_eq!(told(&server.requests()[0]), expected.trim_end_matches('\n').to_owned() + tail(expected), "{with}");
    }
}

/// The empty line behind the head of a request without body, as `told` shows it.
fn tail(expected: &str) -> &'static str {
    if expected.ends_with('\n') { "\n" } else { "" }
}

#[test]
fn a_file_is_uploaded_among_the_fields_of_a_form() {
    let bench = Bench::new();
    let content = "x".repeat(300_000);
    fs::write(bench.path("data.csv"), &content).unwrap();
    let server = Server::new([answer(200, "")]);
    let with = r#""method":"POST","upload_file":"data.csv","upload_form":{"kind":"a"}"#;
    bench.outputs(&server.url("/"), with);
    let request = server.requests().remove(0);
    assert!(request.contains("Content-Disposition: form-data; name=\"kind\"\n\na\n"));
    assert!(request.contains("name=\"file\"; filename=\"data.csv\"\nContent-Type: text/csv\n\nxxx"));
    assert!(request.contains(&content));
    assert!(request.contains("content-type: multipart/form-data; boundary=stabilize-"));
}

#[test]
fn a_body_may_come_in_pieces_or_end_with_the_connection() {
    for reply in [
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n6;x=y\n world\n0\n\n",
        "HTTP/1.1 200 OK\n\nhello world",
        "HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 200 OK\nContent-Length: 11\n\nhello world",
    ] {
        let server = Server::saying([reply]);
        assert_eq!(text(&Bench::new().outputs(&server.url("/"), ""), "body"), "hello world", "{reply}");
    }
}

#[test]
fn json_is_read_where_it_is_expected() {
    let bench = Bench::new();
    let server =
        Server::new([answer(200, r#"{"a":[1]}"#), answer(204, ""), answer(200, "{"), answer(422, r#"{"why":1}"#)]);
    let url = server.url("/");
    let outputs = bench.outputs(&url, r#""parse_json":true"#);
    assert_eq!(outputs.get("body_json").unwrap().to_json(), r#"{"a":[1]}"#);
    assert_eq!(bench.outputs(&url, r#""parse_json":true"#).get("body_json"), None);
    let parts = bench.error(&url, r#""parse_json":true"#);
    assert_eq!(parts.failure.code(), &ErrorCode::VALIDATION_FAILED);
    assert_eq!(text(&parts.outputs, "body"), "{");
    let parts = bench.error(&url, r#""parse_json":true"#);
    assert_eq!(parts.outputs.get("body_json").unwrap().to_json(), r#"{"why":1}"#);
}

#[test]
fn a_body_is_downloaded_into_a_file_that_appears_when_it_is_whole() {
    let bench = Bench::new();
    let body = "y".repeat(400_000);
    let server = Server::new([
        answer(200, &body),
        answer(500, "sorry"),
        say("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf"),
        answer(200, "12345678901"),
    ]);
    let url = server.url("/");
    let outputs = bench.outputs(&url, r#""download_to":"got""#);
    assert_eq!(text(&outputs, "body"), bench.path("got").to_str().unwrap());
    assert_eq!(outputs.get("content_length"), Some(&400_000.into()));
    for with in ["", "", r#","max_response_size":10"#] {
        bench.error(&url, &format!(r#""download_to":"got"{with}"#));
        assert_eq!(fs::read_to_string(bench.path("got")).unwrap(), body);
    }
    let left: Vec<_> = fs::read_dir(bench.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["got"]);
    let parts = bench.error(&server.url("/"), r#""download_to":"no/such/folder""#);
    assert_eq!(parts.failure.code(), &ErrorCode::NETWORK_ERROR, "nobody answers any more");
}

#[test]
fn a_file_that_cannot_be_written_fails_with_its_place() {
    let bench = Bench::new();
    let server = Server::new([answer(200, "x")]);
    let parts = bench.error(&server.url("/"), r#""download_to":"no/such/folder""#);
    assert_eq!(parts.failure.code(), &ErrorCode::SYSTEM_ERROR);
    assert!(parts.failure.message().starts_with("could not create "), "{}", parts.failure);
    assert!(parts.failure.message().contains("no/such"));
}

#[test]
fn a_body_that_is_too_long_is_not_read() {
    let bench = Bench::new();
    let server = Server::new([
        answer(200, "12345"),
        answer(200, "123456"),
        endless("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "4\nabcd\n"),
        endless("HTTP/1.1 200 OK\n\n", "abcd"),
        endless("HTTP/1.1 500 X\n\n", "abcd"),
    ]);
    let url = server.url("/");
    assert_eq!(text(&bench.outputs(&url, r#""max_response_size":5"#), "body"), "12345");
    for with in
        [r#""max_response_size":5"#, r#""max_response_size":5"#, r#""max_response_size":100000,"download_to":"x""#]
    {
        let parts = bench.error(&url, with);
        assert_eq!(parts.failure.code(), &ErrorCode::LIMIT_RESPONSE);
        assert!(parts.failure.message().contains("is longer than"), "{}", parts.failure);
        assert!(!bench.path("x").exists());
    }
    let parts = bench.error(&url, "");
    assert_eq!(parts.failure.code(), &ErrorCode::HTTP_STATUS);
    assert_eq!(text(&parts.outputs, "body").len(), 64 * 1024);
}
