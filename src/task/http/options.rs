//! What the `with` of an `http` task says, read and checked before anything is sent.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::client::Tls;
use super::error::Error;
use super::guard::Reach;
use super::payload::{Payload, Upload, basic};
use super::retry::Retry;
use super::url::Url;
use crate::limits::{
    HTTP_BODY_BYTES_IN_OUTPUTS, HTTP_CERTIFICATE_BYTES_MAX, HTTP_DOWNLOAD_BYTES, HTTP_REDIRECTS_MAX, PAYLOAD_BYTES_MAX,
};
use crate::task::context::Dispatch;
use crate::task::outcome::TaskError;
use crate::task::settings::{Settings, plain};
use crate::time::Duration;
use crate::value::Value;

/// Headers that the connection needs for itself.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
    Head,
    Options,
}

impl Method {
    const ALL: [Method; 7] =
        [Method::Get, Method::Post, Method::Put, Method::Delete, Method::Patch, Method::Head, Method::Options];

    /// The name as requests write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
        }
    }

    /// Whether asking twice does what asking once does (RFC 9110, 9.2.2).
    pub(super) fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }
}

/// Which answers mean success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Those from 200 to 299.
    Success,
    /// These and no others.
    Statuses(Vec<u16>),
}

impl Expected {
    /// Whether an answer with this status means success.
    pub(super) fn has(&self, status: u16) -> bool {
        match self {
            Expected::Success => (200..300).contains(&status),
            Expected::Statuses(statuses) => statuses.contains(&status),
        }
    }

    /// Whether the author names this status.
    pub(super) fn names(&self, status: u16) -> bool {
        matches!(self, Expected::Statuses(statuses) if statuses.contains(&status))
    }
}

/// All that a request's author says.
pub(super) struct Options {
    pub(super) url: Url,
    pub(super) method: Method,
    /// Names in small letters.
    pub(super) headers: Vec<(String, String)>,
    pub(super) payload: Option<Payload>,
    pub(super) expected: Expected,
    /// Where the body of a success goes; otherwise into the outputs.
    pub(super) download_to: Option<PathBuf>,
    /// Bytes of a body that are taken.
    pub(super) response_bytes_max: u64,
    pub(super) parse_json: bool,
    /// How long the attempt may take; stands above the task's own `timeout`.
    pub(super) timeout: Option<Duration>,
    /// How many redirects are followed.
    pub(super) redirects_max: u32,
    pub(super) retry: Retry,
    pub(super) tls: Tls,
    pub(super) reach: Reach,
    pub(super) continue_on_failure: bool,
}

impl Options {
    /// Every key of `with`.
    pub(super) const KEYS: [&'static str; 31] = [
        "url",
        "method",
        "query",
        "headers",
        "json",
        "form",
        "body",
        "upload_file",
        "upload_field",
        "upload_filename",
        "upload_form",
        "auth",
        "bearer_token",
        "expected_status",
        "parse_json",
        "download_to",
        "max_response_size",
        "timeout",
        "follow_redirects",
        "max_redirects",
        "retries",
        "retry_delay",
        "retry_on_status",
        "retry_non_idempotent",
        "verify_ssl",
        "ca_cert",
        "client_cert",
        "client_key",
        "allow_private_urls",
        "allow_hosts",
        "continue_on_failure",
    ];

    /// What `with` of this dispatch says.
    ///
    /// # Errors
    ///
    /// A key that is not known, a value that cannot be used, keys that exclude each other, a certificate that cannot
    /// be read.
    pub(super) fn read(dispatch: &Dispatch) -> Result<Options, TaskError> {
        let settings = Settings::read("http", &dispatch.with, &Options::KEYS)?;
        let folder = match &dispatch.cwd {
            Some(cwd) => dispatch.workdir.join(cwd),
            None => dispatch.workdir.clone(),
        };
        let continue_on_failure = settings.flag("continue_on_failure")?.unwrap_or(false);
        let payload = payload(settings, &folder, dispatch)?;
        let method = method(settings)?;
        if method == Method::Head && payload.is_some() {
            return Err(settings.refused("method", "a HEAD request has no body"));
        }
        let mut headers = headers(settings)?;
        if let Some(payload) = &payload
            && !headers.iter().any(|(name, _)| name == "content-type")
        {
            headers.push(("content-type".to_owned(), payload.content_type.clone()));
        }
        let has_key = headers.iter().any(|(name, _)| name == "idempotency-key");
        let download_to = path(settings, "download_to", &folder)?;
        let redirects_max = match settings.flag("follow_redirects")?.unwrap_or(true) {
            true => whole(settings, "max_redirects", HTTP_REDIRECTS_MAX.into())?,
            false if settings.value("max_redirects").is_some() => {
                return Err(settings.refused("max_redirects", "redirects are not followed"));
            }
            false => Some(0),
        };
        Ok(Options {
            url: url(settings)?,
            method,
            headers,
            expected: statuses(settings, "expected_status")?.map_or(Expected::Success, Expected::Statuses),
            response_bytes_max: response_bytes_max(settings, download_to.is_some())?,
            download_to,
            parse_json: settings.flag("parse_json")?.unwrap_or(false),
            timeout: settings.length_or_seconds("timeout")?,
            redirects_max: redirects_max.map_or(10, |max| u32::try_from(max).expect("the range is checked")),
            retry: Retry {
                times: retries(settings, continue_on_failure)?,
                delay: settings.length_or_seconds("retry_delay")?.unwrap_or(Duration::from_seconds(1)),
                statuses: statuses(settings, "retry_on_status")?,
                is_repeatable: method.is_idempotent()
                    || has_key
                    || settings.flag("retry_non_idempotent")?.unwrap_or(false),
            },
            tls: tls(settings, &folder)?,
            reach: reach(settings)?,
            payload,
            continue_on_failure,
        })
    }
}

