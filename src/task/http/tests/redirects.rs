//! Redirects, and addresses that a request may not reach.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Server, answer, say};
use super::*;

fn moved(status: u16, location: &str) -> server::Reply {
    say(&format!("HTTP/1.1 {status} X\nLocation: {location}\nContent-Length: 3\n\nold"))
}

fn first_lines(requests: &[String]) -> Vec<String> {
    let line = |request: &String| request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
    requests.iter().map(line).collect()
}

#[test]
fn a_redirect_is_followed_with_the_method_it_asks_for() {
    for (status, method, expected) in [
        (301, "GET", "GET /b/c"),
        (301, "POST", "GET /b/c"),
        (302, "POST", "GET /b/c"),
        (302, "PUT", "PUT /b/c"),
        (303, "PUT", "GET /b/c"),
        (307, "POST", "POST /b/c"),
        (308, "PUT", "PUT /b/c"),
    ] {
        let server = Server::new([moved(status, "../b/./c"), answer(200, "new")]);
        let body = if method == "GET" { "" } else { r#","body":"data""# };
        let outputs = Bench::new().outputs(&server.url("/a/x"), &format!(r#""method":"{method}"{body}"#));
        assert_eq!((text(&outputs, "body"), text(&outputs, "url")), ("new", server.url("/b/c").as_str()));
        let requests = server.requests();
        assert_eq!(first_lines(&requests)[1], expected, "{status} {method}");
        assert_eq!(requests[1].contains("data"), !expected.starts_with("GET"));
        assert_eq!(requests[1].contains("content-type"), !expected.starts_with("GET"));
    }
}

#[test]
fn another_server_is_told_nothing_that_was_meant_for_the_first() {
    let other = Server::new([answer(200, ""), answer(200, "")]);
    let same = Server::new([moved(302, "/again"), answer(200, "")]);
    let first = Server::new([moved(302, &other.url("/x")), moved(307, &other.url("/y"))]);
    let bench = Bench::new();
    let with = r#""headers":{"Authorization":"hush-1","Cookie":"hush-2","X-Api-Key":"hush-3","Accept":"text/x"}"#;
    bench.outputs(&first.url("/"), with);
    bench.outputs(&first.url("/"), r#""auth":["hush-4","hush-5"]"#);
    bench.outputs(&same.url("/"), with);
    drop(first);
    for request in other.requests() {
        assert!(!request.contains("hush") && !request.contains("authorization"), "{request}");
    }
    let again = &same.requests()[1];
    for kept in ["hush-1", "hush-2", "hush-3", "accept: text/x"] {
        assert!(again.contains(kept), "{again}");
    }
}

#[test]
fn redirects_end_where_the_author_says() {
    let bench = Bench::new();
    let round = || moved(302, "/");
    let server = Server::new([
        round(),
        round(),
        round(),
        round(),
        round(),
        moved(301, "file:///etc/passwd"),
        say("HTTP/1.1 302 X\nContent-Length: 0\n\n"),
    ]);
    let url = server.url("/");
    let parts = bench.error(&url, r#""max_redirects":2"#);
    assert_eq!(parts.failure.code(), &ErrorCode::HTTP_STATUS);
    assert!(parts.failure.message().contains("redirects: that makes more than 2"), "{}", parts.failure);
    let parts = bench.error(&url, r#""follow_redirects":false"#);
    assert_eq!(parts.outputs.get("status_code"), Some(&302.into()));
    assert_eq!(text(&parts.outputs, "body"), "old");
    // One that is named as expected is not followed.
    let outputs = bench.outputs(&url, r#""expected_status":[302]"#);
    assert_eq!(outputs.get("status_code"), Some(&302.into()));
    let parts = bench.error(&url, "");
    assert!(parts.failure.message().contains("redirects to an address that cannot be asked"), "{}", parts.failure);
    // Without a place to go to it is an answer like any other.
    assert_eq!(bench.error(&url, "").outputs.get("status_code"), Some(&302.into()));
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn an_address_that_is_not_of_the_internet_is_refused_before_it_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in
        ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
    {
        let bench = Bench::new();
        let with = format!(r#"{{"url":"http://{host}:{port}/?key=hush","allow_hosts":["other"]}}"#);
        let parts = failed(bench.ended(&bench.dispatch(&with)));
        assert_eq!(parts.failure.code(), &ErrorCode::ADDRESS_REFUSED, "{host}: {}", parts.failure);
        assert!(parts.failure.message().contains("allow_hosts"), "{}", parts.failure);
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody has connected");
}

#[test]
fn a_redirect_is_vetted_like_the_first_request() {
    let server = Server::new([moved(302, "http://inside.test/secret")]);
    let bench = Bench::resolving([server.address, server.address]);
    let with = r#"{"url":"http://allowed.test/","allow_hosts":["allowed.test"]}"#;
    let parts = failed(bench.ended(&bench.dispatch(with)));
    assert_eq!(parts.failure.code(), &ErrorCode::ADDRESS_REFUSED);
    assert!(parts.failure.message().starts_with("inside.test is 127.0.0.1"), "{}", parts.failure);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_was_vetted_is_what_is_connected_to_whatever_the_name_means_a_moment_later() {
    let (first, second) = (Server::new([answer(200, "first")]), Server::new([answer(200, "second")]));
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, answers) = (Arc::clone(&asked), [first.address, second.address]);
    let mut bench = Bench::new();
    bench.http.look_up = Arc::new(move |_, _| Ok(vec![answers[count.fetch_add(1, Ordering::SeqCst)]]));
    assert_eq!(text(&bench.outputs("http://changing.test/", ""), "body"), "first");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    drop((first, second));
}

#[test]
fn the_next_address_is_tried_when_one_takes_no_connection() {
    let server = Server::new([answer(200, "here")]);
    let gone: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let addresses = vec![gone, server.address];
    let mut bench = Bench::new();
    bench.http.look_up = Arc::new(move |_, _| Ok(addresses.clone()));
    assert_eq!(text(&bench.outputs("http://two.test/", ""), "body"), "here");
}
