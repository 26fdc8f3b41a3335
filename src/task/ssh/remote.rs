//! What the other side runs: one shell, which reads its text from the connection and keeps the program with it.
//!
//! Command, variables and input go through the connection and stand in nobody's list of words: neither the client's nor
//! that of the shell on the other side. The whole text is one compound command, so that a text that was cut off begins
//! nothing.

use crate::task::outcome::TaskError;
use crate::task::settings::{Settings, plain, word};
use crate::value::Value;

/// What the client asks the other side to run. Every login shell there is understands it.
pub(super) const SHELL: &str = "exec /bin/sh";

/// Before the work. The watcher waits for the end of the connection's input: the attempt is to stop, or the connection
/// or the engine is gone. The server has made this shell the leader of a group, which `-$$` means.
const BEFORE: &str = r"asked=
exec 3<&0 </dev/null 4>&2 2>/dev/null
trap asked=1 TERM
(
trap '' TERM
cat <&3
kill -s TERM -- -$$
kill -s CONT -- -$$
sleep 5
kill -s KILL -- -$$
) >/dev/null 4>&- &
exec 3<&-
";

/// Behind the work. What it left running has a second if it was asked to end, and is killed when this shell has told
/// the exit code; else its streams would keep the connection open.
const BEHIND: &str = r#"code=$?
[ -z "$asked" ] || sleep 1
(
looks=0
while [ $looks -lt 1010 ] && kill -s 0 $$; do
looks=$((looks + 1))
[ $looks -lt 1000 ] || sleep 1
done
kill -s KILL -- -$$
) >/dev/null 4>&- &
exit $code
"#;

/// The text for the shell on the other side.
///
/// # Errors
///
/// Settings that cannot be meant, by their keys.
pub(super) fn script(settings: Settings<'_>, idempotency_key: &str) -> Result<String, TaskError> {
    let program = program(settings)?;
    // Some shells tell of a killed program by showing its command: nobody hears it, and it is a name without a value.
    let mut text = "{\nwork() {\n".to_owned();
    text += &format!("export STABILIZE_IDEMPOTENCY_KEY={}\n", quoted(idempotency_key));
    for (name, value) in environment(settings)? {
        text += &format!("export {name}={}\n", quoted(&value));
    }
    text += &format!("exec {program}\n}}\n");
    let work = match input(settings)? {
        Some(input) => {
            text += &format!("input() {{\nprintf %s {}\n}}\n", quoted(&input));
            "input 4>&- | ( work ) 2>&4 4>&-\n"
        }
        None => "( work ) 2>&4 4>&-\n",
    };
    Ok(text + BEFORE + work + BEHIND + "}\n")
}

/// The program and what it is given, each word quoted.
fn program(settings: Settings<'_>) -> Result<String, TaskError> {
    let expected = "a text, or a list of texts that begins with the program";
    let words = match settings.value("command") {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            Some(["/bin/sh", "-e", "-c", text].map(str::to_owned).to_vec())
        }
        Some(Value::List(items)) => items.iter().map(word).collect::<Option<Vec<String>>>(),
        Some(_) | None => None,
    };
    let Some(words) = words.filter(|words| !words.is_empty()) else {
        return Err(settings.refused("command", &format!("expected {expected}")));
    };
    if words[0].is_empty() || words[0].starts_with('-') {
        return Err(settings.refused("command", "its first word is no program"));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(settings.refused("command", "the character NUL cannot be given to a program"));
    }
    Ok(words.iter().map(|word| quoted(word)).collect::<Vec<String>>().join(" "))
}

/// The variables of the program.
fn environment(settings: Settings<'_>) -> Result<Vec<(String, String)>, TaskError> {
    let entries = settings.typed("environment", "a map", Value::as_map)?;
    let mut variables = Vec::new();
    for (name, value) in entries.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if !is_name || name.starts_with("STABILIZE_") {
            return Err(settings.refused("environment", &format!("{name:?} is no name of a variable")));
        }
        let value = plain(value);
        if value.contains('\0') {
            return Err(settings.refused("environment", &format!("{name} holds the character NUL")));
        }
        variables.push((name.clone(), value));
    }
    Ok(variables)
}

/// What the program reads.
fn input(settings: Settings<'_>) -> Result<Option<String>, TaskError> {
    let input = settings.value("stdin").map(plain);
    if input.as_ref().is_some_and(|input| input.contains('\0')) {
        return Err(settings.refused("stdin", "the character NUL cannot be sent"));
    }
    Ok(input)
}

/// One word for a POSIX shell, which it takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Output, Stdio};

    use super::*;
    use crate::task::tests::map;
    use crate::testing::needs;

    /// What a shell in a group of its own makes of a text that ends here.
    fn told(shell: &str, text: &[u8]) -> Output {
        use std::io::Write as _;
        let mut shell = Command::new(shell);
        let piped = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.process_group(0).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // It may have ended over what it has read.
        let _ = input.write_all(text);
        drop(input);
        child.wait_with_output().unwrap()
    }

    #[test]
    fn a_text_that_was_cut_off_begins_nothing() {
        let with = map(r#"{"command":"echo begun"}"#);
        let text = script(Settings::read("ssh", &with, &["command"]).unwrap(), "key").unwrap();
        let whole = text.trim_end().len();
        for end in (0..whole).step_by(7).chain([whole - 1]) {
            let output = told("/bin/sh", &text.as_bytes()[..end]);
            assert_eq!(output.stdout, b"", "{}", &text[..end]);
        }
    }

    #[test]
    fn a_shell_that_tells_of_a_killed_program_shows_no_value() {
        if !needs("bash") {
            return;
        }
        let with = map(r#"{"command":"kill -KILL $$","environment":{"TOKEN":"planted"},"stdin":"planted"}"#);
        let known = ["command", "environment", "stdin"];
        let text = script(Settings::read("ssh", &with, &known).unwrap(), "key").unwrap();
        let stderr = String::from_utf8(told("bash", text.as_bytes()).stderr).unwrap();
        assert!(!stderr.contains("planted"), "{stderr}");
    }

    #[test]
    fn a_word_is_quoted_for_any_posix_shell() {
        for (text, expected) in [("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$(x)\n`y`", "'$(x)\n`y`'")] {
            assert_eq!(quoted(text), expected);
        }
    }
}
