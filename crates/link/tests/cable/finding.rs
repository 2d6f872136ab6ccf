use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use link::{Effort, Findings, Hint, How, find};
use rustix::thread::CapabilitySet;

use crate::world::{Recorder, ip, laptop, sysctl, wait, without};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const RECORDER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 64);

/// A veth pair answers within a millisecond.
const EFFORT: Effort =
    Effort { rounds: 2, between: Duration::from_millis(200), after: Duration::from_millis(500) };

#[derive(Clone, Copy)]
enum Reply {
    /// As devices do (reference: ISAPI §16).
    Group,
    Unicast,
}

/// Answers inquiries at the recorder's end, for as long as the test runs; gives each inquiry that came.
fn sadp(
    recorder: &Recorder,
    reply: Reply,
    answer: impl Fn() -> Vec<Vec<u8>> + Send + 'static,
) -> Receiver<String> {
    recorder.ip("route add 224.0.0.0/4 dev lan");
    let ((ready, is_ready), (inquired, inquiries)) = (channel(), channel());
    recorder.thread(move || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 37020)).unwrap();
        socket.join_multicast_v4(&GROUP, &RECORDER).unwrap();
        ready.send(()).unwrap();
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let inquiry = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if !inquiry.contains("<Types>inquiry</Types></Probe>") || inquired.send(inquiry).is_err() {
                continue;
            }
            let to = match reply {
                Reply::Group => SocketAddrV4::new(GROUP, 37020).into(),
                Reply::Unicast => from,
            };
            for datagram in answer() {
                socket.send_to(&datagram, to).unwrap();
            }
        }
    });
    is_ready.recv().unwrap();
    inquiries
}

fn real() -> Vec<Vec<u8>> {
    let text = include_str!("../../../../tests/fuzz/corpus/sadp/answer-ds-2cd2385g1-i.xml")
        .replace("192.168.124.", "192.168.1.");
    vec![text.replace("192.168.1.40", "192.168.1.64").into_bytes()]
}

fn search() -> Findings {
    wait(find("eth0", EFFORT)).unwrap()
}

#[test]
fn a_recorder_that_answers_the_group_is_found() {
    laptop("finding::a_recorder_that_answers_the_group_is_found", |recorder| {
        let inquiries = sadp(&recorder, Reply::Group, real);
        let findings = search();
        let [found] = findings.devices.as_slice() else { panic!("{findings:?}") };
        assert!(found.device.claims(&"DS-2CD2385G1-I20200414AAWRE00000001".parse().unwrap()));
        assert_eq!((found.from, found.how.as_slice(), found.passed), (RECORDER, &[How::Answer][..], true));
        assert!(findings.hosts.iter().any(|host| host.ip == RECORDER), "its ARP was heard: {findings:?}");
        assert_eq!(findings.hints, [Hint::UsualAddress { address: RECORDER }]);
        // two rounds, each to the group and to everybody, with an id of its own
        let inquiries: Vec<String> = inquiries.try_iter().collect();
        assert_eq!(inquiries.len(), 4, "{inquiries:?}");
        assert!(inquiries[0] == inquiries[1] && inquiries[1] != inquiries[2], "{inquiries:?}");
    });
}

#[test]
fn a_recorder_that_answers_directly_is_found_without_any_right() {
    laptop("finding::a_recorder_that_answers_directly_is_found_without_any_right", |recorder| {
        let _inquiries = sadp(&recorder, Reply::Unicast, real);
        let findings = without(CapabilitySet::NET_RAW, search);
        assert_eq!(findings.devices.len(), 1, "{findings:?}");
        let hints = [Hint::UsualAddress { address: RECORDER }, Hint::NeedsPrivilege];
        assert_eq!(findings.hints, hints, "{findings:?}");
    });
}

#[test]
fn a_laptop_without_an_address_there_hears_it_all_the_same() {
    laptop("finding::a_laptop_without_an_address_there_hears_it_all_the_same", |recorder| {
        let _inquiries = sadp(&recorder, Reply::Group, real);
        ip("address flush dev eth0");
        ip("address add 10.3.3.3/24 dev eth0");
        sysctl("ipv4/conf/all/rp_filter", "2"); // Debian's setting
        let findings = search();
        let [found] = findings.devices.as_slice() else { panic!("{findings:?}") };
        assert!(!found.passed, "the kernel dropped it: {findings:?}");
        assert_eq!(
            findings.hints,
            [
                Hint::OtherSubnet { address: "192.168.1.64/24".parse().unwrap() },
                Hint::UsualAddress { address: RECORDER },
                Hint::Dropped { devices: 1 },
            ]
        );
        let deaf = without(CapabilitySet::NET_RAW, search);
        assert_eq!((deaf.devices.as_slice(), &deaf.hints[0]), (&[][..], &Hint::PerhapsDropped), "{deaf:?}");
    });
}

