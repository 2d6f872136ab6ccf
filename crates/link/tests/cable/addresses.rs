use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use link::temporary::{Pace, Probed, Removal, Temporary, Wish, probe};
use link::{Error, Snapshot};
use rustix::thread::CapabilitySet;

use crate::world::{Recorder, ip, laptop, speak, sysctl, wait, without};

/// A veth pair answers within a millisecond.
const PACE: Pace = Pace { probes: 2, between: Duration::from_millis(100), after: Duration::from_millis(300) };
const HOUR: Duration = Duration::from_secs(3600);

fn wish() -> Wish<'static> {
    Wish { interface: "eth0", recorder: "192.168.7.64/24".parse().unwrap(), avoid: &[], address: None }
}

fn probed(wish: Wish<'_>) -> Result<Probed, Error> {
    wait(probe(wish, PACE))
}

/// The recorder moves to a subnet that the laptop is not in.
fn elsewhere(recorder: &Recorder) {
    recorder.ip("address add 192.168.7.64/24 dev lan");
}

/// The laptop's addresses on the cable.
fn addresses() -> Vec<String> {
    let snapshot = Snapshot::read().unwrap();
    let v4 = snapshot.named("eth0").unwrap().addresses.iter().filter(|address| address.addr().is_ipv4());
    v4.map(ToString::to_string).collect()
}

const OWN: &str = "192.168.1.10/24";

#[test]
fn an_address_comes_and_goes_and_no_other_is_touched() {
    laptop("addresses::an_address_comes_and_goes_and_no_other_is_touched", |recorder| {
        elsewhere(&recorder);
        let free = probed(wish()).unwrap();
        assert_eq!(addresses(), [OWN], "nothing is added by asking");
        let record = serde_json::to_string(free.record()).unwrap();
        let added = free.bring_up(HOUR).unwrap();
        assert_eq!(added.address().to_string(), "192.168.7.253/24");
        assert_eq!(addresses(), [OWN, "192.168.7.253/24"]);

        let shown = Command::new("ip").args(["address", "show", "dev", "eth0"]).output().unwrap().stdout;
        let shown = String::from_utf8(shown).unwrap();
        assert!(
            shown.contains("inet 192.168.7.253/24 brd 192.168.7.255 scope global dynamic eth0:crr"),
            "{shown}"
        );
        speak("192.168.7.253:0", "192.168.7.64:9");

        assert!(matches!(probed(wish()), Err(Error::AlreadyInSubnet { .. })));
        assert!(added.renew(HOUR).unwrap());
        let read_back: Temporary = serde_json::from_str(&record).unwrap();
        assert_eq!(read_back.remove().unwrap(), Removal::Removed);
        assert_eq!(addresses(), [OWN]);
        assert_eq!(read_back.remove().unwrap(), Removal::AlreadyGone);
        assert!(!added.renew(HOUR).unwrap(), "what is gone does not come back");
        assert_eq!(addresses(), [OWN]);
    });
}

#[test]
fn an_address_that_somebody_has_is_not_taken() {
    laptop("addresses::an_address_that_somebody_has_is_not_taken", |recorder| {
        elsewhere(&recorder);
        recorder.ip("address add 192.168.7.253/24 dev lan");
        let named = Wish { address: Some(Ipv4Addr::new(192, 168, 7, 253)), ..wish() };
        let taken = probed(named).unwrap_err();
        assert!(matches!(taken, Error::AddressTaken { .. }), "{taken}");
        assert_eq!(probed(wish()).unwrap().record().address().to_string(), "192.168.7.252/24");
        for last in (245..=252).rev() {
            recorder.ip(&format!("address add 192.168.7.{last}/24 dev lan"));
        }
        let none = probed(wish()).unwrap_err();
        assert!(none.to_string().starts_with("subnet 192.168.7.0/24: no free address among 8"), "{none}");
        assert_eq!(addresses(), [OWN]);
    });
}

