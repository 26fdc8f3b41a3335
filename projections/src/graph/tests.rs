//! What holds of the drawing of every definition, and that each format is written as its readers expect it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use stabilize::testing::strategies::example_of;
use stabilize::{Config, Definition, Engine, Registry, Start, Status};

use super::layout::tests::assert_sound;
use super::letters::columns;
use super::*;

/// Definitions drawn at random that each property is held against.
const DRAWN: u64 = 200;

fn definition(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every definition among the examples, and those drawn at random.
fn definitions() -> Vec<Definition> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|name| name == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty());
    let examples = files.iter().map(|path| definition(&std::fs::read_to_string(path).unwrap()));
    examples.chain((0..DRAWN).map(|seed| example_of(seed).definition)).collect()
}

/// Their diagrams, and the same as if each stage had come to some status.
fn diagrams() -> &'static [Diagram] {
    static DIAGRAMS: LazyLock<Vec<Diagram>> = LazyLock::new(|| {
        let mut diagrams: Vec<Diagram> = definitions().iter().map(Diagram::of).collect();
        let statuses = Status::ALL.iter().cycle();
        let mut lively = diagrams.clone();
        for (shown, status) in lively.iter_mut().flat_map(|diagram| diagram.boxes_mut().iter_mut()).zip(statuses) {
            if !shown.is_end() {
                shown.set_status(*status);
            }
        }
        diagrams.extend(lively);
        diagrams
    });
    &DIAGRAMS
}

const LOOP: &[(usize, usize, Option<&str>)] =
    &[(0, 1, None), (1, 2, Some("again")), (2, 1, Some("not yet")), (1, 3, None), (3, 3, None)];

/// Its text form: what leads back is dashed, and what crosses goes under.
const LOOP_DRAWN: &str = "\
by hand

       ┌─────────┐
       │ start   │
       └────┬────┘
            ├┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┐
            ▽                  ┆
       ┌─────────┐             ┆
       │ try     │             ┆
       └────┬────┘             ┆
     ┌──────┴──────┐           ┆
   again           │           ┆
     │             ├┄┄┄┄┄┄┄┄┄┄┄│┄┄┄┄┄┄┄┐
     ▼             ▽           ┆       ┆
┌─────────┐   ┌─────────┐      ┆       ┆
│ look    │   │ done    │   not yet    ┆
└────┬────┘   └────┬────┘      ┆       ┆
     ┆             └┄┄┄┄┄┄┄┄┄┄┄│┄┄┄┄┄┄┄┘
     └┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘

dashed: leads back
";

fn by_hand() -> Diagram {
    Diagram::by_hand("by hand", &["start", "try", "look", "done"], LOOP)
}

#[test]
fn no_two_boxes_overlap_and_no_arc_crosses_a_box_in_any_definition() {
    for diagram in diagrams() {
        let drawing = diagram.draw().unwrap();
        assert_sound(&diagram.links(), drawing.layout());
    }
}

#[test]
fn every_text_has_room_in_its_box_and_every_label_on_its_arc() {
    for diagram in diagrams() {
        let drawing = diagram.draw().unwrap();
        for (shown, rect) in diagram.boxes().iter().zip(drawing.layout().boxes()) {
            let marks = shown.marks().map_or(0, |marks| columns(&marks) + 3);
            let others = shown.details().iter().map(String::as_str).map(columns).max().unwrap_or(0);
            let needed =
                (columns(shown.name()) + marks).max(others).max(shown.outcome().map_or(0, |text| columns(&text)));
            assert!(rect.width >= needed + 4, "{shown:?} in {rect:?}");
            let lines = 1 + shown.details().len() + usize::from(shown.status().is_some());
            assert!(rect.height as usize >= lines + 2, "{shown:?} in {rect:?}");
        }
        for (arc, route) in diagram.arcs().iter().zip(drawing.layout().routes()) {
            let room = route.label().map(|rect| rect.width);
            assert!(room >= arc.label().map(|label| columns(label) + 2), "{arc:?} in {route:?}");
        }
    }
}

