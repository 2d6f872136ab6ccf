use std::collections::BTreeMap;
use std::ops::Bound;

use super::header::{Header, HeaderKind};
use super::rejection::TarRejection;
use crate::layout;

/// Members of one archive, folders among them; at 255 bytes a name they fit in a few MiB.
pub(super) const MOST_MEMBERS: usize = 20_000;

/// Where a file lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) at: u64,
    pub(super) length: u64,
}

/// The files of an archive by name.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: BTreeMap<String, Member>,
    /// Every name and every folder on the way to it, by its lower-case spelling; whether it is a folder.
    names: BTreeMap<String, (String, bool)>,
    members: usize,
}

impl Index {
    /// Adds a member whose bytes begin at `at`.
    pub(super) fn insert(&mut self, header: Header, at: u64) -> Result<(), TarRejection> {
        let Header { name, kind } = header;
        self.members += 1;
        if self.members > MOST_MEMBERS {
            return Err(TarRejection::TooMany);
        }
        if name.split('/').next() == Some(layout::FOLDER) {
            return Err(TarRejection::WithFolder);
        }
        for (end, _) in name.match_indices('/') {
            self.name(&name[..end], true)?;
        }
        self.name(&name, kind == HeaderKind::Folder)?;
        if let HeaderKind::File(length) = kind {
            self.files.insert(name, Member { at, length });
        }
        Ok(())
    }

    fn name(&mut self, name: &str, folder: bool) -> Result<(), TarRejection> {
        match self.names.insert(name.to_ascii_lowercase(), (name.to_owned(), folder)) {
            Some((other, _)) if other != name => Err(TarRejection::CaseClash(other, name.to_owned())),
            Some((_, before)) if before != folder => Err(TarRejection::FileAndFolder(name.to_owned())),
            Some(_) if !folder => Err(TarRejection::Duplicate(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// The same without what only checks needed.
    pub(super) fn indexed(self) -> Self {
        Self { names: BTreeMap::new(), ..self }
    }

    pub(super) fn get(&self, name: &str) -> Option<Member> {
        self.files.get(name).copied()
    }

    /// The files whose names begin so, by the rest of their names, in their order.
    pub(super) fn below<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, Member)> {
        let from = self.files.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        from.map_while(move |(name, member)| Some((name.strip_prefix(start)?, *member)))
    }
}
