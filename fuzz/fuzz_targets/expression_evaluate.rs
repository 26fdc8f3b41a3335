//! Expressions and the scope they see.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stabilize::testing::untrusted;

fuzz_target!(|bytes: &[u8]| untrusted::expression_evaluate(bytes));
