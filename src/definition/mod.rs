//! What a workflow is: an immutable, checked graph.
//!
//! A document (YAML, JSON or a builder's) is read field by field (`reading`), checked as a whole (`check`) and written
//! in one normal form (`normal`), which is hashed. A `Definition` exists only if nothing is wrong with it.

mod document;
mod json;
mod jumps;
mod yaml;

mod body;

mod flow_hint;

mod builder;

mod by_hand;

mod places;
mod problem;

mod code;

mod cure;

mod rank;
mod reading;
mod retry;

mod site;

mod template;

mod times;

mod trigger;

mod verification;

mod shell_text;

mod input;

mod header;

mod check;

mod cancellation;
mod choice;
mod flow;

mod exclusion;
mod generations;

mod graph;
mod http;
mod milestone;

mod instances;

mod outline;
mod phase;

mod decision_limits;

mod sub_workflow;

mod family;

mod normal;

mod schema;

mod plain_data;

mod error;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use body::LoopTest;
pub(crate) use body::{Body, Loop};
pub use builder::{
    BackArc, BlockingJoin, Builder, Cancel, CancelOn, CancellingJoin, Defaults, DeferredSplit, InputSpec, InstancesEnd,
    JoinSpec, Loop as BuilderLoop, Milestone as BuilderMilestone, MultiInstance, OrJoin, PartialJoin, Retry,
    SignalTrigger as SignalTriggerSpec, Split as BuilderSplit, Stage, StageSplit, StageTrigger, StartTrigger,
    StructuredJoin, TaskSpec, Verification, WaitForAll, WaitForNone, WaitForSome, WaitsForInstances,
};
pub use by_hand::OnDeadline;
pub(crate) use by_hand::{Approval, ByHand, OnReject, prompt};
pub use cancellation::{CancelMode, Ending, RegionEffect, RegionFuture, Termination};
pub(crate) use choice::DeferredChoice;
pub use code::ProblemCode;
pub(crate) use decision_limits::DecisionLimits;
#[cfg(any(test, feature = "patterns"))]
pub(crate) use decision_limits::SignalLimits;
pub use document::Span;
pub(crate) use error::{NormalFormError, TemplateError};
pub use exclusion::{InterleaveOrder, LockKind};
use family::Family;
pub(crate) use generations::{Generations, Rest};
pub use generations::{JoinMode, OnUnreachable, ResetOn};
#[cfg(test)]
pub(crate) use graph::RetryOn;
pub use graph::{ArcKind, Join, LeftoverTokens, OnConditionError, OnFailure, OrScope, Reentry};
pub(crate) use graph::{Branch, Graph, GraphArc, GraphStage, GraphTask, JumpMode, RetryPolicy, Split, Target};
pub(crate) use header::Header;
pub use header::{Soundness, WorkflowType};
pub(crate) use http::HTTP;
pub(crate) use input::SecretPlace;
pub use input::{InputError, InputErrors};
pub(crate) use instances::{Completion, Emission, Instances, Remaining, Source, Withdrawal};
pub(crate) use milestone::{Milestone, MilestoneCondition, Reached};
pub use milestone::{MilestonePolicy, MilestoneStatus};
pub use outline::{ArcOutline, Choice, StageOutline};
pub(crate) use phase::BlockId;
pub use phase::StagePhase;
pub use plain_data::{map_from_json, map_from_yaml};
pub use problem::{Problem, Problems, Severity};
pub(crate) use sub_workflow::Called;
pub use sub_workflow::OnParentCancel;
pub(crate) use template::Template;
pub(crate) use times::Times;
pub use trigger::Durability;
pub(crate) use trigger::{SignalTrigger, Trigger, TriggerRole};
pub(crate) use verification::Verification as AskedOfOutputs;

use crate::ids::DefinitionHash;
use crate::limits::{DEFINITION_BYTES_MAX, NORMAL_FORM_BYTES_MAX};
use crate::value::{Map, Value};
use document::{Document, Node};
use places::Places;

/// A checked description of workflows. Cheap to clone.
///
/// Two definitions are equal if they have the same normal form, however they were written.
#[derive(Clone)]
pub struct Definition(Arc<Checked>);

/// How a definition is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Json,
}

/// Reads the definition in a file that another one calls; in words why it cannot.
pub(crate) type Files<'f> = &'f dyn Fn(&str) -> Result<Definition, String>;

/// What stands around a definition that is read.
struct Around<'d> {
    /// The names of the definitions in the same document.
    definitions: Vec<&'d str>,
    files: Option<Files<'d>>,
}

/// A definition of a document, by itself.
struct Parts {
    header: Header,
    graph: Graph,
    /// Where the ref id of each stage stands.
    spans: Vec<Span>,
    warnings: Vec<Problem>,
}

