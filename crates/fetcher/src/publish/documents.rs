//! Documents that steer plans, on their way to being signed.

use firmware::Sha256Digest;
use serde::Serialize;
use serde_json::{Map, Value};
use stick::{Document, UnsignableDocument, document_bytes, document_facts, document_name};
use tuf_client::{TargetName, Targets};
use tuf_repository::TargetsDraft;

use super::PublishError;

/// A document ready to be signed: the exact bytes, and how they are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentDraft {
    /// The name of its target, `policy.json`.
    pub name: &'static str,
    /// What is signed.
    pub bytes: Vec<u8>,
    facts: Map<String, Value>,
}

impl DocumentDraft {
    /// What would be signed of this document.
    pub fn of<T: Document>(document: &T) -> Result<Self, UnsignableDocument> {
        Ok(Self { name: T::NAME, bytes: document_bytes(document)?, facts: document_facts::<T>() })
    }

    /// The consistent name below `targets/`.
    pub fn consistent_name(&self) -> String {
        document_name(self.name, self.sha256())
    }

    /// Puts it on the list.
    pub fn approve(&self, draft: &mut TargetsDraft) -> Result<(), PublishError> {
        let name: TargetName = self.name.parse()?;
        draft.insert(name, self.bytes.len() as u64, self.sha256().as_bytes(), &self.facts);
        Ok(())
    }

    fn sha256(&self) -> Sha256Digest {
        Sha256Digest::of(&self.bytes)
    }
}

/// How a document of the manifests stands to the one that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentState {
    /// Neither is there: laptops go by the defaults.
    Absent,
    /// The manifests have one, and none is signed.
    NotSigned,
    /// They are the same.
    Signed,
    /// The manifests have changed since.
    Changed,
    /// One is signed, and the manifests have none any more.
    Gone,
}

impl DocumentState {
    /// Compares what the manifests say with what is listed.
    pub fn of<T: Document>(document: Option<&T>, targets: &Targets) -> Result<Self, UnsignableDocument> {
        let listed = targets.target(T::NAME).and_then(|target| target.hashes().sha256());
        let wanted = document.map(DocumentDraft::of).transpose()?;
        Ok(match (wanted.map(|draft| draft.sha256().to_string()), listed) {
            (None, None) => Self::Absent,
            (Some(_), None) => Self::NotSigned,
            (None, Some(_)) => Self::Gone,
            (Some(wanted), Some(listed)) if wanted == listed => Self::Signed,
            (Some(_), Some(_)) => Self::Changed,
        })
    }

    /// What a person should know of the document `name`, if anything.
    pub fn in_words(self, name: &str) -> Option<String> {
        let again = format!("(fetcher approve --{name})");
        match self {
            Self::Absent | Self::Signed => None,
            Self::NotSigned => {
                Some(format!("{name}.toml stands in the manifests and is not signed  {again}"))
            }
            Self::Changed => Some(format!("{name}.toml has changed since it was signed  {again}")),
            Self::Gone => Some(format!("{name}.toml has gone from the manifests; what was signed holds")),
        }
    }
}

#[cfg(test)]
mod tests {
    use firmware::policy::Policy;

    use super::*;
    use crate::publish::tests::{keys, publication, publish};

    #[test]
    fn a_document_is_kept_then_signed_then_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys();
        let mut published = publication(dir.path(), &keys);
        let strict = Policy { backup_required: true, ..Policy::default() };
        let state = |policy: Option<&Policy>, targets: &Targets| DocumentState::of(policy, targets).unwrap();
        let before = published.current().targets.clone();
        assert_eq!(state(None, &before), DocumentState::Absent);
        assert_eq!(state(Some(&strict), &before), DocumentState::NotSigned);
        assert!(published.policy().unwrap().is_none() && published.documents().unwrap().is_empty());

        let document = DocumentDraft::of(&strict).unwrap();
        let mut draft = TargetsDraft::after(before);
        document.approve(&mut draft).unwrap();
        published.keep(&document).unwrap();
        publish(&mut published, &draft, &keys);
        assert_eq!(published.policy().unwrap().unwrap().document(), &strict);
        let expected = (document.consistent_name(), document.bytes.clone());
        assert_eq!(published.documents().unwrap().into_iter().collect::<Vec<_>>(), [expected]);
        let after = &published.current().targets;
        assert_eq!(state(Some(&strict), after), DocumentState::Signed);
        assert_eq!(state(Some(&Policy::default()), after), DocumentState::Changed);
        assert_eq!(state(None, after), DocumentState::Gone);

        // what was lost or exchanged is not carried on
        let path = dir.path().join("targets").join(document.consistent_name());
        ::keys::durable::write_atomic(&path, b"{}", 0o644).unwrap();
        let error = published.documents().unwrap_err().to_string();
        assert!(error.contains("policy.json is not the one that was signed"), "{error}");
        ::keys::durable::remove(&path).unwrap();
        assert!(published.policy().is_err());
    }
}