fn url(settings: Settings<'_>) -> Result<Url, TaskError> {
    let text = settings.text("url")?.ok_or_else(|| settings.refused("url", "expected this"))?;
    let url = Url::parse(text).map_err(|error| settings.refused("url", &error.to_string()))?;
    Ok(url.with_query(&fields(settings, "query")?.unwrap_or_default()))
}

fn method(settings: Settings<'_>) -> Result<Method, TaskError> {
    let Some(text) = settings.text("method")? else { return Ok(Method::Get) };
    let found = Method::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        settings.refused("method", &format!("it is none of {}", Method::ALL.map(Method::name).join(", ")))
    })
}

/// The one of `json`, `form`, `body` and `upload_file` that is there.
fn payload(settings: Settings<'_>, folder: &Path, dispatch: &Dispatch) -> Result<Option<Payload>, TaskError> {
    let given: Vec<&str> =
        ["json", "form", "body", "upload_file"].into_iter().filter(|key| settings.value(key).is_some()).collect();
    if let [first, second, ..] = given[..] {
        return Err(settings.refused(second, &format!("there is with.{first} already")));
    }
    if !given.contains(&"upload_file")
        && let Some(key) =
            ["upload_field", "upload_filename", "upload_form"].into_iter().find(|key| settings.value(key).is_some())
    {
        return Err(settings.refused(key, "there is no with.upload_file"));
    }
    if let Some(json) = settings.value("json") {
        return Ok(Some(Payload::json(json.to_json())));
    }
    if let Some(form) = fields(settings, "form")? {
        return Ok(Some(Payload::form(&form)));
    }
    if let Some(body) = settings.text("body")? {
        return Ok(Some(Payload::text(body)));
    }
    let Some(path) = path(settings, "upload_file", folder)? else { return Ok(None) };
    let filename = match settings.text("upload_filename")? {
        Some(name) => name.to_owned(),
        None => path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let field = settings.text("upload_field")?.unwrap_or("file").to_owned();
    let form = fields(settings, "upload_form")?.unwrap_or_default();
    let seed = format!("{}/{}/{:?}", dispatch.workflow, dispatch.idempotency_key, dispatch.attempt);
    Ok(Some(Payload::upload(Upload { path, field, filename, form }, &seed)))
}

/// Names and texts; a list gives its name several times, null gives none.
fn fields(settings: Settings<'_>, key: &str) -> Result<Option<Vec<(String, String)>>, TaskError> {
    settings.typed(key, "a map from names to texts, numbers, or lists of them", |value| {
        let mut fields = Vec::new();
        for (name, value) in value.as_map()? {
            let items = value.as_list().unwrap_or(std::slice::from_ref(value));
            for item in items.iter().filter(|item| !item.is_null()) {
                fields.push((name.clone(), scalar(item)?));
            }
        }
        Some(fields)
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) => None,
        Value::Bool(_) | Value::Integer(_) | Value::Real(_) | Value::String(_) => Some(plain(value)),
    }
}

/// Headers of the author, with what `auth` and `bearer_token` make.
fn headers(settings: Settings<'_>) -> Result<Vec<(String, String)>, TaskError> {
    let given = settings.typed("headers", "a map", Value::as_map)?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in given.into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        let refused = |reason: &str| Err(settings.refused("headers", &format!("{name:?} {reason}")));
        if name.is_empty() || !name.bytes().all(is_token) {
            return refused("is no name of a header");
        }
        if RESERVED.contains(&name.as_str()) {
            return refused("is set by the connection itself");
        }
        if headers.iter().any(|(other, _)| *other == name) {
            return refused("stands there twice");
        }
        if value.is_null() {
            continue;
        }
        match scalar(value) {
            // The value is not shown: it may be a key.
            Some(text) if text.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control()) => {
                headers.push((name, text.trim().to_owned()));
            }
            Some(_) => return refused("has control characters in its value"),
            None => return refused("has a value that is no text"),
        }
    }
    let pair = settings.typed("auth", "a list of user and password", pair)?;
    let token = settings.text("bearer_token")?;
    let authorization = match (pair, token) {
        (Some(_), Some(_)) => return Err(settings.refused("bearer_token", "there is with.auth already")),
        (Some((user, _)), None) if user.contains(':') => {
            return Err(settings.refused("auth", "a user's name holds no colon"));
        }
        (Some((user, password)), None) => Some(("auth", basic(user, password))),
        (None, Some(token)) if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            return Err(settings.refused("bearer_token", "it is empty, or holds blanks or control characters"));
        }
        (None, Some(token)) => Some(("bearer_token", format!("Bearer {token}"))),
        (None, None) => None,
    };
    if let Some((key, value)) = authorization {
        if headers.iter().any(|(name, _)| name == "authorization") {
            return Err(settings.refused(key, "there is the header Authorization already"));
        }
        headers.push(("authorization".to_owned(), value));
    }
    Ok(headers)
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn pair(value: &Value) -> Option<(&str, &str)> {
    match value.as_list()? {
        [user, password] => Some((user.as_str()?, password.as_str()?)),
        _ => None,
    }
}

