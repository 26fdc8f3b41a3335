//! What is asked of the outputs of a task before its success counts.
//!
//! The rules and whether outputs keep them; verifiers are code, and called elsewhere.

use std::collections::BTreeMap;

use crate::value::Map;

use super::input::InputType;
use super::retry::RetryPolicy;

/// What is asked of the outputs of a task that has succeeded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verification {
    /// Outputs that have to be there, and not null; as they were written.
    pub(super) required_keys: Vec<String>,
    /// What outputs look like that are there.
    pub(super) types: BTreeMap<String, InputType>,
    /// The registered function that has the last word.
    pub(crate) verifier: Option<String>,
    /// How often and when work is done again that does not pass; as any failure of its class without it.
    pub(crate) retry: Option<RetryPolicy>,
}

impl Verification {
    /// What is wrong with these outputs: everything, in words.
    pub(crate) fn mismatch(&self, outputs: &Map) -> Option<String> {
        let missing = |name: &&String| outputs.get(*name).is_none_or(|value| value.is_null());
        let missing = self.required_keys.iter().filter(missing).map(|name| format!("output {name} is missing"));
        let ill_typed = self.types.iter().filter_map(|(name, input_type)| {
            let value = outputs.get(name).filter(|value| !value.is_null())?;
            Some(format!("output {name} {}", input_type.mismatch(value)?))
        });
        let wrong: Vec<String> = missing.chain(ill_typed).collect();
        (!wrong.is_empty()).then(|| wrong.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn everything_that_is_missing_or_of_another_type_is_said_at_once() {
        let verification = Verification {
            required_keys: vec!["sha".to_owned(), "n".to_owned(), "gone".to_owned()],
            types: BTreeMap::from([
                ("sha".to_owned(), InputType::String),
                ("n".to_owned(), InputType::Integer),
                ("share".to_owned(), InputType::Number),
                ("flag".to_owned(), InputType::Integer),
                ("never".to_owned(), InputType::Map),
                ("all".to_owned(), InputType::Any),
            ]),
            ..Verification::default()
        };
        let mismatch = |json: &str| verification.mismatch(Value::from_json(json).unwrap().as_map().unwrap());
        assert_eq!(mismatch(r#"{"sha":"x","n":1,"gone":0,"share":1,"all":[]}"#), None);
        assert_eq!(mismatch(r#"{"sha":"x","n":1,"gone":0,"share":0.5,"other":null}"#), None);
        assert_eq!(
            mismatch(r#"{"sha":3,"n":null,"flag":true}"#).unwrap(),
            "output n is missing; output gone is missing; output flag is true, not an integer; output sha is 3, not a \
             string"
        );
    }
}
