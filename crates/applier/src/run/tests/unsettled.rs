//! Ends that prove nothing, against a peer that answers with exactly the bytes that stand here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use isapi::UploadProgress;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::super::wait::Until;
use super::*;
use crate::journal::tests::fill;

const IDLE: &str = "<upgradeStatus><upgrading>false</upgrading><percent>0</percent></upgradeStatus>";
const AT_IT: &str = "<upgradeStatus><upgrading>true</upgrading><percent>40</percent></upgradeStatus>";
const PAGE: &str = "<html><body>not here</body></html>";

/// What the peer answers: HTTP status and body.
type Reply = (u16, String);

/// A recorder that never changes: it takes a package whole, gives one answer to it, and from then on
/// another to questions for its progress.
struct Peer {
    device: String,
    upload: Reply,
    progress: Reply,
    pushed: AtomicBool,
    /// The login of the next upload has expired, which is said before its body is read.
    expired: AtomicBool,
}

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"n\"\r\n";
const STALE: &str = "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"m\", stale=true\r\n";

fn status(http: u16, code: &str, sub: &str) -> Reply {
    let body = format!(
        "<ResponseStatus><statusCode>{code}</statusCode><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
    );
    (http, body)
}

impl Peer {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let has_login = head.contains("\r\nauthorization:");
        if has_login && head.contains("/updatefirmware") && self.expired.swap(false, Ordering::SeqCst) {
            let answer = format!("HTTP/1.1 401 X\r\n{STALE}Content-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.ok()?;
            // a reset would take the answer away
            return tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.ok().map(drop);
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        tokio::io::copy(&mut (&mut stream).take(length.unwrap_or(0)), &mut tokio::io::sink()).await.ok()?;
        let (mut more, mut reply) = ("", self.reply(&head));
        if !has_login {
            (more, reply) = (CHALLENGE, (401, String::new()));
        }
        let (http, body) = reply;
        let length = body.len();
        let answer = format!("HTTP/1.1 {http} X\r\n{more}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.ok()
    }

    fn reply(&self, head: &str) -> Reply {
        let sent = head.contains("\r\nauthorization:");
        match head.split_whitespace().nth(1).unwrap() {
            "/isapi/system/updatefirmware" => {
                self.pushed.fetch_or(sent, Ordering::SeqCst);
                self.upload.clone()
            }
            "/isapi/system/upgradestatus" if self.pushed.load(Ordering::SeqCst) => self.progress.clone(),
            "/isapi/system/upgradestatus" => (200, IDLE.into()),
            "/isapi/system/status" => {
                (200, "<DeviceStatus><deviceUpTime>60</deviceUpTime></DeviceStatus>".into())
            }
            "/isapi/system/reboot" => status(200, "1", "ok"),
            _ => (200, self.device.clone()),
        }
    }
}

/// The same with a peer in place of the simulator.
async fn against(upload: Reply, progress: Reply) -> Bench {
    against_peer(upload, progress, false).await
}

async fn against_peer(upload: Reply, progress: Reply, expired: bool) -> Bench {
    let mut bench = bench(|_| {}).await;
    let device = device_info(&bench.plan.device);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = listener.local_addr().unwrap().to_string().parse().unwrap();
    let (pushed, expired) = (AtomicBool::new(false), AtomicBool::new(expired));
    let peer = Arc::new(Peer { device, upload, progress, pushed, expired });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&peer).serve(stream));
        }
    });
    let mut file = tempfile::tempfile().unwrap();
    let bytes = vec![1; 1 << 17];
    file.write_all(&bytes).unwrap();
    bench.package = Package::new(file, 1 << 17, Sha256Digest::of(&bytes)).unwrap();
    bench.recorder = Recorder::new(address, Credentials::new("admin", PASSWORD.into())).unwrap();
    bench
}

/// Nothing comes of waiting.
fn quick() -> Deadlines {
    let ms = Duration::from_millis;
    Deadlines { back: ms(300), quiet: ms(300), poll: ms(20), ..brief() }
}

/// Runs it, and holds that it ends unknown and that nothing more is pushed.
async fn unknown(upload: Reply, progress: Reply) -> Outcome {
    let case = format!("{upload:?} {progress:?}");
    let bench = against(upload, progress).await;
    let (outcome, _) = bench.run_on(bench.begin(), quick(), |_| {}).await;
    assert_eq!(
        (outcome.stage, outcome.exit()),
        (Stage::Unknown, Exit::Unknown),
        "{case}: {}",
        outcome.detail
    );
    assert_eq!(outcome.after.as_ref().unwrap().revision.to_string(), BEFORE, "{case}");
    assert!(bench.journals.blocked(&bench.plan.device).unwrap().is_some(), "{case}");
    outcome
}

