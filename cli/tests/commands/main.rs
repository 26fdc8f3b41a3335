//! The command as its users meet it: real processes, real logs, exit codes and output.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

mod support;

mod by_hand;
mod checking;
mod choices;
mod crash;
mod damage;
mod doctor;
mod errors;
mod examples;
mod following;
mod graph;
mod instances;
mod interruption;
mod measuring;
mod patterns;
mod pausing;
mod reading;
mod refusal;
mod requests;
mod running;
mod secrets;
mod signals;
mod terminal;
mod terminals;
mod why;
