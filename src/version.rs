//! What this build of the library is: its version, the rules it decides by, the format it writes, its features.

use crate::machine::RULES;
use crate::store::LogFiles;

/// What this build of the library is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Build {
    /// Version of the package.
    pub version: &'static str,
    /// Number of the rules by which it decides; every recorded command carries it.
    pub rules: u32,
    /// Number of the format of its log.
    pub format: u16,
    /// Optional features it was built with, in alphabetical order.
    pub features: &'static [&'static str],
}

/// This build.
pub const BUILD: Build =
    Build { version: env!("CARGO_PKG_VERSION"), rules: RULES, format: LogFiles::FORMAT, features: &ON };

/// The features that bring tasks, and whether they are on.
const FEATURES: [(&str, bool); 5] = [
    ("docker", cfg!(feature = "docker")),
    ("http", cfg!(feature = "http")),
    ("python", cfg!(feature = "python")),
    ("shell", cfg!(feature = "shell")),
    ("ssh", cfg!(feature = "ssh")),
];

const ON: [&str; count()] = {
    let mut names = [""; count()];
    let (mut from, mut to) = (0, 0);
    while from < FEATURES.len() {
        if FEATURES[from].1 {
            names[to] = FEATURES[from].0;
            to += 1;
        }
        from += 1;
    }
    names
};

const fn count() -> usize {
    let (mut index, mut count) = (0, 0);
    while index < FEATURES.len() {
        count += FEATURES[index].1 as usize;
        index += 1;
    }
    count
}
