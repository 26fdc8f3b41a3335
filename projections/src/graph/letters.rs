//! How wide text is on a terminal, and text cut to a width.

/// What stands where text was cut.
const CUT: char = '\u{2026}';

/// Ranges of letters that take two columns: scripts of East Asia, and pictures.
const WIDE: [(u32, u32); 12] = [
    (0x1100, 0x115f),
    (0x2e80, 0x303e),
    (0x3041, 0x33ff),
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0xa000, 0xa4cf),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0x1f300, 0x1faff),
    (0x20000, 0x3fffd),
];

/// Ranges of letters that stand on the one before them.
const NARROW: [(u32, u32); 8] = [
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
];

/// Columns of a letter: 0, 1 or 2.
pub(super) fn columns_of(letter: char) -> u32 {
    let code = u32::from(letter);
    let is_in = |ranges: &[(u32, u32)]| ranges.iter().any(|(first, last)| (*first..=*last).contains(&code));
    if is_in(&NARROW) { 0 } else { 1 + u32::from(is_in(&WIDE)) }
}

/// Columns of a text.
pub(super) fn columns(text: &str) -> u32 {
    text.chars().map(columns_of).sum()
}

/// Cells that a name needs in a picture, whose letters differ in width: more than its columns if it has many wide ones.
pub(super) fn room(name: &str) -> u32 {
    let tenths = |letter: char| match letter {
        'W' | 'M' | 'm' | 'w' | '@' | '%' => 17,
        'A'..='Z' => 12,
        'f' | 'i' | 'j' | 'l' | 'r' | 't' | '.' | ',' | ':' | ';' | '-' | '\'' | '|' => 7,
        letter => columns_of(letter) * 10,
    };
    name.chars().map(tenths).sum::<u32>().div_ceil(10).max(columns(name))
}

/// A text on one line, of at most so many columns. Line ends and blanks become one blank; other control characters,
/// with which a text could steer a terminal, are replaced; so are those that turn its direction.
pub(super) fn short(text: &str, most: u32) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        let is_steering = |letter: &char| {
            letter.is_control()
                || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        line.extend(word.chars().map(|letter| if is_steering(&letter) { '\u{fffd}' } else { letter }));
    }
    if columns(&line) <= most {
        return line;
    }
    let mut cut = String::new();
    let mut width = 1;
    for letter in line.chars() {
        width += columns_of(letter);
        if width > most {
            break;
        }
        cut.push(letter);
    }
    let mut cut = cut.trim_end().to_owned();
    cut.push(CUT);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_need_more_room_in_a_picture() {
        assert_eq!(["build", "WWWW", "mill", "\u{6f22}"].map(room), [5, 7, 4, 2]);
    }

    #[test]
    fn a_text_is_cut_to_its_columns_and_can_not_steer() {
        for (text, most, expected) in [
            ("short", 5, "short"),
            ("longer", 5, "long\u{2026}"),
            ("  two\n words ", 20, "two words"),
            ("two words", 5, "two\u{2026}"),
            ("a\u{1b}[2Jb\u{202e}", 20, "a\u{fffd}[2Jb\u{fffd}"),
            ("\u{6f22}\u{5b57}\u{6f22}\u{5b57}", 6, "\u{6f22}\u{5b57}\u{2026}"),
            ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"),
        ] {
            assert_eq!(short(text, most), expected, "{text:?}");
            assert!(columns(&short(text, most)) <= most);
        }
    }
}
