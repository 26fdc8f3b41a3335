//! Whether a test that needs a program of the machine can go on. The only place that skips a test.

use std::env;
use std::fs;
use std::path::Path;

/// Whether `tool` is a program on the search path. If it is not, this prints so, and the test is expected to return.
///
/// # Panics
///
/// If the tool is missing where every tool is expected, that is with `STABILIZE_CI=1` in the environment.
pub fn needs(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| is_program(&folder.join(tool))) {
        return true;
    }
    let everything_is_there = env::var_os("STABILIZE_CI").is_some_and(|value| value == "1");
    assert!(!everything_is_there, "this test needs {tool}, which is not on the search path");
    println!("SKIPPED: needs {tool}");
    false
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_found_by_name_on_the_search_path() {
        assert!(needs("sh"));
    }
}
