//! `fetcher keys`: the key files of people, and of this depot.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use keys::{PublicKey, SigningKey, key_file};
use serde_json::json;
use terminal::{Exit, Fail, Failure};
use tuf_client::Role;

use super::publication_failure;
use crate::context::{Context, PassphraseArgs, identity_failure, key_failure};
use crate::home::{Home, HomeError};
use crate::key_ring::{self, KeyFile};
use crate::publication::Publication;
use crate::recipient::{Standing, lost};

/// Make key files, list them, and give the public half away.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher keys new kim --to /media/keys          an approver makes a key, on a machine of their own
  fetcher keys list --keys /media/keys           whose key is whose, and what each may sign
  fetcher keys export kim.pem --to kim.pub       the half that the depot needs: fetcher root add-key
  fetcher keys recipient                         the line for policy.toml, so that a lost stick tells nothing")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key: NAME.pem, which stays secret, and NAME.pub, which the depot needs
    New {
        /// What the files are called
        name: String,
        /// The folder for them
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
        /// ECDSA P-256 instead of Ed25519, as hardware tokens have
        #[arg(long)]
        p256: bool,
        /// Do not encrypt it
        #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_stdin"])]
        unencrypted: bool,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// List the keys that the root names, and the files that are here
    List {
        /// A folder of keys beside the home's
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
    },
    /// Write the public half of a secret key
    Export {
        /// The secret key
        file: PathBuf,
        /// Where to; standard output where nothing is said
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Show the recipient to which laptops can encrypt the statements on sticks; its identity is made where this
    /// home has none
    Recipient,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.command {
        Command::New { name, to, p256, unencrypted, passphrase } => {
            let passphrase = if *unencrypted {
                context.output.warn("the key is not encrypted: whoever copies the file can sign with it");
                None
            } else {
                Some(passphrase.choose("Passphrase for the new key")?)
            };
            let key = if *p256 { SigningKey::generate_p256() } else { SigningKey::generate() };
            let key = key_ring::make(to, checked(name)?, key, passphrase.as_ref()).map_err(key_failure)?;
            let public = to.join(format!("{name}.pub"));
            context.output.json(&json!({
                "key": to.join(format!("{name}.pem")), "public_key": public,
                "fingerprint": key.public().fingerprint(),
            }));
            context.output.data(format_args!("fingerprint {}", key.public().fingerprint()));
            context.output.data(format_args!(
                "carry {} to the depot and read the fingerprint to it: fetcher root add-key targets FILE --fingerprint HEX",
                public.display()
            ));
            context.output.note("back the secret key up: nobody can make it again");
            Ok(Exit::Done)
        }
        Command::List { keys } => list(keys.as_deref(), context),
        Command::Export { file, to, passphrase } => export(file, to.as_deref(), passphrase, context),
        Command::Recipient => recipient(context),
    }
}

fn recipient(context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let signed = publication.policy().map_err(publication_failure)?;
    let signed = signed.and_then(|signed| signed.document().depot_recipient.clone());
    let own = home.make_identity().map_err(identity_failure)?;
    let (recipient, identity) = (own.recipient().to_string(), home.identity_file());
    let standing = signed.as_ref().map(|signed| Standing::of(signed, Some(&own)));
    context.output.json(&json!({
        "recipient": recipient, "identity": identity, "signed_recipient": signed, "signed_is": standing,
    }));
    context.output.data(format_args!("depot_recipient = \"{recipient}\""));
    if let (Some(signed), Some(Standing::Foreign)) = (&signed, standing) {
        context.output.warn(lost(signed));
    }
    context.output.note("put that line into policy.toml of the manifests: fetcher approve --policy");
    context.output.note(format_args!(
        "back up {}: without it, statements that laptops encrypted to this depot cannot be read here",
        identity.display()
    ));
    Ok(Exit::Done)
}

/// A file name that stays in its folder.
fn checked(name: &str) -> Result<&str, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && !name.starts_with('.') && name.len() <= 100 && name.chars().all(plain) {
        return Ok(name);
    }
    Err(Failure::new(Exit::Usage, format!("key name {name:?}: letters, digits, - _ and . are allowed")))
}

