//! Reads YAML 1.2 into a document. Only user of `serde-saphyr`, of which it takes the event parser: a deserializer
//! would hide styles and places.
//!
//! Anchors and aliases are allowed within a budget; merge keys, tags and a second document are not. Plain scalars are
//! read by the core schema of YAML 1.2, so that `on`, `yes` and `12:30` are text.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span as ScanSpan, StrInput,
};

use super::code::ProblemCode;
use super::document::{Content, Entry, Key, Node, Span, WRITTEN_DEPTH_MAX};
use super::flow_hint;
use super::problem::Problem;
use crate::limits::ALIASED_NODES_MAX;
use crate::value::Value;

/// Reads the one document that `text` is; nothing after a syntax error, because the tree would be a guess.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    let parser = Parser::new_from_str_with_options(text, options);
    Composer { text, parser, problems, anchors: BTreeMap::new(), copied: 0 }.document().ok()
}

/// Reading cannot go on; the problem is reported.
struct Stopped;

struct Composer<'t, 'p> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    problems: &'p mut Vec<Problem>,
    /// What has an anchor and has been read to its end.
    anchors: BTreeMap<usize, Node>,
    /// Nodes that were copied for anchors and aliases so far.
    copied: usize,
}

impl<'t> Composer<'t, '_> {
    fn document(&mut self) -> Result<Node, Stopped> {
        let mut root = Node { content: Content::Null, span: Span::start() };
        let mut documents = 0;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(..) if documents > 0 => {
                    let message = "a second document begins here; a definition is one document";
                    return Err(self.stop(ProblemCode::SeveralDocuments, &span, message));
                }
                Event::DocumentStart(..) => documents += 1,
                event if event.is_node() => root = self.node(event, span, WRITTEN_DEPTH_MAX)?,
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Stopped> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(&span))),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, Span::start())),
        }
    }

    /// `levels` is how many lists and maps may still be opened here, one inside the other.
    fn node(&mut self, event: Event<'t>, span: Span, levels: usize) -> Result<Node, Stopped> {
        let anchor = event.anchor_id();
        let collection = matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
        if collection && levels == 0 {
            return Err(self.too_deep(&span));
        }
        if collection && event.tag().is_some() {
            self.report(ProblemCode::BadTag, &span, TAG_MESSAGE);
        }
        let content = match event {
            Event::SequenceStart(..) => self.list(levels - 1)?,
            Event::MappingStart(..) => self.map(levels - 1)?,
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.as_ref().map(|tag| tag.core_suffix().unwrap_or("").to_owned());
                self.scalar(&text, style, tag.as_deref(), &span)
            }
            Event::Alias(anchor) => return self.alias(anchor, &span, levels),
            Event::UnresolvedAlias(name) => {
                self.report(ProblemCode::UnknownAnchor, &span, format!("no anchor `&{name}` stands before this alias"));
                Content::Broken
            }
            _ => Content::Broken,
        };
        let node = Node { content, span };
        if let Some(anchor) = anchor {
            // The copy counts like one that an alias makes: anchors inside anchors would multiply.
            self.charge(extent(&node).nodes, &node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, levels: usize) -> Result<Content, Stopped> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(Content::List(items)),
                (event, span) if event.is_node() => items.push(self.node(event, span, levels)?),
                _ => {}
            }
        }
    }

    fn map(&mut self, levels: usize) -> Result<Content, Stopped> {
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(Content::Map(entries)),
                (event, span) if event.is_node() => self.key(event, span, levels)?,
                _ => continue,
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, levels)?;
            let Some(key) = key else { continue };
            if seen.insert(key.text.clone()) {
                entries.push(Entry { key, value });
            } else {
                let message = format!("key `{}` stands twice in this map", key.text);
                self.report(ProblemCode::DuplicateKey, &key.span, message);
            }
        }
    }

    /// A key, unless it is one that cannot be; that is reported, and its value is dropped.
    fn key(&mut self, event: Event<'t>, span: Span, levels: usize) -> Result<Option<Key>, Stopped> {
        if let Event::Scalar(text, ScalarStyle::Plain, _, None) = &event
            && text == "<<"
        {
            let problem = Problem::error(ProblemCode::MergeKey, &span, "merge keys are not understood")
                .with_help("an alias stands for a whole value; write the other keys out");
            self.problems.push(problem);
            return Ok(None);
        }
        if let Event::Scalar(text, _, _, None) = &event
            && !matches!(text.as_ref(), "" | "~")
        {
            let text = text.to_string();
            // Goes through the same way as a value only for the sake of its anchor.
            if event.anchor_id().is_some() {
                self.node(event, span.clone(), levels)?;
            }
            return Ok(Some(Key { text, span }));
        }
        match self.node(event, span, levels)? {
            Node { content: Content::Text(text), span } => Ok(Some(Key { text, span })),
            Node { content: Content::Broken, .. } => Ok(None),
            node => {
                self.report(ProblemCode::BadKey, &node.span, format!("a key is text, this is {}", node.kind()));
                Ok(None)
            }
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&str>, span: &Span) -> Content {
        match tag {
            None if style == ScalarStyle::Plain => self.plain(text, span),
            None | Some("str") => Content::Text(text.to_owned()),
            Some(_) => {
                self.report(ProblemCode::BadTag, span, TAG_MESSAGE);
                Content::Broken
            }
        }
    }

    /// A scalar without quotes, by the core schema of YAML 1.2 (10.3.2).
    fn plain(&mut self, text: &str, span: &Span) -> Content {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Content::Null,
            "true" | "True" | "TRUE" => return Content::Bool(true),
            "false" | "False" | "FALSE" => return Content::Bool(false),
            _ => {}
        }
        match number(text) {
            Scalar::Text => Content::Text(text.to_owned()),
            Scalar::Number(value) => Content::Number(value),
            Scalar::Bad(message) => {
                let problem = Problem::error(ProblemCode::BadNumber, span, message)
                    .with_help(format!("if it is text, put it in quotes: \"{text}\""));
                self.problems.push(problem);
                Content::Broken
            }
        }
    }

    /// The node an alias stands for, with the places of its definition.
    fn alias(&mut self, anchor: usize, span: &Span, levels: usize) -> Result<Node, Stopped> {
        let Some(node) = self.anchors.get(&anchor) else {
            self.report(ProblemCode::UnknownAnchor, span, "an alias stands inside the value it names");
            return Ok(Node { content: Content::Broken, span: span.clone() });
        };
        let Extent { nodes, depth } = extent(node);
        if depth > levels {
            return Err(self.too_deep(span));
        }
        self.charge(nodes, span)?;
        Ok(self.anchors.get(&anchor).cloned().unwrap_or(Node { content: Content::Broken, span: span.clone() }))
    }

    fn charge(&mut self, nodes: usize, span: &Span) -> Result<(), Stopped> {
        self.copied += nodes;
        if self.copied > ALIASED_NODES_MAX {
            let message = format!("anchors and aliases repeat more than {ALIASED_NODES_MAX} values");
            return Err(self.stop(ProblemCode::TooManyAliases, span, message));
        }
        Ok(())
    }

    fn report(&mut self, code: ProblemCode, span: &Span, message: impl Into<String>) {
        self.problems.push(Problem::error(code, span, message));
    }

    fn stop(&mut self, code: ProblemCode, span: &Span, message: impl Into<String>) -> Stopped {
        self.report(code, span, message);
        Stopped
    }

    fn too_deep(&mut self, span: &Span) -> Stopped {
        self.stop(ProblemCode::TooDeep, span, format!("nested deeper than {WRITTEN_DEPTH_MAX} levels"))
    }

    fn syntax_error(&mut self, error: &ScanError) -> Stopped {
        let marker = error.marker();
        let start = marker.byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        if let Some(expression) = flow_hint::unquoted_expression(self.text, start) {
            let message = "text that holds `${{` stands without quotes inside `{ }` or `[ ]`";
            let problem = Problem::error(ProblemCode::SyntaxError, &expression, message)
                .with_help("put the text in quotes: { run: \"echo ${{ x }}\" }; block style needs none");
            self.problems.push(problem);
            return Stopped;
        }
        let span = Span::text(small(marker.line()), small(marker.col() + 1), start..start);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return self.too_deep(&span);
        }
        let message = format!("this is not YAML: {}", error.kind());
        self.stop(ProblemCode::SyntaxError, &span, message)
    }
}

