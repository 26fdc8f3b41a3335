//! Small definitions that tests share, one for each shape of control flow.

use crate::definition::{Definition, SignalLimits, Soundness};
use crate::value::Value;

/// The definition that this YAML is.
///
/// # Panics
///
/// If something is wrong with it; the message is all that is.
pub fn yaml(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// One stage `a` with these further keys: `stage("on_failure: stop")`.
///
/// # Panics
///
/// If something is wrong with them.
pub fn stage(keys: &str) -> Definition {
    yaml(&format!("{{ name: x, stages: {{ a: {{ {keys} }} }} }}"))
}

/// `a`, then `b`, then `c`.
pub fn sequence() -> Definition {
    yaml("{ name: sequence, stages: { a: , b: { needs: [a] }, c: { needs: [b] } } }")
}

/// `a`, then `b`, `c` and `e` at the same time, then `d`.
pub fn parallel() -> Definition {
    yaml(
        "{ name: parallel, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, e: { needs: [a] }, d: { needs: [b, c, e] } } }",
    )
}

/// `a`, then by the input `x` either `b`, `b2` (it is 1), or `c`, `c2` (it is greater), or `e`; then `m`.
pub fn exclusive() -> Definition {
    yaml(
        "
name: exclusive
inputs: { x: { type: integer, default: 1 } }
stages:
  a: { split_type: XOR, split_conditions: { b: inputs.x == 1, c: inputs.x > 0 }, split_default: e }
  b: { needs: [a] }
  b2: { needs: [b] }
  c: { needs: [a] }
  c2: { needs: [c] }
  e: { needs: [a] }
  m: { needs: [b2, c2, e], join_type: XOR }
",
    )
}

/// `a`, then `b` or `c`, and `d` that waits for both.
pub fn starved_join() -> Definition {
    yaml(
        "
name: starved
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c] }
",
    )
}

/// `width` stages `s0`, `s1`, .. between `a` and `z`.
pub fn fan_out(width: usize) -> Definition {
    let mut text = "name: fan\nstages:\n  a:\n".to_owned();
    let names: Vec<String> = (0..width).map(|index| format!("s{index}")).collect();
    for name in &names {
        text += &format!("  {name}: {{ needs: [a] }}\n");
    }
    yaml(&(text + &format!("  z: {{ needs: [{}] }}\n", names.join(", "))))
}

/// `length` stages `s0`, `s1`, .., each after the one before.
pub fn chain(length: usize) -> Definition {
    let mut text = "name: chain\nstages:\n  s0:\n".to_owned();
    for index in 1..length {
        text += &format!("  s{index}: {{ needs: [s{}] }}\n", index - 1);
    }
    yaml(&text)
}

/// The same definition as it would be if nobody was to check it before workflows begin.
///
/// # Panics
///
/// Never: a normal form can be read again.
pub fn unchecked(definition: &Definition) -> Definition {
    let Ok(Value::Map(mut normal)) = Value::from_json(&definition.to_json()) else { panic!("a normal form is a map") };
    normal.insert("soundness".to_owned(), Value::from(Soundness::Off.name()));
    Definition::from_normal(&Value::Map(normal).to_json()).unwrap_or_else(|error| panic!("{error}"))
}

/// The same definition as it was registered under other limits: `with_limits(&definition, &[("tokens_max", 3)])`.
///
/// # Panics
///
/// If there is no limit of such a name.
pub fn with_limits(definition: &Definition, limits: &[(&str, u64)]) -> Definition {
    let mut normal = Value::from_json(&definition.to_json()).expect("a normal form is JSON");
    let Value::Map(fields) = &mut normal else { panic!("a normal form is a map") };
    let Some(Value::Map(written)) = fields.get_mut("limits") else { panic!("a normal form has limits") };
    for (name, limit) in limits {
        let replaced = written.insert((*name).to_owned(), Value::from(*limit));
        assert!(replaced.is_some() || SignalLimits::NAMES.contains(name), "there is no limit {name}");
    }
    Definition::from_normal(&normal.to_json()).unwrap_or_else(|error| panic!("{error}"))
}
