//! Recorders are found, and the laptop gets an address beside them.

use serde_json::json;

use crate::simulator::{SERIAL, scenario};
use crate::world::World;

fn sadp(answers: &str) -> String {
    scenario("", &format!("[sadp]\ninterface = \"lan\"\nanswers = \"{answers}\"\n"))
}

async fn is_found(answers: &str) -> World {
    let world = World::cabled(&sadp(answers)).await;
    let found = world.applier("find --json").await.ends(0).json();
    let [interface] = found["interfaces"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(interface["interface"], "eth0");
    let [device] = interface["devices"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(
        (&device["model"], &device["serial"], &device["ipv4"], &device["how"]),
        (&json!("DS-7608NI-I2"), &json!(SERIAL), &json!("192.168.1.64/24"), &json!(["answer"]))
    );
    assert!(world.seen("sadp_answers") > 0);
    assert_eq!((world.seen("connections"), world.seen("sadp_others")), (0, 0), "it only listens and asks");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_answers_the_group() {
    let world = is_found("group").await;
    let told = world.applier("find").await.ends(0);
    told.says(&["DS-7608NI-I2", SERIAL, "192.168.1.64", "V4.30.097", "1 device found"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_answers_whoever_asked() {
    is_found("unicast").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_and_what_may_be_the_reason_is_said() {
    let world = World::cabled(&sadp("group")).await;
    world.fault(r#"{"sadp_silent": true}"#);
    let silent = world.applier("find --json").await.ends(6).json();
    assert_eq!((&silent["exit"], &silent["interfaces"][0]["devices"]), (&json!(6), &json!([])));
    let hints = silent["hint"].as_str().unwrap();
    assert!(hints.contains("192.168.1.64") && hints.contains("SADP may be off"), "{hints}");
    let other = world.applier("find --interface eth9 --json").await.ends(2).json();
    assert_eq!(
        (&other["error"], &other["hint"]),
        (&json!("interface eth9: not found"), &json!("ip link shows what there is"))
    );
    world.fault(r#"{"sadp_silent": false}"#);
    let beside = world.applier("find --interface eth9 --interface eth0 --json").await.ends(0);
    let found = beside.json();
    assert_eq!(
        (&found["failed"][0]["interface"], &found["interfaces"][0]["devices"][0]["serial"]),
        (&json!("eth9"), &json!(SERIAL)),
        "one interface that cannot be used hides nothing of the others"
    );
    world.recorder.ip("link set lan down");
    let unplugged = world.applier("find").await;
    unplugged.fails(6, "cable not plugged", &["nobody at the other end of eth0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_address_comes_and_goes_and_no_other_is_touched() {
    let world = World::cabled(&sadp("group")).await;
    world.laptop.ip("address flush dev eth0");
    world.laptop.ip("address add 10.3.3.3/24 dev eth0");
    world.recorder.ip("address add 192.168.1.250/24 dev lan");
    let up = "link up 192.168.1.64";
    let taken = world.applier(&format!("{up} --address 192.168.1.250")).await;
    taken.fails(4, "temporary address in use", &["192.168.1.250", "refused", "uses it"]);
    let addresses = || world.laptop.ip("-brief -4 address show dev eth0");
    assert!(!addresses().contains("192.168.1."), "{}", addresses());

    let added = world.applier(&format!("{up} --json")).await.ends(0).json();
    let address = added["address"].as_str().unwrap();
    assert!(addresses().contains(address) && addresses().contains("10.3.3.3/24"), "{}", addresses());
    world.inspect("").await.ends(0).says(&[SERIAL]);
    let again = world.applier(up).await;
    again.ends(2).says(&["in that subnet already, so nothing was added"]);
    let removed = world.applier("link down --json").await.ends(0).json();
    assert_eq!(removed["removed"], json!([address]));
    assert!(!addresses().contains("192.168.1.") && addresses().contains("10.3.3.3/24"), "{}", addresses());
    assert_eq!(world.applier("link down --json").await.ends(0).json()["removed"], json!([]));
    world.inspect("").await.ends(6).says(&["on no link of this laptop", "applier link up gives this laptop"]);
}
