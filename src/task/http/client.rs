//! One request and its answer over one connection; only user of `ureq`.
//!
//! Looks up no name, follows no redirect, keeps no connection and no cookie, knows no proxy: it connects to the
//! addresses it is given and to no others.

use std::fmt;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::{WithBody, WithoutBody};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Body, RequestBuilder, SendBody};

use super::connection::{Connection, Waits};
use super::error::Error;
use super::options::Method;
use super::url::{Scheme, Url};

/// Bytes that are read from or written to a connection at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Bytes of the status line and headers of an answer.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// What both sides must show each other.
#[derive(Clone, Default)]
pub(super) struct Tls {
    check: Check,
    client: Option<ClientCert>,
}

/// Where the server's certificate must come from.
#[derive(Clone, Default)]
enum Check {
    /// From whom everybody trusts.
    #[default]
    Known,
    /// From one of these.
    Roots(Vec<Certificate<'static>>),
    /// From anywhere.
    Nothing,
}

impl Tls {
    /// Any certificate of the server is taken.
    pub(super) fn unchecked(self) -> Tls {
        Tls { check: Check::Nothing, ..self }
    }

    /// The server's certificate must come from one of these (PEM) instead of those that everybody knows.
    ///
    /// # Errors
    ///
    /// Text without a certificate.
    pub(super) fn roots(self, pem: &[u8]) -> Result<Tls, Error> {
        Ok(Tls { check: Check::Roots(certificates("ca_cert", pem)?), ..self })
    }

    /// We show this certificate (PEM, with those between it and its root) and prove it with this key (PEM).
    ///
    /// # Errors
    ///
    /// Texts without certificate or key.
    pub(super) fn client(self, certificate: &[u8], key: &[u8]) -> Result<Tls, Error> {
        let certificates = certificates("client_cert", certificate)?;
        let key = PrivateKey::from_pem(key).map_err(|_| Error::Certificate {
            key: "client_key",
            reason: "there is no private key in it".to_owned(),
        })?;
        Ok(Tls { client: Some(ClientCert::new_with_certs(&certificates, key)), ..self })
    }

    /// The same without what we show: another server learns nothing of us.
    pub(super) fn anonymous(self) -> Tls {
        Tls { client: None, ..self }
    }

    fn config(&self) -> TlsConfig {
        let config = TlsConfig::builder().client_cert(self.client.clone());
        match &self.check {
            Check::Known => config.root_certs(RootCerts::WebPki),
            Check::Roots(certificates) => config.root_certs(RootCerts::new_with_certs(certificates)),
            Check::Nothing => config.disable_verification(true),
        }
        .build()
    }
}

fn certificates(key: &'static str, pem: &[u8]) -> Result<Vec<Certificate<'static>>, Error> {
    let bad = |reason: &str| Error::Certificate { key, reason: reason.to_owned() };
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| bad("it is no PEM"))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(bad("there is no certificate in it")) } else { Ok(found) }
}

/// A request, ready to be sent.
pub(super) struct Request<'a> {
    pub(super) url: &'a Url,
    pub(super) method: Method,
    /// Names and values that may stand in a request.
    pub(super) headers: &'a [(String, String)],
    /// Length and bytes.
    pub(super) body: Option<(u64, Box<dyn Read>)>,
    pub(super) tls: &'a Tls,
}

/// The answer to a request; its connection ends with it.
pub(super) struct Answer {
    server: Server,
    /// The status code.
    pub(super) status: u16,
    /// Names in small letters with their values, in the order in which they came.
    pub(super) headers: Vec<(String, String)>,
    body: Box<dyn Read>,
}

/// Sends a request to the first of these addresses that takes a connection, and reads the answer up to its body.
///
/// # Errors
///
/// No connection, no protection, an answer that is no HTTP or does not come.
pub(super) fn send(request: Request<'_>, addresses: &[SocketAddr], waits: &Arc<Waits>) -> Result<Answer, Error> {
    let server = Server { host: request.url.authority(), scheme: request.url.scheme() };
    let link = Link { addresses: addresses.to_vec(), waits: Arc::clone(waits) };
    let opened = Opened(Arc::new(AtomicBool::new(false)));
    let is_open = Arc::clone(&opened.0);
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // Not those of the environment either: a proxy would reach what the request may not.
        .proxy(None)
        .tls_config(request.tls.config())
        .user_agent(concat!("stabilize/", env!("CARGO_PKG_VERSION")))
        .accept_encoding(AutoHeaderValue::None)
        .input_buffer_size(BUFFER_BYTES * 2)
        .output_buffer_size(BUFFER_BYTES)
        .max_response_header_size(HEADER_BYTES_MAX)
        .max_idle_connections(0)
        .build();
    let agent = Agent::with_parts(config, link.clone().chain(RustlsConnector::default()).chain(opened), link);
    // The library panics if a client's key does not belong to its certificate, and says it nowhere else.
    let answered = catch_unwind(AssertUnwindSafe(|| exchange(&agent, request)));
    let mismatch = || Error::Certificate { key: "client_key", reason: "it does not belong to client_cert".to_owned() };
    let answered = answered.map_err(|_| mismatch())?;
    let response = answered.map_err(|error| server.told(error, is_open.load(Ordering::Acquire)))?;
    let headers = response.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let headers = headers.collect();
    Ok(Answer {
        server,
        status: response.status().as_u16(),
        headers,
        body: Box::new(response.into_body().into_reader()),
    })
}

