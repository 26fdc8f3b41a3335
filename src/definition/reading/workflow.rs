//! Reads a whole document: the header and the stages.

use std::collections::BTreeMap;

use super::Reader;
use super::cancellation::RegionDraft;
use super::exclusion::SectionDraft;
use super::keys::{Fields, WORKFLOW};
use super::stage::{Nested, Outer, Part, SplitDraft, StageDraft};
use super::task::Inherited;
use crate::definition::Around;
use crate::definition::cancellation::Termination;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Document, Node, Span};
use crate::definition::graph::LeftoverTokens;
use crate::definition::header::{Header, Soundness, WorkflowType};
use crate::definition::input::Input;
use crate::definition::phase::{BlockId, StagePhase};
use crate::definition::problem::Problem;
use crate::definition::site::{Site, Use};
use crate::definition::template::Template;
use crate::limits::{JUMPS, STAGES_MAX};
use crate::value::Value;

/// The priority where none is written.
const PRIORITY: u8 = 5;

/// A document whose fields have been read one by one.
pub(in crate::definition) struct Draft<'d> {
    pub(in crate::definition) header: Header,
    pub(in crate::definition) stages: Vec<StageDraft<'d>>,
    /// `outputs` of the workflow in byte order of the names.
    pub(in crate::definition) outputs: Vec<(String, Template)>,
    /// `termination`, and where it stands.
    pub(in crate::definition) termination: (Termination, &'d Span),
    /// `regions`.
    pub(in crate::definition) regions: Vec<RegionDraft<'d>>,
    /// `critical_sections`.
    pub(in crate::definition) sections: Vec<SectionDraft<'d>>,
    /// `max_jumps`.
    pub(in crate::definition) max_jumps: u32,
    /// The expressions, for the check of their names.
    pub(in crate::definition) uses: Vec<Use<'d>>,
}

/// Reads `document`; what is wrong goes to `problems`. Nothing if it is no map.
pub(in crate::definition) fn read_workflow<'d>(
    document: &'d Document,
    around: &'d Around<'d>,
    problems: &mut Vec<Problem>,
) -> Option<Draft<'d>> {
    let (definitions, files) = (around.definitions.as_slice(), around.files);
    let source = &document.source;
    let mut reader = Reader { source, problems: Vec::new(), uses: Vec::new(), definitions, files, copied: 0 };
    let draft = reader.workflow(&document.root);
    problems.append(&mut reader.problems);
    let (header, stages, outputs, (termination, regions, sections, max_jumps)) = draft?;
    Some(Draft { header, stages, outputs, termination, regions, sections, max_jumps, uses: reader.uses })
}

type Parts<'d> = (Header, Vec<StageDraft<'d>>, Vec<(String, Template)>, Rules<'d>);

/// When it ends, and what is said of stages together.
type Rules<'d> = ((Termination, &'d Span), Vec<RegionDraft<'d>>, Vec<SectionDraft<'d>>, u32);

