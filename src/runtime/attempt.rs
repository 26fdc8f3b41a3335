//! One attempt, from its start to what becomes of it, on the thread of a worker.

use crate::event::LeaseLoss;
use crate::ids::{AttemptId, WorkflowId};
use crate::machine::Request;
use crate::task::{Cancel, Stop};

use super::config::Threads as Mover;
use super::dispatch::{Conclusion, conclude, not_begun, prepare};
use super::inbox::{Turn, Urgency};
use super::promise::promise;
use super::shared::{Shared, engine_entry};
use super::worklist::{Over, Released, StartRecord};

impl Shared {
    /// Makes one attempt, on the calling thread.
    pub(super) fn run_attempt(&self, item: Released, cancel: Cancel) {
        let (workflow, attempt) = (item.workflow, item.attempt);
        if !self.record_start(&item) {
            self.leave(workflow, attempt);
            return;
        }
        let now = self.clock.now();
        let prepared = prepare(&item, &self.registry, &self.secrets, &self.place, cancel.clone(), now);
        let conclusion = match prepared {
            Err(failure) => Conclusion::Report(not_begun(attempt, failure)),
            Ok((task, dispatch)) => {
                let report = crate::task::run(&*task, &dispatch);
                conclude(attempt, report, self.clock.now())
            }
        };
        if let Conclusion::CallAgain(due) = conclusion {
            let again = Released { due: Some(due), start: StartRecord::Done, ..item };
            let stop = self.worklist.rest(again, &cancel);
            if stop.is_some() {
                self.leave(workflow, attempt);
            }
            if stop == Some(Stop::Closing) {
                self.give_back(workflow, attempt);
            }
            return;
        }
        let over = self.worklist.finished(workflow, attempt);
        match conclusion {
            Conclusion::Report(report) => self.tell(workflow, Request::ReportTask(report), Urgency::Now),
            Conclusion::GivenBack => self.give_back(workflow, attempt),
            Conclusion::Withdrawn | Conclusion::CallAgain(_) => (),
        }
        self.tell_over(workflow, attempt, over);
    }

    /// A worker has this attempt no more.
    pub(super) fn leave(&self, workflow: WorkflowId, attempt: AttemptId) {
        let over = self.worklist.finished(workflow, attempt);
        self.tell_over(workflow, attempt, over);
    }

    fn tell_over(&self, workflow: WorkflowId, attempt: AttemptId, over: Over) {
        if over == Over::Awaited {
            self.tell(workflow, Request::StopTask(attempt), Urgency::Now);
        }
    }

    pub(super) fn give_back(&self, workflow: WorkflowId, attempt: AttemptId) {
        self.tell(workflow, Request::LoseLease(LeaseLoss { attempt, orderly: true }), Urgency::Now);
    }

    /// Records that the attempt begins; false if the state asks for it no more.
    fn record_start(&self, item: &Released) -> bool {
        let request = Request::StartTask(item.attempt);
        match item.start {
            StartRecord::Done => true,
            StartRecord::Lazy => {
                self.tell(item.workflow, request, Urgency::Lazy);
                true
            }
            StartRecord::First => {
                let (given, awaited) = promise();
                let mut entry = engine_entry(item.workflow, request);
                entry.answer = Some(given);
                if self.inbox.push(entry, Urgency::Now) == Turn::Yours {
                    self.help();
                }
                if self.mover == Mover::Caller && self.turn(self.clock.now()).is_err() {
                    return false;
                }
                awaited.wait().is_some_and(|reply| reply.is_ok())
            }
        }
    }
}
