//! `fetcher sign`: sign what others prepared, and publish it once enough have.

use std::path::{Path, PathBuf};

use keys::durable;
use serde_json::json;
use terminal::{Exit, Fail, Failure};
use tuf_repository::SigningEvent;

use super::approve::show_proposed;
use super::signing::{self, SigningArgs, agree, event_failure, open_event, read_event};
use super::{proposal, publication_failure};
use crate::context::{Context, home_failure};
use crate::home::{Home, HomeError};
use crate::publication::Publication;

/// Look at what others prepared (fetcher approve, withdraw, root), sign it, and publish it at its
/// depot once enough have signed. Needs no depot: an approver's machine has a key and the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher sign /media/stick/signing-event.json --key kim.pem --root-fingerprint 3f9a…
                                                                 an approver, on a machine of their own
  fetcher sign /media/stick/signing-event.json                   at the depot: take the signatures in
  fetcher sign --discard                                         at the depot: give it up")]
pub struct Args {
    /// The file that the depot prepared
    #[arg(required_unless_present = "discard", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Drop what is open at this depot; nothing of it is published
    #[arg(long, conflicts_with_all = ["file", "key", "keys", "root_fingerprint"])]
    discard: bool,
    /// The fingerprint of the depot's root, which came another way (fetcher root show, at the depot);
    /// anywhere else than at the depot it has to be typed or given: a file made under another root
    /// could call approved what nobody approved
    #[arg(long, value_name = "HEX")]
    root_fingerprint: Option<String>,
    #[command(flatten)]
    signing: SigningArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.file {
        Some(file) => sign(file, args.root_fingerprint.as_deref(), &args.signing, context),
        None => discard(&args.signing, context),
    }
}

fn sign(
    file: &Path,
    root_fingerprint: Option<&str>,
    args: &SigningArgs,
    context: &Context,
) -> Result<Exit, Failure> {
    let mut event = read_event(file)?;
    let depot = Depot::of(&event, file, context)?;
    match (root_fingerprint, &depot) {
        (Some(fingerprint), _) => must_stand_under(&event, fingerprint, file)?,
        (None, Some(_)) => {}
        // whoever made the file chose that root, and what is "as before" under it
        (None, None) => {
            let question =
                "Fingerprint of the depot's root, as the depot reads it to you (fetcher root show)";
            must_stand_under(&event, &terminal::typed(question, "--root-fingerprint HEX")?, file)?;
        }
    }
    let open = match &depot {
        Some(depot) => open_event(&depot.home, &depot.publication)?,
        None => None,
    };
    if let Some(open) = &open {
        event.join(open).map_err(|error| event_failure(error, file))?;
    }
    proposal::tell(&event, context);
    show_proposed(&event, context);
    if depot.is_some() && open.is_none() {
        agree(
            "This is not open at this depot: it was dropped, or prepared elsewhere. Take it in all the same?",
            args.yes,
        )?;
    }
    let asked_to = !args.key.is_empty() || args.keys.is_some();
    if asked_to || !is_finished(&event, file)? {
        add_signatures(&mut event, depot.as_ref(), args)?;
        write_back(&event, file)?;
    }
    let finished = event.finish().map_err(|error| event_failure(error, file))?;
    match (finished, depot) {
        (Some(finished), Some(Depot { home, publication })) => {
            signing::publish(&finished, publication, &home, context)
        }
        (finished, depot) => {
            if let Some(depot) = &depot {
                signing::keep(&event, &depot.home)?;
            }
            tell_next(&event, file, finished.is_some(), context);
            Ok(Exit::Done)
        }
    }
}

/// Everything in an event is the word of whoever made it, what it calls current included: under a root of
/// their own, firmware that nobody approved stands there as approved before.
fn must_stand_under(event: &SigningEvent, fingerprint: &str, file: &Path) -> Result<(), Failure> {
    let wanted: String = fingerprint.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let found = event.current().0.sha256();
    if found.eq_ignore_ascii_case(&wanted) {
        return Ok(());
    }
    let message = format!(
        "signing event {}: root fingerprint is {found}, expected {wanted}; nothing was signed",
        file.display()
    );
    Err(Failure::new(Exit::Rejected, message)
        .hint("ask the depot for the fingerprint again (fetcher root show), and who made this file"))
}

fn write_back(event: &SigningEvent, file: &Path) -> Result<(), Failure> {
    durable::write_atomic(file, &event.to_bytes(), 0o644).fail(Exit::Stick).map_err(|failure| {
        failure.context(format!("signing event {}: cannot be written back", file.display())).hint(
            "the signature is in no file yet: copy the file to a folder that can be written, and sign it there",
        )
    })
}

fn is_finished(event: &SigningEvent, file: &Path) -> Result<bool, Failure> {
    Ok(event.finish().map_err(|error| event_failure(error, file))?.is_some())
}

/// Signs, if a person agrees, with the keys that are named or that lie in the depot's home.
fn add_signatures(
    event: &mut SigningEvent,
    depot: Option<&Depot>,
    args: &SigningArgs,
) -> Result<(), Failure> {
    let home_keys = depot.map(|depot| depot.home.keys());
    let mut signed = event.clone();
    if signing::sign(&mut signed, args, home_keys.as_deref())? == 0 {
        // at the depot, what is open may have been complemented by the file all the same
        return match depot {
            Some(_) => Ok(()),
            None => {
                Err(Failure::new(Exit::Usage, format!("nothing to sign with: {}", signing::summary(event)))
                    .hint("give your key file: --key FILE"))
            }
        };
    }
    agree("Sign this?", args.yes)?;
    *event = signed;
    Ok(())
}

fn tell_next(event: &SigningEvent, file: &Path, finished: bool, context: &Context) {
    let standing = signing::standing(event);
    context
        .output
        .json(&json!({"published": false, "event": file, "complete": finished, "standing": standing}));
    signing::tell_standing(event, context);
    context.output.data(if finished {
        "enough have signed: carry the file back to the depot and give it to fetcher sign there"
    } else {
        "more have to sign: carry the file to them, then back to the depot"
    });
}

fn discard(args: &SigningArgs, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let Some(event) = open_event(&home, &publication)? else {
        context.output.json(&json!({"discarded": false}));
        context.output.data("nothing is open here");
        return Ok(Exit::Done);
    };
    proposal::tell(&event, context);
    agree("Drop this?", args.yes)?;
    durable::remove(&home.signing_event()).fail(Exit::Internal)?;
    context.output.json(&json!({"discarded": true}));
    context.output.data("dropped: the publication stays as it was");
    Ok(Exit::Done)
}

/// The depot at which an event can be published.
struct Depot {
    home: Home,
    publication: Publication,
}

impl Depot {
    /// The depot that made it, if its home is on this machine; others only sign.
    fn of(event: &SigningEvent, file: &Path, context: &Context) -> Result<Option<Self>, Failure> {
        let home = match Home::open(&context.home_dir()?) {
            Err(HomeError::Missing(_)) => return Ok(None),
            home => home.map_err(home_failure)?,
        };
        let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
        let (root, _) = event.current();
        if !publication.has_root(root) {
            return Ok(None);
        }
        event
            .must_be_over(publication.root(), &publication.current().targets)
            .map_err(|error| event_failure(error, file))?;
        Ok(Some(Self { home, publication }))
    }
}