impl<'d> Reader<'d> {
    fn workflow(&mut self, root: &'d Node) -> Option<Parts<'d>> {
        let fields = self.fields(root, &WORKFLOW)?;
        let header = self.header(&fields);
        let mut inherited = Inherited::engine();
        if let Some(node) = fields.get("env") {
            self.env(node, &mut inherited, Site::Defaults);
        }
        if let Some(node) = fields.get("defaults") {
            inherited = self.defaults(node, inherited);
        }
        if let Some(node) = fields.get("definitions") {
            for entry in self.map(node, "definitions").unwrap_or_default() {
                self.name(&entry.key.text, &entry.key.span, "name of a definition");
            }
        }
        let mut stages = Vec::new();
        let (outside, priority) = (&inherited, header.priority);
        let is_at_the_end = StagePhase::is_at_the_end;
        let outer = |phase: StagePhase| {
            let is_at_the_end = is_at_the_end(phase);
            Outer { inherited: outside, priority, parent: None, phase, is_at_the_end }
        };
        match fields.get("stages") {
            Some(node) => {
                self.stages(node, outer(StagePhase::Body), &mut stages);
            }
            None => {
                self.report_with_help(
                    ProblemCode::NoStages,
                    &fields.node.span,
                    "no stages",
                    "write stages: { NAME: { run: TEXT } }",
                );
            }
        }
        if let Some(node) = fields.get("finally") {
            self.stages(node, outer(StagePhase::Finally), &mut stages);
        }
        if stages.len() > STAGES_MAX {
            let message = format!("{} stages, more than {STAGES_MAX}", stages.len());
            self.report(ProblemCode::TooManyStages, &fields.node.span, message);
        }
        self.correlate(&fields, &mut stages);
        self.report_copies(&fields.node.span);
        if header.workflow_type == WorkflowType::Orchestration
            && let n_stages = stages.iter().filter(|draft| draft.stage.block() == BlockId::ROOT).count()
            && n_stages > 1
            && let Some(node) = fields.get("type")
        {
            let message = format!("an ORCHESTRATION has exactly one stage, this has {n_stages}");
            self.report(ProblemCode::OneStageOnly, &node.span, message);
        }
        let outputs = fields.get("outputs").map(|node| self.outputs(node, Site::WorkflowOutputs)).unwrap_or_default();
        let termination = match fields.get("termination") {
            Some(node) => (self.choice(node, "termination", &Termination::ALL, Termination::name), &node.span),
            None => (None, &root.span),
        };
        let regions = fields.get("regions").map(|node| self.regions(node)).unwrap_or_default();
        let sections = fields.get("critical_sections").map(|node| self.critical_sections(node)).unwrap_or_default();
        let termination = (termination.0.unwrap_or_default(), termination.1);
        let max_jumps = fields.get("max_jumps").and_then(|node| self.integer(node, "max_jumps", 0, u32::MAX));
        Some((header, stages, outputs, (termination, regions, sections, max_jumps.unwrap_or(JUMPS))))
    }

    /// What the workflow says its splits are about holds for those that say nothing themselves.
    fn correlate(&mut self, fields: &Fields<'d>, stages: &mut [StageDraft<'d>]) {
        let Some(about) = self.split_correlation(fields) else { return };
        let asking = stages.iter_mut().filter(|draft| matches!(draft.split, SplitDraft::Conditional { .. }));
        for draft in asking {
            draft.stage.split_correlation.get_or_insert_with(|| about.clone());
        }
    }

    fn header(&mut self, fields: &Fields<'d>) -> Header {
        let name = match fields.get("name") {
            Some(node) => self.workflow_name(node),
            None => {
                let span = &fields.node.span;
                self.report_with_help(ProblemCode::MissingKey, span, "the workflow has no name", "write name: NAME");
                Template::Constant(Value::Null)
            }
        };
        let mut plain = |key, what| fields.get(key).and_then(|node| self.text(node, what)).map(str::to_owned);
        let application = plain("application", "application").unwrap_or_default();
        let version = plain("version", "version");
        let description = plain("description", "description");
        let workflow_type = fields
            .get("type")
            .and_then(|node| self.choice(node, "type of workflow", &WorkflowType::ALL, WorkflowType::name));
        let context = fields.get("context").map(|node| self.templates(node, Site::WorkflowContext, "context"));
        self.or_join_cycle(fields);
        Header {
            name,
            application,
            workflow_type: workflow_type.unwrap_or(WorkflowType::Pipeline),
            version,
            description,
            inputs: fields.get("inputs").map(|node| self.inputs(node)).unwrap_or_default(),
            context: context.unwrap_or_default().into_iter().collect(),
            times: self.times(fields),
            priority: self.priority(fields).unwrap_or(PRIORITY),
            leftover_tokens: self.leftover_tokens(fields),
            soundness: self.soundness(fields),
        }
    }

    fn soundness(&mut self, fields: &Fields<'d>) -> Soundness {
        let written = fields.get("soundness");
        written.and_then(|node| self.choice(node, "soundness", &Soundness::ALL, Soundness::name)).unwrap_or_default()
    }

