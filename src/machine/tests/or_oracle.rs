//! In nets that are sound because they are composed so, an OR-join starts neither early nor late: once for each time
//! its split did, with a token of every branch that was taken, in loops and beside each other. None of them deadlocks.

use proptest::prelude::*;

use crate::definition::{Definition, Split};
use crate::event::{Consumed, Emitted, Event};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::happening::complete;

/// Numbers that decide what a net is like and how it moves; 0 when none is left.
struct Draws<'d>(std::slice::Iter<'d, u8>);

impl Draws<'_> {
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % end
    }
}

/// A net with one entry and one exit, made of such nets.
struct Net<'d> {
    draws: Draws<'d>,
    stages: Vec<String>,
    /// The splits, each with its join.
    blocks: Vec<(String, String)>,
}

impl Net<'_> {
    /// A stage behind these, with this besides.
    fn stage(&mut self, needs: &[String], more: &str) -> String {
        let name = format!("s{}", self.stages.len());
        self.stages.push(format!("  {name}: {{ needs: [{}]{more} }}\n", needs.join(", ")));
        name
    }

    /// The last stage of a net behind `before`. The first is the next that is made.
    fn block(&mut self, before: &str, depth: usize) -> String {
        let needs = [before.to_owned()];
        match self.draws.below(if depth == 0 { 1 } else { 6 }) {
            0 => self.stage(&needs, ""),
            1 => {
                let first = self.block(before, depth - 1);
                self.block(&first, depth - 1)
            }
            2 => self.turns(before, depth),
            kind => {
                let split = ["AND", "XOR", "OR"][kind - 3];
                let place = self.stages.len();
                let open = self.stage(&needs, "");
                let mut firsts = Vec::new();
                let mut lasts = Vec::new();
                for _ in 0..2 + self.draws.below(2) {
                    firsts.push(format!("s{}", self.stages.len()));
                    lasts.push(self.block(&open, depth - 1));
                }
                if split != "AND" {
                    let conditions: Vec<String> =
                        firsts.iter().enumerate().map(|(at, first)| format!("{first}: c{at}")).collect();
                    let conditions = conditions.join(", ");
                    let more = format!(", split_type: {split}, split_conditions: {{ {conditions} }} }}\n");
                    self.stages[place] = self.stages[place].replace(" }\n", &more);
                }
                let join = if self.draws.below(2) == 0 { split } else { "OR" };
                let close = self.stage(&lasts, &format!(", join_type: {join}"));
                self.blocks.push((open, close.clone()));
                close
            }
        }
    }

    /// A net that is gone through once or more.
    fn turns(&mut self, before: &str, depth: usize) -> String {
        let place = self.stages.len();
        let entry = self.stage(&[before.to_owned()], "");
        let last = self.block(&entry, depth - 1);
        let exit = format!("s{}", self.stages.len());
        let out = format!("s{}", self.stages.len() + 1);
        let more = format!(", split_type: XOR, split_conditions: {{ {entry}: c0 }}, split_default: {out}");
        self.stage(&[last], &more);
        let back = format!(", join_type: XOR, back_from: [{exit}] }}\n");
        self.stages[place] = self.stages[place].replace(" }\n", &back);
        self.stage(&[exit], "")
    }
}

fn composed(draws: &[u8]) -> (Definition, Vec<(String, String)>) {
    let mut net = Net { draws: Draws(draws.iter()), stages: vec!["  s0:\n".to_owned()], blocks: Vec::new() };
    net.block("s0", 3);
    (yaml(&format!("name: x\nstages:\n{}", net.stages.concat())), net.blocks)
}

/// Goes through the net, choosing by `draws`; loops are left at last.
fn course(definition: &Definition, draws: &[u8]) -> Course {
    let mut course = Course::begun(definition, [("unused", 0)]);
    let mut draws = Draws(draws.iter());
    for moved in 0..400 {
        let open = course.open();
        if open.is_empty() {
            break;
        }
        let work = open[draws.below(open.len())].clone();
        let stage = work.split('#').next().unwrap_or(&work);
        let graph = definition.graph();
        let split = &graph.stage(graph.stage_index(stage).unwrap()).split;
        let n_branches = split.branches().len();
        // Of a choice among all, the one that is taken if no other is.
        let sure = draws.below(n_branches.max(1));
        let mut done = complete(&work);
        for at in 0..n_branches {
            let is_taken = match split {
                Split::Xor { default: Some(_), .. } => moved < 60 && draws.below(3) == 0,
                Split::Or { .. } => at == sure || draws.below(2) == 0,
                Split::Xor { .. } | Split::And | Split::Deferred | Split::Thread { .. } => at == sure,
            };
            done = done.output(&format!("c{at}"), is_taken);
        }
        course.happen(&done);
    }
    course
}

/// How many tokens each activation of `stage` gave and took, in the order of their numbers.
fn turnover(course: &Course, stage: &str) -> (Vec<usize>, Vec<usize>) {
    let graph = course.state().definition().graph();
    let stage = graph.stage_index(stage).unwrap();
    let spec = graph.stage(stage);
    let (mut given, mut taken) = (Vec::new(), Vec::new());
    for event in course.events() {
        if let Event::StageStarted { activation, consumed, .. } = event
            && activation.stage == stage
        {
            let some = if let Consumed::Arcs(arcs) = consumed { Some(arcs.len()) } else { None };
            taken.push(some.unwrap_or(spec.incoming.len()));
        }
        if let Event::StageEnded { activation, emitted, .. } = event
            && activation.stage == stage
        {
            given.push(match emitted {
                Emitted::Arcs(arcs) => arcs.len(),
                Emitted::All => spec.outgoing.len(),
                Emitted::Nothing => 0,
            });
        }
    }
    (given, taken)
}

proptest! {
    #[test]
    fn a_join_starts_once_for_each_time_its_split_did_with_all_that_was_taken(
        shape in prop::collection::vec(any::<u8>(), 4..24),
        moves in prop::collection::vec(any::<u8>(), 200),
    ) {
        let (definition, blocks) = composed(&shape);
        let course = course(&definition, &moves);
        prop_assert_eq!(course.status(), Status::Succeeded, "\n{}", course.story());
        for (open, close) in &blocks {
            let (given, _) = turnover(&course, open);
            let (_, taken) = turnover(&course, close);
            prop_assert_eq!(given, taken, "from {} to {}\n{}", open, close, course.story());
        }
    }
}
