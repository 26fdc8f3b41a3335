//! Requests at the control socket from bytes.

use crate::runtime::ControlRequest;

/// Reads the bytes as a line at the control socket. A request that was understood is understood again from the line
/// that stands for it.
///
/// # Panics
///
/// If it is another one then.
pub fn control_request(bytes: &[u8]) {
    ControlRequest::check_line(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::untrusted::Draws;

    /// Lines of which some are requests: pieces of requests in any order.
    fn lines() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|choices| {
            let pieces = [
                "\"version\":1",
                "\"version\":2",
                "\"verb\":\"ping\"",
                "\"verb\":\"stay\"",
                "\"verb\":\"drive\"",
                "\"verb\":\"drives\"",
                "\"verb\":\"start\"",
                "\"verb\":\"cancel\"",
                "\"workflow\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"",
                "\"command\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"",
                "\"actor\":\"alice\"",
                "\"reason\":null",
                "\"workdir\":\"/srv\"",
                "\"definition\":{\"format\":\"yaml\",\"text\":\"name: x\"}",
                "\"inputs\":{\"n\":170141183460469231731687303715884105727}",
                "\"priority\":300",
                "\"trigger\":{\"type\":\"manual\",\"user\":\"x\"}",
            ];
            let mut draws = Draws::new(&choices);
            let mut text = vec![pieces[0]];
            while !draws.is_empty() {
                text.push(pieces[draws.below(pieces.len())]);
            }
            format!("{{{}}}", text.join(",")).into_bytes()
        })
    }

    proptest! {
        #[test]
        fn what_looks_like_a_request_is_understood_or_refused(line in lines()) {
            control_request(&line);
        }

        #[test]
        fn bytes_are_understood_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            control_request(&bytes);
        }
    }
}
