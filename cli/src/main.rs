//! The command `stabilize`: thin words over engine and projections.

mod args;
mod command;
mod completion;
mod exit;
mod follow;
mod host;
mod input;
mod interrupt;
mod output;
mod paint;
mod progress;
mod report;
mod secrets;
mod table;
mod view;
mod wait_view;

use std::process::ExitCode;

use crate::args::CommandLine;
use crate::exit::Exit;
use crate::progress::note;
use crate::report::Stop;

fn main() -> ExitCode {
    let line = match CommandLine::read() {
        Ok(line) => line,
        Err(exit) => return exit.into(),
    };
    let exit = match command::perform(&line) {
        Ok(exit) => exit,
        Err(Stop::OutputClosed) => Exit::Success,
        Err(Stop::Report(report)) => {
            note(report.to_string());
            report.exit()
        }
    };
    exit.into()
}
