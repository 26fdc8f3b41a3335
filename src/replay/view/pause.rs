//! Pauses of a workflow, as people are told of them.

use crate::event::{Event, PauseRequest};
use crate::time::{Duration, Timestamp};

/// The newest pause of a workflow: who held it, since when, and whether it goes on again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedDetails {
    by: String,
    reason: Option<String>,
    pause_time: Timestamp,
    resumed: Option<Resumed>,
}

/// That it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Resumed {
    by: String,
    at: Timestamp,
    paused: Duration,
}

impl PausedDetails {
    /// What the event makes of the newest pause.
    pub(super) fn follow(newest: &mut Option<PausedDetails>, event: &Event, at: Timestamp) {
        if let Event::WorkflowPaused(stamp, PauseRequest { reason }) = event {
            let (by, reason) = (stamp.actor.to_string(), reason.clone());
            *newest = Some(PausedDetails { by, reason, pause_time: at, resumed: None });
        }
        if let (Some(newest), Event::WorkflowResumed(stamp, resumption)) = (newest, event) {
            newest.resumed = Some(Resumed { by: stamp.actor.to_string(), at, paused: resumption.paused });
        }
    }

    /// Who paused it, as claimed.
    pub fn paused_by(&self) -> &str {
        &self.by
    }

    /// Why, in words.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Since when.
    pub fn pause_time(&self) -> Timestamp {
        self.pause_time
    }

    /// Who had it go on, as claimed; `None` while it is paused.
    pub fn resumed_by(&self) -> Option<&str> {
        self.resumed.as_ref().map(|resumed| resumed.by.as_str())
    }

    /// When it went on; `None` while it is paused.
    pub fn resume_time(&self) -> Option<Timestamp> {
        self.resumed.as_ref().map(|resumed| resumed.at)
    }

    /// For how long the workflow was paused in all, earlier pauses included; `None` while it is.
    pub fn paused(&self) -> Option<Duration> {
        self.resumed.as_ref().map(|resumed| resumed.paused)
    }

    /// Does the pause last?
    pub fn is_paused(&self) -> bool {
        self.resumed.is_none()
    }
}
