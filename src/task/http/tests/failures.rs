//! Connections that break, servers that are slow or say no, attempts that are stopped.

use std::net::TcpListener;
use std::thread;

use super::server::{Server, answer, endless, hold, reset, say};
use super::*;
use crate::failure::ErrorClass;
use crate::task::Stop;
use crate::task::outcome::OutcomeKind;

fn judged(parts: &TaskErrorParts) -> (ErrorClass, ErrorCode) {
    (parts.failure.class(), parts.failure.code().clone())
}

#[test]
fn a_connection_that_breaks_is_worth_another_try() {
    let cut = || say("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf");
    let replies = [
        cut(),
        reset("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf"),
        say("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhel"),
        say(""),
        reset(""),
        say("HTTP/1.1 200"),
    ];
    let n = replies.len();
    let server = Server::new(replies);
    for _ in 0..n {
        let parts = Bench::new().error(&server.url("/?key=hush"), "");
        assert_eq!(judged(&parts), (ErrorClass::Transient, ErrorCode::NETWORK_ERROR), "{}", parts.failure);
        assert!(!parts.failure.causes().is_empty());
        assert!(!format!("{}{:?}", parts.failure, parts.failure.causes()).contains("hush"));
        assert!(parts.outputs.contains_key("elapsed_ms") && parts.outputs.contains_key("url"));
    }
}

