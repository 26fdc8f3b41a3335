//! The only source of data decisions: whether a condition holds.
//!
//! The engine computes the answer from the data the activation sees. Deciding asks here and nowhere else, so that an
//! explorer of all possible courses can answer in the data's place, by a script.

use std::collections::BTreeMap;

use crate::event::SignalRecipient;
use crate::expression::Expression;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ArcIndex, TaskIndex};
use crate::machine::data::Surroundings;

/// Where an answer is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Site {
    /// `if:` of a stage.
    Gate(ActivationId),
    /// `if:` of a task.
    Task(ActivationId, TaskIndex),
    /// The condition of a branch; `None` is the end.
    Branch(ActivationId, Option<ArcIndex>),
    /// `correlate:` of who may take a signal.
    Correlate(SignalRecipient),
    /// `while:` or `until:` of a loop, asked before the turn of this number, from 0.
    Loop(ActivationId, u32),
    /// How many instances an activation has.
    Instances(ActivationId),
    /// `completion_condition` of an activation with instances.
    Completion(ActivationId),
    /// `close_when` of an activation with instances.
    Closing(ActivationId),
}

/// Answers from the data of the workflow, or from a script.
#[derive(Debug, Default)]
pub struct Answers {
    asked: u64,
    script: Option<Script>,
}

/// Answers in the order of the questions, for one decision.
#[derive(Debug, Default)]
struct Script {
    given: Vec<bool>,
    next: usize,
    /// Of each split: how many of its conditions were asked, and whether one of them holds.
    splits: BTreeMap<ActivationId, (usize, bool)>,
    correlated: Correlated,
    is_open: bool,
}

/// What conditions of correlated splits have been answered so far, by what they are about and their texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Correlated(BTreeMap<(String, String), bool>);

impl Correlated {
    /// States that differ in this go on differently.
    pub(crate) fn add_to(&self, key: &mut Vec<u8>) {
        for ((about, condition), holds) in &self.0 {
            for text in [about, condition] {
                key.extend(text.bytes());
                key.push(0);
            }
            key.push(u8::from(*holds));
        }
    }
}

impl Answers {
    /// Answers that are computed.
    pub fn computed() -> Answers {
        Answers::default()
    }

    /// Answers to the questions whose answer depends on data, in their order. A condition that names nothing is
    /// computed; where a split has no other way left, its last condition holds. When the script ends before the
    /// questions do, the decision [is open](Answers::is_open) and to be thrown away. Conditions of correlated splits
    /// that were answered before are answered alike, without the script.
    pub(crate) fn scripted(given: &[bool], correlated: &Correlated) -> Answers {
        let script = Script { given: given.to_vec(), correlated: correlated.clone(), ..Script::default() };
        Answers { asked: 0, script: Some(script) }
    }

    /// What is answered of correlated splits from now on.
    pub(crate) fn into_correlated(self) -> Correlated {
        self.script.map(|script| script.correlated).unwrap_or_default()
    }

    /// Has a question been asked that the script does not answer?
    pub(crate) fn is_open(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.is_open)
    }

    /// Questions answered so far.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// How many instances does `computed` say there are? A script gives one of `options`, by so many questions.
    pub(super) fn count(
        &mut self,
        _site: Site,
        options: &[u64],
        computed: impl FnOnce() -> Result<u64, Failure>,
    ) -> Result<u64, Failure> {
        self.asked += 1;
        let Some(script) = self.script.as_mut() else { return computed() };
        let Some((last, others)) = options.split_last() else { return computed() };
        Ok(*others.iter().find(|_| script.takes()).unwrap_or(last))
    }

    /// Does `condition` hold at `site`, given what is `seen` there?
    pub(super) fn holds(&mut self, site: Site, condition: &Expression, seen: &Surroundings) -> Result<bool, Failure> {
        self.asked += 1;
        if let Some(script) = self.script.as_mut() {
            if condition.references().is_empty() {
                let constant = evaluate(condition, seen);
                script.note(site, constant.as_ref().is_ok_and(|holds| *holds));
                return constant;
            }
            return Ok(script.holds(site, condition, seen));
        }
        evaluate(condition, seen)
    }
}

fn evaluate(condition: &Expression, seen: &Surroundings) -> Result<bool, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("condition `{}`: {error}", condition.text());
        Failure::new(ErrorCode::CONDITION_FAILED, ErrorClass::Permanent, message)
    };
    let scope = seen.scope(&condition.references()).map_err(|error| failed(&error.message()))?;
    condition.evaluate(&scope).map(|value| value.is_truthy()).map_err(|error| failed(&error))
}

/// Of a condition of a correlated split: whether it is negated, what it is about, and the text without negations.
fn correlation(site: Site, condition: &Expression, seen: &Surroundings) -> Option<(bool, (String, String))> {
    let Site::Branch(activation, _) = site else { return None };
    let about = seen.definition.graph().stage(activation.stage).split_correlation.clone()?;
    let (negated, text) = condition.without_negations();
    Some((negated, (about, text.to_owned())))
}

impl Script {
    /// Is the option taken that is offered now?
    fn takes(&mut self) -> bool {
        let given = self.given.get(self.next).copied();
        self.next += usize::from(given.is_some());
        self.is_open |= given.is_none();
        given.unwrap_or(false)
    }

    fn holds(&mut self, site: Site, condition: &Expression, seen: &Surroundings) -> bool {
        let (negated, known) = correlation(site, condition, seen).unzip();
        let before = known.as_ref().and_then(|known| self.correlated.0.get(known));
        let holds = if self.is_forced(site, seen) {
            true
        } else if let (Some(before), Some(negated)) = (before, negated) {
            *before != negated
        } else if let Some(given) = self.given.get(self.next) {
            self.next += 1;
            *given
        } else {
            self.is_open = true;
            false
        };
        if let (Some(known), Some(negated)) = (known, negated) {
            self.correlated.0.entry(known).or_insert(holds != negated);
        }
        self.note(site, holds);
        holds
    }

    fn note(&mut self, site: Site, holds: bool) {
        if let Site::Branch(activation, _) = site {
            let (asked, any) = self.splits.entry(activation).or_default();
            *asked += 1;
            *any |= holds;
        }
    }

    /// Is this the last way a split has left? That no condition holds is a mistake in data, which is not explored.
    fn is_forced(&self, site: Site, seen: &Surroundings) -> bool {
        let Site::Branch(activation, _) = site else { return false };
        let stage = seen.definition.graph().stage(activation.stage);
        let (asked, any) = self.splits.get(&activation).copied().unwrap_or_default();
        !any && stage.split.must_choose() && asked + 1 == stage.split.branches().len()
    }
}
