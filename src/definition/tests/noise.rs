//! Noise: whatever the text, there is an answer; and what is accepted is read back from its normal form.

use proptest::prelude::*;

use super::*;

fn answers(text: &str) {
    for read in [Definition::from_yaml, Definition::from_json] {
        match read(text) {
            Ok(definition) => {
                let back = Definition::from_normal(definition.normal()).unwrap();
                assert_eq!(back.graph(), definition.graph());
                assert_eq!(back.header(), definition.header());
                definition.warnings().to_string();
            }
            Err(problems) => {
                assert!(!problems.is_empty());
                problems.to_string();
            }
        }
    }
    let _ = Definition::from_normal(text);
}

/// Pieces of the language, so that noise gets far.
const PIECES: [&str; 30] = [
    "name: x\n",
    "stages:\n",
    "  a:\n",
    "    needs: [a, b]\n",
    "    run: ",
    "${{ inputs.x }}",
    "'",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "\n",
    "  ",
    "- ",
    "&a ",
    "*a",
    "|\n      ",
    ">-\n      ",
    "if: ",
    "split_type: XOR\n",
    "tasks:\n",
    "outputs: ",
    "!!str ",
    "<<: ",
    "# ",
    "\t",
    "é",
];

proptest! {
    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        answers(&text);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        answers(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn pieces_of_the_language_in_any_order_have_an_answer(pieces in prop::collection::vec(0..PIECES.len(), 0..40)) {
        answers(&pieces.into_iter().map(|piece| PIECES[piece]).collect::<String>());
    }

    #[test]
    fn a_changed_definition_has_an_answer(at in 0..EVERYTHING.len(), length in 0_usize..40, piece in pieces()) {
        answers(&changed(EVERYTHING, at, length, &piece));
    }

    #[test]
    fn a_changed_normal_form_has_an_answer(at in 0_usize..8_000, length in 0_usize..10, piece in noise()) {
        let _ = Definition::from_normal(&changed(read(EVERYTHING).normal(), at, length, &piece));
    }
}

/// Something to put in place of a part of a definition.
fn pieces() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<String>(), (0..PIECES.len()).prop_map(|at| PIECES[at].to_owned())]
}

/// The same for JSON.
fn noise() -> impl Strategy<Value = String> {
    "[\"a-z0-9{}:,\\[\\]]{0,4}"
}

/// `text` with up to `length` bytes from `at` on replaced.
fn changed(text: &str, at: usize, length: usize, piece: &str) -> String {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (boundary(at), boundary(at + length));
    format!("{}{piece}{}", &text[..start], &text[end..])
}
