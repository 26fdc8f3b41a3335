//! What every measurement starts from: where it writes, how much it does, and whether it shall go on.

use std::fmt;
use std::path::Path;

use stabilize::{Config, Definition, Engine, Registry, Stage, Start};

use super::error::Error;
use super::part::Effort;
use super::scratch::Scratch;

/// Threads that run tasks.
const WORKERS: usize = 2;

/// What every measurement starts from.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// Logs are made in this directory.
    pub directory: &'a Path,
    /// How much is done.
    pub effort: Effort,
    /// Does somebody want an end?
    pub is_over: &'a dyn Fn() -> bool,
}

impl Setting<'_> {
    /// An empty directory for one log.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub(super) fn scratch(&self) -> Result<Scratch, Error> {
        Scratch::inside(self.directory)
    }

    /// # Errors
    ///
    /// If somebody wants an end.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if (self.is_over)() { Err(Error::Stopped) } else { Ok(()) }
    }
}

impl fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("directory", &self.directory).field("effort", &self.effort).finish()
    }
}

/// An engine and its log, which goes away with it.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) scratch: Scratch,
}

impl Bench {
    /// An engine on a fresh log that does what `set` makes of its setup.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub(super) fn open(
        setting: &Setting<'_>,
        tasks: Registry,
        set: impl FnOnce(Config) -> Config,
    ) -> Result<Bench, Error> {
        let scratch = setting.scratch()?;
        let engine = Engine::open(set(config(scratch.path())), tasks)?;
        Ok(Bench { engine, scratch })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The log goes away next: it must not be written any more.
        self.engine.close().ok();
    }
}

/// An engine's setup as it is measured everywhere: nobody else is let in.
pub(super) fn config(log: &Path) -> Config {
    Config::at(log).workers(WORKERS).control(false)
}

/// How a workflow begins that has nothing to do.
pub(super) fn start() -> Start {
    Start::new().workdir("/")
}

/// One stage that does nothing.
pub(super) fn single_stage() -> Definition {
    let definition = Definition::builder("single-stage").stage(Stage::new("only").uses("noop")).build();
    definition.expect("one stage without anything has no problem")
}

/// A stage, then so many at once, then one.
pub(super) fn fan_out(width: u64) -> Definition {
    let names: Vec<String> = (0..width).map(|number| format!("branch-{number}")).collect();
    let mut builder = Definition::builder(format!("fan-out-{width}")).stage(Stage::new("first").uses("noop"));
    for name in &names {
        builder = builder.stage(Stage::new(name.as_str()).needs(["first"]).uses("noop"));
    }
    builder.stage(Stage::new("last").needs(names).uses("noop")).build().expect("it is within every limit")
}

/// So many stages, one after another, each with this task.
pub(super) fn chain(length: u64, task: &str) -> Definition {
    let mut builder = Definition::builder(format!("chain-{length}")).stage(Stage::new("s0").uses(task));
    for number in 1..length {
        let before = format!("s{}", number - 1);
        builder = builder.stage(Stage::new(format!("s{number}")).needs([before]).uses(task));
    }
    builder.build().expect("it is within every limit")
}
