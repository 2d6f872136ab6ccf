//! `applier verify`: what is on a stick, and whether it is whole.

use firmware::Model;
use serde_json::json;
use stick::{SignedRelease, VerifiedPublication, statements};
use terminal::{Count, Exit, Fail, Failure, Progress};

use crate::context::{Context, state_failure};
use crate::expiry::ExpiryArgs;
use crate::verify::{self, Carried};

/// Check a stick: signatures, versions, expiry, and every firmware file on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier verify --stick /media/stick
  applier verify --stick /media/stick --model DS-7608NI-I2    does it cover that recorder?
  applier verify --stick courier.tar                          a file that fetcher export wrote")]
pub struct Args {
    /// Only what is for this model; ends with 4 if nothing of it is carried
    #[arg(long, value_name = "MODEL")]
    model: Option<Model>,
    #[command(flatten)]
    expiry: ExpiryArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let stick = context.open_stick()?;
    let publication = context.verify(&state, &stick, &args.expiry)?;
    let output = context.output;
    if !output.is_json() {
        tell_metadata(&publication, context);
    }
    let wanted = |r: &&SignedRelease| args.model.as_ref().is_none_or(|model| r.release().lists(model));
    let mut files = Vec::new();
    for release in publication.releases().iter().filter(wanted) {
        let label = format!("checking {}", release.release().id);
        let carried = publication.carries(release).fail(Exit::Stick)?;
        let mut progress = carried.then(|| Progress::bytes(output, &label, Some(release.length())));
        let found = verify::firmware(&publication, release, &mut |bytes| {
            if let Some(progress) = &mut progress {
                progress.set(bytes);
            }
        });
        if let Some(progress) = progress {
            progress.finish();
        }
        let found = found.fail(Exit::Stick)?;
        output.data(line(release, found));
        files.push((release, found));
    }
    let chain = state.chain().map_err(state_failure)?;
    let undelivered = match state.laptop().map_err(state_failure)? {
        Some(laptop) => {
            // neither on this stick nor at the depot
            let arrived = publication.acknowledged(&laptop);
            statements::undelivered(stick.tree(), &chain, &laptop, arrived).fail(Exit::Stick)?.len()
        }
        None => 0,
    };
    if undelivered > 0 {
        output.data(format_args!(
            "{} of this laptop not on this stick: applier receipts --copy-to PATH",
            Count(undelivered, "statement")
        ));
    }
    let known = json!({
        "publication": publication.publication(), "good_until": publication.metadata().good_until(),
        "releases": files.iter().map(|(r, c)| json!({"release": r, "carried": c})).collect::<Vec<_>>(),
        "undelivered_statements": undelivered, "accept_expired": args.expiry.accepted(&publication),
    });
    match verdict(args, &files) {
        Ok(words) => {
            output.json(&known);
            output.data(words);
            Ok(Exit::Done)
        }
        Err(failure) => Err(failure.with_data(known)),
    }
}

fn tell_metadata(publication: &VerifiedPublication<'_>, context: &Context) {
    let (output, metadata) = (context.output, publication.metadata());
    let roles = [
        ("root", metadata.root().version(), metadata.root().expires()),
        ("timestamp", metadata.timestamp().version(), metadata.timestamp().expires()),
        ("snapshot", metadata.snapshot().version(), metadata.snapshot().expires()),
        ("targets", metadata.targets().version(), metadata.targets().expires()),
    ];
    for (role, version, expires) in roles {
        let expired = expires <= publication.start().now();
        let (word, until) = if expired { ("OLD", "EXPIRED on") } else { ("ok ", "good until") };
        output.data(format_args!(
            "{word} {role:<10} version {version}, signed, {until} {}",
            expires.strftime("%F")
        ));
    }
}

fn line(release: &SignedRelease, found: Carried) -> String {
    let Carried::Whole = found else {
        let word = if found == Carried::Damaged { "BAD " } else { "--  " };
        let what =
            if found == Carried::Damaged { "damaged or exchanged" } else { "not carried on this stick" };
        return format!("{word}{}  {what}", release.release().id);
    };
    let models: Vec<&str> = release.release().models.iter().map(Model::as_str).collect();
    let (id, revision) = (&release.release().id, &release.release().revision);
    format!("ok  {id}  {revision}, {} bytes, for {}", release.length(), models.join(" "))
}

fn verdict(args: &Args, files: &[(&SignedRelease, Carried)]) -> Result<String, Failure> {
    let count = |wanted: Carried| files.iter().filter(|(_, found)| *found == wanted).count();
    let (whole, damaged) = (count(Carried::Whole), count(Carried::Damaged));
    if damaged > 0 {
        let message = format!("stick: {} damaged or exchanged", Count(damaged, "firmware file"));
        return Err(Failure::new(Exit::Rejected, message)
            .hint("load the stick again at the depot; nothing of a damaged file is ever pushed"));
    }
    if let (Some(model), 0) = (&args.model, whole) {
        return Err(Failure::new(Exit::Refused, format!("stick: carries no firmware for {model}"))
            .hint(format!("at the depot: fetcher load --model {model}")));
    }
    let missing = count(Carried::NotCarried);
    Ok(format!("{} carried and whole, {missing} approved but not carried", Count(whole, "release")))
}