fn exchange(agent: &Agent, request: Request<'_>) -> Result<Response<Body>, ureq::Error> {
    let uri: Uri = request.url.to_string().parse().map_err(ureq::http::Error::from)?;
    let (headers, is_bare) = (request.headers, request.body.is_none());
    let with_body = |builder: RequestBuilder<WithBody>| {
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        match request.body {
            Some((length, bytes)) => {
                builder.header("content-length", length.to_string()).send(SendBody::from_owned_reader(bytes))
            }
            None => builder.send_empty(),
        }
    };
    let without_body = |builder: RequestBuilder<WithoutBody>| {
        headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value)).call()
    };
    let bare = match request.method {
        Method::Post => return with_body(agent.post(uri)),
        Method::Put => return with_body(agent.put(uri)),
        Method::Patch => return with_body(agent.patch(uri)),
        Method::Get => agent.get(uri),
        Method::Delete => agent.delete(uri),
        Method::Head => agent.head(uri),
        Method::Options => agent.options(uri),
    };
    if is_bare { without_body(bare) } else { with_body(bare.force_send_body()) }
}

impl Answer {
    /// Reads on in the body; nothing at its end.
    ///
    /// # Errors
    ///
    /// A connection that broke before the end, a body that is no HTTP.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.body.read(buffer).map_err(|error| self.server.told(error.into(), true))
    }

    /// The first value of a header, by its name in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }
}

/// Who was asked, for messages.
struct Server {
    host: String,
    scheme: Scheme,
}

impl Server {
    /// What the library says, in our words.
    fn told(&self, error: ureq::Error, is_open: bool) -> Error {
        let host = self.host.clone();
        match error {
            // Only TLS finds bytes that are not what they should be, in the handshake or, with 1.3, after it.
            ureq::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData && self.scheme == Scheme::Https => {
                Error::Tls { host, reason: source.to_string() }
            }
            ureq::Error::Io(source) if !is_open => Error::Connect { host, source },
            ureq::Error::Io(source) => Error::Broken { host, source },
            ureq::Error::Tls(reason) => Error::Tls { host, reason: reason.to_owned() },
            ureq::Error::Rustls(error) => Error::Tls { host, reason: error.to_string() },
            other => Error::Protocol { host, reason: other.to_string() },
        }
    }
}

/// The way to one server.
#[derive(Clone)]
struct Link {
    addresses: Vec<SocketAddr>,
    waits: Arc<Waits>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Names are looked up before: an answer of its own is not asked for.
impl Resolver for Link {
    fn resolve(&self, _uri: &Uri, _config: &Config, _timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        // The connector has all of them.
        for address in self.addresses.iter().take(1) {
            addresses.push(*address);
        }
        Ok(addresses)
    }
}

impl Connector<()> for Link {
    type Out = Wire;

    fn connect(&self, _details: &ConnectionDetails<'_>, _chained: Option<()>) -> Result<Option<Wire>, ureq::Error> {
        let connection = Connection::open(&self.addresses, &self.waits)?;
        Ok(Some(Wire { connection, buffers: LazyBuffers::new(BUFFER_BYTES * 2, BUFFER_BYTES) }))
    }
}

/// Behind all that makes a connection: notes that it stands, and that from now on the server may see the request.
#[derive(Debug)]
struct Opened(Arc<AtomicBool>);

impl<In: Transport> Connector<In> for Opened {
    type Out = In;

    fn connect(&self, _details: &ConnectionDetails<'_>, made: Option<In>) -> Result<Option<In>, ureq::Error> {
        self.0.store(made.is_some(), Ordering::Release);
        Ok(made)
    }
}

/// A connection as the library moves it.
struct Wire {
    connection: Connection,
    buffers: LazyBuffers,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _timeout: NextTimeout) -> Result<(), ureq::Error> {
        Ok(self.connection.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, _timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let read = self.connection.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// Asked before a connection is kept for later, and none is.
    fn is_open(&mut self) -> bool {
        false
    }
}
