//! What people sign, on its way: with which key files, and what becomes of it once enough have
//! signed.

use std::path::{Path, PathBuf};

use keys::key_file;
use keys::{PublicKey, SigningKey, durable};
use serde_json::{Value, json};
use terminal::{Count, Exit, Fail, Failure};
use tuf_client::Role;
use tuf_repository::{EventError, Finished, SigningEvent, Standing};

use super::{publication_failure, publish_failure};
use crate::context::{Context, PassphraseArgs, key_failure};
use crate::home::Home;
use crate::key_ring;
use crate::publication::Publication;
use crate::publish;

/// A signing event is read up to this size: it holds two lists of targets of up to 64 MiB.
const LARGEST_EVENT: u64 = 160 << 20;

/// How people sign.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SigningArgs {
    /// The folder of the keys that sign, where they are kept apart from the depot
    #[arg(long, value_name = "DIR")]
    pub(super) keys: Option<PathBuf>,
    /// A key file that signs (may be given again)
    #[arg(long, value_name = "FILE")]
    pub(super) key: Vec<PathBuf>,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

/// Whether it is signed at once.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct StageArgs {
    /// Sign nothing now: only prepare what others sign with fetcher sign
    #[arg(long, conflicts_with_all = ["keys", "key"])]
    pub(super) stage: bool,
}

/// The event that is open in this home, if there is one.
pub(super) fn open_event(home: &Home, publication: &Publication) -> Result<Option<SigningEvent>, Failure> {
    let path = home.signing_event();
    if !path.exists() {
        return Ok(None);
    }
    let event = read_event(&path)?;
    match event.must_be_over(publication.root(), &publication.current().targets) {
        Ok(()) => Ok(Some(event)),
        // carried out, and the power went before it could be removed
        Err(EventError::NotCurrent { .. }) => {
            durable::remove(&path).fail(Exit::Internal)?;
            Ok(None)
        }
        Err(error) => Err(event_failure(error, &path)),
    }
}

/// Refuses to begin anything while an event is open: it would be about a list that is not current.
pub(super) fn none_open(home: &Home, publication: &Publication) -> Result<(), Failure> {
    let Some(event) = open_event(home, publication)? else { return Ok(()) };
    let message = format!("signing event: one is open, {}; nothing was begun", summary(&event));
    Err(Failure::new(Exit::Refused, message).hint(format!(
        "finish it with fetcher sign {}, or drop it with fetcher sign --discard",
        home.signing_event().display()
    )))
}

/// Reads an event from a file that came from somewhere.
pub(super) fn read_event(path: &Path) -> Result<SigningEvent, Failure> {
    let named = |failure: Failure| failure.context(format!("signing event {}", path.display()));
    let bytes = durable::read(path, LARGEST_EVENT).fail(Exit::Usage).map_err(named)?;
    SigningEvent::read(&bytes).map_err(|error| event_failure(error, path))
}

/// Nothing was signed or published.
pub(super) fn event_failure(error: EventError, path: &Path) -> Failure {
    let (exit, hint) = match &error {
        EventError::NotCurrent { .. } => (
            Exit::Refused,
            "it has been published already, or something else has: fetcher root show and fetcher status tell",
        ),
        EventError::Differs => {
            (Exit::Refused, "finish the open one first, or drop it with fetcher sign --discard")
        }
        _ => (Exit::Rejected, "get the file again from whoever made it"),
    };
    Failure::of(exit, error).context(format!("signing event {}", path.display())).hint(hint)
}

