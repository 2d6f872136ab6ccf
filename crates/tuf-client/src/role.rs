use std::fmt;

/// The four top-level roles (specification §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Says which keys count for every role.
    Root,
    /// Says which snapshot is the newest.
    Timestamp,
    /// Says which targets metadata belong together.
    Snapshot,
    /// Says which target files are approved.
    Targets,
}

impl Role {
    /// All of them, in the order of the workflow.
    pub const ALL: [Self; 4] = [Self::Root, Self::Timestamp, Self::Snapshot, Self::Targets];

    /// The name in metadata, such as `timestamp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
        }
    }

    /// The file name without a version, such as `timestamp.json`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Root => "root.json",
            Self::Timestamp => "timestamp.json",
            Self::Snapshot => "snapshot.json",
            Self::Targets => "targets.json",
        }
    }

    /// The file name below `metadata/`: root always carries its version, timestamp never does, the
    /// others where snapshots are consistent (§6.2).
    pub fn versioned_file(self, version: u64, consistent_snapshot: bool) -> String {
        match self {
            Self::Timestamp => self.file().into(),
            Self::Snapshot | Self::Targets if !consistent_snapshot => self.file().into(),
            Self::Root | Self::Snapshot | Self::Targets => format!("{version}.{}", self.file()),
        }
    }

    /// More bytes than this are never read. A root with thirty keys has 10 KiB, a targets file with
    /// a hundred thousand releases 50 MiB.
    pub fn cap(self) -> u64 {
        match self {
            Self::Root => 512 << 10,
            Self::Timestamp => 64 << 10,
            Self::Snapshot => 4 << 20,
            Self::Targets => 64 << 20,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_files_as_section_6_2_does() {
        assert_eq!(Role::Root.versioned_file(7, false), "7.root.json");
        assert_eq!(Role::Timestamp.versioned_file(7, true), "timestamp.json");
        assert_eq!(Role::Snapshot.versioned_file(7, true), "7.snapshot.json");
        assert_eq!(Role::Targets.versioned_file(7, false), "targets.json");
    }
}
