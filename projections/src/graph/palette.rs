//! The colours of pictures: one pair a status, in light and in dark surroundings, no two alike.

use stabilize::Status;

/// What something is filled and bordered with, as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colours {
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
}

/// The colours of a whole picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    pub(super) ground: Colours,
    pub(super) text: &'static str,
    pub(super) faint: &'static str,
    pub(super) arc: &'static str,
    /// Arcs that lead back.
    pub(super) back: &'static str,
    /// A stage of which nothing has happened, or of a definition.
    pub(super) plain: Colours,
    /// What joins, splits and conditions stand on.
    pub(super) mark: Colours,
    pub(super) status: fn(Status) -> Colours,
}

pub(super) const LIGHT: Palette = Palette {
    ground: Colours { fill: "#ffffff", line: "#d1d9e0" },
    text: "#1f2328",
    faint: "#59636e",
    arc: "#6e7781",
    back: "#8250df",
    plain: Colours { fill: "#f6f8fa", line: "#8c959f" },
    mark: Colours { fill: "#eaeef2", line: "#d1d9e0" },
    status: light,
};

pub(super) const DARK: Palette = Palette {
    ground: Colours { fill: "#0d1117", line: "#30363d" },
    text: "#e6edf3",
    faint: "#9198a1",
    arc: "#848d97",
    back: "#a371f7",
    plain: Colours { fill: "#161b22", line: "#6e7681" },
    mark: Colours { fill: "#21262d", line: "#3d444d" },
    status: dark,
};

fn light(status: Status) -> Colours {
    let (fill, line) = match status {
        Status::NotStarted => ("#f6f8fa", "#8c959f"),
        Status::Running => ("#ddf4ff", "#0969da"),
        Status::Paused => ("#fff8c5", "#9a6700"),
        Status::Suspended => ("#fdf3d1", "#7d6a00"),
        Status::Buffered => ("#e6f6f4", "#0f766e"),
        Status::Redirect => ("#e7e9ff", "#4f46e5"),
        Status::Succeeded => ("#dafbe1", "#1a7f37"),
        Status::FailedContinue => ("#fff1e5", "#bc4c00"),
        Status::Skipped => ("#eaeef2", "#59636e"),
        Status::Terminal => ("#ffebe9", "#cf222e"),
        Status::Canceled => ("#fbefff", "#8250df"),
        Status::Stopped => ("#ffeff7", "#bf3989"),
    };
    Colours { fill, line }
}

fn dark(status: Status) -> Colours {
    let (fill, line) = match status {
        Status::NotStarted => ("#161b22", "#6e7681"),
        Status::Running => ("#12233d", "#58a6ff"),
        Status::Paused => ("#2e2410", "#d29922"),
        Status::Suspended => ("#2b280f", "#b8a41d"),
        Status::Buffered => ("#0f2a28", "#2dd4bf"),
        Status::Redirect => ("#1e1f45", "#8b8cf9"),
        Status::Succeeded => ("#12291c", "#3fb950"),
        Status::FailedContinue => ("#2f1d10", "#f0883e"),
        Status::Skipped => ("#21262d", "#9198a1"),
        Status::Terminal => ("#331619", "#f85149"),
        Status::Canceled => ("#251a3a", "#a371f7"),
        Status::Stopped => ("#32152a", "#db61a2"),
    };
    Colours { fill, line }
}

/// The word for a status in names of styles: `failed_continue`.
pub(super) fn word(status: Status) -> String {
    status.name().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_statuses_look_alike() {
        for palette in [LIGHT, DARK] {
            let lines: BTreeSet<&str> = Status::ALL.iter().map(|status| (palette.status)(*status).line).collect();
            let fills: BTreeSet<&str> = Status::ALL.iter().map(|status| (palette.status)(*status).fill).collect();
            assert_eq!((lines.len(), fills.len()), (Status::ALL.len(), Status::ALL.len()));
        }
    }
}
