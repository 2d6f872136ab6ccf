//! The examples in `docs/formats.md` have the shape of what the programs write.

use std::fs::{copy, create_dir, read, read_to_string};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use crate::world::{World, files, recorder};

/// A document with its values replaced by their types, and without what people may leave out.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name_of(name), shape(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.first().map(shape).into_iter().collect()),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Null => Value::Null,
    }
}

/// A laptop's id is another in each run.
fn name_of(field: &str) -> String {
    let id = field.len() == 16 && field.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id { "laptop id".into() } else { field.into() }
}

fn payload(envelope: &Value) -> Value {
    let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_are_what_is_written() {
    let mut restarting = recorder();
    restarting.down = Duration::from_millis(800);
    let world = World::loaded_with(restarting).await;
    for name in ["advisories.toml", "policy.toml"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-manifests").join(name);
        copy(shipped, world.path("manifests").join(name)).unwrap();
    }
    world.approve("--advisories --policy").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    // approved, and not on this one: what is needed is asked for
    create_dir(world.path("empty")).unwrap();
    world.fetcher("load --to empty --metadata-only").await.ends(0);
    let address = world.recorder.address();
    let plan = format!("plan {address} --stick empty --password-file password.txt --operator Kim");
    world.applier(&format!("{plan} --site-name Harbour")).await.ends(4);
    world.apply("--operator Kim").await.ends(0);
    let backups = world.applier("backups --json").await.ends(0).json();
    let (file, address) = (backups["backups"][0]["file"].as_str().unwrap(), world.recorder.address());
    let restore = format!("restore {address} {file} --stick stick --password-file password.txt --yes");
    world.applier(&format!("{restore} --operator Kim --allow-other-version lost")).await.ends(0);
    world
        .applier(&format!("audit {address} --stick stick --password-file password.txt --operator Kim"))
        .await
        .ends(0);
    world.enrol_laptop().await;
    let json = |name: &str| -> Value {
        serde_json::from_slice(&read(world.path("stick/COURIER").join(name)).unwrap()).unwrap()
    };
    let receipts = files(&world.path("stick/COURIER/receipts"));
    let [needed, started, ended, _, restored, audit] = receipts.keys().collect::<Vec<_>>()[..] else {
        panic!("{:?}", receipts.keys())
    };
    let [needed, started, ended, restored, audit] =
        [needed, started, ended, restored, audit].map(|name| json(&format!("receipts/{name}")));
    world.fetcher("load --to stick --all").await.ends(0);
    let backup = backups["backups"][0]["manifest"].clone();
    world.fetcher("keys new kim --unencrypted").await.ends(0);
    world
        .fetcher("root add-key targets kim.pub --threshold 2 --yes --passphrase-file pass.txt")
        .await
        .ends(0);
    let mut event: Value =
        serde_json::from_slice(&read(world.path("home/publication/signing-event.json")).unwrap()).unwrap();
    // as in the example, where the root does not change
    event["proposed"]["root"] = Value::Null;
    let targets = files(&world.path("stick/COURIER/targets"));
    let document = |name: &str| {
        let path = targets.keys().find(|path| path.ends_with(name)).unwrap();
        json(&format!("targets/{path}"))
    };
    let written = [
        json("metadata/3.targets.json"),
        json("metadata/timestamp.json"),
        document(".advisories.json"),
        document(".policy.json"),
        started.clone(),
        payload(&started),
        payload(&ended),
        payload(&needed),
        payload(&restored),
        payload(&audit),
        payload(&json("acknowledged.json")),
        event,
        backup,
    ];
    let document = read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md")).unwrap();
    let examples = document.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let examples: Vec<Value> = examples.map(|example| serde_json::from_str(example).unwrap()).collect();
    assert_eq!(examples.len(), written.len());
    for (example, written) in examples.iter().zip(&written) {
        assert_eq!(shape(example), shape(written));
    }
}
