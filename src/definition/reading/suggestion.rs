//! "Did you mean": the known name that an unknown one was probably meant to be.

/// Names longer than this are not compared: nobody mistypes them by a letter.
const LENGTH_MAX: usize = 64;

/// Candidates that are looked at: with more of them a slip is found by other means, and unknown names may be many.
const CANDIDATES_MAX: usize = 1_000;

/// The candidate closest to `name`, if it is close enough for a slip: one letter in three, or only another case.
pub(in crate::definition) fn closest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > LENGTH_MAX {
        return None;
    }
    let allowed = name.chars().count().div_ceil(3);
    candidates
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= LENGTH_MAX)
        .map(|candidate| (distance(&name.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete, replace or swap with their neighbour to make one name of the other.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            let mut least = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && letter == &right[column - 1] && &left[row - 1] == other {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["needs", "name", "timeout", "on_failure"];
        for (name, meant) in [
            ("need", Some("needs")),
            ("NEEDS", Some("needs")),
            ("tiemout", Some("timeout")),
            ("on_faliure", Some("on_failure")),
            ("banana", None),
            ("x", None),
        ] {
            assert_eq!(closest(name, keys.into_iter()), meant, "{name}");
        }
    }
}
