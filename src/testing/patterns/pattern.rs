//! What a pattern's module declares: a definition, scenarios that succeed, and what must be refused or never happen.

use crate::definition::{Definition, ProblemCode, Problems};
use crate::soundness::{CheckOptions, FindingCode};

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
    fault: Fault,
}

/// What is wrong with a definition.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It cannot be read: a problem with this code where the text begins like this.
    Problem(&'static str, &'static str),
    /// It can be read and is unsound: the check finds this of this stage.
    Unsound(FindingCode, &'static str),
}

/// How a pattern stands in a loop and in an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Its stages are the body.
    Body,
    /// It is a sub-workflow that the body calls, because of what it says.
    Call(&'static str),
    /// Its stages are the body of a loop; in instances it is called, because of what it shares with its whole workflow.
    CallByInstances(&'static str),
}

/// The name of a problem's code, as `ProblemCode` or in letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(&'static str);

impl From<ProblemCode> for Code {
    fn from(code: ProblemCode) -> Code {
        Code(code.name())
    }
}

impl From<&'static str> for Code {
    fn from(name: &'static str) -> Code {
        Code(name)
    }
}

/// How else than it should a definition is refused, or not refused.
#[derive(Clone, Debug)]
pub(super) enum Refused {
    /// It says something that is not supported yet.
    NotSupported(String),
    /// What is wrong instead.
    Otherwise(String),
}

impl Refused {
    pub(super) fn of(problems: &Problems) -> Refused {
        match problems.iter().find(|problem| problem.code() == ProblemCode::NotSupported) {
            Some(problem) => Refused::NotSupported(problem.message().to_owned()),
            None => Refused::Otherwise(problems.to_string()),
        }
    }
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
    pub fn refuses(mut self, net: Net, code: impl Into<Code>, at: &'static str) -> Pattern {
        self.refusals.push(Refusal { net, fault: Fault::Problem(code.into().0, at) });
        self
    }

    /// A definition that is refused when it is checked before its start, for a finding with this code about `stage`.
    #[must_use]
    pub fn unsound(mut self, net: Net, code: FindingCode, stage: &'static str) -> Pattern {
        self.refusals.push(Refusal { net, fault: Fault::Unsound(code, stage) });
        self
    }

    /// What it says may not stand in the body of a loop, and why: there, and in instances, it is a workflow of its own
    /// that the body calls.
    #[must_use]
    pub fn nested_by_call(mut self, why: &'static str) -> Pattern {
        self.nesting = Nesting::Call(why);
        self
    }

    /// What it says is about the whole workflow, and why: instances side by side are workflows of their own.
    #[must_use]
    pub fn called_by_instances(mut self, why: &'static str) -> Pattern {
        self.nesting = Nesting::CallByInstances(why);
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
    /// The code for which it is refused.
    pub(super) fn code(&self) -> &'static str {
        match self.fault {
            Fault::Problem(code, _) => code,
            Fault::Unsound(code, _) => code.name(),
        }
    }

    /// Is the definition refused, with this code at this place and a hint?
    pub(super) fn holds(&self, name: &str) -> Result<(), Refused> {
        match self.fault {
            Fault::Problem(code, at) => self.cannot_be_read(name, code, at),
            Fault::Unsound(code, stage) => self.is_unsound(name, code, stage),
        }
    }

    fn is_unsound(&self, name: &str, code: FindingCode, stage: &str) -> Result<(), Refused> {
        let definition = Definition::from_yaml(&self.net.text(name)).map_err(|problems| Refused::of(&problems))?;
        let verdict = definition.check(&CheckOptions::new());
        let mut found = verdict.findings().iter();
        if verdict.is_refused() && found.any(|finding| finding.code() == code && finding.stage() == Some(stage)) {
            return Ok(());
        }
        Err(Refused::Otherwise(format!(
            "no {} of {stage}, but {:?} {:?}",
            code.name(),
            verdict.outcome(),
            verdict.findings()
        )))
    }

    fn cannot_be_read(&self, name: &str, code: &str, at: &str) -> Result<(), Refused> {
        let text = self.net.text(name);
        let problems = match Definition::from_yaml(&text) {
            Ok(_) => return Err(Refused::Otherwise(format!("this is not refused {code}:\n{text}"))),
            Err(problems) => problems,
        };
        let is_there = problems.iter().any(|problem| {
            let place = problem.span().bytes().and_then(|bytes| text.get(bytes.start..));
            problem.code().name() == code
                && problem.help().is_some()
                && place.is_some_and(|place| place.starts_with(at))
        });
        if is_there {
            return Ok(());
        }
        match Refused::of(&problems) {
            Refused::Otherwise(_) => Err(Refused::Otherwise(format!("no {code} at {at:?}, but\n{problems}"))),
            unsupported => Err(unsupported),
        }
    }
}
