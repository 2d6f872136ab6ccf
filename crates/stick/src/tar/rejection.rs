use std::io;

use super::index::MOST_MEMBERS;
use crate::layout;

/// Why a tar file is no medium.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// It cannot be read.
    #[error("tar file cannot be read")]
    Io(#[from] io::Error),
    /// It is not what `fetcher export` writes, nor what a tar program writes of the same tree.
    #[error("tar file is rejected at byte {at}")]
    Rejected {
        /// Where the block begins that is wrong.
        at: u64,
        /// What is wrong.
        #[source]
        reason: TarRejection,
    },
}

/// What is wrong with an archive. Names are shown escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarRejection {
    /// A pipe, a device.
    #[error("not a regular file")]
    NotAFile,
    /// No bytes at all.
    #[error("file is empty")]
    Empty,
    /// No header, or one of another format.
    #[error("no ustar header")]
    NotUstar,
    /// The header's bytes are not those that were summed up.
    #[error("checksum of the header is wrong")]
    Checksum,
    /// Neither file nor folder.
    #[error("member is {0}, only regular files are taken")]
    Type(&'static str),
    /// A name that could lead elsewhere, or means different things to different programs.
    #[error("name {name:?} {why}")]
    Name {
        /// As written.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two members of one name.
    #[error("name {0:?} stands there twice")]
    Duplicate(String),
    /// Two names that are one where case is not told apart.
    #[error("names {0:?} and {1:?} differ in case only")]
    CaseClash(String, String),
    /// One name for both.
    #[error("name {0:?} is a file and a folder")]
    FileAndFolder(String),
    /// The tree was packed with its folder around it.
    #[error("names begin with {folder}/, the tree has to begin inside it", folder = layout::FOLDER)]
    WithFolder,
    /// Set-user-id and its like.
    #[error("mode {0:o} is more than permissions")]
    Mode(u64),
    /// Not an octal number.
    #[error("{0} is not an octal number")]
    Number(&'static str),
    /// A folder with contents, a file that no FAT32 could hold.
    #[error("size {0} is more than a member may have")]
    Size(u64),
    /// The file ends within a member.
    #[error("file ends within a member")]
    Truncated,
    /// The file ends after a member.
    #[error("end marker is missing")]
    NoEnd,
    /// Bytes between members.
    #[error("padding of the member is not zero")]
    Padding,
    /// Bytes after the end: another archive, or something hidden.
    #[error("something follows the end marker")]
    Trailing,
    /// Not one of ours but an attack.
    #[error("more than {MOST_MEMBERS} members")]
    TooMany,
}
