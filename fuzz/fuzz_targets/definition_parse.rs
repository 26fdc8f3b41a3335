//! Definitions, YAML and JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stabilize::testing::untrusted;

fuzz_target!(|bytes: &[u8]| untrusted::definition_parse(bytes));
