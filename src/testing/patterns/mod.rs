//! The conformance suite of the 43 workflow control-flow patterns, as a library (feature `patterns`).
//!
//! # How to write a pattern's module
//!
//! One file a pattern, `wcp_NN.rs`, with one function `pattern()`, listed in `MODULES` below. It says what happens and
//! what must come of it; the suite plays it plain, in every order it leaves open; with a crash after every batch, also
//! with batches cut after every micro-step; three rounds inside a loop; inside a sub-workflow and inside an instance of
//! several. `wcp_02` is the example:
//!
//! ```text
//! pub(super) fn pattern() -> Pattern {
//!     let net = Net::of("
//!         a:
//!         b: { needs: [a] }
//!         c: { needs: [a] }
//!     ");
//!     Pattern::of(2, net)
//!         .positive(
//!             scenario("both branches in both orders", chain().complete("a").live("b", 1).live("c", 1)
//!                 .any_order([complete("b"), complete("c")]))
//!                 .ends(Status::Succeeded)
//!                 .runs("a 1, b 1, c 1")
//!                 .order("a<b, a<c"),
//!         )
//!         .negative(..)
//!         .refuses(Net::of(".."), ProblemCode::UnknownStage, "[nowhere]")
//! }
//! ```
//!
//! - **Net**: the entries of `stages:` as block YAML, one stage a line if you like; what stands above them goes into
//!   `.header("inputs: ..")`. A stage without tasks has one that nobody works on: its activation stays open until the
//!   plan completes it. No program is run, no clock ticks.
//! - **Chain**: `then(happening)` with what [`happening`](crate::testing::happening) offers (`complete("b").output("n",
//!   1)`, `terminal("b")`, `cancel()`, ...), `complete`, `pass("30d")` (what is due fires), `refused(happening,
//!   "CODE")`, `any_order([..])` with happenings, arrays of them or chains, `rest()` (whatever is open, in every
//!   order), `called("r", chain)` in the workflow that the newest activation of `r` called. Between
//!   them what is true *at that moment*: `live`, `started`, `ended`, `status`, `sees(line, count)`,
//!   `check(|view| ..)`. A check belongs to what happened before it in its chain; nothing comes between the two.
//! - **Scenario**: `ends(status)` and `runs("..")` of *every* stage are required, the suite refuses one without. Also
//!   `outcomes`, `order`, `sees`, `always`, `at_most_live`, `finally`, `input`; `of(&net)` takes other stages than the
//!   pattern's. A scenario that ends RUNNING may leave things open; after every other nothing is outstanding and
//!   everything that had been accepted is refused. The definition of a positive one has to
//!   pass the check before the start.
//! - **Names** are those of the pattern's stages: `b` the oldest live activation, `b#2` the second one *of this round
//!   or instance*. Write no activation number into `sees`: numbers are left out of both sides.
//! - **Nesting**: every positive scenario that ends SUCCEEDED is nested. One that is about the whole workflow says
//!   `.alone("why")`; at least one must be left. One that ends the workflow otherwise is nested as the last round if
//!   it says `.ends_everything()`. In a loop the scenarios of the same net and inputs take turns, so that
//!   what one round leaves behind meets another course in the next. A net that may not stand in a loop body or instance
//!   says `.nested_by_call("why")` and is called there as a sub-workflow; `.called_by_instances("why")` says it of
//!   instances only.
//! - **Negative**: `.refuses(net, code, at)` for definitions: the code, a hint, and the text at the place of the
//!   problem; `.unsound(net, code, stage)` for those that the check refuses; `.negative(scenario)` for what must not
//!   happen: the runs that stay 0, commands that are refused.
//!
//! Write docs/PATTERNS.md and the README's table anew with `STABILIZE_BLESS=1 cargo test --test patterns`.
//! Run one with `cargo test --test patterns wcp_02`, or `stabilize patterns 2` to see its definition and traces. A kind
//! that cannot be tried is reported missing and never as passed. If a kind fails because the engine is wrong, the
//! engine is changed, not the scenario.

mod blocks;
mod expect;
mod explore;
mod names;
mod nesting;
mod net;
mod pattern;
mod report;
mod scenario;
mod side_by_side;
#[cfg(test)]
mod tests;
mod trial;
mod view;
mod world;

