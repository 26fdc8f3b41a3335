//! Where the files of attempts stand: captured streams, records of running processes, scratch directories.
//!
//! Names only. None of these files is evidence: recovery never reads them, deleting them loses no event.

use std::fmt;
#[cfg(feature = "http")]
use std::path::Path;
use std::path::PathBuf;

use crate::ids::{ActivationId, AttemptId, WorkflowId};

/// The directory that holds `output/`, `processes/` and `tmp/`: the log's, or a scratch one of an engine in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    root: PathBuf,
}

/// One of the two streams of a program that are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StreamName {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl StreamName {
    /// The output that holds the stream's beginning: `stdout` or `stderr`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            StreamName::Out => "stdout",
            StreamName::Err => "stderr",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            StreamName::Out => "out",
            StreamName::Err => "err",
        }
    }
}

/// A captured stream whose file is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamRecord {
    /// Which one.
    pub(crate) stream: StreamName,
    /// Bytes in its file.
    pub(crate) bytes: u64,
    /// Bytes that came behind those and were dropped.
    pub(crate) bytes_dropped: u64,
    /// SHA-256 of the bytes in its file.
    pub(crate) sha256: [u8; 32],
}

impl Place {
    /// The place below this absolute directory.
    ///
    /// # Panics
    ///
    /// If `root` is not absolute: programs run in other directories and are told paths below it.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Place {
        let root = root.into();
        assert!(root.is_absolute(), "the place of attempts is absolute");
        Place { root }
    }

    /// File of a captured stream: `output/<workflow>/<activation>.<task>.<attempt>.out` or `.err`.
    pub(crate) fn stream(&self, workflow: WorkflowId, attempt: AttemptId, stream: StreamName) -> PathBuf {
        let name = format!("{}.{}", AttemptName(attempt), stream.extension());
        self.root.join("output").join(workflow.to_string()).join(name)
    }

    /// Directory of the records of running process groups.
    pub(crate) fn processes(&self) -> PathBuf {
        self.root.join("processes")
    }

    /// Record of the process group of one attempt.
    pub(crate) fn process(&self, workflow: WorkflowId, attempt: AttemptId) -> PathBuf {
        self.processes().join(whole_name(workflow, attempt))
    }

    /// Directory of everything that is removed with its attempt.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// `$STABILIZE_TMP` of one attempt: a directory.
    pub(crate) fn tmp(&self, workflow: WorkflowId, attempt: AttemptId) -> PathBuf {
        self.scratch().join(whole_name(workflow, attempt))
    }

    /// `$STABILIZE_OUTPUT` of one attempt: beside its directory, so that emptying that one does not lose outputs.
    pub(crate) fn outputs(&self, workflow: WorkflowId, attempt: AttemptId) -> PathBuf {
        self.scratch().join(whole_name(workflow, attempt) + ".output")
    }

    /// `$STABILIZE_RESULT` of one attempt.
    pub(crate) fn result(&self, workflow: WorkflowId, attempt: AttemptId) -> PathBuf {
        self.scratch().join(whole_name(workflow, attempt) + ".result")
    }
}

/// Beside files that attempts write for their workflow.
#[cfg(feature = "http")]
impl Place {
    /// The file in which `target` grows until it is complete: beside it, so that it can take its place at once, and the
    /// same for every attempt at one piece of work, so that what a killed engine leaves does not pile up.
    pub(crate) fn part(&self, target: &Path, workflow: WorkflowId, attempt: AttemptId) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let first = AttemptId { dispatch: 0, ..attempt };
        target.with_file_name(format!(".{name}.{}.part", whole_name(workflow, first)))
    }
}

fn whole_name(workflow: WorkflowId, attempt: AttemptId) -> String {
    format!("{workflow}.{}", AttemptName(attempt))
}

/// `<stage index>-<activation number>.<task index>.<attempt>`, of an instance with `-<its number>` behind that of its
/// activation: unique in its workflow and a file name everywhere.
struct AttemptName(AttemptId);

impl fmt::Display for AttemptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AttemptId { task, dispatch } = self.0;
        let ActivationId { stage, number, instance } = task.activation;
        write!(f, "{}-{number}", stage.get())?;
        if let Some(instance) = instance {
            write!(f, "-{instance}")?;
        }
        write!(f, ".{}.{dispatch}", task.task.get())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ids::{InstanceIndex, StageIndex, TaskId, TaskIndex};
    use crate::time::Timestamp;

    #[test]
    fn files_are_named_by_workflow_and_attempt() {
        let workflow = WorkflowId::from_parts(Timestamp::from_microseconds(0), 1);
        let activation = ActivationId::new(StageIndex::new(3), 2);
        let task = TaskId { activation, task: TaskIndex::new(0) };
        let attempt = AttemptId { task, dispatch: 7 };
        let place = Place::new("/log");
        for (path, expected) in [
            (place.stream(workflow, attempt, StreamName::Out), "/log/output/00000000000000000000000001/3-2.0.7.out"),
            (place.process(workflow, attempt), "/log/processes/00000000000000000000000001.3-2.0.7"),
            (place.tmp(workflow, attempt), "/log/tmp/00000000000000000000000001.3-2.0.7"),
            (place.result(workflow, attempt), "/log/tmp/00000000000000000000000001.3-2.0.7.result"),
        ] {
            assert_eq!(path, Path::new(expected));
        }
        let activation = ActivationId { instance: InstanceIndex::new(11), ..activation };
        let attempt = AttemptId { task: TaskId { activation, ..task }, dispatch: 7 };
        let path = place.process(workflow, attempt);
        assert_eq!(path, Path::new("/log/processes/00000000000000000000000001.3-2-11.0.7"));
    }
}
