//! Workflows that ask a server: tried again as it says, refused where it is not allowed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::{self, JoinHandle};

use super::support::Place;

/// A server on loopback that answers one connection after the other with these texts, and gives what it was asked.
fn server(answers: &[&str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<String> = answers.iter().map(|answer| answer.replace('\n', "\r\n")).collect();
    let asked = thread::Builder::new().spawn(move || {
        let answer = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        };
        answers.into_iter().map(answer).collect()
    });
    (url, asked.unwrap())
}

#[test]
fn the_example_asks_until_it_is_answered_and_downloads_what_it_was_told_of() {
    let place = Place::new();
    let json = r#"{"crate":{"max_version":"1.2.3"}}"#;
    let told = format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{json}", json.len());
    let (url, asked) = server(&[
        "HTTP/1.1 503 Service Unavailable\nRetry-After: 0\nContent-Length: 0\n\n",
        &told,
        "HTTP/1.1 302 Found\nLocation: /files/x\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nbytes",
    ]);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/request.yaml");
    let server = format!("server={url}");
    let words = ["run", example.to_str().unwrap(), "--json", "--input", &server, "--input", "inside=127.0.0.1"];
    let finished = place.run(&words).exits(0);
    assert_eq!(finished.last()["outputs"], serde_json::json!({"version": "1.2.3", "bytes": 5}));
    assert_eq!(place.read("serde.crate"), "bytes");
    let asked = asked.join().unwrap();
    let targets: Vec<&str> = asked.iter().map(|request| request.split(' ').nth(1).unwrap()).collect();
    let crates = "/api/v1/crates/serde";
    assert_eq!(
        targets,
        [&format!("{crates}?include="), &format!("{crates}?include="), &format!("{crates}/1.2.3/download"), "/files/x"]
    );
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(workflow["stages"][0]["tasks"][0]["attempts"], 2);
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_value_in_an_address_stays_where_it_stands() {
    let place = Place::new();
    let (url, asked) = server(&["HTTP/1.1 204 X\n\n"]);
    let with = "{ url: '${{ inputs.base }}/items/${{ inputs.name }}', allow_private_urls: true }";
    let inputs = "{ base: { type: string }, name: { type: string } }";
    place.write("a.yaml", &format!("name: x\ninputs: {inputs}\nstages: {{ a: {{ uses: http, with: {with} }} }}\n"));
    let base = format!("base={url}");
    place.run(&["run", "a.yaml", "--input", &base, "--input", "name=../admin?x#y"]).exits(0);
    assert!(asked.join().unwrap()[0].starts_with("GET /items/..%2Fadmin%3Fx%23y HTTP/1.1"));
}

#[test]
fn an_address_inside_is_refused_by_name() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { uses: http, with: { url: 'http://localhost:1/?key=hush' } } }\n");
    place.run(&["run", "a.yaml"]).exits(1);
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    let error = &workflow["stages"][0]["error"];
    assert_eq!(error["code"], "ADDRESS_REFUSED");
    assert!(error["message"].as_str().unwrap().starts_with("localhost:1 is "), "{error}");
}
