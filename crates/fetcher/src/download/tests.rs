use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use journeys::download_server::{Faults, Handle, start};
use tempfile::TempDir;

use super::*;

mod asking;

/// The server of a directory, on threads of its own.
struct Server {
    handle: Handle,
    dir: TempDir,
    _runtime: Runtime,
}

fn downloader() -> Downloader {
    Downloader::new(Options::default()).unwrap()
}

/// A download of `package.zip`, as far as it went.
struct Fetched {
    result: Result<Vec<u8>, DownloadError>,
    events: Vec<Event>,
}

impl Server {
    fn new(faults: Faults) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let handle = runtime.block_on(start(dir.path().to_owned(), listen, faults)).unwrap();
        let server = Self { handle, dir, _runtime: runtime };
        server.serve(&package(1));
        server
    }

    fn serve(&self, bytes: &[u8]) {
        File::create(self.dir.path().join("package.zip")).unwrap().write_all(bytes).unwrap();
    }

    fn part(&self) -> PathBuf {
        self.dir.path().join("x.part")
    }

    fn fetch(&self) -> Fetched {
        let mut events = Vec::new();
        let mut tell = |event| match event {
            Event::Arrived(_) => {}
            event => events.push(event),
        };
        let downloader = downloader();
        let result = downloader.fetch(&self.handle.url("package.zip"), &self.part(), &mut tell);
        let result = result.map(|Downloaded { path, size, sha256 }| {
            let bytes = fs::read(path).unwrap();
            assert_eq!((size, sha256), (bytes.len() as u64, Sha256Digest::of(&bytes)));
            bytes
        });
        Fetched { result, events }
    }

    /// How many bytes of the file are kept.
    fn kept(&self) -> u64 {
        fs::metadata(self.part()).map_or(0, |part| part.len())
    }
}

/// Three million bytes that are not the same anywhere.
fn package(seed: u32) -> Vec<u8> {
    (0..750_000_u32).flat_map(|number| (number ^ seed).wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn cut(bytes: u64) -> Faults {
    Faults { cut_after: Some(bytes), ..Faults::default() }
}

const TOTAL: u64 = 3_000_000;

#[test]
fn fetches_a_whole_file() {
    let server = Server::new(Faults::default());
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(1));
    assert_eq!(events, [Event::Started { from: 0, total: TOTAL }]);
    assert_eq!(server.handle.counters().requests, 1);
}

#[test]
fn goes_on_after_a_cut_in_the_same_run() {
    let server = Server::new(cut(1_000_000));
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(1));
    let [Event::Started { from: 0, .. }, Event::Cut { arrived }, Event::Started { from, total: TOTAL }] =
        events[..]
    else {
        panic!("{events:?}")
    };
    assert!(arrived == from && (1..=1_000_000).contains(&from), "{events:?}");
    let counters = server.handle.counters();
    assert_eq!((counters.requests, counters.partial), (2, 1));
}

/// Leaves a part behind: the server is cut once, and then answers 500.
fn interrupted(server: &Server) -> u64 {
    server.handle.set_faults(cut(1_000_000));
    let downloader = downloader();
    let url = server.handle.url("package.zip");
    let error = downloader
        .fetch(&url, &server.part(), &mut |event| {
            if matches!(event, Event::Cut { .. }) {
                server.handle.set_faults(Faults { status: Some(500), ..Faults::default() });
            }
        })
        .unwrap_err();
    assert!(matches!(error, DownloadError::Status { .. }), "{error}");
    server.handle.set_faults(Faults::default());
    server.kept()
}

#[test]
fn goes_on_in_a_later_run() {
    let server = Server::new(Faults::default());
    let kept = interrupted(&server);
    assert!(kept > 0);
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(1));
    assert_eq!(events, [Event::Started { from: kept, total: TOTAL }]);
}

#[test]
fn starts_again_where_the_file_changed_on_the_server() {
    let server = Server::new(Faults::default());
    let kept = interrupted(&server);
    assert!(kept > 0);
    server.serve(&package(2));
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(2), "not one byte of the older file");
    assert_eq!(events, [Event::Restarted, Event::Started { from: 0, total: TOTAL }]);
}

