//! Tests of the whole log over a simulated disk, numbered as the design numbers them (its page on the format, part 3).
//!
//! Here: 1 to 6, 9 to 16, 18 to 29, 33, 34, 36, 44 to 48, 50 and property P8 as they stand there; of 8 and 17 what
//! concerns WATERMARK, of 35 all but trimming, of 51 all defects but "head evicted early": heads are never evicted.
//!
//! What waits, and for what:
//! - 7, the rest of 35 and of 17: for trimming of old segments and setting their torn ends aside.
//! - the rest of 8, of 17 and of 51, 39 to 42: for the index of a sealed segment and the index of live streams.
//! - 30 to 32, 37, 38: for the runtime, which queues, holds answers back and dispatches.
//! - 43: for snapshots. 49: for salvage.
//!
//! `STABILIZE_LONG=n` runs n times as many seeds, and every bit where a sample is taken otherwise.

mod crash;
mod damage;
mod defect;
mod failure;
mod golden;
mod model;
mod process;
mod reading;
mod seam;
