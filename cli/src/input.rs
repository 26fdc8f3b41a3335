//! Values from the command line: `k=v`, `k:=JSON`, `k=@FILE`, and files that hold a map.
//!
//! Nothing here is recorded; whatever does not fit is refused before the log is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use stabilize::{Definition, Map, Value, map_from_json, map_from_yaml};

use crate::exit::Exit;
use crate::report::Report;

/// A name and what was given for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assignment {
    name: String,
    given: Given,
}

#[derive(Clone, Debug, PartialEq)]
enum Given {
    Text(String),
    Json(Value),
    File(PathBuf),
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Assignment, String> {
        let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE, NAME:=JSON or NAME=@FILE")?;
        let (name, given) = match (name.strip_suffix(':'), value.strip_prefix('@')) {
            (Some(name), _) => {
                let json = Value::from_json(value);
                (name, Given::Json(json.map_err(|error| format!("what stands behind := is no JSON: {error}"))?))
            }
            (None, Some("")) => return Err("the name of a file is missing behind =@".to_owned()),
            (None, Some(file)) => (name, Given::File(PathBuf::from(file))),
            (None, None) => (name, Given::Text(value.to_owned())),
        };
        if name.is_empty() {
            return Err("the name before = is missing".to_owned());
        }
        Ok(Assignment { name: name.to_owned(), given })
    }
}

/// The inputs of a workflow, complete and checked: those of `file`, with `assignments` over them, of which the last of
/// one name counts, and the definition's defaults below.
///
/// # Errors
///
/// A file that cannot be read; every input that is not declared, missing, or not what was declared.
pub(crate) fn inputs(definition: &Definition, file: Option<&Path>, assignments: &[Assignment]) -> Result<Map, Report> {
    let mut given = file.map(map_in_file).transpose()?.unwrap_or_default();
    let mut mistakes = Vec::new();
    for Assignment { name, given: value } in assignments {
        let value = match value {
            Given::Json(value) => Ok(value.clone()),
            Given::Text(text) => definition.parse_input(name, text),
            Given::File(path) => definition.parse_input(name, &text_of(path)?),
        };
        match value {
            Ok(value) => {
                given.insert(name.clone(), value);
            }
            Err(mistake) => mistakes.push(mistake.to_string()),
        }
    }
    if !mistakes.is_empty() {
        return Err(refused(&mistakes));
    }
    definition.bind_inputs(given).map_err(|errors| {
        let mistakes: Vec<String> = errors.iter().map(ToString::to_string).collect();
        refused(&mistakes)
    })
}

fn refused(mistakes: &[String]) -> Report {
    Report::new(Exit::Usage, mistakes.join("; "))
}

/// The parameters of a trigger. They have no declared type: `k=v` is text.
///
/// # Errors
///
/// A file that cannot be read.
pub(crate) fn parameters(assignments: &[Assignment]) -> Result<Map, Report> {
    let value = |given: &Given| match given {
        Given::Json(value) => Ok(value.clone()),
        Given::Text(text) => Ok(Value::from(text.as_str())),
        Given::File(path) => text_of(path).map(Value::from),
    };
    assignments.iter().map(|Assignment { name, given }| Ok((name.clone(), value(given)?))).collect()
}

/// The payload of a trigger: what stands in the file behind `@`.
///
/// # Errors
///
/// Text without `@`, and a file that cannot be read or holds no map.
pub(crate) fn payload(text: &str) -> Result<Map, Report> {
    match text.strip_prefix('@') {
        Some(file) if !file.is_empty() => map_in_file(Path::new(file)),
        _ => Err(Report::new(Exit::Usage, format!("--payload {text:?}: write it as @FILE"))),
    }
}

/// The map in a file: JSON if its name ends in `.json`, else YAML.
fn map_in_file(path: &Path) -> Result<Map, Report> {
    let text = text_of(path)?;
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let map = if json { map_from_json(&text) } else { map_from_yaml(&text) };
    map.map_err(|problems| {
        let problems = problems.in_file(path.display().to_string());
        Report::new(Exit::Usage, format!("{} holds no map of names and values\n{problems}", path.display()))
    })
}

fn text_of(path: &Path) -> Result<String, Report> {
    fs::read_to_string(path)
        .map_err(|error| Report::new(Exit::Usage, format!("could not read {}", path.display())).because(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        let text = "
name: x
inputs:
  count: { type: integer, default: 1 }
  text: { type: string, default: none }
  opts: { type: list, default: [] }
  free: { type: any, default: null }
stages: { a: {} }
";
        Definition::from_yaml(text).unwrap()
    }

    fn given(words: &[&str]) -> Result<Map, String> {
        let words: Vec<Assignment> = words.iter().map(|word| word.parse().unwrap()).collect();
        inputs(&definition(), None, &words).map_err(|report| report.to_string())
    }

    #[test]
    fn an_input_is_read_by_its_declared_type() {
        for (word, name, expected) in [
            ("count=3", "count", Value::from(3)),
            ("text=3", "text", Value::from("3")),
            ("text=a=b", "text", Value::from("a=b")),
            ("text=", "text", Value::from("")),
            (r#"text:="@x""#, "text", Value::from("@x")),
            (r#"opts=["a"]"#, "opts", Value::list(["a"])),
            (r#"opts:=["a"]"#, "opts", Value::list(["a"])),
            ("free=3", "free", Value::from(3)),
            ("free=x", "free", Value::from("x")),
        ] {
            assert_eq!(given(&[word]).unwrap()[name], expected, "{word}");
        }
    }

    #[test]
    fn the_last_of_one_name_counts_and_defaults_fill_in() {
        let inputs = given(&["count=1", "count=2"]).unwrap();
        assert_eq!((&inputs["count"], &inputs["text"]), (&Value::from(2), &Value::from("none")));
    }

    #[test]
    fn what_does_not_fit_is_said_at_once() {
        let report = given(&["count=many", "txt=x"]).unwrap_err();
        assert!(report.contains("count") && report.contains("did you mean \"text\""), "{report}");
        assert!(given(&["count:=\"3\""]).unwrap_err().contains("not an integer"));
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for word in ["x", "=x", ":=1", "k:=nope", "k=@"] {
            assert!(word.parse::<Assignment>().is_err(), "{word}");
        }
    }

    #[test]
    fn a_file_gives_its_text_or_its_map() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let word = format!("count=@{}", path("count", "7\n"));
        assert_eq!(given(&[&word]).unwrap()["count"], Value::from(7));
        let payload = |name, text| payload(&format!("@{}", path(name, text)));
        assert_eq!(payload("p.json", r#"{"a": 1}"#).unwrap()["a"], Value::from(1));
        assert_eq!(payload("p.yaml", "a: 1").unwrap()["a"], Value::from(1));
        assert_eq!(payload("q.yaml", "- 1").unwrap_err().exit(), Exit::Usage);
        assert_eq!(super::payload("x").unwrap_err().exit(), Exit::Usage);
    }
}