/// Reads and checks one definition of a document; nothing if something is wrong.
fn read_checked(document: &Document, around: &Around<'_>, problems: &mut Vec<Problem>) -> Option<Parts> {
    let known = problems.len();
    let mut draft = reading::read_workflow(document, around, problems)?;
    let source = &document.source;
    let exclusions: Vec<reading::ExclusionDraft<'_>> =
        draft.stages.iter_mut().map(|stage| std::mem::take(&mut stage.exclusion)).collect();
    let mut connected = check::connect(draft.stages, draft.regions, problems);
    check::set_milestones(exclusions.iter().map(|draft| draft.milestone), &mut connected, problems);
    check::exclude(exclusions, &draft.sections, &mut connected, problems);
    check::check_ending(draft.termination, &connected, problems);
    check::check_names(&draft.uses, source, &draft.header.inputs, &connected, problems);
    if problems.len() > known {
        return None;
    }
    let mut warnings = std::mem::take(&mut connected.doubts);
    warnings.extend(check::doubts(&draft.uses, source, &connected, &draft.outputs));
    warnings.extend(check::never_starts(draft.header.times, &document.root.span, &connected));
    let graph = Graph::new(connected.stages, connected.arcs, draft.outputs);
    let graph = graph.with_rules(draft.termination.0, connected.regions, draft.max_jumps);
    Some(Parts { header: draft.header, graph, spans: connected.spans, warnings })
}

struct Checked {
    header: Header,
    graph: Graph,
    limits: DecisionLimits,
    /// The definitions that stand in its document, for those that are called by name.
    family: Arc<Family>,
    normal: String,
    hash: DefinitionHash,
    source: Arc<str>,
    places: Places,
    warnings: Problems,
}

