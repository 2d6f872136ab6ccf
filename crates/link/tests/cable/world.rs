use std::fs::{File, read_link};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, LinkNameSpaceType, capabilities, move_into_link_name_space, set_capabilities,
};

const INSIDE: &str = "COURIER_TEST_INSIDE";
const OUTSIDE: &str = "COURIER_TEST_OUTSIDE";

/// Runs a test's body in a network namespace of its own. Only a whole process can move into one, so the
/// test starts itself again, under unshare(1), and looks at how that ended.
pub(crate) fn laptop(test: &str, body: impl FnOnce(Recorder)) {
    let here = read_link("/proc/self/ns/net").unwrap();
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        assert_ne!(std::env::var_os(OUTSIDE).unwrap(), here, "still in the namespace of the machine");
        return body(Recorder::cabled());
    }
    let mut command = Command::new("unshare");
    if !geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let command = command.arg("--net").arg(std::env::current_exe().unwrap());
    let output =
        command.args([test, "--exact", "--nocapture"]).env(INSIDE, test).env(OUTSIDE, here).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
}

/// `ip` with these words.
pub(crate) fn ip(words: &str) {
    run(Command::new("ip").args(words.split(' ')), words);
}

fn run(command: &mut Command, words: &str) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A switch in `/proc/sys/net`, here.
#[expect(clippy::disallowed_methods, reason = "a switch of the kernel is no file that a power cut halves")]
pub(crate) fn sysctl(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
}

/// Sends a datagram that the other end's kernel refuses, since nobody there listens: then both have
/// heard of each other.
pub(crate) fn speak(from: &str, to: &str) {
    let socket = UdpSocket::bind(from).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.connect(to).unwrap();
    socket.send(b"?").unwrap();
    assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionRefused, "{from} to {to}");
}

/// The other end: `lan` at 192.168.1.64, while the laptop has `eth0` at 192.168.1.10.
pub(crate) struct Recorder {
    holder: Child,
}

impl Recorder {
    fn cabled() -> Self {
        let recorder = Self::elsewhere();
        // a new namespace takes these over from the machine
        let switches_off = || {
            for switch in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                sysctl(switch, "0");
            }
            for scope in ["all", "default"] {
                sysctl(&format!("ipv4/conf/{scope}/rp_filter"), "0");
                sysctl(&format!("ipv4/conf/{scope}/promote_secondaries"), "0");
            }
        };
        switches_off();
        recorder.thread(switches_off).join().unwrap();
        ip("link set lo up");
        ip(&format!("link add eth0 type veth peer name lan netns {}", recorder.holder.id()));
        ip("address add 192.168.1.10/24 dev eth0");
        ip("link set eth0 up");
        recorder.ip("link set lo up");
        recorder.ip("address add 192.168.1.64/24 dev lan");
        recorder.ip("link set lan up");
        recorder
    }

    /// A namespace, which lives as long as a process that waits for the end of its input: also a test that
    /// is killed leaves nothing behind.
    fn elsewhere() -> Self {
        let mut command = Command::new("unshare");
        let command = command.args(["--net", "sh", "-c", "echo; exec cat"]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        Self { holder }
    }

    fn namespace(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    /// `ip` with these words, at the other end.
    pub(crate) fn ip(&self, words: &str) {
        let namespace = format!("--net={}", self.namespace());
        run(Command::new("nsenter").arg(namespace).arg("ip").args(words.split(' ')), words);
    }

    /// Runs a thread at the other end.
    pub(crate) fn thread<T: Send + 'static>(
        &self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let namespace = File::open(self.namespace()).unwrap();
        thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            body()
        })
    }

    /// A second cable of the laptop, `eth1`, to the same machine.
    pub(crate) fn second_cable(&self) {
        ip(&format!("link add eth1 type veth peer name lan2 netns {}", self.holder.id()));
        ip("link set eth1 up");
        self.ip("link set lan2 up");
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}

/// Runs something in a thread that lacks a right.
pub(crate) fn without<T: Send>(right: CapabilitySet, body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut sets = capabilities(None).unwrap();
            sets.effective.remove(right);
            set_capabilities(None, sets).unwrap();
            body()
        });
        thread.join().unwrap()
    })
}

/// Waits for a future, in this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
