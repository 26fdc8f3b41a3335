//! The text of a pattern's definition: its stages and the lines above them, and the definitions that nest them.

use crate::value::{Map, Value};

/// Stages, and what the workflow says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    definitions: String,
    header: String,
    stages: String,
}

impl Net {
    /// The entries of `stages:`, as YAML at any common indentation.
    pub fn of(stages: &str) -> Net {
        Net { definitions: String::new(), header: String::new(), stages: dedent(stages) }
    }

    /// Further keys of the workflow, as YAML at any common indentation: `inputs:`, `regions:`, ...
    #[must_use]
    pub fn header(mut self, lines: &str) -> Net {
        self.header += &dedent(lines);
        self
    }

    /// A definition beside this one, which its stages call by this name.
    #[must_use]
    pub fn definition(mut self, name: &str, net: &Net) -> Net {
        self.definitions += &member(name, net);
        self
    }

    /// The definition of this name that these stages are.
    pub fn text(&self, name: &str) -> String {
        document(name, &self.definitions, &self.body())
    }

    /// The definition in which these stages are the body of a loop of three turns, before another stage.
    pub(super) fn looped(&self, name: &str, _inputs: &Map) -> String {
        let body = format!("loop:\n  while: loop.index < {TURNS}\n  stages:\n{}", indent(&self.stages, 4));
        document(&format!("{name}-loop"), &self.definitions, &(self.header.clone() + &stages(ROUNDS, &body)))
    }

    /// The definition in which these stages are what each of two instances does, before another stage.
    pub(super) fn in_instances(&self, name: &str, _inputs: &Map) -> String {
        let body = format!(
            "mi_config: {{ count: {INSTANCES} }}\nloop:\n  while: loop.index < 1\n  stages:\n{}",
            indent(&self.stages, 4)
        );
        document(&format!("{name}-instances"), &self.definitions, &(self.header.clone() + &stages(MANY, &body)))
    }

    /// The definition that calls this one with these inputs, before another stage.
    pub(super) fn called(&self, name: &str, inputs: &Map) -> String {
        self.calling(&format!("{name}-called"), &stages(CALL, &call(inputs)))
    }

    /// The definition that calls this one with these inputs in each of three turns of a loop.
    pub(super) fn called_in_loop(&self, name: &str, inputs: &Map) -> String {
        let call = indent(&call(inputs), 6);
        let body = format!("loop:\n  while: loop.index < {TURNS}\n  stages:\n    {CALL}:\n{call}");
        self.calling(&format!("{name}-loop"), &stages(ROUNDS, &body))
    }

    /// The definition in which each of two instances calls this one with these inputs.
    pub(super) fn called_by_instances(&self, name: &str, inputs: &Map) -> String {
        let body = format!("mi_config: {{ count: {INSTANCES} }}\n{}", call(inputs));
        self.calling(&format!("{name}-instances"), &stages(MANY, &body))
    }

    /// Header and stages.
    fn body(&self) -> String {
        format!("{}stages:\n{}", self.header, indent(&self.stages, 2))
    }

    fn calling(&self, name: &str, body: &str) -> String {
        document(name, &(self.definitions.clone() + &member(CALLED, self)), body)
    }
}

fn document(name: &str, definitions: &str, body: &str) -> String {
    let definitions =
        if definitions.is_empty() { String::new() } else { format!("definitions:\n{}", indent(definitions, 2)) };
    format!("name: {name}\n{definitions}{body}")
}

fn member(name: &str, net: &Net) -> String {
    format!("{name}:\n  name: {name}\n{}", indent(&net.body(), 2))
}

/// The stage that nests a pattern, and one behind it.
fn stages(name: &str, body: &str) -> String {
    format!("stages:\n  {name}:\n{}  {AFTER}: {{ needs: [{name}] }}\n", indent(body, 4))
}

fn call(inputs: &Map) -> String {
    let inputs = Value::Map(inputs.clone()).to_json();
    format!("sub_workflow: {{ definition: {CALLED}, input: {inputs} }}\n")
}

/// The stage that loops over a pattern.
pub(super) const ROUNDS: &str = "the-rounds";

/// The stage whose instances are a pattern.
pub(super) const MANY: &str = "the-instances";

/// The stage that calls a pattern.
const CALL: &str = "the-call";

/// The definition that it calls.
const CALLED: &str = "the-pattern";

/// The stage behind a nested pattern.
pub(super) const AFTER: &str = "the-end";

/// How often the loop goes round.
pub(super) const TURNS: usize = 3;

/// How many instances there are.
pub(super) const INSTANCES: usize = 2;

/// Without the indentation that all lines share, and without empty lines at both ends.
fn dedent(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let width = |line: &str| line.len() - line.trim_start().len();
    let common = lines().map(width).min().unwrap_or(0);
    lines().map(|line| format!("{}\n", line[common..].trim_end())).collect()
}

fn indent(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_called_pattern_stands_among_the_definitions() {
        let net = Net::of("a:").definition("other", &Net::of("z:"));
        let inputs = Map::from([("x".to_owned(), Value::from(1))]);
        let expected = "name: n-called\ndefinitions:\n  other:\n    name: other\n    stages:\n      z:\n  the-pattern:\n    \
                        name: the-pattern\n    stages:\n      a:\nstages:\n  the-call:\n    \
                        sub_workflow: { definition: the-pattern, input: {\"x\":1} }\n  the-end: { needs: [the-call] }\n";
        assert_eq!(net.called("n", &inputs), expected);
    }

    #[test]
    fn stages_are_moved_to_where_they_stand() {
        let net = Net::of("\n      a:\n      b: { needs: [a] }\n").header("  inputs:\n    x: 1\n");
        assert_eq!(net.text("n"), "name: n\ninputs:\n  x: 1\nstages:\n  a:\n  b: { needs: [a] }\n");
    }
}
