//! Addresses of requests: what `url` may be, where a redirect leads, and texts that become part of one.
//!
//! Pure. Only http and https; nothing here looks up a name.

use std::fmt;
use std::net::Ipv6Addr;

/// Bytes of an address; servers take about as much.
const BYTES_MAX: usize = 64 * 1024;

/// Why a text is no address that can be asked. The text itself may hold secrets and is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct InvalidUrl {
    reason: &'static str,
}

/// With or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Without.
    Http,
    /// With.
    Https,
}

/// An address of a request, without credentials and fragment, in characters that may stand in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    scheme: Scheme,
    /// In small letters; an IPv6 address in brackets.
    host: String,
    port: Option<u16>,
    /// Path and query; begins with `/`.
    target: String,
}

impl Url {
    /// Reads an absolute address.
    ///
    /// # Errors
    ///
    /// Another scheme, credentials, a host that is none, a port that is none, control characters.
    pub(super) fn parse(text: &str) -> Result<Url, InvalidUrl> {
        if text.len() > BYTES_MAX {
            return invalid("it is too long");
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return invalid("it holds control characters");
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return invalid("it begins with neither http:// nor https://");
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return invalid("it begins with neither http:// nor https://"),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return invalid("it holds credentials, which belong into `auth` or `bearer_token`");
        }
        let (host, port) = host_and_port(authority)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Url { scheme, host, port, target: format!("{slash}{}", allowed(target)) })
    }

    /// Where a `Location` leads that was answered here (RFC 3986, 5.2); credentials in it are dropped.
    ///
    /// # Errors
    ///
    /// As [`parse`](Url::parse).
    pub(super) fn join(&self, location: &str) -> Result<Url, InvalidUrl> {
        let location = location.split('#').next().unwrap_or_default();
        let scheme_end = location.find([':', '/', '?']).filter(|end| location[*end..].starts_with(':'));
        if scheme_end.is_some() {
            return Url::parse(&without_credentials(location));
        }
        if location.starts_with("//") {
            return Url::parse(&without_credentials(&format!("{}:{location}", self.scheme)));
        }
        let (path, query) = split_query(&self.target);
        let target = match location.chars().next() {
            None => self.target.clone(),
            Some('?') => format!("{path}{location}"),
            Some('/') => without_dots(location),
            Some(_) => {
                let folder = &path[..=path.rfind('/').unwrap_or(0)];
                let (relative, own_query) = split_query(location);
                debug_assert!(query.is_empty() || query.starts_with('?'));
                format!("{}{own_query}", without_dots(&format!("{folder}{relative}")))
            }
        };
        Url::parse(&format!("{}://{}{target}", self.scheme, self.authority()))
    }

    /// The same with these added to its query.
    pub(super) fn with_query(mut self, entries: &[(String, String)]) -> Url {
        for (name, value) in entries {
            let sign = if self.target.contains('?') { '&' } else { '?' };
            self.target.push(sign);
            self.target.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        self
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in small letters, an IPv6 address without brackets.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, 80 or 443 if none is written.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        })
    }

    /// Host, and the port if it is written.
    pub(super) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether what is meant for one may be told to the other: the same scheme, host and port.
    pub(super) fn is_same_origin(&self, other: &Url) -> bool {
        (self.scheme, &self.host, self.port()) == (other.scheme, &other.host, other.port())
    }

    /// As messages show it: without its query, which may hold secrets.
    pub(super) fn shown(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority(), split_query(&self.target).0)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.target)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        })
    }
}

/// Text as a part of a query, a form or a path: everything but letters, digits and `-._~` as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if is_unreserved(byte) { char::from(byte).to_string() } else { escape(byte) }).collect()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn escape(byte: u8) -> String {
    format!("%{byte:02X}")
}

/// Path and query with what may not stand in a request as `%XX`; what is written so already stays.
fn allowed(target: &str) -> String {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    target.bytes().map(|byte| if is_allowed(byte) { char::from(byte).to_string() } else { escape(byte) }).collect()
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), InvalidUrl> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return invalid("a bracket is not closed") };
            if address.parse::<Ipv6Addr>().is_err() {
                return invalid("what stands in brackets is no IPv6 address");
            }
            (format!("[{}]", address.to_ascii_lowercase()), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if !host.bytes().all(is_host) || host.len() > 253 || host.bytes().all(|byte| byte == b'.') {
                return invalid("its host is no name and no address (names with other letters are written as xn--..)");
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(port) if port > 0 => Some(port),
            _ => return invalid("its port is none"),
        },
        _ => return invalid("its port is none"),
    };
    Ok((host, port))
}

