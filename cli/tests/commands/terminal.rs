//! What a person at a terminal sees: colours, and a line a running stage.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::support::Place;

/// Runs the command on a terminal of its own; its exit code, and everything it showed there.
fn on_terminal(place: &Place, words: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();
    let mut command = place.command(words);
    command.env("TERM", "xterm").envs(variables.iter().copied());
    command.stdout(Stdio::from(terminal.try_clone().unwrap())).stderr(Stdio::from(terminal));
    let mut child = command.spawn().unwrap();
    // The command keeps the other end open until it is dropped.
    drop(command);
    let mut bytes = Vec::new();
    // Linux says EIO when the last one at the other end has gone.
    File::from(controller).read_to_end(&mut bytes).ok();
    (child.wait().unwrap().code(), String::from_utf8(bytes).unwrap())
}

#[test]
fn statuses_have_colours_unless_somebody_refuses_them() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'true' } }\n");
    let (code, shown) = on_terminal(&place, &["run", "a.yaml"], &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\u{1b}[32mSUCCEEDED\u{1b}[0m"), "{shown}");
    let (_, shown) = on_terminal(&place, &["show", "last"], &[("NO_COLOR", "1")]);
    assert!(shown.contains("SUCCEEDED") && !shown.contains('\u{1b}'), "{shown}");
    let (_, shown) = on_terminal(&place, &["show", "last"], &[("TERM", "dumb")]);
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let (_, shown) = on_terminal(&place, &["show", "last", "--json"], &[]);
    assert!(shown.starts_with("{\"id\":") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn a_running_stage_has_a_line() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { work: { run: 'sleep 0.3' } }\n");
    let (code, shown) = on_terminal(&place, &["run", "a.yaml"], &[]);
    assert_eq!(code, Some(0), "{shown}");
    let is_drawn = shown.split('\r').any(|line| line.contains(" work 0s"));
    assert!(is_drawn && shown.contains("work: \u{1b}[32mSUCCEEDED"), "{shown}");
}

#[test]
fn a_drawing_has_the_colours_of_its_statuses_unless_somebody_refuses_them() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'true' } }\n");
    place.run(&["run", "a.yaml"]).exits(0);
    let (code, shown) = on_terminal(&place, &["graph", "last"], &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\u{1b}[32mSUCCEEDED\u{1b}[0m") && shown.contains('\u{250c}'), "{shown}");
    let (_, shown) = on_terminal(&place, &["graph", "last"], &[("NO_COLOR", "1")]);
    assert!(shown.contains("SUCCEEDED") && !shown.contains('\u{1b}'), "{shown}");
}
