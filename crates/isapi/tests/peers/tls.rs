//! What of TLS is spoken, and what is said of the rest, held against OpenSSL.

use std::net::TcpListener;
use std::sync::Arc;

use isapi::{
    Address, Channel, Error, Measured, Offer, OldVersion, Recorder, TlsFault, Transport, measure_old_version,
    probe,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection};
use tokio::process::Command;

use crate::certificates::{Certificate, make, make_expired, make_v1};
use crate::server::{Server, program};
use crate::site::{Site, login};

/// OpenSSL as a server that hands out files, with everything allowed that it still can.
async fn start(site: &Site, certificate: &Certificate, options: &[&str]) -> Server {
    let mut openssl = Command::new(program("openssl", "openssl"));
    openssl.current_dir(site.path().join("root")).args(["s_server", "-WWW", "-accept", "127.0.0.1:0"]);
    openssl.args(["-cert", &certificate.file, "-key", &certificate.key]);
    openssl.args(["-cipher", "ALL:@SECLEVEL=0"]).args(options);
    Server::start(openssl, 0, "ACCEPT").await
}

async fn offer(site: &Site, certificate: &Certificate, options: &[&str]) -> Result<Offer, TlsFault> {
    let server = start(site, certificate, options).await;
    probe(&server.address(), None).await.map_err(|error| match error {
        Error::Tls { source, .. } => *source,
        error => panic!("{error:?}"),
    })
}

fn pinned(server: &Server, certificate: &Certificate) -> Recorder {
    let channel = Channel::Tls { certificate: certificate.sha256 };
    Recorder::over(server.address(), login("admin", "x"), &Transport { channel, ..Transport::default() })
        .unwrap()
}

#[tokio::test]
async fn tls_1_2_and_1_3_with_every_usual_key() {
    let site = Site::new();
    for key in [
        &["-newkey", "rsa:2048"][..],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-newkey", "ed25519"],
    ] {
        let certificate = make(&site, "recorder", key);
        for (option, version) in [("-tls1_2", "TLS 1.2"), ("-tls1_3", "TLS 1.3")] {
            let offer = offer(&site, &certificate, &[option]).await.unwrap();
            let Offer::Tls { certificate_sha256, version: spoken, facts } = offer else {
                panic!("{offer:?}")
            };
            assert_eq!((certificate_sha256, spoken), (certificate.sha256, version), "{key:?}");
            let facts = facts.unwrap();
            assert_eq!((facts.version, facts.rsa_bits), (3, key[1].starts_with("rsa").then_some(2048)));
            assert_eq!(facts.subject.as_str(), "CN=DS-7608NI-I2");
        }
    }
}

#[tokio::test]
async fn dates_names_and_signatures_on_a_certificate_do_not_matter() {
    let site = Site::new();
    for certificate in [
        make_expired(&site),
        make(&site, "sha1", &["-newkey", "rsa:2048", "-sha1"]),
        make(&site, "other", &["-newkey", "rsa:2048", "-addext", "subjectAltName=DNS:elsewhere.example"]),
        make(&site, "ca", &["-newkey", "rsa:2048", "-addext", "basicConstraints=critical,CA:TRUE"]),
    ] {
        let server = start(&site, &certificate, &[]).await;
        let found = probe(&server.address(), None).await.unwrap();
        assert!(
            matches!(found, Offer::Tls { certificate_sha256, .. } if certificate_sha256 == certificate.sha256)
        );
        pinned(&server, &certificate).device_info().await.unwrap();
    }
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_gets_nothing() {
    let site = Site::new();
    let (certificate, other) =
        (make(&site, "a", &["-newkey", "rsa:2048"]), make(&site, "b", &["-newkey", "rsa:2048"]));
    let server = start(&site, &certificate, &[]).await;
    let Err(Error::Tls { source, .. }) = pinned(&server, &other).device_info().await else { panic!() };
    let expected = TlsFault::OtherCertificate { expected: other.sha256, found: certificate.sha256 };
    assert_eq!(*source, expected);
    assert!(
        source.to_string().contains(&certificate.sha256.to_string()) && source.advice().contains("screen")
    );
    pinned(&server, &certificate).device_info().await.unwrap();
}

/// A copy of the certificate is worth nothing without its key. OpenSSL refuses to start with such a pair,
/// rustls does not.
#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    let site = Site::new();
    let (mine, stolen) =
        (make(&site, "mine", &["-newkey", "rsa:2048"]), make(&site, "stolen", &["-newkey", "rsa:2048"]));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let address = impostor(&stolen, &mine, version);
        let channel = Channel::Tls { certificate: stolen.sha256 };
        let transport = Transport { channel, ..Transport::default() };
        let result = Recorder::over(address, login("admin", "x"), &transport).unwrap().device_info().await;
        let Err(Error::Tls { source, .. }) = result else { panic!("{result:?}") };
        let TlsFault::Certificate { sha256, why, .. } = *source else { panic!("{source:?}") };
        assert_eq!(sha256, stolen.sha256);
        assert_eq!(why, "what answers does not prove that it holds the key");
    }
}

