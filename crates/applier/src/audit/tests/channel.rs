//! How it is reached, and how one logs in.

use isapi::{CertificateFacts, Measured};

use super::*;

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
