//! What never runs beside what, from code.

use super::fields::Fields;
use super::{Builder, Stage};
use crate::definition::exclusion::InterleaveOrder;
use crate::value::Value;

impl Stage {
    /// Of the stages with this key only one runs at a time in a workflow.
    pub fn mutex_key(self, key: impl Into<String>) -> Stage {
        self.set("mutex_key", key.into())
    }

    /// It runs once among a group of stages, one after the other, each of them once.
    pub fn interleave(mut self, group: impl Into<String>, order: InterleaveOrder) -> Stage {
        let interleave = Fields::new().with("group", group.into()).with("order", order.name());
        self.fields_mut().set_node("interleave", interleave.into_node());
        self
    }
}

impl Builder {
    /// Sections of stages, each by its name, of which only one is at work at a time: from the start of its first stage
    /// until nothing of it is left it holds the key.
    ///
    /// ```
    /// use stabilize::{Definition, Stage};
    ///
    /// let definition = Definition::builder("transfer")
    ///     .stage(Stage::new("read"))
    ///     .stage(Stage::new("write").needs(["read"]))
    ///     .stage(Stage::new("count"))
    ///     .critical_sections("account", [("change", vec!["read", "write"]), ("audit", vec!["count"])])
    ///     .build()?;
    /// # Ok::<(), stabilize::Problems>(())
    /// ```
    pub fn critical_sections<N: Into<String>, T: Into<String>>(
        mut self,
        key: impl Into<String>,
        sections: impl IntoIterator<Item = (N, impl IntoIterator<Item = T>)>,
    ) -> Builder {
        let mut written = Fields::new();
        for (name, members) in sections {
            written.set(&name.into(), Value::list(members.into_iter().map(Into::into)));
        }
        let mut item = Fields::new().with("mutex_key", key.into());
        item.set_node("sections", written.into_node());
        self.fields.push_in("critical_sections", item.into_node());
        self
    }
}