#[test]
fn what_may_have_been_done_is_not_done_twice_unless_the_author_says_so() {
    let transient = [
        r#""method":"PUT""#,
        r#""method":"DELETE""#,
        r#""method":"POST","retry_non_idempotent":true"#,
        r#""method":"POST","headers":{"Idempotency-Key":"k"}"#,
    ];
    for with in transient.into_iter().chain([r#""method":"POST""#, r#""method":"PATCH""#]) {
        let server = Server::new([reset(""), answer(503, "later")]);
        for _ in 0..2 {
            let parts = Bench::new().error(&server.url("/"), with);
            let expected = if transient.contains(&with) { ErrorClass::Transient } else { ErrorClass::Permanent };
            assert_eq!(parts.failure.class(), expected, "{with}: {}", parts.failure);
            let is_explained = parts.failure.causes().iter().any(|cause| cause.contains("retry_non_idempotent"));
            assert_eq!(is_explained, expected == ErrorClass::Permanent);
        }
    }
}

#[test]
fn what_the_server_cannot_have_seen_or_refused_to_do_is_tried_again_in_any_case() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::new([answer(429, "")]);
    for url in [format!("http://{gone}/"), server.url("/")] {
        let parts = Bench::new().error(&url, r#""method":"POST""#);
        assert_eq!(parts.failure.class(), ErrorClass::Transient, "{}", parts.failure);
    }
    let parts = Bench::resolving([]).error("http://nowhere.test/", r#""method":"POST""#);
    assert_eq!(judged(&parts), (ErrorClass::Transient, ErrorCode::NETWORK_ERROR));
    assert_eq!(parts.failure.message(), "could not look up nowhere.test");
}

#[test]
fn a_status_that_is_not_expected_fails_with_what_the_server_said() {
    use ErrorClass::{Permanent, Transient};
    for (status, with, class, code) in [
        (404, "", Permanent, ErrorCode::HTTP_STATUS),
        (401, "", Permanent, ErrorCode::AUTHENTICATION_FAILED),
        (403, "", Permanent, ErrorCode::AUTHENTICATION_FAILED),
        (429, "", Transient, ErrorCode::HTTP_STATUS),
        (500, "", Transient, ErrorCode::HTTP_STATUS),
        (503, r#""retry_on_status":[404]"#, Permanent, ErrorCode::HTTP_STATUS),
        (404, r#""retry_on_status":404"#, Transient, ErrorCode::HTTP_STATUS),
        (200, r#""expected_status":[201,404]"#, Permanent, ErrorCode::HTTP_STATUS),
    ] {
        let server = Server::new([answer(status, "because")]);
        let parts = Bench::new().error(&server.url("/a?key=hush"), with);
        assert_eq!(judged(&parts), (class, code), "{status} {with}");
        let expected = format!("GET {} was answered with status {status}", server.url("/a"));
        assert_eq!(parts.failure.message(), expected);
        assert_eq!(parts.failure.causes(), ["because"]);
        assert_eq!(parts.outputs.get("status_code"), Some(&u32::from(status).into()));
        assert_eq!(text(&parts.outputs, "body"), "because");
    }
    let server = Server::new([answer(404, "as thought")]);
    let outputs = Bench::new().outputs(&server.url("/"), r#""expected_status":404"#);
    assert_eq!(text(&outputs, "body"), "as thought");
}

#[test]
fn a_server_says_when_to_come_again() {
    let server = Server::saying([
        "HTTP/1.1 503 X\nRetry-After: 7\nContent-Length: 0\n\n",
        "HTTP/1.1 429 X\nRetry-After: Sun, 06 Nov 1994 08:49:47 GMT\nDate: Sun, 06 Nov 1994 08:49:37 GMT\nContent-Length: 0\n\n",
    ]);
    for expected in [7, 10] {
        let parts = Bench::new().error(&server.url("/"), "");
        assert_eq!(parts.retry_after, Some(crate::time::Duration::from_seconds(expected)));
    }
}

#[test]
fn retries_are_attempts_of_the_engine_up_to_their_number() {
    let server = Server::new([answer(500, ""), answer(500, "")]);
    let bench = Bench::new();
    let mut dispatch = bench.dispatch(&settings_of(&server.url("/"), r#""retries":1,"retry_delay":3"#));
    let parts = failed(bench.ended(&dispatch));
    assert_eq!(
        (parts.failure.class(), parts.retry_after.map(|pause| pause.to_string())),
        (ErrorClass::Transient, Some("3s".to_owned()))
    );
    dispatch.attempt.dispatch = 2;
    assert_eq!(failed(bench.ended(&dispatch)).failure.class(), ErrorClass::Permanent);
}

#[test]
fn a_failure_that_is_to_go_on_is_an_outcome_with_its_outputs() {
    let server = Server::new([answer(500, "no"), hold("", || ())]);
    let bench = Bench::new();
    let parts = bench.outcome(&server.url("/"), r#""continue_on_failure":true"#);
    assert!(matches!(parts.kind, OutcomeKind::FailedContinue(_)));
    assert_eq!(text(&parts.outputs, "body"), "no");
    let parts = bench.outcome(&server.url("/"), r#""continue_on_failure":true,"timeout":"20ms""#);
    let OutcomeKind::FailedContinue(error) = parts.kind else { panic!("{:?}", parts.kind) };
    assert_eq!(error.into_parts().failure.code(), &ErrorCode::TASK_TIMEOUT);
}

#[test]
fn a_timeout_ends_the_whole_attempt_and_its_connection() {
    let dripping = || endless("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "1\nx\n");
    for (reply, with) in [
        (hold("", || ()), r#""timeout":"20ms""#),
        (hold("HTTP/1.1 200 OK\nContent-Length: 9\n\nhalf", || ()), r#""timeout":0.02"#),
        // Bytes keep coming, and that helps nobody.
        (dripping(), r#""timeout":"20ms","download_to":"got","max_response_size":1000000000000"#),
    ] {
        let server = Server::new([reply]);
        let bench = Bench::new();
        let parts = bench.error(&server.url("/"), with);
        assert_eq!(judged(&parts), (ErrorClass::Timeout, ErrorCode::TASK_TIMEOUT), "{with}");
        // The server's side ends: nobody holds the connection any more.
        assert_eq!(server.requests().len(), 1);
        assert!(!bench.path("got").exists());
    }
}

#[test]
fn a_server_that_is_silent_for_too_long_counts_as_gone() {
    let server = Server::new([hold("HTTP/1.1 200 OK\nContent-Length: 9\n\nhalf", || ())]);
    let mut bench = Bench::new();
    bench.http.silence = Duration::from_millis(20);
    let parts = bench.error(&server.url("/"), "");
    assert_eq!(judged(&parts), (ErrorClass::Transient, ErrorCode::NETWORK_ERROR));
    assert_eq!(parts.failure.causes(), ["no answer within 0.02 s"]);
}

#[test]
fn an_attempt_that_is_asked_to_stop_hangs_up_at_once() {
    for text in ["", "HTTP/1.1 200 OK\nContent-Length: 9\n\nhalf"] {
        let (hung_up, wait_until_hung_up) = notice();
        let (asked, wait_until_asked) = notice();
        let reply: server::Reply = {
            let holding = hold(text, hung_up);
            Box::new(move |stream| {
                asked();
                holding(stream);
            })
        };
        let server = Server::new([reply]);
        let bench = Bench::new();
        let dispatch = bench.dispatch(&settings_of(&server.url("/"), ""));
        let ended = thread::scope(|scope| {
            let ended = scope.spawn(|| bench.ended(&dispatch));
            wait_until_asked();
            dispatch.cancel.cancel(Stop::Canceled);
            wait_until_hung_up();
            ended.join().unwrap()
        });
        assert_eq!(ended, Ended::Stopped(Stop::Canceled));
    }
}

#[test]
fn a_look_up_that_hangs_holds_nobody() {
    let (begun, wait_until_begun) = notice();
    let begun = Mutex::new(Some(begun));
    let (end, ended) = mpsc::channel::<()>();
    let ended = Mutex::new(ended);
    let mut bench = Bench::new();
    bench.http.look_up = Arc::new(move |_, _| {
        begun.lock().unwrap().take().unwrap()();
        let _ = ended.lock().unwrap().recv();
        Ok(Vec::new())
    });
    let dispatch = bench.dispatch(&settings_of("http://slow.test/", ""));
    let stopped = thread::scope(|scope| {
        let stopped = scope.spawn(|| bench.ended(&dispatch));
        wait_until_begun();
        dispatch.cancel.cancel(Stop::Closing);
        stopped.join().unwrap()
    });
    assert_eq!(stopped, Ended::Stopped(Stop::Closing));
    drop(end);
}

#[test]
fn an_answer_that_is_no_http_is_not_asked_for_again() {
    let many = format!("HTTP/1.1 200 OK\n{}\n", format!("X: {}\n", "y".repeat(1_000)).repeat(100));
    for reply in [
        "SSH-2.0-OpenSSH_9.2\n\n",
        "HTTP/1.1 two OK\n\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nxyz\n",
        "HTTP/1.1 200 OK\nContent-Length: -1\n\nx",
        &many,
    ] {
        let server = Server::saying([reply]);
        let parts = Bench::new().error(&server.url("/"), "");
        assert_eq!(
            judged(&parts),
            (ErrorClass::Permanent, ErrorCode::VALIDATION_FAILED),
            "{reply:.40}: {}",
            parts.failure
        );
    }
}