mod wcp_01;
mod wcp_02;
mod wcp_03;
mod wcp_04;
mod wcp_05;
mod wcp_06;
mod wcp_07;
mod wcp_08;
mod wcp_09;
mod wcp_10;
mod wcp_11;
mod wcp_12;
mod wcp_13;
mod wcp_14;
mod wcp_15;
mod wcp_16;
mod wcp_17;
mod wcp_18;
mod wcp_19;
mod wcp_20;
mod wcp_21;
mod wcp_22;
mod wcp_23;
mod wcp_24;
mod wcp_25;
mod wcp_26;
mod wcp_27;
mod wcp_28;
mod wcp_29;
mod wcp_30;
mod wcp_31;
mod wcp_32;
mod wcp_33;
mod wcp_34;
mod wcp_35;
mod wcp_36;
mod wcp_37;
mod wcp_38;
mod wcp_39;
mod wcp_40;
mod wcp_41;
mod wcp_42;
mod wcp_43;

pub use names::NAMES;
pub use net::Net;
pub use pattern::{Code, Pattern};
pub use report::{Counts, Kind, Report, Verdict};
pub use scenario::{Chain, Scenario, chain, scenario};
pub use side_by_side::reports;
pub use trial::{Effort, report, traces, verdict};
pub use view::View;
pub use world::Breach;

/// What modules of patterns say.
mod words {
    pub(super) use super::*;
    pub(super) use crate::definition::ProblemCode;
    pub(super) use crate::soundness::FindingCode;
    pub(super) use crate::status::Status;
    pub(super) use crate::testing::happening::*;
}

/// What a module says of its pattern.
type Declared = fn() -> Pattern;

/// The modules there are, each with the number of its pattern.
const MODULES: &[(usize, Declared)] = &[
    (1, wcp_01::pattern),
    (2, wcp_02::pattern),
    (3, wcp_03::pattern),
    (4, wcp_04::pattern),
    (5, wcp_05::pattern),
    (6, wcp_06::pattern),
    (7, wcp_07::pattern),
    (8, wcp_08::pattern),
    (9, wcp_09::pattern),
    (10, wcp_10::pattern),
    (11, wcp_11::pattern),
    (12, wcp_12::pattern),
    (13, wcp_13::pattern),
    (14, wcp_14::pattern),
    (15, wcp_15::pattern),
    (16, wcp_16::pattern),
    (17, wcp_17::pattern),
    (18, wcp_18::pattern),
    (19, wcp_19::pattern),
    (20, wcp_20::pattern),
    (21, wcp_21::pattern),
    (22, wcp_22::pattern),
    (23, wcp_23::pattern),
    (24, wcp_24::pattern),
    (25, wcp_25::pattern),
    (26, wcp_26::pattern),
    (27, wcp_27::pattern),
    (28, wcp_28::pattern),
    (29, wcp_29::pattern),
    (30, wcp_30::pattern),
    (31, wcp_31::pattern),
    (32, wcp_32::pattern),
    (33, wcp_33::pattern),
    (34, wcp_34::pattern),
    (35, wcp_35::pattern),
    (36, wcp_36::pattern),
    (37, wcp_37::pattern),
    (38, wcp_38::pattern),
    (39, wcp_39::pattern),
    (40, wcp_40::pattern),
    (41, wcp_41::pattern),
    (42, wcp_42::pattern),
    (43, wcp_43::pattern),
];

/// The pattern of this number, 1 to 43; `None` if it has no module.
pub fn pattern(number: usize) -> Option<Pattern> {
    MODULES.iter().find(|(known, _)| *known == number).map(|(_, declared)| declared())
}

/// Tries the pattern of this number; if it has no module, all five kinds are missing.
///
/// # Panics
///
/// If there is no such pattern: they are 1 to 43.
pub fn report_of(number: usize, effort: Effort) -> Report {
    let name = NAMES[number - 1];
    let missing = |_| Verdict::Missing { why: "the pattern has no module".to_owned() };
    pattern(number)
        .map_or_else(|| Report { number, name, verdicts: Kind::ALL.map(missing) }, |pattern| report(&pattern, effort))
}
