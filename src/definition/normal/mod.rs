//! The one form a definition is stored, hashed and replayed in (R17): stages in a list, every default and every limit
//! that deciding uses written out, canonical JSON. Two documents that mean the same have the same one.
//!
//! It is written and read here only, apart from the language people write: what the log holds is read back by every
//! later binary, also when the language has become stricter.

mod write;

pub(super) use write::write;

/// Names of the values of the normal form that are words.
mod words {
    use crate::definition::graph::{Join, OnConditionError, OnFailure};

    pub(super) const JOINS: [(&str, Join); 2] = [("AND", Join::And), ("XOR", Join::Xor)];
    pub(super) const ON_CONDITION_ERROR: [(&str, OnConditionError); 2] =
        [("fail", OnConditionError::Fail), ("false", OnConditionError::False)];
    pub(super) const ON_FAILURE: [(&str, OnFailure); 4] = [
        ("fail", OnFailure::Fail),
        ("continue", OnFailure::Continue),
        ("stop", OnFailure::Stop),
        ("fail_at_end", OnFailure::FailAtEnd),
    ];

    /// The word for a value of a table that has all of them.
    pub(super) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
        table.iter().find(|(_, other)| other == value).map_or("", |(word, _)| word)
    }
}
