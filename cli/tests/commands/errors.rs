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
