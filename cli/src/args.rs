//! The command line: verbs, their flags, and what `--help` says.

mod check;
mod claim;
mod instances;
mod people;
mod signal;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, Command, CommandFactory as _, Parser, Subcommand, ValueEnum};
use stabilize::{At, Duration, Position, Sequence, Status, Timestamp};

use crate::completion::Shell;
use crate::exit::{self, Exit};
use crate::input::Assignment;

pub(crate) use check::Check;
pub(crate) use claim::Claim;
pub(crate) use instances::{AddInstances, CloseInstances, CompleteInstances, OfInstances};
pub(crate) use people::{Answering, Approve, Asking, Complete, Pause, Reject, Resume};
pub(crate) use signal::{CloseTrigger, Signal};

/// Run, audit and replay workflows.
///
/// Every transition of a workflow is an event in an append-only log; everything shown here is read back from it. On a
/// terminal results are tables in colours; into a pipe they are the same tables without; with --json they are JSON, one
/// value a line. Progress and errors go to standard error.
#[derive(Debug, Parser)]
#[command(name = "stabilize", version, after_help = exit::TABLE, max_term_width = 120)]
pub(crate) struct CommandLine {
    /// Directory of the log.
    #[arg(
        long,
        global = true,
        env = "STABILIZE_LOG",
        hide_env_values = true,
        default_value = ".stabilize",
        value_name = "DIR"
    )]
    pub(crate) log: PathBuf,
    /// Machine form: one JSON value a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl CommandLine {
    /// What can be asked for at all.
    pub(crate) fn grammar() -> Command {
        CommandLine::command()
    }

    /// What this process was asked for.
    ///
    /// # Errors
    ///
    /// How to end at once: what was asked for was help or the version, or cannot be meant; it has been told.
    pub(crate) fn read() -> Result<CommandLine, Exit> {
        CommandLine::try_parse().map_err(|error| {
            // Nobody can be told if neither stream can be written.
            error.print().ok();
            if error.use_stderr() { Exit::Usage } else { Exit::Success }
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Run(Run),
    Start(Start),
    Worker(Worker),
    Cancel(Cancel),
    Complete(Complete),
    Approve(Approve),
    Reject(Reject),
    Pause(Pause),
    Resume(Resume),
    Signal(Signal),
    CloseTrigger(CloseTrigger),
    Claim(Claim),
    AddInstances(AddInstances),
    CloseInstances(CloseInstances),
    CompleteInstances(CompleteInstances),
    Ls(Ls),
    Show(Show),
    Why(Why),
    Graph(Graph),
    Events(Events),
    Logs(Logs),
    Replay(Replay),
    Lint(Lint),
    Check(Check),
    Patterns(Patterns),
    Bench(Bench),
    #[command(subcommand)]
    Log(Log),
    /// Look whether the log is well where it stands: disk, clock, limits, holder.
    ///
    /// Each check has a verdict, and what is not ok a cure. The log itself is only read; syncs are measured in a file
    /// beside it that is removed again. One bad verdict ends it with exit code 7.
    #[command(after_help = "\
Examples:
  stabilize doctor
  stabilize --log /srv/workflows doctor --json")]
    Doctor,
    /// Print the JSON Schema of definitions, for editors that complete and check while one writes.
    ///
    /// It tells which keys stand where and what their values look like; names, circles and expressions are checked by
    /// `stabilize lint`. An editor with the YAML language server takes it from the first line of a file:
    /// `# yaml-language-server: $schema=stabilize.schema.json`.
    #[command(after_help = "\
Examples:
  stabilize schema > stabilize.schema.json
  stabilize schema --json | jq '.properties | keys'")]
    Schema,
    /// Print the script that teaches a shell to complete this command.
    #[command(after_help = "\
Examples:
  stabilize completions bash > ~/.local/share/bash-completion/completions/stabilize
  stabilize completions zsh > ~/.zfunc/_stabilize
  stabilize completions fish > ~/.config/fish/completions/stabilize.fish")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Say what this build is: version, rules, format, features.
    #[command(after_help = "\
Examples:
  stabilize version
  stabilize version --json")]
    Version,
}

/// Run a workflow from a definition, or go on with one, and follow it to its end.
///
/// Only this workflow is driven; others that are open stay as they are. While another engine holds the log, the
/// workflow runs there and is followed from here; if that engine ends, this one takes over. --timeout and Ctrl-C stop
/// following, not the workflow: what runs here is stopped and given back, what runs elsewhere goes on, and the way to
/// go on is printed. A second Ctrl-C ends at once.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["file", "resume"]),
    after_help = "\
Examples:
  stabilize run release.yaml
  stabilize run release.yaml --input ref=main --input 'opts:=[\"0\",\"2\"]' --input notes=@NOTES.md
  stabilize run nightly.yaml --timeout 2h --json
  stabilize run --resume last"
)]
pub(crate) struct Run {
    /// Definition in YAML, or in JSON if the name ends in .json.
    pub(crate) file: Option<PathBuf>,
    /// Go on with this workflow: an id, a unique prefix or suffix of 6 characters or more, or `last`.
    #[arg(long, value_name = "ID", conflicts_with_all = [
        "input", "inputs", "workdir", "trigger_type", "parameter", "payload",
    ])]
    pub(crate) resume: Option<String>,
    #[command(flatten)]
    pub(crate) with: StartWith,
    /// Secrets from a file that only its owner may use (mode 0600): lines NAME=value; read whenever a task asks.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,
    /// Stop following after this time, like 90s or 1h30m.
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<Duration>,
}

