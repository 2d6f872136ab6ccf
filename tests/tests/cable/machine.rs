use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

/// A network namespace. It lives as long as a process in it that waits for the end of its input, and so
/// also a test that is killed leaves nothing behind.
pub(crate) struct Machine {
    holder: Child,
    enter: Vec<String>,
}

/// A new namespace takes these over from the machine.
const SWITCHES_OFF: &str = "for switch in ipv4/ip_forward ipv6/conf/all/forwarding ipv4/conf/all/rp_filter \
     ipv4/conf/default/rp_filter; do echo 0 >/proc/sys/net/$switch; done; ip link set lo up";

impl Machine {
    /// Connected to nothing.
    pub(crate) fn new() -> Self {
        let root = geteuid().is_root();
        let unshare: &[&str] = if root { &["--net"] } else { &["--map-root-user", "--net"] };
        Self::held(Command::new("unshare").args(unshare), !root)
    }

    /// Another one, which a cable may lead to.
    pub(crate) fn another(&self) -> Self {
        let mut command = self.command("unshare");
        Self::held(command.arg("--net"), !geteuid().is_root())
    }

    fn held(command: &mut Command, user: bool) -> Self {
        let script = format!("set -e; {SWITCHES_OFF}; echo ready; exec cat");
        command.args(["sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n", "no network namespace");
        let namespaces = format!("/proc/{}/ns", holder.id());
        let mut enter = vec!["nsenter".to_owned()];
        if user {
            enter.extend([format!("--user={namespaces}/user"), "--preserve-credentials".into()]);
        }
        enter.push(format!("--net={namespaces}/net"));
        Self { holder, enter }
    }

    /// What is put before a program so that it runs here.
    pub(crate) fn enter(&self) -> Vec<&str> {
        self.enter.iter().map(String::as_str).collect()
    }

    /// A program, here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(&self.enter[0]);
        command.args(&self.enter[1..]).arg(program);
        command
    }

    /// Runs a program with these words and gives what it printed.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, words: &[&str]) -> String {
        let output = self.command(program).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {}: {said}", words.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// `ip` with these words.
    #[track_caller]
    pub(crate) fn ip(&self, words: &str) -> String {
        self.run("ip", &words.split(' ').collect::<Vec<_>>())
    }

    /// A cable from `near` here to `far` there, both switched on.
    pub(crate) fn cable(&self, near: &str, other: &Self, far: &str) {
        self.ip(&format!("link add {near} type veth peer name {far} netns {}", other.holder.id()));
        self.ip(&format!("link set {near} up"));
        other.ip(&format!("link set {far} up"));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}