impl Definition {
    /// Reads a definition from YAML 1.2.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    pub fn from_yaml(text: &str) -> Result<Definition, Problems> {
        Definition::from_text(text, yaml::read, None)
    }

    /// Reads a definition from JSON.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    pub fn from_json(text: &str) -> Result<Definition, Problems> {
        Definition::from_text(text, json::read, None)
    }

    /// Reads a definition from text of a file in this format; `files` reads those that it calls.
    pub(crate) fn from_text_of_file(text: &str, format: Format, files: Files<'_>) -> Result<Definition, Problems> {
        let read = match format {
            Format::Yaml => yaml::read,
            Format::Json => json::read,
        };
        Definition::from_text(text, read, Some(files))
    }

    fn from_text(
        text: &str,
        read: fn(&str, &mut Vec<Problem>) -> Option<Node>,
        files: Option<Files<'_>>,
    ) -> Result<Definition, Problems> {
        let mut problems = Vec::new();
        let source: Arc<str> = Arc::from(text);
        if text.len() > DEFINITION_BYTES_MAX {
            let message = format!("the text has {} bytes, more than {DEFINITION_BYTES_MAX}", text.len());
            problems.push(Problem::error(ProblemCode::DocumentTooLarge, &Span::start(), message));
            return Err(Problems::new(problems, Arc::from("")));
        }
        match read(text, &mut problems) {
            Some(root) => Definition::from_document(Document { root, source }, problems, files),
            None => Err(Problems::new(problems, source)),
        }
    }

    /// The JSON Schema (draft 2020-12) of definition files, as JSON: for editors that complete and check while one
    /// writes. It tells what stands where; names, circles and expressions are checked only by reading the definition.
    pub fn schema() -> String {
        schema::schema().to_json()
    }

    /// Checks a document, of which `problems` are known already. `files` reads those that it calls.
    fn from_document(
        document: Document,
        mut problems: Vec<Problem>,
        files: Option<Files<'_>>,
    ) -> Result<Definition, Problems> {
        let source = Arc::clone(&document.source);
        let members = family::members(&document.root);
        let around = Around { definitions: members.iter().map(|(name, _)| *name).collect(), files };
        let root = read_checked(&document, &around, &mut problems);
        let family = family::read(&members, &source, &around, &mut problems);
        let Some((root, (family, mut warnings))) = root.zip(family).filter(|_| problems.is_empty()) else {
            return Err(Problems::new(problems, source));
        };
        let circles = family::check_base_cases((&root.graph, &document.root.span), &family, &members);
        if !circles.is_empty() {
            return Err(Problems::new(circles, source));
        }
        warnings.extend(root.warnings);
        let warnings = Problems::new(warnings, Arc::clone(&source));
        let (header, graph, limits, family) = (root.header, root.graph, DecisionLimits::CURRENT, Arc::new(family));
        let places = Places { text: Arc::clone(&source), spans: root.spans };
        let normal = normal::write(&header, &graph, &limits, &family);
        if normal.len() > NORMAL_FORM_BYTES_MAX {
            let message = format!("its normal form has {} bytes, more than {NORMAL_FORM_BYTES_MAX}", normal.len());
            let problem = Problem::error(ProblemCode::DocumentTooLarge, &document.root.span, message);
            return Err(Problems::new(vec![problem], source));
        }
        let hash = DefinitionHash::of(&normal);
        Ok(Definition(Arc::new(Checked { header, graph, limits, family, normal, hash, source, places, warnings })))
    }

    /// The definition with this normal form, as a log holds it. Its source is empty.
    ///
    /// # Errors
    ///
    /// A text that is not the normal form of a definition.
    pub(crate) fn from_normal(text: &str) -> Result<Definition, NormalFormError> {
        let (header, graph, limits, family) = normal::read(text)?;
        let source: Arc<str> = Arc::from("");
        let warnings = Problems::new(Vec::new(), Arc::clone(&source));
        // Kept as it is: its hash names it, also where this binary would write more into it.
        let (normal, family) = (text.to_owned(), Arc::new(family));
        let (hash, places) = (DefinitionHash::of(&normal), Places::none());
        Ok(Definition(Arc::new(Checked { header, graph, limits, family, normal, hash, source, places, warnings })))
    }

    /// A definition of its own with this graph, which is like that of this one, and nothing else of it that depends on
    /// data or time.
    pub(crate) fn with_graph(&self, graph: Graph) -> Definition {
        let header =
            Header { inputs: BTreeMap::new(), context: Vec::new(), times: Times::NONE, ..self.0.header.clone() };
        // A turn in which nothing is done outside is looked at once: what would follow it follows the next one, too.
        let limits = DecisionLimits { instant_turns_max: 1, ..self.0.limits };
        let source = Arc::from("");
        let family = Arc::new(Family::new());
        let normal = normal::write(&header, &graph, &limits, &family);
        let (hash, places) = (DefinitionHash::of(&normal), Places::none());
        let warnings = Problems::new(Vec::new(), Arc::clone(&source));
        Definition(Arc::new(Checked { header, graph, limits, family, normal, hash, source, places, warnings }))
    }

    /// Hash of the normal form. Equal for definitions that mean the same, whatever they looked like.
    pub fn hash(&self) -> DefinitionHash {
        self.0.hash
    }

    /// The normal form: canonical JSON with every default written out.
    pub fn to_json(&self) -> String {
        self.0.normal.clone()
    }

    /// The name as it was written; it may hold `${{ }}`.
    pub fn name(&self) -> String {
        match self.0.header.name.written() {
            Value::String(name) => name,
            other => other.to_json(),
        }
    }

    /// What groups definitions; may be empty.
    pub fn application(&self) -> &str {
        &self.0.header.application
    }

    /// How strictly the answer of [`Definition::check`] is taken.
    pub fn soundness(&self) -> Soundness {
        self.0.header.soundness
    }

    /// Its stages, in definition order.
    pub fn stages(&self) -> impl ExactSizeIterator<Item = StageOutline<'_>> {
        StageOutline::all(&self.0.graph)
    }

    /// The text it was read from; empty if a builder made it.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The same definition, whose doubts are printed with the name of its file.
    pub(crate) fn in_file(mut self, file: &str) -> Definition {
        if let Some(checked) = Arc::get_mut(&mut self.0) {
            checked.warnings = checked.warnings.clone().in_file(file);
        }
        self
    }

    /// Doubts about it that are no reason to refuse it.
    pub fn warnings(&self) -> &Problems {
        &self.0.warnings
    }

    /// Checks the inputs of a workflow and fills in the defaults.
    ///
    /// # Errors
    ///
    /// Every input that is not declared, missing, or not what was declared.
    pub fn bind_inputs(&self, given: Map) -> Result<Map, InputErrors> {
        input::bind(&self.0.header.inputs, given)
    }

    /// The value that text from a command line stands for: by the declared type of the input, a string as it is,
    /// numbers and booleans read, lists and maps as JSON; for type `any` JSON or else the text itself.
    ///
    /// # Errors
    ///
    /// An input that is not declared, and text that is not of its type.
    pub fn parse_input(&self, name: &str, text: &str) -> Result<Value, InputError> {
        input::parse(&self.0.header.inputs, name, text)
    }

    /// The normal form, without a copy.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn normal(&self) -> &str {
        &self.0.normal
    }

    /// Stages, arcs, tasks.
    pub(crate) fn graph(&self) -> &Graph {
        &self.0.graph
    }

    /// What it says of its workflows besides the graph.
    pub(crate) fn header(&self) -> &Header {
        &self.0.header
    }

    /// The limits that deciding uses.
    pub(crate) fn limits(&self) -> &DecisionLimits {
        &self.0.limits
    }
}

/// What can be written in a definition, for the test that all of it is drawn: map and key, in each spelling.
#[cfg(test)]
pub(crate) fn spellings() -> Vec<(&'static str, &'static str)> {
    reading::spellings()
}

impl PartialEq for Definition {
    fn eq(&self, other: &Definition) -> bool {
        self.0.hash == other.0.hash
    }
}

impl Eq for Definition {}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name()).field("hash", &self.0.hash).finish_non_exhaustive()
    }
}
