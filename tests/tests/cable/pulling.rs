//! The cable is slow, and it is pulled.

use crate::running::Running;
use crate::simulator::scenario;
use crate::world::World;

/// Two seconds of a cable of 50 Mbit/s.
const SIZE: u64 = 12 << 20;

async fn slow_cable() -> World {
    let world = World::loaded_with(&scenario("", ""), SIZE).await;
    let limit = "qdisc add dev eth0 root tbf rate 50mbit burst 64kb latency 100ms";
    world.laptop.run("tc", &limit.split(' ').collect::<Vec<_>>());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_is_put_back_costs_nothing_but_time() {
    let mut world = slow_cable().await;
    let mut run = world.start_apply("");
    world.simulator.until("receiving").await;
    world.recorder.ip("link set lan down");
    run.until("cable: no carrier on eth0").await;
    let cut = world.state();
    assert_eq!((&cut["stage"], &cut["bodies"]), (&"receiving".into(), &0.into()), "in the middle of it");
    world.recorder.ip("link set lan up");
    run.until("cable: carrier on eth0 is back").await;
    run.ended(&world).await.ends(0).says(&["confirmed"]);
    assert_eq!((world.seen("pushes"), world.seen("bodies")), (1, 1), "the same upload went on");
    let changes = world.last_statement()["link"]["changes"].to_string();
    assert!(changes.contains("no carrier on eth0") && changes.contains("is back"), "{changes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_stays_out_leaves_a_recorder_that_must_be_looked_at() {
    let mut world = slow_cable().await;
    let mut run = world.start_apply("--upload-timeout 2 --return-timeout 2");
    world.simulator.until("receiving").await;
    world.recorder.ip("link set lan down");
    run.until("cable: no carrier on eth0").await;
    let ended = run.ended(&world).await.counted(world.seen("pushes"));
    let words = [
        "unknown-after-push",
        "no byte was taken for 2 s",
        "its version could not be read back",
        "put the cable back",
    ];
    assert_eq!(ended.fails(8, "cable pulled for good", &words).pushes, 1);
    let statement = world.last_statement();
    assert_eq!((&statement["result"], &statement["pushes"]), (&"unknown-after-push".into(), &1.into()));
    assert_eq!(world.seen("bodies"), 0, "the last block never left the laptop");

    // that it never left is written down, and proves that nothing is under way
    put_back(&world);
    world.simulator.until("idle").await;
    world.laptop.run("tc", &["qdisc", "del", "dev", "eth0", "root"]);
    let again = world.apply("").await.ends(0);
    assert_eq!((again.pushes, world.seen("bodies")), (2, 1));
}

/// Plugs the cable in again, and forgets that nobody answered there.
fn put_back(world: &World) {
    world.recorder.ip("link set lan up");
    while !world.laptop.ip("link show dev eth0").contains("state UP") {}
    world.laptop.ip("neigh flush dev eth0");
}

/// The whole package is there, and the recorder writes it for three seconds.
async fn flashing(more: &str) -> (World, Running) {
    let slow = scenario("", "").replace("flash_seconds = 0.3", "flash_seconds = 3.0");
    let mut world = World::loaded(&slow).await;
    let mut run = world.start_apply(more);
    world.simulator.until("flashing").await;
    world.recorder.ip("link set lan down");
    run.until("cable: no carrier on eth0").await;
    (world, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_is_out_while_the_recorder_flashes_is_waited_for() {
    let (world, run) = flashing("").await;
    world.recorder.ip("link set lan up");
    run.ended(&world).await.ends(0).says(&["confirmed"]);
    assert_eq!(world.seen("pushes"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_stays_out_while_the_recorder_flashes_forbids_another_push() {
    let (mut world, run) = flashing("--push-timeout 2 --quiet-period 2").await;
    let ended = run.ended(&world).await.counted(world.seen("pushes"));
    let words = ["unknown-after-push", "no answer within 2 s", "do not push again"];
    assert_eq!(ended.fails(8, "cable pulled while it flashes", &words).pushes, 1);
    // nobody has told it to restart, so it still answers with its old version
    put_back(&world);
    world.simulator.until("rebootRequired").await;
    let again = world.apply("").await.ends(8).says(&["is not known", "--push-again REASON"]);
    assert_eq!((again.pushes, &world.last_statement()["result"]), (1, &"unknown-after-push".into()));
}
