use std::collections::{BTreeMap, BTreeSet};

use firmware::Sha256Digest;
use tuf_client::case_twins;

use crate::layout;
use crate::obstacle::{Agreed, Obstacle};
use crate::survey::Survey;

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

/// What writing a stick will do, decided before the first byte: what is written, what is read back,
/// what is removed at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePlan {
    /// Roots that are not of this publication and that clients would follow, or stop at; removed first.
    pub later_roots: Vec<String>,
    /// Targets to write, by consistent name, in this order.
    pub targets: Vec<String>,
    /// Targets to read back: those written, the last one first, then those that were there and are still
    /// listed. A stick with less room than it claims puts what comes late over what came early.
    pub checks: Vec<String>,
    /// Files written from memory, in this order, all before the timestamp.
    pub small: Vec<(String, Vec<u8>)>,
    /// Whether the timestamp differs from the one on the medium.
    pub timestamp: bool,
    /// Whether there is none on it: its place is taken before everything is read back, so that it cannot be laid
    /// over something else afterwards.
    pub first_timestamp: bool,
    /// Superseded metadata and firmware that is listed no more; removed last.
    pub removals: Vec<String>,
    /// What is replaced although it is not an older publication of this depot, since that was agreed to.
    pub replaced: Vec<Obstacle>,
    /// Bytes to write.
    pub bytes: u64,
}

/// The files written from memory before the timestamp, in their order.
pub(crate) fn small_files(contents: &Contents) -> Vec<(String, Vec<u8>)> {
    let metadata = contents.metadata.iter().map(|(name, bytes)| (layout::metadata(name), bytes.clone()));
    let acknowledged =
        contents.acknowledged.iter().map(|bytes| (layout::ACKNOWLEDGED.to_owned(), bytes.clone()));
    let readme = (layout::README.to_owned(), contents.readme.clone().into_bytes());
    metadata.chain(acknowledged).chain([readme]).collect()
}

pub(crate) fn timestamp_file(contents: &Contents) -> (String, Vec<u8>) {
    (layout::TIMESTAMP.to_owned(), contents.timestamp.clone())
}

impl WritePlan {
    /// Decides what to do, or names every obstacle that nobody agreed to. Nothing is touched.
    pub fn new(contents: &Contents, survey: &Survey, agreed: Agreed) -> Result<Self, Vec<Obstacle>> {
        let plan = Self::without_obstacles(contents, survey);
        let obstacles = plan.obstacles(contents, survey);
        let (replaced, left): (Vec<_>, Vec<_>) = obstacles.into_iter().partition(|o| agreed.lifts(o));
        if left.is_empty() { Ok(Self { replaced, ..plan }) } else { Err(left) }
    }

    /// What would be done if nothing stood against it.
    pub(crate) fn without_obstacles(contents: &Contents, survey: &Survey) -> Self {
        let on_medium = |name: &str| survey.files.get(&layout::target(name)).copied();
        let length = |name: &String| contents.listed.get(name).map_or(0, |sealed| sealed.length);
        let present = |name: &&String| on_medium(name) == Some(length(name));

        let targets: Vec<String> = contents.carried.iter().filter(|name| !present(name)).cloned().collect();
        // what is listed stays, and what stays is read back: also a file cut short by an earlier pull
        let kept = contents.listed.keys().filter(|name| on_medium(name).is_some() && !targets.contains(name));
        let checks = targets.iter().rev().chain(kept).cloned().collect();
        let mut small = small_files(contents);
        small.retain(|(path, _)| !survey.equal.contains(path));
        let timestamp = !survey.equal.iter().any(|path| path == layout::TIMESTAMP);
        let bytes = targets.iter().map(length).sum::<u64>()
            + small.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
            + if timestamp { contents.timestamp.len() as u64 } else { 0 };
        let first_timestamp = !survey.files.contains_key(layout::TIMESTAMP);
        let (later_roots, removals) = (survey.later_roots.clone(), removals(contents, survey));
        let replaced = Vec::new();
        Self { later_roots, targets, checks, small, timestamp, first_timestamp, removals, replaced, bytes }
    }

    fn obstacles(&self, contents: &Contents, survey: &Survey) -> Vec<Obstacle> {
        let capacity = survey.capacity;
        let read_only = capacity.read_only.filter(|_| !self.is_unchanged()).map(Obstacle::ReadOnly);
        let needed = self.room(contents, capacity.block);
        let full = capacity.free.filter(|free| needed > *free).map(|free| Obstacle::Full { needed, free });
        let too_large = self.targets.iter().filter_map(|name| {
            let (length, largest) = (contents.listed.get(name)?.length, capacity.largest_file?);
            (length > largest).then(|| Obstacle::TooLarge { name: name.clone(), length, largest })
        });
        let publications = survey.publications.iter().cloned();
        let all = read_only.into_iter().chain(full).chain(too_large).chain(publications);
        all.chain(in_the_way(contents, survey)).collect()
    }

    /// Bytes that this takes up on a medium that hands out blocks: each file, and the folder of each release.
    fn room(&self, contents: &Contents, block: u64) -> u64 {
        let target = |name: &String| contents.listed.get(name).map_or(0, |sealed| sealed.length);
        let targets = self.targets.iter().map(|name| whole_blocks(target(name), block).saturating_add(block));
        let small = self.small.iter().map(|(_, bytes)| whole_blocks(bytes.len() as u64, block));
        let timestamp = if self.timestamp { contents.timestamp.len() as u64 } else { 0 };
        targets.chain(small).fold(whole_blocks(timestamp, block), u64::saturating_add)
    }

    /// Whether the medium holds everything already, byte counts taken at their word.
    pub fn is_unchanged(&self) -> bool {
        let Self { later_roots, targets, small, timestamp, removals, .. } = self;
        !timestamp && targets.is_empty() && small.is_empty() && later_roots.is_empty() && removals.is_empty()
    }
}

fn whole_blocks(bytes: u64, block: u64) -> u64 {
    bytes.checked_next_multiple_of(block).unwrap_or(bytes)
}

/// What lies where files and folders of ours belong, or where a FAT would take it for one of them.
fn in_the_way(contents: &Contents, survey: &Survey) -> Vec<Obstacle> {
    let small = small_files(contents).into_iter().chain([timestamp_file(contents)]).map(|(path, _)| path);
    let ours: BTreeSet<String> = contents.listed.keys().map(layout::target).chain(small).collect();
    let folder = |path: &'_ String| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: BTreeSet<String> = ours.iter().filter_map(folder).collect();
    let way = |what| move |path: &String| Obstacle::InTheWay { path: path.clone(), what };
    let strange = survey.strange.iter().map(way("is neither a file nor a folder"));
    let a_folder =
        survey.folders.intersection(&ours).map(way("is a folder, and a file of ours belongs there"));
    let a_file = survey.files.keys().filter(|path| folders.contains(*path));
    let a_file = a_file.map(way("is a file, and a folder of ours belongs there"));
    let there = survey.files.keys().chain(&survey.folders);
    let twins = case_twins(ours.iter().chain(there).map(String::as_str));
    let twins = twins.map(|(first, second)| Obstacle::Twins(first.into(), second.into()));
    strange.chain(a_folder).chain(a_file).chain(twins).collect()
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
mod tests;
