//! A depot with a fleet: laptops whose signed statements lie on a stick and are collected, as they are in life.

use std::fs::create_dir_all;
use std::path::PathBuf;

use firmware::{Device, Sha256Digest, Text};
use jiff::{SignedDuration, Timestamp};
use journeys::ran::Ran;
use keys::SigningKey;
use keys::key_file::write_public_new;
use receipt::{
    Audit, Body, CameraTold, CamerasTold, CheckCounts, Head, InventoryTaken, LaptopId, Link, Need,
    Publication, PushEnded, PushResult, Statement, Subject, Times,
};
use serde_json::json;

use crate::world::{Site, write};

/// When all reports of these tests are made.
pub(crate) const NOW: &str = "2026-11-25T10:00:00Z";

/// A laptop that goes from recorder to recorder.
pub(crate) struct Laptop {
    key: SigningKey,
    counter: u64,
    previous: Option<Sha256Digest>,
    folder: PathBuf,
}

/// A recorder as it tells of itself.
#[derive(Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) model: &'a str,
    pub(crate) serial: String,
    pub(crate) kind: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) site: Option<&'a str>,
    /// Days before [`NOW`].
    pub(crate) days: i64,
}

impl Seen<'_> {
    fn device(&self) -> Device {
        let (version, build) = self.revision.split_once(':').unwrap();
        let device = json!({"model": self.model, "serial": self.serial, "version": version, "build": build, "device_type": self.kind});
        serde_json::from_value(device).unwrap()
    }

    fn at(&self) -> Timestamp {
        NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(24 * self.days)
    }
}

fn text(text: &str) -> Text {
    Text::cleaned(text)
}

fn link() -> Link {
    Link::new(text("isolated"), text("192.168.1.64"))
}

impl Laptop {
    /// One whose statements go on the stick of this site.
    pub(crate) fn new(site: &Site) -> Self {
        let key = SigningKey::generate();
        let folder = site.path("stick/COURIER/receipts").join(LaptopId::of(&key.public()).as_str());
        create_dir_all(&folder).unwrap();
        Self { key, counter: 0, previous: None, folder }
    }

    /// Its next statement.
    fn states(&mut self, seen: &Seen<'_>, body: Body) {
        self.counter += 1;
        let digest = Sha256Digest::of(b"timestamp");
        let claimed = seen.at();
        let statement = Statement {
            head: Head {
                laptop: LaptopId::of(&self.key.public()),
                counter: self.counter,
                previous: self.previous,
                applier: text("0.1.0"),
                operator: None,
                site: seen.site.map(text),
                times: Times { claimed, floor: claimed, clock_trusted: true, resets: vec![] },
                publication: Publication {
                    root: 1,
                    targets: 1,
                    snapshot: 1,
                    timestamp: 1,
                    timestamp_sha256: digest,
                    forgiven: vec![],
                },
            },
            subject: Subject { name: "timestamp.json".into(), sha256: digest },
            body,
        };
        let bytes = statement.sign(&self.key).unwrap();
        self.previous = Some(Sha256Digest::of(&bytes));
        write(&self.folder.join(format!("{}.json", self.counter)), &bytes);
    }

    /// It asked for a release, and was told of so many cameras.
    pub(crate) fn asks(&mut self, seen: &Seen<'_>, release: &str, cameras: usize) {
        let camera = |channel: usize| CameraTold {
            channel: text(&channel.to_string()),
            model: Some(text("DS-2CD2386G2-IU")),
            serial: None,
            firmware: Some(text("V5.7.15 build 240201")),
        };
        self.states(
            seen,
            Body::Inventory(Box::new(InventoryTaken {
                device: seen.device(),
                needs: vec![Need {
                    release: release.parse().ok(),
                    at_least: None,
                    reason: text("not-carried"),
                }],
                cameras: CamerasTold::of((1..=cameras).map(camera)),
                link: link(),
                taken: seen.at(),
            })),
        );
    }

    /// Its run at a recorder ended so.
    pub(crate) fn pushes(&mut self, seen: &Seen<'_>, result: PushResult, detail: &str) {
        let now = seen.at();
        self.states(
            seen,
            Body::PushEnded(Box::new(PushEnded {
                run: text("run"),
                device: seen.device(),
                target: None,
                plan: None,
                result,
                reason: text("reason"),
                detail: text(detail),
                after: None,
                checks: vec![],
                overrides: vec![],
                link: link(),
                backup: text("not taken"),
                differences: vec![],
                pushes: 0,
                started: now,
                ended: now,
            })),
        );
    }

    /// It audited a recorder, and so many checks failed.
    pub(crate) fn audits(&mut self, seen: &Seen<'_>, fail: u32) {
        self.states(
            seen,
            Body::Audit(Box::new(Audit {
                device: seen.device(),
                profile: "air-gapped".parse().unwrap(),
                baseline: None,
                checks: std::iter::empty().collect(),
                counts: CheckCounts { fail, pass: 30 - fail, ..CheckCounts::default() },
                advisories: None,
                overrides: vec![],
                link: link(),
                audited: seen.at(),
            })),
        );
    }

