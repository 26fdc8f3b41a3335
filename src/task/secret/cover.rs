//! Hides values in bytes that come piece by piece, also where a value begins in one piece and ends in another.
//!
//! Pure. What is undecided yet, the beginning of a value at the end of a piece, is held back until more has come.

use std::borrow::Cow;

/// What stands where a secret stood.
const MASK: &[u8] = b"***";

/// A stream of which some values are hidden.
pub(in crate::task) struct Cover {
    values: Vec<Vec<u8>>,
    /// Taken and not told yet, with what may belong to a value that goes on.
    held: Vec<u8>,
    /// So many bytes of `held` belong to a value that is masked already.
    hidden: usize,
}

impl Cover {
    /// Hides these values.
    pub(super) fn of(values: &[String]) -> Cover {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        Cover { values, held: Vec::new(), hidden: 0 }
    }

    /// Takes the next bytes and gives what can be told.
    pub(in crate::task) fn push<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        if self.values.is_empty() {
            return Cow::Borrowed(bytes);
        }
        self.held.extend_from_slice(bytes);
        Cow::Owned(self.tell(self.decided()))
    }

    /// The rest, once nothing more comes.
    pub(in crate::task) fn finish(&mut self) -> Vec<u8> {
        self.tell(self.held.len())
    }

    /// `bytes`, of which more may have stood behind: if they were cut, without what may be the beginning of a value.
    pub(in crate::task) fn whole(mut self, bytes: &[u8], is_cut: bool) -> Vec<u8> {
        let mut told = self.push(bytes).into_owned();
        if !is_cut {
            told.extend(self.finish());
        }
        told
    }

    /// How many bytes are before the first place where a value may begin that has not ended.
    fn decided(&self) -> usize {
        let length = self.held.len();
        let longest = self.values.iter().map(Vec::len).max().unwrap_or(0);
        let begins = |at: &usize| {
            let end = &self.held[*at..];
            self.values.iter().any(|value| value.len() > end.len() && value.starts_with(end))
        };
        (length.saturating_sub(longest.saturating_sub(1))..length).find(begins).unwrap_or(length)
    }

    fn tell(&mut self, until: usize) -> Vec<u8> {
        let told = covered(&self.held, &self.values, &mut self.hidden, until);
        self.held.drain(..until);
        self.hidden -= until;
        told
    }
}

/// The first `until` of `bytes` with a mask for each stretch that `values` cover, also where they overlap. Bytes below
/// `hidden` were masked before; afterwards it says how far what is masked reaches, which is no less than `until`.
pub(super) fn covered<V: AsRef<[u8]>>(bytes: &[u8], values: &[V], hidden: &mut usize, until: usize) -> Vec<u8> {
    let mut begins = [false; 256];
    for first in values.iter().filter_map(|value| value.as_ref().first()) {
        begins[usize::from(*first)] = true;
    }
    let mut told = Vec::with_capacity(until);
    for at in 0..until {
        if !begins[usize::from(bytes[at])] {
            continue;
        }
        let here = values.iter().map(AsRef::as_ref).filter(|value| !value.is_empty() && bytes[at..].starts_with(value));
        let Some(length) = here.map(<[u8]>::len).max() else { continue };
        if at >= *hidden {
            told.extend_from_slice(&bytes[*hidden..at]);
            told.extend_from_slice(MASK);
        }
        *hidden = (*hidden).max(at + length);
    }
    told.extend_from_slice(bytes.get(*hidden..until).unwrap_or_default());
    *hidden = (*hidden).max(until);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &[u8], values: &[String]) -> Vec<u8> {
        covered(text, values, &mut 0, text.len())
    }

    fn piecewise<'p>(pieces: impl IntoIterator<Item = &'p [u8]>, values: &[String]) -> Vec<u8> {
        let mut cover = Cover::of(values);
        let mut told: Vec<u8> = pieces.into_iter().flat_map(|piece| cover.push(piece).into_owned()).collect();
        told.extend(cover.finish());
        told
    }

    #[test]
    fn what_cannot_be_the_beginning_of_a_value_is_told_at_once() {
        let mut cover = Cover::of(&["hush".to_owned(), "hushed".to_owned()]);
        for (piece, told) in [("a line\n", "a line\n"), ("b hus", "b "), ("h", ""), ("ed", "***"), ("hu!", "hu!")] {
            assert_eq!(cover.push(piece.as_bytes()).as_ref(), told.as_bytes(), "{piece}");
        }
        assert_eq!(cover.push(b"hush").as_ref(), b"");
        assert_eq!(cover.finish(), b"***");
    }

    #[test]
    fn of_bytes_that_were_cut_nothing_is_told_that_may_begin_a_value() {
        let cover = || Cover::of(&["hush".to_owned()]);
        assert_eq!(cover().whole(b"a hush hus", true), b"a *** ");
        assert_eq!(cover().whole(b"a hush hus", false), b"a *** hus");
    }

    proptest::proptest! {
        #[test]
        fn where_a_stream_is_cut_changes_nothing(
            text in "[ab]{0,40}",
            values in proptest::collection::vec("[ab]{1,5}", 0..4),
            length in 1_usize..7,
        ) {
            let told = piecewise(text.as_bytes().chunks(length), &values);
            proptest::prop_assert_eq!(told, whole(text.as_bytes(), &values));
        }

        #[test]
        fn no_value_is_left(text in "[abc]{0,40}", value in "[ab]{2,5}") {
            let told = whole(text.as_bytes(), std::slice::from_ref(&value));
            proptest::prop_assert!(!String::from_utf8(told).unwrap().contains(&value));
        }
    }
}
