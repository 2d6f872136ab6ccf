//! `fetcher init`: a new depot.

use std::path::{Path, PathBuf};

use keys::key_file::KeyFileError;
use serde_json::json;
use terminal::{Exit, Fail, Failure};

use super::publish_failure;
use crate::context::{Context, PassphraseArgs, home_failure, identity_failure, key_failure};
use crate::home::{Home, Settings};
use crate::key_ring;
use crate::publication::Publication;
use crate::publish::{self, Keys};

/// Make a new depot: keys, the first root, an empty publication, configuration, and the identity that opens
/// encrypted statements.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher init --offline-keys /media/keys      the normal way: root and approver's key on a stick of their own
  fetcher init                                 all keys in the home, under a passphrase
  fetcher --home /srv/courier --manifests /srv/firmware-manifests init --passphrase-file pass.txt")]
pub struct Args {
    /// Keep the root key and the approver's key in this folder, a second stick, say
    #[arg(long, value_name = "DIR")]
    offline_keys: Option<PathBuf>,
    /// Do not encrypt the root key and the approver's key
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_stdin"])]
    unencrypted: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let dir = context.home_dir()?;
    // everything that can be refused is, before anything is made
    let manifests = context.manifests.as_deref().map(existing).transpose()?;
    let settings = Settings { manifests, ..Settings::default() };
    if let Some(offline) = args.offline_keys.as_ref().filter(|offline| !offline.is_dir()) {
        let message = format!("offline keys {}: there is no such folder", offline.display());
        return Err(
            Failure::new(Exit::Usage, message).hint("plug the stick for the keys in, or make the folder")
        );
    }
    let mut home = Home::create(&dir).map_err(home_failure)?;
    let passphrase = if args.unencrypted {
        context.output.warn(
            "root key and approver's key are not encrypted: whoever copies the files can approve firmware",
        );
        None
    } else {
        Some(args.passphrase.choose("Passphrase for the root key and the approver's key")?)
    };
    let offline = args.offline_keys.clone().unwrap_or_else(|| home.keys());
    let keys = key_ring::create(&offline, &home.keys(), passphrase.as_ref()).map_err(|error| match error {
        KeyFileError::Exists(_) => Failure::of(Exit::Usage, error)
            .hint("an earlier init did not end, or the folder has keys of another depot: move them away if no laptop trusts them"),
        error => key_failure(error),
    })?;
    let publication = first_publication(&home, &keys, context)?;
    let recipient = home.make_identity().map_err(identity_failure)?.recipient().to_string();
    home.commit(settings).map_err(home_failure)?;

    let root = publication.root();
    context.output.json(&json!({
        "home": dir, "offline_keys": args.offline_keys,
        "recipient": recipient, "root": {"version": root.version(), "fingerprint": root.sha256(), "expires": root.expires()},
    }));
    let output = context.output;
    output.data(format_args!("depot {} is ready", dir.display()));
    output.data(format_args!("root fingerprint, for the laptops: {}", root.sha256()));
    output.note(format_args!(
        "to have laptops encrypt the statements on sticks, put depot_recipient = \"{recipient}\" into policy.toml of the manifests: fetcher approve --policy"
    ));
    if args.offline_keys.is_none() {
        output.note("the approver's key lies in the depot's home: whoever takes over this machine can come to approve firmware; --offline-keys DIR keeps it apart");
    }
    output.note(format_args!(
        "back up {}: without it no new root can be made and every laptop must be visited",
        offline.join("root.pem").display()
    ));
    output.note(format_args!(
        "back up {}: without it, statements that laptops encrypted to this depot cannot be read here",
        home.identity_file().display()
    ));
    Ok(Exit::Done)
}

fn first_publication(home: &Home, keys: &Keys, context: &Context) -> Result<Publication, Failure> {
    let first = publish::first(keys, context.now).map_err(publish_failure)?;
    Publication::create(&home.publication(), &first).fail(Exit::Internal)
}

/// The absolute path of a folder that is there.
fn existing(path: &Path) -> Result<PathBuf, Failure> {
    if !path.is_dir() {
        let message = format!("catalogue {}: there is no such folder", path.display());
        return Err(Failure::new(Exit::Usage, message).hint("name the folder with --manifests DIR"));
    }
    std::path::absolute(path).fail(Exit::Usage)
}
