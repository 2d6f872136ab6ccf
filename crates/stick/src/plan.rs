use std::collections::BTreeMap;
use std::io;

use firmware::Sha256Digest;
use tuf_client::{Role, Root, Verified, case_twins};

use crate::layout;
use crate::media::{self, Kind, Media};

/// What a stick is to carry: one publication, the documents that it lists, and the firmware asked for.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Versioned metadata by file name: every root, the snapshot, the targets.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// `timestamp.json`, which makes them current.
    pub timestamp: Vec<u8>,
    /// Everything that the publication lists, by consistent name below `targets/`.
    pub listed: BTreeMap<String, Sealed>,
    /// The names among them that this stick is to carry.
    pub carried: Vec<String>,
    /// `acknowledged.json`, if anything has been collected yet.
    pub acknowledged: Option<Vec<u8>>,
    /// `README.txt`.
    pub readme: String,
}

/// Size and digest of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes.
    pub length: u64,
    /// Digest.
    pub sha256: Sha256Digest,
}

/// What is on a medium already, below our folder.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Files by path, with their sizes in bytes.
    files: BTreeMap<String, u64>,
    /// Paths where something lies that is neither file nor folder.
    strange: Vec<String>,
    /// Of the files to be written from memory, those that are there with exactly these bytes.
    equal: Vec<String>,
    /// Root files that are there and sound, and not ours.
    other_roots: Vec<String>,
    free: Option<u64>,
}

/// What writing a stick will do, decided before the first byte: what is written, what is read back,
/// what is removed at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePlan {
    /// Targets to write, by consistent name.
    pub targets: Vec<String>,
    /// Targets to read back: those written and those that were there and are still listed.
    pub checks: Vec<String>,
    /// Files written from memory, in this order, all before the timestamp.
    pub small: Vec<(String, Vec<u8>)>,
    /// Whether the timestamp differs from the one on the medium.
    pub timestamp: bool,
    /// Superseded metadata and firmware that is listed no more; removed last.
    pub removals: Vec<String>,
    /// Bytes to write.
    pub bytes: u64,
}

/// Why a stick cannot be written; nothing on it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Old and new do not fit beside each other.
    #[error("it is full: {needed} bytes are needed beside what is there, {free} are free")]
    Full {
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// No FAT32 stick can hold it.
    #[error("{name} of {length} bytes is larger than a FAT32 file can be")]
    TooLarge {
        /// Consistent name.
        name: String,
        /// Bytes.
        length: u64,
    },
    /// Another depot's root lies there.
    #[error("{0} is of another depot: this stick carries a publication that is not ours")]
    OtherDepot(String),
    /// Two targets of the publication would lie in one place on a FAT.
    #[error("{1} cannot lie beside {0}: FAT takes their paths for one")]
    Twins(String, String),
    /// A link, device or pipe lies where a file of ours belongs.
    #[error("{0} is neither a file nor a folder")]
    Strange(String),
}

impl Survey {
    /// Looks at a medium. Reads names, sizes and the small files that may be equal already.
    pub fn of(medium: &dyn Media, contents: &Contents) -> io::Result<Self> {
        let mut survey = Self { free: medium.free()?, ..Self::default() };
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
                survey.other_roots.push(path.clone());
            }
        }
        Ok(survey)
    }

    fn folder(&mut self, medium: &dyn Media, path: &str, nested: bool) -> io::Result<()> {
        for entry in medium.list(path)? {
            let path = format!("{path}/{}", entry.name);
            match entry.kind {
                Kind::File(length) => drop(self.files.insert(path, length)),
                Kind::Folder if nested => self.folder(medium, &path, false)?,
                Kind::Folder => {}
                Kind::Other => self.strange.push(path),
            }
        }
        Ok(())
    }
}

/// The files written from memory before the timestamp, in their order.
fn small_files(contents: &Contents) -> Vec<(String, Vec<u8>)> {
    let metadata = contents.metadata.iter().map(|(name, bytes)| (layout::metadata(name), bytes.clone()));
    let acknowledged =
        contents.acknowledged.iter().map(|bytes| (layout::ACKNOWLEDGED.to_owned(), bytes.clone()));
    let readme = (layout::README.to_owned(), contents.readme.clone().into_bytes());
    metadata.chain(acknowledged).chain([readme]).collect()
}

fn timestamp_file(contents: &Contents) -> (String, Vec<u8>) {
    (layout::TIMESTAMP.to_owned(), contents.timestamp.clone())
}

impl WritePlan {
    /// Decides what to do, or names every obstacle. Nothing is touched.
    pub fn new(contents: &Contents, survey: &Survey) -> Result<Self, Vec<Obstacle>> {
        let on_medium = |name: &str| survey.files.get(&layout::target(name)).copied();
        let length = |name: &String| contents.listed.get(name).map_or(0, |sealed| sealed.length);
        let present = |name: &&String| on_medium(name) == Some(length(name));

        let targets: Vec<String> = contents.carried.iter().filter(|name| !present(name)).cloned().collect();
        // what is listed stays, and what stays is read back: also a file cut short by an earlier pull
        let kept = contents.listed.keys().filter(|name| on_medium(name).is_some());
        let mut checks: Vec<String> = contents.carried.iter().chain(kept).cloned().collect();
        checks.sort_unstable();
        checks.dedup();
        let mut small = small_files(contents);
        small.retain(|(path, _)| !survey.equal.contains(path));
        let timestamp = !survey.equal.iter().any(|path| path == layout::TIMESTAMP);
        let bytes = targets.iter().map(length).sum::<u64>()
            + small.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
            + if timestamp { contents.timestamp.len() as u64 } else { 0 };
        let plan = Self { targets, checks, small, timestamp, removals: removals(contents, survey), bytes };

        let obstacles = plan.obstacles(contents, survey);
        if obstacles.is_empty() { Ok(plan) } else { Err(obstacles) }
    }

