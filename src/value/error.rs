//! Why a text or a Rust value is no `Value`, and at which place of it.

use std::fmt::{Display, Write as _};

use crate::limits::DEPTH_MAX;

/// Why something is not a value. `path` leads to the place inside the whole, as `a.b[3]`; it is empty at the top.
/// `offset` counts bytes of the text from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The text is not JSON.
    #[error("expected {expected} at byte {offset}{}", inside(path))]
    Syntax {
        /// What could have stood there.
        expected: &'static str,
        /// Where in the value.
        path: String,
        /// Where in the text.
        offset: usize,
    },
    /// An integer does not fit into 128 bits.
    #[error("integer beyond 128 bits{}{}", at(offset), inside(path))]
    IntegerTooLarge {
        /// Where in the value.
        path: String,
        /// Where in the text, if there is one.
        offset: Option<usize>,
    },
    /// A number with fraction or exponent is too large for a 64-bit float.
    #[error("number beyond 64-bit floats at byte {offset}{}", inside(path))]
    RealTooLarge {
        /// Where in the value.
        path: String,
        /// Where in the text.
        offset: usize,
    },
    /// A string holds half of a surrogate pair, which is no character.
    #[error("lone surrogate at byte {offset}{}", inside(path))]
    LoneSurrogate {
        /// Where in the value.
        path: String,
        /// Where in the text.
        offset: usize,
    },
    /// A key occurs twice in one map, where that is refused.
    #[error("key {key:?} is repeated at byte {offset}{}", inside(path))]
    RepeatedKey {
        /// The key.
        key: String,
        /// Where in the value.
        path: String,
        /// Where in the text.
        offset: usize,
    },
    /// Lists and maps are nested too deep.
    #[error("nested deeper than {DEPTH_MAX}{}{}", at(offset), inside(path))]
    TooDeep {
        /// Where in the value.
        path: String,
        /// Where in the text, if there is one.
        offset: Option<usize>,
    },
    /// A number that is not finite.
    #[error("number that is not finite{}", inside(path))]
    NotFinite {
        /// Where in the value.
        path: String,
    },
    /// A Rust value has no form as a value, or a value is not of the Rust type asked for.
    #[error("{reason}{}", inside(path))]
    Mismatch {
        /// What does not fit, in the words of the type's serde implementation.
        reason: String,
        /// Where in the value.
        path: String,
    },
}

fn inside(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in {path}") }
}

fn at(offset: &Option<usize>) -> String {
    offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default()
}

impl ValueError {
    pub(super) fn syntax(expected: &'static str, offset: usize) -> ValueError {
        ValueError::Syntax { expected, path: String::new(), offset }
    }

    pub(super) fn too_deep(offset: Option<usize>) -> ValueError {
        ValueError::TooDeep { path: String::new(), offset }
    }

    /// Where in the whole value: `a.b[3]`, empty at the top.
    pub fn path(&self) -> &str {
        match self {
            ValueError::Syntax { path, .. }
            | ValueError::IntegerTooLarge { path, .. }
            | ValueError::RealTooLarge { path, .. }
            | ValueError::LoneSurrogate { path, .. }
            | ValueError::RepeatedKey { path, .. }
            | ValueError::TooDeep { path, .. }
            | ValueError::NotFinite { path }
            | ValueError::Mismatch { path, .. } => path,
        }
    }

    /// Where in the text, in bytes from 0, if the value came from a text.
    pub fn offset(&self) -> Option<usize> {
        match self {
            ValueError::Syntax { offset, .. }
            | ValueError::RealTooLarge { offset, .. }
            | ValueError::LoneSurrogate { offset, .. }
            | ValueError::RepeatedKey { offset, .. } => Some(*offset),
            ValueError::IntegerTooLarge { offset, .. } | ValueError::TooDeep { offset, .. } => *offset,
            ValueError::NotFinite { .. } | ValueError::Mismatch { .. } => None,
        }
    }

    /// This error seen from the map that holds the failing value under `key`.
    pub(super) fn inside_key(self, key: &str) -> ValueError {
        let plain =
            !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'));
        let mut name = String::new();
        if plain {
            name.push_str(key);
        } else {
            write!(name, "[{key:?}]").expect("writing to a string cannot fail");
        }
        self.below(name)
    }

    /// This error seen from the list that holds the failing value at `index`.
    pub(super) fn inside_index(self, index: usize) -> ValueError {
        self.below(format!("[{index}]"))
    }

    fn below(mut self, mut name: String) -> ValueError {
        let path = match &mut self {
            ValueError::Syntax { path, .. }
            | ValueError::IntegerTooLarge { path, .. }
            | ValueError::RealTooLarge { path, .. }
            | ValueError::LoneSurrogate { path, .. }
            | ValueError::RepeatedKey { path, .. }
            | ValueError::TooDeep { path, .. }
            | ValueError::NotFinite { path }
            | ValueError::Mismatch { path, .. } => path,
        };
        if !path.is_empty() && !path.starts_with('[') {
            name.push('.');
        }
        path.insert_str(0, &name);
        self
    }
}

impl serde::ser::Error for ValueError {
    fn custom<T: Display>(reason: T) -> ValueError {
        ValueError::Mismatch { reason: reason.to_string(), path: String::new() }
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: Display>(reason: T) -> ValueError {
        ValueError::Mismatch { reason: reason.to_string(), path: String::new() }
    }
}
