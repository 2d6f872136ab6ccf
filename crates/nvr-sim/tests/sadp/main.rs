//! SADP: on loopback with sockets of our own, and over a cable between two network namespaces.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod cable;

use std::net::{Ipv4Addr, SocketAddr};

use nvr_sim::{Answers, Builder, Faults, Handle, Sadp, Stage, StartError};
use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const PROBE: &str =
    r#"<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>A&lt;1</Uuid><Types>inquiry</Types></Probe>"#;

/// A recorder on a free SADP port of loopback.
async fn start(change: impl FnOnce(&mut Builder)) -> (Handle, u16) {
    let clock = "2026-11-22T10:00:00Z".parse().unwrap();
    let mut recorder = Builder::scenario("down_seconds = 0\n[login]\npassword = \"right\"", clock).unwrap();
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    recorder.sadp = Some(Sadp { port, answers: Answers::Unicast, ..Sadp::default() });
    change(&mut recorder);
    (recorder.start().await.unwrap(), port)
}

/// Hears what is said to the group on loopback.
fn in_group(port: u16) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from((GROUP, port)).into()).unwrap();
    socket.join_multicast_v4(&GROUP, &Ipv4Addr::LOCALHOST).unwrap();
    socket.set_nonblocking(true).unwrap();
    UdpSocket::from_std(socket.into()).unwrap()
}

async fn heard(socket: &UdpSocket) -> String {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).await.unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

/// Asks by unicast, and hears the answer that comes the same way.
async fn asked(port: u16) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(PROBE.as_bytes(), (Ipv4Addr::LOCALHOST, port)).await.unwrap();
    heard(&socket).await
}

