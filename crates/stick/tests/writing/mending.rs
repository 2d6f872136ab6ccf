//! What lies on a stick before it is loaded: damaged files of ours are mended, superseded ones go, those of other
//! people stay.

use std::io::{self, Read};

use stick::media::Tree;
use stick::{Agreed, Event, Media, UnverifiedPublication, WriteError, layout, media, write};
use tuf_client::MemoryStore;

use crate::depot::{Depot, clock, whole};

#[test]
fn a_second_load_writes_nothing_and_a_damaged_file_is_mended() {
    let depot = Depot::new();
    let (dir, stick) = depot.stick_with_the_first();
    assert!(depot.load(&stick, 0).unwrap().is_unchanged());
    let name = depot.publications[0].carried.iter().find(|name| name.starts_with("one/")).unwrap();
    let mut body = depot.files[name].clone();
    body[70_000] ^= 1;
    media::write(&stick, &layout::target(name), &body).unwrap();
    let mut events = Vec::new();
    depot.load_telling(&stick, 0, Agreed::default(), &mut |e| events.push(e)).unwrap();
    assert!(events.iter().any(|e| matches!(e, Event::Mending { path, .. } if path.ends_with(name))));
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    // a document that rotted or went is mended as well
    let policy = depot.publications[0].carried.iter().find(|name| name.ends_with(".policy.json")).unwrap();
    let path = layout::target(policy);
    for damaged in [None, Some(vec![b' '; depot.files[policy].len()])] {
        match damaged {
            None => stick.remove(&path).unwrap(),
            Some(bytes) => media::write(&stick, &path, &bytes).unwrap(),
        }
        assert_eq!(depot.look(&stick), None);
        depot.load(&stick, 0).unwrap();
        assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    }
    drop(dir);
}

#[test]
fn superseded_files_go_and_other_peoples_stay() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    for path in [
        "holiday.jpg",
        "COURIER/targets/one/holiday.jpg",
        "COURIER/metadata/notes.txt",
        "COURIER/receipts/x/1.json",
    ] {
        media::write(&stick, path, b"mine").unwrap();
    }
    depot.load(&stick, 1).unwrap();
    for path in [
        "holiday.jpg",
        "COURIER/targets/one/holiday.jpg",
        "COURIER/metadata/notes.txt",
        "COURIER/receipts/x/1.json",
    ] {
        assert!(stick.open(path).unwrap().is_some(), "{path}");
    }
    let names: Vec<String> = stick.list("COURIER/metadata").unwrap().into_iter().map(|e| e.name).collect();
    assert!(!names.contains(&"1.targets.json".to_string()) && names.contains(&"2.targets.json".to_string()));
    assert_eq!(stick.list("COURIER/targets/one").unwrap().len(), 1);
    let documents = stick.list("COURIER/targets").unwrap();
    let documents = documents.iter().filter(|entry| layout::is_document(&entry.name));
    assert_eq!(documents.count(), 2, "the policy before has gone, and the advisories stand there once");
}

#[test]
fn a_torn_or_rotten_root_is_mended_by_loading() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let path = layout::metadata("1.root.json");
    let sound = media::read(&stick, &path, 1 << 20).unwrap().unwrap();
    let mut rotten = sound.clone();
    rotten[sound.len() / 2] ^= 4;
    for damaged in [&b""[..], &sound[..100], &rotten] {
        media::write(&stick, &path, damaged).unwrap();
        assert_eq!(depot.look(&stick), None);
        depot.load(&stick, 0).unwrap();
        assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    }
}

#[test]
fn a_load_that_fails_on_a_file_leaves_no_half_of_it() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let name = depot.publications[1].carried.iter().find(|name| name.starts_with("three/")).unwrap();
    let wrong = |asked: &str| {
        let mut body = depot.files[asked].clone();
        if asked == name {
            body[100_000] ^= 1;
        }
        Ok(Box::new(io::Cursor::new(body)) as Box<dyn Read>)
    };
    let result =
        write(&stick, &depot.publications[1], &wrong, &depot.root, clock(), Agreed::default(), &mut |_| {});
    assert!(matches!(result, Err(WriteError::Source { .. })), "{result:?}");
    assert!(stick.open(&layout::target(name)).unwrap().is_none());
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
}

#[test]
fn rot_is_noticed_by_a_machine_that_has_seen_the_publication_before() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let mut store = MemoryStore::trusting(&depot.root);
    UnverifiedPublication::on(&stick).verify(&mut store, clock()).map(drop).unwrap();
    for name in ["1.root.json", "1.snapshot.json", "1.targets.json", "timestamp.json"] {
        let path = layout::metadata(name);
        let sound = media::read(&stick, &path, 1 << 20).unwrap().unwrap();
        for at in (0..sound.len()).step_by(7) {
            let mut rotten = sound.clone();
            rotten[at] ^= 1;
            media::write(&stick, &path, &rotten).unwrap();
            assert!(
                UnverifiedPublication::on(&stick).verify(&mut store, clock()).is_err(),
                "{name} byte {at}"
            );
        }
        media::write(&stick, &path, &sound).unwrap();
    }
    UnverifiedPublication::on(&stick).verify(&mut store, clock()).map(drop).unwrap();
}
