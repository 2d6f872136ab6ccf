use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firmware::Sha256Digest;
use nvr_sim::{Faults, Handle, Stage, TlsFault};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{curl, dav, push, put, start};

async fn secure(faults: Faults) -> Handle {
    start(|recorder| {
        recorder.https = Some("127.0.0.1:0".parse().unwrap());
        recorder.faults = faults;
    })
    .await
}

/// What `openssl s_client` says to a port, and whether it shook hands.
async fn s_client(address: std::net::SocketAddr) -> (String, bool) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string()]).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.success())
}

/// The digest of the certificate that `openssl` was shown.
async fn shown(recorder: &Handle) -> Sha256Digest {
    let (text, _) = s_client(recorder.https_address().unwrap()).await;
    let (_, pem) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    let (pem, _) = pem.split_once("-----END").unwrap();
    Sha256Digest::of(&STANDARD.decode(pem.replace('\n', "")).unwrap())
}

#[tokio::test]
async fn certificate_is_self_signed_and_stays_over_an_upgrade_unless_it_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 5000);
    for new_certificate in [false, true] {
        let recorder = secure(Faults { new_certificate, ..Faults::default() }).await;
        let before = shown(&recorder).await;
        assert_eq!(recorder.certificate(), Some(before));
        let (text, _) = s_client(recorder.https_address().unwrap()).await;
        assert!(text.contains("self-signed certificate") && text.contains("CN = DS-7608NI-I2"), "{text}");
        push(&recorder, &file).await;
        put(&recorder, "System/reboot").await;
        recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
        let after = shown(&recorder).await;
        assert_eq!((after != before, recorder.certificate()), (new_certificate, Some(after)));
        // a reboot without an upgrade keeps it in any case
        recorder.reboot();
        recorder.until(|state| state.counters.reboots == 2 && state.stage == Stage::Idle).await;
        assert_eq!(shown(&recorder).await, after);
    }
}

#[tokio::test]
async fn isapi_is_spoken_over_tls_even_if_over_nothing_else() {
    let recorder = start(|recorder| {
        recorder.https = Some("127.0.0.1:0".parse().unwrap());
        recorder.plain_http = false;
    })
    .await;
    let url = format!("https://{}/ISAPI/System/deviceInfo", recorder.https_address().unwrap());
    let answer = curl(["-k", "--digest", "-u", "admin:right", &url]).await;
    assert!(answer.status == 200 && answer.text.contains("<model>DS-7608NI-I2</model>"), "{answer:?}");
    assert_eq!(recorder.state().counters.handshakes, 1);
    let refused = TcpStream::connect(recorder.address()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn tls_fails_as_old_and_odd_devices_let_it() {
    for (fault, expected) in [
        (TlsFault::Alert, "alert handshake failure"),
        (TlsFault::PlainText, "wrong version number"),
        (TlsFault::Close, "SSL handshake has read 0 bytes"),
    ] {
        let recorder = secure(Faults { tls: Some(fault), ..Faults::default() }).await;
        let (text, shook_hands) = s_client(recorder.https_address().unwrap()).await;
        assert!(!shook_hands && text.contains(expected), "{fault:?}: {text}");
        assert_eq!(recorder.state().counters.handshakes, 0);
    }
}

#[tokio::test]
async fn the_tls_port_may_speak_plain_text_and_the_plain_port_always_does() {
    let recorder = secure(Faults { tls: Some(TlsFault::PlainText), ..Faults::default() }).await;
    let url = format!("http://{}/ISAPI/System/deviceInfo", recorder.https_address().unwrap());
    assert_eq!(curl(["--digest", "-u", "admin:right", &url]).await.status, 200);
    let (text, shook_hands) = s_client(recorder.address()).await;
    assert!(!shook_hands && text.contains("wrong version number"), "{text}");
}

#[tokio::test]
async fn the_tls_port_may_say_nothing() {
    let recorder = secure(Faults { tls: Some(TlsFault::Silence), ..Faults::default() }).await;
    let mut stream = TcpStream::connect(recorder.https_address().unwrap()).await.unwrap();
    // the beginning of a greeting
    stream.write_all(&[0x16, 3, 1, 0, 4, 1, 0, 0, 0]).await.unwrap();
    recorder.until(|state| state.counters.connections == 1).await;
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
