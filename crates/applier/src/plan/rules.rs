//! The refusal table of `docs/safety.md`, one function for each of its subjects.

use firmware::container::Container;
use firmware::{Device, NoPath, Release, Text};
use receipt::Override;

use super::{AcceptedExpired, Course, Direction, Options, Refusal, direction};
use crate::inventory::Inventory;
use crate::presence::power::Power;

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

/// What is wrong with this laptop, wherever the recorder is.
pub(super) fn laptop(options: &Options) -> Option<Refusal> {
    match options.power {
        Power::Battery { percent } if options.power.is_low() && options.allow_battery.is_none() => {
            Some(Refusal::OnBattery { percent })
        }
        _ => None,
    }
}

/// What is wrong with going from what runs to the release that is wanted, whatever leads there.
pub(super) fn wanted(course: &Course<'_>, device: &Device, options: &Options) -> Vec<Refusal> {
    let release = &course.wanted.release;
    let (id, from, to) = (release.id.clone(), device.revision.clone(), release.revision.clone());
    let mut refusals = Vec::new();
    match direction(&from, &to) {
        Direction::Older if options.allow_downgrade.is_none() => {
            refusals.push(Refusal::Older { id: id.clone(), from: from.clone(), to });
        }
        Direction::OtherBranch if options.allow_downgrade.is_none() => {
            refusals.push(Refusal::OtherBranch { id: id.clone(), from: from.clone(), to });
        }
        _ => {}
    }
    refusals.extend(course.no_path.clone().map(|reason| match reason {
        NoPath::BelowFloor { release: id, from, to, floor } => Refusal::BelowFloor { id, from, to, floor },
        reason => Refusal::MissingStep { id, from, model: device.model.clone(), reason },
    }));
    refusals
}

/// What is wrong with pushing this one step.
pub(super) fn step(
    release: &Release,
    at_hand: Option<&Container>,
    device: &Device,
    options: &Options,
) -> Vec<Refusal> {
    let id = &release.id;
    let mut refusals = Vec::new();
    if at_hand.is_none() {
        refusals.push(Refusal::NotCarried { id: id.clone(), model: device.model.clone() });
    }
    // what a header cannot say is judged by the listing alone; a release not at hand is judged, too
    let container = at_hand.unwrap_or(&Container::Unknown);
    let mismatches = firmware::fits(release, container, device, options.region.as_deref());
    refusals.extend(mismatches.into_iter().map(|mismatch| Refusal::Mismatch { id: id.clone(), mismatch }));
    refusals
}

fn faulty_disks(inventory: &Inventory) -> Vec<Text> {
    let disks = inventory.disks.iter().flatten().filter(|disk| disk.in_error());
    disks.map(|disk| Text::cleaned(&format!("{} ({})", disk.id, disk.status))).collect()
}

pub(super) fn is_anybody_logged_in(inventory: &Inventory) -> bool {
    !others_logged_in(inventory).is_empty()
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
        ("allow-battery", &options.allow_battery, options.power.is_low()),
        ("allow-downgrade", &options.allow_downgrade, backward),
        ("allow-disk-errors", &options.allow_disk_errors, !faulty_disks(inventory).is_empty()),
        ("allow-logged-in", &options.allow_logged_in, !others_logged_in(inventory).is_empty()),
        ("allow-networked-laptop", &options.networked_laptop, true),
        ("plain-http", &options.plain_http, true),
        ("push-again", &options.push_again, true),
        ("no-backup", &options.no_backup, true),
    ];
    let one = |(flag, reason, needed): (&str, &Option<Text>, bool)| {
        let reason = reason.as_ref().filter(|_| needed)?;
        Some(Override { flag: Text::cleaned(flag), reason: reason.clone() })
    };
    let expired = options.accept_expired.iter().map(AcceptedExpired::as_override);
    lifted.into_iter().filter_map(one).chain(expired).collect()
}

/// What was found right, in the order it was looked at.
pub(super) fn checks(inventory: &Inventory, course: &Course<'_>) -> Vec<String> {
    let ids: Vec<&str> = course.steps.iter().map(|step| step.release.id.as_str()).collect();
    let mut checks = vec![format!("model {} is listed for {}", inventory.device.model, ids.join(", "))];
    if inventory.upgrade.is_some() {
        checks.push("no upgrade is running".into());
    }
    if inventory.disks.is_some() && faulty_disks(inventory).is_empty() {
        checks.push("no disk in error".into());
    }
    if inventory.online_users.is_some() && others_logged_in(inventory).is_empty() {
        checks.push("nobody is logged in".into());
    }
    checks
}
