//! How a recorder is set up, held against each standard; and that an audit reads and does nothing else.

use std::fs::{copy, metadata, read_to_string};
use std::os::unix::fs::PermissionsExt;

use journeys::ran::Ran;
use nvr_sim::{AnswerFault, Builder, Document, Faults, How, Interface, IpFilter, OnlineUser, User};
use serde_json::{Value, json};

use crate::world::{World, recorder, write};

const LOCK: &str = "/ISAPI/Security/illegalLoginLock";
const SSH: &str = "/ISAPI/System/Network/ssh";
const FILTER: &str = "/ISAPI/System/Network/ipFilter";

fn document(path: &str, text: &str) -> Document {
    Document { path: path.into(), text: text.into() }
}

/// Set up as it should be for every standard, over TLS.
fn tight() -> Builder {
    let mut tight = recorder();
    tight.https = Some("127.0.0.1:0".parse().unwrap());
    let content = &mut tight.content;
    content.users.push(User { name: "guard".into(), level: "Viewer".into() });
    content.offered = [LOCK, SSH, FILTER].map(str::to_owned).into();
    content.documents = vec![
        document(
            "/ISAPI/System/Network/SNMP",
            "<SNMP><SNMPv1c><enabled>false</enabled></SNMPv1c><SNMPv2c><enabled>false</enabled></SNMPv2c></SNMP>",
        ),
        document("/ISAPI/System/Network/telnetd", "<Telnetd><enabled>false</enabled></Telnetd>"),
        document(
            "/ISAPI/Security/webCertificate",
            "<WebCertificate><CertificateType>digest</CertificateType></WebCertificate>",
        ),
        document(
            "/ISAPI/Security/capabilities",
            "<SecurityCap><LoginPasswordLenLimit min='8' max='16'/></SecurityCap>",
        ),
        document("/ISAPI/Event/notification/httpHosts", "<HostList/>"),
    ];
    let posture = &mut content.posture;
    posture.ip_filter =
        IpFilter { enabled: true, permission: "allow".into(), addresses: vec!["127.0.0.1".into()] };
    for access in &mut posture.accesses {
        access.enabled = Some(access.protocol != "DEV_MANAGE");
        access.redirect_to_https = access.redirect_to_https.map(|_| true);
    }
    tight
}

/// Set up as badly as can be, and talked to in plain text.
fn loose() -> Builder {
    let mut loose = recorder();
    let content = &mut loose.content;
    content.offered = [LOCK, SSH, FILTER].map(str::to_owned).into();
    content.users.push(User { name: "boss".into(), level: "Administrator".into() });
    content.online_users =
        vec![OnlineUser { name: "guard".into(), level: "viewer".into(), address: "192.168.1.20".into() }];
    content.risk_password = true;
    content.documents = vec![
        document("/ISAPI/System/Network/telnetd", "<Telnetd><enabled>true</enabled></Telnetd>"),
        document(
            "/ISAPI/Security/webCertificate",
            "<WebCertificate><CertificateType>digest/basic</CertificateType></WebCertificate>",
        ),
        document(
            "/ISAPI/Event/notification/httpHosts",
            "<HostList><Host><ipAddress>203.0.113.9</ipAddress></Host></HostList>",
        ),
    ];
    let posture = &mut content.posture;
    for access in &mut posture.accesses {
        access.enabled = Some(access.protocol != "HTTPS");
        access.tls1_1 = access.tls1_1.map(|_| true);
    }
    posture.interfaces =
        vec![Interface { gateway: "192.168.1.1".into(), dns: "8.8.8.8".into(), ..Interface::default() }];
    (posture.ezviz.enabled, posture.ezviz.registered) = (true, true);
    (posture.ehome, posture.ssh, posture.upnp, posture.onvif) = (true, true, true, true);
    (posture.ddns.enabled, posture.login_lock) = (true, false);
    posture.snmp_community = Some("public".into());
    loose.faults.clock_offset = 7 * 60;
    loose
}

/// A stick with advisories and a policy, a laptop that believes the depot, and this recorder.
async fn loaded(recorder: Builder, policy: &str) -> World {
    let world = World::loaded_with(recorder).await;
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-manifests/advisories.toml");
    copy(shipped, world.path("manifests/advisories.toml")).unwrap();
    write(&world.path("manifests/policy.toml"), policy.as_bytes());
    world.approve("--advisories --policy").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world
}

