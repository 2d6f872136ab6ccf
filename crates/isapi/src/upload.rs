//! The upload: one `PUT` of the whole file, sent once (reference: ISAPI §3, §9.2). Firmware goes this
//! way, and so does a configuration that is restored.
//!
//! A bodyless `PUT` without login collects a challenge for exactly this method and URL; then one `PUT`
//! goes out with the answer already in it, the length known, the last block held back ([`crate::body`]).
//! `Expect: 100-continue` is not used: no recorder is known to honour it. The recorder keeps the `PUT`
//! open while it flashes; progress is read meanwhile over a second connection, by the caller.
//!
//! What is reported is what is known: how much was handed to the connection, whether the last block
//! was among it, and how it ended. A broken connection proves nothing by itself.

use std::io;
use std::time::Duration;

use firmware::Sha256Digest;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use tokio::sync::watch;

use crate::answer::Answer;
use crate::body::{Fault, HeldBody, Permit, Watcher};
use crate::client::Recorder;
use crate::digest::Challenge;
use crate::document::Document;
use crate::error::Error;
use crate::exchange::{Reply, is_expired_nonce};
use crate::login::UserCheck;
use crate::package::Package;
use crate::request::Request;
use crate::upgrade::UpgradeStatus;

const UPDATE_FIRMWARE: &str = "/ISAPI/System/updateFirmware";
/// For the body of the answer, once its head is here: real ones fit in 1 KiB (reference: ISAPI §3.2).
const ANSWER: Duration = Duration::from_secs(15);

/// How far an upload is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UploadProgress {
    /// Bytes handed to the connection. The recorder has at most these.
    pub handed: u64,
    /// Whether the last block was among them.
    pub released: bool,
    /// Whether the last block is all that is left, and waits for its [`Permit`].
    pub waiting: bool,
}

/// How long an upload may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a byte being taken, before the last one.
    pub stalled: Duration,
    /// All of it, the flashing after the last byte included.
    pub whole: Duration,
}

/// A challenge for one upload. Only a recorder gives it.
#[derive(Debug)]
pub struct Ticket {
    request: Request,
    challenge: Challenge,
    attempts_left: Option<u32>,
    resend: bool,
}

/// What became of an upload.
#[derive(Debug)]
pub struct Pushed {
    /// Bytes handed to the connection.
    pub handed: u64,
    /// Whether the last block was among them: if not, the recorder cannot have the firmware.
    pub released: bool,
    /// How it ended.
    pub end: End,
}

/// How an upload ended.
#[derive(Debug)]
pub enum End {
    /// With an answer.
    Answered(Answer),
    /// With a 401. A ticket is there if one more sending is allowed: the last block had not left, the
    /// nonce is a new one, and the recorder did not count a wrong password.
    Unauthorized {
        /// What it said.
        check: UserCheck,
        /// For the one resend.
        resend: Option<Ticket>,
    },
    /// The connection was lost, or never came to be.
    Lost(Error),
    /// No byte was taken for as long as allowed, and the upload was given up before its last block.
    Stalled(Duration),
    /// There was no answer within the time for the whole.
    TooLong(Duration),
    /// What was read is not what was approved; the connection was aborted.
    WrongDigest {
        /// Approved.
        expected: Sha256Digest,
        /// Read.
        found: Sha256Digest,
    },
    /// The file could not be read to its end; the connection was aborted.
    Unreadable(String),
    /// The last block was not permitted to leave; the connection was aborted.
    Withheld,
}

impl Recorder {
    /// Collects the challenge for an upload of firmware, right before it. Where the recorder answers the
    /// bodyless `PUT` with anything but a 401, a `GET` collects it.
    pub async fn upload_ticket(&self) -> Result<Ticket, Error> {
        self.ticket(Request::put(UPDATE_FIRMWARE)).await
    }

    pub(crate) async fn ticket(&self, request: Request) -> Result<Ticket, Error> {
        let reply = match self.ask(&request).await {
            Ok(reply) if reply.http == 401 => reply,
            Ok(_) | Err(Error::Lost { .. } | Error::Silent { .. }) => {
                self.ask(&Request::get(UpgradeStatus::PATH)).await?
            }
            Err(error) => return Err(error),
        };
        let check = UserCheck::of_401(&reply.body);
        if reply.http == 401 && check.is_locked() {
            return Err(self.login_refused(&check));
        }
        let (challenge, attempts_left) = (reply.challenge()?, check.attempts_left);
        Ok(Ticket { request, challenge, attempts_left, resend: false })
    }

