//! Any byte of the stick changed: nothing reaches the recorder.

use crate::world::{World, files, write};

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