const TAG_MESSAGE: &str = "tags are not understood; write the value itself";

fn place(span: &ScanSpan) -> Span {
    let bytes = span.byte_range().unwrap_or(0..0);
    Span::text(small(span.start.line()), small(span.start.col() + 1), bytes)
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

struct Extent {
    nodes: usize,
    /// Lists and maps one inside the other.
    depth: usize,
}

fn extent(node: &Node) -> Extent {
    let over = |children: &mut dyn Iterator<Item = &Node>| {
        let mut sum = Extent { nodes: 1, depth: 0 };
        for child in children {
            let Extent { nodes, depth } = extent(child);
            sum = Extent { nodes: sum.nodes + nodes, depth: sum.depth.max(depth) };
        }
        Extent { depth: sum.depth + 1, ..sum }
    };
    match &node.content {
        Content::List(items) => over(&mut items.iter()),
        Content::Map(entries) => over(&mut entries.iter().map(|entry| &entry.value)),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Broken => {
            Extent { nodes: 1, depth: 0 }
        }
    }
}

/// What a plain scalar is, null and booleans aside.
enum Scalar {
    Text,
    Number(Value),
    Bad(&'static str),
}

fn number(text: &str) -> Scalar {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Scalar::Bad("not a number is no value");
    }
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Scalar::Bad("infinity is no value");
    }
    let radix = match digits.get(..2) {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        _ => None,
    };
    if let Some(radix) = radix
        && text == digits
        && digits.len() > 2
        && digits[2..].chars().all(|digit| digit.is_digit(radix))
    {
        return i128::from_str_radix(&digits[2..], radix)
            .map_or(Scalar::Bad(TOO_LARGE), |number| Scalar::Number(Value::Integer(number)));
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return Scalar::Bad("a number with a leading zero means different things to different readers");
        }
        let signed = if negative { text } else { digits };
        return signed.parse().map_or(Scalar::Bad(TOO_LARGE), |number| Scalar::Number(Value::Integer(number)));
    }
    if !is_real(digits) {
        return Scalar::Text;
    }
    let number = text.parse().ok().and_then(Value::number);
    number.map_or(Scalar::Bad("a number beyond what 64 bits can hold"), Scalar::Number)
}

const TOO_LARGE: &str = "an integer beyond 128 bits";

/// `[0-9]+ ( . [0-9]* )?` or `. [0-9]+`, then `( [eE] [-+]? [0-9]+ )?`.
fn is_real(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = &text[whole..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        fraction = digits(after);
        rest = &after[fraction..];
    }
    if whole + fraction == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}
