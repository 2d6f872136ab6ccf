//! The signed documents that the depot keeps beside its metadata, `publication/targets/`: unlike
//! firmware they are small, made by the depot itself, and on every stick.

use std::collections::BTreeMap;
use std::path::PathBuf;

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use keys::durable;
use stick::{Document, LARGEST_DOCUMENT, SignedDocument};

use super::{Publication, PublicationError};
use crate::publish::DocumentDraft;

impl Publication {
    /// Keeps the bytes of a document, durably, before anything that lists it becomes current. It lies
    /// under its own digest, so what is current stays beside it.
    pub fn keep(&self, document: &DocumentDraft) -> Result<(), PublicationError> {
        let dir = self.targets_dir();
        let path = dir.join(document.consistent_name());
        let made = std::fs::create_dir_all(&dir)
            // the folder itself may be new
            .and_then(|()| dir.parent().map_or(Ok(()), durable::sync_dir))
            .and_then(|()| durable::write_atomic(&path, &document.bytes, 0o644));
        made.map_err(|error| PublicationError::Io(path, error))
    }

    /// What is published about weak firmware, where any of it is signed.
    pub fn advisories(&self) -> Result<Option<SignedDocument<AdvisoryTable>>, PublicationError> {
        self.document()
    }

    /// What the depot allows, where that is signed.
    pub fn policy(&self) -> Result<Option<SignedDocument<Policy>>, PublicationError> {
        self.document()
    }

    /// The bytes of every document that is signed now, by consistent name: what a stick carries beside
    /// firmware.
    pub fn documents(&self) -> Result<BTreeMap<String, Vec<u8>>, PublicationError> {
        let named = |name, bytes: &[u8]| (name, bytes.to_vec());
        let advisories = self.advisories()?.map(|signed| named(signed.consistent_name(), signed.bytes()));
        let policy = self.policy()?.map(|signed| named(signed.consistent_name(), signed.bytes()));
        Ok(advisories.into_iter().chain(policy).collect())
    }

    fn document<T: Document>(&self) -> Result<Option<SignedDocument<T>>, PublicationError> {
        let read = |name: &str| durable::read(&self.targets_dir().join(name), LARGEST_DOCUMENT);
        SignedDocument::kept(&self.current.targets, read).map_err(|e| PublicationError::Document(Box::new(e)))
    }

    fn targets_dir(&self) -> PathBuf {
        self.dir.with_file_name("targets")
    }
}
