//! Whether the laptop is alone with the recorder, before a push and while it goes on.

use std::collections::BTreeSet;

use serde_json::json;

use crate::simulator::scenario;
use crate::world::World;

const REASONS: [&str; 4] = [
    "Ethernet interface eth1 is connected and has 10.9.9.9/24",
    "IPv4 default route via 10.9.9.1 on eth1",
    "IPv4 default route via 10.9.9.1 on eth1 in table 4242",
    "IPv4 forwarding is on",
];

/// A second cable, into a network with a way out, and a laptop that passes on what it receives.
fn network(world: &World) {
    world.laptop.cable("eth1", &world.recorder, "lan2");
    world.laptop.ip("address add 10.9.9.9/24 dev eth1");
    world.laptop.ip("route add default via 10.9.9.1 dev eth1");
    world.laptop.ip("route add default via 10.9.9.1 dev eth1 table 4242");
    world.laptop.run("sh", &["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_alone_with_the_recorder_pushes_and_the_receipt_says_so() {
    let world = World::loaded(&scenario("", "")).await;
    let applied = world.apply("--operator Ada").await.ends(0);
    assert_eq!(applied.pushes, 1);
    assert!(!applied.err.contains("not alone"), "{}", applied.err);
    for statement in world.statements() {
        let link = &statement["link"];
        assert_eq!(
            (&link["kind"], &link["interface"], &link["address"]),
            (&json!("isolated"), &json!("eth0"), &json!("192.168.1.64"))
        );
        assert_eq!((link.get("reasons"), link.get("certificate")), (None, None), "{link}");
    }
    world.enrol_laptop().await;
    world.fetcher("fleet").await.ends(0).says(&["V4.61.025"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_networked_laptop_sends_nothing_unless_a_person_has_a_reason() {
    let world = World::loaded(&scenario("", "")).await;
    network(&world);
    let mut words = vec!["192.168.1.64", "not alone with it", "--allow-networked-laptop REASON"];
    words.extend(REASONS);
    let refused = world.apply("").await.fails(11, "laptop that is networked", &words);
    assert_eq!((refused.pushes, world.seen("connections")), (0, 0), "nothing was sent");

    let inspected = world.inspect("").await.ends(0);
    for reason in REASONS {
        assert!(inspected.err.contains(reason), "{reason}: {}", inspected.err);
    }
    let applied = world.apply("--allow-networked-laptop training").await.ends(0).says(&REASONS);
    assert_eq!(applied.pushes, 1);
    for statement in world.statements() {
        assert_eq!(statement["link"]["kind"], "networked");
        let reasons = statement["link"]["reasons"].as_array().unwrap().iter();
        let told: BTreeSet<&str> = reasons.map(|reason| reason.as_str().unwrap()).collect();
        assert_eq!(told, BTreeSet::from(REASONS));
        assert_eq!(statement["overrides"], json!([{"flag": "allow-networked-laptop", "reason": "training"}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_out_that_appears_during_the_upload_is_told() {
    let slow = scenario("", "[faults]\nbytes_per_second = 400000\n");
    let mut world = World::loaded_with(&slow, 8 << 20).await;
    let mut run = world.start_apply("");
    world.simulator.until("receiving").await;
    world.laptop.ip("route add default via 192.168.1.1 dev eth0");
    run.until("IPv4 default route via 192.168.1.1 on eth0 (new)").await;
    world.laptop.ip("route del default");
    run.until("IPv4 default route via 192.168.1.1 on eth0 (no longer)").await;
    assert_eq!(world.state()["stage"], "receiving", "it is told at once, not afterwards");
    world.fault(r#"{"bytes_per_second": null}"#);
    run.ended(&world).await.ends(0);
    assert_eq!((world.seen("pushes"), world.seen("bodies")), (1, 1), "the push was not broken off");
    let ended = world.last_statement();
    assert_eq!((&ended["result"], &ended["link"]["kind"]), (&json!("applied"), &json!("isolated")));
    let changes: Vec<&str> =
        ended["link"]["changes"].as_array().unwrap().iter().map(|change| change.as_str().unwrap()).collect();
    for word in ["(new)", "(no longer)"] {
        assert!(changes.iter().any(|change| change.contains(word)), "{changes:?}");
    }
}
