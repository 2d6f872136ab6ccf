//! Cameras: those behind a recorder, of which there is only to tell, and one that the laptop reaches itself.

use std::fs::{copy, read_to_string};

use nvr_sim::{AnswerFault, Builder, Camera, Document, How, Profile};
use serde_json::{Value, json};

use crate::world::{MODEL, World, recorder, recorder_of};

const CHANNELS: &str = "/ISAPI/ContentMgmt/InputProxy/channels";
const STATES: &str = "/ISAPI/ContentMgmt/InputProxy/channels/status";
/// Of the shipped advisories: `^DS\-2CD1[0-9]{2}1`, to V5.7.23 build 241015.
const WEAK: &str = "DS-2CD1021";
const CAMERA: &str = "DS-2CD2386G2-IU";
const FROM: &str = "V5.7.15:240201";
const TO: &str = "V5.7.23:241201";
const THROUGH: &str = "a camera is not updated through its recorder";

fn behind(id: u32, model: Option<&str>, firmware: &str, address: &str) -> Camera {
    let serial = model.map(|model| format!("{model}20210101AAWRK0000000{id}"));
    let (name, firmware) = (format!("place {id}"), model.map(|_| firmware.to_owned()));
    Camera { id, name, address: address.into(), model: model.map(str::to_owned), serial, firmware }
}

/// A recorder with a weak camera, another one and one that it tells nothing of.
fn with_cameras() -> Builder {
    let mut recorder = recorder();
    recorder.content.cameras = vec![
        behind(1, Some(WEAK), "V5.7.15 build 240201", "192.168.254.2"),
        behind(2, Some("DS-2CD9999"), "V9.0.0 build 260101", "192.168.1.9"),
        behind(3, None, "", "192.168.1.10"),
    ];
    let states = [(1, true), (2, false)].map(|(id, online)| {
        format!("<InputProxyChannelStatus><id>{id}</id><online>{online}</online></InputProxyChannelStatus>")
    });
    let text = format!("<InputProxyChannelStatusList>{}</InputProxyChannelStatusList>", states.concat());
    recorder.content.documents = vec![Document { path: STATES.into(), text }];
    recorder
}

/// This recorder, a stick with its release and the shipped advisories.
async fn advised(recorder: Builder) -> World {
    let world = World::loaded_with(recorder).await;
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-manifests/advisories.toml");
    copy(shipped, world.path("manifests/advisories.toml")).unwrap();
    world.approve("--advisories").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world
}

fn command(world: &World, name: &str, more: &str) -> String {
    format!("{name} {} --password-file password.txt {more}", world.recorder.address())
}

/// A camera that the laptop is cabled to.
fn camera() -> Builder {
    let mut camera = recorder_of(CAMERA, FROM, TO);
    camera.profile = Profile::Camera;
    camera
}

