//! Why a request could not be made or its answer not be used, and whether asking again may help.
//!
//! Messages name the server and never what may be secret: no query, no header, no body, no credentials.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::url::InvalidUrl;
use crate::failure::ErrorCode;
use crate::task::outcome::TaskError;

/// What went wrong around a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Error {
    /// The name of the server leads nowhere.
    #[error("could not look up {host}")]
    Name {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The server has an address that is not one of the internet.
    #[error("{host} is {address}, which is no address of the internet; allow_hosts or allow_private_urls allow it")]
    AddressRefused {
        /// The server, with its port if that was written.
        host: String,
        /// Its first address that is refused.
        address: IpAddr,
    },
    /// No connection to any address of the server.
    #[error("could not connect to {host}")]
    Connect {
        /// The server.
        host: String,
        /// What the last address said.
        #[source]
        source: io::Error,
    },
    /// No TLS with the server.
    #[error("could not make a protected connection to {host}: {reason}")]
    Tls {
        /// The server.
        host: String,
        /// What is wrong, with the server's certificate as a rule.
        reason: String,
    },
    /// The connection broke or was silent for too long before the whole answer was there.
    #[error("the connection to {host} broke before its answer was complete")]
    Broken {
        /// The server.
        host: String,
        /// What the connection said.
        #[source]
        source: io::Error,
    },
    /// What came is no HTTP.
    #[error("what {host} answers is no HTTP: {reason}")]
    Protocol {
        /// The server.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is longer than it may be.
    #[error("the answer of {host} is longer than {bytes_max} bytes; max_response_size allows more")]
    TooLong {
        /// The server.
        host: String,
        /// How many bytes are taken.
        bytes_max: u64,
    },
    /// A redirect that is not followed.
    #[error("{host} redirects: {reason}")]
    Redirect {
        /// Who redirects.
        host: String,
        /// Why not.
        reason: String,
    },
    /// A redirect to what is no address.
    #[error("{host} redirects to an address that cannot be asked")]
    Location {
        /// Who redirects.
        host: String,
        /// What is wrong with it.
        #[source]
        source: InvalidUrl,
    },
    /// Certificates or keys that cannot be used.
    #[error("with.{key}: {reason}")]
    Certificate {
        /// The key of `with` that names the file.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An operation on a file failed.
    #[error("could not {operation} {}", path.display())]
    File {
        /// What was attempted.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system refused what every request needs.
    #[error("could not prepare the request")]
    System {
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: `operation` on the file `path` failed.
    pub(super) fn file(operation: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_owned();
        move |source| Error::File { operation, path, source }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Error::Name { .. } | Error::Connect { .. } | Error::Broken { .. } => ErrorCode::NETWORK_ERROR,
            Error::AddressRefused { .. } => ErrorCode::ADDRESS_REFUSED,
            Error::Tls { .. } => ErrorCode::TLS_FAILED,
            Error::Protocol { .. } => ErrorCode::VALIDATION_FAILED,
            Error::TooLong { .. } => ErrorCode::LIMIT_RESPONSE,
            Error::Redirect { .. } | Error::Location { .. } => ErrorCode::HTTP_STATUS,
            Error::Certificate { .. } => ErrorCode::CONFIGURATION_INVALID,
            Error::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => ErrorCode::RESOURCE_EXHAUSTED,
            Error::File { .. } | Error::System { .. } => ErrorCode::SYSTEM_ERROR,
        }
    }

    /// Whether it may pass by itself.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Error::Name { .. } | Error::Connect { .. } | Error::Broken { .. })
    }

    /// Whether the server cannot have seen the request, so that asking again cannot do its work twice.
    pub(super) fn is_before_request(&self) -> bool {
        matches!(self, Error::Name { .. } | Error::Connect { .. })
    }
}

/// Transient if it may pass by itself.
impl From<Error> for TaskError {
    fn from(error: Error) -> TaskError {
        let message = error.to_string();
        let of = if error.is_transient() { TaskError::transient(message) } else { TaskError::permanent(message) };
        let of = of.code(error.code());
        match error {
            Error::Name { source, .. }
            | Error::Connect { source, .. }
            | Error::Broken { source, .. }
            | Error::File { source, .. }
            | Error::System { source } => of.source(source),
            Error::Location { source, .. } => of.source(source),
            Error::AddressRefused { .. }
            | Error::Tls { .. }
            | Error::Protocol { .. }
            | Error::TooLong { .. }
            | Error::Redirect { .. }
            | Error::Certificate { .. } => of,
        }
    }
}
