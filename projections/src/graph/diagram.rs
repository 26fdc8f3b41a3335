//! What is to be seen: the stages of a definition with their marks, the arcs with their conditions, and, of a workflow,
//! what has become of each.

use std::collections::BTreeSet;

use stabilize::{
    ArcKind, Choice, Definition, Join, OnFailure, Reentry, StageOutline, StagePhase, StageView, Status, TaskView,
    WorkflowView,
};

use super::drawing::Drawing;
use super::layout::{Direction, Layout, Link, Size, TooLarge, directions};
use super::legend::Legend;
use super::letters::{columns, room, short};
use super::{dot, mermaid};

/// Columns of a name that are shown.
const NAME_MOST: u32 = 32;

/// Columns of another line in a box that are shown.
const DETAIL_MOST: u32 = 36;

/// Columns of a condition that are shown on its arc.
const LABEL_MOST: u32 = 30;

/// Columns of a title that are shown.
const TITLE_MOST: u32 = 72;

/// A definition or a workflow as it is to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    title: String,
    subtitle: Option<String>,
    status: Option<Status>,
    boxes: Vec<DiagramBox>,
    arcs: Vec<DiagramArc>,
}

/// A stage, or the end that a branch of a choice may lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagramBox {
    name: String,
    details: Vec<String>,
    join: Option<Join>,
    split: Option<&'static str>,
    is_end: bool,
    status: Option<Status>,
    attempts: u32,
}

/// Where control goes from a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagramArc {
    from: usize,
    to: usize,
    label: Option<String>,
    is_default: bool,
    is_back: bool,
}

impl Diagram {
    /// A definition, of which nothing has happened.
    pub fn of(definition: &Definition) -> Diagram {
        Diagram::new(definition, definition.name(), None)
    }

    /// A workflow as this view shows it.
    pub fn of_workflow(view: &WorkflowView) -> Diagram {
        let mut diagram = Diagram::new(view.checked_definition(), view.name().to_owned(), Some(view.stages()));
        diagram.subtitle = Some(view.id().to_string());
        diagram.status = Some(view.status());
        diagram
    }

    fn new(definition: &Definition, title: String, views: Option<&[StageView]>) -> Diagram {
        let stages: Vec<StageOutline<'_>> = definition.stages().collect();
        let mut entered = vec![0_usize; stages.len()];
        let mut boxes = Vec::with_capacity(stages.len());
        let mut arcs = Vec::new();
        for (place, stage) in stages.iter().enumerate() {
            let view = views.and_then(|views| views.get(place));
            boxes.push(DiagramBox::of(stage, view));
        }
        for (place, stage) in stages.iter().enumerate() {
            for Way { to, label, is_default, is_back } in ways(stage) {
                let to = to.unwrap_or_else(|| {
                    boxes.push(DiagramBox::end());
                    boxes.len() - 1
                });
                entered.get_mut(to).into_iter().for_each(|count| *count += 1);
                arcs.push(DiagramArc { from: place, to, label, is_default, is_back });
            }
        }
        arcs.extend(ways_in(&stages, &arcs));
        for ((stage, entered), shown) in stages.iter().zip(entered).zip(&mut boxes) {
            shown.join = (entered > 1 || stage.merge_count().is_some()).then(|| stage.join());
        }
        Diagram { title: short(&title, TITLE_MOST), subtitle: None, status: None, boxes, arcs }
    }

    /// What it is called.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The id of a workflow.
    pub fn subtitle(&self) -> Option<&str> {
        self.subtitle.as_deref()
    }

    /// What a workflow is doing, or how it ended.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// Title, id and status in a line, for forms that have one line for it.
    pub(super) fn heading(&self) -> String {
        let parts = [self.title()].into_iter().chain(self.subtitle()).chain(self.status.map(Status::name));
        parts.collect::<Vec<&str>>().join(" ")
    }

    /// The stages in definition order, then the ends of branches that lead nowhere.
    pub fn boxes(&self) -> &[DiagramBox] {
        &self.boxes
    }

    /// The arcs, at most one between the same two boxes.
    pub fn arcs(&self) -> &[DiagramArc] {
        &self.arcs
    }

    /// Which way each arc leads, in their order.
    pub fn directions(&self) -> Vec<Direction> {
        directions(self.boxes.len(), &self.links())
    }

    /// What the colours and marks that occur in it mean.
    pub fn legend(&self) -> Legend {
        Legend::of(self)
    }

    /// It as text for programs that draw Mermaid flowcharts.
    pub fn to_mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// It as text in the language of Graphviz.
    pub fn to_dot(&self) -> String {
        dot::write(self)
    }

