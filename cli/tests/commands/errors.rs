//! What failed says the same wherever it is shown: the code, the class and the causes that its task gave.

use serde_json::json;

use super::support::Place;

/// Fails with a cause.
const FAILING: &str = "
name: failing
stages:
  a: { run: 'echo no ink >&2; exit 3' }
";

#[test]
fn errors_of_tasks_keep_their_code_class_and_causes_wherever_they_are_shown() {
    let place = Place::new();
    place.write("a.yaml", FAILING);
    place.run(&["run", "a.yaml"]).exits(1);
    let error = json!({
        "class": "exit",
        "code": "USER_CODE_ERROR",
        "message": "the program ended with exit code 3",
        "causes": ["no ink"],
    });
    let line = "USER_CODE_ERROR: the program ended with exit code 3: no ink";
    let out = place.run(&["show", "last"]).exits(0).out;
    assert_eq!(out.matches(line).count(), 2, "of the workflow and of its stage:\n{out}");
    assert!(place.run(&["why", "last"]).exits(0).out.contains(line));
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(shown["stages"][0]["error"], error);
    assert_eq!(shown["stages"][0]["tasks"][0]["error"], error);
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    for name in ["task.reported", "task.failed", "workflow.failed"] {
        let told = events.iter().find(|event| event["type"] == name).unwrap();
        assert_eq!(told["data"]["error"], error, "{told}");
    }
}

#[test]
fn a_verifier_that_the_command_does_not_have_is_refused_before_anything_is_recorded() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'true', verification: { verifier: is_signed } } }\n");
    for verb in ["run", "start"] {
        let err = place.run(&[verb, "a.yaml"]).exits(3).err;
        let said = "task shell of stage a is to be verified by is_signed, and no verifier is registered as that";
        assert!(err.contains(said), "{verb}: {err}");
    }
    assert_eq!(place.run(&["ls", "--json"]).exits(0).json().len(), 0);
}

#[test]
fn outputs_that_are_not_as_asked_fail_a_program_that_ended_well_until_they_are() {
    let place = Place::new();
    let text = r#"
name: signs
stages:
  a:
    run: 'test "$STABILIZE_ATTEMPT" -lt 2 || echo "sha=abc" >> "$STABILIZE_OUTPUT"'
    verification: { required_keys: [sha], types: { sha: string }, retry: { max_attempts: 2, initial: 0s } }
"#;
    place.write("a.yaml", text);
    let events = place.run(&["run", "a.yaml", "--json"]).exits(0).json();
    let told = events.iter().find(|event| event["type"] == "task.reported").unwrap();
    assert_eq!(told["data"]["error"]["code"], "VERIFICATION_FAILED");
    assert_eq!(told["data"]["error"]["message"], "output sha is missing");
    assert_eq!(events.iter().filter(|event| event["type"] == "task.retried").count(), 1);
}