/// A laptop at a camera, with a stick that carries a release of this family for it.
async fn at_a_camera(camera: Builder, family: &str) -> (World, String) {
    let world = World::with(camera).await;
    world.init().await;
    let release = world.release_of_family(family, 300_000, TO, &[CAMERA]);
    world.approve_and_load(&release).await;
    world.trust().await;
    (world, release)
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_behind_a_recorder_are_told_with_their_advisories() {
    let world = advised(with_cameras()).await;
    let inspect = world.applier(&command(&world, "inspect", "--stick stick")).await.ends(0);
    let words = [
        "camera     1 place 1 at 192.168.254.2: online, DS-2CD1021 runs V5.7.15 build 240201, serial DS-2CD102120210101AAWRK00000001",
        "matches CVE-2025-66177 (",
        "camera     2 place 2 at 192.168.1.9: offline, DS-2CD9999 runs V9.0.0 build 260101",
        "no match in this table (",
        "camera     3 place 3 at 192.168.1.10: model and firmware not told",
        "not judged: the recorder does not tell",
        THROUGH,
        "192.168.254.x is usual for cameras in the PoE ports",
        "inventory  3 cameras, written down for the depot",
    ];
    let inspect = inspect.says(&words);
    assert_eq!(inspect.out.matches(THROUGH).count(), 1, "{}", inspect.out);
    assert!(!inspect.out.contains("safe"), "{}", inspect.out);

    let plan = world.plan("").await.ends(0);
    let plan =
        plan.says(&words[..7]).says(&["note       cameras behind the recorder are not updated by this push"]);
    assert_eq!((plan.out.matches(THROUGH).count(), plan.pushes), (1, 0));
    let json = world.plan("--json").await.ends(0).json();
    assert_eq!(json["cameras"][0]["advisories"]["matching"], json!(["CVE-2025-66177"]));
    assert_eq!(
        (&json["cameras"][1]["online"], &json["cameras"][2]["advisories"]),
        (&json!(false), &Value::Null)
    );

    let audit = world.applier(&command(&world, "audit", "--stick stick --html audit.html")).await.ends(0);
    audit.says(&["cameras behind it\n  camera      1 place 1", "matches CVE-2025-66177 (", THROUGH]);
    let page = read_to_string(world.path("audit.html")).unwrap();
    for words in ["<h2>Cameras behind it</h2>", "matches CVE-2025-66177 (", THROUGH] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let json = world.applier(&command(&world, "audit", "--stick stick --json")).await.ends(0).json();
    assert_eq!(json["cameras"][0]["advisories"]["matching"], json!(["CVE-2025-66177"]));
    // the recorder does not lend its login for them, and nothing was written to it
    for told in [json.to_string(), inspect.out, page] {
        assert!(!told.contains("userName"), "{told}");
    }
    let requests = world.recorder.state().counters.requests;
    assert!(requests.keys().all(|request| request.starts_with("GET ")), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_go_home_once_and_stand_in_the_fleet() {
    let world = advised(with_cameras()).await;
    let inspect = command(&world, "inspect", "--stick stick");
    for _ in 0..2 {
        world.applier(&inspect).await.ends(0).says(&["inventory  3 cameras"]);
    }
    let statements = world.statements();
    assert_eq!(statements.len(), 1, "the same is not signed twice: {statements:?}");
    let cameras = &statements[0]["cameras"]["listed"];
    assert_eq!(
        cameras[0],
        json!({"channel": "1", "model": WEAK, "serial": "DS-2CD102120210101AAWRK00000001", "firmware": "V5.7.15 build 240201"})
    );
    assert_eq!(cameras[2], json!({"channel": "3"}), "neither address nor name goes home");
    world.enrol_laptop().await;
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    assert_eq!(fleet["recorders"][0]["cameras"]["listed"], *cameras);
    assert_eq!(fleet["requests"], json!([]), "nothing is asked for");
    world
        .fetcher("fleet")
        .await
        .ends(0)
        .says(&["1 DS-2CD1021, runs V5.7.15 build 240201", "1 of a model that is not told"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_tells_less_or_too_much_is_inspected_all_the_same() {
    let mut silent_on_makes = recorder();
    silent_on_makes.profile = Profile::Ds7616niQ2;
    let world = World::with(silent_on_makes).await;
    let inspect = command(&world, "inspect", "");
    world.applier(&inspect).await.ends(0).says(&[
        "note       model and firmware of its cameras are not told by this recorder",
        "camera     2 gate at 192.168.254.3: model and firmware not told",
    ]);
    let content = |change: &dyn Fn(&mut nvr_sim::Content)| {
        let mut content = world.recorder.state().content;
        change(&mut content);
        world.recorder.set_content(content);
    };
    content(&|content| content.cameras.truncate(1));
    world.applier(&inspect).await.ends(0).says(&["camera     1 garden"]);
    content(&|content| content.cameras.clear());
    world.applier(&inspect).await.ends(0).says(&["cameras    none"]);
    content(&|content| content.missing = vec![CHANNELS.into()]);
    let missing = world.applier(&inspect).await.ends(0).says(&["cameras    not told"]);
    assert!(!missing.out.contains("not read"), "{}", missing.out);
    let many = "<InputProxyChannel><id>1</id></InputProxyChannel>".repeat(5000);
    content(&|content| {
        content.missing.clear();
        let text = format!("<InputProxyChannelList>{many}</InputProxyChannelList>");
        content.documents = vec![Document { path: CHANNELS.into(), text }];
    });
    let hostile = world.applier(&inspect).await.ends(0).says(&["not read", "lists more than 256 channels"]);
    assert!(hostile.out.lines().count() < 20, "{}", hostile.out);
    let json = world.applier(&format!("{inspect} --json")).await.ends(0).json();
    assert_eq!((&json["cameras"], &json["camera_notes"]), (&Value::Null, &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_cameras_that_hangs_up_stops_no_push() {
    let mut cutting = recorder();
    cutting.faults.answers = vec![AnswerFault {
        path: STATES.into(),
        method: None,
        how: How::Cut,
        before_login: false,
        status: None,
        text: String::new(),
        find: String::new(),
        bytes_per_second: None,
    }];
    let world = World::loaded_with(cutting).await;
    assert_eq!(world.apply("").await.ends(0).pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_planned_and_pushed_like_a_recorder() {
    let (world, release) = at_a_camera(camera(), "ipc").await;
    let inspect = world.applier(&command(&world, "inspect", "")).await.ends(0);
    let inspect = inspect.says(&["camera     DS-2CD2386G2-IU", "type       IPCamera", "hardware   0x0"]);
    for absent in ["cameras ", "not read", THROUGH] {
        assert!(!inspect.out.contains(absent), "{absent}: {}", inspect.out);
    }
    world
        .plan("")
        .await
        .ends(0)
        .says(&[&release, "its picture, and every recording of it, stops while the camera restarts"]);
    let apply = world.apply("--operator Kim").await.ends(0).says(&["confirmed: DS-2CD2386G2-IU"]);
    let seen = world.recorder.state();
    assert_eq!(
        (apply.pushes, seen.counters.bodies, seen.counters.reboots, seen.counters.backups),
        (1, 1, 1, 1)
    );
    let receipt = world.statements().pop().unwrap();
    assert_eq!((&receipt["result"], &receipt["pushes"]), (&json!("applied"), &json!(1)));
    for side in ["device", "after"] {
        assert_eq!(receipt[side]["device_type"], "IPCamera", "{receipt}");
    }
    assert_eq!(receipt["after"]["version"], "V5.7.23");
    assert!(receipt["backup"].as_str().unwrap().contains("65536 bytes"), "{receipt}");
    assert_eq!(world.apply("").await.ends(0).says(&["already"]).pushes, 1);
    world.enrol_laptop().await;
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    assert_eq!(fleet["recorders"][0]["state"]["state"], "current");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_another_family_is_refused_on_both_sides() {
    let (world, _) = at_a_camera(camera(), "nvr").await;
    let refused = world.apply("").await.fails(
        4,
        "a recorder's firmware for a camera",
        &["device is of family ipc, the package is for family nvr", "no flag lifts this"],
    );
    assert_eq!(refused.pushes, 0);
    let world = World::new().await;
    world.init().await;
    let release = world.release_of_family("ipc", 300_000, "V4.61.025:230421", &[MODEL]);
    world.approve_and_load(&release).await;
    world.trust().await;
    let refused = world.apply(&format!("--release {release}")).await.fails(
        4,
        "a camera's firmware for a recorder",
        &["device is of family nvr, the package is for family ipc", "no flag lifts this"],
    );
    assert_eq!(refused.pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_refuses_the_package_stays_as_it_was() {
    let mut refusing = camera();
    // as a real camera said it: code, text and sub-status disagree
    refusing.faults.refuse = Some("badDevType".into());
    let (world, _) = at_a_camera(refusing, "ipc").await;
    let failed = world.apply("").await.fails(7, "a camera refuses the package", &["badDevType"]);
    assert_eq!((failed.pushes, world.statements().pop().unwrap()["result"].clone()), (1, json!("failed")));
    assert_eq!(world.recorder.state().revision, crate::world::revision(FROM));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_exports_nothing_needs_a_reason() {
    let mut bare = camera();
    bare.content.missing = vec!["/ISAPI/System/configurationData".into()];
    let (world, _) = at_a_camera(bare, "ipc").await;
    let refused = world.apply("").await.fails(4, "a camera exports nothing", &["--no-backup REASON"]);
    assert_eq!(refused.pushes, 0);
    assert_eq!(world.apply("--no-backup not-offered").await.ends(0).pushes, 1);
    let receipt = world.statements().pop().unwrap();
    assert_eq!(
        (&receipt["backup"], &receipt["overrides"][0]["flag"]),
        (&json!("not taken"), &json!("no-backup"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_audited_by_what_it_has() {
    let mut camera = camera();
    let lacks = ["SNMP", "UPnP", "DDNS", "EZVIZ", "Ehome", "ipFilter"];
    camera.content.missing = lacks.map(|page| format!("/ISAPI/System/Network/{page}")).into();
    let (world, _) = at_a_camera(camera, "ipc").await;
    let audit = world.applier(&command(&world, "audit", "--stick stick --json")).await.ends(0).json();
    let result = |id: &str| {
        let findings = audit["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["id"] == id).unwrap().clone()
    };
    for lacking in ["SV-01", "SV-02", "SV-06", "SV-07"] {
        assert_eq!(result(lacking)["result"], "not-offered", "{lacking}");
    }
    assert_eq!(result("AC-01")["read"], "on, after 7 wrong passwords, for 30 min");
    assert_eq!(result("FW-01")["result"], "fail", "a newer release is approved");
    assert_eq!((&audit["cameras"], &audit["camera_notes"]), (&Value::Null, &json!([])));
    let words = world.applier(&command(&world, "audit", "--stick stick")).await.ends(0);
    let words = words.says(&["camera       DS-2CD2386G2-IU"]);
    assert!(!words.out.contains("behind it"), "{}", words.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_locks_after_seven_and_is_asked_once() {
    let (world, _) = at_a_camera(camera(), "ipc").await;
    crate::world::write(&world.path("password.txt"), b"Wrong12345");
    let refused = world.applier(&command(&world, "inspect", "")).await;
    refused.ends(9).says(&["6 more wrong ones until the account is locked"]);
    assert_eq!(world.recorder.state().counters.wrong_logins, 1);
}
