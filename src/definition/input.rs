//! Inputs of a workflow: what a definition declares of them, and whether given values fit. Only user of `regex-lite`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use super::reading::closest;
use crate::value::{Map, Value, compare_numbers};

/// What a definition declares of one input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Input {
    /// What its value looks like.
    pub(crate) shape: Shape,
    /// Taken where none is given; without it, the input must be.
    pub(crate) default: Option<Value>,
    /// Its value is where its text says, and is read when a task is dispatched.
    pub(crate) secret: bool,
    /// For people.
    pub(crate) description: Option<String>,
}

/// Where the value of a secret input is; what is recorded of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretPlace<'t> {
    /// A variable in the environment of the engine: `env:NAME`.
    Variable(&'t str),
    /// A file, seen from the workflow's directory: `file:PATH`.
    File(&'t str),
}

impl SecretPlace<'_> {
    /// The place that a text names; none if it names none, and then may be the value itself.
    pub(crate) fn read(text: &str) -> Option<SecretPlace<'_>> {
        let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let is_name = |name: &str| {
            name.bytes().next().is_some_and(letter) && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit())
        };
        if let Some(name) = text.strip_prefix("env:") {
            return is_name(name).then_some(SecretPlace::Variable(name));
        }
        let path = text.strip_prefix("file:")?;
        (!path.is_empty() && !path.contains('\0')).then_some(SecretPlace::File(path))
    }
}

impl Input {
    /// What does not fit of a value, in words that begin behind its name; nothing if all does.
    pub(super) fn mismatch(&self, value: &Value) -> Option<String> {
        if !self.secret {
            return self.shape.mismatch(value);
        }
        // Not shown: who gives the value itself should not find it in a log.
        let is_place = value.as_str().is_some_and(|text| SecretPlace::read(text).is_some());
        (!is_place).then(|| "is secret: give it as env:NAME or file:PATH, never its value".to_owned())
    }
}

/// What a value has to look like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Its type.
    pub(crate) input_type: InputType,
    /// The values it is one of.
    pub(crate) choices: Option<Vec<Value>>,
    /// Least number; of text the least number of characters, of a list or map of entries.
    pub(crate) min: Option<Value>,
    /// Greatest, like `min`.
    pub(crate) max: Option<Value>,
    /// Regular expression that some part of the text matches.
    pub(crate) pattern: Option<Pattern>,
    /// What the items of a list look like.
    pub(crate) items: Option<Box<Shape>>,
}

/// Type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputType {
    String,
    Integer,
    Number,
    Boolean,
    List,
    Map,
    Any,
}

/// A regular expression that has been read.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(regex_lite::Regex);

/// Equal if they were written alike.
impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text() == other.text()
    }
}

impl Pattern {
    /// Reads a regular expression; the error says in words what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Pattern, String> {
        regex_lite::Regex::new(text).map(Pattern).map_err(|error| error.to_string())
    }

    /// The expression as it was written.
    pub(super) fn text(&self) -> &str {
        self.0.as_str()
    }
}

impl InputType {
    /// Every type there is.
    pub(super) const ALL: [InputType; 7] = [
        InputType::String,
        InputType::Integer,
        InputType::Number,
        InputType::Boolean,
        InputType::List,
        InputType::Map,
        InputType::Any,
    ];

    /// The name as definitions write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            InputType::String => "string",
            InputType::Integer => "integer",
            InputType::Number => "number",
            InputType::Boolean => "boolean",
            InputType::List => "list",
            InputType::Map => "map",
            InputType::Any => "any",
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            InputType::String => matches!(value, Value::String(_)),
            InputType::Integer => matches!(value, Value::Integer(_)),
            InputType::Number => matches!(value, Value::Integer(_) | Value::Real(_)),
            InputType::Boolean => matches!(value, Value::Bool(_)),
            InputType::List => matches!(value, Value::List(_)),
            InputType::Map => matches!(value, Value::Map(_)),
            InputType::Any => true,
        }
    }

    /// What does not fit of a value, in words that begin behind its name.
    pub(super) fn mismatch(self, value: &Value) -> Option<String> {
        (!self.holds(value)).then(|| format!("is {}, not {}", shown(value), self.with_article()))
    }

    fn with_article(self) -> &'static str {
        match self {
            InputType::String => "a string",
            InputType::Integer => "an integer",
            InputType::Number => "a number",
            InputType::Boolean => "a boolean",
            InputType::List => "a list",
            InputType::Map => "a map",
            InputType::Any => "any value",
        }
    }
}

impl Shape {
    /// What does not fit of a value, in words that begin behind its name; nothing if all does.
    pub(super) fn mismatch(&self, value: &Value) -> Option<String> {
        if let Some(mismatch) = self.input_type.mismatch(value) {
            return Some(mismatch);
        }
        if let Some(choices) = &self.choices
            && !choices.contains(value)
        {
            let names: Vec<String> = choices.iter().map(shown).collect();
            return Some(format!("is {}, not one of {}", shown(value), names.join(", ")));
        }
        self.size_mismatch(value).or_else(|| self.inner_mismatch(value))
    }

