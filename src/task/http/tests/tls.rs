//! Protected connections. The certificates are for `server.test`, made for these tests and for a hundred years.

use std::io::Write as _;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::server::{Reply, Server, answer, read_request};
use super::*;
use crate::failure::ErrorClass;

const ROOT: &str = include_str!("certificates/ca.pem");
const SERVER: &str = include_str!("certificates/server.pem");
const SERVER_KEY: &str = include_str!("certificates/server.key");

/// Whether a server asks who is there.
#[derive(Clone, Copy)]
enum Asks {
    Nobody,
    Everybody,
}

/// Answers a request behind TLS with this text.
fn protected(asks: Asks, text: &str) -> Reply {
    let text = text.replace('\n', "\r\n");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let root = CertificateDer::from_pem_slice(ROOT.as_bytes()).unwrap();
    let certificate = CertificateDer::from_pem_slice(SERVER.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let config = match asks {
        Asks::Nobody => config.with_no_client_auth(),
        Asks::Everybody => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            config.with_client_cert_verifier(verifier)
        }
    };
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    Box::new(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        // Who does not trust us hangs up instead of asking.
        if !read_request(&mut stream).is_empty() {
            let _ = stream.write_all(text.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

fn bench(server: &Server) -> Bench {
    let bench = Bench::resolving([server.address; 4]);
    for (name, text) in [
        ("ca.pem", ROOT),
        ("client.pem", include_str!("certificates/client.pem")),
        ("client.key", include_str!("certificates/client.key")),
        ("server.key", SERVER_KEY),
    ] {
        std::fs::write(bench.path(name), text).unwrap();
    }
    bench
}

const OK: &str = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok";
const WITH_ROOT: &str = r#""ca_cert":"ca.pem""#;

#[test]
fn a_certificate_must_come_from_whom_the_author_trusts_and_be_for_this_name() {
    for (url, with, is_trusted) in [
        ("https://server.test/", WITH_ROOT, true),
        ("https://server.test/", r#""verify_ssl":false"#, true),
        ("https://server.test/", "", false),
        ("https://other.test/", WITH_ROOT, false),
    ] {
        let server = Server::raw([protected(Asks::Nobody, OK)]);
        let bench = bench(&server);
        if is_trusted {
            assert_eq!(text(&bench.outputs(url, with), "body"), "ok");
        } else {
            let parts = bench.error(url, with);
            assert_eq!(parts.failure.code(), &ErrorCode::TLS_FAILED, "{}", parts.failure);
            assert_eq!(parts.failure.class(), ErrorClass::Permanent);
        }
    }
}

#[test]
fn a_server_that_asks_who_is_there_is_shown_the_certificate() {
    let server = Server::raw([Asks::Everybody; 3].map(|asks| protected(asks, OK)));
    let bench = bench(&server);
    let with = |key: &str| format!(r#"{WITH_ROOT},"client_cert":"client.pem","client_key":"{key}""#);
    assert_eq!(text(&bench.outputs("https://server.test/", &with("client.key")), "body"), "ok");
    // With TLS 1.3 the server says so when the connection stands already.
    let parts = bench.error("https://server.test/", WITH_ROOT);
    assert_eq!(parts.failure.code(), &ErrorCode::TLS_FAILED, "{}", parts.failure);
    let parts = bench.error("https://server.test/", &with("server.key"));
    assert_eq!(parts.failure.code(), &ErrorCode::CONFIGURATION_INVALID);
    assert_eq!(parts.failure.message(), "with.client_key: it does not belong to client_cert");
}

#[test]
fn a_redirect_does_not_leave_the_protection() {
    let server =
        Server::raw([protected(Asks::Nobody, "HTTP/1.1 302 X\nLocation: http://server.test/\nContent-Length: 0\n\n")]);
    let parts = bench(&server).error("https://server.test/", WITH_ROOT);
    assert_eq!(parts.failure.code(), &ErrorCode::HTTP_STATUS);
    assert!(parts.failure.message().contains("from https to http"), "{}", parts.failure);
}

#[test]
fn a_server_without_protection_is_not_asked() {
    let server = Server::raw([answer(400, "no")]);
    let parts = bench(&server).error("https://server.test/", WITH_ROOT);
    assert_eq!(parts.failure.code(), &ErrorCode::TLS_FAILED, "{}", parts.failure);
}