    /// Finds a place for everything.
    ///
    /// # Errors
    ///
    /// If it has more boxes and bends than are drawn.
    pub fn draw(&self) -> Result<Drawing<'_>, TooLarge> {
        let sizes: Vec<Size> = self.boxes.iter().map(DiagramBox::size).collect();
        Ok(Drawing::new(self, Layout::of(&sizes, &self.links())?))
    }

    /// The boxes, to give them what has not happened.
    #[cfg(test)]
    pub(super) fn boxes_mut(&mut self) -> &mut [DiagramBox] {
        &mut self.boxes
    }

    /// A diagram of these arcs, also of some that no definition has.
    #[cfg(test)]
    pub(super) fn by_hand(title: &str, names: &[&str], arcs: &[(usize, usize, Option<&str>)]) -> Diagram {
        let boxes =
            names.iter().map(|name| DiagramBox { name: (*name).to_owned(), is_end: false, ..DiagramBox::end() });
        let arc = |(from, to, label): &(usize, usize, Option<&str>)| DiagramArc {
            from: *from,
            to: *to,
            label: label.map(str::to_owned),
            is_default: false,
            is_back: false,
        };
        let arcs = arcs.iter().map(arc).collect();
        Diagram { title: short(title, TITLE_MOST), subtitle: None, status: None, boxes: boxes.collect(), arcs }
    }

    /// Its arcs as the layout knows them.
    pub(super) fn links(&self) -> Vec<Link> {
        let width = |label: &String| columns(label) + 2;
        let link = |arc: &DiagramArc| Link {
            from: arc.from,
            to: arc.to,
            label: arc.label.as_ref().map(width),
            is_back: arc.is_back,
        };
        self.arcs.iter().map(link).collect()
    }
}

/// A place where control goes from a stage.
struct Way {
    to: Option<usize>,
    label: Option<String>,
    is_default: bool,
    is_back: bool,
}

