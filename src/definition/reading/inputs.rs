//! Reads the declarations of inputs.

use super::Reader;
use super::keys::{Fields, INPUT, ITEMS};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node};
use crate::definition::input::{Input, InputType, Pattern, Shape};
use crate::value::{Value, compare_numbers};

impl<'d> Reader<'d> {
    /// One input. What is broken is read as one that anything fits.
    pub(super) fn input(&mut self, node: &'d Node) -> Input {
        let Some(fields) = self.fields(node, &INPUT) else {
            return Input { shape: Shape::of(InputType::Any), default: None, secret: false, description: None };
        };
        let shape = self.shape(&fields, "an input");
        let secret = self.flag(&fields, "secret") == Some(true);
        if secret {
            self.check_secret(&fields, shape.input_type);
        }
        let default = fields.get("default").map(|node| self.constant(node));
        let description = fields.get("description").and_then(|node| self.text(node, "description")).map(str::to_owned);
        let input = Input { shape, default, secret, description };
        if let (Some(node), Some(value)) = (fields.get("default"), &input.default)
            && let Some(mismatch) = input.mismatch(value)
        {
            self.report(ProblemCode::BadDefault, &node.span, format!("the default {mismatch}"));
        }
        input
    }

    /// Nothing but that it is text is known of a secret before a task has it.
    fn check_secret(&mut self, fields: &Fields<'d>, input_type: InputType) {
        if let Some(node) = fields.get("type").filter(|_| input_type != InputType::String) {
            self.report(ProblemCode::ConflictingKeys, &node.span, "a secret input is of type string");
        }
        for key in ["enum", "min", "max", "pattern"].into_iter().filter_map(|key| fields.key(key)) {
            let message = format!("`{}` means nothing for a secret input, whose value is not looked at", key.text);
            self.report(ProblemCode::ConflictingKeys, &key.span, message);
        }
    }

    fn shape(&mut self, fields: &Fields<'d>, what: &str) -> Shape {
        let input_type = match fields.get("type") {
            Some(node) => self.choice(node, "type of input", &InputType::ALL, InputType::name),
            None => {
                let help = "write type: string, integer, number, boolean, list, map or any";
                self.report_with_help(ProblemCode::MissingKey, &fields.node.span, format!("{what} without type"), help);
                None
            }
        };
        let mut shape = Shape::of(input_type.unwrap_or(InputType::Any));
        shape.min = fields.get("min").and_then(|node| self.bound(node, "min", shape.input_type));
        shape.max = fields.get("max").and_then(|node| self.bound(node, "max", shape.input_type));
        if let (Some(min), Some(max), Some(node)) = (&shape.min, &shape.max, fields.get("max"))
            && let (Some(least), Some(most)) = (min.as_number(), max.as_number())
            && compare_numbers(least, most).is_gt()
        {
            self.report(ProblemCode::CrossedBounds, &node.span, format!("max is {max}, less than min, {min}"));
        }
        shape.pattern = fields.get("pattern").and_then(|node| self.pattern(node, shape.input_type));
        shape.items = fields.get("items").and_then(|node| self.items(node, shape.input_type)).map(Box::new);
        // Last, so that each value is held to all the rest.
        shape.choices = fields.get("enum").and_then(|node| self.choices(node, &shape));
        shape
    }

    fn choices(&mut self, node: &'d Node, shape: &Shape) -> Option<Vec<Value>> {
        let items = self.list(node, "enum")?;
        if items.is_empty() {
            self.report(ProblemCode::BadValue, &node.span, "enum is empty, so that no value fits");
        }
        let mut values = Vec::new();
        for item in items {
            let value = self.constant(item);
            if let Some(mismatch) = shape.mismatch(&value) {
                self.report(ProblemCode::BadChoice, &item.span, format!("this value {mismatch}"));
            }
            values.push(value);
        }
        Some(values)
    }

    fn bound(&mut self, node: &'d Node, key: &str, input_type: InputType) -> Option<Value> {
        if input_type == InputType::Boolean {
            self.report(ProblemCode::ConflictingKeys, &node.span, format!("{key} means nothing for a boolean"));
            return None;
        }
        let Content::Number(number) = &node.content else {
            self.wrong_type(node, &format!("{key} is a number"));
            return None;
        };
        Some(number.clone())
    }

    fn pattern(&mut self, node: &'d Node, input_type: InputType) -> Option<Pattern> {
        if !matches!(input_type, InputType::String | InputType::Any) {
            let message = format!("pattern means nothing for type {}", input_type.name());
            self.report(ProblemCode::ConflictingKeys, &node.span, message);
            return None;
        }
        let text = self.text(node, "pattern")?;
        Pattern::new(text)
            .map_err(|error| {
                self.report(ProblemCode::BadPattern, &node.span, format!("this is no regular expression: {error}"));
            })
            .ok()
    }

    fn items(&mut self, node: &'d Node, input_type: InputType) -> Option<Shape> {
        if input_type != InputType::List {
            let message = format!("items means nothing for type {}", input_type.name());
            self.report(ProblemCode::ConflictingKeys, &node.span, message);
            return None;
        }
        let fields = self.fields(node, &ITEMS)?;
        // For whoever reads the file; nothing shows it.
        fields.get("description").and_then(|node| self.text(node, "description"));
        Some(self.shape(&fields, "items"))
    }

    /// A value with nothing computed in it.
    fn constant(&mut self, node: &'d Node) -> Value {
        self.refuse_expressions(node);
        node.to_value()
    }

    fn refuse_expressions(&mut self, node: &Node) {
        match &node.content {
            Content::Text(text) => self.refuse_expression(node, text),
            Content::List(items) => items.iter().for_each(|item| self.refuse_expressions(item)),
            Content::Map(entries) => entries.iter().for_each(|entry| self.refuse_expressions(&entry.value)),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Broken => {}
        }
    }
}

impl Shape {
    /// Any value of this type.
    pub(in crate::definition) fn of(input_type: InputType) -> Shape {
        Shape { input_type, choices: None, min: None, max: None, pattern: None, items: None }
    }
}
