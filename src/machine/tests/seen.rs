//! What an attempt sees.

use crate::expression::Expression;
use crate::machine::{Work, outstanding, surroundings};
use crate::testing::course::Course;
use crate::value::Value;

/// What the open attempt of `stage` sees for this expression; everything it sees is the same key by key.
pub(super) fn seen(course: &Course, stage: &str, expression: &str) -> Value {
    let graph = course.state().definition().graph();
    let attempt = outstanding(course.state()).find_map(|work| {
        let Work::RunTask { attempt, .. } = work else { return None };
        (graph.stage(attempt.task.activation.stage).ref_id == stage).then_some(attempt)
    });
    let (seen, _) = surroundings(course.state(), attempt.unwrap_or_else(|| panic!("{stage} is not open"))).unwrap();
    let all = seen.all().unwrap();
    for key in all.keys() {
        assert_eq!(seen.lookup(key).unwrap().as_ref(), all.get(key), "{key}");
    }
    let expression = Expression::parse(expression).unwrap();
    expression.evaluate(&seen.scope(&expression.references()).unwrap()).unwrap()
}