#[test]
fn what_a_person_made_of_it_is_left() {
    laptop("addresses::what_a_person_made_of_it_is_left", |recorder| {
        elsewhere(&recorder);
        let added = probed(wish()).unwrap().bring_up(HOUR).unwrap();
        ip("address add 192.168.7.5/24 dev eth0");
        let shared = added.remove().unwrap_err();
        assert!(
            matches!(&shared, Error::Shared { other, .. } if other.to_string() == "192.168.7.5/24"),
            "{shared}"
        );
        assert_eq!(addresses().len(), 3);
        sysctl("ipv4/conf/eth0/promote_secondaries", "1");
        assert_eq!(added.remove().unwrap(), Removal::Removed);
        assert_eq!(addresses(), [OWN, "192.168.7.5/24"]);

        ip("address del 192.168.7.5/24 dev eth0");
        let added = probed(wish()).unwrap().bring_up(HOUR).unwrap();
        ip("address change 192.168.7.253/24 dev eth0 label eth0:crr valid_lft forever preferred_lft forever");
        assert_eq!(added.remove().unwrap(), Removal::NotOurs);
        assert!(!added.renew(HOUR).unwrap());
        assert_eq!(addresses(), [OWN, "192.168.7.253/24"]);
    });
}

#[test]
fn without_the_right_it_says_sudo() {
    laptop("addresses::without_the_right_it_says_sudo", |recorder| {
        elsewhere(&recorder);
        let refused = without(CapabilitySet::NET_RAW, || probed(wish()).unwrap_err());
        let sudo = "refused, this needs the rights of the administrator\nhint: run it with sudo";
        assert_eq!(refused.to_string(), format!("ARP probe: {sudo}"));
        let free = probed(wish()).unwrap();
        let refused = without(CapabilitySet::NET_ADMIN, || free.bring_up(HOUR).unwrap_err());
        assert_eq!(refused.to_string(), format!("temporary address: {sudo}"));
        recorder.ip("link set lan down");
        assert!(matches!(probed(wish()), Err(Error::NoCarrier { .. })));
        assert_eq!(addresses(), [OWN]);
    });
}

const RECORD: &str = "COURIER_TEST_RECORD";
const LIFETIME: &str = "COURIER_TEST_LIFETIME";

/// What the child of the next tests does: an address goes up, its record is written first, and it waits to
/// be killed.
fn bring_up_and_wait(record: &Path) {
    let seconds = std::env::var(LIFETIME).unwrap().parse().unwrap();
    let free = probed(wish()).unwrap();
    serde_json::to_writer(File::create(record).unwrap(), free.record()).unwrap();
    let _added = free.bring_up(Duration::from_secs(seconds)).unwrap();
    std::io::stderr().write_all(b"up\n").unwrap();
    std::io::stdin().lines().for_each(drop);
}

/// The same test again, as a program that can be killed: with its record, once the address is up.
fn program(test: &str, seconds: u64, record: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args([test, "--exact", "--nocapture"]).env(RECORD, record);
    let command = command.env(LIFETIME, seconds.to_string()).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.stdout(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(program.stderr.as_mut().unwrap()).lines();
    let said: Vec<String> = lines.map_while(Result::ok).take_while(|line| line != "up").collect();
    assert!(program.try_wait().unwrap().is_none(), "{said:?}");
    program
}

/// Kills a program in the middle of its work; what it wrote down.
fn killed(test: &str, seconds: u64) -> Temporary {
    let directory = tempfile::tempdir().unwrap();
    let record = directory.path().join("link.json");
    let mut program = program(test, seconds, &record);
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(addresses(), [OWN, "192.168.7.253/24"], "it outlives the program");
    serde_json::from_reader(File::open(&record).unwrap()).unwrap()
}

#[test]
fn after_a_kill_the_record_takes_it_down() {
    const TEST: &str = "addresses::after_a_kill_the_record_takes_it_down";
    if let Some(record) = std::env::var_os(RECORD) {
        return bring_up_and_wait(record.as_ref());
    }
    laptop(TEST, |recorder| {
        elsewhere(&recorder);
        let record = killed(TEST, 3600);
        assert_eq!(record.remove().unwrap(), Removal::Removed);
        assert_eq!(addresses(), [OWN]);
    });
}

#[test]
fn after_a_kill_its_lifetime_takes_it_down() {
    const TEST: &str = "addresses::after_a_kill_its_lifetime_takes_it_down";
    if let Some(record) = std::env::var_os(RECORD) {
        return bring_up_and_wait(record.as_ref());
    }
    laptop(TEST, |recorder| {
        elsewhere(&recorder);
        let mut monitor =
            Command::new("ip").args(["monitor", "address"]).stdout(Stdio::piped()).spawn().unwrap();
        let record = killed(TEST, 3);
        let mut lines = BufReader::new(monitor.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.starts_with("Deleted") && line.contains("192.168.7.253")));
        monitor.kill().unwrap();
        monitor.wait().unwrap();
        assert_eq!(addresses(), [OWN]);
        assert_eq!(record.remove().unwrap(), Removal::AlreadyGone);
    });
}
