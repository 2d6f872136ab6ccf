//! Certificates of every kind that a recorder may have, made by OpenSSL.

use std::process::Command;

use firmware::Sha256Digest;

use crate::server::program;
use crate::site::Site;

pub(crate) struct Certificate {
    pub(crate) file: String,
    pub(crate) key: String,
    pub(crate) sha256: Sha256Digest,
}

/// A self-signed certificate. The options name the key and what is odd about it.
pub(crate) fn make(site: &Site, name: &str, options: &[&str]) -> Certificate {
    let (certificate, key) = files(site, name);
    let openssl = Command::new(program("openssl", "openssl"));
    let base = ["req", "-x509", "-nodes", "-subj", "/CN=DS-7608NI-I2", "-days", "30"];
    run(openssl, &[&base, &["-keyout", &key, "-out", &certificate][..], options].concat());
    finished(certificate, key)
}

/// One that ran out before this century was a year old.
pub(crate) fn make_expired(site: &Site) -> Certificate {
    let (certificate, key) = files(site, "expired");
    let mut faketime = Command::new(program("faketime", "faketime"));
    faketime.args(["2001-01-01 00:00:00", "openssl"]);
    run(
        faketime,
        &[
            "req",
            "-x509",
            "-nodes",
            "-subj",
            "/CN=x",
            "-days",
            "1",
            "-newkey",
            "rsa:2048",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    );
    finished(certificate, key)
}

/// One of X.509 version 1, which knows no extensions.
pub(crate) fn make_v1(site: &Site) -> Certificate {
    let (certificate, key) = files(site, "v1");
    let request = site.path().join("v1.csr").to_str().unwrap().to_owned();
    let openssl = || Command::new(program("openssl", "openssl"));
    run(
        openssl(),
        &[
            "req", "-new", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=x", "-keyout", &key, "-out",
            &request,
        ],
    );
    run(openssl(), &["x509", "-req", "-in", &request, "-signkey", &key, "-days", "30", "-out", &certificate]);
    finished(certificate, key)
}

fn files(site: &Site, name: &str) -> (String, String) {
    let file = |kind: &str| site.path().join(format!("{name}.{kind}")).to_str().unwrap().to_owned();
    (file("crt"), file("key"))
}

fn finished(file: String, key: String) -> Certificate {
    let der = run(Command::new(program("openssl", "openssl")), &["x509", "-in", &file, "-outform", "DER"]);
    Certificate { file, key, sha256: Sha256Digest::of(&der) }
}

fn run(mut command: Command, args: &[&str]) -> Vec<u8> {
    let output = command.args(args).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
