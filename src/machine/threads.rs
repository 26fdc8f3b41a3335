//! Which thread a token belongs to: the splits into threads on its way that have not been merged, outermost first.
//!
//! Rebuilt by folding: a tag is the activation that split and the place among its threads.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::ActivationId;

/// One of the threads that an activation has split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThreadTag {
    /// The activation.
    pub(crate) group: ActivationId,
    /// From 0.
    pub(crate) index: u32,
}

/// The tags of a token or activation; usually none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Thread(Option<Arc<[ThreadTag]>>);

impl Thread {
    fn of(tags: &[ThreadTag]) -> Thread {
        Thread((!tags.is_empty()).then(|| Arc::from(tags)))
    }

    fn tags(&self) -> &[ThreadTag] {
        self.0.as_deref().unwrap_or_default()
    }

    /// The thread with this place among those that `group` splits into, within this one.
    pub(super) fn split(&self, group: ActivationId, index: u32) -> Thread {
        let mut tags = self.tags().to_vec();
        tags.push(ThreadTag { group, index });
        Thread::of(&tags)
    }

    /// The activation that split it off last; `None` if nothing has.
    pub(super) fn group(&self) -> Option<ActivationId> {
        self.tags().last().map(|tag| tag.group)
    }

    /// The thread that the threads of its group become together.
    pub(super) fn merged(&self) -> Thread {
        Thread::of(self.tags().split_last().map_or(&[], |(_, outer)| outer))
    }

    /// The activations that split it off, outermost first.
    pub(super) fn groups(&self) -> Vec<ActivationId> {
        self.tags().iter().map(|tag| tag.group).collect()
    }

    #[cfg(test)]
    pub(super) fn indices(&self) -> Vec<u32> {
        self.tags().iter().map(|tag| tag.index).collect()
    }

    /// What two threads have in common, from the outside.
    pub(super) fn common(&self, other: &Thread) -> Thread {
        if self == other {
            return self.clone();
        }
        let both = self.tags().iter().zip(other.tags()).take_while(|(one, other)| one == other);
        Thread::of(&self.tags()[..both.count()])
    }
}

impl Serialize for Thread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tags().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Thread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Thread, D::Error> {
        Ok(Thread::of(&Vec::<ThreadTag>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::StageIndex;

    #[test]
    fn threads_have_in_common_what_is_outside_of_where_they_part() {
        let group = |number| ActivationId { stage: StageIndex::new(1), number, instance: None };
        let outer = Thread::default().split(group(1), 0);
        let (one, other) = (outer.split(group(2), 0), outer.split(group(2), 1));
        assert_eq!(one.common(&other), outer);
        assert_eq!(one.common(&one), one);
        assert_eq!(one.common(&Thread::default()), Thread::default());
        assert_eq!((one.merged(), other.merged(), outer.merged()), (outer.clone(), outer, Thread::default()));
        assert_eq!((one.group(), one.merged().group()), (Some(group(2)), Some(group(1))));
    }
}
