//! Running programs: what a task that starts one takes, gives its program, and makes of how it ends.
//!
//! One contract for every kind of task that runs a program; such a task only says what to start. `attempt.rs`
//! is the contract from start to answer, `group.rs` does the running.

mod error;
mod leftover;
mod table;

#[cfg(feature = "shell")]
mod attempt;
#[cfg(feature = "shell")]
mod capture;
#[cfg(feature = "shell")]
mod environment;
#[cfg(feature = "shell")]
mod group;
#[cfg(feature = "shell")]
mod options;
#[cfg(feature = "shell")]
mod outputs;
#[cfg(feature = "shell")]
mod result;

pub(crate) use leftover::kill_leftovers;

#[cfg(feature = "docker")]
pub(super) use attempt::aside;
#[cfg(any(feature = "docker", feature = "ssh"))]
pub(super) use attempt::{Finished, finish};
#[cfg(feature = "shell")]
pub(super) use {attempt::run, group::Patience, options::Options};

#[cfg(test)]
#[cfg(feature = "shell")]
pub(super) mod tests {
    //! What tests of real programs ask of the table and of the records.

    use std::path::Path;
    use std::process::Child;

    use super::{leftover::GroupRecord, table};

    /// Waits until a process has ended. Asks again and again: nobody tells us of what is not our child.
    pub(in crate::task) fn wait_until_gone(pid: i32) {
        while table::find(pid).unwrap().is_some_and(|process| !process.ended) {
            std::thread::yield_now();
        }
    }

    /// Writes the record of the group that a program leads, as an engine does before it lets the program go.
    pub(in crate::task) fn record_group(leader: &Child, path: &Path) {
        let leader = rustix::process::Pid::from_child(leader);
        GroupRecord::of_leader(leader).unwrap().write(path).unwrap();
    }
}
