//! What a pattern's module declares: a definition, scenarios that succeed, and what must be refused or never happen.

use crate::definition::{Definition, ProblemCode};

use super::names::NAMES;
use super::net::Net;
use super::scenario::Scenario;

/// A pattern with everything that is to be shown of it.
#[derive(Clone)]
pub struct Pattern {
    number: usize,
    net: Net,
    pub(super) positive: Vec<Scenario>,
    pub(super) negative: Vec<Scenario>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) nesting: Nesting,
}

/// A definition that is refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) net: Net,
    pub(super) code: ProblemCode,
    pub(super) at: &'static str,
}

/// How a pattern stands in a loop and in an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Its stages are the body.
    Body,
    /// It is a sub-workflow that the body calls, because of what it says.
    Call(&'static str),
}

impl Pattern {
    /// The pattern of this number, 1 to 43, shown by these stages.
    ///
    /// # Panics
    ///
    /// If there is no such pattern.
    pub fn of(number: usize, net: Net) -> Pattern {
        assert!((1..=NAMES.len()).contains(&number), "there is no pattern {number}");
        let (positive, negative, refusals) = (Vec::new(), Vec::new(), Vec::new());
        Pattern { number, net, positive, negative, refusals, nesting: Nesting::Body }
    }

    /// What the pattern does; every order that the scenario leaves open is tried.
    #[must_use]
    pub fn positive(mut self, scenario: Scenario) -> Pattern {
        self.positive.push(scenario);
        self
    }

    /// What must not come of it, shown by what happens instead.
    #[must_use]
    pub fn negative(mut self, scenario: Scenario) -> Pattern {
        self.negative.push(scenario);
        self
    }

    /// A definition that is refused with this code; `at` begins the text at the place of the problem.
    #[must_use]
    pub fn refuses(mut self, net: Net, code: ProblemCode, at: &'static str) -> Pattern {
        self.refusals.push(Refusal { net, code, at });
        self
    }

    /// What it says may not stand in the body of a loop, and why: there, and in instances, it is a workflow of its own
    /// that the body calls.
    #[must_use]
    pub fn nested_by_call(mut self, why: &'static str) -> Pattern {
        self.nesting = Nesting::Call(why);
        self
    }

    /// Its number.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        NAMES[self.number - 1]
    }

    /// The text of its definition.
    pub fn text(&self) -> String {
        self.net.text(&self.workflow_name())
    }

    /// The definition of `scenario`, in the text of which others nest it.
    pub(super) fn net_of<'s>(&'s self, scenario: &'s Scenario) -> &'s Net {
        scenario.net.as_ref().unwrap_or(&self.net)
    }

    pub(super) fn workflow_name(&self) -> String {
        format!("wcp-{:02}", self.number)
    }
}

impl Refusal {
    /// Is the definition refused, with this code at this place and a hint?
    pub(super) fn holds(&self, name: &str) -> Result<(), String> {
        let text = self.net.text(name);
        let problems = match Definition::from_yaml(&text) {
            Ok(_) => return Err(format!("this is not refused {}:\n{text}", self.code)),
            Err(problems) => problems,
        };
        let is_there = problems.iter().any(|problem| {
            let place = problem.span().bytes().and_then(|bytes| text.get(bytes.start..));
            problem.code() == self.code
                && problem.help().is_some()
                && place.is_some_and(|place| place.starts_with(self.at))
        });
        if is_there { Ok(()) } else { Err(format!("no {} at {:?}, but\n{problems}", self.code, self.at)) }
    }
}
