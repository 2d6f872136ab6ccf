//! The search for a target (specification §5.6.7): pre-order, depth first, along the delegations that
//! cover its name, in their order.
//!
//! Nothing is remembered between searches but the files in the store: a role may be reached from two
//! delegators that trust it with different keys, so its metadata is verified against the one that
//! leads to it, every time.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::delegations::{DelegatedRole, Sought};
use crate::error::{Error, Rejection};
use crate::expiry::Forgiven;
use crate::fields::shown;
use crate::files::{Files, rejected};
use crate::signatures::KeyRing;
use crate::{Repository, Role, Snapshot, Target, TargetName, Targets, TrustStore, TrustedMetadata, Verified};

/// More delegated roles than this are not visited for one target (§5.6.7.1).
const MAX_VISITS: usize = 32;

/// A target that was approved, and by whom.
#[derive(Debug, Clone)]
pub struct FoundTarget {
    pub(crate) name: TargetName,
    pub(crate) target: Target,
    pub(crate) consistent_snapshot: bool,
    role: String,
    forgiven: Vec<Forgiven>,
}

impl FoundTarget {
    /// Its name.
    pub fn name(&self) -> &TargetName {
        &self.name
    }

    /// What was approved.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The role that approved it: `targets`, or a delegated one. Hostile text.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Delegated metadata on the way that has expired and was accepted all the same; see
    /// [`TrustedMetadata::forgiven`] for that of the top-level roles.
    pub fn forgiven(&self) -> &[Forgiven] {
        &self.forgiven
    }
}

/// A role still to be visited, with the keys that its delegator lists.
struct Visit {
    role: DelegatedRole,
    ring: Rc<KeyRing>,
}

impl TrustedMetadata {
    /// Looks for a target in the targets metadata and what it delegates to, and keeps the delegated
    /// metadata that was needed. `None` if nobody who is trusted with the name approved such a target.
    pub fn find(
        &self,
        store: &mut dyn TrustStore,
        repository: &mut dyn Repository,
        name: &TargetName,
    ) -> Result<Option<FoundTarget>, Error> {
        let mut files = Files { store, repository };
        let sought = Sought::new(name);
        let mut judge = self.judge().afresh();
        let mut visited = BTreeSet::new();
        let mut next = Vec::new();
        let mut role = Role::Targets.name().to_string();
        let mut delegated: Option<Verified<Targets>> = None;
        loop {
            let targets: &Targets = delegated.as_ref().unwrap_or(self.targets());
            if let Some(target) = targets.target(name.as_str()) {
                return Ok(Some(self.found(name, target, role, judge.forgiven)));
            }
            follow(targets, &sought, &mut next);
            let Some(visit) = unvisited(&mut next, &mut visited) else { return Ok(None) };
            let delegation = visit.role.delegation(&visit.ring);
            let listed = listed(self.snapshot(), &visit.role.name)?;
            let metadata = files.current(delegation, listed, self.root().consistent_snapshot())?;
            judge.check(&delegation.file(), &metadata)?;
            files.keep(&delegation.file(), &metadata)?;
            delegated = Some(metadata);
            role = visit.role.name;
        }
    }

    pub(crate) fn found(
        &self,
        name: &TargetName,
        target: &Target,
        role: String,
        forgiven: Vec<Forgiven>,
    ) -> FoundTarget {
        let (name, target) = (name.clone(), target.clone());
        FoundTarget { name, target, consistent_snapshot: self.root().consistent_snapshot(), role, forgiven }
    }
}

/// Puts the roles to be visited next on top, the first of them topmost; where one is terminating,
/// nothing after it or below remains (§5.6.7.2).
fn follow(targets: &Targets, sought: &Sought<'_>, next: &mut Vec<Visit>) {
    let Some(delegations) = targets.delegations() else { return };
    let ring = Rc::new(delegations.ring.clone());
    let mut covering = Vec::new();
    for role in delegations.roles.iter().filter(|role| role.covers(sought)) {
        covering.push(Visit { role: role.clone(), ring: Rc::clone(&ring) });
        if role.terminating {
            next.clear();
            break;
        }
    }
    next.extend(covering.into_iter().rev());
}

/// The next role that was not visited before, unless there were too many (§5.6.7.1).
fn unvisited(next: &mut Vec<Visit>, visited: &mut BTreeSet<String>) -> Option<Visit> {
    let visit = std::iter::from_fn(|| next.pop()).find(|visit| !visited.contains(&visit.role.name))?;
    (visited.len() < MAX_VISITS).then(|| {
        visited.insert(visit.role.name.clone());
        visit
    })
}

fn listed<'a>(snapshot: &'a Snapshot, role: &str) -> Result<&'a crate::MetaFile, Error> {
    // names in a snapshot are not encoded (§4.4)
    let name = format!("{role}.json");
    let file = Role::Snapshot.file();
    snapshot.meta().get(&name).ok_or_else(|| rejected(file)(Rejection::NotListed { name: shown(&name) }))
}

#[cfg(test)]
mod tests;
