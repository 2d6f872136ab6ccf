//! What the root says.

use serde_json::json;
use terminal::{Exit, Failure};
use tuf_client::Role;

use crate::commands::publication_failure;
use crate::context::Context;
use crate::publication::Publication;

/// Shows version, fingerprint, expiry, keys and thresholds.
pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let root = publication.root();
    context.output.json(&json!({
        "version": root.version(), "fingerprint": root.sha256(), "expires": root.expires(),
        "roles": Role::ALL.map(|role| json!({
            "role": role.name(), "threshold": root.threshold(role),
            "keys": root.keys(role).iter().map(|key| key.fingerprint()).collect::<Vec<_>>(),
        })),
    }));
    let output = context.output;
    output.data(format_args!(
        "root version {}, good until {}",
        root.version(),
        root.expires().strftime("%F")
    ));
    output.data(format_args!("fingerprint {}", root.sha256()));
    for role in Role::ALL {
        let keys = root.keys(role);
        output.data(format_args!("{:<10} {} of {} keys", role.name(), root.threshold(role), keys.len()));
        for key in keys {
            output.data(format_args!("  {}", key.fingerprint()));
        }
    }
    Ok(Exit::Done)
}