/// Sends a certificate and signs with the key of another, for one connection.
fn impostor(
    stolen: &Certificate,
    mine: &Certificate,
    version: &'static rustls::SupportedProtocolVersion,
) -> Address {
    let chain = vec![CertificateDer::from_pem_file(&stolen.file).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&mine.key).unwrap();
    let pair = CertifiedKey::new(chain, ring::sign::any_supported_type(&key).unwrap());
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // the client breaks off: an error here is what is wanted
        let _ = ServerConnection::new(Arc::new(config)).unwrap().complete_io(&mut stream);
    });
    address
}

#[tokio::test]
async fn what_is_too_old_is_refused_with_what_was_offered() {
    let site = Site::new();
    let good = make(&site, "good", &["-newkey", "rsa:2048"]);
    for version in ["-tls1", "-tls1_1"] {
        let fault = offer(&site, &good, &[version]).await.unwrap_err();
        assert_eq!(fault, TlsFault::OldVersion { offered: None }, "{version}");
    }
    // no forward secrecy; no AEAD; finite-field Diffie-Hellman
    for cipher in ["AES256-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA", "DHE-RSA-AES256-GCM-SHA384"] {
        let fault = offer(&site, &good, &["-tls1_2", "-cipher", cipher]).await.unwrap_err();
        assert_eq!(fault, TlsFault::Alert { alert: "HandshakeFailure".into() }, "{cipher}");
    }
}

#[tokio::test]
async fn what_is_too_old_is_measured() {
    let site = Site::new();
    let certificate = make(&site, "measured", &["-newkey", "rsa:2048"]);
    for (option, expected) in [
        ("-tls1", [Measured::Accepted, Measured::Refused]),
        ("-tls1_1", [Measured::Refused, Measured::Accepted]),
        ("-tls1_2", [Measured::Refused, Measured::Refused]),
        ("-no_tls1_3", [Measured::Accepted, Measured::Accepted]),
    ] {
        let server = start(&site, &certificate, &[option]).await;
        for (version, expected) in [OldVersion::Tls10, OldVersion::Tls11].into_iter().zip(expected) {
            let measured = measure_old_version(&server.address(), None, version).await.unwrap();
            assert_eq!(measured, expected, "{option} {version:?}");
        }
    }
}

#[tokio::test]
async fn weak_and_ancient_certificates_are_refused_by_name() {
    let site = Site::new();
    for (certificate, reason) in [
        (make(&site, "weak", &["-newkey", "rsa:1024"]), "its RSA key has 1024 bits, expected 2048 or more"),
        (make_v1(&site), "it is of X.509 version 1, expected 3"),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let fault = offer(&site, &certificate, &[version]).await.unwrap_err();
            let TlsFault::Certificate { sha256, why, .. } = &fault else { panic!("{fault:?}") };
            assert_eq!((sha256, why.as_str()), (&certificate.sha256, reason), "{version}");
            assert!(fault.advice().contains("2048 bits"));
        }
    }
}
