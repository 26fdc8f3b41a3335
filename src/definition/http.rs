//! What the `with` of an `http` task may hold: each key, what it means to people, and what its value looks like.
//!
//! One table for reading and for the schema. The task itself reads what was computed, and refuses what only shows then.

/// The task type.
pub(crate) const HTTP: &str = "http";

/// What a value looks like where it is written; text with `${{ }}` may stand for any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An address: `http://..` or `https://..`.
    Address,
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// One of [`METHODS`], in any case.
    Method,
    /// A whole number from 0 to this.
    Whole(u64),
    /// A status of an answer, or a list of them.
    Statuses,
    /// Texts, numbers, true or false by name.
    Scalars,
    /// The same, or lists of them.
    Fields,
    /// Two texts.
    Pair,
    /// Texts that are not empty.
    Names,
    /// A length of time, or a number of seconds.
    Time,
    /// Whatever there is.
    Anything,
}

/// What a server can be asked for.
pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Every key.
pub(super) const SETTINGS: [(&str, Shape, &str); 31] = [
    ("url", Shape::Address, "Where to ask; what is computed in it is encoded."),
    ("method", Shape::Method, "What is asked for; default GET."),
    ("query", Shape::Fields, "Added to the address, encoded."),
    ("headers", Shape::Scalars, "Headers of the request."),
    ("json", Shape::Anything, "The body, as JSON."),
    ("form", Shape::Fields, "The body, as the fields of a form."),
    ("body", Shape::Text, "The body, as it is."),
    ("upload_file", Shape::Text, "A file that is sent in a form."),
    ("upload_field", Shape::Text, "The field of that file; default file."),
    ("upload_filename", Shape::Text, "What the server is told as its name; default its own."),
    ("upload_form", Shape::Fields, "The other fields of that form."),
    ("auth", Shape::Pair, "User and password (Basic)."),
    ("bearer_token", Shape::Text, "A token (Bearer)."),
    ("expected_status", Shape::Statuses, "What means success; default 200 to 299."),
    ("parse_json", Shape::Flag, "Whether the body is JSON, to be read into body_json."),
    ("download_to", Shape::Text, "A file that the body of a success is written to."),
    ("max_response_size", Shape::Whole(u64::MAX >> 1), "Bytes of a body; default 256 KiB, 10 MiB into a file."),
    ("timeout", Shape::Time, "Limit of the whole attempt."),
    ("follow_redirects", Shape::Flag, "Whether redirects are followed; default true."),
    ("max_redirects", Shape::Whole(crate::limits::HTTP_REDIRECTS_MAX as u64), "How many; default 10."),
    ("retries", Shape::Whole(u32::MAX as u64), "How often a failed attempt is tried again at most."),
    ("retry_delay", Shape::Time, "Pause before the first of them, then doubled up to ten times; default 1s."),
    ("retry_on_status", Shape::Statuses, "What is tried again; default 429 and 500 to 599."),
    ("retry_non_idempotent", Shape::Flag, "Whether POST and PATCH may be done twice; default false."),
    ("verify_ssl", Shape::Flag, "Whether the server's certificate is checked; default true."),
    ("ca_cert", Shape::Text, "A file of certificates (PEM): whom to trust instead of those everybody does."),
    ("client_cert", Shape::Text, "A file with our certificate (PEM)."),
    ("client_key", Shape::Text, "A file with its key (PEM)."),
    ("allow_private_urls", Shape::Flag, "Whether every address may be reached; default only those of the internet."),
    ("allow_hosts", Shape::Names, "Hosts, with a port or without, that may have any address."),
    ("continue_on_failure", Shape::Flag, "Whether a failure ends as FAILED_CONTINUE; default false."),
];

/// The keys by themselves.
pub(super) const KEYS: [&str; SETTINGS.len()] = {
    let mut keys = [""; SETTINGS.len()];
    let mut index = 0;
    while index < keys.len() {
        keys[index] = SETTINGS[index].0;
        index += 1;
    }
    keys
};

/// Keys of which only one may be there.
pub(super) const EXCLUSIVE: [&[&str]; 2] = [&["json", "form", "body", "upload_file"], &["auth", "bearer_token"]];

/// Keys that mean something beside another one only.
pub(super) const DEPENDENT: [(&str, &str); 5] = [
    ("upload_field", "upload_file"),
    ("upload_filename", "upload_file"),
    ("upload_form", "upload_file"),
    ("client_cert", "client_key"),
    ("client_key", "client_cert"),
];
