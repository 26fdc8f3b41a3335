//! How a workflow moves: decide and evolve, pure.
//!
//! `decide` turns a command into events or refuses it; `evolve` moves a state by one event; `outstanding` says what a
//! state asks of the world, `waits` why it has not moved on. No clock, no randomness, no IO. Control is a marking:
//! tokens on the arcs of the definition, never a status per stage. What is supported, by the numbers of the workflow
//! control-flow patterns:
//!
//! | pattern | here |
//! |---|---|
//! | 1 sequence | `needs` |
//! | 2, 3 parallel split, synchronization | `split_type: AND`, `join_type: AND` |
//! | 4, 5 exclusive choice, simple merge | `split_type: XOR`, `join_type: XOR` |
//! | 6 multi-choice | `split_type: OR` |
//! | 7, 37, 38 synchronizing merges | `join_type: OR` |
//! | 9, 30 structured discriminator, partial join | `join_type: DISCRIMINATOR`, `N_OF_M` with `join_threshold` |
//! | 8 multi-merge | `join_type: MULTI_MERGE`, `reentry: serialize` |
//! | 10 arbitrary cycles | `back_from`, `jump_targets` |
//! | 11 implicit termination | a workflow ends when nothing can move; tokens left are a deadlock |
//! | 12 to 15 multiple instances | `mi_config`, `for_each`, `matrix`; `sync_on_complete: false`, `allow_dynamic` |
//! | 34 to 36 partial joins for instances | `join_threshold`, `cancel_remaining`, `completion_condition` |
//! | 16 deferred choice | `split_type: DEFERRED`, `deferred_choice_group` |
//! | 17, 40 interleaved (parallel) routing | `interleave` |
//! | 18 milestone | `milestone_ref_id` |
//! | 19 cancel activity | `cancels: [{stage: ..}]`, `cancel_on`, `on_cancelled`, `cancel_mode` |
//! | 20 cancel case | the command `Cancel`; `cancels: workflow` |
//! | 21 structured loop | `loop` |
//! | 22 recursion | `sub_workflow`, `definitions` |
//! | 23, 24 transient and persistent trigger | `trigger`, `Outcome::suspend`; the command `Signal` |
//! | 25 cancel region | `cancel_region`, `regions`, `cancels: [{region: ..}]` |
//! | 26, 27 cancel, complete multiple instance activity | `cancel_mi_on`, `complete_mi_on`, `cancels: [{mi: ..}]` |
//! | 28, 31 blocking discriminator, partial join | `join_mode: blocking`, `reset_on` |
//! | 29, 32 cancelling discriminator, partial join | `join_mode: cancelling`, `join_cancel_scope` |
//! | 33 generalized AND-join | `join_type: GENERALIZED_AND`, `leftover_tokens` |
//! | 39 critical section | `mutex_key`, `critical_sections` |
//! | 41 thread merge | `join_type: THREAD_MERGE`, `merge_count` |
//! | 42 thread split | `split_type: THREAD`, `thread_count` |
//! | 43 explicit termination | `end: terminate`, `termination: explicit` |
//!
//! and of time, which is not among the patterns:
//!
//! | what | here |
//! |---|---|
//! | start at a moment | `scheduled_time` of stage and workflow: a timer, a gate before the stage starts |
//! | never start after a moment | `start_time_expiry`: the stage is SKIPPED, the workflow CANCELED |
//! | end within a time | `deadline` of stage and workflow: what runs is stopped, DEADLINE_EXCEEDED |

#![warn(clippy::wildcard_enum_match_arm)]

mod address;
mod around;
mod as_json;
mod begin;
mod candidates;
mod child;
mod choice;
mod command;
mod data;
mod decide;
mod ending;
mod evolve;
mod generations;
mod instances;
mod invariant;
mod items;
mod key;
mod kinship;
mod locks;
mod marking;
mod milestones;
mod newest;
mod outlook;
mod outlooks;
mod past;
mod pause;
mod possible;
mod repeats;
mod rewind;
mod scope;
mod servers;
mod signals;
mod state;
mod stopping;
#[cfg(test)]
mod tests;
mod threads;
mod trail;
mod trie;
mod wait;
mod waits;
mod work;

pub use address::{InvalidAddress, StageAddress};
pub(crate) use begin::{BeginError, Beginning, begin};
pub(crate) use child::{begin_child, end_child};
pub use command::{Command, Rejection, Request, ResumeRequest};
pub(crate) use data::{DispatchNames, Surroundings, template_failure};
pub(crate) use decide::{Answerer, Correlated, Deed, Said, Verdict};
pub use decide::{Answers, Batch, RULES, Site, decide};
pub(crate) use decide::{Claim, InstancesAsk, Sent, SentSignal};
pub use evolve::{EvolveError, evolve};
pub(crate) use instances::outputs_of_instances;
pub use invariant::Broken;
pub(crate) use possible::{Outcomes, Unsafe};
pub(crate) use signals::GivenSignal;
#[cfg(test)]
pub(crate) use state::Core;
pub use state::State;
pub use wait::{CancelLimit, LockHolder, MissingArc, ServerName, Undone, Wait, WaitReason};
pub use waits::waits;
pub(crate) use work::surroundings;
pub use work::{AttemptStage, Work, outstanding};
