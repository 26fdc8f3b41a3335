//! The entries of one map of a document that code builds.

use crate::definition::document::{Content, Entry, Node};
use crate::value::Value;

/// Entries in the order in which they were first set.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<Entry>);

impl Fields {
    pub(super) fn new() -> Fields {
        Fields::default()
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Fields {
        self.set(key, value);
        self
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.set_node(key, node(&value.into()));
    }

    pub(super) fn set_node(&mut self, key: &str, node: Node) {
        match self.0.iter_mut().find(|entry| entry.key.text == key) {
            Some(entry) => entry.value = node,
            None => self.0.push(Entry::unplaced(key, node)),
        }
    }

    /// Sets all entries of `other`.
    pub(super) fn extend(&mut self, other: Fields) {
        for entry in other.0 {
            self.set_node(&entry.key.text, entry.value);
        }
    }

    /// Sets an entry of the map that stands under `key`.
    pub(super) fn set_in(&mut self, key: &str, name: String, node: Node) {
        let mut inner = Fields(match self.0.iter_mut().find(|entry| entry.key.text == key) {
            Some(Entry { value: Node { content: Content::Map(entries), .. }, .. }) => std::mem::take(entries),
            Some(_) | None => Vec::new(),
        });
        inner.set_node(&name, node);
        self.set_node(key, inner.into_node());
    }

    pub(super) fn set_value_in(&mut self, key: &str, name: String, value: impl Into<Value>) {
        self.set_in(key, name, node(&value.into()));
    }

    /// Adds an item to the list that stands under `key`.
    pub(super) fn push_in(&mut self, key: &str, item: Node) {
        let mut items = match self.0.iter_mut().find(|entry| entry.key.text == key) {
            Some(Entry { value: Node { content: Content::List(items), .. }, .. }) => std::mem::take(items),
            Some(_) | None => Vec::new(),
        };
        items.push(item);
        self.set_node(key, Node::unplaced(Content::List(items)));
    }

    /// Adds an entry to the map that stands under `key`, also one with the key of another: the reader tells.
    pub(super) fn push_entry_in(&mut self, key: &str, item: Entry) {
        let mut items = match self.0.iter_mut().find(|entry| entry.key.text == key) {
            Some(Entry { value: Node { content: Content::Map(items), .. }, .. }) => std::mem::take(items),
            Some(_) | None => Vec::new(),
        };
        items.push(item);
        self.set_node(key, Node::unplaced(Content::Map(items)));
    }

    /// The same of the map that stands under `inner` in the one under `key`.
    pub(super) fn push_entry_inside(&mut self, key: &str, inner: &str, item: Entry) {
        let mut fields = match self.0.iter_mut().find(|entry| entry.key.text == key) {
            Some(Entry { value: Node { content: Content::Map(items), .. }, .. }) => Fields(std::mem::take(items)),
            Some(_) | None => Fields::new(),
        };
        fields.push_entry_in(inner, item);
        self.set_node(key, fields.into_node());
    }

    pub(super) fn into_node(self) -> Node {
        Node::unplaced(Content::Map(self.0))
    }
}

/// The node of a value; a broken one for a value that is nested too deep to be walked.
pub(super) fn node(value: &Value) -> Node {
    match value.check_depth() {
        Ok(()) => Node::from_value(value),
        Err(_) => Node::unplaced(Content::Broken),
    }
}