    fn size_mismatch(&self, value: &Value) -> Option<String> {
        let (size, unit) = match value {
            Value::Integer(_) | Value::Real(_) => (value.clone(), ""),
            Value::String(text) => (Value::from(text.chars().count()), " characters"),
            Value::List(items) => (Value::from(items.len()), " items"),
            Value::Map(entries) => (Value::from(entries.len()), " entries"),
            Value::Null | Value::Bool(_) => return None,
        };
        let verb = if unit.is_empty() { "is" } else { "has" };
        let compare = |bound: &Value| Some(compare_numbers(size.as_number()?, bound.as_number()?));
        if let Some(min) = self.min.as_ref().filter(|min| compare(min) == Some(Ordering::Less)) {
            return Some(format!("{verb} {size}{unit}, less than {min}"));
        }
        let max = self.max.as_ref().filter(|max| compare(max) == Some(Ordering::Greater))?;
        Some(format!("{verb} {size}{unit}, more than {max}"))
    }

    fn inner_mismatch(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => {
                let pattern = self.pattern.as_ref().filter(|pattern| !pattern.0.is_match(text))?;
                Some(format!("is {}, which does not match {}", shown(value), pattern.text()))
            }
            Value::List(items) => {
                let shape = self.items.as_ref()?;
                let first = items.iter().enumerate().find_map(|(index, item)| Some((index, shape.mismatch(item)?)));
                first.map(|(index, mismatch)| format!("does not fit: item {index} {mismatch}"))
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) | Value::Map(_) => None,
        }
    }
}

/// A value in a message: its JSON, cut.
fn shown(value: &Value) -> String {
    let json = value.to_json();
    if json.chars().count() <= 60 { json } else { json.chars().take(57).chain("...".chars()).collect() }
}

/// Why values are not the inputs of a workflow: everything that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputErrors {
    errors: Vec<InputError>,
}

/// What does not fit of one input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The definition has no such input.
    #[error("input {name:?} is not declared{}", hint(meant))]
    Undeclared {
        /// What was given.
        name: String,
        /// The input that was probably meant.
        meant: Option<String>,
    },
    /// The input has no default and was not given.
    #[error("input {name:?} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// The value is not what the definition declares.
    #[error("input {name:?} {mismatch}")]
    IllTyped {
        /// Its name.
        name: String,
        /// What does not fit, in words that begin behind the name.
        mismatch: String,
    },
}

fn hint(meant: &Option<String>) -> String {
    meant.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

impl InputErrors {
    /// What does not fit, by input.
    pub fn iter(&self) -> impl Iterator<Item = &InputError> {
        self.errors.iter()
    }
}

/// One line each.
impl fmt::Display for InputErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InputErrors {}

/// The given values with the defaults filled in.
pub(super) fn bind(inputs: &BTreeMap<String, Input>, given: Map) -> Result<Map, InputErrors> {
    let mut errors = Vec::new();
    let mut bound = Map::new();
    for (name, input) in inputs {
        match given.get(name).or(input.default.as_ref()) {
            Some(value) => {
                if let Some(mismatch) = input.mismatch(value) {
                    errors.push(InputError::IllTyped { name: name.clone(), mismatch });
                }
                bound.insert(name.clone(), value.clone());
            }
            None => errors.push(InputError::Missing { name: name.clone() }),
        }
    }
    errors.extend(given.keys().filter(|name| !inputs.contains_key(*name)).map(|name| undeclared(inputs, name)));
    if errors.is_empty() { Ok(bound) } else { Err(InputErrors { errors }) }
}

/// The value that text from a command line stands for, by the declared type: a string as it is, numbers and booleans
/// read, lists and maps as JSON, anything as JSON or else as text.
pub(super) fn parse(inputs: &BTreeMap<String, Input>, name: &str, text: &str) -> Result<Value, InputError> {
    let Some(input) = inputs.get(name) else {
        return Err(undeclared(inputs, name));
    };
    if input.secret {
        let value = Value::from(text);
        return match input.mismatch(&value) {
            None => Ok(value),
            Some(mismatch) => Err(InputError::IllTyped { name: name.to_owned(), mismatch }),
        };
    }
    let input_type = input.shape.input_type;
    let value = match input_type {
        InputType::String => Some(Value::from(text)),
        InputType::Any => Some(Value::from_json(text).unwrap_or_else(|_| Value::from(text))),
        InputType::Integer | InputType::Number | InputType::Boolean | InputType::List | InputType::Map => {
            Value::from_json(text).ok()
        }
    };
    let ill_typed = |mismatch| InputError::IllTyped { name: name.to_owned(), mismatch };
    let value = value
        .filter(|value| input_type.holds(value))
        .ok_or_else(|| ill_typed(format!("is {}, not {}", shown(&Value::from(text)), input_type.with_article())))?;
    match input.shape.mismatch(&value) {
        None => Ok(value),
        Some(mismatch) => Err(ill_typed(mismatch)),
    }
}

fn undeclared(inputs: &BTreeMap<String, Input>, name: &str) -> InputError {
    let meant = closest(name, inputs.keys().map(String::as_str)).map(str::to_owned);
    InputError::Undeclared { name: name.to_owned(), meant }
}
