//! `curl` against the download server.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::fs::{File, read};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use journeys::download_server::{Counters, Faults, Handle, start};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Runs curl; gives its exit code and what it wrote to standard output.
async fn curl(args: &[&str]) -> (i32, String) {
    let mut command = Command::new("curl");
    command.args(["-sS", "--noproxy", "*", "--max-time", "60"]).args(args).stdin(Stdio::null());
    let output = command.kill_on_drop(true).output().await.unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// A megabyte that is not the same anywhere.
fn package() -> Vec<u8> {
    (0..250_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// A server of `package.zip`, and a directory for what curl fetches.
async fn server(faults: Faults) -> (Handle, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("package.zip"), &package());
    let server = start(directory.path().to_owned(), "127.0.0.1:0".parse().unwrap(), faults).await.unwrap();
    (server, directory)
}

#[tokio::test]
async fn a_cut_download_is_resumed_where_it_ended() {
    let (server, directory) = server(Faults { cut_after: Some(300_000), ..Faults::default() }).await;
    let (url, out) = (server.url("package.zip"), directory.path().join("fetched"));
    let out = out.to_str().unwrap();
    assert_eq!(curl(&["-o", out, &url]).await.0, 18, "curl: partial file");
    let got = read(out).unwrap().len() as u64;
    assert!((1..=300_000).contains(&got), "{got}");
    assert_eq!(curl(&["-C", "-", "-o", out, &url]).await.0, 0);
    assert_eq!(read(out).unwrap(), package());
    let Counters { requests, partial, bytes, cuts, .. } = server.counters();
    assert_eq!((requests, partial, cuts), (2, 1, 1));
    assert_eq!(bytes, 300_000 + 1_000_000 - got);
}

#[tokio::test]
async fn a_changed_file_is_sent_whole_instead_of_spliced() {
    let (server, directory) = server(Faults::default()).await;
    let url = server.url("package.zip");
    let (_, headers) = curl(&["-I", &url]).await;
    assert!(headers.contains("content-length: 1000000") && headers.contains("content-type: application/zip"));
    let tag = headers.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let asked = async |tag: &str| {
        let condition = format!("If-Range: {tag}");
        curl(&[
            "-r",
            "999000-",
            "-H",
            &condition,
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{size_download}",
            &url,
        ])
        .await
        .1
    };
    assert_eq!(asked(&tag).await, "206 1000");
    write(&directory.path().join("package.zip"), &[0; 5000]);
    assert_eq!(asked(&tag).await, "200 5000");
    let (_, beyond) = curl(&["-r", "5000-", "-o", "/dev/null", "-w", "%{http_code}", &url]).await;
    assert_eq!(beyond, "416");
}

#[tokio::test]
async fn a_server_without_ranges_sends_everything_again() {
    let (server, _directory) = server(Faults { no_range: true, ..Faults::default() }).await;
    let url = server.url("package.zip");
    let (_, answer) = curl(&["-r", "5-", "-o", "/dev/null", "-D", "-", "-w", "%{size_download}", &url]).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("1000000"), "{answer}");
    assert!(!answer.contains("etag") && !answer.contains("accept-ranges"), "{answer}");
}

#[tokio::test]
async fn a_block_page_and_an_error_come_instead_of_the_file() {
    let (server, _directory) = server(Faults { block_page: true, ..Faults::default() }).await;
    let url = server.url("package.zip");
    let asked = async || curl(&["-w", "|%{http_code} %{content_type} %{size_download}", &url]).await.1;
    let page = asked().await;
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("|200 text/html 522"), "{page}");
    server.set_faults(Faults { status: Some(500), ..Faults::default() });
    assert!(asked().await.ends_with("|500 text/plain 6"));
    server.set_faults(Faults::default());
    for missing in ["absent.zip", "..%2fpackage.zip", ""] {
        let (_, code) =
            curl(&["--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", &server.url(missing)]).await;
        assert_eq!(code, "404", "{missing}");
    }
    assert_eq!(server.counters().bytes, 0);
}

#[tokio::test]
async fn a_file_may_have_faults_of_its_own_and_get_well() {
    let (server, directory) = server(Faults::default()).await;
    write(&directory.path().join("small.dav"), &[7; 6000]);
    let once = Faults {
        status: Some(503),
        status_times: Some(1),
        retry_after: Some("7".into()),
        ..Faults::default()
    };
    server.set_faults_of("small.dav", once);
    let (small, package) = (server.url("small.dav"), server.url("package.zip"));
    let asked = async |url: &str| curl(&["-o", "/dev/null", "-D", "-", url]).await;
    assert!(asked(&package).await.1.starts_with("HTTP/1.1 200"));
    let (_, first) = asked(&small).await;
    assert!(first.starts_with("HTTP/1.1 503") && first.contains("retry-after: 7\r\n"), "{first}");
    assert!(asked(&small).await.1.starts_with("HTTP/1.1 200"));
    server.set_faults_of("small.dav", Faults { excess: Some(10), ..Faults::default() });
    let (code, head) = asked(&small).await;
    assert!(code == 18 && head.contains("content-length: 6010\r\n"), "{code} {head}");
}

#[tokio::test]
async fn a_slow_server_takes_its_time() {
    let (server, directory) = server(Faults { slow: Some(4000), ..Faults::default() }).await;
    write(&directory.path().join("small.dav"), &[7; 6000]);
    let (_, seconds) = curl(&["-o", "/dev/null", "-w", "%{time_total}", &server.url("small.dav")]).await;
    assert!(seconds.parse::<f64>().unwrap() >= 1.4, "{seconds}");
}

#[tokio::test]
async fn program_says_where_it_listens_and_counts() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("a.txt"), b"hello");
    let mut program = Command::new(env!("CARGO_BIN_EXE_download-server"))
        .arg(directory.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("listening on ").unwrap();
    assert_eq!(curl(&[&format!("http://{address}/a.txt")]).await.1, "hello");
    let (_, counters) = curl(&[&format!("http://{address}/__counters")]).await;
    let counters: serde_json::Value = serde_json::from_str(&counters).unwrap();
    assert_eq!(
        counters,
        serde_json::json!({ "requests": 1, "partial": 0, "bytes": 5, "cuts": 0, "most_at_once": 1 })
    );
    let pid = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    assert!(program.wait().await.unwrap().success());
}
