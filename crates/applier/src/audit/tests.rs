use firmware::advisory::AdvisoryTable;
use firmware::{Release, Sha256Digest};
use isapi::Document;
use jiff::Timestamp;
use serde_json::json;

#[allow(clippy::enum_glob_use, reason = "tables of checks are read by their names")]
use super::catalogue::CheckId::{self, *};
use super::*;
use crate::backup::Manifest;
use crate::inventory::tests::inventory;
use CheckResult::{Fail, Manual, NotOffered, Pass, Unknown};

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// What is made of these readings and whatever else is changed about the facts.
fn judged<'a>(id: CheckId, change: impl FnOnce(&mut Observed<'a>)) -> (CheckResult, String) {
    // lives as long as whatever a test lends
    let inventory = Box::leak(Box::new(inventory("DS-7608NI-I2", "V4.30.097 build 200101")));
    let mut observed = Observed {
        device: &inventory.device,
        readings: Readings::default(),
        tls: Tls::PlainText,
        password: PasswordFacts::of(&"Recorder123".into(), "admin"),
        backup: None,
        releases: None,
        advisories: None,
        now: now(),
        clock_trusted: true,
    };
    change(&mut observed);
    let verdict = rules::judge(id, &observed);
    let said: Vec<String> = verdict.read.into_iter().chain(verdict.reason).collect();
    (verdict.result, said.join(" / "))
}

fn read<D: Document>(text: &str) -> Reading<D> {
    Reading::Read(D::parse(text.as_bytes()).unwrap())
}

/// A check, what sets its reading, and the documents with what is made of each.
macro_rules! table {
    ($id:ident, $field:ident: $(($text:expr, $expected:expr, $words:expr)),+ $(,)?) => {
        $(
            let (result, said) = judged($id, |observed| observed.readings.$field = read($text));
            assert_eq!(result, $expected, "{:?} {}: {said}", $id, $text);
            assert!(said.contains($words), "{said:?} lacks {:?}", $words);
        )+
        let (result, said) = judged($id, |observed| observed.readings.$field = Reading::Unread(Text::cleaned("no right")));
        assert!(matches!(result, Unknown | Manual | Fail), "{:?} not read: {result} {said}", $id);
    };
}

mod channel;
mod settings;

#[test]
fn ways_in_and_out() {
    let filter = |enabled: bool, kind: &str, entries: &str| {
        format!(
            "<IPFilter><enabled>{enabled}</enabled>{kind}<IPFilterAddressList>{entries}</IPFilterAddressList></IPFilter>"
        )
    };
    let (allow, deny, entry) = (
        "<permissionType>allow</permissionType>",
        "<permissionType>deny</permissionType>",
        "<IPFilterAddress/>",
    );
    table!(Nw01, ip_filter:
        (&filter(true, allow, entry), Pass, "on, allow, 1 entry"),
        (&filter(true, allow, ""), Fail, "0 entries"),
        (&filter(true, deny, entry), Fail, "deny"),
        (&filter(false, allow, entry), Fail, "off"),
        (&filter(true, "", entry), Unknown, "kind"));
    table!(Nw02, network:
        ("<NetworkCap><isSupportMACFilter>true</isSupportMACFilter></NetworkCap>", Manual, "it has one"),
        ("<NetworkCap><isSupportMACFilter>false</isSupportMACFilter></NetworkCap>", NotOffered, "none"));
    let interface = |gateway: &str, dns: &str| {
        format!(
            "<NetworkInterface><IPAddress><DefaultGateway><ipAddress>{gateway}</ipAddress></DefaultGateway><PrimaryDNS><ipAddress>{dns}</ipAddress></PrimaryDNS></IPAddress></NetworkInterface>"
        )
    };
    table!(Nw03, interfaces:
        (&interface("0.0.0.0", "0.0.0.0"), Pass, "no gateway, no name server"),
        (&interface("0.0.0.0", "192.168.1.2"), Pass, "192.168.1.2"),
        (&interface("192.168.1.1", "0.0.0.0"), Fail, "gateway 192.168.1.1"),
        (&interface("0.0.0.0", "8.8.8.8"), Fail, "8.8.8.8"),
        ("<NetworkInterfaceList/>", Unknown, "empty"));
    table!(Lg02, notified:
        ("<AnyList/>", Pass, "nobody"),
        ("<L><a><ipAddress>192.168.1.9</ipAddress></a></L>", Manual, "192.168.1.9"),
        ("<L><a><ipAddress>203.0.113.9</ipAddress></a></L>", Fail, "203.0.113.9"),
        ("<L><a><hostName>alarms.example</hostName></a></L>", Manual, "alarms.example"));
    table!(Up01, system:
        ("<SysCap><isSupportOnlineUpgradeTask>false</isSupportOnlineUpgradeTask></SysCap>", NotOffered, "no online"),
        ("<SysCap><isSupportOnlineUpgradeTask>true</isSupportOnlineUpgradeTask></SysCap>", Manual, "it has online"));
}

