//! Frames and the events in them from bytes.

use super::Draws;
use crate::event::Event;
use crate::log::resealed;
use crate::store::Encoded;

/// Number of the codec in use.
const CODEC: u8 = 1;

/// Reads the bytes as a frame of a segment, with the checksum they should have, and as the payload of an event of any
/// kind. What is accepted is what its reading would be written as.
///
/// # Panics
///
/// If other bytes would be written.
pub fn record_decode(bytes: &[u8]) {
    if let Ok((read, written)) = resealed(bytes) {
        assert_eq!(read, written, "a frame was read from bytes it would not be written as");
    }
    let mut draws = Draws::new(bytes);
    let kind = u16::from(draws.byte());
    let payload = draws.rest().to_vec();
    let encoded = Encoded { kind, codec: CODEC, payload };
    if let Ok(event) = encoded.decode() {
        assert_eq!(Encoded::of(&event), encoded, "an event was read from bytes it would not be written as");
        check(&event);
    }
}

/// Text that stands where a map should, as only a damaged log can have it.
#[cfg(test)]
pub(crate) fn no_map() -> crate::event::Json {
    let bytes = crate::store::to_bytes(&"[1]".to_owned());
    crate::store::from_bytes(&bytes).expect("the bytes of data do not say what it is")
}

fn check(event: &Event) {
    assert!(event.name().contains('.'), "an event is named entity.verb");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::events::events;

    proptest! {
        #[test]
        fn events_with_changed_bytes_are_read_or_refused(
            event in events(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let encoded = Encoded::of(&event);
            let kind = u8::try_from(encoded.kind).unwrap();
            let mut bytes = [&[kind][..], &encoded.payload].concat();
            for (place, byte) in changes {
                let index = place.index(bytes.len());
                bytes[index] = byte;
            }
            record_decode(&bytes);
        }

        #[test]
        fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            record_decode(&bytes);
        }

        #[test]
        fn frames_of_any_fields_are_read_or_refused(
            length in 1_u32..40,
            fields in prop::collection::vec(prop_oneof![4 => 0_u8..8, 1 => any::<u8>()], 48),
            payload in prop::collection::vec(any::<u8>(), 40),
        ) {
            let mut bytes = [&length.to_le_bytes()[..], &[0; 4], &fields, &payload[..length as usize]].concat();
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            record_decode(&bytes);
        }
    }
}