#[test]
fn a_complete_download_costs_one_byte_to_look_at_again() {
    let server = Server::new(Faults::default());
    server.fetch().result.unwrap();
    let before = server.handle.counters().bytes;
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(1));
    assert_eq!(events, [Event::Started { from: TOTAL - 1, total: TOTAL }]);
    assert_eq!(server.handle.counters().bytes, before + 1);
}

#[test]
fn without_validators_nothing_is_spliced() {
    let server = Server::new(Faults { no_range: true, ..cut(1_000_000) });
    let Fetched { result, .. } = server.fetch();
    let error = result.unwrap_err();
    let DownloadError::Cut { arrived, total: TOTAL, .. } = error else { panic!("{error}") };
    assert!(arrived > 0);
    server.handle.set_faults(Faults { no_range: true, ..Faults::default() });
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(1));
    assert_eq!(events, [Event::Started { from: 0, total: TOTAL }]);
}

#[test]
fn a_server_that_lost_its_ranges_sends_everything() {
    let server = Server::new(Faults::default());
    interrupted(&server);
    server.handle.set_faults(Faults { no_range: true, ..Faults::default() });
    let Fetched { result, events } = server.fetch();
    assert_eq!(result.unwrap(), package(1));
    assert_eq!(events[0], Event::Restarted);
}

#[test]
fn cuts_without_end_are_given_up() {
    let server = Server::new(cut(100_000));
    let downloader = downloader();
    let url = server.handle.url("package.zip");
    let error = downloader
        .fetch(&url, &server.part(), &mut |event| {
            if matches!(event, Event::Cut { .. }) {
                server.handle.set_faults(cut(100_000));
            }
        })
        .unwrap_err();
    assert!(matches!(error, DownloadError::Cut { arrived: 1..TOTAL, .. }), "{error}");
    assert_eq!(server.handle.counters().requests, u64::from(MOST_CUTS) + 1);
}

#[test]
fn a_web_page_is_not_taken_and_costs_nothing_that_is_kept() {
    let server = Server::new(Faults::default());
    let kept = interrupted(&server);
    server.handle.set_faults(Faults { block_page: true, ..Faults::default() });
    let error = server.fetch().result.unwrap_err();
    assert!(matches!(error, DownloadError::NotFirmware { .. }));
    let expected = "it sent a web page (522 bytes, type text/html) instead of firmware, with status 200 OK";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(server.kept(), kept);
}

#[test]
fn other_answers_are_told() {
    let server = Server::new(Faults { status: Some(404), ..Faults::default() });
    let error = server.fetch().result.unwrap_err().to_string();
    let expected = "status 404 Not Found, expected 200 OK; it sent text (6 bytes, type text/plain)";
    assert!(error.ends_with(expected), "{error}");
    server.handle.set_faults(Faults { status: Some(503), ..Faults::default() });
    assert!(server.fetch().result.unwrap_err().to_string().contains("status 503 Service Unavailable"));
    assert_eq!(server.handle.counters().requests, 2, "neither is asked again");
}