/// Signs with every key file that counts and is not asked for in vain; gives how many did.
pub(super) fn sign(
    event: &mut SigningEvent,
    args: &SigningArgs,
    default: Option<&Path>,
) -> Result<usize, Failure> {
    let mut count = 0;
    for path in &args.key {
        let key = read_key(path, &args.passphrase)?;
        if event.sign(&key).is_empty() {
            let message = format!(
                "key file {}: key {} is not asked for here",
                path.display(),
                key.public().fingerprint()
            );
            return Err(Failure::new(Exit::Usage, message)
                .hint("nothing was signed; fetcher keys list says whose key is whose"));
        }
        count += 1;
    }
    if let Some(dir) = args.keys.as_ref().filter(|dir| !dir.is_dir()) {
        return Err(Failure::new(Exit::Usage, format!("keys {}: there is no such folder", dir.display()))
            .hint("plug the stick with the keys in, and name the folder where it is mounted"));
    }
    let Some(dir) = args.keys.as_deref().or(default.filter(|_| args.key.is_empty())) else {
        return Ok(count);
    };
    for file in key_ring::files(dir).map_err(key_failure)? {
        let wanted = event.standing();
        let open = |key: &PublicKey| wanted.iter().any(|standing| standing.open.contains(key));
        let asked = match &file.public {
            Some(public) => open(public),
            None => wanted.iter().any(|standing| file.is_of(standing.what)),
        };
        if asked {
            let key = read_key(&file.path, &args.passphrase)?;
            count += usize::from(!event.sign(&key).is_empty());
        }
    }
    Ok(count)
}

fn read_key(path: &Path, passphrase: &PassphraseArgs) -> Result<SigningKey, Failure> {
    let encrypted = key_file::is_encrypted(path).map_err(key_failure)?;
    let prompt = format!("Passphrase of {}", path.display());
    let passphrase = encrypted.then(|| passphrase.read(&prompt)).transpose()?;
    key_file::read(path, passphrase.as_ref()).map_err(key_failure)
}

/// Signs what is proposed with the keys that are at hand, and publishes it once enough have signed;
/// until then it is kept in the home, to be carried to the others.
pub(super) fn conclude(
    mut event: SigningEvent,
    publication: Publication,
    home: &Home,
    args: &SigningArgs,
    stage: bool,
    context: &Context,
) -> Result<Exit, Failure> {
    sign_here(&mut event, home, args, stage)?;
    settle(&event, publication, home, context)
}

/// Signs with the keys that are at hand, unless others are to; nothing has been kept or published yet.
pub(super) fn sign_here(
    event: &mut SigningEvent,
    home: &Home,
    args: &SigningArgs,
    stage: bool,
) -> Result<(), Failure> {
    if stage || sign(event, args, Some(&home.keys()))? > 0 || finish(event, home)?.is_some() {
        return Ok(());
    }
    let dir = args.keys.clone().unwrap_or_else(|| home.keys());
    let message = format!("nothing to sign with in {}: {}", dir.display(), summary(event));
    Err(Failure::new(Exit::Usage, message).hint(
        "name the folder of the keys with --keys DIR or a key file with --key FILE; --stage prepares it for others to sign",
    ))
}

fn finish(event: &SigningEvent, home: &Home) -> Result<Option<Finished>, Failure> {
    event.finish().map_err(|error| event_failure(error, &home.signing_event()))
}

/// Publishes what enough have signed; keeps what others have to sign.
pub(super) fn settle(
    event: &SigningEvent,
    publication: Publication,
    home: &Home,
    context: &Context,
) -> Result<Exit, Failure> {
    if let Some(finished) = finish(event, home)? {
        return publish(&finished, publication, home, context);
    }
    keep(event, home)?;
    let path = home.signing_event();
    context.output.json(&json!({"published": false, "event": path, "standing": standing(event)}));
    tell_standing(event, context);
    context.output.data(format_args!("not published yet; what others have to sign is {}", path.display()));
    context.output.note("carry it to them: fetcher sign FILE, there and then here again");
    Ok(Exit::Done)
}

/// Keeps an event in the home.
pub(super) fn keep(event: &SigningEvent, home: &Home) -> Result<(), Failure> {
    durable::write_atomic(&home.signing_event(), &event.to_bytes(), 0o644).fail(Exit::Internal)
}

