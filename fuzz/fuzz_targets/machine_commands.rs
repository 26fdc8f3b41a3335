//! Commands to a workflow in any order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stabilize::testing::untrusted;

fuzz_target!(|bytes: &[u8]| untrusted::machine_commands(bytes));
