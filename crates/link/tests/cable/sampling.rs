use link::{Change, Sampler, Snapshot, Target, judge};

use crate::world::{ip, laptop, sysctl, wait};

/// The next change that is not about neighbours, which come and go as IPv6 wakes up.
async fn next(sampler: &mut Sampler) -> String {
    loop {
        let event = sampler.changed().await.unwrap();
        if !matches!(event.change, Change::Heard(_)) {
            return event.change.to_string();
        }
    }
}

#[test]
fn what_changes_during_a_run_is_told_as_it_happens() {
    laptop("sampling::what_changes_during_a_run_is_told_as_it_happens", |recorder| {
        wait(async {
            let mut sampler = Sampler::start(&Target::new([192, 168, 1, 64].into(), None)).unwrap();
            assert!(sampler.isolation().is_isolated(), "{:?}", sampler.isolation());

            ip("route add default via 192.168.1.1");
            let appeared = "IPv4 default route via 192.168.1.1 on eth0 (new)";
            assert_eq!(next(&mut sampler).await, appeared);
            assert!(!sampler.isolation().is_permitted());
            ip("route del default");
            assert_eq!(next(&mut sampler).await, appeared.replace("(new)", "(no longer)"));

            recorder.ip("link set lan down");
            assert_eq!(next(&mut sampler).await, "cable: no carrier on eth0");
            recorder.ip("link set lan up");
            assert_eq!(next(&mut sampler).await, "cable: carrier on eth0 is back");

            sysctl("ipv4/ip_forward", "1");
            assert_eq!(next(&mut sampler).await, "IPv4 forwarding is on (new)");
            ip("-6 route add default via fe80::1 dev eth0 table 9");
            assert_eq!(next(&mut sampler).await, "IPv6 default route via fe80::1 on eth0 in table 9 (new)");
        });
    });
}

#[test]
fn a_look_in_between_loses_nothing() {
    laptop("sampling::a_look_in_between_loses_nothing", |_recorder| {
        wait(async {
            let mut sampler = Sampler::start(&Target::new([192, 168, 1, 64].into(), None)).unwrap();
            ip("route add default via 192.168.1.1");
            ip("link add wlan0 type veth peer name access");
            ip("link set wlan0 up");
            let told: Vec<String> =
                sampler.look_now().unwrap().iter().map(|event| event.change.to_string()).collect();
            for expected in
                ["IPv4 default route via 192.168.1.1 on eth0 (new)", "wireless interface wlan0 is on (new)"]
            {
                assert!(told.iter().any(|told| told == expected), "{told:?}");
            }
            assert_eq!(sampler.isolation().word(), "networked");
        });
    });
}

#[test]
fn what_has_changed_since_an_earlier_judgement_is_told_first() {
    laptop("sampling::what_has_changed_since_an_earlier_judgement_is_told_first", |_recorder| {
        wait(async {
            let known = judge(&Snapshot::read().unwrap(), &Target::new([192, 168, 1, 64].into(), None));
            ip("route add default via 192.168.1.1");
            let mut sampler = Sampler::since(known).unwrap();
            assert_eq!(next(&mut sampler).await, "IPv4 default route via 192.168.1.1 on eth0 (new)");
        });
    });
}