#[test]
fn a_recorder_with_sadp_off_is_noticed_at_its_usual_address() {
    laptop("finding::a_recorder_with_sadp_off_is_noticed_at_its_usual_address", |recorder| {
        ip("address flush dev eth0");
        let findings = search();
        assert_eq!(findings.devices, [], "{findings:?}");
        let heard: Vec<_> = findings.hosts.iter().map(|host| (host.ip, host.how)).collect();
        assert_eq!(heard, [(RECORDER, How::Arp)]);
        let hints = [Hint::UsualAddress { address: RECORDER }, Hint::Silent { address: RECORDER }];
        assert_eq!(findings.hints, hints);
        recorder.ip("address add 192.168.254.1/24 dev lan");
        let camera_side = search();
        let address = Ipv4Addr::new(192, 168, 254, 1);
        assert_eq!(camera_side.hints[0], Hint::CameraPort { address }, "{camera_side:?}");
    });
}

#[test]
fn floods_lies_and_rubbish_end_in_time() {
    laptop("finding::floods_lies_and_rubbish_end_in_time", |recorder| {
        let _inquiries = sadp(&recorder, Reply::Group, || {
            let device = |n| format!("<ProbeMatch><DeviceSN>A{n}</DeviceSN></ProbeMatch>").into_bytes();
            let mut datagrams: Vec<Vec<u8>> = (0..600).map(device).collect();
            datagrams.push(b"<!DOCTYPE a [<!ENTITY b \"c\">]><ProbeMatch>&b;</ProbeMatch>".to_vec());
            datagrams.push(vec![b'x'; 20_000]);
            datagrams.push(Vec::new());
            datagrams.extend(real());
            datagrams.rotate_right(4); // the last four first, before the caps close
            datagrams
        });
        let findings = search();
        assert!(findings.devices.len() <= 256, "{}", findings.devices.len());
        assert!(findings.devices.iter().any(|found| found.device.http_port == Some(80)), "{findings:?}");
        let why: Vec<&str> = findings.rejected.iter().map(|rejected| rejected.why.as_str()).collect();
        assert!(why.iter().any(|why| why.contains("document type")), "{why:?}");
        assert!(why.iter().any(|why| why.contains("larger than 8 KiB")), "{why:?}");
    });
}

#[test]
fn a_pulled_cable_ends_the_search_at_once() {
    laptop("finding::a_pulled_cable_ends_the_search_at_once", |recorder| {
        recorder.ip("link set lan down");
        let patient = Effort { after: Duration::from_secs(100_000), ..EFFORT };
        let findings = wait(find("eth0", patient)).unwrap();
        assert_eq!(findings.hints, [Hint::NoCarrier]);
        let missing = wait(find("eth7", EFFORT)).unwrap_err();
        assert!(missing.to_string().starts_with("interface eth7: not found"), "{missing}");
    });
}

#[test]
fn another_program_on_the_port_is_shared_with_or_told() {
    laptop("finding::another_program_on_the_port_is_shared_with_or_told", |recorder| {
        let _inquiries = sadp(&recorder, Reply::Unicast, real);
        // without SO_REUSEADDR it has the port for itself
        let _held = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 37020)).unwrap();
        let findings = search();
        assert_eq!(findings.devices.len(), 1, "{findings:?}");
        assert!(findings.hints.contains(&Hint::PortTaken), "{findings:?}");
    });
}

#[test]
fn cables_to_choose_from_are_ethernet_and_plugged_ones_first() {
    laptop("finding::cables_to_choose_from_are_ethernet_and_plugged_ones_first", |recorder| {
        recorder.second_cable();
        recorder.ip("link set lan down");
        ip("link add wlan0 type veth peer name access");
        ip("link set wlan0 up");
        let snapshot = link::Snapshot::read().unwrap();
        let names: Vec<&str> =
            link::candidates(&snapshot).iter().map(|interface| interface.name.as_str()).collect();
        assert_eq!(names, ["eth1", "eth0"]);
    });
}
