//! Reads what is asked of the outputs of a task.

use super::Reader;
use super::keys::{Fields, VERIFICATION, VERIFICATION_RETRY};
use crate::definition::by_hand::ByHand;
use crate::definition::code::ProblemCode;
use crate::definition::document::Node;
use crate::definition::input::InputType;
use crate::definition::retry::RetryOn;
use crate::definition::verification::Verification;
use crate::failure::ErrorCode;

impl<'d> Reader<'d> {
    /// `verification` beside the work that `uses` names.
    pub(super) fn verification(&mut self, fields: &Fields<'d>, uses: &str) -> Option<Box<Verification>> {
        let (key, node) = (fields.key("verification")?, fields.get("verification")?);
        if ByHand::of(uses).is_some() {
            let help = "leave it out: who does the work says how it went";
            let message = format!("`verification` of `{uses}`, which people do");
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
        }
        self.asked_of_outputs(node).map(Box::new)
    }

    /// Refuses `verification` on a stage whose outputs are not those of one task.
    pub(super) fn refuse_verification(&mut self, fields: &Fields<'d>) {
        let Some(key) = fields.key("verification") else { return };
        let has = |key: &'static str| fields.get(key).is_some();
        if let Some(other) = ["tasks", "loop", "sub_workflow"].into_iter().find(|other| has(other)) {
            let message = format!("`verification` beside `{other}`");
            let help = "put it on a task, whose outputs it is about";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
        } else if !["run", "uses"].into_iter().any(has) {
            self.report(ProblemCode::MissingKey, &key.span, "`verification` without `run` or `uses`");
        }
    }

    fn asked_of_outputs(&mut self, node: &'d Node) -> Option<Verification> {
        let fields = self.fields(node, &VERIFICATION)?;
        let asks = ["required_keys", "types", "verifier"];
        if asks.into_iter().all(|key| fields.get(key).is_none()) {
            let help = "write required_keys, types or verifier";
            let message = "a verification that asks for nothing";
            self.report_with_help(ProblemCode::MissingKey, &node.span, message, help);
        }
        let mut asked = Verification::default();
        if let Some(node) = fields.get("required_keys") {
            asked.required_keys = self.output_names(node);
        }
        for entry in fields.get("types").and_then(|node| self.map(node, "types")).unwrap_or_default() {
            self.name(&entry.key.text, &entry.key.span, "name of an output");
            let written = self.choice(&entry.value, "type of an output", &InputType::ALL, InputType::name);
            asked.types.extend(written.map(|input_type| (entry.key.text.clone(), input_type)));
        }
        let verifier = fields.get("verifier").and_then(|node| self.some_text(node, "verifier"));
        asked.verifier = verifier.map(str::to_owned);
        if let Some(node) = fields.get("retry") {
            let mut policy = self.policy(node, &VERIFICATION_RETRY);
            policy.on = RetryOn { codes: [ErrorCode::VERIFICATION_FAILED].into(), ..RetryOn::default() };
            asked.retry = Some(policy);
        }
        Some(asked)
    }

    fn output_names(&mut self, node: &'d Node) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for item in self.list(node, "required_keys").unwrap_or_default() {
            let Some(text) = self.text(item, "the name of an output") else { continue };
            if names.iter().any(|name| name == text) {
                let message = format!("`{text}` stands twice in required_keys");
                self.report(ProblemCode::DuplicateReference, &item.span, message);
            } else if self.name(text, &item.span, "name of an output") {
                names.push(text.to_owned());
            }
        }
        names
    }
}