    fn workflow_name(&mut self, node: &'d Node) -> Template {
        match &node.content {
            Content::Text(text) if text.trim().is_empty() => {
                self.report(ProblemCode::BadValue, &node.span, "the name of the workflow is empty");
                Template::Constant(Value::Null)
            }
            Content::Text(_) => self.template(node, Site::WorkflowName),
            Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::List(_)
            | Content::Map(_)
            | Content::Broken => {
                self.text(node, "the name of the workflow");
                Template::Constant(Value::Null)
            }
        }
    }

    fn leftover_tokens(&mut self, fields: &Fields<'d>) -> LeftoverTokens {
        let node = fields.get("leftover_tokens");
        let choices = (&LeftoverTokens::ALL, LeftoverTokens::name);
        let written = node.and_then(|node| self.choice(node, "leftover_tokens", choices.0, choices.1));
        written.unwrap_or(LeftoverTokens::Fail)
    }

    /// What joins that wait for each other do: they fail, and so far nothing else.
    fn or_join_cycle(&mut self, fields: &Fields<'d>) {
        if let Some(node) = fields.get("or_join_cycle") {
            self.choice_so_far(node, "or_join_cycle", &["fire_all"], (&["fail"], |meaning| meaning));
        }
    }

    /// `priority` of a workflow or stage.
    pub(super) fn priority(&mut self, fields: &Fields<'d>) -> Option<u8> {
        let number = fields.get("priority").and_then(|node| self.integer(node, "priority", 0, 9))?;
        u8::try_from(number).ok()
    }

    fn inputs(&mut self, node: &'d Node) -> BTreeMap<String, Input> {
        let mut inputs = BTreeMap::new();
        for entry in self.map(node, "inputs").unwrap_or_default() {
            self.name(&entry.key.text, &entry.key.span, "name of an input");
            let input = self.input(&entry.value);
            inputs.insert(entry.key.text.clone(), input);
        }
        inputs
    }

    /// A block that is one stage, under this name unless that says it itself.
    fn only_stage(&mut self, node: &'d Node, name: &str, around: Outer<'_>, stages: &mut Vec<StageDraft<'d>>) {
        let key = (!name.is_empty()).then_some((name, &node.span));
        self.place(node, key, around, stages);
    }

    /// `stages`: a map from ref id to stage, or a list of stages with `ref_id`. What is nested goes behind what is
    /// around it.
    fn stages(&mut self, node: &'d Node, around: Outer<'_>, stages: &mut Vec<StageDraft<'d>>) {
        let written: Vec<(Option<(&'d str, &'d Span)>, &'d Node)> = match &node.content {
            Content::Map(entries) => {
                let pair = |entry: &'d crate::definition::document::Entry| {
                    (Some((entry.key.text.as_str(), &entry.key.span)), &entry.value)
                };
                entries.iter().map(pair).collect()
            }
            Content::List(items) => items.iter().map(|item| (None, item)).collect(),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Broken => {
                return self.wrong_type(node, "stages is a map of stages, or a list of them");
            }
        };
        if written.is_empty() {
            self.report(ProblemCode::NoStages, &node.span, "no stages");
        }
        let total = stages.len() + written.len();
        if total > STAGES_MAX {
            let message = format!("{total} stages, more than {STAGES_MAX}");
            return self.report(ProblemCode::TooManyStages, &node.span, message);
        }
        for (key, node) in written {
            self.place(node, key, around, stages);
        }
    }

    /// Puts a stage behind the others, and what is nested in it behind that.
    fn place(
        &mut self,
        node: &'d Node,
        key: Option<(&str, &'d Span)>,
        around: Outer<'_>,
        stages: &mut Vec<StageDraft<'d>>,
    ) {
        let index = stages.len();
        let Some((draft, nested)) = self.stage(node, key, index, around) else { return };
        stages.push(draft);
        if let Some(Nested { blocks, inherited, priority }) = nested {
            for Part { phase, node, only } in blocks {
                let is_at_the_end = around.is_at_the_end || phase.is_at_the_end();
                let outer = Outer { inherited: &inherited, priority, parent: Some(index), phase, is_at_the_end };
                match only {
                    None => self.stages(node, outer, stages),
                    Some(name) => self.only_stage(node, &name, outer, stages),
                }
            }
        }
    }
}
