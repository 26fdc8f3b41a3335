//! What a request carries: data written as JSON or as a form, text, or a file among the fields of a form.
//!
//! A file is read while it is sent. A payload can be sent again, to another server or in another attempt.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use super::error::Error;
use super::url::encoded;
use crate::digest::sha256;

/// What a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    /// Its `Content-Type`, unless the author writes another.
    pub(super) content_type: String,
    data: Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Data {
    Bytes(Vec<u8>),
    /// A file with what stands before and behind it.
    File {
        head: Vec<u8>,
        path: PathBuf,
        tail: Vec<u8>,
    },
}

/// A file among the fields of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    /// The file.
    pub(super) path: PathBuf,
    /// The name of its field.
    pub(super) field: String,
    /// What the server is told as its name.
    pub(super) filename: String,
    /// The other fields.
    pub(super) form: Vec<(String, String)>,
}

impl Payload {
    /// A value as JSON.
    pub(super) fn json(json: String) -> Payload {
        Payload { content_type: "application/json".to_owned(), data: Data::Bytes(json.into_bytes()) }
    }

    /// The fields of a form, as `name=value&..`.
    pub(super) fn form(fields: &[(String, String)]) -> Payload {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let content_type = "application/x-www-form-urlencoded".to_owned();
        Payload { content_type, data: Data::Bytes(fields.join("&").into_bytes()) }
    }

    /// Text as it is.
    pub(super) fn text(text: &str) -> Payload {
        Payload { content_type: "text/plain; charset=utf-8".to_owned(), data: Data::Bytes(text.as_bytes().to_vec()) }
    }

    /// A file and other fields as `multipart/form-data` (RFC 7578). `seed` is what nobody who made the file can know.
    pub(super) fn upload(upload: Upload, seed: &str) -> Payload {
        let hash = sha256(seed.as_bytes());
        let digits: String = hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        let boundary = format!("stabilize-{digits}");
        let mut head = String::new();
        for (name, value) in &upload.form {
            let name = escaped(name);
            head += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        let (field, filename) = (escaped(&upload.field), escaped(&upload.filename));
        let media_type = media_type(&upload.filename);
        head += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{filename}\"\r\n\
             Content-Type: {media_type}\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n").into_bytes();
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Payload { content_type, data: Data::File { head: head.into_bytes(), path: upload.path, tail } }
    }

    /// Its length and its bytes, from the first on.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is none.
    pub(super) fn open(&self) -> Result<(u64, Box<dyn Read>), Error> {
        match &self.data {
            Data::Bytes(bytes) => Ok((bytes.len() as u64, Box::new(Cursor::new(bytes.clone())))),
            Data::File { head, path, tail } => {
                let is_file = path.metadata().map_err(Error::file("look at", path))?.is_file();
                if !is_file {
                    // Opening a pipe would wait for somebody to write.
                    let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no file");
                    return Err(Error::file("send", path)(error));
                }
                let file = File::open(path).map_err(Error::file("open", path))?;
                let length = file.metadata().map_err(Error::file("look at", path))?.len();
                // A file that grows meanwhile is sent as long as it was said to be.
                let bytes = Cursor::new(head.clone()).chain(file.take(length)).chain(Cursor::new(tail.clone()));
                Ok((head.len() as u64 + length + tail.len() as u64, Box::new(bytes)))
            }
        }
    }
}

/// A name in quotes of a header, as browsers write it: what would end it or begin another header is escaped.
fn escaped(name: &str) -> String {
    let escape = |letter| match letter {
        '"' => "%22".to_owned(),
        letter if letter.is_ascii_control() => format!("%{:02X}", u32::from(letter)),
        other => other.to_string(),
    };
    name.chars().map(escape).collect()
}

/// What servers are told a file of this name holds.
fn media_type(filename: &str) -> &'static str {
    let extension = filename.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "csv" => "text/csv",
        "css" => "text/css",
        "gif" => "image/gif",
        "gz" => "application/gzip",
        "htm" | "html" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "js" => "text/javascript",
        "json" => "application/json",
        "md" => "text/markdown",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "tar" => "application/x-tar",
        "txt" => "text/plain",
        "webp" => "image/webp",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// User and password as HTTP's `Basic` has them.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// RFC 4648, 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let byte = |index| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letter = |index: usize| match index {
            index if index > group.len() => '=',
            index => char::from(LETTERS[(bits >> (18 - 6 * index) & 63) as usize]),
        };
        [letter(0), letter(1), letter(2), letter(3)]
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(payload: &Payload) -> String {
        let (length, mut bytes) = payload.open().unwrap();
        let mut text = String::new();
        bytes.read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, length);
        text
    }

    #[test]
    fn fields_of_a_form_are_encoded() {
        let fields = [("a b".to_owned(), "c&d=é".to_owned()), ("e".to_owned(), String::new())];
        assert_eq!(all(&Payload::form(&fields)), "a%20b=c%26d%3D%C3%A9&e=");
    }

    #[test]
    fn names_of_an_upload_cannot_begin_another_header_and_the_file_is_sent_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, "1\r\n--2").unwrap();
        let upload = Upload {
            path,
            field: "f\"\r\nX-Evil: 1".to_owned(),
            filename: "a\"b\n.CSV".to_owned(),
            form: vec![("n\r\no".to_owned(), "v".to_owned())],
        };
        let payload = Payload::upload(upload, "seed");
        let boundary = payload.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"n%0D%0Ao\"\r\n\r\nv\r\n\
             --{boundary}\r\nContent-Disposition: form-data; \
             name=\"f%22%0D%0AX-Evil: 1\"; filename=\"a%22b%0A.CSV\"\r\n\
             Content-Type: text/csv\r\n\r\n1\r\n--2\r\n--{boundary}--\r\n"
        );
        assert_eq!(all(&payload), expected);
    }

    #[test]
    fn what_is_no_file_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("gone")] {
            let upload = Upload { path, field: "f".into(), filename: "f".into(), form: Vec::new() };
            assert!(matches!(Payload::upload(upload, "").open(), Err(Error::File { .. })));
        }
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
