//! Every fault of the simulated recorder, and what the applier makes of it: one journey for each case of
//! `tests/faults/`. Each holds exit code, message, hint, statement, pushes and what the recorder runs
//! afterwards; and in every one nothing is pushed twice, no success is told that the recorder does not show,
//! no password is tried twice or sent in the clear.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::PathBuf;
use std::sync::Arc;

use journeys::site::AFTER;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::fault_case::Group;
use crate::world::{MODEL, World, recorder};

/// The models of the release: those of the captured recorders, too (reference: ISAPI §8.2).
const MODELS: [&str; 5] = [MODEL, "DS-7616NI-K2", "DS-7616NI-Q2/16P", "DS-7608NXI-I2/8P/S", "DS-7732NI-M4"];
/// Journeys at a time; most of their time is waiting.
const AT_A_TIME: usize = 6;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/faults"))
}

pub(crate) fn group(name: &str) -> Group {
    let text = read_to_string(folder().join(name).with_extension("toml")).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All cases of a file, at one depot's stick and one laptop.
async fn all_of(name: &str) {
    let Group { size, case, .. } = group(name);
    let world = World::with(recorder()).await;
    world.init().await;
    world.approve_and_load(&world.release_of_size(size, AFTER, &MODELS)).await;
    world.trust().await;
    let (world, places) = (Arc::new(world), Arc::new(Semaphore::new(AT_A_TIME)));
    let mut journeys = JoinSet::new();
    for case in case {
        let (world, places) = (Arc::clone(&world), Arc::clone(&places));
        journeys.spawn(async move {
            let _place = places.acquire().await.unwrap();
            case.run(&world).await;
        });
    }
    let mut failed = 0;
    while let Some(ended) = journeys.join_next().await {
        failed += usize::from(ended.is_err());
    }
    assert_eq!(failed, 0, "cases of tests/faults/{name}.toml failed; each says above what was seen");
}

/// A test for each file, and the list of them.
macro_rules! files {
    ($($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                all_of(stringify!($name)).await;
            }
        )*

        pub(crate) const FILES: &[&str] = &[$(stringify!($name)),*];
    };
}

files! { login refusals lost_midway lost_at_the_end restart answers condition profiles tls }

#[test]
fn every_file_is_run() {
    let there = read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let there: BTreeSet<String> =
        there.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(there, FILES.iter().map(ToString::to_string).collect());
}