/// Makes what enough have signed the current publication.
pub(super) fn publish(
    finished: &Finished,
    mut publication: Publication,
    home: &Home,
    context: &Context,
) -> Result<Exit, Failure> {
    usable(finished)?;
    let online = key_ring::online(&home.keys(), context.credentials.as_deref(), &finished.root)
        .map_err(super::online_key_failure)?;
    let next = publish::carry_out(finished.clone(), publication.current(), &online, context.now)
        .map_err(publish_failure)?;
    publication.replace(&next).map_err(publication_failure)?;
    durable::remove(&home.signing_event()).fail(Exit::Internal)?;
    let (root, current) = (publication.root(), publication.current());
    let count = stick::SignedRelease::all(&current.targets).fail(Exit::Rejected)?.len();
    context.output.json(&json!({
        "published": true,
        "root": root.version(), "fingerprint": root.sha256(), "root_expires": root.expires(),
        "targets": current.targets.version(), "timestamp": current.timestamp.version(), "approved": count,
        "expires": current.targets.expires(),
    }));
    if finished.new_root.is_some() {
        context.output.data(format_args!(
            "signed: root version {}, good until {}, fingerprint {}",
            root.version(),
            root.expires().strftime("%F"),
            root.sha256()
        ));
        context
            .output
            .note("laptops follow to it by themselves from the next stick; back up the keys that sign roots");
    }
    if finished.new_targets.is_some() {
        context.output.data(format_args!(
            "signed: targets version {}, {} approved, good until {}",
            current.targets.version(),
            Count(count, "release"),
            current.targets.expires().strftime("%F")
        ));
    }
    Ok(Exit::Done)
}

/// Refuses a list that no laptop, nor this depot, could read: once it is current it is too late.
fn usable(finished: &Finished) -> Result<(), Failure> {
    let Some(next) = &finished.new_targets else { return Ok(()) };
    let targets = next.verified_by(&finished.root).fail(Exit::Rejected)?;
    let read = stick::SignedRelease::all(&targets).and_then(|_| stick::listed_documents(&targets));
    read.map(drop).map_err(|error| {
        Failure::of(Exit::Rejected, error)
            .hint("nothing was published; fetcher sign --discard drops it, then prepare it again here")
    })
}

/// How far an event has come, in a few words.
pub(super) fn summary(event: &SigningEvent) -> String {
    event.standing().iter().map(line).collect::<Vec<_>>().join(", ")
}

fn line(standing: &Standing) -> String {
    let Standing { what, by_next_root, threshold, signed, .. } = standing;
    let whose = match (what, by_next_root) {
        (Role::Root, false) => "current root keys",
        (Role::Root, true) => "next root keys",
        _ => "approvers",
    };
    format!("{what} signed by {} of {threshold} {whose}", signed.len())
}

/// Who has signed, and who could.
pub(super) fn tell_standing(event: &SigningEvent, context: &Context) {
    for standing in event.standing() {
        context.output.data(line(&standing));
        for key in &standing.signed {
            context.output.data(format_args!("  signed    {}", key.fingerprint()));
        }
        if !standing.is_met() {
            for key in &standing.open {
                context.output.data(format_args!("  could sign {}", key.fingerprint()));
            }
        }
    }
}

/// The same for programs.
pub(super) fn standing(event: &SigningEvent) -> Value {
    let fingerprints = |keys: &[PublicKey]| keys.iter().map(PublicKey::fingerprint).collect::<Vec<_>>();
    let one = |standing: &Standing| {
        json!({
            "what": standing.what.name(), "by_next_root": standing.by_next_root,
            "threshold": standing.threshold, "met": standing.is_met(),
            "signed": fingerprints(&standing.signed), "open": fingerprints(&standing.open),
        })
    };
    event.standing().iter().map(one).collect()
}

/// Asks before anything is signed.
pub(super) fn agree(question: &str, yes: bool) -> Result<(), Failure> {
    if yes || terminal::confirm(question, "--yes")? {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "not agreed to: nothing was signed"))
}
