//! What definitions may write for a request, and what the task takes.

use crate::definition::Definition;
use crate::value::Value;

#[test]
fn definitions_and_the_task_know_the_same_settings() {
    let schema = Value::from_json(&Definition::schema()).unwrap();
    let settings = ["$defs", "http", "properties"].into_iter().fold(&schema, |value, key| value.get(key).unwrap());
    let mut known: Vec<&str> = crate::task::http_keys().collect();
    known.sort_unstable();
    assert_eq!(settings.as_map().unwrap().keys().map(String::as_str).collect::<Vec<&str>>(), known);
}
