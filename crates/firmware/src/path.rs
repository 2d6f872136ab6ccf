//! The way from what a device runs to the release that is wanted: what is installed in which order.
//!
//! Two facts of a release make a way longer than one step (reference: container §9). `via` names
//! packages that come before it, in order; those that the device has reached already are left out.
//! `requires_at_least` names a version only: where nothing named reaches it, the furthest release
//! that can be installed is taken, by the rule of [`choose`](crate::choose), which keeps the number of
//! pushes small. Neither is searched through: where the rule finds nothing, or cannot decide, a person
//! must, and can, by naming one step after the other.
//!
//! A listing is signed and yet may contradict itself. Whatever it says, the work is linear in its size:
//! every step goes strictly forward, and a way of more than [`MOST_STEPS`] is none.

mod no_path;

use std::collections::{HashMap, HashSet};

use crate::choose::newest;
use crate::container::Container;
use crate::{Choice, Device, FirmwareVersion, Mismatch, Release, ReleaseId, Revision, fits};
pub use no_path::NoPath;

/// Steps of the longest way. The longest that a vendor's text names has three; each is a push and a
/// restart, and nobody stands beside a recorder for more than this.
pub const MOST_STEPS: usize = 16;

/// The steps from what the device runs to `wanted`, which is the last. `region` is what a person says
/// of the device. A way of one step is not judged: whether `wanted` is for the device, and forward, is
/// another question; between several, every step is for the device and goes strictly forward.
pub fn path<'a>(
    releases: impl IntoIterator<Item = &'a Release>,
    device: &Device,
    region: Option<&str>,
    wanted: &'a Release,
) -> Result<Vec<&'a Release>, NoPath> {
    let listed: Vec<&Release> = releases.into_iter().collect();
    let map = Map { by_id: by_id(&listed), listed, device, region };
    let floor = map.listed.iter().filter(|r| map.has_run(r)).filter_map(|r| r.no_downgrade_below.as_ref());
    let (at, floor) = (&device.revision, floor.max());
    let mut way = Way { map: &map, wanted, at, floor, steps: Vec::new(), open: Vec::new() };
    way.reach(wanted)?;
    Ok(way.steps)
}

/// What [`named_steps`] finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedSteps<'a> {
    /// The steps that are listed.
    pub listed: Vec<&'a Release>,
    /// The others, each once.
    pub missing: Vec<ReleaseId>,
}

/// Every release that one of `wanted` names as a step, and what those name in turn, whatever a device
/// runs: what has to be at hand with it. The wanted ones are left out.
pub fn named_steps<'a>(
    releases: impl IntoIterator<Item = &'a Release>,
    wanted: impl IntoIterator<Item = &'a Release>,
) -> NamedSteps<'a> {
    let listed: Vec<&Release> = releases.into_iter().collect();
    let known = by_id(&listed);
    let mut open: Vec<&Release> = wanted.into_iter().collect();
    let mut seen: HashSet<&ReleaseId> = open.iter().map(|release| &release.id).collect();
    let mut found = NamedSteps::default();
    while let Some(release) = open.pop() {
        for id in release.via.iter().filter(|id| seen.insert(id)) {
            match known.get(id) {
                Some(step) => {
                    found.listed.push(step);
                    open.push(step);
                }
                None => found.missing.push(id.clone()),
            }
        }
    }
    found.listed.sort_by(|a, b| a.id.cmp(&b.id));
    found.missing.sort();
    found
}

fn by_id<'a>(listed: &[&'a Release]) -> HashMap<&'a ReleaseId, &'a Release> {
    listed.iter().map(|release| (&release.id, *release)).collect()
}

/// Whether `to` is a step forward: neither part of the revision falls, and one rises (reference:
/// container §8).
fn forward(from: &Revision, to: &Revision) -> bool {
    to.version >= from.version && to.build >= from.build && to != from
}

/// Whether a device at `at` needs `step` no more.
fn reached(at: &Revision, step: &Revision) -> bool {
    at.version > step.version || (at.version == step.version && at.build >= step.build)
}

/// What does not change on the way.
struct Map<'a, 'd> {
    listed: Vec<&'a Release>,
    by_id: HashMap<&'a ReleaseId, &'a Release>,
    device: &'d Device,
    region: Option<&'d str>,
}

impl Map<'_, '_> {
    /// Whether a release is taken to have been installed, or its successor to have inherited its rules:
    /// the device runs its version or a later one.
    fn has_run(&self, release: &Release) -> bool {
        release.lists(&self.device.model) && release.revision.version <= self.device.revision.version
    }

    /// Its file is not here, so its header says nothing.
    fn mismatches(&self, release: &Release) -> Vec<Mismatch> {
        fits(release, &Container::Unknown, self.device, self.region)
    }
}

