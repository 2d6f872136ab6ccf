//! Any byte of the stick changed: nothing reaches the recorder, and `verify` says where.

use crate::world::{MODEL, RELEASE, World, files, write};
use journeys::ran::Ran;

/// What is for people or on its way home, and steers nothing that is pushed.
const NOT_TRUSTED: [&str; 3] = ["COURIER/README.txt", "COURIER/acknowledged.json", "COURIER/receipts/"];

/// Which bytes are changed: all in a full run, else a few, the first and the last among them.
fn positions(length: usize, samples: usize) -> Vec<usize> {
    if std::env::var_os("COURIER_TEST_FULL").is_some() {
        return (0..length).collect();
    }
    (0..samples).map(|sample| sample * (length - 1) / (samples - 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_byte_of_the_stick_changed() {
    let world = World::loaded().await;
    let stick = world.path("stick");
    let mut changed = 0;
    for (name, bytes) in files(&stick) {
        if NOT_TRUSTED.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        // 300,000 bytes of noise differ in nothing but their place
        let all = if name.contains("/targets/") {
            positions(bytes.len().min(64), 4)
        } else {
            positions(bytes.len(), 12)
        };
        // another value, and another case: hexadecimal digits mean the same in both
        for (position, bit) in all.into_iter().flat_map(|position| [(position, 1), (position, 0x20)]) {
            let mut other = bytes.clone();
            other[position] ^= bit;
            write(&stick.join(&name), &other);
            let apply = world.apply("").await;
            let apply = apply.fails(5, "any byte of the stick changed", &[]);
            assert_eq!(apply.pushes, 0, "{name}, byte {position}");
            changed += 1;
        }
        write(&stick.join(&name), &bytes);
    }
    assert!(changed >= 100, "{changed}");
    // what was wrong was the bytes
    assert_eq!(world.apply("").await.ends(0).pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_files_is_told_in_its_place() {
    let world = World::loaded().await;
    let mut ids = vec![RELEASE.to_owned()];
    for (text, size) in
        [("V4.62.000:230501", 3_000_000), ("V4.63.000:230601", 1_000), ("V4.64.000:230701", 900_000)]
    {
        ids.push(world.release_of_size(size, text, &[MODEL]));
        world.approve_and_load(&ids[ids.len() - 1]).await;
    }
    let lines = |ran: Ran, words: [&str; 4]| {
        let expected = words.iter().zip(&ids).map(|(word, id)| format!("{word:<4}{id}"));
        let told: Vec<_> = ran.out.lines().filter(|line| line.contains("nvr-")).collect();
        assert!(told.iter().zip(expected).all(|(line, start)| line.starts_with(&start)), "{}", ran.out);
        assert_eq!(told.len(), ids.len());
    };
    lines(world.applier("verify --stick stick").await.ends(0), ["ok"; 4]);
    let firmware = |id: &str| {
        let (name, bytes) =
            files(&world.path("stick")).into_iter().find(|(name, _)| name.contains(id)).unwrap();
        (world.path("stick").join(name), bytes)
    };
    let (largest, mut bytes) = firmware(&ids[1]);
    *bytes.last_mut().unwrap() ^= 1;
    write(&largest, &bytes);
    std::fs::remove_file(firmware(&ids[2]).0).unwrap();
    let damaged = world.applier("verify --stick stick").await.ends(5).says(&["1 firmware file damaged"]);
    lines(damaged, ["ok", "BAD", "--", "ok"]);
}
