//! All orders a plan leaves open, one after the other; where there are too many, a sample drawn by a seed.

use crate::ids::WorkflowId;
use crate::testing::dice::Dice;
use crate::testing::happening::Happening;

use super::scenario::Step;
use super::world::{Breach, Place, World};

/// How many interleavings are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// All of them, if they are no more than this; else so many are drawn.
    pub(super) most: u64,
    /// What is drawn depends on it.
    pub(super) seed: u64,
}

/// How many interleavings were tried, and whether they were all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) interleavings: u64,
    pub(super) drawn: u64,
}

/// What is done with a world in which everything has happened.
pub(super) type Visit<'v> = &'v mut dyn FnMut(World) -> Result<(), Breach>;

/// Takes `world` through `plan` in every order that it leaves open.
///
/// # Errors
///
/// The first thing that is not as the plan says.
pub(super) fn explore(world: &World, plan: &[Step], bounds: Bounds, visit: Visit<'_>) -> Result<Seen, Breach> {
    let mut left = bounds.most;
    let mut complete = true;
    walk(world.clone(), plan.to_vec(), &mut left, &mut complete, visit)?;
    if complete {
        return Ok(Seen { interleavings: bounds.most - left, drawn: 0 });
    }
    let mut dice = Dice::new(bounds.seed);
    for _ in 0..bounds.most {
        visit(wander(world.clone(), plan.to_vec(), &mut dice)?)?;
    }
    Ok(Seen { interleavings: 0, drawn: bounds.most })
}

/// One order, drawn.
fn wander(mut world: World, mut plan: Vec<Step>, dice: &mut Dice) -> Result<World, Breach> {
    loop {
        let mut moves = next(&plan, &world, &Place::frame(0))?;
        if moves.is_empty() {
            return Ok(world);
        }
        let (deed, rest) = moves.swap_remove(dice.below(moves.len() as u64) as usize);
        deed.done(&mut world)?;
        plan = rest;
    }
}

/// The orders of a plan depth first, until none is left to be tried.
fn walk(
    mut world: World,
    mut plan: Vec<Step>,
    left: &mut u64,
    complete: &mut bool,
    visit: Visit<'_>,
) -> Result<(), Breach> {
    loop {
        let mut moves = next(&plan, &world, &Place::frame(0))?;
        let Some((deed, rest)) = moves.pop() else {
            if *left == 0 {
                *complete = false;
                return Ok(());
            }
            *left -= 1;
            return visit(world);
        };
        for (deed, rest) in moves {
            if !*complete {
                return Ok(());
            }
            let mut other = world.clone();
            deed.done(&mut other)?;
            walk(other, rest, left, complete, visit)?;
        }
        deed.done(&mut world)?;
        plan = rest;
    }
}

/// One thing done at a place.
#[derive(Clone, Debug)]
enum Deed {
    Do(Place, Step),
    Complete(WorkflowId, Happening),
}

impl Deed {
    fn done(&self, world: &mut World) -> Result<(), Breach> {
        match self {
            Deed::Complete(workflow, happening) => world.apply(*workflow, happening),
            Deed::Do(place, step) => match step {
                Step::Happen(happening) => world.happen(place, happening),
                Step::Refused(happening, code) => world.refused(place, happening, code),
                Step::Pass(length) => world.pass(length),
                Step::Check(test) => world.check(place, test),
                Step::AnyOrder(_) | Step::Rest | Step::In(..) | Step::Called(..) => Ok(()),
            },
        }
    }
}

/// Everything that can be done next, each with what is left to be done then.
fn next(plan: &[Step], world: &World, place: &Place) -> Result<Vec<(Deed, Vec<Step>)>, Breach> {
    let Some((first, rest)) = plan.split_first() else { return Ok(Vec::new()) };
    let before = |step: Step| -> Vec<Step> { [step].into_iter().chain(rest.iter().cloned()).collect() };
    match first {
        Step::Happen(_) | Step::Refused(..) | Step::Pass(_) | Step::Check(_) => {
            Ok(vec![(Deed::Do(place.clone(), first.clone()), rest.to_vec())])
        }
        Step::Rest => {
            let open = world.open(place)?;
            if open.is_empty() {
                return next(rest, world, place);
            }
            let complete = |(workflow, happening)| (Deed::Complete(workflow, happening), before(Step::Rest));
            Ok(open.into_iter().map(complete).collect())
        }
        Step::In(frame, steps) => {
            let moves = next(steps, world, &Place::frame(*frame))?;
            if moves.is_empty() {
                return next(rest, world, place);
            }
            Ok(moves.into_iter().map(|(deed, steps)| (deed, before(Step::In(*frame, steps)))).collect())
        }
        Step::Called(stage, steps) => {
            let moves = next(steps, world, &place.called(stage))?;
            if moves.is_empty() {
                return next(rest, world, place);
            }
            Ok(moves.into_iter().map(|(deed, steps)| (deed, before(Step::Called(stage.clone(), steps)))).collect())
        }
        Step::AnyOrder(chains) => {
            let mut found = Vec::new();
            for (index, chain) in chains.iter().enumerate() {
                for (deed, remaining) in next(chain, world, place)? {
                    let mut chains = chains.clone();
                    chains[index] = remaining;
                    let after = before(Step::AnyOrder(chains));
                    // What is looked at belongs to what was done before it; nothing comes between.
                    if matches!(deed, Deed::Do(_, Step::Check(_) | Step::Refused(..))) {
                        return Ok(vec![(deed, after)]);
                    }
                    found.push((deed, after));
                }
            }
            if found.is_empty() { next(rest, world, place) } else { Ok(found) }
        }
    }
}

/// The order in which the first of what can be done is always done.
///
/// # Errors
///
/// The first thing that is not as the plan says.
pub(super) fn first(mut world: World, mut plan: Vec<Step>) -> Result<World, Breach> {
    loop {
        let Some((deed, rest)) = next(&plan, &world, &Place::frame(0))?.into_iter().next() else { return Ok(world) };
        deed.done(&mut world)?;
        plan = rest;
    }
}
