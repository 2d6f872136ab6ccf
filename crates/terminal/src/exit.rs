use std::process::ExitCode;

/// The exit codes of both programs. Scripts depend on them: a code never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Internal error.
    Internal = 1,
    /// Usage, configuration, missing flag, no home, no trusted root, wrong passphrase, unknown id.
    Usage = 2,
    /// Pushed whole, but the recorder is not at the target.
    NotAtTarget = 3,
    /// Refused by plan or policy; the recorder is untouched.
    Refused = 4,
    /// Rejected: pin mismatch, catalogue fault, damaged stick, metadata or container.
    Rejected = 5,
    /// Unreachable: source or recorder.
    Unreachable = 6,
    /// Failed; the recorder is untouched.
    Failed = 7,
    /// The recorder's state is not known.
    Unknown = 8,
    /// Credentials refused or account locked.
    Credentials = 9,
    /// Metadata expired.
    Expired = 10,
    /// The laptop is not isolated.
    NotIsolated = 11,
    /// Stick missing, full, read-only or failing its read-back.
    Stick = 12,
}

impl Exit {
    /// From the most urgent to the least: what a run over several recorders ends with.
    const URGENCY: [Self; 13] = [
        Self::Unknown,
        Self::NotAtTarget,
        Self::Credentials,
        Self::Failed,
        Self::Rejected,
        Self::Expired,
        Self::NotIsolated,
        Self::Stick,
        Self::Unreachable,
        Self::Refused,
        Self::Usage,
        Self::Internal,
        Self::Done,
    ];

    /// Every code with its meaning, as the help of both programs prints it.
    pub const HELP: &'static str = "\
Exit codes:
  0  done, or nothing to do
  1  internal error
  2  usage or configuration: missing flag, no home, no trusted root, wrong passphrase, unknown id
  3  pushed whole, but not at the target
  4  refused by plan or policy, recorder untouched
  5  rejected: pin mismatch, catalogue fault, damaged stick, metadata or container
  6  unreachable: source or recorder
  7  failed, recorder untouched
  8  recorder's state unknown
  9  credentials refused, account locked
 10  metadata expired
 11  laptop not isolated
 12  stick missing, full, read-only or failing its read-back";

    /// The more urgent of the two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        let rank = |exit| Self::URGENCY.iter().position(|e| *e == exit);
        if rank(self) <= rank(other) { self } else { other }
    }

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_the_most_urgent_not_the_highest() {
        assert_eq!(Exit::Unknown.worst(Exit::Stick), Exit::Unknown);
        assert_eq!(Exit::Stick.worst(Exit::NotAtTarget), Exit::NotAtTarget);
        assert_eq!(Exit::Done.worst(Exit::Internal), Exit::Internal);
    }

    #[test]
    fn urgency_and_help_name_every_code_once() {
        let mut codes: Vec<u8> = Exit::URGENCY.iter().map(|e| e.code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, (0..=12).collect::<Vec<u8>>());
        let listed: Vec<u8> = Exit::HELP
            .lines()
            .skip(1)
            .map(|l| l.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(listed, codes);
    }
}
