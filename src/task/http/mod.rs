//! `http`: one request to a server, through the redirects it answers with, and what becomes of the answer.
//!
//! The address is vetted as it was resolved, at every hop, and what was vetted is what is connected to. Trying again is
//! the engine's work: a failure says whether it makes sense.

mod answer;
mod client;
mod connection;
mod error;
mod guard;
mod options;
mod payload;
mod retry;
#[cfg(test)]
mod tests;
mod url;

use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Task;
use super::cancel::Stop;
use super::context::{Dispatch, TaskContext};
use super::outcome::{Outcome, TaskError};
use crate::failure::ErrorCode;
use crate::limits::{HTTP_FAILURE_BYTES_KEPT, STREAM_BYTES_IN_ERROR};
use crate::value::{Map, Value};

use answer::Body;
use client::{Answer, Request, Tls};
use connection::{LookUp, Waits};
use error::Error;
use options::{Method, Options};
use payload::Payload;
use retry::{Reached, retry_after};
use url::{Scheme, Url};

/// How long a server may be silent if the author sets no `timeout`.
const SILENCE: Duration = Duration::from_secs(30);

/// Of the author's headers, those that another server than the one they were written for is told.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// The task behind `uses: http`.
pub(super) struct Http {
    look_up: Arc<LookUp>,
    silence: Duration,
}

impl Http {
    /// With the system's resolver.
    pub(super) fn new() -> Http {
        Http { look_up: Arc::new(|host, port| Ok((host, port).to_socket_addrs()?.collect())), silence: SILENCE }
    }
}

impl Task for Http {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let dispatch = task.dispatch();
        let options = Options::read(dispatch)?;
        let began = Instant::now();
        let timeout = options.timeout.unwrap_or(dispatch.timeout);
        dispatch.cancel.limit(began.checked_add(timeout.into()));
        let mut exchange = Exchange::new(self, dispatch, &options, began);
        let failed = match exchange.run() {
            Ok(outputs) => {
                // All of it is there in time; what is made of it is not the server's business.
                dispatch.cancel.limit(None);
                return Ok(Outcome::success().outputs(outputs));
            }
            Err(failed) => failed,
        };
        let outputs = failed.outputs.unwrap_or_else(|| exchange.outputs());
        let error = match dispatch.cancel.stop() {
            Some(Stop::Canceled | Stop::Closing) => return Err(TaskError::canceled()),
            Some(Stop::TimedOut) => TaskError::timeout(timeout),
            None => options.retry.judged(failed.error, failed.reached, task.attempt(), failed.retry_after),
        };
        if options.continue_on_failure && !error.is_transient() {
            dispatch.cancel.limit(None);
            return Ok(Outcome::failed_continue(error).outputs(outputs));
        }
        Err(error.outputs_below(outputs))
    }
}

/// Every key of its `with`: definitions are held to them.
#[cfg(test)]
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    Options::KEYS.into_iter()
}

/// A request under way.
struct Exchange<'a> {
    http: &'a Http,
    dispatch: &'a Dispatch,
    options: &'a Options,
    began: Instant,
    /// Where it has come to.
    hop: Hop,
}

/// One request on the way to the last answer.
struct Hop {
    url: Url,
    method: Method,
    headers: Vec<(String, String)>,
    payload: Option<Payload>,
    tls: Tls,
}

/// A request that failed.
struct Failed {
    error: TaskError,
    reached: Reached,
    retry_after: Option<crate::time::Duration>,
    /// What there is to say about the answer, if there was one.
    outputs: Option<Map>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        let reached = if error.is_before_request() { Reached::NotDone } else { Reached::Unknown };
        Failed { error: error.into(), reached, retry_after: None, outputs: None }
    }
}

