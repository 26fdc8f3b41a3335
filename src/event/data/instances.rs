//! What the events about the instances of an activation say.

use crate::event::Event;
use crate::ids::ActivationId;
use crate::value::Value;

use super::{Fields, failure, text_of_json};

impl Fields<'_> {
    /// What an event about the instances of an activation says.
    pub(super) fn of_instances(&mut self, event: &Event) {
        match event {
            Event::InstancesStarted { activation, from, to, total } => {
                self.instances(*activation, *from, *to);
                self.put("total", *total);
            }
            Event::InstancesAdded { activation, from, to } => self.instances(*activation, *from, *to),
            Event::InstancesAddRequested(_, addition) => {
                self.stage(addition.activation);
                self.put("items", Value::list(addition.items.iter().map(|item| text_of_json(item))));
                self.put_some("reason", addition.reason.as_deref());
            }
            Event::InstancesClosed { activation } => self.stage(*activation),
            Event::InstancesCloseRequested(_, request) | Event::InstancesCompleteRequested(_, request) => {
                self.stage(request.activation);
                self.put_some("reason", request.reason.as_deref());
            }
            Event::InstancesWithdrawn { activation, status, error } => {
                self.stage(*activation);
                self.put("status", status.name());
                self.put_some("error", error.as_ref().map(failure));
            }
            _ => (),
        }
    }

    fn instances(&mut self, activation: ActivationId, from: u32, to: u32) {
        self.stage(activation);
        self.put("from", from);
        self.put("to", to);
    }
}
