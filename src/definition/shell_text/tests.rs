//! Shell text held against the shells themselves: what a value holds arrives byte for byte and is never run.

use std::process::Command;

use proptest::prelude::*;

use super::{ShellText, ShellTextError};
use crate::definition::code::ProblemCode;
use crate::expression::Scope;

/// Reads shell text that has nothing wrong with it.
fn read(text: &str) -> ShellText {
    let reading = ShellText::read(text);
    assert!(reading.errors.is_empty(), "{text}: {:?}", reading.errors);
    reading.shell_text
}

/// The codes of what is wrong with a text.
fn refused(text: &str) -> Vec<ProblemCode> {
    let code = |error: ShellTextError| match error {
        ShellTextError::Place(problem) => problem.code,
        ShellTextError::Expression { .. } => ProblemCode::BadExpression,
    };
    ShellText::read(text).errors.into_iter().map(code).collect()
}

#[test]
fn a_value_becomes_a_reference_that_fits_the_quoting_around_it() {
    for (text, becomes) in [
        ("echo ${{ x }}", r#"echo "${STABILIZE_X1}""#),
        ("echo a${{ x }}b", r#"echo a"${STABILIZE_X1}"b"#),
        (r#"echo "a ${{ x }} b""#, r#"echo "a ${STABILIZE_X1} b""#),
        (r#"echo "$(cat ${{ x }})""#, r#"echo "$(cat "${STABILIZE_X1}")""#),
        (r#"echo "$(cat "${{ x }}")""#, r#"echo "$(cat "${STABILIZE_X1}")""#),
        ("echo `cat ${{ x }}`", r#"echo `cat "${STABILIZE_X1}"`"#),
        ("echo 'it' ${{ x }} 'is'", r#"echo 'it' "${STABILIZE_X1}" 'is'"#),
        (r"echo it\'s ${{ x }}", r#"echo it\'s "${STABILIZE_X1}""#),
        (r#"echo "a\"${{ x }}""#, r#"echo "a\"${STABILIZE_X1}""#),
        (
            "cat <<A\n${{ x }} \"${{ x }}\"\nA\necho ${{ x }}",
            "cat <<A\n${STABILIZE_X1} \"${STABILIZE_X1}\"\nA\necho \"${STABILIZE_X1}\"",
        ),
        ("cat <<-A\n\t${{ x }}\n\tA\necho ${{ x }}", "cat <<-A\n\t${STABILIZE_X1}\n\tA\necho \"${STABILIZE_X1}\""),
        (
            "cat <<A <<'B'\n${{ x }}\nA\nb\nB\necho ${{ x }}",
            "cat <<A <<'B'\n${STABILIZE_X1}\nA\nb\nB\necho \"${STABILIZE_X1}\"",
        ),
        ("cat <<A\n$(cat ${{ x }})\nA", "cat <<A\n$(cat \"${STABILIZE_X1}\")\nA"),
        (
            "x=$(case a in a) echo ${{ x }};; (b) echo c;; esac)\necho ${{ x }}",
            "x=$(case a in a) echo \"${STABILIZE_X1}\";; (b) echo c;; esac)\necho \"${STABILIZE_X1}\"",
        ),
        (r#"x="$(case a in a) echo case;; esac) ${{ x }}""#, r#"x="$(case a in a) echo case;; esac) ${STABILIZE_X1}""#),
        (r#"echo "$(echo ${A#*)} )" ${{ x }}"#, r#"echo "$(echo ${A#*)} )" "${STABILIZE_X1}""#),
        ("echo ${A:-${{ x }}} \"${A:-${{ x }}}\"", "echo ${A:-\"${STABILIZE_X1}\"} \"${A:-${STABILIZE_X1}}\""),
        ("echo \"${A:-it's ${{ x }}}\"", "echo \"${A:-it's ${STABILIZE_X1}}\""),
        ("( (echo ${{ x }}) )", "( (echo \"${STABILIZE_X1}\") )"),
        ("((echo a); (echo ${{ x }}))", "((echo a); (echo \"${STABILIZE_X1}\"))"),
        ("$((1 + (2)))${{ x }}", "$((1 + (2)))\"${STABILIZE_X1}\""),
        ("cat <<<${{ x }}", "cat <<<\"${STABILIZE_X1}\""),
        ("echo a#b ${{ x }}", "echo a#b \"${STABILIZE_X1}\""),
        ("sh -c 'echo \"$1\"' sh ${{ x }}", "sh -c 'echo \"$1\"' sh \"${STABILIZE_X1}\""),
        ("[[ ${{ x }} == a ]]", "[[ \"${STABILIZE_X1}\" == a ]]"),
        ("echo ${{ x }} ${{ y }} ${{ x }}", r#"echo "${STABILIZE_X1}" "${STABILIZE_X2}" "${STABILIZE_X1}""#),
        ("echo '$${{ x }}' $${{ y", "echo '${{ x }}' ${{ y"),
        ("echo # it's ${{ x\necho ${{ x }}", "echo # it's ${{ x\necho \"${STABILIZE_X1}\""),
        ("echo ${{ a[\"}}\"] }}", r#"echo "${STABILIZE_X1}""#),
        ("é=${{ x }}", "é=\"${STABILIZE_X1}\""),
    ] {
        assert_eq!(read(text).text, becomes, "{text}");
    }
}

#[test]
fn an_expression_where_no_variable_can_be_read_is_refused() {
    use ProblemCode::{
        BadExpression, TemplateInArithmetic, TemplateInQuotedHereDocument, TemplateInShellSyntax,
        TemplateInSingleQuotes, UnclosedExpression,
    };
    for (text, codes) in [
        ("echo '${{ x }}'", vec![TemplateInSingleQuotes]),
        ("echo '${{ x }} ${{ y }}' ${{ z }}", vec![TemplateInSingleQuotes, TemplateInSingleQuotes]),
        ("echo $'${{ x }}\\'${{ y }}'", vec![TemplateInSingleQuotes, TemplateInSingleQuotes]),
        ("cat <<'A'\n${{ x }}\nA", vec![TemplateInQuotedHereDocument]),
        ("cat <<\\A\n${{ x }}\nA", vec![TemplateInQuotedHereDocument]),
        ("cat <<\"A B\"\n${{ x }}\nA B\n${{ y }}", vec![TemplateInQuotedHereDocument]),
        ("cat <<${{ x }}\n", vec![TemplateInShellSyntax]),
        ("echo $((${{ x }} + 1))", vec![TemplateInArithmetic]),
        ("echo \"$((1 + ${{ x }}))\"", vec![TemplateInArithmetic]),
        ("echo $[${{ x }} + 1]", vec![TemplateInArithmetic]),
        ("for ((i = 0; i < ${{ x }}; i++)); do :; done", vec![TemplateInArithmetic]),
        ("[[ ${{ x }} -gt 1 ]]", vec![TemplateInArithmetic]),
        ("let x=${{ x }}", vec![TemplateInArithmetic]),
        ("declare -i x=${{ x }}", vec![TemplateInArithmetic]),
        ("a[${{ x }}]=1", vec![TemplateInArithmetic]),
        ("echo ${a[${{ x }}]}", vec![TemplateInArithmetic]),
        ("eval \"echo ${{ x }}\"", vec![TemplateInShellSyntax]),
        ("sh -ec \"echo ${{ x }}\"", vec![TemplateInShellSyntax]),
        ("sudo /bin/bash -c \"$(echo ${{ x }})\"", vec![TemplateInShellSyntax]),
        ("echo ${A#${{ x }}}", vec![TemplateInShellSyntax]),
        ("echo \\${{ x }}", vec![TemplateInShellSyntax]),
        ("echo ${{ x", vec![UnclosedExpression]),
        ("echo ${{ x + }}", vec![BadExpression]),
    ] {
        assert_eq!(refused(text), codes, "{text}");
    }
}

/// Texts that print the value of `x` and nothing else, and what stands around it there.
const PLACES: [&str; 17] = [
    "printf %s ${{ x }}",
    "printf %s \"${{ x }}\"",
    "y=${{ x }}; printf %s \"$y\"",
    "printf %s \"${NOT_SET:-${{ x }}}\"",
    "printf %s ${NOT_SET:-${{ x }}}",
    "f() { printf %s \"$1\"; }; f ${{ x }}",
    "case a in (a) printf %s ${{ x }};; esac",
    "if true; then printf %s ${{ x }}; fi # it's ${{ x }}",
    "sh -c 'printf %s \"$1\"' sh ${{ x }}",
    "for y in ${{ x }}; do printf %s \"$y\"; done",
    // The rest lose line ends at the end of the value, so a mark is put behind it.
    "y=\"$(printf %s. ${{ x }})\"; printf %s \"${y%.}\"",
    "y=\"$(printf %s. \"${{ x }}\")\"; printf %s \"${y%.}\"",
    "y=`printf %s. ${{ x }}`; printf %s \"${y%.}\"",
    "y=\"`printf %s. ${{ x }}`\"; printf %s \"${y%.}\"",
    "y=$(cat <<END\n${{ x }}.\nEND\n); printf %s \"${y%.}\"",
    "y=$(case a in a) printf %s. ${{ x }};; esac); printf %s \"${y%.}\"",
    "y=\"$(cat <<END\n$(printf %s. ${{ x }})\nEND\n)\"; printf %s \"${y%.}\"",
];

/// What `shell` prints when it runs the text with these values.
fn output(shell: &str, text: &ShellText, scope: &Scope) -> Vec<u8> {
    let values = text.render(scope).unwrap();
    let output = Command::new(shell).arg("-e").arg("-c").arg(&text.text).envs(values).output().unwrap();
    assert!(output.status.success(), "{shell}: {}\n{}", text.text, String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn arrives_everywhere(shell: &str, value: &str) {
    let scope = Scope::new().with("x", value);
    for place in PLACES {
        let printed = output(shell, &read(place), &scope);
        assert_eq!(String::from_utf8_lossy(&printed), value, "{shell}: {place}");
    }
}

#[test]
fn awkward_values_arrive_unchanged_and_are_never_run() {
    for value in [
        "",
        " ",
        "a  b",
        "'",
        "\"",
        "'; echo run; '",
        "\"; echo run; \"",
        "$(echo run)",
        "`echo run`",
        "${HOME}",
        "$HOME",
        "\\",
        "\\\\n\\",
        "a\nb\n",
        "\n",
        "*",
        "~",
        "-n",
        "END\necho run",
        "a)b",
        "#",
        "${{ y }}",
        "\t$((1+1))",
        "é\u{1f600}",
    ] {
        arrives_everywhere("/bin/sh", value);
        arrives_everywhere("bash", value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_value_arrives_unchanged(value in "['\"`$(){}\\\\\n\t a-c;&|<>*~#!é]{0,12}") {
        arrives_everywhere("/bin/sh", &value);
    }
}

/// A part of a word of shell text.
#[derive(Clone, Debug)]
enum Part {
    /// `${{ x }}`.
    Value,
    Literal(String),
    /// In single quotes, or with them as they are inside double ones.
    Single(String),
    Double(Vec<Part>),
    /// `$( )`, with a mark at its end because line ends are cut there.
    Substitution(Vec<Part>),
    /// `$( )` with a `case`.
    Case(Vec<Part>),
    /// Backticks around a value.
    Backticks,
    /// `${ :- }`
    Default(Vec<Part>),
    /// A here-document in `$( )`, with a mark at its end.
    HereDocument(Vec<Part>),
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let leaf = prop_oneof![
        2 => Just(Part::Value),
        1 => Just(Part::Backticks),
        1 => "[a-z #-]{0,3}".prop_map(Part::Literal),
        1 => "[a-z$`\"\\\\()#{}-]{0,4}".prop_map(Part::Single),
    ];
    let part = leaf.prop_recursive(4, 24, 3, |inner| {
        let inner = prop::collection::vec(inner, 0..3);
        prop_oneof![
            inner.clone().prop_map(Part::Double),
            inner.clone().prop_map(Part::Substitution),
            inner.clone().prop_map(Part::Case),
            inner.clone().prop_map(Part::Default),
            inner.prop_map(Part::HereDocument),
        ]
    });
    prop::collection::vec(part, 0..4)
}

/// What stands around a part.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Nothing,
    DoubleQuotes,
    HereDocument,
}

/// The text of these parts, and what it prints if `x` is `value`.
fn written(parts: &[Part], around: Around, value: &str) -> (String, String) {
    let mut text = String::new();
    let mut printed = String::new();
    for part in parts {
        let (part_text, part_printed) = written_part(part, around, value);
        text.push_str(&part_text);
        printed.push_str(&part_printed);
    }
    (text, printed)
}

fn written_part(part: &Part, around: Around, value: &str) -> (String, String) {
    // Outside quotes the output of `$( )` would be split into words.
    let quoted = |inside: String| if around == Around::Nothing { format!("\"{inside}\"") } else { inside };
    let double = if around == Around::HereDocument { around } else { Around::DoubleQuotes };
    match part {
        Part::Value => ("${{ x }}".to_owned(), value.to_owned()),
        Part::Literal(literal) => (quoted(literal.clone()), literal.clone()),
        Part::Single(literal) if around == Around::Nothing => (format!("'{literal}'"), literal.clone()),
        Part::Single(_) => ("'it's'".to_owned(), "'it's'".to_owned()),
        Part::Double(parts) => {
            let (text, printed) = written(parts, double, value);
            (quoted(text), printed)
        }
        Part::Substitution(parts) => {
            let (text, printed) = written(parts, Around::Nothing, value);
            (quoted(format!("$(printf %s ''{text}; printf . # it's\n)")), format!("{printed}."))
        }
        Part::Case(parts) => {
            let (text, printed) = written(parts, Around::Nothing, value);
            let case = format!("$(case a in b) ;; a | c) printf %s. ''{text};; esac)");
            (quoted(case), format!("{printed}."))
        }
        Part::Backticks => (quoted("`printf %s. ${{ x }}`".to_owned()), format!("{value}.")),
        Part::Default(parts) => {
            let (text, printed) = written(parts, double, value);
            // Single quotes inside are quotes to one shell and letters to another.
            let text = text.replace("'it's'", "");
            (quoted(format!("${{NOT_SET-{text}}}")), printed.replace("'it's'", ""))
        }
        Part::HereDocument(parts) => {
            let (text, printed) = written(parts, Around::HereDocument, value);
            // Each its own: bash ends a here-document at the first such line, dash at the last of nested ones.
            let end = text.len();
            (quoted(format!("$(cat <<END{end}\n{text}.\nEND{end}\n)")), format!("{printed}."))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_value_prints_as_itself_in_any_nesting_of_quotes(parts in parts(), value in "['\"`$(){}\\\\\n a;#]{0,6}") {
        let (text, printed) = written(&parts, Around::Nothing, &value);
        let text = format!("printf %s ''{text}");
        let scope = Scope::new().with("x", value.as_str());
        for shell in ["/bin/sh", "bash"] {
            let found = output(shell, &read(&text), &scope);
            prop_assert_eq!(String::from_utf8_lossy(&found), printed.as_str(), "{}: {}", shell, text);
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_scanner_panic(text in "[$({})\\[\\]`'\"\\\\<\\-A\n #x;&|}é]{0,60}") {
        ShellText::read(&format!("${{{{ x }}}}{text}"));
    }
}
