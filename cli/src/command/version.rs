//! `version`.

use serde::Serialize;
use stabilize::BUILD;

use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::report::Stop;

#[derive(Serialize)]
struct Version {
    version: &'static str,
    rules: u32,
    format: u16,
    features: &'static [&'static str],
}

/// Prints what this build is.
pub(super) fn version(out: &mut Output) -> Result<Exit, Stop> {
    let (version, rules, format, features) = (BUILD.version, BUILD.rules, BUILD.format, BUILD.features);
    match out.form() {
        Form::Json => out.json(&Version { version, rules, format, features })?,
        Form::Human => {
            out.line(format_args!("stabilize {version}"))?;
            out.line(format_args!("rules     {rules}"))?;
            out.line(format_args!("format    {format}"))?;
            out.line(format_args!("features  {}", features.join(", ")))?;
        }
    }
    Ok(Exit::Success)
}