    /// The depot takes its statements from the stick.
    pub(crate) async fn comes_home(&self, site: &Site) {
        let key = self.key.public();
        let file = format!("{}.pub", LaptopId::of(&key));
        write_public_new(&site.path(&file), &key).unwrap();
        let fingerprint = key.fingerprint();
        site.fetcher(&format!("laptops enrol {file} --fingerprint {fingerprint}")).await.ends(0);
        site.fetcher("collect --from stick").await.ends(0);
    }
}

/// What a person types who makes a report at [`NOW`].
pub(crate) async fn fleet(site: &Site, more: &str) -> Ran {
    let now = NOW.replace('T', " ");
    let under = ["env", "TZ=UTC", "faketime", "-f", now.trim_end_matches('Z')];
    site.run(&under, "fetcher", &format!("fleet {more}")).await
}

/// What every recorder of [`a_fleet`] that is hostile says of itself and of where it is.
pub(crate) const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'";

/// A depot that knows 45 devices of every risk at six sites, hostile ones among them.
pub(crate) async fn a_fleet() -> Site {
    const SITES: [&str; 5] = ["Harbour", "North depot", "Town hall", "Tunnel east", "Waterworks"];
    const KINDS: [(&str, &str, &str); 8] = [
        ("DS-7608NI-I2", "NVR", "V4.61.030:240123"),
        ("DS-7732NI-M4", "NVR", "V5.02.006:240311"),
        ("DS-7616NI-K2/16P", "NVR", "V4.31.102:200611"),
        ("DS-7608NI-I2", "NVR", "V4.30.097:200101"),
        ("DS-9632NI-I8", "NVR", "V4.40.016:210709"),
        ("DS-7732NI-M4", "NVR", "V5.04.020:260105"),
        ("DS-7732NI-K4", "NVR", "V4.30.122:201107"),
        ("DS-7608NI-I2", "NVR", "V4.61.025:230421"),
    ];
    let site = a_depot().await;
    let mut laptop = Laptop::new(&site);
    for n in 0..42_usize {
        let (model, kind, revision) = KINDS[n % KINDS.len()];
        let place = (n % 7 < 6).then(|| SITES[n % SITES.len()]);
        let serial =
            format!("{model}0820{}0{}14CCRRE{:08}WCVU", 18 + n % 5, 1 + n % 9, 41_700_000 + n * 7_919);
        let days = i64::try_from(n * n % 211 + n % 3).unwrap();
        let seen = Seen { model, serial, kind, revision, site: place, days };
        if place.is_some() {
            let before = Seen { days: days + 40, ..seen.clone() };
            laptop.asks(&before, "nvr-synthetic-4.61.030-240123", n % 4 * 4);
        }
        match n % 14 {
            5 => laptop.pushes(&seen, PushResult::UnknownAfterPush, "nothing answered within 300 s"),
            9 => laptop.pushes(&seen, PushResult::Refused, "somebody is logged in"),
            _ => laptop.pushes(&seen, PushResult::Applied, "the target answers"),
        }
        if n % 6 == 1 {
            laptop.audits(&seen, u32::try_from(n % 4).unwrap());
        }
    }
    let camera = Seen {
        model: "DS-2CD2132F-I",
        serial: "DS-2CD2132F-I20150611CCWR524718313".into(),
        kind: "IPCamera",
        revision: "V5.3.0:150513",
        site: Some("Tunnel east"),
        days: 402,
    };
    laptop.asks(&camera, "ipc-synthetic-5.4.5-170124", 0);
    for (n, words) in [HOSTILE, "=HYPERLINK(\"http://192.0.2.1/\",\"click\")"].into_iter().enumerate() {
        let hostile = Seen {
            model: "DS-7608NI-I2",
            serial: format!("<b onclick=alert({n})>{n}"),
            kind: "NVR",
            revision: "V4.61.030:240123",
            site: Some(words),
            days: 12,
        };
        laptop.asks(&hostile, "nvr-synthetic-4.61.030-240123", 1);
        laptop.pushes(&Seen { days: 11, ..hostile }, PushResult::Failed, words);
    }
    laptop.comes_home(&site).await;
    site
}

/// A depot with a small catalogue, the shipped advisories, and an empty ledger.
pub(crate) async fn a_depot() -> Site {
    let site = Site::new().await;
    site.init().await;
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-manifests/advisories.toml");
    std::fs::copy(shipped, site.path("manifests/advisories.toml")).unwrap();
    for (model, version, build, more) in [
        ("DS-7608NI-I2", "4.61.025", "230421", ""),
        ("DS-7608NI-I2", "4.61.030", "240123", "via = [\"nvr-synthetic-4.61.025-230421\"]\n"),
        ("DS-7616NI-K2/16P", "4.31.105", "240520", ""),
        ("DS-7732NI-M4", "5.04.020", "260105", ""),
        ("DS-7732NI-K4", "4.30.300", "230918", "region = \"EU\"\n"),
    ] {
        site.list(&format!(
            "id = \"nvr-synthetic-{version}-{build}\"\nfamily = \"nvr\"\nmodels = [\"{model}\"]\nversion = \"V{version}\"\nbuild = \"{build}\"\nsources = [\"own\"]\n{more}"
        ));
    }
    site
}
