use std::net::Ipv4Addr;

use super::Wish;
use crate::error::Error;

/// Addresses that are asked for before it is given up; a link where eight in a row are taken is no
/// cable to one recorder.
const MOST: usize = 8;

/// The addresses to ask for, in this order: pure, and the same for the same wish.
///
/// From the upper end downwards, since people and DHCP servers begin at the lower one. First and last
/// address of a subnet are left to gateways, which like them, where there is room.
pub(super) fn candidates(wish: &Wish<'_>) -> Result<Vec<Ipv4Addr>, Error> {
    let recorder = wish.recorder;
    let refused = |why| Err(Error::NotASubnet { recorder, why });
    let ip = recorder.addr();
    if !(ip.is_private() || ip.is_link_local() || ip.octets()[..3] == [192, 0, 0]) {
        return refused("its address is neither private nor link-local");
    }
    if !(8..=30).contains(&recorder.prefix_len()) {
        return refused("a subnet with room for two has a prefix of 8 to 30");
    }
    let (first, last) = (u32::from(recorder.network()) + 1, u32::from(recorder.broadcast()) - 1);
    if !(first..=last).contains(&ip.into()) {
        return refused("its address is that of the subnet or of everybody in it");
    }
    let taken = |address: &Ipv4Addr| *address == ip || wish.avoid.contains(address);
    if let Some(address) = wish.address {
        if !(first..=last).contains(&address.into()) {
            return refused("the address that was named is not of this subnet");
        }
        if taken(&address) {
            return refused("the address that was named is known to be in use");
        }
        return Ok(vec![address]);
    }
    let spare = u32::from(last - first >= 4);
    let range = (first + spare..=last - spare).rev().map(Ipv4Addr::from);
    Ok(range.filter(|address| !taken(address)).take(MOST).collect())
}

#[cfg(test)]
mod tests {
    use ipnet::Ipv4Net;
    use proptest::prelude::*;

    use super::*;

    fn wish(recorder: &str) -> Wish<'static> {
        Wish { interface: "eth0", recorder: recorder.parse().unwrap(), avoid: &[], address: None }
    }

    fn chosen(wish: &Wish<'_>) -> Vec<String> {
        candidates(wish).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn from_the_upper_end_without_the_recorder_and_what_is_in_use() {
        let avoid = [Ipv4Addr::new(192, 168, 1, 252)];
        let wish = Wish { avoid: &avoid, ..wish("192.168.1.253/24") };
        assert_eq!(chosen(&wish)[..2], ["192.168.1.251", "192.168.1.250"]);
        assert_eq!(chosen(&wish).len(), MOST);
        let small = self::wish("192.168.1.65/30");
        assert_eq!(chosen(&small), ["192.168.1.66"]);
        let named = Wish { address: "192.168.1.66".parse().ok(), ..small };
        assert_eq!(chosen(&named), ["192.168.1.66"]);
    }

    #[test]
    fn refuses_what_is_no_subnet_to_be_a_guest_in() {
        for recorder in [
            "8.8.8.8/24",
            "100.64.0.1/10",
            "192.168.1.64/31",
            "192.168.1.64/32",
            "10.0.0.1/7",
            "192.168.1.0/24",
            "192.168.1.255/24",
        ] {
            assert!(candidates(&wish(recorder)).is_err(), "{recorder}");
        }
        for address in ["192.168.1.64", "192.168.2.1", "192.168.1.255"] {
            let named = Wish { address: address.parse().ok(), ..wish("192.168.1.64/24") };
            assert!(candidates(&named).is_err(), "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_is_chosen_is_always_of_the_subnet(ip in any::<Ipv4Addr>(), length in 0_u8..=32) {
            let recorder = Ipv4Net::new(ip, length).unwrap();
            let wish = Wish { recorder, ..wish("10.0.0.1/8") };
            for address in candidates(&wish).unwrap_or_default() {
                prop_assert!(recorder.contains(&address) && address != ip);
                prop_assert!(address != recorder.network() && address != recorder.broadcast());
            }
        }
    }
}
