//! What the client says of a stick, and what a depot says of what it is asked to make.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};

use serde_json::Map;
use stick::{
    Agreed, Contents, Directory, Sealed, Survey, UnverifiedPublication, VerifiedPublication, WritePlan,
};
use tuf_client::{Clock, MAX_ROTATIONS, TrustedMetadata};
use tuf_repository::{DraftError, TargetsDraft};

use crate::case::Run;
use crate::class;
use crate::depot::{RELEASE, sha256_of};
use crate::fat::Fat;
use crate::odd::Odd;
use crate::world::{Files, World};

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// `accepted`, or the class of the error.
    pub(crate) class: String,
    /// What was verified of the top-level roles, by its name in the store.
    pub(crate) verified: Files,
    /// Who approved what was found.
    pub(crate) role: Option<String>,
    /// Bytes read from the medium.
    pub(crate) read: u64,
}

pub(crate) fn ask(world: &World, run: &Run) -> Answer {
    match run {
        Run::Plan => Answer { class: class_of(plan(world)), ..Answer::default() },
        Run::Draft => Answer { class: class_of(draft(world)), ..Answer::default() },
        Run::Follow(runs) => follow(world, *runs),
        Run::Verify | Run::Find(_) | Run::Copy => open(world, run),
    }
}

/// Opens the publication with another clock.
pub(crate) fn open_at(world: &World, clock: Clock) -> String {
    let directory = Directory::open(&world.depot.directory).unwrap();
    let opened = UnverifiedPublication::on(&directory).verify(&mut world.store(), clock);
    class_of(opened.map(drop).map_err(|error| class::of_open(&error)))
}

fn class_of(result: Result<(), String>) -> String {
    result.err().unwrap_or_else(|| "accepted".into())
}

fn open(world: &World, run: &Run) -> Answer {
    let directory = Directory::open(&world.depot.directory).unwrap();
    let odd = Odd::new(&directory, &world.oddities);
    let mut answer = Answer::default();
    let opened = UnverifiedPublication::on(&odd).verify(&mut world.store(), world.clock());
    let result = opened.map_err(|error| class::of_open(&error)).and_then(|publication| {
        answer.verified = verified(publication.metadata());
        match run {
            Run::Find(name) => find(world, &odd, publication.metadata(), name, &mut answer.role),
            Run::Copy => copy(world, &publication),
            _ => Ok(()),
        }
    });
    Answer { class: class_of(result), read: odd.bytes(), ..answer }
}

fn verified(metadata: &TrustedMetadata) -> Files {
    [
        ("root.json", metadata.root().bytes()),
        ("timestamp.json", metadata.timestamp().bytes()),
        ("snapshot.json", metadata.snapshot().bytes()),
        ("targets.json", metadata.targets().bytes()),
    ]
    .map(|(file, bytes)| (file.to_string(), bytes.to_vec()))
    .into()
}

fn find(
    world: &World,
    medium: &Odd<'_>,
    metadata: &TrustedMetadata,
    name: &str,
    role: &mut Option<String>,
) -> Result<(), String> {
    let mut repository = UnverifiedPublication::on(medium);
    let not_listed = || "target not listed".to_string();
    let name = name.parse().map_err(|_| "target name refused".to_string())?;
    let found = metadata.find(&mut world.store(), &mut repository, &name);
    let found = found.map_err(|error| class::of_metadata(&error))?.ok_or_else(not_listed)?;
    *role = Some(found.role().into());
    let reader = found.open(&mut repository).map_err(|error| class::of_target(&error))?;
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    io::copy(&mut reader, &mut io::sink()).map_err(|error| class::of_read(&error))?;
    Ok(())
}

/// Checked once, as `applier verify` does, then copied, as `applier apply` does.
fn copy(world: &World, publication: &VerifiedPublication<'_>) -> Result<(), String> {
    let release = publication.release(&RELEASE.parse().unwrap()).unwrap();
    let here = world.state().join("copy");
    for (to, used) in
        [(&mut io::sink() as &mut dyn io::Write, false), (&mut File::create(&here).unwrap(), true)]
    {
        publication.copy(release, to, &mut |_| {}).map_err(|error| class::of_copy(&error))?;
        assert!(!used || sha256_of(&here) == release.sha256().to_string(), "a copy of something else");
    }
    Ok(())
}

/// Opened as often as that; no run goes further than it may.
fn follow(world: &World, runs: u32) -> Answer {
    let root = |answer: &Answer| -> u64 {
        let root: serde_json::Value = serde_json::from_slice(&answer.verified["root.json"]).unwrap();
        root["signed"]["version"].as_u64().unwrap()
    };
    let newest = world.depot.parts["root"]["version"].as_u64().unwrap();
    let (mut before, mut most) = (1, 0);
    for _ in 0..runs {
        let answer = open(world, &Run::Verify);
        if answer.class != "accepted" {
            return answer;
        }
        let now = root(&answer);
        assert!(now - before <= MAX_ROTATIONS, "from {before} to {now}");
        most = most.max(answer.read);
        if now == newest {
            return Answer { read: most, ..answer };
        }
        before = now;
    }
    Answer { class: format!("root {before} after {runs} runs"), ..Answer::default() }
}

/// A depot plans an empty FAT32 stick that carries all that is listed.
fn plan(world: &World) -> Result<(), String> {
    let listed = world.depot.parts["targets"]["targets"].as_object().unwrap();
    let sealed = |(name, target): (&String, &serde_json::Value)| {
        let sha256 = target["hashes"]["sha256"].as_str().unwrap();
        let name = match name.rsplit_once('/') {
            Some((folder, file)) => format!("{folder}/{sha256}.{file}"),
            None => format!("{sha256}.{name}"),
        };
        (name, Sealed { length: target["length"].as_u64().unwrap(), sha256: sha256.parse().unwrap() })
    };
    let listed: BTreeMap<_, _> = listed.iter().map(sealed).collect();
    let contents = Contents {
        metadata: BTreeMap::new(),
        timestamp: Vec::new(),
        carried: listed.keys().cloned().collect(),
        listed,
        acknowledged: None,
        readme: String::new(),
    };
    let empty = tempfile::tempdir().unwrap();
    let survey = Survey::of(&Fat(Directory::open(empty.path()).unwrap()), &contents).unwrap();
    WritePlan::new(&contents, &survey, Agreed::default())
        .map(drop)
        .map_err(|obstacles| class::of_obstacles(&obstacles))
}

/// A depot makes targets metadata of the same list.
fn draft(world: &World) -> Result<(), String> {
    let mut draft = TargetsDraft::first();
    for name in world.depot.parts["targets"]["targets"].as_object().unwrap().keys() {
        let name = name.parse().map_err(|_| "target name refused".to_string())?;
        draft.insert(name, 1, &[0; 32], &Map::new());
    }
    draft.unsigned(world.depot.day(1)).map(drop).map_err(|error| match error {
        DraftError::Twins { .. } => "draft: twins".into(),
        other => format!("draft: {other}"),
    })
}
