use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::snapshot::{Family, Forwarding, Hop, Route};

pub(crate) fn interface(index: u32, name: &str, addresses: &[&str]) -> Interface {
    Interface {
        index,
        name: name.into(),
        kind: Kind::Ethernet,
        up: true,
        carrier: true,
        master: None,
        mac: None,
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    }
}

pub(crate) fn route(destination: &str, interface: u32, gateway: Option<&str>) -> Route {
    let gateway = gateway.map(|gateway| gateway.parse().unwrap());
    let hops = vec![Hop { interface: Some(interface), gateway }];
    Route { destination: destination.parse().unwrap(), table: MAIN, metric: 0, hops }
}

const MAIN: u32 = 254;

/// A laptop with nothing but `lo` and a cable to 192.168.1.0/24.
pub(crate) fn cabled() -> Snapshot {
    let lo = Interface { kind: Kind::Loopback, ..interface(1, "lo", &["127.0.0.1/8", "::1/128"]) };
    Snapshot {
        interfaces: vec![lo, interface(2, "eth0", &["192.168.1.10/24", "fe80::10/64"])],
        routes: vec![
            route("192.168.1.0/24", 2, None),
            route("fe80::/64", 2, None),
            route("ff00::/8", 2, None),
        ],
        ..Snapshot::default()
    }
}

fn to(snapshot: &Snapshot, ip: &str) -> Isolation {
    judge(snapshot, &Target::new(ip.parse().unwrap(), None))
}

