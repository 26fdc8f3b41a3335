//! Definitions from files. Only reads the bytes; what they mean is the definition's business.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::definition::{Definition, Format, Problems};
use crate::limits::DEFINITION_BYTES_MAX;

impl Definition {
    /// Reads a definition from a file: JSON if its name ends in `.json`, else YAML.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, under the name of the file; a file that cannot be read is one problem, too.
    pub fn from_file(path: &Path) -> Result<Definition, Problems> {
        from_file_within(path, &[])
    }
}

/// The definition in a file that the files of `within` lead to, the outermost first.
fn from_file_within(path: &Path, within: &[PathBuf]) -> Result<Definition, Problems> {
    let name = path.display().to_string();
    let text = read(path).map_err(|reason| Problems::unreadable(&name, &reason))?;
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let mut within = within.to_vec();
    within.push(path.canonicalize().unwrap_or_else(|_| path.to_path_buf()));
    let files = |called: &str| {
        let path = path.parent().unwrap_or(Path::new(".")).join(called);
        if within.contains(&path.canonicalize().unwrap_or_else(|_| path.clone())) {
            return Err("the files call each other in a circle; write them into one document".to_owned());
        }
        from_file_within(&path, &within).map_err(|problems| {
            let first = problems.iter().next().map(|problem| problem.message().to_owned()).unwrap_or_default();
            format!("it is refused, first for: {first}")
        })
    };
    let format = if json { Format::Json } else { Format::Yaml };
    match Definition::from_text_of_file(&text, format, &files) {
        Ok(definition) => Ok(definition.in_file(&name)),
        Err(problems) => Err(problems.in_file(name)),
    }
}

/// The text of a file, as far as a definition may go and one byte beyond, so that a longer one is noticed.
fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let limit = DEFINITION_BYTES_MAX as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    if bytes.len() > DEFINITION_BYTES_MAX {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_how_it_is_read_and_where_its_problems_are() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let yaml = Definition::from_file(&write("a.yaml", b"name: x\nstages: { a: {} }\n")).unwrap();
        let json = Definition::from_file(&write("a.json", br#"{"name": "x", "stages": {"a": {}}}"#)).unwrap();
        assert_eq!(yaml, json);
        for (path, begin) in [
            (write("b.yaml", b"name: x\n"), "b.yaml:1:1: error[NO_STAGES]"),
            (write("c.json", b"name: x\n"), "c.json:1:1: error[SYNTAX_ERROR]"),
            (write("d.yaml", b"name: \xff\n"), "d.yaml:1:1: error[UNREADABLE_FILE]"),
            (directory.path().join("missing.yaml"), "missing.yaml:1:1: error[UNREADABLE_FILE]"),
        ] {
            let problems = Definition::from_file(&path).unwrap_err().to_string();
            assert!(problems.contains(begin), "{problems}");
        }
    }
}
