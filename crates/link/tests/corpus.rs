//! The seeds for fuzzing [`read_datagram`], replayed: each by its name, then cut off at every byte and with
//! every byte replaced by those that steer an XML reader.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::fs::{read, read_dir};

use link::{Datagram, read_datagram};

fn seeds() -> Vec<(String, Vec<u8>)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/sadp");
    let files = read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let seeds: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), read(file.path()).unwrap())).collect();
    assert!(seeds.len() >= 17, "only {} seeds", seeds.len());
    seeds
}

#[test]
fn seeds_are_what_their_names_say() {
    for (name, bytes) in seeds() {
        let said = match read_datagram(&bytes) {
            Ok(Datagram::Answer(_)) => "answer",
            Ok(Datagram::Hello(_)) => "hello",
            Ok(Datagram::Other) => "other",
            Err(_) => "rejected",
        };
        assert_eq!(name.split(['-', '.']).next(), Some(said), "{name}");
    }
}

/// Whatever is taken is safe to show and within its caps.
#[test]
fn no_neighbour_of_a_seed_panics_or_passes_with_harm() {
    for (name, bytes) in seeds() {
        for at in 0..bytes.len() {
            let _ = read_datagram(&bytes[..at]);
            for byte in *b"<>&;/!?\"\0\x1b\xff" {
                let mut other = bytes.clone();
                other[at] = byte;
                let Ok(Datagram::Answer(device) | Datagram::Hello(device)) = read_datagram(&other) else {
                    continue;
                };
                let words = [device.model, device.software].into_iter().flatten();
                for word in words {
                    let safe = word.as_str().chars().all(firmware::Text::allows);
                    assert!(safe && word.as_str().chars().count() <= 301, "{name}: {word}");
                }
            }
        }
    }
}
