use std::time::Duration;

use jiff::Timestamp;
use journeys::site::{AFTER, BEFORE, MODEL, PASSWORD, revision};
use nvr_sim::{Builder, Faults, Verdict, WhileFlashing};

/// What is wrong with a recorder, and how the table calls it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    change: fn(&mut Builder),
}

pub(crate) const ALL: &[Fault] = &[
    Fault { name: "good", words: "a recorder in good order", change: |_| {} },
    Fault {
        name: "lost_answer",
        words: "cuts the connection at the end, restarts by itself",
        change: |b| b.faults.cut_at_end = true,
    },
    Fault {
        name: "restarts_itself",
        words: "says that it restarts by itself, and does",
        change: |b| (b.faults.verdict, b.faults.reboots_itself) = (Verdict::AutoReboot, true),
    },
    Fault {
        name: "says_ok",
        words: "says ok and nothing about a restart",
        change: |b| b.faults.verdict = Verdict::Ok,
    },
    Fault {
        name: "unseen",
        words: "cuts the connection after the last byte and answers as if nothing were going on",
        change: |b| b.faults.while_flashing = WhileFlashing::Unseen,
    },
    Fault {
        name: "refuses",
        words: "refuses the package",
        change: |b| b.faults.refuse = Some("badDevType".into()),
    },
    Fault {
        name: "other_version",
        words: "comes back with another version than the target",
        change: |b| b.faults.back_as = Some(revision("V4.50.000:220101")),
    },
    Fault {
        name: "same_version",
        words: "comes back with the version it had",
        change: |b| b.faults.back_as = Some(revision(BEFORE)),
    },
    Fault {
        name: "other_serial",
        words: "another recorder answers after the restart",
        change: |b| b.faults.back_serial = Some("DS-7608NI-I20120200101CCRRE00000002WCVU".parse().unwrap()),
    },
    Fault {
        name: "refuses_reboot",
        words: "refuses to restart",
        change: |b| b.faults.refuse_reboot = Some("lowPrivilege".into()),
    },
    Fault {
        name: "no_uptime",
        words: "cuts the connection at the end, comes back with the version it had, and tells no uptime",
        change: |b| {
            b.faults = Faults { cut_at_end: true, back_as: Some(revision(BEFORE)), ..Faults::default() };
            b.content.missing = vec!["/ISAPI/System/status".into()];
        },
    },
];

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
