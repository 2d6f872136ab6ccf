//! What lies where on a stick, and the order in which it is written and read.
//!
//! A stick is a [`Media`]: a mounted drive or a plain [`Directory`]. [`write()`] lays a publication on
//! it in an order that survives being pulled out; [`UnverifiedPublication`] reads it back against the
//! root that this machine trusts; [`statements`] carries signed statements home. The same tree as one
//! file is a [`Tar`], which [`export`] makes; it is read only.

mod direct;
mod directory;
mod file_sink;
mod file_system;
pub mod layout;
pub mod media;
mod named;
mod obstacle;
mod open;
mod plan;
mod signed_document;
mod signed_release;
pub mod statements;
mod survey;
mod tar;
mod write;

pub use directory::Directory;
pub use media::{Media, Past, PastCache, ReadOnly, Tree};
pub use named::{NamedError, Stick};
pub use obstacle::{Agreed, Obstacle};
pub use open::{CopyError, OpenError, UnverifiedPublication, VerifiedPublication};
pub use plan::{Contents, Sealed, WritePlan};
pub use signed_document::{
    Document, LARGEST_DOCUMENT, SignedDocument, UnsignableDocument, document_bytes, document_facts,
    document_name, listed_documents,
};
pub use signed_release::{SignedRelease, release_facts};
pub use survey::Survey;
pub use tar::{ExportError, Tar, TarError, TarRejection, export, read_back};
pub use write::{Event, Source, StickState, WriteError, look_again, write};
