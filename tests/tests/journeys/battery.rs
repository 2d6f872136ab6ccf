//! A laptop on battery: what the kernel tells of it lies where the kernel tells it, in a mount namespace of the
//! program's own.

use std::fs::create_dir_all;

use journeys::ran::Ran;
use nvr_sim::{Faults, Stage};
use serde_json::json;

use crate::backups::restarting;
use crate::world::{World, mounting, recorder, write};

/// Puts what is below `class` in the place of what the kernel tells.
pub(crate) const MOUNT: &str = "mount --bind class /sys/class";

/// What the kernel tells of this laptop from now on.
pub(crate) fn laptop(world: &World, mains: bool, percent: u8) {
    let (online, status) = if mains { ("1", "Charging") } else { ("0", "Discharging") };
    let percent = percent.to_string();
    for (supply, name, value) in [
        ("AC", "type", "Mains"),
        ("AC", "online", online),
        ("BAT0", "type", "Battery"),
        ("BAT0", "capacity", &percent),
        ("BAT0", "status", status),
    ] {
        let dir = world.path("class/power_supply").join(supply);
        create_dir_all(&dir).unwrap();
        write(&dir.join(name), format!("{value}\n").as_bytes());
    }
}

async fn applier(world: &World, args: &str) -> Ran {
    let under = mounting(MOUNT);
    let ran = world.run(&under.iter().map(String::as_str).collect::<Vec<_>>(), "applier", args).await;
    Ran { command: format!("applier {args}"), ..ran }
}

fn to_plan(world: &World) -> String {
    format!("plan {} --stick stick --password-file password.txt --json", world.recorder.address())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_battery_refuses_a_push_unless_a_person_has_a_reason() {
    let world = World::loaded().await;
    laptop(&world, false, 34);
    let words = ["laptop runs on battery, 34 % full", "plug the laptop in", "--allow-battery REASON"];
    let refused = applier(&world, &world.to_apply("")).await.fails(4, "laptop on battery", &words);
    assert_eq!((refused.pushes, &world.statements()[0]["reason"]), (0, &json!("on-battery")));
    let planned = applier(&world, &to_plan(&world)).await.ends(4).json();
    let refusal = &planned["refusals"][0];
    assert_eq!((&refusal["refusal"], &refusal["percent"]), (&json!("on-battery"), &json!(34)));
    let applied = applier(&world, &world.to_apply("--allow-battery the-mains-is-out")).await.ends(0);
    assert_eq!(applied.pushes, 1);
    let reason = json!([{"flag": "allow-battery", "reason": "the-mains-is-out"}]);
    assert_eq!(world.statements().last().unwrap()["overrides"], reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_battery_refuses_a_restore_as_well() {
    let world = World::loaded_with(restarting()).await;
    world.backup("--to yard.age").await.ends(0);
    laptop(&world, false, 34);
    let words = ["laptop runs on battery, 34 % full", "--allow-battery REASON"];
    let refused = applier(&world, &world.restore_line("yard.age")).await;
    refused.fails(4, "restore from a laptop on battery", &words);
    assert_eq!(world.last_statement()["reason"], "on-battery");
    assert_eq!(world.recorder.state().counters.restores, 0);
    let anyway = world.restore_line("yard.age --allow-battery the-mains-is-out");
    applier(&world, &anyway).await.ends(0);
    let reason = json!([{"flag": "allow-battery", "reason": "the-mains-is-out"}]);
    assert_eq!(world.last_statement()["overrides"], reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_stays_the_same_when_the_laptop_is_plugged_in() {
    let world = World::loaded().await;
    let mut digests = Vec::new();
    for (mains, advice) in [(false, true), (true, false)] {
        laptop(&world, mains, 83);
        let planned = applier(&world, &to_plan(&world)).await.ends(0);
        let advised = planned.err.contains("this laptop runs on battery, 83 %: plug it in");
        assert_eq!(advised, advice, "{}", planned.err);
        digests.push(planned.json()["digest"].clone());
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mains_that_is_lost_while_the_recorder_flashes_is_told() {
    let mut slow = recorder();
    slow.faults.stall = true;
    let world = World::loaded_with(slow).await;
    laptop(&world, true, 80);
    let under = mounting(MOUNT);
    let mut run = world.start_apply(&under.iter().map(String::as_str).collect::<Vec<_>>(), &[], "");
    world.recorder.until(|state| state.stage == Stage::Flashing).await;
    laptop(&world, false, 80);
    run.until("mains is lost; this laptop runs on battery, 80 %: plug it in").await;
    laptop(&world, true, 80);
    run.until("mains is back").await;
    world.recorder.set_faults(Faults::default());
    run.ended(&world).await.ends(0);
    let changes = world.statements().last().unwrap()["link"]["changes"].to_string();
    assert!(changes.contains("mains is lost") && changes.contains("mains is back"), "{changes}");
}
