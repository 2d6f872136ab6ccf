//! What the benchmark of the ledger needs: a stick full of statements, and how fast this machine verifies signatures.
//!
//!     statements make FOLDER COUNT RECORDERS   FOLDER/COURIER/receipts/…, of one new laptop that visits so many
//!                                              recorders, one after the other; its key in FOLDER/laptop.pub
//!     statements verify COUNT THREADS          checks so many signatures over a statement, and does nothing else
#![allow(clippy::print_stdout)] // it tells the fingerprint of the laptop

use std::error::Error;
use std::fs::{File, create_dir_all};
use std::io::Write as _;
use std::path::Path;
use std::thread;

use firmware::{Device, Sha256Digest, Text};
use jiff::{SignedDuration, Timestamp};
use keys::SigningKey;
use receipt::{
    Body, Envelope, Head, LaptopId, Link, Publication, PushEnded, PushResult, PushStarted, Statement,
    Subject, Target, Times,
};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder, count, recorders] => make(Path::new(folder), count.parse()?, recorders.parse()?),
        ["verify", count, threads] => verify(count.parse()?, threads.parse()?),
        _ => Err("statements make FOLDER COUNT RECORDERS, or statements verify COUNT THREADS".into()),
    }
}

fn make(folder: &Path, count: u64, recorders: u64) -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate();
    let laptop = LaptopId::of(&key.public());
    let receipts = folder.join("COURIER/receipts").join(laptop.as_str());
    create_dir_all(&receipts)?;
    let mut previous = None;
    for counter in 1..=count {
        let bytes = statement(&laptop, counter, previous, recorders)?.sign(&key)?;
        File::create_new(receipts.join(format!("{counter}.json")))?.write_all(&bytes)?;
        previous = Some(Sha256Digest::of(&bytes));
    }
    File::create_new(folder.join("laptop.pub"))?.write_all(key.public().to_spki_pem().as_bytes())?;
    println!("{}", key.public().fingerprint());
    Ok(())
}

/// The beginning of a push, or its end.
fn statement(
    laptop: &LaptopId,
    counter: u64,
    previous: Option<Sha256Digest>,
    recorders: u64,
) -> Result<Statement, Box<dyn Error>> {
    let run = counter.div_ceil(2);
    let now = Timestamp::UNIX_EPOCH
        + SignedDuration::from_hours(500_000)
        + SignedDuration::from_secs(i64::try_from(counter)?);
    let serial =
        format!("DS-7608NI-I2{:08}CCRR{}", run % recorders, laptop.as_str()[..8].to_ascii_uppercase());
    let device = |version| {
        let device =
            json!({"model": "DS-7608NI-I2", "serial": serial, "version": version, "build": "200101"});
        serde_json::from_value::<Device>(device)
    };
    let text = Text::cleaned;
    let sha256 = Sha256Digest::of(b"timestamp");
    let target = Target {
        release: "nvr-k51-4.61.025-230421".parse()?,
        revision: "V4.61.025 build 230421".parse()?,
        name: text("nvr-k51-4.61.025-230421/digicap.dav"),
        length: 38_123_456,
        sha256,
    };
    let link = Link { interface: Some(text("eth0")), ..Link::new(text("isolated"), text("192.168.1.64")) };
    let (run, device_before) = (text(&format!("{laptop}-{run}")), device("V4.30.097")?);
    let body = if counter % 2 == 1 {
        Body::PushStarted(Box::new(PushStarted {
            run,
            device: device_before,
            target,
            plan: sha256,
            overrides: vec![],
            link,
            started: now,
        }))
    } else {
        Body::PushEnded(Box::new(PushEnded {
            run,
            device: device_before,
            target: Some(target),
            plan: Some(sha256),
            result: PushResult::Applied,
            reason: text("confirmed"),
            detail: text("the same serial answers with exactly the target version and build"),
            after: Some(device("V4.61.025")?),
            checks: ["root 1 and its chain", "timestamp, snapshot, targets", "size and SHA-256 of the file"]
                .map(text)
                .into(),
            overrides: vec![],
            link,
            backup: text("not taken"),
            differences: vec![],
            pushes: 1,
            started: now,
            ended: now,
        }))
    };
    let publication = Publication {
        root: 1,
        targets: 7,
        snapshot: 9,
        timestamp: 9,
        timestamp_sha256: sha256,
        forgiven: vec![],
    };
    let head = Head {
        laptop: laptop.clone(),
        counter,
        previous,
        applier: text("0.1.0"),
        operator: Some(text("kim")),
        site: Some(text("Harbour")),
        times: Times { claimed: now, floor: now, clock_trusted: true, resets: vec![] },
        publication,
    };
    let subject = Subject { name: "nvr-k51-4.61.025-230421/digicap.dav".into(), sha256 };
    Ok(Statement { head, subject, body })
}

fn verify(count: u64, threads: u64) -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate();
    let laptop = LaptopId::of(&key.public());
    let bytes = statement(&laptop, 2, Some(Sha256Digest::of(b"1")), 1)?.sign(&key)?;
    let envelope = Envelope::read(&bytes)?;
    let public = key.public();
    let is_good = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let check = || envelope.verify("application/vnd.in-toto+json", &public).is_ok();
                scope.spawn(move || (0..count.div_ceil(threads)).all(|_| check()))
            })
            .collect();
        workers.into_iter().all(|worker| worker.join().unwrap_or(false))
    });
    if is_good { Ok(()) } else { Err("a good signature was refused".into()) }
}
