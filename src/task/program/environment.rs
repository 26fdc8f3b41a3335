//! Where a program runs and what it finds there: directory, variables, and the file that its name means.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::error::Error;
use crate::task::context::Dispatch;

/// Variables that hold secrets for the engine; programs are given single secrets, never all of them.
const SECRETS: &str = "STABILIZE_SECRET_";

/// Where programs are looked for if the environment does not say it.
const PATH: &str = "/usr/bin:/bin";

/// The environment of a program: the `engine`'s without its secrets, then `layers` one over the other (none unsets),
/// then what tells the program which work it does.
pub(super) fn variables<'a>(
    engine: impl IntoIterator<Item = (OsString, OsString)>,
    layers: impl IntoIterator<Item = &'a BTreeMap<String, Option<String>>>,
    dispatch: &Dispatch,
) -> BTreeMap<OsString, OsString> {
    let is_secret = |name: &OsStr| name.as_encoded_bytes().starts_with(SECRETS.as_bytes());
    let engine = engine.into_iter().filter(|(name, _)| !is_secret(name));
    let mut variables: BTreeMap<OsString, OsString> = engine.collect();
    for (name, value) in layers.into_iter().flatten() {
        match value {
            Some(value) => variables.insert(name.into(), value.into()),
            None => variables.remove(OsStr::new(name)),
        };
    }
    let (workflow, attempt, place) = (dispatch.workflow, dispatch.attempt, &dispatch.place);
    let work: [(&str, OsString); 9] = [
        ("STABILIZE_WORKFLOW_ID", workflow.to_string().into()),
        ("STABILIZE_STAGE", (&dispatch.stage).into()),
        ("STABILIZE_ACTIVATION", attempt.task.activation.number.to_string().into()),
        ("STABILIZE_TASK", (&dispatch.task).into()),
        ("STABILIZE_ATTEMPT", attempt.dispatch.to_string().into()),
        ("STABILIZE_IDEMPOTENCY_KEY", (&dispatch.idempotency_key).into()),
        ("STABILIZE_OUTPUT", place.outputs(workflow, attempt).into()),
        ("STABILIZE_RESULT", place.result(workflow, attempt).into()),
        ("STABILIZE_TMP", place.tmp(workflow, attempt).into()),
    ];
    variables.extend(work.map(|(name, value)| (name.into(), value)));
    variables
}

/// The directory `cwd` means, seen from the workflow's.
///
/// # Errors
///
/// [`Error::NoDirectory`]; it may have been there when the workflow began.
pub(super) fn directory(workdir: &Path, cwd: Option<&Path>) -> Result<PathBuf, Error> {
    let path = match cwd {
        Some(cwd) => workdir.join(cwd),
        None => workdir.to_owned(),
    };
    if path.is_dir() { Ok(path) } else { Err(Error::NoDirectory { path }) }
}

/// The file that a program's name means in this directory and environment, as `execvp` would find it.
///
/// # Errors
///
/// [`Error::NoCommand`], [`Error::NoProgram`] and [`Error::NotExecutable`].
pub(super) fn program(
    name: &str,
    directory: &Path,
    variables: &BTreeMap<OsString, OsString>,
) -> Result<PathBuf, Error> {
    let can_run = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.is_empty() {
        return Err(Error::NoCommand);
    }
    if name.contains('/') {
        let path = directory.join(name);
        return if can_run(&path) { Ok(path) } else { Err(Error::NotExecutable { path }) };
    }
    let path = variables.get(OsStr::new("PATH")).map_or(OsStr::new(PATH), OsString::as_os_str);
    env::split_paths(path)
        .map(|entry| directory.join(entry).join(name))
        .find(|path| can_run(path))
        .ok_or_else(|| Error::NoProgram { program: name.to_owned(), path: path.to_string_lossy().into_owned() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::task::tests::dispatch;

    #[test]
    fn a_later_layer_wins_null_unsets_and_neither_secrets_nor_false_names_of_the_work_come_through() {
        let layer = |entries: &[(&str, Option<&str>)]| -> BTreeMap<String, Option<String>> {
            let owned = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
            entries.iter().map(owned).collect()
        };
        let below = layer(&[("A", Some("1")), ("B", Some("1")), ("PATH", None)]);
        let above = layer(&[("B", Some("2")), ("A", None), ("STABILIZE_STAGE", Some("mine"))]);
        let engine = [("PATH", "/bin"), ("KEPT", "x"), ("STABILIZE_SECRET_KEY", "hush")];
        let engine = engine.map(|(name, value)| (name.into(), value.into()));
        let variables = variables(engine, [&below, &above], &dispatch());
        let get = |name: &str| variables.get(OsStr::new(name)).and_then(|value| value.to_str());
        assert_eq!(get("A"), None);
        assert_eq!(get("B"), Some("2"));
        assert_eq!(get("PATH"), None);
        assert_eq!(get("KEPT"), Some("x"));
        assert_eq!(get("STABILIZE_SECRET_KEY"), None);
        assert_eq!(get("STABILIZE_STAGE"), Some("build"));
        assert_eq!(get("STABILIZE_TASK"), Some("work"));
        assert_eq!(get("STABILIZE_IDEMPOTENCY_KEY"), Some("key"));
        assert_eq!(get("STABILIZE_ACTIVATION"), Some("1"));
        assert_eq!(get("STABILIZE_ATTEMPT"), Some("1"));
    }

    #[test]
    fn a_program_is_found_as_the_system_would_find_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("bin/dir")).unwrap();
        for (name, mode) in [("bin/tool", 0o755), ("bin/text", 0o644), ("here", 0o755)] {
            fs::write(root.join(name), "").unwrap();
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = BTreeMap::from([("PATH".into(), "bin::/nowhere".into())]);
        let find = |name: &str| program(name, root, &path);
        assert_eq!(find("tool").unwrap(), root.join("bin/tool"));
        assert_eq!(find("./here").unwrap(), root.join("./here"));
        // An empty entry of PATH is the directory itself.
        assert_eq!(find("here").unwrap(), root.join("here"));
        assert!(matches!(find("text"), Err(Error::NoProgram { .. })));
        assert!(matches!(find("bin/text"), Err(Error::NotExecutable { .. })));
        assert!(matches!(find("bin/dir"), Err(Error::NotExecutable { .. })));
        assert!(matches!(find("bin/nothing"), Err(Error::NotExecutable { .. })));
        assert!(matches!(find(""), Err(Error::NoCommand)));
        assert!(program("sh", root, &BTreeMap::new()).is_ok());
    }

    #[test]
    fn a_directory_is_seen_from_the_workflow_and_has_to_be_there() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir(root.join("a")).unwrap();
        assert_eq!(directory(root, None).unwrap(), root);
        assert_eq!(directory(root, Some(Path::new("a"))).unwrap(), root.join("a"));
        assert_eq!(directory(root, Some(Path::new("/"))).unwrap(), Path::new("/"));
        assert!(matches!(directory(root, Some(Path::new("b"))), Err(Error::NoDirectory { .. })));
    }
}
