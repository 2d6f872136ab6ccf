//! What a person should know, above all what this plan cannot.

use firmware::container::Container;
use firmware::{Family, Release, Text};
use jiff::Timestamp;

use super::{Containers, Course, Options};
use crate::inventory::Inventory;

/// In the order in which a person asks.
pub(super) fn notes(
    inventory: &Inventory,
    course: &Course<'_>,
    at_hand: &Containers<'_>,
    options: &Options,
    now: Timestamp,
) -> Vec<String> {
    let restarts = course.steps.len();
    let (noun, is_camera) = (inventory.device.noun(), inventory.device.family() == Some(Family::Ipc));
    let recording = if is_camera { "its picture, and every recording of it," } else { "recording" };
    let mut notes = vec![match restarts {
        1 => {
            format!("{recording} stops while the {noun} restarts, for minutes; nobody has measured how many")
        }
        n => format!(
            "{recording} stops {n} times, while the {noun} restarts after each of {n} steps, for minutes; nobody has measured how many"
        ),
    }];
    if inventory.cameras.iter().flatten().next().is_some() {
        notes.push("cameras behind the recorder are not updated by this push".into());
    }
    // reference: container §9, field notes §1
    notes.push("there may be no way back: recorders refuse older firmware, and settings can change".into());
    notes.push("model, serial number and version are what the recorder claims".into());
    // reference: container §0
    notes.push(
        "the vendor publishes no digests: firmware is what a person pinned at the depot, byte for byte"
            .into(),
    );
    for step in &course.steps {
        let Some(container) = at_hand.get(&step.release.id) else { continue };
        // with one step there is no question whose package it is
        let of = if restarts == 1 { String::new() } else { format!(" {}", step.release.id) };
        notes.extend(package(&step.release, container, &of));
    }
    if options.region.is_none() {
        notes.push("region of the recorder not known: no package here is for one region only".into());
    }
    notes.extend(unread(inventory, now));
    notes
}

fn package(release: &Release, container: &Container, of: &str) -> Vec<String> {
    let mut notes = vec![format!("package{of}: {}", container.describe())];
    if container.language().is_none() {
        notes.push(format!("language of the package{of} not checked: its header cannot be read"));
    }
    if let Container::A(_) = container {
        // reference: container §11
        notes.push(format!("device class of the package{of} not compared: no table of classes is published"));
    }
    let told = [("brand", &release.oem), ("hardware", &release.hardware), ("edition", &release.edition)];
    for (what, value) in told {
        if let Some(value) = value {
            let value = Text::cleaned(value);
            notes
                .push(format!("package{of} is for {what} {value}: not compared, the recorder does not tell"));
        }
    }
    notes.extend(release.warnings.iter().map(|warning| format!("warning{of}: {}", Text::cleaned(warning))));
    notes
}

/// What the recorder did not say.
fn unread(inventory: &Inventory, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    if inventory.upgrade.is_none() {
        notes.push("running upgrades not checked: the recorder does not tell, as some do while idle".into());
    }
    if inventory.disks.is_none() {
        notes.push("disks not checked: the recorder does not tell".into());
    }
    if inventory.online_users.is_none() {
        notes.push("logged-in users not checked: the recorder does not tell".into());
    }
    if inventory.time.is_none() {
        notes.push("recorder's clock not checked: the recorder does not tell".into());
    } else if inventory.clock_is_off(now) {
        notes.push("recorder's clock is off by more than a day".into());
    }
    notes.extend(inventory.unread.iter().map(|what| format!("not read: {what}")));
    notes
}
