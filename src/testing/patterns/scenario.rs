//! What happens in a scenario and what must be true of it: a plan that leaves open what the environment may order.

use std::fmt;
use std::sync::Arc;

use crate::status::Status;
use crate::testing::happening::{self, Happening};
use crate::value::{Map, Value};

use super::expect::Expected;
use super::net::Net;
use super::view::View;

/// Looks at a workflow; the text of the error says what is not as it should be.
pub(super) type Test = Arc<dyn Fn(&View<'_>) -> Result<(), String> + Send + Sync>;

/// A part of a plan.
#[derive(Clone)]
pub(super) enum Step {
    /// This happens and is accepted.
    Happen(Happening),
    /// This is tried and refused with the code, and changes nothing.
    Refused(Happening, &'static str),
    /// Time passes; timers that come due on the way fire.
    Pass(String),
    /// This is true now.
    Check(Test),
    /// Each of these goes on in its order, and all of them in any.
    AnyOrder(Vec<Vec<Step>>),
    /// Whatever is open succeeds, in any order, until nothing is.
    Rest,
    /// These happen where this frame is.
    In(usize, Vec<Step>),
    /// These happen in the workflow that this stage called.
    Called(String, Vec<Step>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Happen(happening) => write!(f, "{happening:?}"),
            Step::Refused(happening, code) => write!(f, "{happening:?} refused {code}"),
            Step::Pass(length) => write!(f, "{length} pass"),
            Step::Check(_) => f.write_str("check"),
            Step::AnyOrder(chains) => write!(f, "in any order {chains:?}"),
            Step::Rest => f.write_str("the rest"),
            Step::In(frame, steps) => write!(f, "in {frame} {steps:?}"),
            Step::Called(stage, steps) => write!(f, "called by {stage} {steps:?}"),
        }
    }
}

/// A sequence of steps, to be one of several in [`Chain::any_order`].
#[derive(Clone, Debug, Default)]
pub struct Chain {
    pub(super) steps: Vec<Step>,
}

/// A chain that begins with nothing.
pub fn chain() -> Chain {
    Chain::default()
}

impl From<Happening> for Chain {
    fn from(happening: Happening) -> Chain {
        chain().then(happening)
    }
}

impl<const N: usize> From<[Happening; N]> for Chain {
    fn from(happenings: [Happening; N]) -> Chain {
        happenings.into_iter().fold(chain(), Chain::then)
    }
}

impl Chain {
    fn step(mut self, step: Step) -> Chain {
        self.steps.push(step);
        self
    }

    /// This happens, and is accepted. Names are those of the pattern's own stages, wherever it is nested: `b` is the
    /// oldest live activation of `b` there, `b#2` its second one there.
    pub fn then(self, happening: Happening) -> Chain {
        self.step(Step::Happen(happening))
    }

    /// The work of this name succeeds.
    pub fn complete(self, work: &str) -> Chain {
        self.then(happening::complete(work))
    }

    /// This is tried, refused with this code of a rejection, and changes nothing.
    pub fn refused(self, happening: Happening, code: &'static str) -> Chain {
        self.step(Step::Refused(happening, code))
    }

    /// Time passes, written as in a definition: `30d`. What comes due on the way fires at its moment.
    pub fn pass(self, length: &str) -> Chain {
        self.step(Step::Pass(length.to_owned()))
    }

    /// All of these, each in its own order, and among each other in every order there is.
    pub fn any_order<C: Into<Chain>>(self, chains: impl IntoIterator<Item = C>) -> Chain {
        self.step(Step::AnyOrder(chains.into_iter().map(|chain| chain.into().steps).collect()))
    }

    /// Whatever is open succeeds, in every order there is, until nothing is open.
    pub fn rest(self) -> Chain {
        self.step(Step::Rest)
    }

    /// All this happens in the workflow that the newest activation of this stage called, by the names of its stages.
    pub fn called(self, stage: &str, chain: impl Into<Chain>) -> Chain {
        self.step(Step::Called(stage.to_owned(), chain.into().steps))
    }

    /// This is true now; the error of `test` says what is not.
    pub fn check(self, test: impl Fn(&View<'_>) -> Result<(), String> + Send + Sync + 'static) -> Chain {
        self.step(Step::Check(Arc::new(test)))
    }

    /// So many activations of the stage live now, started or ready.
    pub fn live(self, stage: &str, count: usize) -> Chain {
        let stage = stage.to_owned();
        self.check(move |view| view.expect_live(&stage, count))
    }

    /// So many instances of the stage live now: activations inside an activation of it.
    pub fn instances(self, stage: &str, count: usize) -> Chain {
        let stage = stage.to_owned();
        self.check(move |view| view.expect_instances(&stage, count))
    }

    /// So many activations of the stage have started by now.
    pub fn started(self, stage: &str, count: usize) -> Chain {
        let stage = stage.to_owned();
        self.check(move |view| view.expect_runs(&stage, count))
    }

    /// The newest activation of the stage has ended so by now.
    pub fn ended(self, stage: &str, status: Status) -> Chain {
        let stage = stage.to_owned();
        self.check(move |view| view.expect_ended(&stage, status))
    }

    /// The workflow is in this status now. Where the pattern is nested in a loop or an instance: RUNNING, something of
    /// it lives; any other, nothing does.
    pub fn status(self, status: Status) -> Chain {
        self.check(move |view| view.expect_status(status))
    }

    /// So many events of this line of [`notation`](crate::testing::notation) have happened by now; numbers of
    /// activations are left out of both.
    pub fn sees(self, line: &str, count: usize) -> Chain {
        let line = line.to_owned();
        self.check(move |view| view.expect_lines(&line, count))
    }
}

/// One course of events, with all the orders it leaves open, and what must come of it.
#[derive(Clone)]
pub struct Scenario {
    pub(super) name: String,
    pub(super) net: Option<Net>,
    pub(super) inputs: Map,
    pub(super) steps: Vec<Step>,
    pub(super) always: Vec<Test>,
    pub(super) expected: Expected,
    pub(super) nested: Nested,
}

/// How a scenario can be nested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    /// As every round and every instance.
    Everywhere,
    /// As the last round or instance: with it the whole workflow ends.
    Last,
    /// Not at all, and why.
    Nowhere(&'static str),
}

/// A scenario of this name in which all that happens is still to be said.
pub fn scenario(name: &str, chain: Chain) -> Scenario {
    Scenario {
        name: name.to_owned(),
        net: None,
        inputs: Map::new(),
        steps: chain.steps,
        always: Vec::new(),
        expected: Expected::default(),
        nested: Nested::Everywhere,
    }
}

impl Scenario {
    /// It is about these stages, not the pattern's.
    #[must_use]
    pub fn of(mut self, net: &Net) -> Scenario {
        self.net = Some(net.clone());
        self
    }

    /// The workflow is created with this input.
    #[must_use]
    pub fn input(mut self, key: &str, value: impl Into<Value>) -> Scenario {
        self.inputs.insert(key.to_owned(), value.into());
        self
    }

    /// This is true after every batch.
    #[must_use]
    pub fn always(mut self, test: impl Fn(&View<'_>) -> Result<(), String> + Send + Sync + 'static) -> Scenario {
        self.always.push(Arc::new(test));
        self
    }

    /// No more than so many activations of the stage ever live at once.
    #[must_use]
    pub fn at_most_live(self, stage: &str, count: usize) -> Scenario {
        let stage = stage.to_owned();
        self.always(move |view| match view.live(&stage)? {
            live if live > count => Err(format!("{live} activations of {stage} live, at most {count} may")),
            _ => Ok(()),
        })
    }

    /// At the end the workflow is in this status. Unless it is RUNNING, nothing is outstanding then, and whatever is
    /// tried is refused. Every scenario says it.
    #[must_use]
    pub fn ends(mut self, status: Status) -> Scenario {
        self.expected.status = Some(status);
        self
    }

    /// At the end so many activations of each stage have started: `a 1, b 0`. Every scenario says it of every stage.
    ///
    /// # Panics
    ///
    /// If it is not written so.
    #[must_use]
    pub fn runs(mut self, runs: &str) -> Scenario {
        self.expected.read_runs(runs);
        self
    }

    /// The newest activation of each stage has ended so: `b CANCELED, c SUCCEEDED`.
    ///
    /// # Panics
    ///
    /// If it is not written so.
    #[must_use]
    pub fn outcomes(mut self, outcomes: &str) -> Scenario {
        self.expected.read_outcomes(outcomes);
        self
    }

    /// The first activation of one stage has ended before the first of another started: `a<b, a<c`.
    ///
    /// # Panics
    ///
    /// If it is not written so.
    #[must_use]
    pub fn order(mut self, order: &str) -> Scenario {
        self.expected.read_order(order);
        self
    }

    /// At the end so many events of this line have happened, as [`Chain::sees`] counts.
    #[must_use]
    pub fn sees(mut self, line: &str, count: usize) -> Scenario {
        self.expected.lines.push((line.to_owned(), count));
        self
    }

    /// This is true at the end.
    #[must_use]
    pub fn finally(mut self, test: impl Fn(&View<'_>) -> Result<(), String> + Send + Sync + 'static) -> Scenario {
        self.expected.tests.push(Arc::new(test));
        self
    }

    /// It is not nested in loops and other workflows, and why: what it asserts belongs to a whole workflow.
    #[must_use]
    pub fn alone(mut self, why: &'static str) -> Scenario {
        self.nested = Nested::Nowhere(why);
        self
    }

    /// What happens here ends the whole workflow in the scenario's status, wherever it is nested: it is the last round
    /// or instance after others that succeed, and what stands behind never starts.
    #[must_use]
    pub fn ends_everything(mut self) -> Scenario {
        self.nested = Nested::Last;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Can it be one round of a loop, one instance of several?
    pub(super) fn nests(&self) -> bool {
        self.nested == Nested::Everywhere && self.expected.status == Some(Status::Succeeded)
    }
}
