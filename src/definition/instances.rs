//! Several instances of one stage (`mi_config`, `for_each`, `matrix`): how many there are, what each is given, and when
//! control goes on from them.
//!
//! Plain data of the graph. How instances begin and end is the machine's.

use crate::expression::Expression;
use crate::ids::StageIndex;
use crate::limits::INSTANCES_MAX;
use crate::time::Duration;

use super::template::Template;

/// What a stage with several instances says of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Instances {
    /// How many there are, and what each is given.
    pub(crate) source: Source,
    /// Whether the next one begins only when the one before it is over.
    pub(crate) sequential: bool,
    /// When control goes on.
    pub(crate) completion: Completion,
    /// What becomes of those that have not ended then.
    pub(crate) rest: Remaining,
    /// Where tokens come from: from the activation, or from each of its instances.
    pub(crate) emission: Emission,
    /// Whether more may come while they run.
    pub(crate) growth: Option<Growth>,
    /// `cancel_mi_on`: what cancels the activation with those that have not ended.
    pub(crate) cancel_on: Outside,
    /// `complete_mi_on`: what lets control go on without those that have not ended.
    pub(crate) complete_on: Outside,
    /// At least so many; with fewer a stage that does not grow fails, and one that grows waits for more.
    pub(crate) min: u32,
    /// At most so many.
    pub(crate) max: u32,
}

/// Where the number of instances comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// `count`: so many, given nothing.
    Fixed(u32),
    /// `count_from_context`: as many as this key says, given nothing.
    Count(String),
    /// `collection_from_context`: one for each item of the list under this key.
    Collection(String),
    /// `for_each`: one for each item of this list.
    ForEach(Template),
    /// `matrix`: one for each combination of items of these lists, the last one varying fastest. In byte order of the
    /// names.
    Matrix(Vec<(String, Template)>),
}

/// When control goes on from a stage with several instances.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Completion {
    /// When all are done.
    All,
    /// When so many are done.
    Threshold(u32),
    /// When this holds, which is asked after each that ends; at the latest when all have ended.
    Condition(Expression),
    /// As soon as all have begun: nobody waits for them.
    Started,
}

/// What becomes of instances that have not ended when control goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remaining {
    /// They run on, and what they give concerns nobody.
    RunsOn,
    /// They are canceled.
    Canceled,
}

/// Where the tokens of a stage with several instances come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emission {
    /// From the activation, when control goes on from it.
    Once,
    /// From each instance, when it has ended.
    PerInstance,
}

impl Emission {
    /// Every one there is.
    pub(super) const ALL: [Emission; 2] = [Emission::Once, Emission::PerInstance];

    /// The word as definitions write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Emission::Once => "once",
            Emission::PerInstance => "per_instance",
        }
    }
}

/// How an activation ends whose instances end from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Withdrawal {
    /// It is canceled with those that have not ended.
    Cancel,
    /// Control goes on without those that have not ended.
    Complete,
}

impl Withdrawal {
    /// Both.
    pub(crate) const ALL: [Withdrawal; 2] = [Withdrawal::Cancel, Withdrawal::Complete];

    /// What happens when the stage itself says so.
    pub(super) fn key(self) -> &'static str {
        match self {
            Withdrawal::Cancel => "cancel_mi_on",
            Withdrawal::Complete => "complete_mi_on",
        }
    }

    /// What it is among the `cancels` of another stage.
    pub(super) fn target(self) -> &'static str {
        match self {
            Withdrawal::Cancel => "mi",
            Withdrawal::Complete => "complete_mi",
        }
    }
}

/// What ends the instances of an activation from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    /// A signal of one of these names has come.
    pub(crate) signals: Vec<String>,
    /// It has had instances for this long; never zero.
    pub(crate) timer: Option<Duration>,
    /// An activation of one of these stages has succeeded.
    pub(crate) completed: Vec<StageIndex>,
}

/// How more instances come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Growth {
    /// No more may come once a signal of this name has come. Until then more are waited for, even if all have ended.
    pub(crate) close_on: Option<String>,
    /// No more may come once this holds, which is asked after each that ends and each that is added.
    pub(crate) close_when: Option<Expression>,
}

impl Instances {
    /// One instance for each of what `source` says, all at once, and control goes on when all are done.
    pub(super) fn of(source: Source) -> Instances {
        Instances {
            source,
            sequential: false,
            completion: Completion::All,
            rest: Remaining::RunsOn,
            emission: Emission::Once,
            growth: None,
            cancel_on: Outside::default(),
            complete_on: Outside::default(),
            min: 0,
            max: INSTANCES_MAX,
        }
    }

    /// Must all instances of an activation have ended before the stage can be entered again?
    pub(crate) fn are_drained(&self) -> bool {
        self.rest == Remaining::RunsOn && matches!(self.completion, Completion::Threshold(_) | Completion::Condition(_))
    }

    /// What ends them so from outside.
    pub(crate) fn outside(&self, withdrawal: Withdrawal) -> &Outside {
        match withdrawal {
            Withdrawal::Cancel => &self.cancel_on,
            Withdrawal::Complete => &self.complete_on,
        }
    }

    /// The success of this stage ends them so.
    pub(super) fn add_outside(&mut self, withdrawal: Withdrawal, by: StageIndex) {
        match withdrawal {
            Withdrawal::Cancel => self.cancel_on.completed.push(by),
            Withdrawal::Complete => self.complete_on.completed.push(by),
        }
    }

    /// What a signal of this name does, if anything: it ends them so, or closes the activation (`None`).
    pub(crate) fn on_signal(&self, name: &str) -> Option<Option<Withdrawal>> {
        let told = |withdrawal: &Withdrawal| self.outside(*withdrawal).signals.iter().any(|known| known == name);
        match Withdrawal::ALL.into_iter().find(told) {
            Some(withdrawal) => Some(Some(withdrawal)),
            None => (self.growth.as_ref()?.close_on.as_deref() == Some(name)).then_some(None),
        }
    }

    /// The signals that something here waits for, ascending.
    pub(crate) fn signals(&self) -> Vec<String> {
        let ends = Withdrawal::ALL.into_iter().flat_map(|withdrawal| &self.outside(withdrawal).signals);
        let closes = self.growth.iter().filter_map(|growth| growth.close_on.as_ref());
        let mut signals: Vec<String> = ends.chain(closes).cloned().collect();
        signals.sort_unstable();
        signals.dedup();
        signals
    }

    /// The names that `matrix` gives each instance.
    pub(crate) fn axes(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.source {
            Source::Matrix(axes) => Some(axes.iter().map(|(name, _)| name.as_str())),
            Source::Fixed(_) | Source::Count(_) | Source::Collection(_) | Source::ForEach(_) => None,
        }
    }
}
