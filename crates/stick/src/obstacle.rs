use jiff::Timestamp;

use crate::media::ReadOnly;

/// Why a stick cannot be written; nothing on it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// It takes no writes, and some are needed.
    #[error("it cannot be written: {0}")]
    ReadOnly(ReadOnly),
    /// Old and new do not fit beside each other.
    #[error("it is full: {needed} bytes are needed beside what is there, {free} are free")]
    Full {
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// Its file system cannot hold it.
    #[error("{name} of {length} bytes is larger than a file can be on it, {largest} bytes (FAT32)")]
    TooLarge {
        /// Consistent name.
        name: String,
        /// Bytes.
        length: u64,
        /// Bytes.
        largest: u64,
    },
    /// Another depot's root lies there.
    #[error("{0} is of another depot: this stick carries a publication that is not ours")]
    OtherDepot(String),
    /// What lies there was published by this depot later than what is to be written, or beside it.
    #[error(
        "it carries publication {there} of this depot{}, which is not older than publication {ours} of this home",
        signed_at.map_or_else(String::new, |at| format!(", signed on {}", at.strftime("%F %H:%M UTC")))
    )]
    Newer {
        /// Version of the timestamp that is there.
        there: u64,
        /// When it was signed, where it says so.
        signed_at: Option<Timestamp>,
        /// Version of the timestamp that is to be written.
        ours: u64,
    },
    /// A root of this depot lies there that this home does not have.
    #[error("{0} is a later root of this depot, which this home does not have")]
    NewerRoot(String),
    /// Two targets of the publication would lie in one place on a FAT.
    #[error("{1} cannot lie beside {0}: FAT takes their paths for one")]
    Twins(String, String),
    /// A link, device or pipe lies below our folder, or a file where a folder of ours belongs, or the other way.
    #[error("{path} {what}")]
    InTheWay {
        /// Where.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// What a person agreed to have replaced on a stick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The publication of another depot.
    pub other_depot: bool,
    /// A publication of this depot that is not older.
    pub newer: bool,
}

impl Agreed {
    /// Whether this obstacle is none any more.
    pub(crate) fn lifts(self, obstacle: &Obstacle) -> bool {
        match obstacle {
            Obstacle::OtherDepot(_) => self.other_depot,
            Obstacle::Newer { .. } | Obstacle::NewerRoot(_) => self.newer,
            _ => false,
        }
    }
}