#[test]
fn what_no_stick_can_carry_is_not_begun() {
    let server = Server::new(Faults::default());
    File::create(server.dir.path().join("package.zip")).unwrap().set_len(LARGEST + 1).unwrap();
    let error = server.fetch().result.unwrap_err();
    assert!(matches!(error, DownloadError::TooLarge { size, .. } if size == LARGEST + 1), "{error}");
    assert_eq!(fs::read_dir(server.dir.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn nobody_there_is_told() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let downloader = downloader();
    let fetch = |url: &str| downloader.fetch(url, &dir.path().join("x.part"), &mut |_| ()).unwrap_err();
    let error = fetch(&format!("http://127.0.0.1:{port}/x.zip"));
    assert!(
        matches!(
            &error,
            DownloadError::Unreachable { source: Interruption::Network(source), .. } if source.is_connect()
        ),
        "{error}"
    );
    let error = fetch("http://no-such-host.invalid/x.zip");
    assert!(matches!(error, DownloadError::Unreachable { .. }), "{error}");
}

#[test]
fn https_speaks_tls() {
    let server = Server::new(Faults::default());
    let url = server.handle.url("package.zip").replace("http:", "https:");
    let error = downloader().fetch(&url, &server.part(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, DownloadError::Unreachable { .. }), "{error}");
    assert_eq!(server.handle.counters().requests, 0, "nothing is asked in the clear");
}

/// A server of one answer, for what the vendor-like server does not do.
fn answers(answer: &'static [u8]) -> (String, JoinHandle<()>) {
    serves(1, |mut stream| stream.write_all(answer).unwrap())
}

/// A server that answers so many requests, one after the other, in this way.
fn serves(requests: usize, answer: impl Fn(TcpStream) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/x.dav", listener.local_addr().unwrap());
    let serve = move || {
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut byte = [0];
            while !asked.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            answer(stream);
        }
    };
    (url, std::thread::spawn(serve))
}

/// Sends the same byte again and again, with a pause before each, until the other end hangs up or has
/// been patient for far too long.
fn drip(mut stream: TcpStream, byte: u8) {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    for _ in 0..300 {
        let heard = stream.read(&mut [0]).map_err(|error| error.kind());
        if heard != Err(ErrorKind::WouldBlock) || stream.write_all(&[byte]).is_err() {
            return;
        }
    }
}

fn impatient() -> Downloader {
    Downloader { patience: Duration::from_millis(500), ..downloader() }
}

#[test]
fn a_file_that_drips_is_cut_and_given_up_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (url, server) = serves(1, |mut stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(&[&head[..], &[7; HEAD]].concat()).unwrap();
        drip(stream, 7);
    });
    let error = impatient().fetch(&url, &dir.path().join("x.part"), &mut |_| ()).unwrap_err();
    server.join().unwrap();
    let DownloadError::Cut { source: Interruption::Slow { received, .. }, .. } = error else {
        panic!("{error:?}")
    };
    assert!(received < 512, "{received} bytes, which is a good pace");
}

#[test]
fn a_drip_is_resumed_as_often_as_any_cut() {
    let dir = tempfile::tempdir().unwrap();
    let requests = usize::try_from(MOST_CUTS).unwrap() + 1;
    let (asked, count) = std::sync::mpsc::channel();
    let (url, server) = serves(requests, move |mut stream| {
        asked.send(()).unwrap();
        // it never knows of any part, and begins again each time
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"v\"\r\n\r\n";
        stream.write_all(&[&head[..], &[7; 2 * HEAD]].concat()).unwrap();
        drip(stream, 7);
    });
    let error = impatient().fetch(&url, &dir.path().join("x.part"), &mut |_| ()).unwrap_err();
    server.join().unwrap();
    assert!(matches!(error, DownloadError::Cut { source: Interruption::Slow { .. }, .. }), "{error:?}");
    assert_eq!(count.iter().count(), requests);
}

#[test]
fn a_head_that_drips_is_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (url, server) = serves(1, |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
        drip(stream, b'x');
    });
    let error = impatient().fetch(&url, &dir.path().join("x.part"), &mut |_| ()).unwrap_err();
    server.join().unwrap();
    let DownloadError::Unreachable { source: Interruption::Slow { .. }, .. } = error else {
        panic!("{error:?}")
    };
}

#[test]
fn chunks_do_not_get_past_the_length() {
    let dir = tempfile::tempdir().unwrap();
    let part = dir.path().join("x.part");
    let (url, server) = answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nmore than 5\r\n0\r\n\r\n",
    );
    let error = downloader().fetch(&url, &part, &mut |_| ()).unwrap_err();
    server.join().unwrap();
    let DownloadError::Encoded { encoding, .. } = error else { panic!("{error}") };
    assert_eq!((encoding.as_str(), part.exists()), ("chunked", false));
}

#[test]
fn redirects_and_answers_without_a_length_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let fetch = |answer| {
        let (url, server) = answers(answer);
        let fetched = downloader().fetch(&url, &dir.path().join("x.part"), &mut |_| ());
        server.join().unwrap();
        fetched.unwrap_err()
    };
    let error = fetch(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/x\r\nContent-Length: 0\r\n\r\n");
    assert!(error.to_string().contains("redirects to http://elsewhere/x"), "{error}");
    let error = fetch(b"HTTP/1.0 200 OK\r\n\r\nsome bytes, and perhaps not all of them");
    assert!(matches!(error, DownloadError::NoLength { .. }), "{error}");
    let error = fetch(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nnot all of them");
    assert!(matches!(error, DownloadError::Cut { .. }), "{error}");
}
