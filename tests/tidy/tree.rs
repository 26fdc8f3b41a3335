//! The files of the repository as the rules see them: a path from the root, and bytes.
//!
//! Reads the working tree, not git: a packed or copied tree is held to the same rules as a clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::source::Source;

/// Folders that programs fill and git ignores.
const NOT_OURS: [&str; 6] = [".git", "target", ".stabilize", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// Folders whose Rust files are ours.
pub(crate) const RUST_FOLDERS: [&str; 7] = ["src/", "projections/", "cli/", "tests/", "benches/", "fuzz/", "examples/"];

/// One file.
pub(crate) struct File {
    /// From the root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every file there is, by path in order.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    folders: Vec<String>,
    sources: Vec<Source>,
}

impl Tree {
    /// The repository that this test was compiled in.
    pub(crate) fn real() -> &'static Tree {
        static REAL: OnceLock<Tree> = OnceLock::new();
        REAL.get_or_init(|| {
            let mut files = Vec::new();
            let mut folders = Vec::new();
            walk(&root(), "", &mut files, &mut folders);
            Tree::new(files, folders)
        })
    }

    /// A tree made up for the test of a rule.
    pub(crate) fn of<const N: usize>(files: [(&str, &str); N]) -> Tree {
        let file = |(path, text): (&str, &str)| File { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        Tree::new(files.into_iter().map(file).collect(), Vec::new())
    }

    fn new(mut files: Vec<File>, folders: Vec<String>) -> Tree {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let ours = |file: &&File| {
            file.path.ends_with(".rs") && RUST_FOLDERS.iter().any(|folder| file.path.starts_with(folder))
        };
        let source = |file: &File| Source::new(&file.path, &String::from_utf8_lossy(&file.bytes));
        let mut sources: Vec<Source> = files.iter().filter(ours).map(source).collect();
        let for_tests: Vec<String> = sources.iter().flat_map(Source::files_for_tests).collect();
        for source in &mut sources {
            let is_module = |name: &String| {
                source.path.strip_prefix(name).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            source.declared_for_tests = for_tests.iter().any(is_module);
        }
        Tree { files, folders, sources }
    }

    /// The Rust files.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The Rust file at `path`.
    pub(crate) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// The text of the file at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let file = self.files.iter().find(|file| file.path == path)?;
        Some(String::from_utf8_lossy(&file.bytes).into_owned())
    }

    /// Whether `path` is a file or a folder of the tree.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        path.is_empty()
            || self.folders.iter().any(|folder| folder == path)
            || self.files.iter().any(|file| file.path == path || file.path.starts_with(&inside))
    }
}

/// The folder of the root package.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>, folders: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a listed folder can be read");
        let name = entry.file_name().into_string().expect("names in the tree are UTF-8");
        let path = format!("{prefix}{name}");
        if NOT_OURS.contains(&path.as_str()) || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().expect("a listed entry has a kind");
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files, folders);
            folders.push(path);
        } else if kind.is_file() {
            files.push(File { bytes: fs::read(entry.path()).expect("a listed file can be read"), path });
        }
    }
}
