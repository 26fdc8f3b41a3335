//! What workflows cost beside time: flushes, bytes of the log, memory; and whether a wide one costs more a stage.

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use stabilize::{Definition, LogFiles, Registry, Stage, Timestamp};

use super::error::Error;
use super::executor::keep_going;
use super::setting::{Bench, Setting, fan_out, single_stage, start};
use super::throughput::LONG;

/// Workflows of one stage through `bench`, so many at once.
fn workflows(bench: &Bench, at_once: u64, total: u64) -> Result<(), Error> {
    let (engine, definition) = (&bench.engine, single_stage());
    keep_going(at_once, total, || {
        let engine = engine.clone();
        let begins = engine.submit_async(&definition, start());
        async move {
            let workflow = begins.await?;
            engine.wait_async(workflow).await?;
            Ok(())
        }
    })
}

/// Flushes for each workflow of one stage, alone and with 256 in flight.
pub(super) fn flushes(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config)?;
    // The definition is stored once; it does not belong to the workflows that are counted.
    workflows(&bench, 1, 1)?;
    let count = |at_once: u64, total: u64| -> Result<f64, Error> {
        let before = bench.engine.flushes();
        workflows(&bench, at_once, total)?;
        Ok((bench.engine.flushes() - before) as f64 / total as f64)
    };
    let alone = count(1, setting.effort.pick(100, 400))?;
    let many = count(256, setting.effort.pick(10_000, 40_000))?;
    Ok(vec![alone, many])
}

/// Bytes of the log that an event takes beside its payload, and all bytes that a workflow of one stage takes.
pub(super) fn bytes(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config)?;
    let total = setting.effort.pick(10_000, 40_000);
    workflows(&bench, 256, total)?;
    bench.engine.close()?;
    let (mut events, mut payload, mut all) = (0_u64, 0, 0);
    let mut last: Option<(u64, u64)> = None;
    LogFiles::at(bench.scratch.path()).dump(|frame| {
        let (segment, offset) = (frame.place.segment, frame.place.offset);
        // What the log adds for itself counts as a cost of the events; the last frame of a segment has no next one.
        match last.replace((segment, offset)) {
            Some((before, from)) if before == segment => all += offset - from,
            Some(_) | None => (),
        }
        if !frame.is_control {
            events += 1;
            payload += frame.length;
        }
        ControlFlow::Continue(())
    })?;
    let beside = all.saturating_sub(payload) as f64 / events as f64;
    Ok(vec![beside, all as f64 / total as f64])
}

/// Memory of a workflow of one stage that waits for a moment far away; nothing where the system does not tell.
pub(super) fn memory(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let far = Timestamp::from_microseconds(4_102_444_800_000_000);
    let stage = Stage::new("only").uses("noop").scheduled_time(far);
    let definition: Definition = Definition::builder("later").stage(stage).build().expect("it has no problem");
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config)?;
    let begin = |total| {
        keep_going(4_096, total, || {
            let begins = bench.engine.submit_async(&definition, start());
            async move {
                begins.await?;
                Ok(())
            }
        })
    };
    // What an engine needs before the first workflow waits, and while commands come in, is no cost of one that waits.
    begin(setting.effort.pick(4_096, 4_096))?;
    let total = setting.effort.pick(20_000, 200_000);
    let Some(before) = resident_bytes() else { return Ok(Vec::new()) };
    begin(total)?;
    let Some(after) = resident_bytes() else { return Ok(Vec::new()) };
    Ok(vec![after.saturating_sub(before) as f64 / total as f64])
}

/// Bytes of memory this process holds, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

/// How much longer a stage takes in a fan-out ten times as wide.
pub(super) fn linearity(setting: &Setting<'_>) -> Result<Vec<f64>, Error> {
    let bench = Bench::open(setting, Registry::with_builtins(), |config| config)?;
    let width = setting.effort.pick(1_000, 1_000);
    let (narrow, wide) = (fan_out(width), fan_out(width * 10));
    let stage = |definition: &Definition, width: u64| -> Result<Duration, Error> {
        let began = Instant::now();
        let workflow = bench.engine.submit(definition, start())?;
        bench.engine.wait(workflow, LONG)?;
        setting.go_on()?;
        Ok(began.elapsed() / (width + 2) as u32)
    };
    // Their definitions are stored now.
    stage(&narrow, width)?;
    let mut ratios = Vec::new();
    for _ in 0..setting.effort.pick(3, 7).min(3) {
        let before = stage(&narrow, width)?;
        let far = stage(&wide, width * 10)?;
        let after = stage(&narrow, width)?;
        ratios.push(far.as_secs_f64() * 2.0 / (before + after).as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    Ok(vec![ratios[ratios.len() / 2]])
}