fn export(
    file: &Path,
    to: Option<&Path>,
    passphrase: &PassphraseArgs,
    context: &Context,
) -> Result<Exit, Failure> {
    let encrypted = key_file::is_encrypted(file).map_err(key_failure)?;
    let prompt = format!("Passphrase of {}", file.display());
    let passphrase = encrypted.then(|| passphrase.read(&prompt)).transpose()?;
    let public = key_file::read(file, passphrase.as_ref()).map_err(key_failure)?.public();
    context.output.json(&json!({"fingerprint": public.fingerprint(), "public_key": public.to_spki_pem()}));
    match to {
        Some(to) => key_file::write_public_new(to, &public).fail(Exit::Usage)?,
        None => context.output.data(public.to_spki_pem().trim_end()),
    }
    context.output.note(format_args!("fingerprint {}", public.fingerprint()));
    Ok(Exit::Done)
}

fn list(dir: Option<&Path>, context: &Context) -> Result<Exit, Failure> {
    let home = match Home::open(&context.home_dir()?) {
        Err(HomeError::Missing(_)) if dir.is_some() => None,
        home => Some(home.map_err(crate::context::home_failure)?),
    };
    let mut files = Vec::new();
    for dir in home.iter().map(Home::keys).chain(dir.map(Path::to_owned)) {
        files.extend(key_ring::files(&dir).map_err(key_failure)?.into_iter().map(known));
    }
    let mut roles: Vec<(Role, PublicKey)> = Vec::new();
    if let Some(home) = &home {
        let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
        for role in Role::ALL {
            roles.extend(publication.root().keys(role).into_iter().map(|key| (role, key.clone())));
        }
    }
    tell(&roles, &files, context);
    Ok(Exit::Done)
}

/// With the public half of a key that is not encrypted, where no file says it.
fn known(file: KeyFile) -> KeyFile {
    let public = file.public.or_else(|| key_file::read(&file.path, None).ok().map(|key| key.public()));
    KeyFile { public, ..file }
}

fn tell(roles: &[(Role, PublicKey)], files: &[KeyFile], context: &Context) {
    let of = |key: &PublicKey| files.iter().find(|file| file.public.as_ref() == Some(key));
    let others = files.iter().filter(|file| {
        !file.public.as_ref().is_some_and(|public| roles.iter().any(|(_, key)| key == public))
    });
    let others: Vec<&KeyFile> = others.collect();
    let listed = |(role, key): &(Role, PublicKey)| json!({"role": role.name(), "fingerprint": key.fingerprint(), "file": of(key).map(|file| &file.path)});
    let unlisted = |file: &&KeyFile| json!({"file": file.path, "fingerprint": file.public.as_ref().map(PublicKey::fingerprint)});
    context.output.json(&json!({
        "keys": roles.iter().map(listed).collect::<Vec<_>>(),
        "others": others.iter().map(unlisted).collect::<Vec<_>>(),
    }));
    for (role, key) in roles {
        let place = of(key).map_or_else(|| "not here".into(), |file| file.path.display().to_string());
        context.output.data(format_args!("{role:<9}  {}  {place}", key.fingerprint()));
    }
    for file in others {
        let fingerprint =
            file.public.as_ref().map_or_else(|| "needs its passphrase".into(), PublicKey::fingerprint);
        context.output.data(format_args!("no role    {fingerprint}  {}", file.path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_stay_in_their_folder() {
        assert!(checked("kim").is_ok() && checked("kim-2026_a.b").is_ok());
        for name in ["", ".kim", "../kim", "a/b", "a b", "é", &"x".repeat(101)] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
