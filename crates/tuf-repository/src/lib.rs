//! The Update Framework, specification 1.0.34: the signing side.
//!
//! Pure: keys, times and what was published before go in, signed bytes come out; nothing is read,
//! written or asked. The same input gives the same bytes (Ed25519 is deterministic, members are
//! sorted), so that all sticks of one publication are alike.
//!
//! [`Unsigned`] is made by [`root`], [`TargetsDraft::unsigned`], [`snapshot`] and [`timestamp`];
//! signing makes it [`Signed`]; [`Signed::verified_by`] reads the result back as a client does. A
//! snapshot can only be made over *verified* targets and a timestamp over a *verified* snapshot, so
//! the unattended keys never vouch for what the approver did not sign; these steps may be days and
//! machines apart. Versions follow from what was published before.
//!
//! Where a role needs several people, a [`SigningEvent`] is the file that is carried from one to the
//! next until enough have signed.

mod draft;
mod metadata;
mod online;
mod root;
mod signing_event;
mod targets;

pub use draft::DraftError;
pub use metadata::{NotMetadata, Signed, Unsigned};
pub use online::{snapshot, timestamp};
pub use root::{Roles, Signers, root};
pub use signing_event::{EventError, Finished, SigningEvent, Standing};
pub use targets::TargetsDraft;
