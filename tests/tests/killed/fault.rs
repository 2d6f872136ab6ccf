use std::time::Duration;

use jiff::Timestamp;
use journeys::site::{AFTER, BEFORE, MODEL, PASSWORD, revision};
use nvr_sim::{AnswerFault, Builder, Faults, How, Verdict, WhileFlashing};
use serde_json::json;

/// Bytes of the package.
pub(crate) const PACKAGE: u64 = 300_000;

/// What is wrong with a recorder, and how the table calls it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    change: fn(&mut Builder),
    /// For how many seconds its return is waited for.
    pub(crate) patience: u32,
    /// How else `apply` is told to be brief.
    pub(crate) brief: &'static str,
}

impl Fault {
    const fn new(name: &'static str, words: &'static str, change: fn(&mut Builder)) -> Self {
        Self { name, words, change, patience: 20, brief: "" }
    }

    /// It does not come back, so that waiting for it shows nothing.
    const fn lost(self) -> Self {
        Self { patience: 3, ..self }
    }

    const fn briefly(self, brief: &'static str) -> Self {
        Self { brief, ..self }
    }
}

pub(crate) const ALL: &[Fault] = &[
    Fault::new("good", "a recorder in good order", |_| {}),
    Fault::new("lost_answer", "cuts the connection at the end, restarts by itself", |b| {
        b.faults.cut_at_end = true;
    }),
    Fault::new("restarts_itself", "says that it restarts by itself, and does", |b| {
        (b.faults.verdict, b.faults.reboots_itself) = (Verdict::AutoReboot, true);
    }),
    Fault::new("waits_to_be_told", "says that it restarts by itself, and does not", |b| {
        b.faults.verdict = Verdict::AutoReboot;
    })
    .lost(),
    Fault::new("says_ok", "says ok and nothing about a restart", |b| b.faults.verdict = Verdict::Ok),
    Fault::new("says_zero", "says statusCode 0, and tells of 100 % while it is idle", |b| {
        (b.faults.verdict, b.faults.idle_percent) = (Verdict::Zero, Some(100));
    }),
    Fault::new("unclear", "answers nonsense instead of taking the package", |b| {
        b.faults.answers = vec![answer("/ISAPI/System/updateFirmware", How::Garbage)];
    }),
    Fault::new("no_status", "knows of no upgrades while none runs, and of nothing by 404", |b| {
        (b.faults.idle_status, b.faults.absent_status) = (Some(403), Some(404));
    }),
    Fault::new("silent", "answers nobody while it flashes", |b| {
        b.faults.while_flashing = WhileFlashing::Silent;
    }),
    Fault::new(
        "unseen",
        "cuts the connection after the last byte and answers as if nothing were going on",
        |b| b.faults.while_flashing = WhileFlashing::Unseen,
    ),
    Fault::new("stalls", "does not finish writing its flash before a person sees to it", |b| {
        b.faults.stall = true;
    })
    .briefly("--push-timeout 3"),
    Fault::new("slow", "reads 200 kB a second", |b| b.faults.bytes_per_second = Some(200_000)),
    Fault::new("cut_midway", "cuts the connection in the middle of the package", |b| {
        b.faults.cut_after = Some(PACKAGE / 2);
    }),
    Fault::new("cut_at_last_byte", "cuts the connection at the last byte and does nothing", |b| {
        b.faults.cut_after = Some(PACKAGE);
    }),
    Fault::new("refuses", "refuses the package", |b| b.faults.refuse = Some("badDevType".into())),
    Fault::new("refuses_oddly", "refuses the package with HTTP 200 and a code of another kind", |b| {
        b.faults.refuse = Some("badLanguage".into());
        b.faults.refuse_status = Some(200);
        (b.faults.refuse_code, b.faults.refuse_text) = (Some(6), Some("odd".into()));
    }),
    Fault::new("other_version", "comes back with another version than the target", |b| {
        b.faults.back_as = Some(revision("V4.50.000:220101"));
    }),
    Fault::new("same_version", "comes back with the version it had", |b| {
        b.faults.back_as = Some(revision(BEFORE));
    }),
    Fault::new("other_serial", "another recorder answers after the restart", |b| {
        b.faults.back_serial = Some("DS-7608NI-I20120200101CCRRE00000002WCVU".parse().unwrap());
    }),
    Fault::new("moves", "comes back at another address, where a person finds it", |b| {
        b.faults.back_at = Some("127.0.0.2:0".parse().unwrap());
    })
    .lost(),
    Fault::new("stays_away", "does not come back before a person sees to it", |b| {
        b.faults.never_back = true;
    })
    .lost(),
    Fault::new("refuses_reboot", "refuses to restart", |b| {
        b.faults.refuse_reboot = Some("lowPrivilege".into());
    })
    .lost(),
    Fault::new(
        "no_uptime",
        "cuts the connection at the end, comes back with the version it had, and tells no uptime",
        |b| {
            b.faults = Faults { cut_at_end: true, back_as: Some(revision(BEFORE)), ..Faults::default() };
            b.content.missing = vec!["/ISAPI/System/status".into()];
        },
    ),
];

/// Another answer on this path.
fn answer(path: &str, how: How) -> AnswerFault {
    serde_json::from_value(json!({"path": path, "how": how})).unwrap()
}

pub(crate) fn named(name: &str) -> &'static Fault {
    ALL.iter().find(|fault| fault.name == name).unwrap()
}

impl Fault {
    /// A recorder with this fault.
    pub(crate) fn recorder(&self) -> Builder {
        let mut recorder = recorder();
        (self.change)(&mut recorder);
        recorder
    }
}

/// A recorder in good order that is quick.
pub(crate) fn recorder() -> Builder {
    #[allow(clippy::disallowed_methods)] // a recorder whose clock is right
    let now = Timestamp::now();
    let mut recorder = Builder::new(MODEL.parse().unwrap(), revision(BEFORE), revision(AFTER), PASSWORD, now);
    recorder.flash = Duration::from_millis(300);
    // long enough to be seen to be gone
    recorder.down = Duration::from_secs(1);
    recorder
}
