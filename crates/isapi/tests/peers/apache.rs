//! Apache: nonces that expire (`stale=true`), and everything at once over TLS.

use std::fs;
use std::time::Duration;

use firmware::Sha256Digest;
use isapi::{Channel, End, Offer, Recorder, Transport, probe};
use tokio::process::Command;

use crate::certificates::{Certificate, make};
use crate::server::{Server, free_port, program};
use crate::site::{PASSWORD, REALM, Site, USER, login, package, upload};

const LIBRARY: &str = "/usr/lib/apache2/modules";
const MODULES: [&str; 10] = [
    "mpm_event",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_digest",
    "dav",
    "dav_fs",
    "socache_shmcb",
    "ssl",
];

async fn start(site: &Site, certificate: Option<&Certificate>) -> Server {
    let (dir, users, port) = (site.path().display(), site.users(USER), free_port());
    let modules = MODULES.map(|name| format!("LoadModule {name}_module {LIBRARY}/mod_{name}.so")).join("\n");
    let tls = certificate.map_or_else(String::new, |Certificate { file, key, .. }| {
        format!("SSLEngine on\nSSLCertificateFile {file}\nSSLCertificateKeyFile {key}\n")
    });
    let configuration = site.file(
        "apache.conf",
        &format!(
            r#"{modules}
ServerName recorder
Listen 127.0.0.1:{port}
DefaultRuntimeDir {dir}
PidFile {dir}/pid
Mutex file:{dir}
ErrorLog /dev/stderr
CustomLog {dir}/access.log "%m %U %s"
User www-data
Group www-data
DocumentRoot {dir}/root
DavLockDB {dir}/locks
{tls}<Location />
  Dav On
  AuthType Digest
  AuthName {REALM}
  AuthUserFile {users}
  AuthDigestNonceLifetime 2
  Require valid-user
</Location>
"#
        ),
    );
    let mut apache = Command::new(program("apache2", "apache2-bin"));
    apache.args(["-D", "FOREGROUND", "-f", &configuration]);
    Server::start(apache, port, "resuming normal operations").await
}

/// Apache hears an upload out before it says that the nonce was too old: all has left, so nothing is
/// sent again.
#[tokio::test]
async fn a_nonce_that_expired_is_no_wrong_password() {
    let site = Site::new();
    let server = start(&site, None).await;
    let recorder = Recorder::new(server.address(), login(USER, PASSWORD)).unwrap();
    recorder.device_info().await.unwrap();
    let ticket = recorder.upload_ticket().await.unwrap();
    // what is waited for is that time itself passes
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (package, digest) = package();
    let pushed = upload(&recorder, ticket, &package).await.unwrap();
    let End::Unauthorized { resend, .. } = pushed.end else { panic!("{pushed:?}") };
    assert_eq!(resend.is_some(), !pushed.released, "one resend, unless the last block had left");
    assert!(!site.uploaded().exists());
    let ticket = recorder.upload_ticket().await.unwrap();
    let pushed = upload(&recorder, ticket, &package).await.unwrap();
    assert!(pushed.released, "{pushed:?}");
    assert_eq!(Sha256Digest::of(&fs::read(site.uploaded()).unwrap()), digest);
}

#[tokio::test]
async fn reads_and_uploads_over_tls_with_the_pinned_certificate() {
    let site = Site::new();
    let certificate = make(&site, "recorder", &["-newkey", "rsa:2048"]);
    let server = start(&site, Some(&certificate)).await;
    let address = server.address();
    let Offer::Tls { certificate_sha256, .. } = probe(&address, None).await.unwrap() else {
        panic!("no TLS")
    };
    assert_eq!(certificate_sha256, certificate.sha256);
    let transport =
        Transport { channel: Channel::Tls { certificate: certificate_sha256 }, ..Transport::default() };
    let recorder = Recorder::over(address, login(USER, PASSWORD), &transport).unwrap();
    recorder.device_info().await.unwrap();
    let (package, digest) = package();
    let ticket = recorder.upload_ticket().await.unwrap();
    let pushed = upload(&recorder, ticket, &package).await.unwrap();
    assert!(pushed.released && pushed.handed == package.size(), "{pushed:?}");
    assert_eq!(Sha256Digest::of(&fs::read(site.uploaded()).unwrap()), digest);
}
