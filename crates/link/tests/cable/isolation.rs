use link::{Host, Isolation, Snapshot, Target, judge};

use crate::world::{ip, laptop, speak, sysctl};

fn isolation(address: &str) -> Isolation {
    judge(&Snapshot::read().unwrap(), &Target::new(address.parse().unwrap(), None))
}

fn reasons() -> Vec<String> {
    isolation("192.168.1.64").reasons.iter().map(ToString::to_string).collect()
}

/// Does it, looks, and undoes it: the laptop must be isolated before and after.
fn while_it_is_so(change: &str, undo: &str) -> Vec<String> {
    assert!(isolation("192.168.1.64").is_isolated(), "before {change}: {:?}", reasons());
    ip(change);
    let found = reasons();
    ip(undo);
    assert!(isolation("192.168.1.64").is_isolated(), "after {undo}: {:?}", reasons());
    found
}

#[test]
fn a_way_out_in_any_table_is_seen() {
    laptop("isolation::a_way_out_in_any_table_is_seen", |recorder| {
        let route = |what: &str| while_it_is_so(&format!("route add {what}"), &format!("route del {what}"));
        assert_eq!(route("default via 192.168.1.1 dev eth0"), ["IPv4 default route via 192.168.1.1 on eth0"]);
        assert_eq!(
            route("default via 192.168.1.1 dev eth0 table 4242"),
            ["IPv4 default route via 192.168.1.1 on eth0 in table 4242"]
        );
        assert_eq!(route("10.0.0.0/8 via 192.168.1.1"), ["route to 10.0.0.0/8 via 192.168.1.1 on eth0"]);
        assert_eq!(route("128.0.0.0/1 dev eth0"), ["route to 128.0.0.0/1 on eth0"]);
        assert_eq!(
            route("default nexthop via 192.168.1.1 nexthop via 192.168.1.2"),
            ["IPv4 default route via 192.168.1.1 on eth0", "IPv4 default route via 192.168.1.2 on eth0"]
        );
        let via_ipv6 = "default via inet6 fe80::1 dev eth0";
        assert_eq!(
            while_it_is_so(&format!("-4 route add {via_ipv6}"), &format!("-4 route del {via_ipv6}")),
            ["IPv4 default route via fe80::1 on eth0"]
        );
        assert_eq!(
            while_it_is_so(
                "-6 route add default via fe80::1 dev eth0",
                "-6 route del default via fe80::1 dev eth0"
            ),
            ["IPv6 default route via fe80::1 on eth0"]
        );
        assert_eq!(
            while_it_is_so(
                "-6 route add default via fe80::1 dev eth0 table 7",
                "-6 route del default via fe80::1 dev eth0 table 7"
            ),
            ["IPv6 default route via fe80::1 on eth0 in table 7"]
        );
        ip("route add unreachable default");
        assert!(isolation("192.168.1.64").is_isolated(), "it leads nowhere");
        drop(recorder);
    });
}

#[test]
fn another_network_that_is_connected_is_seen() {
    laptop("isolation::another_network_that_is_connected_is_seen", |recorder| {
        recorder.second_cable();
        assert!(isolation("192.168.1.64").is_isolated(), "no more than link-local: {:?}", reasons());
        ip("address add 10.9.9.9/24 dev eth1");
        assert_eq!(reasons(), ["Ethernet interface eth1 is connected and has 10.9.9.9/24"]);
        recorder.ip("link set lan2 down");
        assert!(isolation("192.168.1.64").is_isolated(), "unplugged: {:?}", reasons());

        // as Docker does it: a bridge of its own, and a container plugged into it
        recorder.ip("link set lan2 up");
        ip("address flush dev eth1");
        ip("link add docker0 type bridge");
        ip("address add 172.17.0.1/16 dev docker0");
        ip("link set eth1 master docker0");
        ip("link set docker0 up");
        assert_eq!(reasons(), ["bridge interface docker0 is connected and has 172.17.0.1/16"]);
        ip("link set eth1 nomaster");
        assert!(isolation("192.168.1.64").is_isolated(), "nothing is plugged in: {:?}", reasons());
        ip("link add wlan0 type veth peer name access");
        assert_eq!(
            while_it_is_so("link set wlan0 up", "link set wlan0 down"),
            ["wireless interface wlan0 is on"]
        );
    });
}

#[test]
fn forwarding_is_seen_for_all_and_for_one() {
    laptop("isolation::forwarding_is_seen_for_all_and_for_one", |_recorder| {
        for (switch, reason) in [
            ("ipv4/ip_forward", "IPv4 forwarding is on"),
            ("ipv4/conf/eth0/forwarding", "IPv4 forwarding on eth0 is on"),
            ("ipv6/conf/all/forwarding", "IPv6 forwarding is on"),
            ("ipv6/conf/eth0/forwarding", "IPv6 forwarding on eth0 is on"),
        ] {
            sysctl(switch, "1");
            assert_eq!(reasons(), [reason]);
            sysctl(switch, "0");
            assert!(isolation("192.168.1.64").is_isolated(), "{switch}: {:?}", reasons());
        }
    });
}

#[test]
fn a_bridge_to_a_second_cable_is_seen() {
    laptop("isolation::a_bridge_to_a_second_cable_is_seen", |recorder| {
        recorder.second_cable();
        ip("link add br0 type bridge");
        ip("link set br0 up");
        ip("address del 192.168.1.10/24 dev eth0");
        ip("address add 192.168.1.10/24 dev br0");
        ip("link set eth0 master br0");
        assert!(isolation("192.168.1.64").is_isolated(), "one port: {:?}", reasons());
        ip("link set eth1 master br0");
        assert_eq!(reasons(), ["bridge br0 joins eth0, eth1"]);
    });
}

#[test]
fn the_way_is_the_interface_and_loopback_is_its_own_kind() {
    laptop("isolation::the_way_is_the_interface_and_loopback_is_its_own_kind", |recorder| {
        let snapshot = Snapshot::read().unwrap();
        let to = |address: &str, interface| {
            let way = link::way(&snapshot, &Target::new(address.parse().unwrap(), interface));
            way.map(|way| (way.interface, way.carrier))
        };
        let eth0 = Some(("eth0".to_owned(), true));
        assert_eq!(to("192.168.1.64", None), eth0);
        assert_eq!(to("fe80::64", Some("eth0")), eth0);
        assert_eq!((to("fe80::64", None), to("192.168.2.64", None)), (None, None));
        assert_eq!(isolation("127.0.0.1").word(), "loopback");
        assert_eq!(isolation("192.168.1.10").reasons[0].to_string(), "address is this laptop's own, on eth0");
        assert_eq!(isolation("192.168.2.64").word(), "networked");
        recorder.ip("link set lan down");
        let pulled = isolation("192.168.1.64");
        let link::Link::Direct(way) = pulled.link else { panic!("{pulled:?}") };
        assert!(!way.carrier, "cable pulled");
    });
}

#[test]
fn who_else_is_on_the_link_is_listed() {
    laptop("isolation::who_else_is_on_the_link_is_listed", |recorder| {
        recorder.ip("address add 192.168.1.7/24 dev lan");
        for other in ["192.168.1.7:9", "192.168.1.64:9"] {
            speak("0.0.0.0:0", other);
        }
        let isolation = isolation("192.168.1.64");
        assert!(isolation.is_isolated());
        let heard: Vec<String> = isolation.heard.iter().map(|Host { ip, .. }| ip.to_string()).collect();
        assert!(
            heard.contains(&"192.168.1.7".to_owned()) && !heard.contains(&"192.168.1.64".to_owned()),
            "{heard:?}"
        );
    });
}
