use std::net::{IpAddr, UdpSocket};

use link::{Listener, Target};
use rustix::thread::CapabilitySet;

use crate::world::{Recorder, laptop, speak, wait, without};

fn target() -> Target {
    Target::new([192, 168, 1, 64].into(), None)
}

/// Asks everybody at the other end for an address that nobody has, from this one.
fn ask(recorder: &Recorder, from: &'static str) {
    recorder.thread(move || UdpSocket::bind(from).unwrap().send_to(b"?", "192.168.1.99:9").unwrap());
}

#[test]
fn whoever_asks_for_an_address_is_heard_and_the_recorder_is_nobody_else() {
    laptop("listening::whoever_asks_for_an_address_is_heard_and_the_recorder_is_nobody_else", |recorder| {
        recorder.ip("address add 192.168.1.77/24 dev lan");
        recorder.ip("address add 192.168.1.78/24 dev lan");
        wait(async {
            let mut listener = Listener::start(&target()).unwrap();
            // the recorder and this laptop speak, too
            speak("192.168.1.10:0", "192.168.1.64:9");
            ask(&recorder, "192.168.1.77:0");
            let one: IpAddr = [192, 168, 1, 77].into();
            assert_eq!(listener.another().await.ip, one);
            ask(&recorder, "192.168.1.78:0");
            assert_eq!(listener.another().await.ip.to_string(), "192.168.1.78");
            let heard: Vec<String> = listener.heard().iter().map(|host| host.ip.to_string()).collect();
            assert_eq!(heard, ["192.168.1.77", "192.168.1.78"]);
        });
    });
}

#[test]
fn what_came_in_between_is_not_lost() {
    laptop("listening::what_came_in_between_is_not_lost", |recorder| {
        recorder.ip("address add 192.168.1.77/24 dev lan");
        wait(async {
            let mut listener = Listener::start(&target()).unwrap();
            assert_eq!(listener.heard(), []);
            let mut awake = Listener::start(&target()).unwrap();
            ask(&recorder, "192.168.1.77:0");
            let host = awake.another().await;
            assert_eq!(listener.heard(), [host]);
        });
    });
}

#[test]
fn without_the_right_nothing_is_heard() {
    laptop("listening::without_the_right_nothing_is_heard", |_recorder| {
        let deaf = || wait(async { Listener::start(&target()).is_none() });
        assert!(without(CapabilitySet::NET_RAW, deaf));
        let elsewhere = Target::new([10, 9, 9, 9].into(), None);
        assert!(wait(async { Listener::start(&elsewhere).is_none() }), "no link leads there");
    });
}
