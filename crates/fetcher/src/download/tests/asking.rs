//! How sources are asked: again, not too fast, through proxies, with headers.

use super::*;

/// One that asks again so often, soon.
fn retrying(most: usize) -> Downloader {
    let retries = Retries { most, first_delay: Duration::from_millis(20) };
    Downloader::new(Options { retries, ..Options::default() }).unwrap()
}

/// Fetches with it; gives the events but those of arrival.
fn fetch_with(downloader: &Downloader, server: &Server) -> Fetched {
    let mut events = Vec::new();
    let mut tell = |event| match event {
        Event::Arrived(_) => {}
        event => events.push(event),
    };
    let result = downloader.fetch(&server.handle.url("package.zip"), &server.part(), &mut tell);
    Fetched { result: result.map(|fetched| fs::read(fetched.path).unwrap()), events }
}

fn unavailable(times: u32, retry_after: &str) -> Faults {
    let retry_after = Some(retry_after.to_owned());
    Faults { status: Some(503), status_times: Some(times), retry_after, ..Faults::default() }
}

#[test]
fn what_is_unavailable_for_now_is_asked_for_again() {
    let server = Server::new(unavailable(2, "1"));
    let Fetched { result, events } = fetch_with(&retrying(4), &server);
    assert_eq!(result.unwrap(), package(1));
    let [Event::Retry { why, after }, Event::Retry { .. }, Event::Started { .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*after, Duration::from_secs(1), "as the server asks, and not sooner");
    assert!(why.contains("status 503") && why.contains("asks to be left alone for 1 s"), "{why}");
    assert_eq!(server.handle.counters().requests, 3);
}

#[test]
fn retries_end() {
    let server = Server::new(Faults { status: Some(500), ..Faults::default() });
    let Fetched { result, events } = fetch_with(&retrying(2), &server);
    assert!(matches!(result.unwrap_err(), DownloadError::Status { .. }));
    assert_eq!((events.len(), server.handle.counters().requests), (2, 3));
}

#[test]
fn a_source_that_asks_for_hours_is_left_to_a_later_run() {
    let server = Server::new(unavailable(9, "7200"));
    let Fetched { result, events } = fetch_with(&retrying(4), &server);
    let error = result.unwrap_err();
    assert!(error.is_of_the_host() && error.to_string().contains("left alone for 7200 s"), "{error}");
    assert_eq!((events, server.handle.counters().requests), (Vec::new(), 1));
}

#[test]
fn one_that_hangs_up_is_asked_again_and_its_host_is_not_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let (url, server) = serves(2, drop);
    let mut retries = 0;
    let error = retrying(1).fetch(&url, &dir.path().join("x.part"), &mut |_| retries += 1).unwrap_err();
    server.join().unwrap();
    assert!(matches!(error, DownloadError::Unreachable { .. }) && !error.is_of_the_host(), "{error}");
    assert_eq!(retries, 1);
    let nobody =
        retrying(0).fetch("http://127.0.0.1:9/x", &dir.path().join("x.part"), &mut |_| ()).unwrap_err();
    assert!(nobody.is_of_the_host(), "{nobody}");
}

#[test]
fn a_cut_that_cannot_be_resumed_begins_again() {
    let server = Server::new(Faults { no_range: true, ..cut(1_000_000) });
    let Fetched { result, events } = fetch_with(&retrying(1), &server);
    assert_eq!(result.unwrap(), package(1));
    let begun = |event: &&Event| matches!(event, Event::Started { from: 0, .. });
    assert_eq!((events.iter().filter(begun).count(), events.len()), (2, 3), "{events:?}");
}

#[test]
fn a_length_that_never_comes_is_rejected() {
    let server = Server::new(Faults { excess: Some(10), ..Faults::default() });
    let error = fetch_with(&retrying(4), &server).result.unwrap_err();
    assert!(matches!(error, DownloadError::NoRest { total, .. } if total == TOTAL + 10), "{error}");
    // the whole, what is behind it, and both once more
    assert_eq!((server.handle.counters().requests, server.kept()), (4, 0));
}

#[test]
fn a_shared_limit_holds_for_all_together() {
    let server = Server::new(Faults::default());
    let rate_limit = Some("6000000".parse().unwrap());
    let options = Options { rate_limit, ..Options::default() };
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for name in ["a.part", "b.part"] {
            let (options, server) = (options.clone(), &server);
            scope.spawn(move || {
                let part = server.dir.path().join(name);
                let url = server.handle.url("package.zip");
                Downloader::new(options).unwrap().fetch(&url, &part, &mut |_| ()).unwrap();
            });
        }
    });
    // 6 MB at 6 MB/s; each alone would have taken half of that
    assert!(began.elapsed() > Duration::from_millis(900), "{:?}", began.elapsed());
}

#[test]
fn a_proxy_and_headers_are_used_for_their_host_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (say, said) = std::sync::mpsc::channel();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            asked.push(byte[0]);
        }
        say.send(String::from_utf8(asked).unwrap()).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfirmware").unwrap();
    });
    let login = Some(("depot".to_owned(), "pa55".to_owned().into()));
    let vendor = Source::of("vendor.invalid").unwrap().proxy(&proxy, login).unwrap();
    let vendor = vendor.header("X-Depot", &"north".to_owned().into(), false).unwrap();
    let sources = Sources::new(vec![vendor]).unwrap();
    let downloader = Downloader::new(Options { sources, ..Options::default() }).unwrap();
    let part = dir.path().join("x.part");
    let fetched = downloader.fetch("http://vendor.invalid/x.dav", &part, &mut |_| ()).unwrap();
    serve.join().unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), b"firmware");
    let asked = said.recv().unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("get http://vendor.invalid/x.dav http/1.1\r\n"), "{asked}");
    // depot:pa55
    assert!(asked.contains("proxy-authorization: basic zgvwb3q6cge1nq==\r\n"), "{asked}");
    assert!(asked.contains("x-depot: north\r\n"), "{asked}");
    let other = downloader.fetch("http://other.invalid/x.dav", &part, &mut |_| ()).unwrap_err();
    assert!(matches!(other, DownloadError::Unreachable { .. }), "no proxy is asked: {other}");
}
