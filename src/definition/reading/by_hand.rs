//! Reads what tasks that people do are given: who is asked, what they are told, what a deadline and a rejection mean.

use std::collections::BTreeMap;

use super::Reader;
use super::keys::{APPROVAL, MANUAL};
use crate::definition::by_hand::{ByHand, OnDeadline, OnReject};
use crate::definition::document::{Content, Node};
use crate::definition::site::Site;
use crate::definition::template::Template;
use crate::value::Value;

impl<'d> Reader<'d> {
    /// `with` of such a task, its defaults filled in.
    pub(super) fn with_of_people(
        &mut self,
        what: ByHand,
        node: Option<&'d Node>,
        site: Site,
    ) -> BTreeMap<String, Template> {
        let level = if what == ByHand::Approval { &APPROVAL } else { &MANUAL };
        let fields = node.and_then(|node| self.fields(node, level));
        let get = |key| fields.as_ref().and_then(|fields| fields.get(key));
        let mut options = BTreeMap::new();
        if let Some(node) = get("prompt") {
            if matches!(node.content, Content::Text(_)) {
                options.insert("prompt".to_owned(), self.open_template(node, site, "whoever is asked"));
            } else {
                self.wrong_type(node, "a prompt is text");
            }
        }
        if what == ByHand::Manual {
            return options;
        }
        if let Some(node) = get("roles") {
            let items = self.list(node, "roles").unwrap_or_default();
            let roles: Vec<Value> =
                items.iter().filter_map(|item| self.some_text(item, "a role")).map(Value::from).collect();
            options.insert("roles".to_owned(), Template::Constant(Value::List(roles)));
        }
        let on_deadline = get("on_deadline")
            .and_then(|node| self.choice(node, "on_deadline", &OnDeadline::ALL, OnDeadline::name))
            .unwrap_or(OnDeadline::Fail);
        let on_reject = get("on_reject")
            .and_then(|node| self.choice(node, "on_reject", &OnReject::ALL, OnReject::name))
            .unwrap_or(OnReject::Fail);
        for (key, name) in [("on_deadline", on_deadline.name()), ("on_reject", on_reject.name())] {
            options.insert(key.to_owned(), Template::Constant(Value::from(name)));
        }
        options
    }
}
