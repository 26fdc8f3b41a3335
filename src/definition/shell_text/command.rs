//! What the words of shell commands mean for the expressions in them: reserved words, and commands that run their
//! arguments as code.

use std::ops::Range;

use super::refusal::{ARITHMETIC, EVAL, INNER_SHELL, Refusal};

/// What the words of a command mean for the expressions in those that follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Nothing yet.
    Plain,
    /// `let`.
    Computes,
    /// `eval`.
    Evaluates,
    /// `declare` and its like, which compute after an option with `i`.
    Declares,
    /// The name of a shell.
    Shell,
    /// A shell and its option `-c`: the next word is code.
    CodeNext,
    /// That word.
    Code,
}

/// State of a stretch of commands.
pub(super) struct Commands {
    pub(super) openers: Vec<Opener>,
    /// A reserved word would be understood here.
    pub(super) command_start: bool,
    /// A word is being read.
    pub(super) in_word: bool,
    /// It is an element of an array, up to its `]`: an index is computed.
    pub(super) in_subscript: bool,
    pub(super) command: Command,
    /// Inside `[[ ]]`: the expressions in it, and whether an operator there computes.
    pub(super) test: Option<Test>,
    /// Why expressions are refused in all of it.
    pub(super) refusal: Option<Refusal>,
}

#[derive(Default)]
pub(super) struct Test {
    pub(super) expressions: Vec<Range<usize>>,
    pub(super) computes: bool,
}

impl Commands {
    /// The start of a stretch in which expressions are refused for this reason, if there is one.
    pub(super) fn new(refusal: Option<Refusal>) -> Commands {
        Commands {
            openers: Vec::new(),
            command_start: true,
            in_word: false,
            in_subscript: false,
            command: Command::Plain,
            test: None,
            refusal,
        }
    }

    /// What follows is another command.
    pub(super) fn new_command(&mut self) {
        self.command_start = true;
        self.command = Command::Plain;
    }

    /// Takes note of a word without quotes and expansions.
    pub(super) fn plain_word(&mut self, word: &str) {
        let start = std::mem::replace(&mut self.command_start, false);
        match word {
            "in" if self.openers.last() == Some(&Opener::CaseWord) => {
                self.openers.pop();
                self.openers.push(Opener::Case);
                self.command_start = true;
            }
            "case" if start => self.openers.push(Opener::CaseWord),
            "esac" if start && self.openers.last() == Some(&Opener::Case) => {
                self.openers.pop();
            }
            "if" | "then" | "else" | "elif" | "while" | "until" | "do" | "!" | "{" | "time" => {
                self.command_start = start;
            }
            "[[" if start => self.test = Some(Test::default()),
            "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                if let Some(test) = &mut self.test {
                    test.computes = true;
                }
            }
            _ => self.command = self.command.after(word),
        }
    }

    /// Why expressions are refused in the word that begins.
    pub(super) fn refusal_of_word(&mut self) -> Option<Refusal> {
        if self.command == Command::Code {
            self.command = Command::Plain;
        }
        if self.command == Command::CodeNext {
            self.command = Command::Code;
        }
        let own = match self.command {
            Command::Computes => Some(ARITHMETIC),
            Command::Evaluates => Some(EVAL),
            Command::Code => Some(INNER_SHELL),
            Command::Plain | Command::Declares | Command::Shell | Command::CodeNext => None,
        };
        self.refusal.or(own)
    }
}

impl Command {
    fn after(self, word: &str) -> Command {
        let option = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        let has = |letter: char| option.is_some_and(|letters| letters.contains(letter));
        match (self, word.rsplit('/').next().unwrap_or(word)) {
            (Command::Plain, "let") => Command::Computes,
            (Command::Plain, "eval") => Command::Evaluates,
            (Command::Plain, "declare" | "typeset" | "local") => Command::Declares,
            (Command::Plain, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh") => Command::Shell,
            (Command::Declares, _) if has('i') => Command::Computes,
            (Command::Shell, _) if has('c') => Command::CodeNext,
            (command, _) => command,
        }
    }
}

/// What a `)` in commands may close.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    Parenthesis,
    /// `case` until its `in`.
    CaseWord,
    /// A `case` whose patterns end in `)`.
    Case,
}