#[tokio::test]
async fn an_answer_that_is_no_response_status_settles_nothing() {
    for http in [200, 403, 404, 500, 503] {
        let outcome = unknown((http, PAGE.into()), (200, AT_IT.into())).await;
        assert_eq!(outcome.reason, Reason::AnswerUnclear, "{http}: {}", outcome.detail);
    }
}

#[tokio::test]
async fn a_refusal_with_a_401_or_as_busy_settles_nothing() {
    for (answer, reason) in [
        (status(401, "4", "badDevType"), Reason::PackageRefused),
        (status(200, "2", "formatting"), Reason::Busy),
    ] {
        assert_eq!(unknown(answer, (200, IDLE.into())).await.reason, reason);
    }
}

#[tokio::test]
async fn a_failure_that_may_have_touched_the_flash_settles_nothing() {
    for sub in ["badFlash", "upgradeFailed", "upgradeErrorAndReboot", "somethingNew"] {
        let outcome = unknown(status(200, "3", sub), (200, IDLE.into())).await;
        assert_eq!(outcome.reason, Reason::UpgradeFailed, "{sub}: {}", outcome.detail);
    }
}

#[tokio::test]
async fn taken_but_not_seen_to_restart_is_unknown() {
    for progress in [(200, AT_IT.into()), (200, IDLE.into()), status(503, "2", "upgrading")] {
        let outcome = unknown(status(200, "1", "ok"), progress).await;
        assert_eq!(outcome.reason, Reason::NeverRestarted, "{}", outcome.detail);
    }
}

#[tokio::test]
async fn idle_is_only_what_is_called_so_or_not_known_at_all() {
    for (progress, idle) in [
        ((200, IDLE.into()), true),
        ((404, PAGE.into()), true),
        (status(403, "4", "notSupport"), true),
        ((200, AT_IT.into()), false),
        (status(503, "2", "upgrading"), false),
        ((503, PAGE.into()), false),
        ((200, "<upgradeStatus><percent>x</percent></upgradeStatus>".into()), false),
    ] {
        let case = format!("{progress:?}");
        let bench = against((200, String::new()), progress).await;
        // from the push on the peer answers as it should here
        let ticket = bench.recorder.upload_ticket().await.unwrap();
        let patience = brief().patience();
        bench
            .recorder
            .upload(ticket, &bench.package, patience, &watch::channel(UploadProgress::default()).0)
            .await
            .unwrap();
        let Bench { recorder, plan, .. } = &bench;
        let doubt = async |uptime: Option<u64>, gone| {
            let running = uptime.map(|seconds| Running { seconds, at: None });
            let going = Going { recorder, job: Job::push(plan), deadlines: brief(), senses: SENSES, running };
            going.doubt(recorder, &plan.device, Until::Restarted, gone).await
        };
        assert_eq!(doubt(Some(u64::MAX), true).await.is_none(), idle, "{case}");
        for (uptime, gone) in [(Some(0), true), (None, true), (None, false)] {
            assert!(doubt(uptime, gone).await.is_some(), "{case}: no proof of a restart");
        }
    }
}

/// Runs it on a recorder that wants the package once more; with the bytes of the journal behind the first
/// sending.
async fn resent(bench: &Bench, journal: Journal) -> (Outcome, u64) {
    let mut length = 0;
    let (outcome, _) = bench
        .run_on(journal, quick(), |event| {
            if matches!(event, Event::Uploaded { .. }) && length == 0 {
                length = bench.written();
            }
        })
        .await;
    (outcome, length)
}

#[tokio::test]
async fn a_resend_that_cannot_be_written_down_ends_as_that_and_is_not_sent() {
    let peer = async || {
        let mut bench = against_peer(status(200, "1", "ok"), (200, IDLE.into()), true).await;
        // more than the kernel takes before the answer comes
        let bytes = vec![1; 32 << 20];
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        bench.package = Package::new(file, 32 << 20, Sha256Digest::of(&bytes)).unwrap();
        bench
    };
    let bench = peer().await;
    let journal = bench.begin();
    let planned = bench.written();
    let (outcome, length) = resent(&bench, journal).await;
    assert_eq!(outcome.pushes, 2, "{}", outcome.detail);

    let bench = peer().await;
    let mut journal = bench.begin();
    // up to the answer, and not one line more
    fill(&mut journal, length - planned + 60);
    let (outcome, _) = resent(&bench, journal).await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Failed, Reason::JournalFailed, Exit::Failed),
        "{}",
        outcome.detail
    );
    assert!(outcome.detail.contains("full") && outcome.pushes == 1, "{}", outcome.detail);
}
