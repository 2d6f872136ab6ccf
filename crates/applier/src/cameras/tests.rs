use serde_json::json;

use super::*;
use crate::inventory::tests::inventory;

fn recorder(cameras: &Value) -> Inventory {
    let mut recorder = inventory("DS-7608NI-I2", "V4.30.097 build 200101");
    recorder.cameras = serde_json::from_value(cameras.clone()).unwrap();
    recorder
}

fn camera(channel: &str, model: &str, runs: &str) -> Value {
    json!({"id": channel, "name": "yard", "address": "192.168.1.9", "model": model, "firmware": runs, "serial": "S", "online": true})
}

fn table() -> AdvisoryTable {
    let row = |product: &str| json!({"product": product, "family": "ipc", "models": "^DS-2CD2", "build_before": "240101"});
    serde_json::from_value(json!({"collected": "2026-11-22", "advisories": [
        {"id": "CVE-2023-0001", "title": "t", "kev": {"added": "2026-01-01"}, "affected": [row("a")]},
        {"id": "CVE-2023-0002", "title": "t", "affected": [row("a")]},
        {"id": "CVE-2023-0003", "title": "t", "affected": [{"product": "a series", "family": "ipc", "build_before": "230101"}]},
        {"id": "CVE-2023-0004", "title": "t", "affected": [{"product": "recorders", "family": "nvr"}]},
    ]}))
    .unwrap()
}

/// The lines about cameras, and no notes.
fn lines(cameras: &Value, table: Option<&AdvisoryTable>) -> Vec<String> {
    let recorder = recorder(cameras);
    let lines = Told::of(&recorder, table).lines(&recorder.device);
    lines.into_iter().filter(|(label, _)| *label != "note").map(|(_, words)| words).collect()
}

fn notes(cameras: &Value, table: Option<&AdvisoryTable>) -> Vec<&'static str> {
    Told::of(&recorder(cameras), table).notes
}

#[test]
fn each_camera_is_judged_in_the_words_for_recorders() {
    let cameras = json!([
        camera("1", "DS-2CD2386G2-IU", "V5.7.15 build 221231"),
        camera("2", "DS-2CD2386G2-IU", "V5.7.15 build 240201"),
        camera("3", "AXIS P3245", "V5.7.15 build 221231"),
        camera("4", "DS-2CD2386G2-IU", "2.800.R"),
        {"id": "5"},
        {"id": "6", "model": "DS-2CD2386G2-IU", "online": false},
    ]);
    let (unread, untold) = (
        "not judged: its model or firmware is not of a form that is known",
        "not judged: the recorder does not tell its model and firmware",
    );
    assert_eq!(
        lines(&cameras, Some(&table())),
        [
            "1 yard at 192.168.1.9: online, DS-2CD2386G2-IU runs V5.7.15 build 221231, serial S",
            "matches CVE-2023-0001, CVE-2023-0002, known to be exploited (2026-11-22); cannot be judged, read the advisory: CVE-2023-0003",
            "2 yard at 192.168.1.9: online, DS-2CD2386G2-IU runs V5.7.15 build 240201, serial S",
            "no match in this table (2026-11-22)",
            "3 yard at 192.168.1.9: online, AXIS P3245 runs V5.7.15 build 221231, serial S",
            unread,
            "4 yard at 192.168.1.9: online, DS-2CD2386G2-IU runs 2.800.R, serial S",
            unread,
            "5: model and firmware not told",
            untold,
            "6: offline, DS-2CD2386G2-IU runs firmware not told",
            untold,
        ]
    );
    assert_eq!(lines(&cameras, None).len(), 6, "without a table nothing is said of advisories");
    let mut document = json!({});
    let recorder = recorder(&cameras);
    Told::of(&recorder, Some(&table())).join(&mut document);
    assert_eq!(
        document["cameras"][0]["advisories"],
        json!({"collected": "2026-11-22", "matching": ["CVE-2023-0001", "CVE-2023-0002"], "unjudged": ["CVE-2023-0003"]})
    );
    assert_eq!(
        (&document["cameras"][4]["advisories"], &document["cameras"][5]["online"]),
        (&Value::Null, &json!(false))
    );
}

#[test]
fn what_is_not_told_and_what_cannot_be_done_is_said() {
    let known = json!([camera("1", "DS-2CD2386G2-IU", "V5.7.15 build 240201")]);
    assert_eq!(notes(&known, Some(&table())), [NOT_THROUGH]);
    assert_eq!(notes(&known, None), [NO_TABLE, NOT_THROUGH]);
    let bare = json!([{"id": "1", "address": "192.168.254.3"}, {"id": "2"}]);
    assert_eq!(notes(&bare, None), [NOT_TOLD, NOT_THROUGH, POE]);
    assert!(notes(&json!([]), None).is_empty() && notes(&Value::Null, None).is_empty());
    assert_eq!(lines(&json!([]), None), ["none"]);
    assert_eq!(lines(&Value::Null, None), ["not told"]);
    let mut camera = recorder(&Value::Null);
    camera.device.device_type = Some(firmware::Text::cleaned("IPCamera"));
    assert!(Told::of(&camera, None).lines(&camera.device).is_empty(), "nothing is behind a camera");
}
