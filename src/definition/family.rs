//! Definitions that stand in one document and may call each other by name.
//!
//! Each of them is a definition of its own, with its own hash: its normal form holds the whole family, so that whatever
//! it calls can be found in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{ArcIndex, DefinitionHash};

use super::code::ProblemCode;
use super::document::{Content, Document, Node, Span};
use super::graph::{ArcKind, Graph, GraphStage, Split, Target};
use super::header::Header;
use super::places::Places;
use super::problem::{Problem, Problems};
use super::sub_workflow::Called;
use super::{Around, Checked, Definition, Parts, normal, read_checked};

/// The key they stand under.
const DEFINITIONS: &str = "definitions";

/// The definitions of a document, by name.
pub(super) type Family = BTreeMap<String, Member>;

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) header: Header,
    pub(super) graph: Graph,
    /// Where the ref id of each stage stands in the text of the document; none where there is no text.
    pub(super) spans: Vec<Span>,
}

impl Definition {
    /// All that stand in its document beside it, in the byte order of the names they are called by.
    pub fn members(&self) -> impl Iterator<Item = Definition> + '_ {
        self.0.family.keys().filter_map(|name| self.member(name))
    }

    /// The definition with this name in the document of this one.
    pub(crate) fn member(&self, name: &str) -> Option<Definition> {
        let Member { header, graph, spans } = self.0.family.get(name)?.clone();
        let (limits, family, source) = (self.0.limits, Arc::clone(&self.0.family), Arc::from(""));
        let places = Places { text: Arc::clone(&self.0.places.text), spans };
        let normal = normal::write(&header, &graph, &limits, &family);
        let hash = DefinitionHash::of(&normal);
        let warnings = Problems::new(Vec::new(), Arc::clone(&source));
        Some(Definition(Arc::new(Checked { header, graph, limits, family, normal, hash, source, places, warnings })))
    }
}

/// The definitions that a document holds beside its own, as they are written.
pub(super) fn members(root: &Node) -> Vec<(&str, &Node)> {
    let Content::Map(entries) = &root.content else { return Vec::new() };
    let definitions = entries.iter().find(|entry| entry.key.text == DEFINITIONS).map(|entry| &entry.value);
    match definitions.map(|node| &node.content) {
        Some(Content::Map(entries)) => entries.iter().map(|entry| (entry.key.text.as_str(), &entry.value)).collect(),
        Some(_) | None => Vec::new(),
    }
}

/// Reads and checks them, with their doubts; nothing if something is wrong with one.
pub(super) fn read(
    members: &[(&str, &Node)],
    source: &Arc<str>,
    around: &Around<'_>,
    problems: &mut Vec<Problem>,
) -> Option<(Family, Vec<Problem>)> {
    let (mut family, mut warnings) = (Family::new(), Vec::new());
    for (name, node) in members {
        let within = match &node.content {
            Content::Map(entries) => entries.iter().find(|entry| entry.key.text == DEFINITIONS),
            _ => None,
        };
        if let Some(entry) = within {
            let message = "definitions stand at the top of the document only";
            let problem = Problem::error(ProblemCode::ConflictingKeys, &entry.key.span, message);
            problems.push(problem.with_help("write it beside this one: all of a document may call each other"));
        }
        let document = Document { root: (*node).clone(), source: Arc::clone(source) };
        let parts = read_checked(&document, around, problems);
        if let Some(Parts { header, graph, spans, warnings: doubts }) = parts {
            warnings.extend(doubts);
            family.insert((*name).to_owned(), Member { header, graph, spans });
        }
    }
    (family.len() == members.len()).then_some((family, warnings))
}

/// Reports the definitions that can never end, because every way through them calls one that cannot: the least fixpoint
/// of "can end". The root has no name.
pub(super) fn check_base_cases(root: (&Graph, &Span), family: &Family, members: &[(&str, &Node)]) -> Vec<Problem> {
    let mut can_end: BTreeSet<Option<&str>> = BTreeSet::new();
    let named = members.iter().filter_map(|(name, node)| Some((Some(*name), (&family.get(*name)?.graph, &node.span))));
    let all: Vec<(Option<&str>, (&Graph, &Span))> = std::iter::once((None, root)).chain(named).collect();
    loop {
        let before = can_end.len();
        for (name, (graph, _)) in &all {
            if !can_end.contains(name) && has_way(graph, *name, &can_end) {
                can_end.insert(*name);
            }
        }
        if can_end.len() == before {
            break;
        }
    }
    let never = all.into_iter().filter(|(name, _)| !can_end.contains(name));
    let report = |(name, (_, span)): (Option<&str>, (&Graph, &Span))| {
        let what = name.map_or("this definition".to_owned(), |name| format!("`{name}`"));
        let message = format!("{what} can never end: every way through it calls a definition that cannot");
        Problem::error(ProblemCode::NoBaseCase, span, message)
            .with_help("let a split lead past the stage that calls it")
    };
    never.map(report).collect()
}

/// Can control come to its end from every start, if the splits choose well?
fn has_way(graph: &Graph, own: Option<&str>, can_end: &BTreeSet<Option<&str>>) -> bool {
    let ends = |called: &Called| match called {
        Called::Own => can_end.contains(&own),
        Called::Member(name) => can_end.contains(&Some(name.as_str())),
        Called::Embedded(_) => true,
    };
    // A stage is good if it can be passed and control can come to an end behind it.
    let mut good = vec![false; graph.stages.len()];
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for (place, stage) in graph.stages.iter().enumerate() {
            let passes =
                stage.condition.is_some() || stage.sub_workflow.as_ref().is_none_or(|sub| ends(&sub.definition));
            if !good[place] && passes && goes_on(graph, stage, &good) {
                (good[place], changed) = (true, true);
            }
        }
    }
    let starts = graph.arcs.iter().filter(|arc| arc.from.is_none() && !arc.comes_from_anywhere());
    starts.into_iter().all(|arc| good[arc.to.index()])
}

/// Can control come to an end behind this stage?
fn goes_on(graph: &Graph, stage: &GraphStage, good: &[bool]) -> bool {
    // Whether circles of arcs end is another question.
    let is_good = |arc: &ArcIndex| graph.arc(*arc).kind == ArcKind::Back || good[graph.arc(*arc).to.index()];
    let target = |target: Target| match target {
        Target::Arc(arc) => is_good(&arc),
        Target::End => true,
    };
    match &stage.split {
        // Of what is chosen among one is enough.
        Split::And => stage.outgoing.iter().all(|arc| match graph.choice_of(*arc) {
            Some(choice) => choice.arcs.iter().any(is_good),
            None => is_good(arc),
        }),
        Split::Deferred => stage.outgoing.iter().any(is_good),
        Split::Thread { .. } => stage.outgoing.iter().all(is_good),
        Split::Xor { branches, default } => branches.iter().map(|branch| branch.target).chain(*default).any(target),
        Split::Or { branches, default, always } => {
            let any = branches.iter().map(|branch| branch.target).chain(*default).any(target);
            always.iter().all(is_good) && (any || !always.is_empty())
        }
    }
}
