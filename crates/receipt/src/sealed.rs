//! A statement on its way home, encrypted to the depot: an age file (age v1, c2sp.org/age) around the envelope.

use std::io::{self, Read as _};

use age::x25519;
use age::{DecryptError, Decryptor};
use firmware::policy::Recipient;
use keys::AgeIdentity;

use crate::LONGEST_ENVELOPE;

/// The longest sealed envelope that is read, bytes: encryption adds a header of 200 bytes and 16 bytes to each 64 KiB.
pub const LONGEST_SEALED: u64 = LONGEST_ENVELOPE + 4096;
/// Recipients that a header may name. Each costs a key exchange to try, and a laptop names one.
const MOST_RECIPIENTS: usize = 16;
/// Where a header ends at the latest, bytes: `age` reads one anew after each of its lines. One recipient takes 100.
const LONGEST_HEADER: usize = 4096;

/// Why an envelope could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// `age` does not take the recipient.
    #[error("recipient {recipient}: {why}")]
    Recipient {
        /// Which.
        recipient: Recipient,
        /// In the words of age.
        why: &'static str,
    },
    /// `age` does not encrypt.
    #[error("statement cannot be encrypted")]
    Encrypt(#[from] age::EncryptError),
}

/// Why a sealed envelope does not open.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// Larger than any real one.
    #[error("sealed statement of {0} bytes is larger than {LONGEST_SEALED}")]
    TooLarge(usize),
    /// It was encrypted to somebody else.
    #[error("sealed statement is encrypted to another recipient")]
    OtherRecipient,
    /// It is not what was written.
    #[error("sealed statement is no whole age file")]
    Damaged,
}

/// Encrypts an envelope. No two results are alike.
pub fn seal(envelope: &[u8], recipient: &Recipient) -> Result<Vec<u8>, SealError> {
    let taken: Result<x25519::Recipient, _> = recipient.as_str().parse();
    let taken = taken.map_err(|why| SealError::Recipient { recipient: recipient.clone(), why })?;
    Ok(age::encrypt(&taken, envelope)?)
}

/// Opens a sealed envelope. Nothing of the envelope is verified by that: anybody can encrypt.
pub fn unseal(sealed: &[u8], identity: &AgeIdentity) -> Result<Vec<u8>, UnsealError> {
    if sealed.len() as u64 > LONGEST_SEALED {
        return Err(UnsealError::TooLarge(sealed.len()));
    }
    let start = &sealed[..sealed.len().min(LONGEST_HEADER)];
    let lines: Vec<&[u8]> = start.split(|byte| *byte == b'\n').collect();
    let header = lines.iter().position(|line| line.starts_with(b"---")).map(|end| &lines[..end]);
    let recipients = header.map(|lines| lines.iter().filter(|line| line.starts_with(b"-> ")).count());
    if recipients.is_none_or(|recipients| recipients > MOST_RECIPIENTS) {
        return Err(UnsealError::Damaged);
    }
    let decryptor = Decryptor::new_buffered(sealed).map_err(|_| UnsealError::Damaged)?;
    let plain = decryptor.decrypt(identity.all()).map_err(|error| match error {
        DecryptError::NoMatchingKeys => UnsealError::OtherRecipient,
        _ => UnsealError::Damaged,
    })?;
    let mut envelope = Vec::new();
    // damage shows while it is decrypted, as an error of reading
    let read: io::Result<_> = plain.take(LONGEST_ENVELOPE + 1).read_to_end(&mut envelope);
    match read {
        Ok(_) if envelope.len() as u64 > LONGEST_ENVELOPE => Err(UnsealError::TooLarge(envelope.len())),
        Ok(_) => Ok(envelope),
        Err(_) => Err(UnsealError::Damaged),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An identity, and the recipient that it opens.
    pub(crate) fn identity(dir: &std::path::Path, name: &str) -> (AgeIdentity, Recipient) {
        let identity = AgeIdentity::open_or_make(&dir.join(name), "test").unwrap();
        let recipient = identity.recipient().to_string().parse().unwrap();
        (identity, recipient)
    }

    #[test]
    fn opens_for_its_recipient_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (depot, recipient) = identity(dir.path(), "depot");
        let (other, _) = identity(dir.path(), "other");
        for size in [0, 1, 70_000, LONGEST_ENVELOPE] {
            let envelope = vec![b'x'; usize::try_from(size).unwrap()];
            let sealed = seal(&envelope, &recipient).unwrap();
            assert_eq!(unseal(&sealed, &depot).unwrap(), envelope);
            assert!(matches!(unseal(&sealed, &other), Err(UnsealError::OtherRecipient)));
        }
        assert_ne!(seal(b"x", &recipient).unwrap(), seal(b"x", &recipient).unwrap());
    }

    #[test]
    fn what_is_cut_changed_or_too_large_does_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let (depot, recipient) = identity(dir.path(), "depot");
        let sealed = seal(&[7; 500], &recipient).unwrap();
        for at in 0..sealed.len() {
            assert!(unseal(&sealed[..at], &depot).is_err(), "cut at {at}");
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(unseal(&changed, &depot).is_err(), "changed at {at}");
        }
        let huge = vec![b'x'; usize::try_from(LONGEST_ENVELOPE).unwrap() + 1];
        let sealed = seal(&huge, &recipient).unwrap();
        assert!(matches!(unseal(&sealed, &depot), Err(UnsealError::TooLarge(_))));
        let huge = vec![b'x'; usize::try_from(LONGEST_SEALED).unwrap() + 1];
        assert!(matches!(unseal(&huge, &depot), Err(UnsealError::TooLarge(_))));
    }

    #[test]
    fn a_header_without_an_end_is_not_tried() {
        let dir = tempfile::tempdir().unwrap();
        let (depot, _) = identity(dir.path(), "depot");
        let with_body = |lines| {
            let body = format!("{}\n", "A".repeat(64)).repeat(lines);
            format!("age-encryption.org/v1\n-> other x\n{body}\n--- {}\n{}", "A".repeat(43), "x".repeat(32))
        };
        let opened = |lines| unseal(with_body(lines).as_bytes(), &depot);
        assert!(matches!(opened(60), Err(UnsealError::OtherRecipient)), "it is tried");
        assert!(matches!(opened(64), Err(UnsealError::Damaged)));
        assert!(matches!(opened(4000), Err(UnsealError::Damaged)));
    }

    #[test]
    fn a_header_of_countless_recipients_is_not_tried() {
        let dir = tempfile::tempdir().unwrap();
        let (depot, recipient) = identity(dir.path(), "depot");
        // and one that age adds for nobody
        let recipients = |count| {
            let one: x25519::Recipient = recipient.as_str().parse().unwrap();
            let all = vec![one; count];
            let encryptor =
                age::Encryptor::with_recipients(all.iter().map(|one| one as &dyn age::Recipient)).unwrap();
            let mut sealed = Vec::new();
            let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
            io::Write::write_all(&mut writer, b"x").unwrap();
            writer.finish().unwrap();
            sealed
        };
        assert_eq!(unseal(&recipients(MOST_RECIPIENTS - 1), &depot).unwrap(), b"x");
        assert!(matches!(unseal(&recipients(MOST_RECIPIENTS + 1), &depot), Err(UnsealError::Damaged)));
    }
}
