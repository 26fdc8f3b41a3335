//! Which definitions workflows may begin with: each is checked once, as strictly as it asks for, before the first.
//!
//! Asked in the thread of the caller. Nothing is decided about workflows here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::definition::{Definition, Soundness};
use crate::event::CheckRecord;
use crate::ids::DefinitionHash;
use crate::soundness::{CheckOptions, Verdict};

use super::error::Error;

/// What was found of definitions, by their hash: one entry for each that a workflow began with.
#[derive(Default)]
pub(super) struct Admissions(Mutex<HashMap<DefinitionHash, CheckRecord>>);

impl Admissions {
    /// May workflows of this definition begin, and of all that stand in its document?
    ///
    /// # Errors
    ///
    /// [`Error::Unsound`] if the policy of one of them refuses what checking it finds.
    pub(super) fn admit(&self, definition: &Definition) -> Result<(), Error> {
        if self.record(definition.hash()).is_some() {
            return Ok(());
        }
        for called in definition.members() {
            self.admit_one(&called)?;
        }
        // The last: once it is known, so are all that it calls.
        self.admit_one(definition)
    }

    fn admit_one(&self, definition: &Definition) -> Result<(), Error> {
        if definition.soundness() == Soundness::Off || self.record(definition.hash()).is_some() {
            return Ok(());
        }
        let verdict = definition.check(&CheckOptions::at_start());
        if verdict.is_refused() {
            return Err(Error::Unsound { message: refusal(definition, &verdict), verdict: Box::new(verdict) });
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(definition.hash(), verdict.record());
        Ok(())
    }

    /// What was found of the definition; `None` if it was not checked.
    pub(super) fn record(&self, definition: DefinitionHash) -> Option<CheckRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&definition).copied()
    }
}

/// Why, in a sentence: the worst that was found.
fn refusal(definition: &Definition, verdict: &Verdict) -> String {
    let (name, outcome, policy) = (definition.name(), verdict.outcome().name(), verdict.policy().name());
    let mut message = format!("the definition {name} is {outcome}, and its policy is {policy}");
    if let Some(finding) = verdict.findings().first() {
        let place = finding.stage().map(|stage| format!(" at {stage}")).unwrap_or_default();
        message += &format!(": {}{place}: {}", finding.code(), finding.message());
    }
    message
}
