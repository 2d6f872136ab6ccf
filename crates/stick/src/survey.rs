use std::collections::{BTreeMap, BTreeSet};
use std::io;

use tuf_client::{Role, Root, Timestamp, Verified};

use crate::layout;
use crate::media::{self, Capacity, Kind, Media};
use crate::obstacle::Obstacle;
use crate::plan::{Contents, small_files, timestamp_file};

/// What is on a medium already, below our folder.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Files by path, with their sizes in bytes.
    pub(crate) files: BTreeMap<String, u64>,
    pub(crate) folders: BTreeSet<String>,
    /// Paths where something lies that is neither file nor folder.
    pub(crate) strange: Vec<String>,
    /// Of the files to be written from memory, those that are there with exactly these bytes.
    pub(crate) equal: Vec<String>,
    /// Roots behind the newest one of the publication, whosever they are.
    pub(crate) later_roots: Vec<String>,
    /// Publications that would be replaced, and are not older ones of this depot.
    pub(crate) publications: Vec<Obstacle>,
    pub(crate) capacity: Capacity,
}

impl Survey {
    /// Looks at a medium. Reads names, sizes and the small files that may be equal already.
    pub fn of(medium: &dyn Media, contents: &Contents) -> io::Result<Self> {
        let mut survey = Self { capacity: medium.capacity()?, ..Self::default() };
        survey.folder(medium, layout::FOLDER, false)?;
        survey.folder(medium, layout::METADATA, false)?;
        survey.folder(medium, layout::TARGETS, true)?;
        for (path, bytes) in small_files(contents).iter().chain([&timestamp_file(contents)]) {
            let Some(length) = survey.files.get(path) else { continue };
            let is_root = path.ends_with(".root.json");
            if *length != bytes.len() as u64 && !(is_root && *length <= Role::Root.cap()) {
                continue;
            }
            let found = media::read(medium, path, *length)?.unwrap_or_default();
            if found == *bytes {
                survey.equal.push(path.clone());
            } else if is_root && Verified::<Root>::self_signed(&found).is_ok() {
                // a sound root of somebody else; a torn or rotten one is written again
                survey.publications.push(Obstacle::OtherDepot(path.clone()));
            }
        }
        if let Some(root) = newest_root(contents) {
            survey.later_roots(medium, &root)?;
            survey.publications.extend(newer(medium, contents, &root)?);
        }
        Ok(survey)
    }

    fn folder(&mut self, medium: &dyn Media, path: &str, nested: bool) -> io::Result<()> {
        for entry in medium.list(path)? {
            let path = format!("{path}/{}", entry.name);
            match entry.kind {
                Kind::File(length) => drop(self.files.insert(path, length)),
                Kind::Folder => {
                    if nested {
                        self.folder(medium, &path, false)?;
                    }
                    self.folders.insert(path);
                }
                Kind::Other => self.strange.push(path),
            }
        }
        Ok(())
    }

    /// Roots that the publication does not have. A client would follow them, or stop at them.
    fn later_roots(&mut self, medium: &dyn Media, ours: &Verified<Root>) -> io::Result<()> {
        let version =
            |path: &str| layout::root_version(path.strip_prefix(layout::METADATA)?.strip_prefix('/')?);
        let is_later = |path: &&String| version(path) > Some(ours.version());
        let later: Vec<String> = self.files.keys().filter(is_later).cloned().collect();
        for path in later {
            let found = readable(medium, &path, Role::Root.cap())?.unwrap_or_default();
            if ours.successor(&found).is_ok() {
                self.publications.push(Obstacle::NewerRoot(path.clone()));
            } else if version(&path) == ours.version().checked_add(1)
                && Verified::<Root>::self_signed(&found).is_ok()
            {
                self.publications.push(Obstacle::OtherDepot(path.clone()));
            }
            self.later_roots.push(path);
        }
        Ok(())
    }
}

/// The publication's own newest root.
fn newest_root(contents: &Contents) -> Option<Verified<Root>> {
    let roots =
        contents.metadata.iter().filter_map(|(name, bytes)| Some((layout::root_version(name)?, bytes)));
    let (_, newest) = roots.max_by_key(|(version, _)| *version)?;
    Verified::self_signed(newest).ok()
}

/// What is there, where this depot signed it, and not before what is to be written. Versions alone are
/// compared: a home that was restored from a backup signs them anew, and laptops that have seen the
/// later ones would take its sticks for a rollback.
fn newer(medium: &dyn Media, contents: &Contents, root: &Verified<Root>) -> io::Result<Option<Obstacle>> {
    let Some(found) = readable(medium, layout::TIMESTAMP, Role::Timestamp.cap())? else { return Ok(None) };
    let (there, ours) = (root.verify::<Timestamp>(&found), root.verify::<Timestamp>(&contents.timestamp));
    let (Ok(there), Ok(ours)) = (there, ours) else { return Ok(None) };
    let is_older = there.version() < ours.version() || found == contents.timestamp;
    let (signed_at, there, ours) = (there.signed_at(), there.version(), ours.version());
    Ok((!is_older).then_some(Obstacle::Newer { there, signed_at, ours }))
}

/// A file, unless there is none or it is larger than it may be.
fn readable(medium: &dyn Media, path: &str, cap: u64) -> io::Result<Option<Vec<u8>>> {
    match media::read(medium, path, cap) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(None),
        read => read,
    }
}
