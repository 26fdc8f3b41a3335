//! Definitions from bytes.

use crate::definition::{Definition, Problems};

/// Reads the bytes as a definition, as YAML and as JSON. One that is accepted has a normal form that gives the same
/// definition; one that is refused has a problem with a place that can be shown.
///
/// # Panics
///
/// If one of that does not hold.
pub fn definition_parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for read in [Definition::from_yaml, Definition::from_json] {
        match read(&text) {
            Ok(definition) => check(&definition),
            Err(problems) => refused(&problems),
        }
    }
}

fn check(definition: &Definition) {
    let again = Definition::from_normal(definition.normal()).expect("a normal form is read back");
    assert_eq!(again.hash(), definition.hash(), "the normal form is that of another definition");
    assert_eq!(again.normal(), definition.normal(), "the normal form has another normal form");
}

fn refused(problems: &Problems) {
    assert!(problems.iter().next().is_some(), "a definition was refused without a reason");
    assert!(!problems.to_string().is_empty(), "a refusal says nothing");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PIECES: [&str; 44] = [
        "name: x\n",
        "stages:\n",
        "  a: { }\n",
        "  b: { needs: [a], run: \"true\" }\n",
        "  c:\n",
        "    needs: [a, b]\n",
        "    run: |\n",
        "      echo ${{ inputs.n }}\n",
        "    if: n > 1\n",
        "    join_type: XOR\n",
        "    split_type: AND\n",
        "    split_conditions: { c: n }\n",
        "    on_failure: continue\n",
        "    retry: { max_attempts: 2 }\n",
        "    timeout: 5s\n",
        "    uses: wait\n",
        "    with: { duration: 1s }\n",
        "    tasks:\n",
        "      - { run: x }\n",
        "inputs: { n: { type: integer, default: 1 } }\n",
        "outputs: { n: \"${{ n }}\" }\n",
        "env: { A: b }\n",
        "\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "- ",
        "\n",
        "&a ",
        "*a",
        "${{",
        "}}",
        "# ",
        "\t",
        "\u{e9}",
        "\u{0}",
        "|",
        ">-",
        "9999999999999999999999",
        "!!str ",
    ];

    fn texts() -> impl Strategy<Value = String> {
        let whole = "name: x\nstages:\n  a: { run: \"true\" }\n  b: { needs: [a], uses: noop }\n";
        prop_oneof![
            3 => prop::collection::vec(prop::sample::select(&PIECES[..]), 0..20).prop_map(|pieces| pieces.concat()),
            1 => (0..whole.len(), prop::sample::select(&PIECES[..]))
                .prop_map(move |(at, piece)| format!("{}{piece}{}", &whole[..at], &whole[at..])),
        ]
    }

    proptest! {
        #[test]
        fn text_like_a_definition_is_read_or_refused(text in texts()) {
            definition_parse(text.as_bytes());
        }

        #[test]
        fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            definition_parse(&bytes);
        }
    }

    #[test]
    fn deep_and_long_texts_are_refused() {
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "a".repeat(300_000), "- ".repeat(100_000)] {
            definition_parse(text.as_bytes());
        }
    }
}
