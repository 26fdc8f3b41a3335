//! What a shell needs to complete the words of the command, made from the command line's own description.

pub(crate) use clap_complete::Shell;

use crate::args::CommandLine;

/// The name that is completed.
const NAME: &str = "stabilize";

/// The script that teaches `shell` to complete the command.
pub(crate) fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::grammar(), NAME, &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_verbs() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = String::from_utf8(script(shell)).unwrap();
            for word in ["why", "doctor", "completions", "resume"] {
                assert!(script.contains(word), "{shell}: no {word}");
            }
        }
    }
}