fn split_query(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

fn without_credentials(text: &str) -> String {
    let Some(start) = text.find("://").map(|found| found + 3) else { return text.to_owned() };
    let end = text[start..].find(['/', '?']).map_or(text.len(), |found| start + found);
    match text[start..end].rfind('@') {
        Some(at) => format!("{}{}", &text[..start], &text[start + at + 1..]),
        None => text.to_owned(),
    }
}

/// `.` and `..` taken out of a path, which begins with `/`; what stands behind `?` is left as it is.
fn without_dots(target: &str) -> String {
    let (path, query) = split_query(target);
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        match *segment {
            ".." => {
                kept.pop();
                if is_last {
                    kept.push("");
                }
            }
            "." if is_last => kept.push(""),
            "." => {}
            other => kept.push(other),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

fn invalid<T>(reason: &'static str) -> Result<T, InvalidUrl> {
    Err(InvalidUrl { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_read_as_it_will_be_asked() {
        for (text, expected, port) in [
            ("http://Host.example", "http://host.example/", 80),
            ("HTTPS://host:8443/a?b=c#d", "https://host:8443/a?b=c", 8443),
            ("https://host:?q", "https://host/?q", 443),
            ("http://[::1]:81/x", "http://[::1]:81/x", 81),
            ("http://127.1/ä b\\\"%41", "http://127.1/%C3%A4%20b%5C%22%41", 80),
        ] {
            assert_eq!((url(text).to_string().as_str(), url(text).port()), (expected, port));
        }
        assert_eq!(url("http://[::1]/").host(), "::1");
        assert_eq!(url("https://host/a?token=hush").shown(), "https://host/a");
    }

    #[test]
    fn what_cannot_be_asked_is_refused_without_being_shown() {
        for (text, reason) in [
            ("", "neither http:// nor https://"),
            ("file:///etc/passwd", "neither http:// nor https://"),
            ("ftp://host/", "neither http:// nor https://"),
            ("host/path", "neither http:// nor https://"),
            ("http://", "its host is no name"),
            ("http://..", "its host is no name"),
            ("http:///path", "its host is no name"),
            ("http://user:hush@host/", "it holds credentials"),
            ("http://a b/", "its host is no name"),
            ("http://good\\@evil/", "it holds credentials"),
            ("http://good\\evil/", "its host is no name"),
            ("http://%65vil/", "its host is no name"),
            ("http://bücher.example/", "its host is no name"),
            ("http://host:0/", "its port is none"),
            ("http://host:+80/", "its port is none"),
            ("http://host:65536/", "its port is none"),
            ("http://[::1/", "a bracket is not closed"),
            ("http://[1.2.3.4]/", "no IPv6 address"),
            ("http://[::1]x/", "its port is none"),
            ("http://host/a\r\nX: y", "control characters"),
        ] {
            let error = Url::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("hush"));
        }
    }

    #[test]
    fn a_location_is_seen_from_where_it_was_answered() {
        let base = url("http://a/b/c/d;p?q");
        for (location, expected) in [
            ("", "http://a/b/c/d;p?q"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s", "http://a/b/c/g"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../../../g", "http://a/g"),
            ("https://other:1/x", "https://other:1/x"),
            ("http://user:pass@other/x@y", "http://other/x@y"),
            ("//user@other", "http://other/"),
            ("/a:b", "http://a/a:b"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), expected, "{location}");
        }
        for location in ["file:///etc/passwd", "javascript:1", "mailto:x@y", "http:g", "gopher://x/"] {
            assert!(base.join(location).is_err(), "{location}");
        }
    }

    #[test]
    fn entries_of_a_query_are_encoded() {
        let entries = [("a b".to_owned(), "c&d=e/ü".to_owned()), ("x".to_owned(), String::new())];
        assert_eq!(url("http://h").with_query(&entries).to_string(), "http://h/?a%20b=c%26d%3De%2F%C3%BC&x=");
        assert_eq!(url("http://h/?k=v").with_query(&entries[1..]).to_string(), "http://h/?k=v&x=");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |one: &str, other: &str| url(one).is_same_origin(&url(other));
        assert!(same("http://A/x", "http://a:80/y"));
        assert!(!same("http://a/", "https://a/"));
        assert!(!same("http://a/", "http://a:81/"));
        assert!(!same("http://a/", "http://b.a/"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back_as_itself(text in "(http://)?[ -~]{0,40}|\\PC{0,40}", location in "\\PC{0,40}") {
            if let Ok(url) = Url::parse(&text) {
                proptest::prop_assert_eq!(Url::parse(&url.to_string()), Ok(url.clone()));
                if let Ok(joined) = url.join(&location) {
                    proptest::prop_assert_eq!(Url::parse(&joined.to_string()), Ok(joined));
                }
            }
        }
    }
}
