//! The bytes of released events are frozen (S21): each example is what its line in `tests/golden/events` says.
//!
//! A line is the kind (two bytes, little-endian) and the payload in hex. A missing file fails the test; to write
//! the lines of a *new* kind or example, run it with `STABILIZE_BLESS=1`. Changing a line is changing the format.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::event::{CancelCause, Consumed, Emitted, Event};
use crate::failure::ErrorClass;
use crate::ids::ArcIndex;
use crate::status::Status;
use crate::store::codec::{CODEC, KIND_LAST, decode, encode};
use crate::testing::examples;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events")
}

/// `11-WorkflowEnded.hex`: number and name of the variant.
fn file_name(event: &Event) -> String {
    let debug = format!("{event:?}");
    let variant: String = debug.chars().take_while(char::is_ascii_alphabetic).collect();
    format!("{:02}-{variant}.hex", event.kind())
}

fn line_of(event: &Event) -> String {
    let mut payload = Vec::new();
    encode(event, &mut payload);
    let mut line = String::new();
    for byte in event.kind().to_le_bytes().iter().chain(&payload) {
        write!(line, "{byte:02x}").unwrap();
    }
    line
}

fn event_of(line: &str) -> Event {
    let digits: Vec<u32> = line.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect();
    let (kind, payload) = bytes.split_first_chunk::<2>().unwrap();
    decode(u16::from_le_bytes(*kind), CODEC, payload).unwrap()
}

#[test]
fn every_example_has_the_bytes_that_were_frozen() {
    let mut files: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in examples::events() {
        files.entry(file_name(&event)).or_default().push(event);
    }
    let bless = std::env::var_os("STABILIZE_BLESS").is_some_and(|value| value == "1");
    for (name, events) in &files {
        let path = directory().join(name);
        if bless {
            let text: String = events.iter().map(|event| line_of(event) + "\n").collect();
            fs::write(&path, text).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("no frozen bytes, {name}: {error}"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), events.len(), "{name}: one line for each example");
        for (line, event) in lines.into_iter().zip(events) {
            assert_eq!(line, line_of(event), "{name}: the bytes of {event:?} have changed");
            assert_eq!(&event_of(line), event, "{name}: frozen bytes are read otherwise");
        }
    }
    let found: BTreeSet<String> =
        fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, files.into_keys().collect(), "each file belongs to a kind");
}

#[test]
fn the_examples_hold_every_type_and_every_variant_inside_one() {
    let events = examples::events();
    let kinds: BTreeSet<u16> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, (1..=KIND_LAST).collect());

    let mut parts = BTreeSet::new();
    for event in &events {
        match event {
            Event::TaskReported(_, report) => {
                parts.insert(report.report.name().to_owned());
                parts.extend(report.report.error().map(|error| error.class().name().to_owned()));
            }
            Event::WorkflowEnded { reason, .. } => parts.extend(reason.as_ref().map(|it| it.code().to_owned())),
            Event::StageStarted { consumed, .. } => _ = parts.insert(format!("consumed {}", variant(consumed))),
            Event::StageCanceled { cause, .. } => _ = parts.insert(variant(cause)),
            Event::StageEnded { emitted, status, .. } => {
                parts.insert(format!("emitted {}", variant(emitted)));
                parts.insert(format!("{status:?}"));
            }
            _ => {}
        }
    }
    let mut expected: Vec<String> = Status::ALL.map(|status| format!("{status:?}")).into();
    let words = "SUCCEEDED RUNNING TERMINAL FAILED_CONTINUE SKIPPED CANCELED STOPPED FAILED SUSPENDED \
                 STAGE_FAILED DEADLOCK BRANCH_STOPPED OUTPUTS_FAILED CANCEL_REQUESTED START_TIME_EXPIRED \
                 DEADLINE_EXCEEDED CANCELED_BY OR_JOIN_CYCLE Stage Timer ExplicitEnd Region Withdrawn Signal \
                 REDIRECT Jump Rewound";
    expected.extend(words.split(' ').map(str::to_owned));
    let classes = [ErrorClass::Transient, ErrorClass::Permanent, ErrorClass::Exit, ErrorClass::Timeout];
    expected.extend(classes.map(|class| class.name().to_owned()));
    let jump = Consumed::Jump { jump: ArcIndex::new(0), arcs: vec![], absorbed: vec![] };
    let consumed =
        [Consumed::OnePerArc, Consumed::Arcs(vec![]), Consumed::Ready, Consumed::Held, Consumed::Threads(None), jump];
    expected.extend(consumed.map(|it| format!("consumed {}", variant(&it))));
    expected
        .extend([Emitted::All, Emitted::Arcs(vec![]), Emitted::Nothing].map(|it| format!("emitted {}", variant(&it))));
    let causes = [CancelCause::Workflow, CancelCause::ScopeFailed, CancelCause::Deadline];
    expected.extend(causes.map(|it| format!("{it:?}")));
    let causes = [CancelCause::Discriminator, CancelCause::Instances];
    expected.extend(causes.map(|it| format!("{it:?}")));
    assert_eq!(parts, expected.into_iter().collect());
}

fn variant(part: &impl std::fmt::Debug) -> String {
    format!("{part:?}").chars().take_while(char::is_ascii_alphabetic).collect()
}
