//! What is signed beside firmware: the flags, what changes, and the bytes.

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use serde_json::Value;
use stick::{Document, SignedDocument};
use terminal::{Exit, Fail, Failure};
use tuf_repository::SigningEvent;

use super::{advisories, policy};
use crate::catalog::Catalog;
use crate::commands::publication_failure;
use crate::context::Context;
use crate::home::Home;
use crate::publication::{Publication, PublicationError};
use crate::publish::DocumentDraft;

/// Which documents are to be signed.
#[derive(Debug, clap::Args)]
pub(super) struct DocumentArgs {
    /// Sign advisories.toml of the manifests: what is published about weak firmware
    #[arg(long)]
    advisories: bool,
    /// Sign policy.toml of the manifests: what laptops are allowed
    #[arg(long)]
    policy: bool,
}

impl DocumentArgs {
    /// What is to be signed, after what changes by it was shown.
    pub(super) fn drafts(
        &self,
        catalog: &Catalog,
        publication: &Publication,
        home: &Home,
        context: &Context,
    ) -> Result<Vec<DocumentDraft>, Failure> {
        let mut drafts = Vec::new();
        if self.advisories {
            let table = there(catalog.advisories(), "advisories.toml", context)?;
            let signed = signed::<AdvisoryTable>(publication.advisories(), context)?;
            advisories::show(table, signed.as_ref().map(SignedDocument::document), context.output);
            drafts.push(DocumentDraft::of(table).fail(Exit::Rejected)?);
        }
        if self.policy {
            let wanted = there(catalog.policy(), "policy.toml", context)?;
            let signed = signed::<Policy>(publication.policy(), context)?;
            policy::show(wanted, signed.as_ref().map(SignedDocument::document), context.output);
            policy::check_recipient(wanted, home, context.output)?;
            drafts.push(DocumentDraft::of(wanted).fail(Exit::Rejected)?);
        }
        Ok(drafts)
    }
}

/// Shows the documents that a signing event brings along, to whoever is about to sign their digests.
pub(in crate::commands) fn show_proposed(event: &SigningEvent, context: &Context) {
    if let Some(table) = proposed::<AdvisoryTable>(event, context) {
        advisories::show(&table, None, context.output);
    }
    if let Some(policy) = proposed::<Policy>(event, context) {
        policy::show(&policy, None, context.output);
    }
}

fn proposed<T: Document>(event: &SigningEvent, context: &Context) -> Option<T> {
    let read = |targets: &Value| targets["targets"][T::NAME].clone();
    let next = read(event.next_targets()?.signed());
    let current = serde_json::from_slice::<Value>(event.current().1.bytes()).unwrap_or_default();
    if next.is_null() || next == read(&current["signed"]) {
        return None;
    }
    let document = event.document(T::NAME).and_then(|text| serde_json::from_str(text).ok());
    if document.is_none() {
        context.output.warn(format_args!(
            "{} is proposed and is not in the file to be read: ask the depot for it",
            T::NAME
        ));
    }
    document
}

fn there<'a, T>(document: Option<&'a T>, file: &str, context: &Context) -> Result<&'a T, Failure> {
    let dir = context.manifests_dir()?;
    document.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("manifests {}: there is no {file}", dir.display()))
            .hint("firmware-manifests/README.md says what stands in it; --manifests DIR names another folder")
    })
}

/// What is signed now. One that the depot has lost is a reason to sign it again, not to stop.
fn signed<T: Document>(
    read: Result<Option<SignedDocument<T>>, PublicationError>,
    context: &Context,
) -> Result<Option<SignedDocument<T>>, Failure> {
    match read {
        Err(error @ PublicationError::Document(_)) => {
            let error = publication_failure(error).error;
            context.output.warn(format_args!("{error:#}; what changes cannot be shown"));
            Ok(None)
        }
        read => read.map_err(publication_failure),
    }
}