/// A path as the task's directory sees it. One that leads out of a directory is refused: it is often put together.
fn path(settings: Settings<'_>, key: &str, folder: &Path) -> Result<Option<PathBuf>, TaskError> {
    let Some(text) = settings.text(key)? else { return Ok(None) };
    let path = Path::new(text);
    if path.components().any(|part| part == std::path::Component::ParentDir) {
        return Err(settings.refused(key, "a path with .. is not taken"));
    }
    if path.file_name().is_none() || text.ends_with('/') || text.contains('\0') {
        return Err(settings.refused(key, "it names no file"));
    }
    Ok(Some(folder.join(path)))
}

/// One status, or a list of them.
fn statuses(settings: Settings<'_>, key: &str) -> Result<Option<Vec<u16>>, TaskError> {
    settings.typed(key, "a status from 100 to 599, or a list of them", |value| {
        let items = value.as_list().unwrap_or(std::slice::from_ref(value));
        let status = |item: &Value| u16::try_from(item.as_integer()?).ok().filter(|status| (100..600).contains(status));
        items.iter().map(status).collect()
    })
}

fn whole(settings: Settings<'_>, key: &str, max: u64) -> Result<Option<u64>, TaskError> {
    let expected = format!("a whole number from 0 to {max}");
    settings.typed(key, &expected, |value| u64::try_from(value.as_integer()?).ok().filter(|number| *number <= max))
}

fn response_bytes_max(settings: Settings<'_>, is_download: bool) -> Result<u64, TaskError> {
    if is_download {
        return Ok(whole(settings, "max_response_size", u64::MAX >> 1)?.unwrap_or(HTTP_DOWNLOAD_BYTES));
    }
    let bytes = settings.bytes("max_response_size", PAYLOAD_BYTES_MAX)?;
    Ok(bytes.unwrap_or(HTTP_BODY_BYTES_IN_OUTPUTS) as u64)
}

/// How often it is tried again at most; what goes on after a failure is not tried again unless that is asked for.
fn retries(settings: Settings<'_>, continue_on_failure: bool) -> Result<Option<u32>, TaskError> {
    let retries = whole(settings, "retries", u32::MAX.into())?;
    let retries = retries.map(|retries| u32::try_from(retries).expect("the range is checked"));
    Ok(retries.or(continue_on_failure.then_some(0)))
}

fn tls(settings: Settings<'_>, folder: &Path) -> Result<Tls, TaskError> {
    let mut tls = Tls::default();
    let is_checked = settings.flag("verify_ssl")?.unwrap_or(true);
    if let Some(file) = path(settings, "ca_cert", folder)? {
        if !is_checked {
            return Err(settings.refused("ca_cert", "verify_ssl: false asks for no certificate"));
        }
        tls = tls.roots(&pem(&file)?)?;
    }
    if !is_checked {
        tls = tls.unchecked();
    }
    match (path(settings, "client_cert", folder)?, path(settings, "client_key", folder)?) {
        (Some(certificate), Some(key)) => Ok(tls.client(&pem(&certificate)?, &pem(&key)?)?),
        (Some(_), None) => Err(settings.refused("client_cert", "there is no with.client_key")),
        (None, Some(_)) => Err(settings.refused("client_key", "there is no with.client_cert")),
        (None, None) => Ok(tls),
    }
}

fn pem(path: &Path) -> Result<Vec<u8>, Error> {
    fn read(path: &Path) -> io::Result<Vec<u8>> {
        if !path.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(HTTP_CERTIFICATE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
    read(path).map_err(Error::file("read", path))
}

fn reach(settings: Settings<'_>) -> Result<Reach, TaskError> {
    let hosts = settings.typed("allow_hosts", "a list of hosts, each with a port or without", |value| {
        let host = |item: &Value| item.as_str().filter(|host| !host.is_empty()).map(str::to_ascii_lowercase);
        value.as_list()?.iter().map(host).collect::<Option<Vec<String>>>()
    })?;
    match settings.flag("allow_private_urls")? {
        Some(true) => Ok(Reach::Everything),
        Some(false) | None => Ok(Reach::Public(hosts.unwrap_or_default())),
    }
}