#[test]
fn every_colour_and_mark_that_occurs_has_its_place_in_the_legend() {
    for diagram in diagrams() {
        let legend = diagram.legend();
        let statuses: BTreeSet<Status> = diagram.boxes().iter().filter_map(DiagramBox::status).collect();
        assert_eq!(legend.statuses().iter().copied().collect::<BTreeSet<_>>(), statuses);
        let has = |mark| legend.marks().contains(&mark);
        let signs: BTreeSet<&str> = legend.marks().iter().map(|mark| mark.sign()).collect();
        let is_marked = diagram.boxes().iter().all(|shown| {
            let join = shown.join().map(|join| format!("{} join", join.name()));
            let split = shown.split().map(|split| format!("{split} split"));
            join.into_iter().chain(split).all(|sign| signs.contains(sign.as_str()))
        });
        assert!(is_marked, "{legend:?}");
        assert_eq!(has(Mark::Back), diagram.directions().contains(&Direction::Back));
        let text = letters(diagram);
        let svg = diagram.draw().unwrap().to_svg();
        for status in statuses {
            assert!(text.contains(&format!("\u{25a0} {}", status.name())));
            assert!(svg.contains(&format!("class=\"box {}\"", status.name().to_lowercase())));
        }
    }
}

#[test]
fn an_arc_that_leads_back_is_marked_in_every_format() {
    let diagram = by_hand();
    let drawing = diagram.draw().unwrap();
    assert_sound(&diagram.links(), drawing.layout());
    let back = [Direction::Forward, Direction::Forward, Direction::Back, Direction::Forward, Direction::Back];
    assert_eq!(diagram.directions(), back);
    assert_eq!(diagram.legend().marks(), [Mark::Back]);
    assert_eq!(drawing.to_svg().matches("class=\"arc back\"").count(), 3, "two arcs and the legend");
    assert!(diagram.to_mermaid().contains("s2 -.->|\"not yet\"| s1"), "{}", diagram.to_mermaid());
    assert!(diagram.to_dot().contains("s2 -> s1 [label=\"not yet\", style=dashed"), "{}", diagram.to_dot());
    assert_eq!(letters(&diagram), LOOP_DRAWN);
}

/// The text form, as it is without colours.
fn letters(diagram: &Diagram) -> String {
    let lines = diagram.draw().unwrap().to_text().unwrap();
    let line = |line: &TextLine| line.pieces().iter().map(|piece| piece.text.as_str()).collect::<String>() + "\n";
    lines.iter().map(line).collect()
}

#[test]
fn a_workflow_is_drawn_with_what_has_become_of_its_stages() {
    let text = "
name: live
stages:
  a: { uses: noop }
  b: { needs: [a], split_type: XOR, split_conditions: { c: 'false', $end: 'false' }, split_default: d }
  c: { needs: [b], uses: noop }
  d: { needs: [b], uses: fail, on_failure: continue }
";
    let engine = Engine::open(Config::memory(), Registry::with_builtins()).unwrap();
    let id = engine.submit(&definition(text), Start::new()).unwrap();
    let view = engine.wait(id, std::time::Duration::from_secs(20)).unwrap();
    let diagram = Diagram::of_workflow(&view);
    assert_eq!((diagram.status(), diagram.subtitle()), (Some(view.status()), Some(id.to_string().as_str())));
    let statuses: Vec<Option<Status>> = diagram.boxes().iter().map(DiagramBox::status).collect();
    let (good, skipped, failed) = (Some(Status::Succeeded), Some(Status::Skipped), Some(Status::FailedContinue));
    assert_eq!(statuses, [good, good, skipped, failed, None]);
    let labels: Vec<Option<&str>> = diagram.arcs().iter().map(DiagramArc::label).collect();
    assert_eq!(labels, [None, Some("1: false"), Some("2: false"), Some("default")]);
    assert!(diagram.arcs()[3].is_default() && diagram.boxes()[4].is_end());
}

#[test]
fn text_without_colours_is_as_wide_as_its_layout_and_has_no_control_characters() {
    for diagram in diagrams() {
        let drawing = diagram.draw().unwrap();
        let text = letters(diagram);
        // Behind the title and a blank line.
        for line in text.lines().skip(2).take(drawing.layout().height() as usize) {
            let is_plain = !line.ends_with(' ') && !line.contains(char::is_control);
            assert!(is_plain && columns(line) <= drawing.layout().width(), "{text}");
        }
    }
}

