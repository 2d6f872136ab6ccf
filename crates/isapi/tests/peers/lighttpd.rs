//! lighttpd: MD5, SHA-256, their `-sess` forms, both offered, and `PUT` by mod_webdav.

use std::fs;

use firmware::Sha256Digest;
use isapi::{Error, Recorder};
use tokio::process::Command;

use crate::server::{Server, free_port, program};
use crate::site::{PASSWORD, REALM, Site, USER, login, package, upload};

async fn start(site: &Site, user: &str, algorithm: &str) -> Server {
    let (dir, users, port) = (site.path().display(), site.users(user), free_port());
    let configuration = site.file(
        "lighttpd.conf",
        &format!(
            r#"server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{dir}/root"
server.upload-dirs = ( "{dir}" )
server.modules = ( "mod_auth", "mod_authn_file", "mod_webdav", "mod_accesslog" )
accesslog.filename = "{dir}/access.log"
accesslog.format = "%m %U %s %I"
webdav.activate = "enable"
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{users}"
auth.require = ( "/" => ( "method" => "digest", "algorithm" => "{algorithm}", "realm" => "{REALM}", "require" => "valid-user" ) )
"#
        ),
    );
    let mut lighttpd = Command::new(program("lighttpd", "lighttpd"));
    lighttpd.args(["-D", "-f", &configuration]);
    Server::start(lighttpd, port, "server started").await
}

fn recorder(server: &Server, user: &str, password: &str) -> Recorder {
    Recorder::new(server.address(), login(user, password)).unwrap()
}

#[tokio::test]
async fn logs_in_by_every_algorithm_that_it_offers() {
    for algorithm in ["MD5", "SHA-256", "MD5|SHA-256", "MD5-sess", "SHA-256-sess"] {
        let site = Site::new();
        let server = start(&site, USER, algorithm).await;
        let recorder = recorder(&server, USER, PASSWORD);
        for _ in 0..3 {
            let device = recorder.device_info().await.unwrap_or_else(|e| panic!("{algorithm}: {e}"));
            assert_eq!(device.model.as_str(), "DS-7608NI-I2");
        }
        assert!(matches!(recorder.disks().await, Ok(None)), "what is not there is not offered");
        server.stop().await;
        let log = site.read("access.log");
        assert_eq!(log.lines().filter(|l| l.contains(" 200 ")).count(), 3, "{algorithm}: {log}");
        assert_eq!(log.lines().filter(|l| l.contains(" 401 ")).count(), 4, "{algorithm}: {log}");
    }
}

#[tokio::test]
async fn a_name_beyond_ascii_is_understood() {
    for algorithm in ["MD5", "SHA-256"] {
        let site = Site::new();
        let server = start(&site, "Jörg 海", algorithm).await;
        recorder(&server, "Jörg 海", PASSWORD).device_info().await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let site = Site::new();
    let server = start(&site, USER, "SHA-256").await;
    let recorder = recorder(&server, USER, "wrong");
    assert!(matches!(recorder.device_info().await, Err(Error::WrongPassword { .. })));
    assert!(matches!(recorder.device_info().await, Err(Error::LoginStopped { .. })));
    assert!(matches!(
        recorder.upload(recorder.upload_ticket().await.unwrap(), &package().0, patience(), &progress()).await,
        Err(Error::LoginStopped { .. })
    ));
    server.stop().await;
    let log = site.read("access.log");
    assert_eq!(log.lines().filter(|l| l.starts_with("GET")).count(), 2, "{log}");
}

fn patience() -> isapi::Patience {
    let minute = std::time::Duration::from_secs(60);
    isapi::Patience { stalled: minute, whole: minute }
}

fn progress() -> tokio::sync::watch::Sender<isapi::UploadProgress> {
    tokio::sync::watch::channel(isapi::UploadProgress::default()).0
}

#[tokio::test]
async fn an_upload_arrives_whole_in_one_body() {
    for algorithm in ["MD5", "SHA-256"] {
        let site = Site::new();
        let server = start(&site, USER, algorithm).await;
        let recorder = recorder(&server, USER, PASSWORD);
        let (package, digest) = package();
        let ticket = recorder.upload_ticket().await.unwrap();
        let pushed = upload(&recorder, ticket, &package).await.unwrap();
        assert!(pushed.released && pushed.handed == package.size(), "{pushed:?}");
        assert_eq!(Sha256Digest::of(&fs::read(site.uploaded()).unwrap()), digest);
        server.stop().await;
        let log = site.read("access.log");
        let puts: Vec<Vec<&str>> =
            log.lines().filter(|l| l.starts_with("PUT ")).map(|l| l.split(' ').collect()).collect();
        assert_eq!(puts.iter().map(|p| p[2]).collect::<Vec<_>>(), ["401", "201"], "{log}");
        let bytes = |n: usize| puts[n][3].parse::<u64>().unwrap();
        assert!(bytes(0) < 4096 && (0..4096).contains(&(bytes(1) - package.size())), "{log}");
    }
}