    /// Sends the package. An `Err` means that nothing was sent; dropping the future breaks the upload
    /// off, which nobody should do on purpose.
    pub async fn upload(
        &self,
        ticket: Ticket,
        package: &Package,
        patience: Patience,
        progress: &watch::Sender<UploadProgress>,
    ) -> Result<Pushed, Error> {
        self.upload_with(ticket, package, patience, progress, Permit::given()).await
    }

    /// The same; the last block leaves once it is permitted to.
    pub async fn upload_with(
        &self,
        ticket: Ticket,
        package: &Package,
        patience: Patience,
        progress: &watch::Sender<UploadProgress>,
        permit: Permit,
    ) -> Result<Pushed, Error> {
        let authorization = self.authorize(&ticket.challenge, &ticket.request)?;
        progress.send_replace(UploadProgress::default());
        let unreadable =
            |e: &io::Error| Pushed { handed: 0, released: false, end: End::Unreadable(e.to_string()) };
        let (body, watcher) = match HeldBody::start(package, progress.clone(), permit) {
            Ok(started) => started,
            Err(error) => return Ok(unreadable(&error)),
        };
        let put = self
            .http
            .put(self.url(&ticket.request))
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(reqwest::Body::wrap(body));
        let end = tokio::select! {
            biased;
            response = put.send() => self.ended(response, ticket, package, &watcher).await,
            () = stalled(progress.subscribe(), patience.stalled) => End::Stalled(patience.stalled),
            () = tokio::time::sleep(patience.whole) => End::TooLong(patience.whole),
        };
        let released = watcher.shut();
        Ok(Pushed { handed: progress.borrow().handed, released, end })
    }

    async fn ended(
        &self,
        response: Result<reqwest::Response, reqwest::Error>,
        ticket: Ticket,
        package: &Package,
        watcher: &Watcher,
    ) -> End {
        // from here on the last block stays where it is: an answer before it ends the upload
        let released = watcher.shut();
        let path = ticket.request.path;
        let response = match (response, watcher.fault()) {
            (_, Some(Fault::Digest(found))) => {
                return End::WrongDigest { expected: package.sha256, found: *found };
            }
            (_, Some(Fault::Read(error))) => return End::Unreadable(error.to_string()),
            (_, Some(Fault::Withheld)) => return End::Withheld,
            (Ok(response), None) => response,
            (Err(error), None) => return End::Lost(self.failed(path, error)),
        };
        let reply = match tokio::time::timeout(ANSWER, self.receive(path, response)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return End::Lost(error),
            Err(_) => {
                let (address, seconds) = (self.address().clone(), ANSWER.as_secs());
                return End::Lost(Error::Silent { address, path, seconds });
            }
        };
        match Answer::of(reply.http, &reply.body) {
            Answer::Authentication(check) => self.unauthorized(check, &reply, ticket, released),
            answer if is_expired_nonce(reply.http, &answer) => {
                self.unauthorized(UserCheck::default(), &reply, ticket, released)
            }
            answer => End::Answered(answer),
        }
    }

    /// One resend, and only if the recorder cannot have the file, asks for a new nonce, and did not count
    /// a wrong password.
    fn unauthorized(&self, check: UserCheck, reply: &Reply, ticket: Ticket, released: bool) -> End {
        let Ticket { request, challenge, attempts_left, resend } = ticket;
        if check.counted_since(attempts_left) || check.is_locked() || reply.refuses_the_login_in_words() {
            self.login_refused(&check);
            return End::Unauthorized { check, resend: None };
        }
        let fresh = reply.challenge().ok().filter(|c| c.is_stale() || !c.same_nonce(&challenge));
        let again = fresh.filter(|_| !released && !resend);
        let again = again.map(|challenge| Ticket { request, challenge, attempts_left, resend: true });
        End::Unauthorized { check, resend: again }
    }
}

/// Returns once no block was taken for `limit` before the last one; after it, never.
async fn stalled(mut progress: watch::Receiver<UploadProgress>, limit: Duration) {
    while !progress.borrow_and_update().released {
        match tokio::time::timeout(limit, progress.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => break,
            Err(_) => return,
        }
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests;
