//! Tests of the whole log over a simulated disk, numbered as the design numbers them (its page on the format, part 3).
//!
//! Here: 1 to 29, 33 to 36, 42, 44 to 51 and property P8 as they stand there; of 8 and 17 what concerns
//! WATERMARK, `.idx` and what is set aside.
//!
//! What concerns the index of live streams, of 17 and 30 and 39 to 41, is in `src/store/tests/live.rs`.
//!
//! What waits, and for what:
//! - 31, 32, 37, 38: for the runtime, which queues, holds answers back and dispatches.
//! - 43: for snapshots.
//!
//! `STABILIZE_LONG=n` runs n times as many seeds, and every bit where a sample is taken otherwise.

mod arbitrary;
mod crash;
mod damage;
mod defect;
mod failure;
mod golden;
mod index;
mod model;
mod process;
mod reading;
mod salvage;
mod seam;
