//! A server on loopback that does what a test tells it, one connection after the other, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What is done with a connection once its request was read.
pub(super) type Reply = Box<dyn FnOnce(TcpStream) + Send>;

/// See the module.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// One reply for each connection, in this order; those that come later are refused.
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Server {
        Server::reading(read_request, replies)
    }

    /// As [`new`](Server::new), with connections of which nothing is read before the reply.
    pub(super) fn raw(replies: impl IntoIterator<Item = Reply>) -> Server {
        Server::reading(|_| String::new(), replies)
    }

    fn reading(read: fn(&mut TcpStream) -> String, replies: impl IntoIterator<Item = Reply>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (kept, over) = (Arc::clone(&requests), Arc::clone(&is_over));
        let replies: Vec<Reply> = replies.into_iter().collect();
        let thread = thread::Builder::new().spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let request = read(&mut stream);
                kept.lock().unwrap().push(request);
                reply(stream);
            }
        });
        let thread = thread.unwrap();
        Server { address, requests, is_over, thread: Some(thread) }
    }

    /// Answers every request with one of these texts, in this order.
    pub(super) fn saying<const N: usize>(replies: [&str; N]) -> Server {
        Server::new(replies.map(say))
    }

    /// An address on it.
    pub(super) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// What it was asked, once it has done all it was told, or nobody asks any more.
    pub(super) fn requests(mut self) -> Vec<String> {
        self.end();
        let requests = self.requests.lock().unwrap();
        requests.clone()
    }

    fn end(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // It may wait for a connection that never comes.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes this, with its lines ended as HTTP has them, and closes.
pub(super) fn say(text: &str) -> Reply {
    let text = text.replace('\n', "\r\n");
    Box::new(move |mut stream| {
        // Whoever does not want to hear all of it may hang up.
        let _ = stream.write_all(text.as_bytes());
    })
}

/// An answer with this status and body, whole.
pub(super) fn answer(status: u16, body: &str) -> Reply {
    say(&format!("HTTP/1.1 {status} X\nContent-Length: {}\n\n{body}", body.len()))
}

/// Writes this, then waits until the other side hangs up, and calls `then`.
pub(super) fn hold(text: &str, then: impl FnOnce() + Send + 'static) -> Reply {
    let text = text.replace('\n', "\r\n");
    Box::new(move |mut stream| {
        stream.write_all(text.as_bytes()).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        then();
    })
}

/// Writes this and ends the connection with a reset.
pub(super) fn reset(text: &str) -> Reply {
    let text = text.replace('\n', "\r\n");
    Box::new(move |mut stream| {
        stream.write_all(text.as_bytes()).unwrap();
        rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO)).unwrap();
    })
}

/// Writes this and then one piece after the other until the other side hangs up.
pub(super) fn endless(text: &str, piece: &str) -> Reply {
    let (text, piece) = (text.replace('\n', "\r\n"), piece.replace('\n', "\r\n"));
    Box::new(move |mut stream| {
        let mut written = stream.write_all(text.as_bytes());
        while written.is_ok() {
            written = stream.write_all(piece.as_bytes());
        }
    })
}

/// Head and body of a request, as text; a body that is announced is read whole.
pub(super) fn read_request(stream: &mut impl Read) -> String {
    let mut request = Vec::new();
    let mut piece = [0; 64 * 1024];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return text.replace("\r\n", "\n");
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&request).into_owned(),
            Ok(read) => request.extend_from_slice(&piece[..read]),
        }
    }
}
