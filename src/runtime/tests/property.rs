//! P9 on definitions drawn at random: what the runtime keeps is what the fold of the durable events asks for.

use proptest::prelude::*;

use crate::ids::WorkflowId;
use crate::machine::WaitReason;
use crate::replay::At;
use crate::runtime::{By, Completion, Config, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskContext, TaskError};
use crate::testing::course::ORIGIN;
use crate::testing::definitions::unchecked;
use crate::testing::strategies::definitions;
use crate::time::Duration;

use super::super::clock::Clock;
use super::StandingClock;
use super::manual::asked;

/// An outcome that follows from the work and `seed` alone.
fn outcome(task: &TaskContext<'_>, seed: u64) -> Result<Outcome, TaskError> {
    let key = task.idempotency_key().bytes().map(u64::from).sum::<u64>();
    match (key + u64::from(task.attempt()) + seed) % 11 {
        0 => Err(TaskError::transient("not yet")),
        1 => Err(TaskError::permanent("never")),
        2 => Ok(Outcome::running().after(std::time::Duration::from_secs(2))),
        3 => Ok(Outcome::running().after(std::time::Duration::from_secs(2)).context("seen", seed)),
        4 => Ok(Outcome::skipped()),
        5 => Ok(Outcome::stopped()),
        6 => Ok(Outcome::failed_continue(TaskError::permanent("so what"))),
        _ => Ok(Outcome::success().output("k", seed)),
    }
}

/// The first piece of work that a person is asked for.
fn by_hand(engine: &Engine, workflow: WorkflowId) -> Option<String> {
    engine.why(workflow).unwrap().into_iter().find(|wait| matches!(wait.reason(), WaitReason::ByHand { .. })).map(
        |wait| {
            let instance = wait.instance().map(|index| format!("[{index}]")).unwrap_or_default();
            format!("{}#{}{instance}", wait.stage().unwrap(), wait.activation().unwrap())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn p9_the_worklist_is_what_the_fold_asks(
        example in definitions(),
        seed in 0_u64..999,
        cancel in 0_usize..40,
        pause in 0_usize..10,
    ) {
        // The moments that definitions name lie around this one.
        let clock = StandingClock::at(ORIGIN);
        let mut tasks = Registry::with_builtins();
        for name in ["shell", "noop", "wait", "deploy"] {
            tasks.replace(name, Scripted(seed));
        }
        // One that definitions name; it refuses some of the work.
        let refused = || TaskError::transient("not good enough");
        tasks
            .verifier("looks good", move |task, _| if task.attempt() % 3 == 1 { Err(refused()) } else { Ok(()) })
            .unwrap();
        let engine = Engine::open(Config::manual().clock(clock.clone()), tasks).unwrap();
        let start = Start::new().inputs(example.inputs.clone());
        let workflow = engine.submit(&unchecked(&example.definition), start).unwrap();
        for step in 0..20 {
            engine.step(clock.now()).unwrap();
            prop_assert_eq!(engine.tracked(), asked(&engine, &[workflow]));
            // One at a time: the end of one piece of work may end others, and the workflow.
            for _ in 0..8 {
                let Some(work) = by_hand(&engine, workflow) else { break };
                let told = engine.complete(workflow, &work, Completion::done().output("k", seed), By::user("alice"));
                prop_assert!(told.is_ok(), "{work}: {told:?}");
                prop_assert_eq!(engine.tracked(), asked(&engine, &[workflow]));
            }
            if step % 5 == pause {
                let paused = engine.history().state(workflow, At::Latest).unwrap().status() == Status::Paused;
                let by = By::user("alice");
                let told = if paused { engine.resume(workflow, by) } else { engine.pause(workflow, by) };
                let status = engine.history().state(workflow, At::Latest).unwrap().status();
                prop_assert!(told.is_ok() || status.is_complete());
                prop_assert_eq!(engine.tracked(), asked(&engine, &[workflow]));
            }
            if step == cancel {
                engine.cancel(workflow, By::user("alice")).ok();
                prop_assert_eq!(engine.tracked(), asked(&engine, &[workflow]));
            }
            clock.advance(Duration::from_milliseconds(5_500));
        }
    }
}

/// A task whose outcomes follow from its work and a seed.
struct Scripted(u64);

impl crate::task::Task for Scripted {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        outcome(task, self.0)
    }
}
