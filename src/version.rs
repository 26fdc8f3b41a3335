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
pub const BUILD: Build = Build {
    version: env!("CARGO_PKG_VERSION"),
    rules: RULES,
    format: LogFiles::FORMAT,
    features: match (cfg!(feature = "http"), cfg!(feature = "python"), cfg!(feature = "shell")) {
        (true, true, _) => &["http", "python", "shell"],
        (true, false, true) => &["http", "shell"],
        (true, false, false) => &["http"],
        (false, true, _) => &["python", "shell"],
        (false, false, true) => &["shell"],
        (false, false, false) => &[],
    },
};
