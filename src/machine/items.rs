//! What the instances of a stage are given: how many there are, and the item of each.
//!
//! Computed from what the activation sees and never stored: what lies behind an activation does not change any more.

use crate::definition::{Source, Template};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::value::{Map, Value};

use super::data::{Surroundings, template_failure};

/// What the instances of an activation are given, those that are added aside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Items {
    /// So many, each given nothing.
    Nothing(u64),
    /// One item each.
    List(Vec<Value>),
    /// One combination each, the last list varying fastest.
    Matrix(Vec<(String, Vec<Value>)>),
}

impl Items {
    /// Those that `source` says, as far as `seen` shows.
    ///
    /// # Errors
    ///
    /// If they cannot be computed, or are not what they should be.
    pub(super) fn of(source: &Source, seen: &Surroundings) -> Result<Items, Failure> {
        match source {
            Source::Fixed(count) => Ok(Items::Nothing(u64::from(*count))),
            Source::Count(key) => {
                let value = of_context(seen, "count_from_context", key)?;
                match value.as_integer().and_then(|count| u64::try_from(count).ok()) {
                    Some(count) => Ok(Items::Nothing(count)),
                    None => {
                        Err(invalid(format!("count_from_context: {key} is {}, not a number from 0 on", told(&value))))
                    }
                }
            }
            Source::Collection(key) => {
                list(&format!("collection_from_context: {key}"), of_context(seen, "collection_from_context", key)?)
                    .map(Items::List)
            }
            Source::ForEach(template) => rendered("for_each", template, seen).map(Items::List),
            Source::Matrix(axes) => {
                let axis = |(name, template): &(String, Template)| {
                    Ok((name.clone(), rendered(&format!("matrix.{name}"), template, seen)?))
                };
                axes.iter().map(axis).collect::<Result<_, Failure>>().map(Items::Matrix)
            }
        }
    }

    /// How many instances that makes.
    pub(super) fn count(&self) -> u64 {
        match self {
            Items::Nothing(count) => *count,
            Items::List(items) => items.len() as u64,
            Items::Matrix(axes) => {
                axes.iter().fold(1, |count: u64, (_, items)| count.saturating_mul(items.len() as u64))
            }
        }
    }

    /// What instance `index` is given; nothing if there is no such.
    pub(super) fn item(&self, index: u32) -> Option<Value> {
        match self {
            Items::Nothing(_) => None,
            Items::List(items) => items.get(index as usize).cloned(),
            Items::Matrix(_) => self.combination(index).map(Value::Map),
        }
    }

    /// The combination that instance `index` is given, if there are lists to combine.
    pub(super) fn combination(&self, index: u32) -> Option<Map> {
        let Items::Matrix(axes) = self else { return None };
        let mut rest = u64::from(index);
        if rest >= self.count() {
            return None;
        }
        let mut combination = Map::new();
        for (name, items) in axes.iter().rev() {
            let many = items.len() as u64;
            combination.insert(name.clone(), items[usize::try_from(rest % many).ok()?].clone());
            rest /= many;
        }
        Some(combination)
    }
}

fn of_context(seen: &Surroundings, field: &str, key: &str) -> Result<Value, Failure> {
    seen.lookup(key)?.filter(|value| !value.is_null()).ok_or_else(|| {
        let message = format!("{field}: the context has no {key}");
        Failure::new(ErrorCode::VALUE_MISSING, ErrorClass::Permanent, message)
    })
}

fn rendered(what: &str, template: &Template, seen: &Surroundings) -> Result<Vec<Value>, Failure> {
    let scope = seen.scope(&template.references())?;
    list(what, template.render(&scope).map_err(|error| template_failure(what, &error))?)
}

fn list(what: &str, value: Value) -> Result<Vec<Value>, Failure> {
    let invalid = || invalid(format!("{what} is {}, not a list", told(&value)));
    value.as_list().map(<[Value]>::to_vec).ok_or_else(invalid)
}

/// A value in a message: what kind it is, and short ones themselves.
fn told(value: &Value) -> String {
    let text = value.to_json();
    if text.len() <= 40 { text } else { format!("a {}", value.kind()) }
}

fn invalid(message: String) -> Failure {
    Failure::new(ErrorCode::CONFIGURATION_INVALID, ErrorClass::Permanent, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_list_of_a_matrix_varies_fastest() {
        let list = |items: [&str; 2]| items.map(Value::from).to_vec();
        let items =
            Items::Matrix(vec![("cc".to_owned(), list(["gcc", "clang"])), ("opt".to_owned(), list(["0", "2"]))]);
        let told: Vec<String> =
            (0..5).map(|index| items.item(index).map_or("-".to_owned(), |item| item.to_json())).collect();
        let expected = [
            r#"{"cc":"gcc","opt":"0"}"#,
            r#"{"cc":"gcc","opt":"2"}"#,
            r#"{"cc":"clang","opt":"0"}"#,
            r#"{"cc":"clang","opt":"2"}"#,
            "-",
        ];
        assert_eq!((items.count(), told), (4, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_matrix_with_an_empty_list_has_no_combination() {
        let items = Items::Matrix(vec![("a".to_owned(), vec![Value::Null]), ("b".to_owned(), Vec::new())]);
        assert_eq!((items.count(), items.item(0)), (0, None));
    }
}
