//! `applier trust`: which depot this laptop believes.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use firmware::{Serial, Sha256Digest};
use keys::durable;
use receipt::LaptopId;
use serde_json::json;
use stick::{layout, media};
use terminal::{Exit, Fail, Failure};
use tuf_client::{Role, Root, TrustError, TrustStore, Verified};

use super::recorder::record_failure;
use crate::certificates::Certificates;
use crate::context::{Context, state_failure};
use crate::open_stick::OpenStick;
use crate::state::State;

/// Say which depot's root this laptop believes, and show it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier trust add --stick /media/stick --fingerprint 3f9a…   the stick's root; its fingerprint by telephone
  applier trust add 1.root.json                                a root file; the fingerprint is asked for
  applier trust recorder DS-76… --certificate 9c0a…            the certificate that it has since it was reset
  applier trust show --laptop                                  this laptop's own key, for fetcher laptops enrol")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Believe a depot's root, and make this laptop's key
    Add {
        /// The root file; without it, the newest root on the stick
        file: Option<PathBuf>,
        /// Its fingerprint, which came another way: fetcher root show prints it
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<String>,
    },
    /// Take another certificate for a recorder that is known, after it was reset or updated
    Recorder {
        /// Its serial number
        serial: Serial,
        /// The SHA-256 of its new certificate
        #[arg(long, value_name = "HEX")]
        certificate: Sha256Digest,
    },
    /// Show the root that is believed
    Show {
        /// Show this laptop's own key instead
        #[arg(long)]
        laptop: bool,
    },
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.command {
        Command::Add { file, fingerprint } => add(file.as_deref(), fingerprint.as_deref(), context),
        Command::Recorder { serial, certificate } => recorder(serial, *certificate, context),
        Command::Show { laptop: true } => show_laptop(context),
        Command::Show { laptop: false } => show_root(context),
    }
}

fn add(file: Option<&Path>, fingerprint: Option<&str>, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let (name, bytes) = match file {
        Some(path) => {
            let bytes = durable::read(path, Role::Root.cap()).fail(Exit::Usage);
            (
                path.display().to_string(),
                bytes.map_err(|e| e.context(format!("root file {}", path.display())))?,
            )
        }
        None => newest_root(&context.open_stick()?)?,
    };
    let typed = match fingerprint {
        Some(fingerprint) => fingerprint.to_owned(),
        None => terminal::typed(
            &format!("Fingerprint of {name}, as the depot tells it to you"),
            "--fingerprint HEX",
        )?,
    };
    // people read and type fingerprints in groups
    let typed: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let root = tuf_client::trust(&mut state.trust_store(), &bytes, &typed).map_err(|e| failure(e, &name))?;
    let key = state.make_laptop_key().map_err(state_failure)?.public();
    let (laptop, public) = (LaptopId::of(&key), state.public_key_file());
    context.output.json(&json!({
        "root": {"version": root.version(), "fingerprint": root.sha256()},
        "laptop": {"id": laptop, "fingerprint": key.fingerprint(), "public_key": public},
    }));
    context.output.data(format_args!("root {} of {} is believed from now on", root.version(), root.sha256()));
    tell_laptop(&state, &key, context);
    Ok(Exit::Done)
}

fn recorder(serial: &Serial, certificate: Sha256Digest, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let mut certificates = Certificates::open(&state.certificates()).map_err(record_failure)?;
    let before = certificates.replace(serial, certificate, (context.now)()).map_err(record_failure)?;
    let Some(before) = before else {
        let message =
            format!("recorder {serial}: no certificate of it is known here, so there is none to replace");
        return Err(Failure::new(Exit::Usage, message).hint(
            "check the serial number; a recorder that is new is asked about when it is met: applier inspect",
        ));
    };
    context.output.json(&json!({"serial": serial, "before": before, "certificate": certificate}));
    context
        .output
        .data(format_args!("recorder {serial} is known by {certificate} from now on, no longer by {before}"));
    Ok(Exit::Done)
}

