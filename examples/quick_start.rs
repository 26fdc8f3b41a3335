//! A workflow with tasks written in Rust: one that makes progress over several attempts, one that is a closure.

use stabilize::{At, Config, Definition, Engine, Outcome, Registry, Stage, Start, Task, TaskContext, TaskError};
use std::time::Duration;

struct Import; // a task as a type: its progress survives retries, restarts and crashes

impl Task for Import {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        match task.get::<u64>("processed")?.unwrap_or(0) {
            20 => Ok(Outcome::success().output("total", 20)),
            n => Err(TaskError::transient("rate limited")
                .retry_after(Duration::from_millis(20))
                .context_update("processed", n + 10)),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut tasks = Registry::with_builtins(); // shell, wait, noop, fail
    tasks.register("import", Import)?;
    tasks.register_fn("greet", |task| {
        Ok(Outcome::success().output("greeting", format!("Hello, {}!", task.require::<String>("name")?)))
    })?;
    let definition = Definition::builder("ci")
        .application("my-app")
        .stage(Stage::new("setup").uses("import"))
        .stage(Stage::new("test").needs(["setup"]).run("true")) // test and lint run in parallel
        .stage(Stage::new("lint").needs(["setup"]).run("true"))
        .stage(Stage::new("deploy").needs(["test", "lint"]).uses("greet").context("name", "Stabilize"))
        .build()?; // every problem at once, with hints
    let engine = Engine::open(Config::at(".stabilize"), tasks)?; // Config::memory() in tests
    let id = engine.submit(&definition, Start::new())?;
    let result = engine.wait(id, Duration::from_secs(10))?;
    println!("{} {:?}", result.status(), result.stage("deploy").map(|stage| stage.outputs()));
    let before = engine.history().state(id, At::sequence(5)?)?; // replay to any point
    println!("was {}", before.status());
    Ok(engine.close()?)
}