impl<'a> Exchange<'a> {
    fn new(http: &'a Http, dispatch: &'a Dispatch, options: &'a Options, began: Instant) -> Exchange<'a> {
        let hop = Hop {
            url: options.url.clone(),
            method: options.method,
            headers: options.headers.clone(),
            payload: options.payload.clone(),
            tls: options.tls.clone(),
        };
        Exchange { http, dispatch, options, began, hop }
    }

    /// Asks until there is a last answer, and gives the outputs of one that means success.
    fn run(&mut self) -> Result<Map, Failed> {
        // Whoever sets a timeout knows how long the server may think.
        let silence = self.options.timeout.map_or(self.http.silence, Duration::from);
        let waits = Waits::new(&self.dispatch.cancel, silence).map_err(|source| Error::System { source })?;
        let waits = Arc::new(waits);
        let mut redirects = 0;
        loop {
            let mut answer = self.ask(&waits)?;
            match self.next(&answer)? {
                Some(hop) if redirects < self.options.redirects_max => {
                    redirects += 1;
                    self.hop = hop;
                }
                Some(_) if self.options.redirects_max > 0 => {
                    let reason = format!("that makes more than {}, and max_redirects allows no more", redirects);
                    return Err(Error::Redirect { host: self.hop.url.authority(), reason }.into());
                }
                Some(_) | None => return self.conclude(&mut answer),
            }
        }
    }

    fn ask(&self, waits: &Arc<Waits>) -> Result<Answer, Error> {
        let hop = &self.hop;
        let addresses = connection::addresses(hop.url.host(), hop.url.port(), &self.http.look_up, waits)
            .map_err(|source| Error::Name { host: hop.url.authority(), source })?;
        if let Some(address) = self.options.reach.refused(&hop.url, &addresses) {
            return Err(Error::AddressRefused { host: hop.url.authority(), address });
        }
        let body = hop.payload.as_ref().map(Payload::open).transpose()?;
        let request = Request { url: &hop.url, method: hop.method, headers: &hop.headers, body, tls: &hop.tls };
        client::send(request, &addresses, waits)
    }

    /// What to ask next, if the answer is a redirect.
    fn next(&self, answer: &Answer) -> Result<Option<Hop>, Error> {
        let hop = &self.hop;
        let is_redirect = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
        let Some(location) = answer.header("location").filter(|_| is_redirect) else { return Ok(None) };
        if self.options.expected.names(answer.status) || self.options.redirects_max == 0 {
            return Ok(None);
        }
        let host = hop.url.authority();
        let url = hop.url.join(location).map_err(|source| Error::Location { host: host.clone(), source })?;
        if hop.url.scheme() == Scheme::Https && url.scheme() == Scheme::Http {
            let reason = "from https to http, where everybody on the way could read along".to_owned();
            return Err(Error::Redirect { host, reason });
        }
        // 303 asks for a GET; for 301 and 302 everybody makes one of a POST (RFC 9110, 15.4).
        let becomes_get = match answer.status {
            303 => hop.method != Method::Head,
            301 | 302 => hop.method == Method::Post,
            _ => false,
        };
        let (method, payload) = if becomes_get { (Method::Get, None) } else { (hop.method, hop.payload.clone()) };
        let is_same = url.is_same_origin(&hop.url);
        let mut headers = hop.headers.clone();
        headers.retain(|(name, _)| {
            (is_same || HARMLESS.contains(&name.as_str())) && (payload.is_some() || !name.starts_with("content-"))
        });
        let tls = if is_same { hop.tls.clone() } else { hop.tls.clone().anonymous() };
        Ok(Some(Hop { url, method, headers, payload, tls }))
    }

    /// What the last answer means.
    fn conclude(&self, answer: &mut Answer) -> Result<Map, Failed> {
        let options = self.options;
        if !options.expected.has(answer.status) {
            let bytes_max = options.response_bytes_max.min(HTTP_FAILURE_BYTES_KEPT);
            let beginning = answer::beginning(answer, bytes_max);
            // Before it is cut again for the message: no piece of a secret may be left.
            let is_cut = beginning.len() as u64 >= bytes_max;
            let body = Body::Bytes(self.dispatch.secrets.cover().whole(&beginning, is_cut));
            return Err(self.unexpected(answer, &body));
        }
        let (host, bytes_max) = (self.hop.url.authority(), options.response_bytes_max);
        let body = match &options.download_to {
            Some(path) => {
                let part = self.dispatch.place.part(path, self.dispatch.workflow, self.dispatch.attempt);
                let bytes = answer::into_file(answer, &host, bytes_max, path, part)?;
                Body::File { path: path.clone(), bytes }
            }
            None => Body::Bytes(answer::into_memory(answer, &host, bytes_max)?),
        };
        let mut outputs = self.outputs_of(answer, &body);
        if options.parse_json
            && let Body::Bytes(bytes) = &body
            && !bytes.is_empty()
        {
            match json(bytes) {
                Ok(value) => outputs.insert("body_json".to_owned(), value),
                Err(error) => {
                    let error = error.code(ErrorCode::VALIDATION_FAILED);
                    let reached = Reached::Unknown;
                    return Err(Failed { error, reached, retry_after: None, outputs: Some(outputs) });
                }
            };
        }
        Ok(outputs)
    }

    fn unexpected(&self, answer: &Answer, body: &Body) -> Failed {
        let (status, retry) = (answer.status, &self.options.retry);
        let url = self.hop.url.shown();
        let message = format!("{} {url} was answered with status {status}", self.hop.method.name());
        let is_transient = retry.is_transient(status);
        let error = if is_transient { TaskError::transient(message) } else { TaskError::permanent(message) };
        let error = error.code(match status {
            401 | 403 | 407 => ErrorCode::AUTHENTICATION_FAILED,
            _ => ErrorCode::HTTP_STATUS,
        });
        let mut outputs = self.outputs_of(answer, body);
        let mut error = error;
        if let Body::Bytes(bytes) = body {
            let said = answer::text(&bytes[..bytes.len().min(STREAM_BYTES_IN_ERROR)], answer.header("content-type"));
            if !said.trim().is_empty() {
                error = error.cause(said.trim());
            }
            if self.options.parse_json
                && let Ok(value) = json(bytes)
            {
                outputs.insert("body_json".to_owned(), value);
            }
        }
        let asked = answer.header("retry-after");
        let retry_after = asked.and_then(|asked| retry_after(asked, answer.header("date"), self.dispatch.now));
        // A server that has too much to do says so instead of doing it.
        let reached = if status == 429 { Reached::NotDone } else { Reached::Unknown };
        Failed { error, reached, retry_after, outputs: Some(outputs) }
    }

    /// The outputs of a request without an answer.
    fn outputs(&self) -> Map {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Map::from([("elapsed_ms".to_owned(), elapsed.into()), ("url".to_owned(), self.hop.url.to_string().into())])
    }

    fn outputs_of(&self, answer: &Answer, body: &Body) -> Map {
        let content_type = answer.header("content-type");
        let shown = match body {
            Body::Bytes(bytes) => answer::text(bytes, content_type),
            Body::File { path, .. } => path.to_string_lossy().into_owned(),
        };
        let mut outputs = self.outputs();
        outputs.extend([
            ("status_code".to_owned(), u32::from(answer.status).into()),
            ("headers".to_owned(), answer::headers(&answer.headers)),
            ("body".to_owned(), shown.into()),
            ("content_type".to_owned(), content_type.unwrap_or_default().into()),
            ("content_length".to_owned(), body.bytes().into()),
        ]);
        outputs
    }
}

fn json(bytes: &[u8]) -> Result<Value, TaskError> {
    let text = std::str::from_utf8(bytes).map_err(|_| TaskError::permanent("the body of the answer is not UTF-8"))?;
    Value::from_json(text).map_err(|error| TaskError::permanent(format!("the body of the answer as JSON: {error}")))
}
