//! The refusal table of DESIGN §6, one function for each of its subjects.

use firmware::container::Container;
use firmware::{Device, FirmwareVersion, Release, Text};
use jiff::Timestamp;
use receipt::Override;

use super::{AcceptedExpired, Direction, Listed, Options, Refusal, direction};
use crate::inventory::Inventory;

/// What is wrong with the recorder, whatever is to be pushed.
pub(super) fn recorder(inventory: &Inventory, options: &Options) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let found = &inventory.device.serial;
    if let Some(expected) = options.expect_serial.as_ref().filter(|expected| *expected != found) {
        refusals.push(Refusal::OtherSerial { expected: expected.clone(), found: found.clone() });
    }
    if inventory.upgrade.is_some_and(|status| status.in_progress()) {
        refusals.push(Refusal::Busy);
    }
    let disks = faulty_disks(inventory);
    if !disks.is_empty() && options.allow_disk_errors.is_none() {
        refusals.push(Refusal::DiskError { disks });
    }
    let users = others_logged_in(inventory);
    if !users.is_empty() && options.allow_logged_in.is_none() {
        refusals.push(Refusal::LoggedIn { users });
    }
    refusals
}

/// What is wrong with pushing this release to this device.
pub(super) fn release(
    release: &Release,
    listed: &[Listed],
    at_hand: Option<&Container>,
    device: &Device,
    options: &Options,
) -> Vec<Refusal> {
    let id = &release.id;
    let (from, to) = (&device.revision, &release.revision);
    let mut refusals = Vec::new();
    if at_hand.is_none() {
        refusals.push(Refusal::NotCarried { id: id.clone() });
    }
    // what a header cannot say is judged by the listing alone; a release not at hand is judged, too
    let container = at_hand.unwrap_or(&Container::Unknown);
    let mismatches = firmware::fits(release, container, device, options.region.as_deref());
    refusals.extend(mismatches.into_iter().map(|mismatch| Refusal::Mismatch { id: id.clone(), mismatch }));
    match direction(from, to) {
        Direction::Older if options.allow_downgrade.is_none() => {
            refusals.push(Refusal::Older { id: id.clone(), from: from.clone(), to: to.clone() });
        }
        Direction::OtherBranch if options.allow_downgrade.is_none() => {
            refusals.push(Refusal::OtherBranch { id: id.clone(), from: from.clone(), to: to.clone() });
        }
        _ => {}
    }
    if let Some(floor) = floor(listed, device).filter(|floor| to.version < *floor) {
        let (from, to) = (from.version.clone(), to.version.clone());
        refusals.push(Refusal::BelowFloor { id: id.clone(), from, to, floor });
    }
    refusals.extend(missing_step(release, listed, device));
    refusals
}

/// The lowest version that may follow what runs. A release is taken to have been installed, or its
/// successor to have inherited the rule, once the device runs its version or a later one.
fn floor(listed: &[Listed], device: &Device) -> Option<FirmwareVersion> {
    let reached = |r: &&Release| r.lists(&device.model) && r.revision.version <= device.revision.version;
    listed.iter().map(|l| &l.release).filter(reached).filter_map(|r| r.no_downgrade_below.clone()).max()
}

/// Where a release names what must run before, that must run. Steps that the publication does not
/// list cannot be compared with, so they count as missing.
fn missing_step(release: &Release, listed: &[Listed], device: &Device) -> Option<Refusal> {
    let running = &device.revision.version;
    let too_low = release.requires_at_least.as_ref().is_some_and(|wanted| running < wanted);
    let last_step = release.via.last().map(|id| listed.iter().find(|l| l.release.id == *id));
    let not_there = match last_step {
        None => false,
        Some(None) => true,
        Some(Some(step)) => running < &step.release.revision.version,
    };
    (too_low || not_there).then(|| Refusal::MissingStep {
        id: release.id.clone(),
        from: device.revision.clone(),
        at_least: release.requires_at_least.clone(),
        steps: release.via.clone(),
    })
}

fn faulty_disks(inventory: &Inventory) -> Vec<Text> {
    let disks = inventory.disks.iter().flatten().filter(|disk| disk.in_error());
    disks.map(|disk| Text::cleaned(&format!("{} ({})", disk.id, disk.status))).collect()
}

fn others_logged_in(inventory: &Inventory) -> Vec<Text> {
    let users = inventory.online_users.iter().flatten();
    let one = |user: &isapi::OnlineUser| match &user.address {
        Some(address) => Text::cleaned(&format!("{} from {address}", user.name)),
        None => user.name.clone(),
    };
    users.map(one).collect()
}

/// What was lifted, by the flag's name: only flags that lifted something, so that a statement tells no
/// more than happened.
pub(super) fn overrides(inventory: &Inventory, release: &Release, options: &Options) -> Vec<Override> {
    let backward = direction(&inventory.device.revision, &release.revision) != Direction::Forward;
    let lifted = [
        ("allow-downgrade", &options.allow_downgrade, backward),
        ("allow-disk-errors", &options.allow_disk_errors, !faulty_disks(inventory).is_empty()),
        ("allow-logged-in", &options.allow_logged_in, !others_logged_in(inventory).is_empty()),
        ("allow-networked-laptop", &options.networked_laptop, true),
        ("plain-http", &options.plain_http, true),
        ("push-again", &options.push_again, true),
    ];
    let one = |(flag, reason, needed): (&str, &Option<Text>, bool)| {
        let reason = reason.as_ref().filter(|_| needed)?;
        Some(Override { flag: Text::cleaned(flag), reason: reason.clone() })
    };
    let expired = options.accept_expired.iter().map(AcceptedExpired::as_override);
    lifted.into_iter().filter_map(one).chain(expired).collect()
}

/// What was found right, in the order it was looked at.
pub(super) fn checks(inventory: &Inventory, release: &Release) -> Vec<String> {
    let mut checks = vec![format!("model {} is listed for {}", inventory.device.model, release.id)];
    checks.push("no upgrade is running".into());
    if inventory.disks.is_some() && faulty_disks(inventory).is_empty() {
        checks.push("no disk in error".into());
    }
    if inventory.online_users.is_some() && others_logged_in(inventory).is_empty() {
        checks.push("nobody is logged in".into());
    }
    checks
}

/// What a person should know.
pub(super) fn notes(
    inventory: &Inventory,
    release: &Release,
    at_hand: Option<&Container>,
    now: Timestamp,
) -> Vec<String> {
    let mut notes =
        vec!["recording stops while the recorder restarts, for minutes; nobody has measured how many".into()];
    if let Some(container) = at_hand {
        notes.push(format!("package: {}", container.describe()));
        if container.language().is_none() {
            notes.push("language of the package not checked: its header cannot be read".into());
        }
    }
    if inventory.disks.is_none() {
        notes.push("disks not checked: the recorder does not tell".into());
    }
    if inventory.online_users.is_none() {
        notes.push("logged-in users not checked: the recorder does not tell".into());
    }
    if inventory.clock_is_off(now) {
        notes.push("recorder's clock is off by more than a day".into());
    }
    notes.extend(inventory.unread.iter().map(|what| format!("not read: {what}")));
    notes.extend(release.warnings.iter().map(|warning| format!("warning: {}", Text::cleaned(warning))));
    notes
}
