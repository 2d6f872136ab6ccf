//! The publication as one file instead of a stick.

use std::fs::{read, remove_file};

use crate::world::{MODEL, RELEASE, World, files, write};

/// A depot, a laptop that believes it, and `courier.tar`.
async fn exported() -> World {
    let world = World::loaded().await;
    world.fetcher("export courier.tar --all").await.ends(0).says(&["read back and verified", "good until"]);
    world
}

fn apply(world: &World) -> String {
    format!("apply {} --stick courier.tar --password-file password.txt --yes", world.recorder.address())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_exported_file_to_the_ledger() {
    let world = World::new().await;
    world.init().await;
    world.release("V4.61.025:230421", &[MODEL]);
    world.pin(RELEASE).await.ends(0);
    world.approve(RELEASE).await.ends(0);
    world.fetcher(&format!("export courier.tar --model {MODEL}")).await.ends(0);
    let root = world.fetcher("root show --json").await.ends(0).json();
    let fingerprint = root["fingerprint"].as_str().unwrap();
    world.applier(&format!("trust add --stick courier.tar --fingerprint {fingerprint}")).await.ends(0);
    let verify = format!("verify --stick courier.tar --model {MODEL}");
    world.applier(&verify).await.ends(0).says(&[RELEASE, "1 release carried and whole"]);
    let address = world.recorder.address();
    let plan = format!("plan {address} --stick courier.tar --password-file password.txt");
    world.applier(&plan).await.ends(0).says(&[RELEASE, "V4.61.025"]);

    let before = read(world.path("courier.tar")).unwrap();
    let applied = world.applier(&apply(&world)).await.ends(0);
    assert_eq!(applied.pushes, 1);
    let kept = "they stay on this laptop; deliver them with applier receipts --copy-to PATH";
    assert_eq!(applied.err.matches(kept).count(), 1, "{}", applied.err);
    assert_eq!(read(world.path("courier.tar")).unwrap(), before);
    world.applier("verify --stick courier.tar").await.ends(0).says(&["2 statements of this laptop NOT on"]);
    world.applier("receipts --copy-to courier.tar").await.ends(12).says(&["where a stick is mounted"]);
    world.applier("receipts --copy-to stick").await.ends(0).says(&["2 statements copied"]);
    world.enrol_laptop().await;
    world.fetcher("fleet").await.ends(0).says(&[MODEL, "V4.61.025", "applied"]);
    // what has arrived is known to the next file, and so to the laptop
    world.fetcher("export courier.tar --all --replace").await.ends(0);
    let verified = world.applier("verify --stick courier.tar --json").await.ends(0).json();
    assert_eq!(verified["undelivered_statements"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_publication_gives_the_same_bytes_and_only_an_export_is_replaced() {
    let world = exported().await;
    let bytes = read(world.path("courier.tar")).unwrap();
    world.fetcher("export again.tar --all").await.ends(0);
    assert_eq!(read(world.path("again.tar")).unwrap(), bytes);
    let taken = world.fetcher("export courier.tar --metadata-only").await;
    taken.fails(4, "exported file is there already", &["is there already", "--replace"]);
    assert_eq!(read(world.path("courier.tar")).unwrap(), bytes);
    world.fetcher("export courier.tar --metadata-only --replace").await.ends(0);
    assert!(read(world.path("courier.tar")).unwrap().len() < bytes.len());
    world.applier("verify --stick courier.tar").await.ends(0).says(&["1 approved but not carried"]);

    // somebody's own, and one of ours that is no longer whole
    for foreign in [b"my holiday".as_slice(), &bytes[..bytes.len() - 1]] {
        write(&world.path("courier.tar"), foreign);
        let taken = world.fetcher("export courier.tar --all --replace").await;
        taken.fails(4, "name of an export belongs to another file", &["no whole export", "move it away"]);
        assert_eq!(read(world.path("courier.tar")).unwrap(), foreign);
    }
    let absent = world.fetcher("export absent/courier.tar --all").await;
    absent.fails(12, "export into a folder that is not there", &["absent/courier.tar"]);
    let nothing = world.fetcher("export new.tar").await;
    nothing.fails(2, "export of nothing", &["--model MODEL, --site FILE, --all or --metadata-only"]);
    let left = files(world.path("").as_path());
    assert!(left.keys().all(|name| !name.contains(".tmp") && name != "new.tar"), "nothing half is left");
}

/// Name, where its bytes begin and how many they are, of each member.
fn members(bytes: &[u8]) -> Vec<(String, usize, usize)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim_end_matches('\0').to_owned();
    let (mut at, mut members) = (0, Vec::new());
    while bytes[at] != 0 {
        let size = usize::from_str_radix(&text(&bytes[at + 124..at + 135]), 8).unwrap();
        members.push((text(&bytes[at..at + 100]), at + 512, size));
        at += 512 + size.next_multiple_of(512);
    }
    members
}

#[tokio::test(flavor = "multi_thread")]
async fn any_byte_of_an_exported_file_changed() {
    let world = exported().await;
    let bytes = read(world.path("courier.tar")).unwrap();
    let members = members(&bytes);
    assert_eq!(members.last().unwrap().0, "metadata/timestamp.json", "written last");
    let mut positions = vec![bytes.len() - 1024, bytes.len() - 1];
    for (name, at, size) in members {
        // in the header: name, size, sum, prefix; behind it: padding
        positions.extend([at - 512, at - 512 + 130, at - 512 + 148, at - 512 + 155, at - 512 + 345]);
        if size % 512 != 0 {
            positions.push(at + size);
        }
        // for people, and steers nothing
        if name != "README.txt" {
            positions.extend([0, 1, 2, 3].map(|part| at + part * (size - 1) / 3));
        }
    }
    assert!(positions.len() > 50, "{}", positions.len());
    for (position, bit) in positions.into_iter().flat_map(|position| [(position, 1), (position, 0x20)]) {
        let mut other = bytes.clone();
        other[position] ^= bit;
        write(&world.path("courier.tar"), &other);
        let applied = world.applier(&apply(&world)).await;
        let applied = applied.fails(5, "any byte of an exported file changed", &[]);
        assert_eq!(applied.pushes, 0, "byte {position}");
    }
    for length in [0, 1, 511, 512, bytes.len() / 2, bytes.len() - 1024, bytes.len() - 512, bytes.len() - 1] {
        write(&world.path("courier.tar"), &bytes[..length]);
        let cut = world.applier("verify --stick courier.tar").await;
        cut.fails(5, "exported file cut short", &["tar file is rejected at byte"]);
    }
    write(&world.path("courier.tar"), &bytes);
    assert_eq!(world.applier(&apply(&world)).await.ends(0).pushes, 1, "what was wrong was the bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_the_depot_is_not_exported() {
    let world = World::loaded().await;
    let depot = files(&world.path("home/depot"));
    let (name, bytes) = depot.iter().find(|(name, _)| name.starts_with(RELEASE)).unwrap();
    let mut other = bytes.clone();
    other[1000] ^= 1;
    write(&world.path("home/depot").join(name), &other);
    let export = world.fetcher("export courier.tar --all").await;
    export.fails(5, "damaged file of the depot exported", &["depot: ", "fetcher sync"]);
    assert!(!world.path("courier.tar").exists());
    remove_file(world.path("home/depot").join(name)).unwrap();
    world.fetcher("export courier.tar --all").await.ends(4).says(&["approved and not in it"]);
}
