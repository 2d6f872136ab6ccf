//! Whether the laptop is alone with the recorder, before a push and while it goes on.

use std::collections::BTreeSet;
use std::process::Stdio;

use journeys::site::PASSWORD;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::machine::Machine;
use crate::simulator::{HTTPS, scenario};
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
    // the plan is refused for the same, and with the same reason it is the one that is pushed
    let plan = "plan 192.168.1.64 --stick stick --password-file password.txt --json";
    world.applier(plan).await.ends(11).says(&REASONS);
    let planned = world.applier(&format!("{plan} --allow-networked-laptop training")).await.ends(0).json();
    let flags = format!("--allow-networked-laptop training --plan {}", planned["digest"].as_str().unwrap());
    let applied = world.apply(&flags).await.ends(0).says(&REASONS);
    assert_eq!(applied.pushes, 1);
    for statement in world.statements() {
        assert_eq!(statement["link"]["kind"], "networked");
        let reasons = statement["link"]["reasons"].as_array().unwrap().iter();
        let told: BTreeSet<&str> = reasons.map(|reason| reason.as_str().unwrap()).collect();
        assert_eq!(told, BTreeSet::from(REASONS));
        assert_eq!(statement["overrides"], json!([{"flag": "allow-networked-laptop", "reason": "training"}]));
    }
}

/// A switch between laptop and recorder, and a third machine on it.
fn third_machine(world: &World) -> Machine {
    let third = world.laptop.another();
    for words in ["link add switch type bridge", "link set switch up", "link set lan master switch"] {
        world.recorder.ip(words);
    }
    world.recorder.ip("address del 192.168.1.64/24 dev lan");
    world.recorder.ip("address add 192.168.1.64/24 dev switch");
    world.recorder.cable("port", &third, "eth0");
    world.recorder.ip("link set port master switch");
    third
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_machine_that_speaks_during_the_upload_stands_in_the_receipt() {
    let slow = scenario("", "[faults]\nbytes_per_second = 400000\n");
    let mut world = World::loaded_with(&slow, 8 << 20).await;
    let third = third_machine(&world);
    let mut run = world.start_apply("");
    world.simulator.until("receiving").await;
    // it has not spoken with this laptop: with arp_notify it tells everybody of its new hardware address
    third.run("sh", &["-c", "echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_notify"]);
    third.ip("address add 192.168.1.77/24 dev eth0");
    third.ip("link set eth0 address 02:00:00:00:00:77");
    run.until("host 192.168.1.77 (02:00:00:00:00:77) is on the link").await;
    world.fault(r#"{"bytes_per_second": null}"#);
    run.ended(&world).await.ends(0);
    let link = &world.last_statement()["link"];
    assert_eq!(link["kind"], "isolated", "it is no refusal");
    // neither the recorder nor this laptop; IPv6 neighbours come and go as they please
    let heard = link["heard"].as_array().unwrap().iter().map(|host| host.as_str().unwrap());
    let strangers: Vec<&str> = heard.filter(|host| host.starts_with("192.168.1.")).collect();
    assert_eq!(strangers, ["192.168.1.77 02:00:00:00:00:77"], "{link}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_out_that_appears_while_a_person_types_the_password_is_refused() {
    let world = World::loaded(&scenario(HTTPS, "")).await;
    let certificate = world.simulator.certificate();
    let args = format!("apply 192.168.1.64 --stick stick --password-stdin --yes --certificate {certificate}");
    let mut command = world.command(&world.laptop.enter(), "applier", &args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    // its handshake comes after its look at the network
    while world.seen("connections") == 0 {}
    world.laptop.ip("route add default via 192.168.1.1 dev eth0");
    program.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).await.unwrap();
    let ended = program.wait_with_output().await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(11), "{said}");
    assert!(said.contains("IPv4 default route via 192.168.1.1 on eth0"), "{said}");
    assert_eq!(world.seen("pushes"), 0);
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