async fn audit(world: &World, more: &str) -> Ran {
    let address = match (world.recorder.https_address(), world.recorder.certificate()) {
        (Some(address), Some(certificate)) => format!("{address} --certificate {certificate}"),
        _ => world.recorder.address().to_string(),
    };
    world.applier(&format!("audit {address} --password-file password.txt {more}")).await
}

/// The ids of the checks that came to this.
fn of(audit: &Value, result: &str) -> Vec<String> {
    let findings = audit["findings"].as_array().unwrap();
    let ids = findings.iter().filter(|f| f["result"] == result).map(|f| f["id"].as_str().unwrap().to_owned());
    let mut ids: Vec<String> = ids.collect();
    ids.sort();
    ids
}

fn finding<'a>(audit: &'a Value, id: &str) -> &'a Value {
    audit["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id).unwrap()
}

/// One login: each request answers a challenge of its own, none is refused, and all of them read.
fn has_only_read(world: &World) {
    let counters = world.recorder.state().counters;
    assert!(counters.requests.keys().all(|request| request.starts_with("GET ")), "{:?}", counters.requests);
    assert!(counters.logins > 20 && counters.logins == counters.unauthenticated, "{counters:?}");
    assert_eq!((counters.wrong_logins, counters.other_denials, counters.basic), (0, 0, 0));
    assert_eq!((counters.pushes, counters.reboot_requests, counters.backups), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_its_configuration_on_this_laptop_counts() {
    let world = loaded(tight(), "").await;
    let before = audit(&world, "--json").await.ends(0).json();
    assert_eq!(finding(&before, "CF-01")["result"], "manual");
    let address = world.recorder.https_address().unwrap();
    world.applier(&format!("backup {address} --password-file password.txt")).await.ends(0);
    let after = audit(&world, "--json").await.ends(0).json();
    assert_eq!(finding(&after, "CF-01")["result"], "pass", "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tight_recorder_by_each_standard() {
    let world = loaded(tight(), "").await;
    let by_hand = ["AU-02", "CF-01", "NW-02", "TL-03"];
    for (profile, more, passed) in [
        ("air-gapped", &["AC-02", "SV-08", "SV-09", "UP-01"][..], 19),
        ("segmented", &["AC-02", "LG-01", "NW-04", "SV-09"], 19),
        ("internet", &["AC-02", "LG-01"], 18),
    ] {
        let found = audit(&world, &format!("--stick stick --json --profile {profile}")).await.ends(0).json();
        // a newer release is approved, and one advisory cannot be judged for this model
        assert_eq!(of(&found, "fail"), ["FW-01"], "{profile}");
        let mut manual = of(&found, "manual");
        manual.retain(|id| id != "FW-02");
        let mut expected = [&by_hand, more].concat();
        expected.sort_unstable();
        assert_eq!(manual, expected, "{profile}");
        assert_eq!(of(&found, "unknown"), [""; 0], "{profile}");
        let of_firmware = usize::from(finding(&found, "FW-02")["result"] == "pass");
        assert_eq!(of(&found, "pass").len() - of_firmware, passed, "{profile}: {:?}", of(&found, "pass"));
        assert_eq!((&found["profile"], &found["baseline"]), (&json!(profile), &json!("air-gapped")));
    }
    let words = audit(&world, "--stick stick").await.ends(0);
    words.says(&[
        "air-gapped, the baseline of the signed policy",
        "pass        TL-04  TLS 1.0 and 1.1 are refused: measured: TLS 1.0 refused, TLS 1.1 refused",
        "newest listed is V4.61.025 build 230421",
    ]);
    has_only_read(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loose_recorder_by_each_standard() {
    let world = loaded(loose(), "audit_baseline = \"internet\"\n").await;
    let always = [
        "AC-01", "AC-03", "AC-04", "AC-05", "AU-01", "FW-01", "LG-02", "SV-01", "SV-02", "SV-03", "SV-04",
        "SV-05", "SV-07", "SV-10", "TL-01", "TL-02", "TM-01",
    ];
    for (profile, more) in [
        ("air-gapped", &["NW-03", "SV-06"][..]),
        ("segmented", &["NW-01", "SV-06"]),
        ("internet", &["NW-01"]),
    ] {
        let found = audit(&world, &format!("--stick stick --json --profile {profile}")).await.ends(0).json();
        let mut expected = [&always, more].concat();
        expected.sort_unstable();
        let mut failed = of(&found, "fail");
        failed.retain(|id| id != "FW-02");
        assert_eq!(failed, expected, "{profile}");
        for finding in found["findings"].as_array().unwrap() {
            let said = |member: &str| finding[member].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("expected") && said("mend") && (said("read") || said("reason")), "{finding}");
        }
        assert_eq!(found["counts"]["fail"], of(&found, "fail").len());
    }
    // the policy's standard, where nobody names one
    let found = audit(&world, "--stick stick --json").await.ends(0).json();
    assert_eq!((&found["profile"], &found["baseline"]), (&json!("internet"), &json!("internet")));
    has_only_read(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_makes_an_exit_code_where_it_is_asked_for() {
    let world = loaded(tight(), "").await;
    let failed = audit(&world, "--stick stick --fail-on high").await;
    failed.fails(4, "audit below what was asked for", &["FW-01", "at high or worse"]);
    let found = audit(&world, "--stick stick --fail-on info --json").await.ends(4).json();
    assert_eq!((&found["exit"], &found["profile"]), (&json!(4), &json!("air-gapped")));
    let old = audit(&world, "--fail-on high").await.ends(4);
    old.says(&["no advisory table at hand", "FW-01, FW-02"]);
    audit(&world, "--stick stick").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_allowed_passes_nothing() {
    let mut bare = recorder();
    let all: Vec<String> = [
        "Security/onlineUser",
        "Security/users",
        "Security/adminAccesses",
        "Security/capabilities",
        "System/Network/EZVIZ",
        "System/Network/Ehome",
        "System/Network/UPnP",
        "System/Network/DDNS",
        "System/Network/SNMP",
        "System/Network/Integrate",
        "System/Network/interfaces",
        "System/time",
        "System/capabilities",
        "Security/userCheck",
    ]
    .map(|path| format!("/ISAPI/{path}"))
    .into();
    bare.content.missing = all;
    let world = World::with(bare).await;
    let found = audit(&world, "--json").await.ends(0).json();
    // the password was typed, and a recorder without shells is as it should be
    assert_eq!(of(&found, "pass"), ["AC-04", "SV-03"]);
    assert_eq!(of(&found, "fail"), [""; 0]);
    assert!(of(&found, "not-offered").len() > 10, "{found}");

    for (how, text) in [
        (How::Code, "lowPrivilege"),
        (How::Garbage, ""),
        (How::DtdBomb, ""),
        (How::Html, ""),
        (How::Redirect, "http://192.0.2.1/"),
    ] {
        let answer = |path: &str| AnswerFault {
            path: path.into(),
            method: None,
            how,
            before_login: false,
            // with 404 it would be a page that is not there
            status: (how == How::Html).then_some(200),
            text: text.into(),
            find: String::new(),
            bytes_per_second: None,
        };
        let paths = ["Security/users", "System/Network/UPnP", "System/Network/ssh", "System/Network/EZVIZ"];
        let answers = paths.map(|path| answer(&format!("/ISAPI/{path}"))).into();
        world.recorder.set_content(recorder().content);
        world.recorder.set_faults(Faults { answers, ..Faults::default() });
        let found = audit(&world, "--json").await.ends(0).json();
        for id in ["AC-03", "SV-01", "SV-03", "SV-06"] {
            let finding = finding(&found, id);
            assert_eq!(finding["result"], "unknown", "{how:?} {finding}");
            assert!(finding["reason"].as_str().unwrap().starts_with("not read: "), "{finding}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_strings_are_text_on_the_terminal_and_on_the_page() {
    let mut hostile = recorder();
    hostile.content.name = "\u{1b}[2J\u{202e}车库 <script>alert(1)</script>".into();
    hostile.content.users =
        vec![User { name: "<img src=x onerror=alert(1)>".into(), level: "=1+1\u{7}".into() }];
    let world = loaded(hostile, "").await;
    let ran = audit(&world, "--stick stick --html audit.html").await.ends(0);
    let page = read_to_string(world.path("audit.html")).unwrap();
    for text in [&ran.out, &ran.err, &page] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{text}");
    }
    assert!(ran.out.contains("车库 <script>"), "{}", ran.out);
    assert!(page.contains("车库 &#60;script&#62;alert(1)") && page.contains("&#60;img src=x"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert_eq!(metadata(world.path("audit.html")).unwrap().permissions().mode() & 0o777, 0o600);

    let seen = world.recorder.state().counters.connections;
    let again = audit(&world, "--stick stick --html audit.html").await;
    again.fails(2, "page that is there already", &["audit.html", "left alone"]);
    assert_eq!(read_to_string(world.path("audit.html")).unwrap(), page);
    assert_eq!(world.recorder.state().counters.connections, seen, "nothing was asked of the recorder");
    let nowhere = audit(&world, "--html nowhere/audit.html").await;
    nowhere.fails(2, "page that cannot be written", &["nowhere/audit.html"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_judged_and_never_told() {
    let mut weak = recorder();
    let password = "adminadmin";
    weak.login.password = password.into();
    let world = loaded(weak, "").await;
    write(&world.path("password.txt"), password.as_bytes());
    let ran = audit(&world, "--stick stick --html audit.html --json").await.ends(0);
    let found = ran.json();
    let judged = finding(&found, "AC-04");
    let words = "password: it has fewer than 3 kinds of characters; password: it contains the user name";
    assert_eq!((&judged["result"], &judged["read"]), (&json!("fail"), &json!(words)));
    let statement = world.statements().pop().unwrap();
    assert_eq!(statement["checks"]["AC-04"], "fail");
    let page = read_to_string(world.path("audit.html")).unwrap();
    for text in [&ran.out, &ran.err, &page, &statement.to_string()] {
        assert!(!text.contains(password));
    }
    assert!(!statement.to_string().contains("kinds of characters"), "{statement}");

    write(&world.path("password.txt"), b"not this one");
    audit(&world, "--stick stick").await.ends(9).says(&["user or password refused", "4 more"]);
    assert_eq!(world.recorder.state().counters.wrong_logins, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_home_signed_and_stands_in_the_fleet() {
    let world = loaded(loose(), "").await;
    let found = audit(&world, "--stick stick --json --operator Kim --site-name gate").await.ends(0).json();
    assert_eq!(found["statement"], 1);
    let [statement] = &world.statements()[..] else { panic!("{:?}", world.statements()) };
    assert_eq!((&statement["operator"], &statement["site"]), (&json!("Kim"), &json!("gate")));
    assert_eq!((&statement["counts"], &statement["advisories"]), (&found["counts"], &found["advisories"]));
    for finding in found["findings"].as_array().unwrap() {
        assert_eq!(statement["checks"][finding["id"].as_str().unwrap()], finding["result"]);
    }
    // what was read stays with whoever read it
    assert!(!statement.to_string().contains("203.0.113.9") && found.to_string().contains("203.0.113.9"));

    // without a stick it waits on the laptop, and names the publication that was verified last
    let ran = audit(&world, "").await.ends(0);
    ran.says(&["no advisory table at hand", "no policy at hand"]);
    assert_eq!(world.statements().len(), 1);
    world.applier("receipts --copy-to stick").await.ends(0).says(&["1 statement copied"]);
    let [first, second] = &world.statements()[..] else { panic!() };
    assert_eq!((&second["publication"], second.get("advisories")), (&first["publication"], None));

    world.enrol_laptop().await;
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    let [recorder] = &fleet["recorders"].as_array().unwrap()[..] else { panic!("{fleet}") };
    assert_eq!(recorder["audit"]["counts"], second["counts"]);
    world.fetcher("fleet").await.ends(0).says(&["last run   none has arrived", "fail, ", ", by air-gapped"]);
    // a push and an audit after it are two things that are known
    world.apply("--allow-logged-in nobody-there").await.ends(0);
    audit(&world, "--stick stick").await.ends(0);
    world.fetcher("collect --from stick").await.ends(0).says(&["audit by air-gapped"]);
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    let [recorder] = &fleet["recorders"].as_array().unwrap()[..] else { panic!("{fleet}") };
    assert_eq!(recorder["last_result"], "applied");
    assert!(recorder["audit"]["counts"]["fail"].as_u64().unwrap() > 10, "{recorder}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_trusts_nobody_audits_all_the_same() {
    let world = World::new().await;
    let ran = audit(&world, "").await.ends(0);
    ran.says(&["this laptop has no key", "no advisory table at hand", "checks: "]);
    // nothing but a root was ever verified
    world.load(300_000).await;
    audit(&world, "").await.ends(0).says(&["has verified no publication yet", "applier verify --stick PATH"]);
}