#[test]
fn a_drawing_of_too_many_cells_is_refused() {
    let names: Vec<String> = (0..2_000).map(|place| format!("stage-{place}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // A long chain beside a wide fork.
    let arcs: Vec<_> =
        (1..1_000).map(|to| (to - 1, to, None)).chain((1_001..2_000).map(|to| (1_000, to, None))).collect();
    let diagram = Diagram::by_hand("wide", &names, &arcs);
    let error = diagram.draw().unwrap().to_text().unwrap_err();
    assert_eq!((error.what, error.limit), ("cells", stabilize::limits::DRAWN_CELLS_MAX));
}

/// Texts that mean something in one of the formats.
const HOSTILE: &[&str] =
    &["a \"b\" <c> & 'd'", "]]> --> %%{", "back\\slash\\", "#35; `x` |y| {z}", "\u{1b}[31m\u{202e}", "end"];

fn hostile() -> Diagram {
    let boxes = HOSTILE.len();
    let arcs: Vec<_> = (1..boxes).map(|to| (to - 1, to, Some(HOSTILE[to]))).collect();
    Diagram::by_hand("%%{init: {}}%% \"<&>\\", HOSTILE, &arcs)
}

#[test]
fn svg_is_well_formed_whatever_the_names_are() {
    for diagram in diagrams().iter().chain([&hostile(), &by_hand()]) {
        let svg = diagram.draw().unwrap().to_svg();
        well_formed(&svg);
    }
}

/// Holds a text to the part of XML that pictures use: elements that close as they open, attributes in double quotes,
/// the four entities.
fn well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain(&rest[..at]);
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{tag}");
        let attributes = tag[name.len()..].trim_end_matches('/');
        let pieces: Vec<&str> = attributes.split('"').collect();
        assert!(pieces.len() % 2 == 1, "{tag}");
        for (key, value) in pieces.iter().step_by(2).zip(pieces.iter().skip(1).step_by(2)) {
            let key = key.trim();
            assert!(
                key.ends_with('=') && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=-".contains(&byte)),
                "{tag}"
            );
            plain(value);
        }
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    plain(rest);
    assert!(open.is_empty(), "{open:?} in {text}");
}

fn plain(text: &str) {
    assert!(
        !text.contains(['<', '>']) && !text.contains(|letter: char| letter.is_control() && letter != '\n'),
        "{text}"
    );
    for entity in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)), "{text}");
    }
}

#[test]
fn mermaid_and_dot_say_the_same_boxes_and_arcs_whatever_the_names_are() {
    for diagram in diagrams().iter().chain([&hostile(), &by_hand()]) {
        let expected: Vec<(usize, usize)> = diagram.arcs().iter().map(|arc| (arc.from(), arc.to())).collect();
        let (boxes, arcs) = mermaid_read(&diagram.to_mermaid());
        assert_eq!((boxes.len(), &arcs), (diagram.boxes().len(), &expected));
        for (shown, text) in diagram.boxes().iter().zip(boxes.values()) {
            assert_eq!(*text, shown.lines().collect::<Vec<_>>().join("\n"));
        }
        let (boxes, arcs) = dot_read(&diagram.to_dot());
        assert_eq!((boxes.len(), &arcs), (diagram.boxes().len(), &expected));
        for (shown, text) in diagram.boxes().iter().zip(boxes.values()) {
            assert_eq!(*text, shown.lines().collect::<Vec<_>>().join("\n"));
        }
    }
}

type Read = (BTreeMap<usize, String>, Vec<(usize, usize)>);

fn stage(word: &str) -> Option<usize> {
    word.trim().strip_prefix('s')?.parse().ok()
}

/// The boxes with their texts and the arcs of a flowchart, line by line.
fn mermaid_read(text: &str) -> Read {
    let (mut boxes, mut arcs) = (BTreeMap::new(), Vec::new());
    let mut lines = text.lines();
    let title = lines.next().unwrap().strip_prefix("%% ").expect("a comment");
    assert!(!title.contains('%') && lines.next() == Some("flowchart TD"), "{text}");
    for line in lines.map(str::trim) {
        if let Some(arrow) = [" -->", " -.->"].into_iter().find(|arrow| line.contains(arrow)) {
            let (from, rest) = line.split_once(arrow).unwrap();
            let to = match rest.strip_prefix("|\"") {
                Some(rest) => {
                    let (label, to) = rest.split_once("\"| ").expect("a label ends");
                    unescaped(label);
                    to
                }
                None => rest,
            };
            arcs.push((stage(from).unwrap(), stage(to).unwrap()));
        } else if let Some((name, rest)) =
            line.split_once(['[', '(']).filter(|_| line.starts_with('s') && line.ends_with(['"', ']', ')']))
        {
            let text = rest.trim_start_matches('[').trim_end_matches([']', ')']);
            let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect("a quoted text");
            let lines: Vec<String> = text.split("<br/>").map(unescaped).collect();
            boxes.insert(stage(name).unwrap(), lines.join("\n"));
        }
    }
    (boxes, arcs)
}