fn failure(error: TrustError, name: &str) -> Failure {
    let (exit, hint) = match &error {
        TrustError::Fingerprint { .. } => (
            Exit::Rejected,
            "nothing was changed; ask the depot for the fingerprint again (fetcher root show); if the depot has a newer root than this, load the stick again there",
        ),
        TrustError::Rejected(_) => (Exit::Rejected, "the file is not a root, or is damaged"),
        TrustError::AlreadyTrusted { .. } => (
            Exit::Refused,
            "a new root of the same depot comes by itself with its sticks; another depot needs another --state DIR",
        ),
        TrustError::Store(_) => (Exit::Internal, "see that the state directory can be written"),
    };
    Failure::of(exit, error).hint(hint).context(name.to_owned())
}

/// The root of the highest version on a stick, by name.
fn newest_root(stick: &OpenStick) -> Result<(String, Vec<u8>), Failure> {
    let entries = stick.tree().list(layout::METADATA).fail(Exit::Stick)?;
    let versions = entries.iter().filter_map(|e| e.name.strip_suffix(".root.json")?.parse::<u64>().ok());
    let Some(newest) = versions.max() else {
        return Err(
            Failure::new(Exit::Stick, "stick: there is no root on it").hint("load it at the depot first")
        );
    };
    let name = format!("{newest}.root.json");
    let bytes = media::read(stick.tree(), &layout::metadata(&name), Role::Root.cap()).fail(Exit::Stick)?;
    bytes.map(|bytes| (name, bytes)).ok_or_else(|| Failure::new(Exit::Stick, "stick: its root has gone"))
}

fn show_root(context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let bytes = state.trust_store().load(Role::Root.file(), Role::Root.cap()).fail(Exit::Internal)?;
    let Some(bytes) = bytes else {
        return Err(
            Failure::new(Exit::Usage, "trusted root: there is none").hint("applier trust add --stick PATH")
        );
    };
    let root = Verified::<Root>::self_signed(&bytes).fail(Exit::Rejected)?;
    let roles = [Role::Root, Role::Targets, Role::Snapshot, Role::Timestamp];
    context.output.json(&json!({
        "version": root.version(), "fingerprint": root.sha256(), "expires": root.expires(),
        "roles": roles.map(|r| json!({"role": r.name(), "keys": root.keys(r).len(), "threshold": root.threshold(r)})),
    }));
    context.output.data(format_args!(
        "root version {}, good until {}",
        root.version(),
        root.expires().strftime("%F")
    ));
    context.output.data(format_args!("fingerprint  {}", root.sha256()));
    for role in roles {
        let (threshold, keys) = (root.threshold(role), root.keys(role).len());
        context.output.data(format_args!("{:<10} {threshold} of {keys} keys", role.name()));
    }
    Ok(Exit::Done)
}

fn show_laptop(context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let key = state.laptop_key().map_err(state_failure)?;
    let Some(key) = key else {
        return Err(Failure::new(Exit::Usage, "laptop key: there is none").hint("applier trust add makes it"));
    };
    let key = key.public();
    let (laptop, public) = (LaptopId::of(&key), state.public_key_file());
    context.output.json(&json!({"id": laptop, "fingerprint": key.fingerprint(), "public_key": public}));
    tell_laptop(&state, &key, context);
    Ok(Exit::Done)
}

fn tell_laptop(state: &State, key: &keys::PublicKey, context: &Context) {
    let output = context.output;
    output.data(format_args!("this laptop is {}", LaptopId::of(key)));
    output.data(format_args!("public key   {}", state.public_key_file().display()));
    output.data(format_args!("fingerprint  {}", key.fingerprint()));
    output.data("carry the file to the depot and read the fingerprint to it: fetcher laptops enrol FILE --fingerprint HEX");
}
