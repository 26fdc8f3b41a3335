//! Logs with changed files, read and opened.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stabilize::testing::untrusted;

fuzz_target!(|bytes: &[u8]| untrusted::log_recover(bytes));
