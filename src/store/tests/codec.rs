//! Bytes and events: nothing is lost on the way there and back, and no bytes do harm (P5).

use std::error::Error as _;

use proptest::prelude::*;

use crate::event::Event;
use crate::store::codec::{CODEC, KIND_LAST, decode, encode};
use crate::store::{CodecError, from_bytes, to_bytes};
use crate::testing::{events, examples};

fn bytes_of(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(event, &mut bytes);
    bytes
}

proptest! {
    #[test]
    fn an_event_is_read_back_from_its_bytes(event in events::events()) {
        let bytes = bytes_of(&event);
        prop_assert_eq!(decode(event.kind(), CODEC, &bytes).unwrap(), event);
    }

    #[test]
    fn bytes_that_were_changed_are_an_error_or_another_event_with_exactly_these_bytes(
        event in events::events(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        kind in 0..KIND_LAST + 2,
    ) {
        let mut bytes = bytes_of(&event);
        for (place, byte) in changes {
            let index = place.index(bytes.len());
            bytes[index] = byte;
        }
        for kind in [kind, event.kind()] {
            if let Ok(read) = decode(kind, CODEC, &bytes) {
                prop_assert_eq!(read.kind(), kind);
                prop_assert_eq!(bytes_of(&read), bytes.clone());
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(kind: u16, codec: u8, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(kind, codec, &bytes);
        for kind in 1..=KIND_LAST {
            // The tag of the kind in front, so that reading goes further than that.
            let tagged = [&u32::from(kind - 1).to_le_bytes(), &bytes[..]].concat();
            if let Ok(read) = decode(kind, CODEC, &tagged) {
                prop_assert_eq!(bytes_of(&read), tagged);
            }
        }
    }

    #[test]
    fn a_kept_value_is_read_back_from_its_bytes_and_from_nothing_else(
        value in prop::collection::btree_map(any::<String>(), any::<(i128, Option<bool>)>(), 0..4),
    ) {
        type Kept = std::collections::BTreeMap<String, (i128, Option<bool>)>;
        let mut bytes = to_bytes(&value);
        prop_assert_eq!(from_bytes::<Kept>(&bytes).unwrap(), value);
        bytes.push(0);
        prop_assert!(from_bytes::<Kept>(&bytes).is_err());
        bytes.truncate(bytes.len() - 2);
        prop_assert!(from_bytes::<Kept>(&bytes).is_err());
    }
}

#[test]
fn bytes_that_end_early_or_late_are_no_event() {
    for event in examples::events() {
        let bytes = bytes_of(&event);
        for length in 0..bytes.len() {
            let read = decode(event.kind(), CODEC, &bytes[..length]);
            assert!(matches!(read, Err(CodecError::Malformed { .. })), "{event:?} cut at {length}: {read:?}");
        }
        let longer = [&bytes[..], &[0]].concat();
        let read = decode(event.kind(), CODEC, &longer);
        assert!(matches!(read, Err(CodecError::Malformed { .. })), "{event:?} and one byte: {read:?}");
    }
}

#[test]
fn a_length_that_the_bytes_do_not_have_is_refused_before_anything_of_that_size_is_made() {
    for (announced, filler) in [(u64::MAX, 0), (1 << 40, 0xff), (u64::from(u32::MAX), 1)] {
        // A list of arcs in `stage.started`, and a text in `workflow.cancel_requested`.
        let activation = [[0; 4], [1; 4], [0; 4]].concat();
        let list = [&11_u32.to_le_bytes()[..], &activation, &1_u32.to_le_bytes(), &announced.to_le_bytes()];
        let stamp = [&[0; 8][..], &[0], &[0; 4], &[0; 4]].concat();
        let text = [&2_u32.to_le_bytes()[..], &stamp, &[1], &announced.to_le_bytes()];
        for (kind, head) in [(13, list.concat()), (3, text.concat())] {
            let bytes = [head, vec![filler; 64]].concat();
            let read = decode(kind, CODEC, &bytes);
            let Err(CodecError::Malformed { kind: of, length, cause }) = read else {
                panic!("{announced} announced: {read:?}")
            };
            assert_eq!((of, length), (kind, bytes.len()));
            assert!(!cause.to_string().is_empty() && cause.source().is_none());
        }
    }
}

#[test]
fn what_a_newer_version_writes_is_a_stop_that_names_it() {
    let event = Event::WorkflowStarted;
    let bytes = bytes_of(&event);
    for kind in [0, KIND_LAST + 1, u16::MAX] {
        let error = decode(kind, CODEC, &bytes).unwrap_err();
        assert!(error.is_unknown());
        assert_eq!(error.to_string(), format!("event kind {kind} is not known to this version"));
    }
    for codec in [0, CODEC + 1, u8::MAX] {
        let error = decode(event.kind(), codec, &bytes).unwrap_err();
        assert!(error.is_unknown());
        assert_eq!(error.to_string(), format!("codec {codec} is not known to this version"));
    }
}

#[test]
fn an_event_under_the_kind_of_another_is_refused() {
    let bytes = bytes_of(&Event::WorkflowStarted);
    let error = decode(Event::SettleDeferred.kind(), CODEC, &bytes).unwrap_err();
    assert!(matches!(error, CodecError::KindMismatch { kind: 20, found: 10 }), "{error:?}");
    assert!(!error.is_unknown());
}

#[test]
fn the_last_kind_is_that_of_the_last_variant() {
    let tag_behind = u32::from(KIND_LAST).to_le_bytes();
    let Err(CodecError::Malformed { cause, .. }) = decode(KIND_LAST, CODEC, &tag_behind) else {
        panic!("there is a variant behind the last kind")
    };
    assert!(cause.to_string().contains("expected variant index"), "{cause}");
    assert_eq!(examples::events().last().map(Event::kind), Some(KIND_LAST));
}