/// How far the way has led.
struct Way<'a, 'm> {
    map: &'m Map<'a, 'm>,
    wanted: &'a Release,
    at: &'m Revision,
    floor: Option<&'m FirmwareVersion>,
    steps: Vec<&'a Release>,
    /// Releases whose steps are being taken, the wanted one first.
    open: Vec<&'a Release>,
}

impl<'a: 'm, 'm> Way<'a, 'm> {
    /// Takes every step that this release needs, then the release.
    fn reach(&mut self, release: &'a Release) -> Result<(), NoPath> {
        let began = self.steps.len();
        if self.open.len() >= MOST_STEPS {
            return Err(self.too_long());
        }
        self.open.push(release);
        self.named(release)?;
        while let Some(at_least) =
            release.requires_at_least.as_ref().filter(|least| self.at.version < **least)
        {
            let step = self.unnamed(release, at_least)?;
            self.take(step)?;
        }
        self.open.pop();
        let first = began == self.steps.len() && self.open.is_empty();
        if !first && !forward(self.at, &release.revision) {
            return Err(NoPath::NotForward { before: self.at.clone(), release: release.id.clone() });
        }
        self.take(release)
    }

    fn named(&mut self, release: &'a Release) -> Result<(), NoPath> {
        let began = self.steps.len();
        let missing = release.via.iter().filter(|id| !self.map.by_id.contains_key(id));
        let steps: Vec<ReleaseId> = missing.take(MOST_STEPS).cloned().collect();
        if !steps.is_empty() {
            return Err(NoPath::NotListed { release: release.id.clone(), steps });
        }
        for step in release.via.iter().filter_map(|id| self.map.by_id.get(id)) {
            if self.open.iter().any(|open| open.id == step.id) {
                let steps = self.open.iter().chain([step]).map(|release| release.id.clone()).collect();
                return Err(NoPath::Cycle { steps });
            }
            if reached(self.at, &step.revision) {
                if self.steps.len() > began {
                    // the listing wants to go back between two of its steps
                    return Err(NoPath::NotForward { before: self.at.clone(), release: step.id.clone() });
                }
                continue;
            }
            let mismatches = self.map.mismatches(step);
            if !mismatches.is_empty() {
                let (release, step) = (release.id.clone(), step.id.clone());
                return Err(NoPath::NotForDevice { release, step, mismatches });
            }
            self.reach(step)?;
        }
        Ok(())
    }

    /// The release to install next on the way to `at_least`, which nothing names.
    fn unnamed(&self, release: &'a Release, at_least: &FirmwareVersion) -> Result<&'a Release, NoPath> {
        let possible = |step: &&&Release| self.leads_on(step, release);
        let mut steps: Vec<&Release> = self.map.listed.iter().filter(possible).copied().collect();
        if steps.iter().any(|step| step.revision.version >= *at_least) {
            steps.retain(|step| step.revision.version >= *at_least);
        }
        let (release, at_least) = (release.id.clone(), at_least.clone());
        match newest(steps) {
            Choice::One(step) => Ok(step),
            Choice::None => Err(NoPath::Unreachable { release, at_least, from: self.at.clone() }),
            Choice::Ambiguous(several) => {
                let ids = several.iter().take(MOST_STEPS).map(|step| step.id.clone()).collect();
                Err(NoPath::Ambiguous { release, at_least, ids })
            }
        }
    }

    /// Whether `step` can be installed now and leads towards `release`.
    fn leads_on(&self, step: &Release, release: &Release) -> bool {
        let version = &self.at.version;
        let named =
            |id: &ReleaseId| self.map.by_id.get(id).is_some_and(|via| reached(self.at, &via.revision));
        forward(self.at, &step.revision)
            && forward(&step.revision, &release.revision)
            && step.requires_at_least.as_ref().is_none_or(|least| least <= version)
            && self.floor.is_none_or(|floor| *floor <= step.revision.version)
            && step.via.iter().all(named)
            && self.map.mismatches(step).is_empty()
    }

    fn take(&mut self, step: &'a Release) -> Result<(), NoPath> {
        if self.steps.len() >= MOST_STEPS {
            return Err(self.too_long());
        }
        let to = &step.revision.version;
        if let Some(floor) = self.floor.filter(|floor| to < *floor) {
            let (from, to, floor) = (self.at.version.clone(), to.clone(), floor.clone());
            return Err(NoPath::BelowFloor { release: step.id.clone(), from, to, floor });
        }
        self.floor = self.floor.max(step.no_downgrade_below.as_ref());
        self.at = &step.revision;
        self.steps.push(step);
        Ok(())
    }

    fn too_long(&self) -> NoPath {
        NoPath::TooLong { release: self.wanted.id.clone() }
    }
}

#[cfg(test)]
mod tests;