#[tokio::test]
async fn an_inquiry_is_answered_as_on_the_wire() {
    let (recorder, port) = start(|_| {}).await;
    let answer = asked(port).await;
    for part in [
        "<ProbeMatch><Uuid>A&lt;1</Uuid>\r\n<Types>inquiry</Types>",
        "<DeviceDescription>DS-7608NI-I2</DeviceDescription>",
        "<DeviceSN>DS-7608NI-I20120200101CCRRE00000001WCVU</DeviceSN>",
        "<IPv4Address>127.0.0.1</IPv4Address>",
        "<SoftwareVersion>V4.30.097build 200101</SoftwareVersion>",
        "<BootTime>2026-11-21 ",
        "<DiskNumber>1</DiskNumber>",
        "<HCPlatformEnable>flase</HCPlatformEnable>",
        "<DeviceLock>flase</DeviceLock>",
        "<DHCP>false</DHCP>",
        "<Activated>true</Activated>",
        "<DetailOEMCode>1</DetailOEMCode>",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(answer.contains(&format!("<HttpPort>{}</HttpPort>", recorder.address().port())), "{answer}");
    let counters = recorder.state().counters;
    assert_eq!((counters.sadp_inquiries, counters.sadp_answers, counters.sadp_others), (1, 1, 0));
}

#[tokio::test]
async fn what_it_tells_can_be_set() {
    let (_recorder, port) = start(|recorder| {
        recorder.content.posture.ezviz.enabled = true;
        let sadp = recorder.sadp.as_mut().unwrap();
        (sadp.dhcp, sadp.activated, sadp.device_code, sadp.oem_code) = (true, false, 7, 8);
        (sadp.mask, sadp.gateway) = (Ipv4Addr::new(255, 0, 0, 0), Ipv4Addr::new(192, 0, 2, 1));
        (sadp.address, sadp.interface) = (Some(Ipv4Addr::new(127, 0, 0, 3)), Some("lo".into()));
    })
    .await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(PROBE.as_bytes(), ("127.0.0.3", port)).await.unwrap();
    let answer = heard(&socket).await;
    assert!(answer.contains("<IPv4Address>127.0.0.3<"), "{answer}");
    for part in [
        "<DHCP>true<",
        "<Activated>false<",
        "<DeviceType>7<",
        "<DetailOEMCode>8<",
        "<HCPlatformEnable>true<",
        "<IPv4SubnetMask>255.0.0.0<",
        "<IPv4Gateway>192.0.2.1<",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
}

#[tokio::test]
async fn it_does_not_start_on_an_interface_or_an_address_that_is_not_there() {
    let clock = "2026-11-22T10:00:00Z".parse().unwrap();
    let start = async |text: &str| Builder::scenario(text, clock).unwrap().start().await.err().unwrap();
    let interface = start("[sadp]\ninterface = \"nosuch0\"").await;
    assert!(matches!(interface, StartError::Sadp(Ipv4Addr::LOCALHOST, _)), "{interface}");
    let address = start("listen = \"[::1]:0\"\n[sadp]\n").await;
    assert!(matches!(address, StartError::SadpAddress(_)), "{address}");
}

#[tokio::test]
async fn an_answer_goes_to_the_group_or_to_both() {
    for answers in [Answers::Group, Answers::Both] {
        let (recorder, port) = start(|recorder| recorder.sadp.as_mut().unwrap().answers = answers).await;
        let group = in_group(port);
        if answers == Answers::Both {
            assert!(asked(port).await.contains("<ProbeMatch>"));
        } else {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.send_to(PROBE.as_bytes(), (Ipv4Addr::LOCALHOST, port)).await.unwrap();
            recorder.until(|state| state.counters.sadp_answers == 1).await;
            assert!(heard(&group).await.contains("<ProbeMatch>"));
            assert!(socket.try_recv(&mut [0; 1]).is_err());
            continue;
        }
        assert!(heard(&group).await.contains("<ProbeMatch>"));
    }
}

#[tokio::test]
async fn a_lock_shows_and_messages_that_change_devices_are_only_counted() {
    let (recorder, port) = start(|recorder| recorder.login.tries = Some(1)).await;
    let url = format!("http://{}/ISAPI/System/status", recorder.address());
    let mut curl = tokio::process::Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "--digest", "-u", "admin:wrong", &url]).output().await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let update = PROBE.replace("inquiry", "update");
    socket.send_to(update.as_bytes(), (Ipv4Addr::LOCALHOST, port)).await.unwrap();
    recorder.until(|state| state.counters.sadp_others == 1).await;
    assert!(asked(port).await.contains("<DeviceLock>true</DeviceLock>"));
    assert_eq!(recorder.state().counters.sadp_answers, 1);
}

#[tokio::test]
async fn it_may_be_silent_or_answer_anything() {
    let (recorder, port) = start(|recorder| recorder.faults.sadp_silent = true).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(PROBE.as_bytes(), (Ipv4Addr::LOCALHOST, port)).await.unwrap();
    recorder.until(|state| state.counters.sadp_inquiries == 1).await;
    recorder.set_faults(Faults { sadp_reply: Some("\u{1b}[2J".into()), ..Faults::default() });
    assert_eq!(asked(port).await, "\u{1b}[2J");
    assert_eq!(recorder.state().counters.sadp_answers, 1);
}

#[tokio::test]
async fn it_says_hello_after_a_reboot_from_its_new_address() {
    let (recorder, port) = start(|recorder| {
        recorder.sadp.as_mut().unwrap().hello = true;
        recorder.faults.back_at = Some("127.0.0.2:0".parse().unwrap());
    })
    .await;
    let group = in_group(port);
    recorder.reboot();
    recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    loop {
        // the one of the start may have been heard as well
        let hello = heard(&group).await;
        assert!(hello.contains("<Hello><Types>hello</Types>"), "{hello}");
        if hello.contains("<IPv4Address>127.0.0.2</IPv4Address>") {
            break;
        }
    }
    assert_eq!(recorder.address().ip(), Ipv4Addr::new(127, 0, 0, 2));
}
