//! The text of a pattern's definition: its stages and the lines above them, and the definitions that nest them.

/// Stages, and what the workflow says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    header: String,
    stages: String,
}

impl Net {
    /// The entries of `stages:`, as YAML at any common indentation.
    pub fn of(stages: &str) -> Net {
        Net { header: String::new(), stages: dedent(stages) }
    }

    /// Further keys of the workflow, as YAML at any common indentation: `inputs:`, `regions:`, ...
    #[must_use]
    pub fn header(mut self, lines: &str) -> Net {
        self.header += &dedent(lines);
        self
    }

    /// The definition of this name that these stages are.
    pub fn text(&self, name: &str) -> String {
        format!("name: {name}\n{}stages:\n{}", self.header, indent(&self.stages, 2))
    }

    /// The definition in which these stages are the body of a loop of three turns, before another stage.
    pub(super) fn looped(&self, name: &str) -> String {
        let body = indent(&self.stages, 8);
        format!(
            "name: {name}-loop\n{}stages:\n  {ROUNDS}:\n    loop:\n      while: loop.index < {TURNS}\n      \
             stages:\n{body}  {AFTER}: {{ needs: [{ROUNDS}] }}\n",
            self.header
        )
    }

    /// The definition in which these stages are what each of two instances does, before another stage.
    pub(super) fn in_instances(&self, name: &str) -> String {
        let body = indent(&self.stages, 8);
        format!(
            "name: {name}-instances\n{}stages:\n  {MANY}:\n    mi_config: {{ count: {INSTANCES} }}\n    loop:\n      \
             while: loop.index < 1\n      stages:\n{body}  {AFTER}: {{ needs: [{MANY}] }}\n",
            self.header
        )
    }
}

/// The stage that loops over a pattern.
pub(super) const ROUNDS: &str = "the-rounds";

/// The stage whose instances are a pattern.
pub(super) const MANY: &str = "the-instances";

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
    fn stages_are_moved_to_where_they_stand() {
        let net = Net::of("\n      a:\n      b: { needs: [a] }\n").header("  inputs:\n    x: 1\n");
        assert_eq!(net.text("n"), "name: n\ninputs:\n  x: 1\nstages:\n  a:\n  b: { needs: [a] }\n");
    }
}
