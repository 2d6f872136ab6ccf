use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use cargo_metadata::DependencyKind;

use super::{declared, metadata, reached};

/// Crates that open connections, speak to the kernel about the network, or run what waits on either.
const NETWORK: [&str; 15] = [
    "axum",
    "hyper",
    "hyper-util",
    "mio",
    "netlink-packet-core",
    "netlink-packet-route",
    "nix",
    "postgres",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
    "tokio-postgres-rustls",
    "ureq",
    "zbus",
];

/// Names that stand in the source of whatever opens a connection or listens for one, or speaks to the
/// network without one.
const SOCKETS: [&str; 20] = [
    "reqwest",
    "hyper",
    "axum",
    "TcpStream",
    "TcpListener",
    "TcpSocket",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "lookup_host",
    "socket2",
    "socket_with",
    "getifaddrs",
    "netlink_packet_core",
    "netlink_packet_route",
    "postgres",
    "tokio_postgres_rustls",
    "zbus",
];

#[test]
fn deciding_crates_reach_no_network_crate() {
    let metadata = metadata();
    for name in ["firmware", "keys", "receipt", "stick", "terminal", "tuf-client", "tuf-repository"] {
        let reached = reached(&metadata, name);
        for network in NETWORK {
            assert!(!reached.contains(network), "{name} reaches {network}");
        }
    }
}

#[test]
fn only_the_edges_declare_a_network_crate() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let declared = declared(package, DependencyKind::Normal);
        let edge = ["fetcher", "isapi", "link", "nvr-sim", "journeys"].contains(&package.name.as_str());
        for network in NETWORK {
            // the applier drives isapi, so it runs tokio, and speaks to logind, `drive` to udisks2; they open no other
            // connection, see below
            let speaks = ["applier", "drive"].contains(&package.name.as_str());
            let runtime = speaks && ["tokio", "zbus"].contains(&network);
            assert!(edge || runtime || !declared.contains(network), "{} declares {network}", package.name);
        }
    }
}

#[test]
fn only_the_edges_open_sockets() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut seen = 0;
    for file in rust_files(&crates) {
        let name = file.strip_prefix(&crates).unwrap();
        let edge = [
            "isapi/src",
            "link/src",
            "nvr-sim",
            "fetcher/src/download",
            "fetcher/src/download.rs",
            // the ledger on a server
            "fetcher/src/ledger/postgresql",
            "fetcher/src/ledger/postgresql.rs",
            // the message bus of this laptop
            "applier/src/presence/inhibitor.rs",
            "drive/src/udisks.rs",
            // what the kernel tells of disks that come and go
            "drive/src/watch.rs",
        ];
        if edge.iter().any(|edge| name.starts_with(edge)) || name.iter().any(|part| part == "tests") {
            continue;
        }
        seen += 1;
        let text = read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = if line.trim_start().starts_with("//") { "" } else { line };
            let word = code.split(|c: char| !c.is_alphanumeric() && c != '_').find(|w| SOCKETS.contains(w));
            assert_eq!(word, None, "{}:{}", name.display(), number + 1);
        }
    }
    assert!(seen > 50, "only {seen} files were read");
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = dir.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut found: Vec<_> = files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs")).collect();
    found.extend(dirs.iter().flat_map(|dir| rust_files(dir)));
    found
}