/// Record a workflow, to be driven by whoever drives all: a `worker`, now or later. Prints its id.
///
/// Nothing runs here. If an engine holds the log, it records the workflow.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize start nightly.yaml --input ref=main
  id=$(stabilize start nightly.yaml); stabilize run --resume \"$id\"")]
pub(crate) struct Start {
    /// Definition in YAML, or in JSON if the name ends in .json.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) with: StartWith,
}

/// Drive every open workflow of the log, and those that come, until SIGINT or SIGTERM.
///
/// Prints a line for each workflow that begins or ends; with --json every event of every workflow. A signal stops it in
/// order: what runs is stopped and given back, and goes on with the next engine that drives it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize worker
  stabilize worker --until-idle
  stabilize worker --json | jq -c 'select(.type == \"workflow.failed\")'")]
pub(crate) struct Worker {
    /// End once no workflow is open any more.
    #[arg(long)]
    pub(crate) until_idle: bool,
    /// Secrets from a file that only its owner may use (mode 0600): lines NAME=value; read whenever a task asks.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,
    /// Tasks that run at once [default: 16].
    #[arg(long, value_name = "N")]
    pub(crate) tasks: Option<NonZeroUsize>,
}

/// Ask for the end of a workflow: what runs is stopped, nothing new begins.
///
/// If an engine holds the log, it is asked; else the request is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize cancel last --reason 'wrong branch'
  stabilize cancel 9GKZ4Q --reason superseded --actor ci
  stabilize cancel last --force --reason 'the clean-up hangs'")]
