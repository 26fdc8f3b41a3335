//! Several instances of a stage from code: combinations that contradict each other do not compile.

use std::marker::PhantomData;

use super::fields::Fields;
use crate::definition::document::Node;
use crate::time::Duration;
use crate::value::Value;

/// All instances are waited for.
#[derive(Clone, Copy, Debug)]
pub enum WaitForAll {}

/// Control goes on before all instances have ended.
#[derive(Clone, Copy, Debug)]
pub enum WaitForSome {}

/// Nobody waits for the instances.
#[derive(Clone, Copy, Debug)]
pub enum WaitForNone {}

/// Several instances of one stage, which run at once and of which all are waited for unless said otherwise.
///
/// ```
/// use stabilize::{MultiInstance, Stage};
///
/// let three_of_all = MultiInstance::from_context("experts").partial(3).cancelling();
/// let stage = Stage::new("ask").run("./ask").instances(three_of_all);
/// # let _ = stage;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MultiInstance<W = WaitForAll> {
    fields: Fields,
    wait: PhantomData<W>,
}

impl MultiInstance {
    fn of(fields: Fields) -> MultiInstance {
        MultiInstance { fields, wait: PhantomData }
    }

    /// So many instances, 1 or more.
    pub fn count(count: u32) -> MultiInstance {
        MultiInstance::of(Fields::new().with("count", count))
    }

    /// As many instances as this key of the context says when the stage starts.
    pub fn from_context(key: impl Into<String>) -> MultiInstance {
        MultiInstance::of(Fields::new().with("count_from_context", key.into()))
    }

    /// One instance for each item of the list under this key of the context; the item is `item` there.
    pub fn collection(key: impl Into<String>) -> MultiInstance {
        MultiInstance::of(Fields::new().with("collection_from_context", key.into()))
    }

    /// None to begin with, and at least so many, 1 or more, that are added while the stage runs.
    pub fn added(least: u32) -> MultiInstance {
        MultiInstance::of(Fields::new().with("allow_dynamic", true).with("min_instances", least))
    }

    /// Control goes on when so many are done, 1 or more.
    pub fn partial(self, threshold: u32) -> MultiInstance<WaitForSome> {
        MultiInstance { fields: self.fields.with("join_threshold", threshold), wait: PhantomData }
    }

    /// Control goes on once this holds, which is asked after each instance that ends: `done >= 0.9 * total`.
    pub fn until(self, condition: impl Into<String>) -> MultiInstance<WaitForSome> {
        MultiInstance { fields: self.fields.with("completion_condition", condition.into()), wait: PhantomData }
    }

    /// Control goes on as soon as all have begun.
    pub fn unsynchronised(self) -> MultiInstance<WaitForNone> {
        MultiInstance { fields: self.fields.with("sync_on_complete", false), wait: PhantomData }
    }
}

impl MultiInstance<WaitForSome> {
    /// Those that have not ended when control goes on are canceled; otherwise they run on.
    pub fn cancelling(self) -> MultiInstance<WaitForSome> {
        self.set("cancel_remaining", true)
    }
}

/// Whether instances can be added: not where nobody waits for them.
pub trait Waits {}

impl Waits for WaitForAll {}
impl Waits for WaitForSome {}

/// What ends the instances of a stage from outside.
#[derive(Clone, Debug)]
#[must_use]
pub struct InstancesEnd(Value);

impl InstancesEnd {
    /// A signal of this name has come.
    pub fn signal(name: impl Into<String>) -> InstancesEnd {
        InstancesEnd(Value::map([("signal", name.into())]))
    }

    /// The stage has had instances for this long.
    pub fn timer(length: impl Into<Duration>) -> InstancesEnd {
        InstancesEnd(Value::map([("timer", length.into().to_string())]))
    }

    /// This stage has succeeded.
    pub fn completed(ref_id: impl Into<String>) -> InstancesEnd {
        InstancesEnd(Value::map([("completed", ref_id.into())]))
    }
}

impl<W: Waits> MultiInstance<W> {
    /// What cancels the stage with those instances that have not ended.
    pub fn cancel_on(self, ends: impl IntoIterator<Item = InstancesEnd>) -> MultiInstance<W> {
        self.set("cancel_mi_on", Value::list(ends.into_iter().map(|end| end.0)))
    }

    /// What lets control go on without those instances that have not ended.
    pub fn complete_on(self, ends: impl IntoIterator<Item = InstancesEnd>) -> MultiInstance<W> {
        self.set("complete_mi_on", Value::list(ends.into_iter().map(|end| end.0)))
    }

    /// Instances may be added while the stage runs, which goes on only after a signal of this name has come: from then
    /// on no more may be added.
    pub fn dynamic_until_signal(self, name: impl Into<String>) -> MultiInstance<W> {
        self.set("allow_dynamic", true).set("dynamic_close_on", Value::map([("signal", name.into())]))
    }

    /// Instances may be added while the stage runs.
    pub fn dynamic(self) -> MultiInstance<W> {
        self.set("allow_dynamic", true)
    }

    /// Instances may be added while the stage runs, until this holds, which is asked after each that ends or is added.
    pub fn dynamic_until(self, condition: impl Into<String>) -> MultiInstance<W> {
        self.set("allow_dynamic", true).set("close_when", condition.into())
    }
}

impl MultiInstance<WaitForNone> {
    /// Control goes on from each instance that has ended, as a thread of its own, and not from the stage.
    pub fn emit_per_instance(self) -> MultiInstance<WaitForNone> {
        self.set("emit", "per_instance")
    }
}

impl<W> MultiInstance<W> {
    fn set(self, key: &str, value: impl Into<Value>) -> MultiInstance<W> {
        MultiInstance { fields: self.fields.with(key, value), wait: PhantomData }
    }

    /// The next instance begins when the one before it is over.
    pub fn sequential(self) -> MultiInstance<W> {
        self.set("sequential", true)
    }

    /// With fewer instances the stage fails, or waits for more if they can be added.
    pub fn at_least(self, count: u32) -> MultiInstance<W> {
        self.set("min_instances", count)
    }

    /// With more instances the stage fails, and no more can be added.
    pub fn at_most(self, count: u32) -> MultiInstance<W> {
        self.set("max_instances", count)
    }

    pub(super) fn into_node(self) -> Node {
        self.fields.into_node()
    }
}