/// What a flowchart shows of a text in quotes, of which nothing means anything but `#NUMBER;`.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('#');
    let mut shown = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once(';').expect("a number ends");
        shown.push(char::from_u32(number.parse().unwrap()).unwrap());
        shown.push_str(rest);
    }
    assert!(!text.contains(['"', '`', '<', '>', '[', ']', '{', '}', '|', '\\', '&']), "{text}");
    shown
}

/// The boxes with their texts and the arcs of a graph of Graphviz, read token by token.
fn dot_read(text: &str) -> Read {
    let (mut boxes, mut arcs) = (BTreeMap::new(), Vec::new());
    let tokens = dot_tokens(text);
    assert_eq!((tokens[0].as_str(), tokens[2].as_str()), ("digraph", "{"));
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(["{", "["].contains(&token.as_str())) - i32::from(["}", "]"].contains(&token.as_str()));
        if token == "->" {
            arcs.push((stage(&tokens[at - 1]).unwrap(), stage(&tokens[at + 1]).unwrap()));
        } else if token == "label"
            && tokens[at - 1] == "["
            && let Some(place) = stage(&tokens[at - 2]).filter(|_| at < 4 || tokens[at - 3] != "->")
        {
            let label = tokens[at + 2].strip_prefix('"').expect("a quoted text");
            boxes.insert(place, label.to_owned());
        }
    }
    assert_eq!(depth, 0, "{text}");
    (boxes, arcs)
}

/// Words, signs and quoted texts; a text is given without its escapes, after one quote.
fn dot_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut token = String::from(letter);
        match letter {
            ' ' | '\n' | ',' => continue,
            '"' => loop {
                match letters.next().expect("a text ends") {
                    '"' => break,
                    '\\' => token.push(match letters.next() {
                        Some('n') => '\n',
                        Some(letter @ ('"' | '\\')) => letter,
                        other => panic!("an escape of {other:?} in {text}"),
                    }),
                    letter => token.push(letter),
                }
            },
            '-' if letters.peek() == Some(&'>') => token.extend(letters.next()),
            '{' | '}' | '[' | ']' | '=' => {}
            _ => {
                while let Some(letter) = letters.next_if(|letter| letter.is_alphanumeric() || "._".contains(*letter)) {
                    token.push(letter);
                }
            }
        }
        tokens.push(token);
    }
    tokens
}

#[test]
fn a_stage_says_how_many_instances_it_has_and_what_it_waits_for() {
    let text = "
name: x
stages:
  a: { mi_config: { count: 5, join_threshold: 3 } }
  b: { mi_config: { count_from_context: n, sync_on_complete: false } }
  c: { matrix: { os: [l, m], version: [1, 2] } }
  d: { mi_config: { collection_from_context: l, sequential: true, completion_condition: done > 1 } }
  e: { needs: [a], trigger: { signal: go }, deferred_choice_group: g }
  f: { needs: [a], trigger: { timer: 90s }, deferred_choice_group: g }
";
    let diagram = Diagram::of(&definition(text));
    let expected: [&[&str]; 6] = [
        &["5 instances", "until 3 are done"],
        &["n instances", "not waited for"],
        &["for each os, version"],
        &["for each of l, one by one", "until done > 1"],
        &["signal go", "choice: g"],
        &["after 1m30s", "choice: g"],
    ];
    for (shown, expected) in diagram.boxes().iter().zip(expected) {
        assert!(expected.iter().all(|detail| shown.details().iter().any(|shown| shown == detail)), "{shown:?}");
    }
}

#[test]
fn a_stage_that_may_jump_anywhere_says_so_and_has_no_arc_for_it() {
    let diagram = Diagram::of(&definition("name: x\nstages: { a: { jump_targets: any }, b: { needs: [a] }, c: }"));
    assert_eq!(diagram.boxes()[0].details().iter().filter(|detail| *detail == "may jump anywhere").count(), 1);
    assert_eq!(diagram.arcs().len(), 1);
}