/// The reasons that a change to [`cabled`] brings, as they are shown.
fn after(change: impl FnOnce(&mut Snapshot)) -> Vec<String> {
    let mut snapshot = cabled();
    change(&mut snapshot);
    to(&snapshot, "192.168.1.64").reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn a_laptop_with_one_cable_is_isolated() {
    let isolation = to(&cabled(), "192.168.1.64");
    assert_eq!((isolation.reasons.as_slice(), isolation.word()), (&[][..], "isolated"));
    assert!(isolation.is_permitted());
    let scoped = judge(&cabled(), &Target::new("fe80::1".parse().unwrap(), Some("eth0")));
    assert!(scoped.is_isolated(), "{scoped:?}");
}

#[test]
fn loopback_is_permitted_and_never_isolated() {
    let mut networked = cabled();
    networked.routes.push(route("0.0.0.0/0", 2, Some("192.168.1.1")));
    for ip in ["127.0.0.1", "::1", "::ffff:127.9.9.9"] {
        let isolation = to(&networked, ip);
        assert_eq!((isolation.is_permitted(), isolation.is_isolated()), (true, false));
        assert_eq!((isolation.word(), isolation.reasons.len()), ("loopback", 0));
    }
}

#[test]
fn each_way_out_is_a_reason_and_all_are_given() {
    assert_eq!(
        after(|s| s.routes.push(route("0.0.0.0/0", 2, Some("192.168.1.1")))),
        ["IPv4 default route via 192.168.1.1 on eth0"]
    );
    assert_eq!(
        after(|s| s.routes.push(Route { table: 100, ..route("::/0", 2, Some("fe80::1")) })),
        ["IPv6 default route via fe80::1 on eth0 in table 100"]
    );
    // what VPNs lay over a default route
    assert_eq!(after(|s| s.routes.push(route("128.0.0.0/1", 2, None))), ["route to 128.0.0.0/1 on eth0"]);
    assert_eq!(
        after(|s| s.routes.push(route("10.0.0.0/8", 2, Some("192.168.1.1")))),
        ["route to 10.0.0.0/8 via 192.168.1.1 on eth0"]
    );
    let unknown = Hop { interface: None, gateway: None };
    assert_eq!(
        after(|s| s.routes.push(Route { hops: vec![unknown], ..route("10.0.0.0/8", 2, None) })),
        ["route to 10.0.0.0/8"]
    );
    assert_eq!(
        after(|s| s.interfaces.push(interface(3, "docker0", &["172.17.0.1/16", "fe80::3/64"]))),
        ["Ethernet interface docker0 is connected and has 172.17.0.1/16"]
    );
    let radio = Interface { kind: Kind::Wireless, carrier: false, ..interface(4, "wlan0", &[]) };
    assert_eq!(after(|s| s.interfaces.push(radio)), ["wireless interface wlan0 is on"]);
    let all = Forwarding { family: Family::Ipv4, interface: None };
    let one = Forwarding { family: Family::Ipv6, interface: Some("eth0".into()) };
    assert_eq!(
        after(|s| s.forwarding.extend([all, one])),
        ["IPv4 forwarding is on", "IPv6 forwarding on eth0 is on"]
    );
}

#[test]
fn load_spread_over_gateways_is_seen() {
    let hops = ["10.0.0.1", "10.0.0.2"].map(|ip| Hop { interface: Some(2), gateway: ip.parse().ok() });
    let spread = Route { hops: hops.into(), ..route("0.0.0.0/0", 2, None) };
    assert_eq!(after(|s| s.routes.push(spread)).len(), 2);
}

#[test]
fn what_leads_nowhere_is_no_reason() {
    let none: [&str; 0] = [];
    let unplugged = Interface { carrier: false, ..interface(3, "docker0", &["172.17.0.1/16"]) };
    let bare = interface(4, "eth1", &["169.254.7.7/16", "fe80::4/64"]);
    let off = Interface { kind: Kind::Wireless, up: false, carrier: false, ..interface(5, "wlan0", &[]) };
    assert_eq!(after(|s| s.interfaces.extend([unplugged, bare, off])), none);
}

#[test]
fn a_bridge_is_one_network() {
    let bridge = |ports: &[(&str, bool)]| {
        let mut snapshot = cabled();
        let ports = ports.iter().zip(2..).map(|((name, carrier), index)| Interface {
            carrier: *carrier,
            master: Some(9),
            ..interface(index, name, &[])
        });
        snapshot.interfaces = ports.collect();
        let bridge = Interface { kind: Kind::Bridge, ..interface(9, "br0", &["192.168.1.10/24"]) };
        snapshot.interfaces.push(bridge);
        snapshot.routes = vec![route("192.168.1.0/24", 9, None)];
        to(&snapshot, "192.168.1.64").reasons.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(bridge(&[("eth0", true), ("eth1", false)]), [] as [&str; 0]);
    assert_eq!(bridge(&[("eth0", true), ("eth1", true)]), ["bridge br0 joins eth0, eth1"]);
}

#[test]
fn the_target_must_be_private_on_a_link_and_somebody_else() {
    let shown =
        |ip: &str| -> Vec<String> { to(&cabled(), ip).reasons.iter().map(ToString::to_string).collect() };
    let far = "address is on no link of this laptop: a gateway would be used";
    assert_eq!(shown("192.168.2.64"), [far]);
    assert_eq!(shown("fe80::1"), [far], "link-local without its interface");
    for ip in ["8.8.8.8", "100.64.0.1", "203.0.113.5", "172.32.0.1", "192.0.1.64", "2001:db8::1"] {
        assert_eq!(shown(ip), ["address is neither private nor link-local", far], "{ip}");
    }
    assert_eq!(shown("192.168.1.10"), ["address is this laptop's own, on eth0"]);
    let mut snapshot = cabled();
    snapshot.interfaces[1].addresses = vec!["192.0.0.10/24".parse().unwrap()];
    snapshot.routes = vec![route("192.0.0.0/24", 2, None)];
    assert!(to(&snapshot, "192.0.0.64").is_isolated(), "where recorders in recovery sit");
    snapshot.interfaces[1].kind = Kind::Tunnel;
    assert_eq!(to(&snapshot, "192.0.0.64").reasons, [Reason::Tunnel { interface: "eth0".into() }]);
}

#[test]
fn others_on_the_link_are_listed_and_no_reason() {
    let mut snapshot = cabled();
    let host =
        |interface, ip: &str| Host { interface, ip: ip.parse().unwrap(), mac: [2, 0, 0, 0, 0, 1].into() };
    snapshot.hosts = vec![host(2, "192.168.1.64"), host(2, "192.168.1.7"), host(1, "10.1.1.1")];
    let isolation = to(&snapshot, "192.168.1.64");
    assert!(isolation.is_isolated());
    assert_eq!(isolation.heard, [host(2, "192.168.1.7")]);
    snapshot.hosts = (0..200).map(|n| host(2, &format!("192.168.1.{n}"))).collect();
    assert_eq!(to(&snapshot, "192.168.1.64").heard.len(), MOST_HEARD);
}

#[test]
fn every_reason_has_a_way_on_and_a_stable_name() {
    let scoped = Forwarding { family: Family::Ipv4, interface: Some("eth0.5".into()) };
    assert_eq!(
        Reason::Forwarding(scoped).hint(),
        "switch it off: sysctl -w net.ipv4.conf.eth0/5.forwarding=0"
    );
    let far = Reason::Route {
        destination: "::/0".parse().unwrap(),
        gateway: None,
        interface: Some("eth1".into()),
        table: 7,
    };
    assert_eq!(far.hint(), "take it away: ip -6 route del ::/0 dev eth1 table 7");
    assert_eq!(
        serde_json::to_value(&far).unwrap(),
        serde_json::json!({"reason": "route", "destination": "::/0", "gateway": null, "interface": "eth1", "table": 7})
    );
    assert_eq!(
        serde_json::to_value(to(&cabled(), "192.168.1.64").link).unwrap(),
        serde_json::json!({"kind": "direct", "interface": "eth0", "carrier": true})
    );
}

/// Things that may be wrong with a laptop, any number of them.
fn faults() -> Vec<fn(&mut Snapshot)> {
    vec![
        |s| s.routes.push(route("0.0.0.0/0", 2, Some("192.168.1.1"))),
        |s| s.routes.push(Route { table: 9, ..route("::/0", 2, Some("fe80::1")) }),
        |s| s.routes.push(route("8.0.0.0/8", 2, None)),
        |s| s.interfaces.push(interface(3, "eth1", &["10.0.0.1/8"])),
        |s| s.interfaces.push(Interface { kind: Kind::Wireless, ..interface(4, "wlan0", &[]) }),
        |s| s.forwarding.push(Forwarding { family: Family::Ipv6, interface: None }),
        |s| s.interfaces[1].kind = Kind::Tunnel,
        |s| s.interfaces[1].addresses.push("192.168.1.64/24".parse().unwrap()),
    ]
}

proptest! {
    #[test]
    fn faults_add_up_and_never_cancel(chosen in subsequence(faults(), 0..=8)) {
        let mut snapshot = cabled();
        let mut before = to(&snapshot, "192.168.1.64").reasons;
        for fault in &chosen {
            fault(&mut snapshot);
            let now = to(&snapshot, "192.168.1.64").reasons;
            prop_assert!(before.iter().all(|reason| now.contains(reason)), "{before:?} {now:?}");
            prop_assert_eq!(now.len(), before.len() + 1);
            before = now;
        }
        prop_assert_eq!(to(&snapshot, "192.168.1.64").is_permitted(), chosen.is_empty());
    }

    /// Whatever the kernel says, only a private address on a link is ever isolated.
    #[test]
    fn no_snapshot_isolates_the_rest_of_the_world(ip in any::<std::net::Ipv4Addr>(), length in 0_u8..=32) {
        let mut snapshot = cabled();
        let net = IpNet::new(ip.into(), length).unwrap().trunc();
        snapshot.routes = vec![Route { destination: net, ..route("0.0.0.0/0", 2, None) }];
        let isolation = to(&snapshot, &ip.to_string());
        let private = ip.is_private() || ip.is_link_local() || ip.octets()[..3] == [192, 0, 0] || ip.is_multicast();
        prop_assert!(!isolation.is_isolated() || private || ip.is_broadcast(), "{isolation:?}");
    }
}