/// Where control goes into what is nested in a stage: to each stage that nothing else leads to.
fn ways_in(stages: &[StageOutline<'_>], arcs: &[DiagramArc]) -> Vec<DiagramArc> {
    let led_to: BTreeSet<usize> = arcs.iter().filter(|arc| !arc.is_back).map(|arc| arc.to).collect();
    let nested = stages.iter().enumerate().filter(|(place, _)| !led_to.contains(place));
    let way = |(to, stage): (usize, &StageOutline<'_>)| {
        let label = match stage.phase() {
            StagePhase::Before => "before",
            StagePhase::After => "after",
            StagePhase::OnFailure => "on failure",
            StagePhase::Compensate => "undone by",
            _ => "each turn",
        };
        let from = stage.parent()?.get() as usize;
        Some(DiagramArc { from, to, label: Some(label.to_owned()), is_default: false, is_back: false })
    };
    nested.filter_map(way).collect()
}

/// Where control goes from a stage: each place once, with what is written on the arc.
fn ways(stage: &StageOutline<'_>) -> Vec<Way> {
    let arcs = stage.arcs();
    // Of the conditions of an XOR split the first that holds counts, so their order is told.
    let is_ordered =
        stage.split_type() == "XOR" && arcs.iter().filter(|arc| matches!(arc.choice(), Choice::If(_))).count() > 1;
    let mut ways: Vec<(Way, Vec<String>)> = Vec::new();
    for (tried, arc) in (1..).zip(&arcs) {
        let to = arc.to().map(|stage| stage.get() as usize);
        let known = ways.iter().position(|(known, _)| known.to == to);
        let is_new = known.is_none();
        let way = match known {
            Some(way) => way,
            None => {
                let is_back = arc.kind() == ArcKind::Back;
                ways.push((Way { to, label: None, is_default: false, is_back }, Vec::new()));
                ways.len() - 1
            }
        };
        match arc.choice() {
            Choice::If(condition) if is_ordered => ways[way].1.push(format!("{tried}: {condition}")),
            Choice::If(condition) => ways[way].1.push(condition.to_owned()),
            Choice::Otherwise => {
                ways[way].1.push("default".to_owned());
                ways[way].0.is_default = true;
            }
            Choice::IfCanceled => {
                ways[way].1.push(if is_new { "when canceled" } else { "also when canceled" }.to_owned());
            }
            Choice::IfJumping => ways[way].1.push(if is_new { "jump" } else { "also by jump" }.to_owned()),
            _ => {}
        }
    }
    let written = |labels: Vec<String>| (!labels.is_empty()).then(|| short(&labels.join(" or "), LABEL_MOST));
    ways.into_iter().map(|(way, labels)| Way { label: written(labels), ..way }).collect()
}

impl DiagramBox {
    fn of(stage: &StageOutline<'_>, view: Option<&StageView>) -> DiagramBox {
        let mut details = Vec::new();
        if stage.name() != stage.ref_id() {
            details.push(stage.name().to_owned());
        }
        details.extend(stage.condition().map(|condition| format!("if: {condition}")));
        let work = match stage.task_count() {
            1 if stage.stage_type() == "shell" => None,
            0 | 1 => Some(stage.stage_type().to_owned()),
            count => Some(format!("{count} tasks")),
        };
        details.extend(work);
        if let (Some(threshold), Some(mode)) = (stage.join_threshold(), stage.join_mode()) {
            details.push(format!("starts with {threshold}, {}", mode.name()));
        }
        details.extend(stage.instances());
        details.extend(stage.trigger());
        details.extend(stage.choice_group().map(|group| format!("choice: {group}")));
        details.extend(stage.merge_count().map(|count| format!("merges {count} threads")));
        details.extend(stage.thread_count().map(|count| format!("{count} threads each")));
        if stage.jumps_anywhere() {
            details.push("may jump anywhere".to_owned());
        }
        if stage.reentry() != Reentry::Parallel {
            details.push(format!("reentry: {}", stage.reentry().name()));
        }
        details.extend(stage.milestone().map(|(of, status, until)| match until {
            Some(until) => format!("while between {of} and {until}"),
            None => format!("while {of} is {}", status.name()),
        }));
        details.extend(stage.mutex_key().map(|key| format!("mutex: {key}")));
        details.extend(stage.interleaved_group().map(|group| format!("one at a time: {group}")));
        details.extend(stage.critical_section().map(|(name, key)| format!("section: {name} of {key}")));
        if stage.on_failure() != OnFailure::Fail {
            details.push(format!("on failure: {}", stage.on_failure().name()));
        }
        let activated = view.filter(|view| view.activations() > 1).map(StageView::id);
        DiagramBox {
            name: short(activated.as_deref().unwrap_or(stage.ref_id()), NAME_MOST),
            details: details.iter().map(|detail| short(detail, DETAIL_MOST)).collect(),
            join: None,
            split: (stage.split_type() != "AND").then(|| stage.split_type()),
            is_end: false,
            status: view.map(StageView::status),
            attempts: view.map_or(0, |view| view.tasks().iter().map(TaskView::attempts).max().unwrap_or(0)),
        }
    }

    fn end() -> DiagramBox {
        DiagramBox {
            name: "end".to_owned(),
            details: Vec::new(),
            join: None,
            split: None,
            is_end: true,
            status: None,
            attempts: 0,
        }
    }

    /// Its name: the ref id of the stage, with the number of its activation from the second on.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What else there is to say of the stage, a line each.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// When it starts, if more than one arc leads to it.
    pub fn join(&self) -> Option<Join> {
        self.join
    }

    /// Whether control takes some of its arcs, and not always all of them.
    pub fn is_choice(&self) -> bool {
        self.split.is_some_and(|split| split != "THREAD")
    }

    /// How control leaves it, as definitions write it, if not simply by every arc: `XOR`, `OR`, `DEFERRED`, `THREAD`.
    pub fn split(&self) -> Option<&'static str> {
        self.split
    }

    /// Whether it is no stage, but where a branch ends.
    pub fn is_end(&self) -> bool {
        self.is_end
    }

    /// What it is doing, in a workflow.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// How many attempts the task that needed most has had.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The same with another status, as if that had happened.
    #[cfg(test)]
    pub(super) fn set_status(&mut self, status: Status) {
        self.status = Some(status);
    }

    /// The kinds of its join and split, as far as they say anything.
    pub(super) fn marks(&self) -> Option<String> {
        let join = self.join.map(|join| format!("{} join", join.name()));
        let split = self.split.map(|split| format!("{split} split"));
        let marks: Vec<String> = join.into_iter().chain(split).collect();
        (!marks.is_empty()).then(|| marks.join(", "))
    }

    /// Its status and attempts in words.
    pub(super) fn outcome(&self) -> Option<String> {
        let status = self.status?;
        Some(match self.attempts {
            0 | 1 => status.name().to_owned(),
            attempts => format!("{}, {attempts} attempts", status.name()),
        })
    }

    /// Everything in it, a line each: name, details, status.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let name = match self.marks() {
            Some(marks) => format!("{} ({marks})", self.name),
            None => self.name.clone(),
        };
        [name].into_iter().chain(self.details.iter().cloned()).chain(self.outcome())
    }

    fn size(&self) -> Size {
        let marks = self.marks().map_or(0, |marks| columns(&marks) + 3);
        let below = self.details.iter().map(String::as_str).map(columns).max().unwrap_or(0);
        let outcome = self.outcome().map_or(0, |outcome| columns(&outcome));
        let text = (room(&self.name) + marks).max(below).max(outcome);
        let lines = 1 + self.details.len() + usize::from(self.status.is_some());
        let least = if self.is_end { 3 } else { 7 };
        Size { width: text.max(least) + 4, height: 2 + u32::try_from(lines).unwrap_or(u32::MAX - 2) }
    }
}

impl DiagramArc {
    /// The box it leaves.
    pub fn from(&self) -> usize {
        self.from
    }

    /// The box it leads to.
    pub fn to(&self) -> usize {
        self.to
    }

    /// When control takes it, in short.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Whether control takes it when no condition holds.
    pub fn is_default(&self) -> bool {
        self.is_default
    }
}
