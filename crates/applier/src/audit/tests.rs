use firmware::Release;
use firmware::advisory::AdvisoryTable;
use isapi::{CertificateFacts, Document, Measured};
use jiff::Timestamp;
use serde_json::json;

use super::catalogue::CheckId::{self, *};
use super::*;
use crate::inventory::tests::inventory;
use CheckResult::{Fail, Manual, NotOffered, Pass, Unknown};

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn certificate(subject: &str, not_after: &str) -> Tls {
    let facts = CertificateFacts {
        version: 3,
        rsa_bits: Some(2048),
        subject: Text::cleaned(subject),
        issuer: Text::cleaned(subject),
        not_after: not_after.parse().unwrap(),
    };
    Tls::Spoken { certificate: Some(Box::new(facts)), old: [Measured::Refused, Measured::Refused] }
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

#[test]
fn services_pass_only_where_they_say_that_they_are_off() {
    table!(Sv01, upnp:
        ("<UPnP><enabled>true</enabled><mapmode>auto</mapmode></UPnP>", Fail, "on, mapping auto"),
        ("<UPnP><enabled>false</enabled></UPnP>", Pass, "off"));
    table!(Sv02, ddns:
        ("<DDNSList/>", Pass, "no service"),
        ("<DDNS><enabled>false</enabled><provider>DynDNS</provider></DDNS>", Pass, "DynDNS off"),
        ("<DDNSList><DDNS><enabled>false</enabled></DDNS><DDNS><enabled>true</enabled></DDNS></DDNSList>", Fail, "on"),
        ("<DDNSList><DDNS><enabled>false</enabled></DDNS><DDNS/></DDNSList>", Unknown, "neither"));
    table!(Sv04, snmp:
        ("<SNMP><SNMPv1c><enabled>false</enabled></SNMPv1c><SNMPv2c><enabled>false</enabled></SNMPv2c></SNMP>", Pass, "version 1 off"),
        ("<SNMP><SNMPv2c><enabled>true</enabled></SNMPv2c></SNMP>", Fail, "version 2c on"),
        ("<SNMP><SNMPv1c><notificationEnabled>true</notificationEnabled><SNMPTrapReceiverList><SNMPTrapReceiver><communityString>public</communityString></SNMPTrapReceiver></SNMPTrapReceiverList></SNMPv1c></SNMP>", Fail, "everybody tries"),
        ("<SNMP><SNMPv1c><notificationEnabled>false</notificationEnabled></SNMPv1c></SNMP>", Unknown, "traps off"),
        ("<SNMP/>", Unknown, "nothing"));
    table!(Sv05, integration:
        ("<Integrate><ONVIF><enable>true</enable><certificateType>digest/wsse</certificateType></ONVIF></Integrate>", Fail, "digest/wsse"),
        ("<Integrate><ONVIF><enable>false</enable></ONVIF></Integrate>", Pass, "off"),
        ("<Integrate/>", Unknown, "neither"));
    table!(Sv06, cloud:
        ("<EZVIZ><enabled>true</enabled></EZVIZ>", Fail, "on"),
        ("<EZVIZ><enabled>false</enabled><registerStatus>false</registerStatus><bindStatus>bind</bindStatus><verificationCode>ABCDEF</verificationCode></EZVIZ>", Pass, "binding: bind"));
    table!(Sv07, platform:
        ("<Ehome><enabled>true</enabled><registerStatus>true</registerStatus></Ehome>", Fail, "registered"),
        ("<Ehome><enabled>false</enabled></Ehome>", Pass, "off"));
    table!(Sv10, accesses:
        ("<AdminAccessProtocol><protocol>DEV_MANAGE</protocol><enabled>true</enabled></AdminAccessProtocol>", Fail, "on"),
        ("<AdminAccessProtocol><protocol>DEV_MANAGE</protocol><enabled>false</enabled></AdminAccessProtocol>", Pass, "off"),
        ("<AdminAccessProtocol><protocol>DEV_MANAGE</protocol><portNo>8000</portNo></AdminAccessProtocol>", Unknown, "8000"),
        ("<AdminAccessProtocolList/>", NotOffered, "DEV_MANAGE"));
}

/// Reference: field notes §3.1
#[test]
fn shells_that_are_not_there_pass_and_unread_ones_do_not() {
    let shells = |ssh, telnet| {
        judged(Sv03, |observed| {
            observed.readings.ssh = ssh;
            observed.readings.telnet = telnet;
        })
        .0
    };
    let (off, on) =
        (|| read("<SSH><enabled>false</enabled></SSH>"), || read("<SSH><enabled>true</enabled></SSH>"));
    let denied = || Reading::Unread(Text::cleaned("no right"));
    assert_eq!(shells(Reading::NotOffered, Reading::NotOffered), Pass);
    assert_eq!(shells(off(), Reading::NotOffered), Pass);
    assert_eq!(shells(on(), Reading::NotOffered), Fail);
    assert_eq!(shells(Reading::NotOffered, read("<x><enabled>true</enabled></x>")), Fail);
    assert_eq!(shells(off(), denied()), Unknown);
    assert_eq!(shells(on(), Reading::Unread(Text::cleaned("no right"))), Fail);
    assert_eq!(shells(Reading::Unread(Text::cleaned("no right")), Reading::NotOffered), Unknown);
}

#[test]
fn accounts() {
    table!(Ac01, login_lock:
        ("<IllegalLoginLock><enabled>true</enabled><maxIllegalLoginTimes>5</maxIllegalLoginTimes><maxIllegalLoginLockTime>1800</maxIllegalLoginLockTime></IllegalLoginLock>", Pass, "on, after 5 wrong passwords, for 1800 s"),
        ("<IllegalLoginLock><enabled>false</enabled></IllegalLoginLock>", Fail, "off"));
    let lacking = judged(Ac01, |observed| observed.readings.login_lock = Reading::NotOffered);
    assert!(lacking.0 == NotOffered && lacking.1.contains("all the same"), "{lacking:?}");
    table!(Ac02, security:
        ("<SecurityCap><isSupportAnonymous>false</isSupportAnonymous></SecurityCap>", NotOffered, "no anonymous"),
        ("<SecurityCap><isSupportAnonymous>true</isSupportAnonymous></SecurityCap>", Manual, "switched off"),
        ("<SecurityCap/>", Manual, "does not say"));
    let user = |name: &str, level: &str| format!("<User><userName>{name}</userName>{level}</User>");
    let (admin, viewer) = (
        user("admin", "<userLevel>Administrator</userLevel>"),
        user("guard", "<userLevel>Viewer</userLevel>"),
    );
    let list = |users: &[&str]| format!("<UserList>{}</UserList>", users.concat());
    table!(Ac03, users:
        (&list(&[&admin, &viewer]), Pass, "admin (Administrator), guard (Viewer)"),
        (&list(&[&admin]), Fail, "admin"),
        (&list(&[&admin, &admin, &viewer]), Fail, "admin"),
        (&list(&[&viewer, &viewer]), Fail, "guard"),
        (&list(&[&admin, &user("x", "")]), Unknown, "level"),
        ("<UserList/>", Unknown, "empty"));
    table!(Ac05, online_users:
        ("<OnlineUserList/>", Pass, "nobody"),
        ("<OnlineUserList><OnlineUser><name>guard</name></OnlineUser></OnlineUserList>", Fail, "guard"));
}

#[test]
fn the_password_is_judged_by_the_rule_and_by_the_recorder() {
    let judged = |password: &str, security: &str, account: &str| {
        judged(Ac04, |observed| {
            observed.password = PasswordFacts::of(&password.into(), "admin");
            observed.readings.security = read(security);
            observed.readings.account = read(account);
        })
    };
    let (eight, fine) =
        ("<SecurityCap><LoginPasswordLenLimit min='8' max='16'/></SecurityCap>", "<userCheck/>");
    let good = judged("Recorder123", eight, fine);
    assert!(good.0 == Pass && good.1.contains("none below 8") && !good.1.contains("Recorder123"), "{good:?}");
    assert_eq!(judged("Recorder123", "<SecurityCap/>", fine).0, Pass);
    for (password, security, account, words) in [
        ("kitchen-sink", eight, fine, "fewer than 3 kinds"),
        (
            "Recorder123",
            eight,
            "<userCheck><isRiskPassword>true</isRiskPassword></userCheck>",
            "calls it weak",
        ),
        (
            "Recorder123",
            eight,
            "<userCheck><isDefaultPassword>true</isDefaultPassword></userCheck>",
            "default",
        ),
        (
            "Recorder123",
            "<SecurityCap><LoginPasswordLenLimit min='1'/></SecurityCap>",
            fine,
            "of 1 characters",
        ),
    ] {
        let (result, said) = judged(password, security, account);
        assert!(result == Fail && said.contains(words) && !said.contains(password), "{said}");
    }
}

fn access(protocol: &str, nodes: &str) -> String {
    format!("<AdminAccessProtocol><protocol>{protocol}</protocol>{nodes}</AdminAccessProtocol>")
}

#[test]
fn ways_to_reach_it() {
    table!(Tl01, accesses:
        (&access("HTTPS", "<enabled>true</enabled>"), Pass, "on"),
        (&access("HTTPS", "<enabled>false</enabled>"), Fail, "off"),
        (&access("HTTPS", ""), Unknown, "neither"),
        (&access("HTTP", "<enabled>true</enabled>"), NotOffered, "HTTPS"));
    let both = |http: &str, https: &str| {
        format!(
            "<AdminAccessProtocolList>{}{}</AdminAccessProtocolList>",
            access("HTTP", http),
            access("HTTPS", https)
        )
    };
    table!(Tl02, accesses:
        (&both("<enabled>false</enabled>", ""), Pass, "off"),
        (&both("<enabled>true</enabled>", "<redirectToHttps>true</redirectToHttps>"), Pass, "leads to HTTPS"),
        (&both("<enabled>true</enabled>", "<redirectToHttps>false</redirectToHttps>"), Fail, "does not lead"),
        (&both("<enabled>true</enabled>", ""), Fail, "does not say"),
        (&both("", ""), Unknown, "neither"));
    table!(Tl04, accesses:
        (&access("HTTPS", "<TLS1_1Enable>true</TLS1_1Enable>"), Fail, "not measured"),
        (&access("HTTPS", "<TLS1_1Enable>false</TLS1_1Enable>"), Pass, "not measured"),
        (&access("HTTPS", "<enabled>false</enabled>"), NotOffered, "HTTPS is off"),
        (&access("HTTPS", ""), Unknown, "not measured"));
    table!(Au01, web_login:
        ("<x><CertificateType>digest</CertificateType><SecurityAlgorithm>SHA256</SecurityAlgorithm></x>", Pass, "digest, SHA256"),
        ("<x><CertificateType>digest/basic</CertificateType></x>", Fail, "basic"),
        ("<x><CertificateType>magic</CertificateType></x>", Unknown, "magic"));
    let only = |kinds: &str| {
        let text = format!("<SecurityCap><CertificateType opt=\"{kinds}\"/></SecurityCap>");
        judged(Au01, |observed| {
            observed.readings.web_login = Reading::NotOffered;
            observed.readings.security = read(&text);
        })
        .0
    };
    assert_eq!((only("digest"), only("digest,digest/basic"), only("")), (Pass, NotOffered, NotOffered));
}

#[test]
fn what_is_measured_counts_more_than_what_is_set() {
    use Measured::{Accepted, Refused};
    let not = || Measured::NotMeasured(Text::cleaned("it went away"));
    let judged = |set: Option<bool>, old: [Measured; 2]| {
        let flag = set.map(|set| format!("<TLS1_1Enable>{set}</TLS1_1Enable>")).unwrap_or_default();
        judged(Tl04, |observed| {
            observed.readings.accesses = read(&access("HTTPS", &flag));
            observed.tls = Tls::Spoken { certificate: None, old };
        })
        .0
    };
    assert_eq!(judged(Some(false), [Refused, Refused]), Pass);
    assert_eq!(judged(None, [Refused, Refused]), Pass);
    assert_eq!(judged(Some(true), [Refused, Refused]), Fail);
    assert_eq!(judged(Some(false), [Accepted, Refused]), Fail);
    assert_eq!(judged(None, [Refused, Accepted]), Fail);
    assert_eq!(judged(Some(false), [not(), Refused]), Unknown);
}

#[test]
fn certificates_by_date_and_name() {
    let judged = |subject: &str, not_after: &str, trusted: bool| {
        judged(Tl03, |observed| {
            observed.tls = certificate(subject, not_after);
            observed.clock_trusted = trusted;
            observed.readings.interfaces = read("<NetworkInterface><IPAddress><ipAddress>192.168.1.64</ipAddress></IPAddress></NetworkInterface>");
        })
        .0
    };
    let late = "2036-01-01T00:00:00Z";
    assert_eq!(judged("CN=DS-7608NI-I20120200414CCRRE00000001WCVU", late, true), Pass);
    assert_eq!(judged("O=x,CN=192.168.1.64", late, true), Pass);
    assert_eq!(judged("CN=192.168.1.6", late, true), Manual);
    assert_eq!(judged("CN=DS-7608NI-I2", late, true), Manual);
    assert_eq!(judged("CN=192.168.1.64", "2026-12-25T12:00:00Z", true), Fail);
    assert_eq!(judged("CN=192.168.1.64", "2026-12-25T12:00:01Z", true), Pass);
    assert_eq!(judged("CN=192.168.1.64", "2020-01-01T00:00:00Z", true), Fail);
    assert_eq!(judged("CN=192.168.1.64", late, false), Unknown);
}

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
fn findings_are_those_of_the_profile_and_grouped_by_severity() {
    let inventory = inventory("DS-7608NI-I2", "V4.30.097 build 200101");
    let observed = Observed {
        device: &inventory.device,
        readings: Readings::default(),
        tls: Tls::PlainText,
        password: PasswordFacts::of(&"x".into(), "admin"),
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
