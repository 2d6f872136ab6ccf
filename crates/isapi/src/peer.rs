//! The other end of a connection in tests: canned bytes over a plain socket, so that what is seen and
//! what is answered is exactly what stands here.

use std::sync::{Arc, Mutex};

use firmware::Sha256Digest;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::address::Address;

/// A recorder's challenge, as captured (reference: ISAPI §9.1).
pub(crate) const CHALLENGE: &str = r#"Digest realm="fe12f37bd", domain="::", qop="auth", nonce="300b7e88:1685", opaque="", algorithm="MD5", stale="FALSE""#;

/// What the peer does with a request.
pub(crate) enum Act {
    /// Reads the whole body, then answers.
    Reply(String),
    /// Reads this many bytes of the body, answers, reads no more and keeps the connection open: closing
    /// it with bytes unread would send a reset, which may overtake the answer (RFC 9112 §9.6).
    ReplyAfter(usize, String),
    /// Reads this many bytes of the body and closes without an answer.
    CutAfter(usize),
    /// Reads no body and keeps the connection open.
    Hang,
    /// Reads no body and sends this, then a byte again and again while somebody takes it.
    Drip(String),
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) number: usize,
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) length: Option<u64>,
    pub(crate) chunked: bool,
    pub(crate) received: u64,
    pub(crate) sha256: Sha256Digest,
}

pub(crate) struct Peer {
    address: Address,
    seen: Arc<Mutex<Vec<Seen>>>,
    done: watch::Receiver<usize>,
    server: tokio::task::JoinHandle<()>,
}

pub(crate) fn reply(http: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {http} X\r\nServer: DNVRS-Webs\r\nContent-Type: application/xml; charset=\"UTF-8\"\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn unauthorized(challenge: &str, body: &str) -> String {
    reply(401, body).replacen("\r\n\r\n", &format!("\r\nWWW-Authenticate: {challenge}\r\n\r\n"), 1)
}

impl Peer {
    /// Serves one request per connection; `act` sees the request before its body is read.
    pub(crate) async fn start(act: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (count, done) = watch::channel(0);
        let (act, requests) = (Arc::new(act), Arc::clone(&seen));
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (act, requests, count) = (Arc::clone(&act), Arc::clone(&requests), count.clone());
                tokio::spawn(async move {
                    serve(stream, &*act, &requests).await;
                    count.send_modify(|n| *n += 1);
                });
            }
        });
        Self { address, seen, done, server }
    }

    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until this many connections are over.
    pub(crate) async fn settled(&self, connections: usize) {
        self.done.clone().wait_for(|n| *n >= connections).await.unwrap();
    }

    /// Stops listening and gives the address, where nobody answers any more.
    pub(crate) async fn stop(self) -> Address {
        self.server.abort();
        let _ = self.server.await;
        self.address
    }
}

async fn serve(
    mut stream: TcpStream,
    act: &(dyn Fn(&Seen) -> Act + Send + Sync),
    requests: &Mutex<Vec<Seen>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        head.lines()
            .find_map(|l| l.to_ascii_lowercase().starts_with(name).then(|| l[name.len()..].trim().to_owned()))
    };
    let mut request = Seen {
        number: 0,
        line: head.lines().next().unwrap().to_owned(),
        authorization: header("authorization:"),
        length: header("content-length:").map(|l| l.parse().unwrap()),
        chunked: header("transfer-encoding:").is_some(),
        received: 0,
        sha256: Sha256Digest::of(b""),
    };
    let at = {
        let mut requests = requests.lock().unwrap();
        request.number = requests.len();
        requests.push(request.clone());
        request.number
    };
    let all = request.length.unwrap_or(0);
    let (wanted, answer, stay) = match act(&request) {
        Act::Reply(answer) => (all, Some(answer), false),
        Act::ReplyAfter(bytes, answer) => (bytes as u64, Some(answer), true),
        Act::CutAfter(bytes) => (bytes as u64, None, false),
        Act::Hang => return std::future::pending().await,
        Act::Drip(answer) => return drip(stream, &answer).await,
    };
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    while request.received < wanted {
        let room = usize::try_from(wanted - request.received).unwrap().min(buffer.len());
        match stream.read(&mut buffer[..room]).await {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                request.received += count as u64;
            }
        }
    }
    request.sha256 = hasher.into();
    requests.lock().unwrap()[at] = request.clone();
    if let (Some(answer), true) = (answer, request.received == wanted) {
        let _ = stream.write_all(answer.as_bytes()).await;
    }
    if stay {
        std::future::pending::<()>().await;
    }
}

async fn drip(mut stream: TcpStream, answer: &str) {
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(5));
    let mut taken = stream.write_all(answer.as_bytes()).await;
    while taken.is_ok() {
        pace.tick().await;
        taken = stream.write_all(b"x").await;
    }
}
