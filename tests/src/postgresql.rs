//! A PostgreSQL server of its own for the tests of one program.
// helpers of tests are tests: where something is not as it should be, they panic
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)]

use std::fs::{File, Permissions, create_dir, read_dir, set_permissions};
use std::io::{BufRead, BufReader, Write, copy, sink};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// Who may do everything there.
const OWNER: &str = "courier";
/// The password over TLS; on the Unix socket nobody is asked for it.
pub const PASSWORD: &str = "database secret";

/// A server in a temporary folder, on a Unix socket there and, over TLS alone, on the loopback address. It ends with
/// this value, and with the program if that is killed.
pub struct Cluster {
    server: Child,
    port: u16,
    dir: TempDir,
}

impl Cluster {
    /// Makes it and waits until it can be used.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (data, secret) = (dir.path().join("data"), dir.path().join("secret"));
        create_dir(&data).unwrap();
        let (certificate, key) = certificate();
        let (public, private) = (dir.path().join("server.pem"), dir.path().join("server.key"));
        for (path, text) in [(&public, &*certificate), (&private, &*key), (&secret, PASSWORD)] {
            write(path, text);
        }
        // PostgreSQL refuses to run as root, and takes no folder of somebody else
        for path in [dir.path(), &data, &secret, &public, &private] {
            give_away(path);
        }
        let made = as_its_user(&["initdb", "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256"])
            .args(["--username", OWNER, "--encoding=UTF8", "--locale=C.UTF-8", "--pwfile"])
            .args([&secret, Path::new("--pgdata"), &data])
            .output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut started = Err(String::new());
        for _ in 0..5 {
            // somebody else may take the port before the server does
            if started.is_err() {
                let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
                started = Self::serve(dir.path(), port).map(|server| (server, port));
            }
        }
        let (server, port) = started.unwrap();
        Self { server, port, dir }
    }

    /// Starts it and waits until it can be used; what it says where it ends before.
    fn serve(dir: &Path, port: u16) -> Result<Child, String> {
        let mut server = as_its_user(&["postgres", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]);
        for setting in [
            format!("port={port}"),
            format!("unix_socket_directories={}", dir.display()),
            "ssl=on".into(),
            format!("ssl_cert_file={}", dir.join("server.pem").display()),
            format!("ssl_key_file={}", dir.join("server.key").display()),
        ] {
            server.args(["-c", &setting]);
        }
        let mut server = server.arg("-D").arg(dir.join("data")).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(server.stderr.take().unwrap());
        let mut heard = String::new();
        while !heard.contains("ready to accept connections") {
            if said.read_line(&mut heard).unwrap() == 0 {
                server.wait().unwrap();
                return Err(heard);
            }
        }
        thread::spawn(move || copy(&mut said, &mut sink()));
        Ok(server)
    }

    /// A new database; gives its URL, by the Unix socket.
    pub fn database(&self, name: &str) -> String {
        let socket = self.dir.path().display();
        let made = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--dbname"])
            .arg(format!("postgresql://{OWNER}@/postgres?host={socket}&port={}", self.port))
            .args(["--command", &format!("CREATE DATABASE {name}")])
            .status();
        assert!(made.unwrap().success());
        format!("postgresql://{OWNER}@/{name}?host={socket}&port={}", self.port)
    }

    /// The URL of a database by TCP, and the certificate that vouches for the server.
    pub fn over_tls(&self, name: &str) -> (String, PathBuf) {
        let url = format!("postgresql://{OWNER}@localhost:{}/{name}?sslmode=require", self.port);
        (url, self.dir.path().join("server.pem"))
    }
}

impl Drop for Cluster {
    /// Ends it at once, whoever is connected (fast shutdown).
    fn drop(&mut self) {
        let process = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process(process.unwrap(), Signal::INT);
        let _ = self.server.wait();
    }
}

/// A program of PostgreSQL, as the user that it runs as; it ends with the thread that started it.
fn as_its_user(words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if geteuid().is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--").arg(programs().join(words[0])).args(&words[1..]).current_dir("/").stdin(Stdio::null());
    command
}

/// The folder of the newest PostgreSQL of this machine, where Debian puts its programs.
fn programs() -> PathBuf {
    let versions = read_dir("/usr/lib/postgresql").unwrap_or_else(|_| panic!("PostgreSQL is not installed"));
    let newest = versions
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    newest.unwrap().join("bin")
}

fn give_away(path: &Path) {
    if geteuid().is_root() {
        let id = |what| {
            let id = Command::new("id").args([what, "postgres"]).output().unwrap();
            String::from_utf8(id.stdout).unwrap().trim().parse().ok()
        };
        chown(path, id("-u"), id("-g")).unwrap();
    }
}

/// A certificate for this machine and its key.
fn certificate() -> (String, String) {
    let names = ["localhost", "127.0.0.1"].map(String::from);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    (pem("CERTIFICATE", made.cert.der()), pem("PRIVATE KEY", &made.signing_key.serialize_der()))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Writes a file that its owner alone may read.
fn write(path: &Path, text: &str) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}
