//! Frames and the events in them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stabilize::testing::untrusted;

fuzz_target!(|bytes: &[u8]| untrusted::record_decode(bytes));