pub(crate) struct Cancel {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// Why, in words, for those who ask later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who asks, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Of a workflow that is ending, end what it does before that: the compensation under way, or its `finally`.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What a workflow begins with.
#[derive(Debug, Args)]
pub(crate) struct StartWith {
    /// Input by its declared type; K:=JSON takes JSON, K=@FILE what stands in a file.
    #[arg(long, value_name = "K=V")]
    pub(crate) input: Vec<Assignment>,
    /// Inputs from a YAML or JSON file that holds a map; --input wins over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) inputs: Option<PathBuf>,
    /// Directory the workflow's relative directories start from [default: the current one].
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,
    /// Who asks, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// What kind of thing asks, a free word [default: manual].
    #[arg(long, value_name = "TYPE")]
    pub(crate) trigger_type: Option<String>,
    /// Parameter of the trigger: text; K:=JSON and K=@FILE as with --input.
    #[arg(long, value_name = "K=V")]
    pub(crate) parameter: Vec<Assignment>,
    /// Payload of the trigger: a file that holds a JSON or YAML map.
    #[arg(long, value_name = "@FILE")]
    pub(crate) payload: Option<String>,
}

/// List workflows, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize ls
  stabilize ls --status TERMINAL --limit 10
  stabilize ls --json | head -1")]
pub(crate) struct Ls {
    /// Only those with this status; may be given several times.
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Vec<Status>,
    /// Only those of this application.
    #[arg(long, value_name = "NAME")]
    pub(crate) application: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// Show a workflow: what it is, its stages and tasks, its outputs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize show last
  stabilize show 9GKZ4Q --at 12
  stabilize show 9GKZ4Q --at 2026-05-01T12:00:00Z --json")]
pub(crate) struct Show {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// As it was after this event, or at this moment (RFC 3339).
    #[arg(long, value_name = "SEQ|TIME")]
    pub(crate) at: Option<Moment>,
}

/// Say why a workflow does not move: who waits, since when, and what would release it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize why last
  stabilize why 9GKZ4Q --json")]
pub(crate) struct Why {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
}

/// Draw a definition, or a workflow with what has become of each stage.
///
/// Stages stand in layers from top to bottom, arcs lead down; conditions stand on arcs, joins and splits at stages. A
/// wide drawing in letters is best read with `less -S`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize graph release.yaml
  stabilize graph release.yaml -o release.svg
  stabilize graph last --format mermaid
  stabilize graph 9GKZ4Q --at 12")]
pub(crate) struct Graph {
    /// Definition in YAML or JSON; or a workflow: an id, a unique prefix or suffix of 6 characters or more, or `last`.
    #[arg(value_name = "FILE|ID")]
    pub(crate) what: String,
    /// How it is written [default: by the name of the output, else ascii].
    #[arg(long, value_enum)]
    pub(crate) format: Option<GraphFormat>,
    /// File to write [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The workflow as it was after this event, or at this moment (RFC 3339).
    #[arg(long, value_name = "SEQ|TIME")]
    pub(crate) at: Option<Moment>,
}

/// How a drawing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Letters, for a terminal.
    Ascii,
    /// A picture.
    Svg,
    /// Text from which Mermaid draws a flowchart.
    Mermaid,
    /// Text from which Graphviz draws a graph.
    Dot,
}

/// List the events of a workflow in order.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize events last
  stabilize events 9GKZ4Q --json | grep task.retried")]
pub(crate) struct Events {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
}

/// Print what the programs of a workflow wrote.
///
/// Without --attempt and --failed that is the last attempt of each task. What one program wrote alone is printed as it
/// is. With --follow what running programs write is printed as it comes, and that of attempts that begin later, until
/// the workflow has ended.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize logs last
  stabilize logs last test
  stabilize logs last test --attempt 1
  stabilize logs last --failed
  stabilize logs last -f")]
pub(crate) struct Logs {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// Only this stage.
    pub(crate) stage: Option<String>,
    /// This attempt of each task, from 1.
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
    /// All attempts that failed, and no others.
    #[arg(long)]
    pub(crate) failed: bool,
    /// Go on with what is written, until the workflow has ended.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

/// Fold a workflow from its first event, check every invariant after every event, and compare with what `show` says.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize replay last
  stabilize replay 9GKZ4Q --until 12 --json")]
pub(crate) struct Replay {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// Stop after this event.
    #[arg(long, value_name = "SEQ", value_parser = sequence)]
    pub(crate) until: Option<Sequence>,
}

/// Check definitions and report every problem as FILE:LINE:COLUMN.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize lint release.yaml
  stabilize lint workflows/*.yaml --json")]
pub(crate) struct Lint {
    /// Definitions in YAML, or in JSON if the name ends in .json.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
}

/// Try the 43 workflow control-flow patterns in five ways, or show one of them.
///
/// Each pattern is tried as it is (in all orders its scenarios leave open), as it must not be, with a crash after every
/// batch, three rounds inside a loop, and inside a sub-workflow and an instance of several. Where there are too many
/// orders they are drawn by the seed that is printed. No log is read or written. A kind that cannot be tried is missing
/// and not passed; one that fails ends it with exit code 6.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize patterns
  stabilize patterns 4
  stabilize patterns --json | jq -s 'map(select(.passed)) | length'")]
pub(crate) struct Patterns {
    /// Show this one, 1 to 43: definition, picture, a trace of each scenario, what was tried.
    #[arg(value_name = "NUMBER")]
    pub(crate) number: Option<u8>,
    /// All orders, up to ten thousand of each scenario; takes minutes.
    #[arg(long)]
    pub(crate) full: bool,
    /// What is drawn depends on this number.
    #[arg(long, default_value_t = 43, value_name = "N")]
    pub(crate) seed: u64,
}

/// Measure what the engine does on this machine, beside what its disk can do.
///
/// F is how many single writes of 200 bytes the disk takes in a second, each made durable, on one thread; rates are
/// shown in F, lengths of time in the time of one such write, both of the same seconds. Logs are made beside --log and
/// removed again; the log itself is not touched. A figure that misses its target is told and is no failure.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize bench
  stabilize bench transitions idle --json
  stabilize --log /srv/workflows bench --full")]
pub(crate) struct Bench {
    /// Only rows whose names begin like this; a wrong name lists them all.
    #[arg(value_name = "ROW")]
    pub(crate) rows: Vec<String>,
    /// With what takes minutes: long histories, large logs.
    #[arg(long)]
    pub(crate) full: bool,
    /// Everything once and small, to see that it runs; the figures mean nothing.
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
}

/// Look at the bytes of the log.
#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Read every byte and report all that is not as it was written.
    #[command(after_help = "\
Examples:
  stabilize log verify
  stabilize --log /srv/workflows log verify --json | tail -1")]
    Verify,
    /// Print every frame: one a line, its header fields by name.
    #[command(after_help = "\
Examples:
  stabilize log dump
  stabilize log dump --json | head")]
    Dump,
    /// Count events, bytes and streams, by type of event.
    #[command(after_help = "\
Examples:
  stabilize log stats
  stabilize log stats --json")]
    Stats,
    /// Copy what is whole of a damaged log to a new one, which is on hold; the damaged one is not changed.
    ///
    /// Every whole batch before the damage is copied, with its positions, sequences and times, and the captured streams
    /// of tasks. What can be read behind the damage is counted and set aside in the new log. No task runs there before
    /// `log accept`.
    #[command(after_help = "\
Examples:
  stabilize log salvage .stabilize --to .stabilize-2
  stabilize log salvage /srv/log --to /srv/log-2 --until 1041 --json")]
    Salvage {
        /// Directory of the damaged log.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Directory of the new log; it must not exist.
        #[arg(long, value_name = "NEW")]
        to: PathBuf,
        /// Copy no batch that ends behind this position.
        #[arg(long, value_name = "POSITION", value_parser = position)]
        until: Option<Position>,
    },
    /// Take a salvaged log off hold: who accepts what was lost, and why, is recorded in it.
    #[command(after_help = "\
Examples:
  stabilize log accept .stabilize-2 --reason 'disk failed, lost releases are done by hand'")]
    Accept {
        /// Directory of the log that is on hold.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Why it is accepted, as recorded.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who accepts it, as recorded [default: the user's name].
        #[arg(long, value_name = "NAME")]
        actor: Option<String>,
    },
}

/// A place in the history of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After this event.
    Sequence(Sequence),
    /// At this time.
    Time(Timestamp),
}

impl Moment {
    /// The same for a question about history.
    pub(crate) fn at(self) -> At {
        match self {
            Moment::Sequence(sequence) => At::Sequence(sequence),
            Moment::Time(time) => At::Time(time),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return sequence(text).map(Moment::Sequence);
        }
        let reason = "neither the number of an event nor a moment like 2026-05-01T12:00:00Z";
        text.parse().map(Moment::Time).map_err(|_| reason.to_owned())
    }
}

fn position(text: &str) -> Result<Position, String> {
    let number = text.parse().ok().and_then(Position::new);
    number.ok_or_else(|| "not a position; they are counted from 1".to_owned())
}

fn sequence(text: &str) -> Result<Sequence, String> {
    let number = text.parse().ok().and_then(Sequence::new);
    number.ok_or_else(|| "not the number of an event; they are counted from 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::grammar().debug_assert();
    }

    #[test]
    fn a_moment_is_a_number_or_a_time() {
        assert_eq!("12".parse(), Ok(Moment::Sequence(Sequence::new(12).unwrap())));
        let time = Timestamp::from_microseconds(1_777_636_800_000_000);
        assert_eq!("2026-05-01T12:00:00Z".parse(), Ok(Moment::Time(time)));
        for text in ["0", "", "-1", "99999999999999999999", "yesterday"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
