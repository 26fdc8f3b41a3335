//! Reading history back: rebuild, verify, compare.

mod error;
mod fold;

pub use error::Error;
pub(crate) use fold::{Definitions, has_ended, step};
// STANDIN
pub struct History(std::sync::Arc<dyn crate::store::EventStore>);
pub enum At {
    Latest,
}
pub struct WorkflowView(crate::status::Status);
impl WorkflowView {
    pub fn status(&self) -> crate::status::Status {
        self.0
    }
}
impl History {
    pub(crate) fn of(s: std::sync::Arc<dyn crate::store::EventStore>) -> History {
        History(s)
    }
    pub fn state(&self, w: crate::ids::WorkflowId, _: At) -> Result<WorkflowView, Error> {
        let mut d = Definitions::new(self.0.clone());
        Ok(WorkflowView(d.fold(w)?.map_or(crate::status::Status::NotStarted, |s| s.status())))
    }
}
