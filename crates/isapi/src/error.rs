use crate::address::Address;
use crate::digest::DigestError;
use crate::status::Refusal;
use crate::tls::TlsFault;
use crate::xml::Malformed;

/// A request to a recorder did not give what was asked for. None of these says that anything on the
/// recorder changed; what an upload did is told by [`crate::Pushed`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error("recorder {address}: unreachable, no connection to port {port}: {why}")]
    Unreachable {
        /// The recorder.
        address: Address,
        /// The port that was tried.
        port: u16,
        /// Why.
        why: String,
    },
    /// The connection ended before the answer did.
    #[error("recorder {address}: connection lost during {path}")]
    Lost {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
        /// Why.
        source: reqwest::Error,
    },
    /// No answer in time, or not the whole of it.
    #[error("recorder {address}: no answer to {path} within {seconds} s")]
    Silent {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// TLS did not come to be. Never taken for a reason to go on in plain text.
    #[error("recorder {address}: TLS failed")]
    Tls {
        /// The recorder.
        address: Address,
        /// Why, and what to do.
        source: Box<TlsFault>,
    },
    /// A client could not be set up.
    #[error("connection to {address} cannot be set up")]
    Setup {
        /// The recorder.
        address: Address,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The login cannot be written into a header.
    #[error("user name cannot be sent: it holds control characters")]
    UserName,
    /// The challenge cannot be answered.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The one attempt failed.
    #[error("recorder {address}: user or password refused, {}", attempts(*attempts_left))]
    WrongPassword {
        /// The recorder.
        address: Address,
        /// How many more wrong ones until the account is locked, where the recorder says so.
        attempts_left: Option<u32>,
    },
    /// The account is locked, also for the right password.
    #[error("recorder {address}: account locked{}", unlock(*seconds))]
    Locked {
        /// The recorder.
        address: Address,
        /// Seconds until it is unlocked, where the recorder says so.
        seconds: Option<u32>,
    },
    /// A login was refused before; another one is not sent.
    #[error("recorder {address}: a login was refused before, so no other is sent")]
    LoginStopped {
        /// The recorder.
        address: Address,
    },
    /// The recorder has no such function.
    #[error("recorder {address}: {path} is not offered")]
    NotOffered {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
    },
    /// The account lacks the right.
    #[error("recorder {address}: the account lacks the right to {path}")]
    NoPermission {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
    },
    /// An upgrade is under way.
    #[error("recorder {address}: busy with an upgrade, so {path} was not answered")]
    Upgrading {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
    },
    /// The recorder said no.
    #[error("recorder {address}: {path} refused: {refusal}")]
    Refused {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
        /// Its words.
        refusal: Box<Refusal>,
    },
    /// It wants to send this client elsewhere.
    #[error("recorder {address}: answered {path} with a redirection (HTTP {http}), which is never followed")]
    Redirected {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
        /// HTTP status.
        http: u16,
    },
    /// More than any recorder sends.
    #[error("recorder {address}: reply to {path} rejected, larger than {limit} bytes")]
    TooLarge {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
        /// The cap.
        limit: usize,
    },
    /// The configuration could not be kept here.
    #[error("recorder {address}: its configuration cannot be written to this machine")]
    Keep {
        /// The recorder.
        address: Address,
        /// Why.
        source: std::io::Error,
    },
    /// Not the document that was asked for.
    #[error("recorder {address}: reply to {path} (HTTP {http}) rejected")]
    Malformed {
        /// The recorder.
        address: Address,
        /// What was asked for.
        path: &'static str,
        /// HTTP status.
        http: u16,
        /// What is wrong with it.
        source: Malformed,
    },
}

impl Error {
    /// Whether the recorder did not answer, be it off, restarting or not there.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Lost { .. } | Self::Silent { .. })
    }

    /// Whether the login was refused, by the recorder or because it was before.
    pub fn is_login(&self) -> bool {
        matches!(self, Self::WrongPassword { .. } | Self::Locked { .. } | Self::LoginStopped { .. })
    }
}

fn attempts(left: Option<u32>) -> String {
    match left {
        Some(left) => format!("{left} more wrong ones until the account is locked"),
        None => "the recorder does not say how many attempts are left".into(),
    }
}

fn unlock(seconds: Option<u32>) -> String {
    match seconds {
        None | Some(0) => String::new(),
        Some(seconds @ 1..=120) => format!(" for {seconds} more seconds"),
        Some(seconds) => format!(" for {} more minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_left_of_the_attempts() {
        let address: Address = "127.0.0.1:80".parse().unwrap();
        let wrong = Error::WrongPassword { address: address.clone(), attempts_left: Some(4) };
        assert_eq!(
            wrong.to_string(),
            "recorder 127.0.0.1:80: user or password refused, 4 more wrong ones until the account is locked"
        );
        let locked = |seconds| Error::Locked { address: address.clone(), seconds }.to_string();
        assert_eq!(locked(Some(1741)), "recorder 127.0.0.1:80: account locked for 30 more minutes");
        assert_eq!(locked(Some(120)), "recorder 127.0.0.1:80: account locked for 120 more seconds");
        assert_eq!(locked(Some(0)), locked(None));
        assert!(wrong.is_login() && !wrong.is_absence());
    }
}