#[test]
fn clocks() {
    let judged = |local: &str, mode: &str, servers: Reading<isapi::TimeServers>, trusted| {
        let text = format!(
            "<Time><timeMode>{mode}</timeMode><localTime>{local}</localTime><timeZone>CST+0:00:00</timeZone></Time>"
        );
        let Reading::Read(settings) = read(&text) else { panic!() };
        judged(Tm01, |observed| {
            observed.readings.clock = Reading::Read(ClockReading { settings, at: now() });
            observed.readings.time_servers = servers;
            observed.clock_trusted = trusted;
        })
    };
    let server = |ip: &str| read(&format!("<L><a><ipAddress>{ip}</ipAddress></a></L>"));
    let right = "2026-11-25T12:00:59";
    assert_eq!(judged(right, "manual", Reading::NotOffered, true).0, Pass);
    assert_eq!(judged("2026-11-25T12:01:00", "manual", Reading::NotOffered, true).0, Fail);
    assert_eq!(judged(right, "manual", Reading::NotOffered, false).0, Unknown);
    assert_eq!(judged(right, "NTP", Reading::NotOffered, true).0, Manual);
    assert_eq!(judged(right, "NTP", server("203.0.113.1"), true).0, Fail);
    let inside = judged(right, "NTP", server("192.168.1.1"), true);
    assert!(inside.0 == Manual && inside.1.contains("59 s off, set by NTP; 192.168.1.1"), "{inside:?}");
}

#[test]
fn firmware_is_held_against_the_publication_at_hand() {
    fn releases(releases: Option<Vec<&Release>>) -> (CheckResult, String) {
        judged(Fw01, |observed| observed.releases = releases)
    }
    let release = |id: &str, version: &str, build: &str| -> Release {
        serde_json::from_value(json!({"id": id, "family": "nvr", "models": ["DS-7608NI-I2"], "version": version, "build": build})).unwrap()
    };
    let (newer, current, other) = (
        release("newer", "V4.61.025", "230421"),
        release("current", "V4.30.097", "200101"),
        release("branch", "V4.20.000", "240101"),
    );
    let none = releases(None);
    assert!(none.0 == Unknown && none.1.contains("--stick"), "{none:?}");
    assert_eq!(releases(Some(vec![])).0, Unknown);
    assert_eq!(releases(Some(vec![&current])).0, Pass);
    assert_eq!(releases(Some(vec![&current, &other])).0, Manual);
    let old = releases(Some(vec![&newer, &current]));
    assert!(old.0 == Fail && old.1.contains("newest listed is V4.61.025 build 230421, newer"), "{old:?}");
}

#[test]
fn advisories_match_or_do_not_and_nothing_is_called_safe() {
    fn by(table: Option<&AdvisoryTable>) -> (CheckResult, String) {
        judged(Fw02, |observed| {
            observed.advisories = table;
            observed.releases = table.map(|_| vec![]);
        })
    }
    let table = |rows: serde_json::Value| -> AdvisoryTable {
        serde_json::from_value(json!({"collected": "2026-11-20", "advisories": [{"id": "CVE-2025-66177", "title": "t", "affected": rows}]})).unwrap()
    };
    let none = by(None);
    assert!(none.0 == Unknown && none.1.contains("no advisory table at hand"), "{none:?}");
    let weak = table(json!([{"product": "x", "models": "^DS-76", "build_before": "250807"}]));
    let weak = by(Some(&weak));
    assert_eq!((weak.0, weak.1.as_str()), (Fail, "matches CVE-2025-66177 (2026-11-20)"));
    let mended = table(json!([{"product": "x", "models": "^DS-76", "build_before": "190807"}]));
    let mended = by(Some(&mended));
    assert_eq!((mended.0, mended.1.as_str()), (Pass, "no match in this table (2026-11-20)"));
    let series = by(Some(&table(json!([{"product": "some series"}]))));
    assert!(series.0 == Manual && series.1.contains("CVE-2025-66177"), "{series:?}");
}

/// Whatever could not be read, no check says that it is as it should be; and every check says something.
#[test]
fn nothing_read_is_nothing_passed() {
    for id in CheckId::ALL {
        let (result, said) = judged(*id, |_| ());
        // the password was typed, and needs no recorder
        let own = *id == Ac04;
        assert!(matches!(result, Unknown | Manual) || own, "{id}: {result}");
        assert!(!said.is_empty(), "{id}");
    }
}

#[test]
fn a_backup_of_an_older_firmware_is_none_of_this_one() {
    for (kept, expected, words) in [
        (None, Manual, "this laptop keeps none"),
        (Some("V4.30.097 build 200101"), Pass, "exported by V4.30.097 build 200101"),
        (Some("V4.30.085 build 190101"), Manual, "from before the last update"),
    ] {
        let exported = isapi::Exported { size: 1, sha256: Sha256Digest::of(b"x"), keyed: false };
        let by = |revision| Manifest::of(&inventory("DS-7608NI-I2", revision).device, &exported, now());
        let (result, said) = judged(Cf01, |observed| observed.backup = kept.map(by));
        assert_eq!(result, expected, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn findings_are_those_of_the_profile_and_grouped_by_severity() {
    let inventory = inventory("DS-7608NI-I2", "V4.30.097 build 200101");
    let observed = Observed {
        device: &inventory.device,
        readings: Readings::default(),
        tls: Tls::PlainText,
        password: PasswordFacts::of(&"x".into(), "admin"),
        backup: None,
        releases: None,
        advisories: None,
        now: now(),
        clock_trusted: true,
    };
    let checks = checks().unwrap();
    for (profile, has, lacks) in [
        (AuditProfile::AirGapped, Nw03, Nw01),
        (AuditProfile::Segmented, Nw04, Nw03),
        (AuditProfile::Internet, Nw01, Sv06),
    ] {
        let findings = audit(&observed, profile, &checks);
        let ids: Vec<CheckId> = findings.iter().map(|finding| finding.id).collect();
        assert!(ids.contains(&has) && !ids.contains(&lacks), "{profile}");
        let groups = by_severity(&findings);
        assert_eq!(groups.iter().map(|(_, group)| group.len()).sum::<usize>(), findings.len());
        assert_eq!((groups[0].0, groups[0].1[0].result), (Severity::High, Fail), "the worst comes first");
        assert_eq!(counts(&findings).fail, 1);
    }
}
