//! Tasks that people do: no worker begins them, they are open until somebody says how they ended.
//!
//! Known by their names, as `uses` writes them; what a registry has under these names is never run.

/// What people are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByHand {
    /// `manual`: anything; they say that it is done, or that it failed.
    Manual,
}

impl ByHand {
    /// What the task type of this name leaves to people; `None` for one that workers do.
    pub(crate) fn of(uses: &str) -> Option<ByHand> {
        match uses {
            "manual" => Some(ByHand::Manual),
            _ => None,
        }
    }
}
