//! A retry that keeps its progress: an import that is cut short again and again, by the other side and by a restart,
//! and goes on where it was.

use stabilize::{
    Config, Definition, Engine, EventFilter, Outcome, Registry, Stage, Start, Task, TaskContext, TaskError,
};
use std::sync::mpsc;
use std::time::Duration;

/// Reads rows from a source that closes the door after ten of them.
struct Import;

impl Task for Import {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let rows: u64 = task.require("rows")?;
        // What an earlier attempt left; the first finds nothing.
        let processed = task.get::<u64>("processed")?.unwrap_or(0);
        let read = (processed + 10).min(rows);
        if read == rows {
            return Ok(Outcome::success().output("total", read));
        }
        // The failure is recorded together with how far the work is: no other place has to keep it.
        Err(TaskError::transient(format!("the door closed after row {read}"))
            .retry_after(Duration::from_millis(20))
            .context_update("processed", read))
    }
}

fn open() -> Result<Engine, Box<dyn std::error::Error>> {
    let mut tasks = Registry::with_builtins();
    tasks.register("import", Import)?;
    Ok(Engine::open(Config::at(".stabilize"), tasks)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let definition = Definition::builder("import")
        .stage(Stage::new("read").uses("import").context("rows", 40).deadline(Duration::from_secs(60)))
        .build()?;

    // The first engine is closed after the second failure, as a restart would do it.
    let engine = open()?;
    let (failed, failures) = mpsc::channel();
    engine.subscribe("failures", EventFilter::all().types(["task.retried"]), move |_| {
        failed.send(()).ok();
    })?;
    let id = engine.submit(&definition, Start::new())?;
    failures.recv_timeout(Duration::from_secs(60))?;
    failures.recv_timeout(Duration::from_secs(60))?;
    engine.close()?;

    // The next one knows nothing but the log, and goes on.
    let engine = open()?;
    let result = engine.wait(id, Duration::from_secs(60))?;
    for event in engine.history().events(id, ..)? {
        let event = event?;
        if event.name() == "task.reported" {
            let told = event.data();
            if let (Some(outcome), Some(left)) = (told.get("outcome"), told.get("context")) {
                println!("{outcome:?} leaves {left:?}");
            }
        }
    }
    println!("{} {:?}", result.status(), result.outputs());
    Ok(engine.close()?)
}
