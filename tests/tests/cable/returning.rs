//! A recorder that comes back from its restart at another address: its cable is asked for it.

use journeys::site::MODEL;
use serde_json::json;

use crate::simulator::{HTTPS, SERIAL, scenario, scenario_to};
use crate::world::World;

/// A recorder that comes back there, and answers whoever asks the cable.
fn back_at(keys: &str, address: &str) -> String {
    scenario(keys, &tables(address))
}

fn tables(address: &str) -> String {
    format!("[sadp]\ninterface = \"lan\"\n[faults]\nback_at = \"{address}:80\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_old_one_it_is_followed_with_the_same_certificate_and_login() {
    let world = World::loaded(&back_at(HTTPS, "192.168.1.65")).await;
    world.recorder.ip("address add 192.168.1.65/24 dev lan");
    let certificate = format!("--certificate {}", world.simulator.certificate());
    let applied = world.apply(&format!("{certificate} --settle-time 0")).await.ends(0);
    let words = ["the recorder came back at 192.168.1.65", "confirmed"];
    // there it was asked what else differs
    let interface = "differs since the push: network interface 1 was static 192.168.1.64, gateway none and is static 192.168.1.65, gateway none";
    assert_eq!(applied.says(&words).says(&[interface]).pushes, 1);
    let ended = world.last_statement();
    assert_eq!((&ended["result"], &ended["after"]["serial"]), (&json!("applied"), &json!(SERIAL)));
    let changes = ended["link"]["changes"].to_string();
    assert!(changes.contains("the recorder came back at 192.168.1.65"), "{changes}");
    // there its certificate is known now
    world.applier("inspect 192.168.1.65 --password-file password.txt").await.ends(0).says(&[SERIAL]);
    assert_eq!(world.seen("wrong_logins"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_step_goes_to_where_it_is_now() {
    let (step, far) = ("V4.61.025:230421", "V5.02.000:240101");
    // from the first push it comes back with the step
    let tables = format!("{}back_as = \"{step}\"\n", tables("192.168.1.65"));
    let mut world = World::cabled(&scenario_to(far, HTTPS, &tables)).await;
    world.recorder.ip("address add 192.168.1.65/24 dev lan");
    world.init().await;
    let step = world.release(step, &[MODEL]);
    world.approve_and_load(&step).await;
    let far = world.release(far, &[MODEL]);
    world.last_release_needs(&step);
    world.approve_and_load(&far).await;
    world.trust().await;

    let certificate = format!("--certificate {}", world.simulator.certificate());
    let running = world.start_apply(&format!("{certificate} --settle-time 0"));
    world.simulator.until("down").await;
    world.simulator.until("idle").await;
    world.fault("{\"back_as\": null, \"back_at\": null}");
    running.ended(&world).await.ends(0).says(&["confirmed: ", "V5.02.000"]);
    assert_eq!((world.seen("pushes"), world.seen("wrong_logins")), (2, 0));
    let statements = world.statements();
    let places: Vec<_> = statements.iter().map(|told| told["link"]["address"].as_str().unwrap()).collect();
    assert_eq!(places, ["192.168.1.64", "192.168.1.64", "192.168.1.65", "192.168.1.65"]);
    assert_eq!(statements[3]["result"], "applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_it_is_followed_as_well() {
    let world = World::loaded(&back_at(HTTPS, "192.168.1.65")).await;
    world.recorder.ip("address add 192.168.1.65/24 dev lan");
    let certificate = format!("--certificate {}", world.simulator.certificate());
    let login = "--password-file password.txt";
    world.applier(&format!("backup 192.168.1.64 {login} {certificate} --to yard.age")).await.ends(0);
    let restored =
        world.applier(&format!("restore 192.168.1.64 yard.age --stick stick {login} --yes")).await.ends(0);
    let words = format!("restored: {SERIAL} at 192.168.1.65: ");
    restored.says(&["the recorder came back at 192.168.1.65", &words]);
    let ended = world.last_statement();
    assert_eq!((&ended["result"], &ended["after"]["serial"]), (&json!("restored"), &json!(SERIAL)));
    let changes = ended["link"]["changes"].to_string();
    assert!(changes.contains("the recorder came back at 192.168.1.65"), "{changes}");
    world.applier(&format!("inspect 192.168.1.65 {login}")).await.ends(0).says(&[SERIAL]);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_this_laptop_it_is_followed_once_there_is_an_address_beside_it() {
    let world = World::loaded(&back_at("", "192.168.7.65")).await;
    world.recorder.ip("address add 192.168.7.65/24 dev lan");
    let mut run = world.start_apply("");
    run.until("applier link up 192.168.7.65/24 --interface eth0").await;
    world.laptop.ip("address add 192.168.7.10/24 dev eth0");
    let ended = run.ended(&world).await.ends(0);
    ended.says(&["the recorder came back at 192.168.7.65\n", "confirmed"]);
    assert_eq!(world.seen("pushes"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_this_laptop_it_is_said_where_it_is_and_how_to_get_there() {
    let world = World::loaded(&back_at("", "192.168.7.65")).await;
    world.recorder.ip("address add 192.168.7.65/24 dev lan");
    let ended = world.apply("--return-timeout 20").await;
    let words = [
        "unknown-after-push",
        "it came back at 192.168.7.65, says SADP",
        "this laptop has no address in its subnet: once this run has ended, applier link up 192.168.7.65/24 --interface eth0",
        "applier resume --address 192.168.7.65",
    ];
    let ended = ended.fails(8, "recorder back at an address beyond this laptop", &words);
    assert_eq!(ended.pushes, 1);
    ended.says(&["no answer for", "normal while it flashes and restarts", "gives up looking in"]);
}
