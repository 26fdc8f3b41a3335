//! Expressions from bytes.

use super::Draws;
use crate::expression::{Expression, Scope};
use crate::value::Value;

/// Reads the bytes as an expression and evaluates it, in an empty scope and in one whose values the bytes decide, too.
/// Text that was accepted is accepted again and means the same.
///
/// # Panics
///
/// If two evaluations differ.
pub fn expression_evaluate(bytes: &[u8]) {
    let mut draws = Draws::new(bytes);
    let scope = scope(&mut draws);
    let text = String::from_utf8_lossy(draws.rest());
    let Ok(expression) = Expression::parse(&text) else { return };
    let again = Expression::parse(expression.text()).expect("the text of an expression is one");
    for scope in [Scope::new(), scope] {
        let value = expression.evaluate(&scope);
        assert_eq!(value, again.evaluate(&scope), "one expression has two values");
        if let Ok(value) = value {
            let text = value.to_json();
            assert_eq!(Value::from_json(&text).as_ref(), Ok(&value), "a value is not what it is written as: {text}");
        }
    }
}

fn scope(draws: &mut Draws<'_>) -> Scope {
    let mut scope = Scope::new();
    for name in ["a", "b", "inputs", "stages"] {
        let values = [
            "null",
            "true",
            "false",
            "0",
            "-1",
            "170141183460469231731687303715884105727",
            "1.5",
            "1e300",
            "\"\"",
            "\"text\"",
            "[]",
            "[1,[2,{}]]",
            "{\"k\":{\"k\":[null]}}",
        ];
        let json = values[draws.below(values.len())];
        scope.insert(name, Value::from_json(json).expect("the values of the scope are JSON"));
    }
    scope
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::expressions::{expressions, tokens};

    proptest! {
        #[test]
        fn text_like_an_expression_has_one_value(
            scope in prop::collection::vec(any::<u8>(), 4),
            text in prop_oneof![expressions(), tokens()],
        ) {
            expression_evaluate(&[&scope[..], text.as_bytes()].concat());
        }

        #[test]
        fn bytes_are_evaluated_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            expression_evaluate(&bytes);
        }
    }
}
