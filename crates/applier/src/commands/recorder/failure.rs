//! What a failed request means for whoever stands at the recorder: the exit code, and what to do now.

use isapi::{Address, DigestError, Error, TlsFault};
use terminal::{Exit, Failure};

use crate::record::RecordError;

/// What helps where nobody answers.
const ABSENT: &str = "check power, cable and address; a recorder that starts up needs some minutes, one whose IP filter leaves this laptop out stays silent";

/// What is remembered of recorders cannot be used.
pub(in crate::commands) fn record_failure(error: RecordError) -> Failure {
    let hint = match &error {
        RecordError::Io(..) => "see that the state directory can be read and written",
        RecordError::Damaged(_) => {
            "move the file away: what it says of recorders is then forgotten, and asked for again"
        }
    };
    Failure::of(Exit::Internal, error).hint(hint)
}

/// Which exit code and advice a failed request to this recorder gives. Nothing on it was changed.
pub(in crate::commands) fn failure(error: Error, address: &Address) -> Failure {
    if let Error::Tls { source, .. } = &error {
        let (exit, hint) = (tls_exit(source), tls_hint(source));
        return Failure::of(exit, error).hint(hint);
    }
    let (exit, hint) = match &error {
        error if error.is_absence() => (Exit::Unreachable, ABSENT),
        Error::WrongPassword { attempts_left: None, .. } => (
            Exit::Credentials,
            "one attempt was made and no other will be; the account may be locked, too, which lasts half an hour on most; find the right password before you try again",
        ),
        Error::WrongPassword { .. } => (
            Exit::Credentials,
            "one attempt was made and no other will be; find the right password before you try again",
        ),
        Error::Locked { .. } | Error::LoginStopped { .. } => {
            (Exit::Credentials, "wait until the lock has run out; trying again makes it longer")
        }
        Error::NoPermission { .. } => (Exit::Credentials, "log in as a user who may upgrade: admin"),
        Error::Upgrading { .. } => (Exit::Refused, "wait until it is done; do not cut the power"),
        Error::Digest(DigestError::BasicOnly) => (
            Exit::Refused,
            "no password was sent; see that it is the recorder, and have its web authentication set to digest",
        ),
        Error::Refused { refusal, .. } => (Exit::Failed, refusal.advice()),
        Error::UserName => (Exit::Usage, "check --user"),
        Error::Setup { .. } => (Exit::Usage, "check the interface after % in the address"),
        _ => (
            Exit::Rejected,
            "nothing was changed; this does not answer like a recorder: applier find shows who has which address; if it is the recorder, look at its own screen before you try again",
        ),
    };
    // a challenge does not know whose it is
    let unnamed = matches!(error, Error::Digest(_));
    let failure = Failure::of(exit, error).hint(hint);
    if unnamed { failure.context(format!("recorder {address}")) } else { failure }
}

/// Plain text is no way out where somebody else may be answering.
fn tls_hint(fault: &TlsFault) -> String {
    let advice = fault.advice();
    match fault {
        TlsFault::OtherCertificate { .. } => format!("nothing was sent; {advice}"),
        _ => format!("nothing was sent; {advice}: --plain-http REASON"),
    }
}

pub(super) fn tls_exit(fault: &TlsFault) -> Exit {
    match fault {
        TlsFault::Silent { .. } | TlsFault::EndedEarly => Exit::Unreachable,
        _ => Exit::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use firmware::Sha256Digest;

    use super::*;

    fn tls(fault: TlsFault) -> Failure {
        let address: Address = "192.168.1.64".parse().unwrap();
        failure(Error::Tls { address: address.clone(), source: Box::new(fault) }, &address)
    }

    #[test]
    fn a_challenge_that_cannot_be_answered_names_the_recorder() {
        let address: Address = "192.168.1.64".parse().unwrap();
        for (error, hint) in [
            (DigestError::BasicOnly, "no password was sent"),
            (DigestError::NoChallenge, "this does not answer like a recorder"),
        ] {
            let failure = failure(error.clone().into(), &address);
            assert_eq!(format!("{:#}", failure.error), format!("recorder 192.168.1.64: {error}"));
            assert!(failure.hint.is_some_and(|said| said.contains(hint)), "{error}");
        }
    }

    #[test]
    fn plain_text_is_named_as_a_way_out_where_somebody_answers() {
        let alert = tls(TlsFault::Alert { alert: "HandshakeFailure".into() });
        let hint = alert.hint.unwrap();
        assert_eq!(alert.exit, Exit::Rejected);
        assert!(hint.contains("TLS 1.2") && hint.ends_with("--plain-http REASON"), "{hint}");
        let silent = tls(TlsFault::Silent { seconds: 15 });
        assert_eq!(silent.exit, Exit::Unreachable);
        assert!(silent.hint.unwrap().ends_with("--plain-http REASON"), "it took the connection");
        let [expected, found] = [b"1", b"2"].map(|bytes| Sha256Digest::of(bytes));
        let other = tls(TlsFault::OtherCertificate { expected, found });
        assert!(!other.hint.unwrap().contains("--plain-http"), "that would be what it wants");
    }

    #[test]
    fn where_nobody_answers_there_is_nobody_to_mend_tls_on() {
        let address: Address = "192.168.1.64".parse().unwrap();
        let why = "no answer within 5 s".into();
        let off = failure(Error::Unreachable { address: address.clone(), port: 443, why }, &address);
        assert_eq!(off.exit, Exit::Unreachable);
        assert_eq!(
            off.error.to_string(),
            "recorder 192.168.1.64: unreachable, no connection to port 443: no answer within 5 s"
        );
        assert_eq!(off.hint.as_deref(), Some(ABSENT));
    }
}