    fn obstacles(&self, contents: &Contents, survey: &Survey) -> Vec<Obstacle> {
        let too_large = self.targets.iter().filter_map(|name| {
            let length = contents.listed.get(name)?.length;
            (length > layout::LARGEST_FILE).then(|| Obstacle::TooLarge { name: name.clone(), length })
        });
        let twins = case_twins(contents.listed.keys().map(String::as_str));
        let twins = twins.map(|(first, second)| Obstacle::Twins(first.into(), second.into()));
        let full = survey.free.filter(|free| self.bytes > *free);
        let full = full.map(|free| Obstacle::Full { needed: self.bytes, free });
        let other_depot = survey.other_roots.iter().cloned().map(Obstacle::OtherDepot);
        let strange = survey.strange.iter().cloned().map(Obstacle::Strange);
        full.into_iter().chain(too_large).chain(other_depot).chain(twins).chain(strange).collect()
    }

    /// Whether the medium holds everything already, byte counts taken at their word.
    pub fn is_unchanged(&self) -> bool {
        self.targets.is_empty() && self.small.is_empty() && !self.timestamp && self.removals.is_empty()
    }
}

/// Superseded files of ours, recognised by exact name. Roots, statements and other people's files
/// never are.
fn removals(contents: &Contents, survey: &Survey) -> Vec<String> {
    let superseded = |path: &&String| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if folder == layout::METADATA {
            return layout::is_versioned_metadata(name) && !contents.metadata.contains_key(name);
        }
        let target = path.strip_prefix(layout::TARGETS).and_then(|rest| rest.strip_prefix('/'));
        let is_ours = layout::is_firmware(name) || folder == layout::TARGETS && layout::is_document(name);
        target.is_some_and(|target| is_ours && !contents.listed.contains_key(target))
    };
    survey.files.keys().filter(superseded).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str, body: &[u8]) -> (String, Sealed) {
        let sealed = Sealed { length: body.len() as u64, sha256: Sha256Digest::of(body) };
        (format!("{id}/{}.digicap.dav", sealed.sha256), sealed)
    }

    fn contents() -> Contents {
        let listed: BTreeMap<_, _> = [name("one", b"first"), name("two", b"second")].into();
        Contents {
            metadata: [
                ("1.root.json".into(), b"root".to_vec()),
                ("2.targets.json".into(), b"targets".to_vec()),
            ]
            .into(),
            timestamp: b"timestamp".to_vec(),
            carried: listed.keys().filter(|n| n.starts_with("one/")).cloned().collect(),
            listed,
            acknowledged: None,
            readme: "readme".into(),
        }
    }

    #[test]
    fn an_empty_stick_gets_what_was_asked_for() {
        let contents = contents();
        let plan = WritePlan::new(&contents, &Survey::default()).unwrap();
        assert_eq!(plan.targets, contents.carried);
        assert_eq!(plan.checks, contents.carried);
        assert_eq!(
            plan.small.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(),
            ["COURIER/metadata/1.root.json", "COURIER/metadata/2.targets.json", layout::README]
        );
        assert_eq!(plan.bytes, (5 + 4 + 7 + 6 + 9) as u64);
    }

    #[test]
    fn listed_firmware_stays_and_is_read_back_the_rest_of_ours_goes() {
        let contents = contents();
        let two = contents.listed.keys().find(|n| n.starts_with("two/")).unwrap();
        let (gone, _) = name("old", b"old");
        let policy = format!("{}.policy.json", "0".repeat(64));
        let files = [
            layout::target(two),
            layout::target(&gone),
            layout::target(&policy),
            // ours lie beside the folders of firmware, never in them
            layout::target(format!("old/{policy}")),
            layout::target("policy.json"),
            "COURIER/targets/old/holiday.jpg".into(),
            layout::metadata("1.targets.json"),
            layout::metadata("1.root.json"),
            layout::metadata("notes.txt"),
        ];
        let survey = Survey { files: files.map(|f| (f, 6)).into(), ..Survey::default() };
        let plan = WritePlan::new(&contents, &survey).unwrap();
        assert!(plan.checks.contains(two) && !plan.targets.contains(two));
        let removals = [layout::metadata("1.targets.json"), layout::target(&policy), layout::target(&gone)];
        assert_eq!(plan.removals, removals);
    }

    #[test]
    fn a_file_of_another_size_is_written_again() {
        let contents = contents();
        let survey =
            Survey { files: [(layout::target(&contents.carried[0]), 4)].into(), ..Survey::default() };
        assert_eq!(WritePlan::new(&contents, &survey).unwrap().targets, contents.carried);
    }

    #[test]
    fn every_obstacle_is_named_at_once() {
        let mut contents = contents();
        let huge = contents.carried[0].clone();
        contents.listed.get_mut(&huge).unwrap().length = layout::LARGEST_FILE + 1;
        // on a FAT the folder would be read back as ONE, and what lies in it taken for superseded
        contents.listed.extend([name("ONE", b"other")]);
        let survey = Survey {
            free: Some(10),
            other_roots: vec!["COURIER/metadata/1.root.json".into()],
            strange: vec!["COURIER/x".into()],
            ..Survey::default()
        };
        let obstacles = WritePlan::new(&contents, &survey).unwrap_err();
        assert!(
            matches!(
                obstacles.as_slice(),
                [
                    Obstacle::Full { free: 10, .. },
                    Obstacle::TooLarge { .. },
                    Obstacle::OtherDepot(_),
                    Obstacle::Twins(..),
                    Obstacle::Strange(_)
                ]
            ),
            "{obstacles:?}"
        );
    }
}
