//! `applier restore`: a configuration goes back to the recorder that it came from.

mod cut;
mod earlier;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use drive::EjectArgs;
use firmware::{Sha256Digest, Text};
use isapi::{Address, ConfigurationKey, Package};
use keys::{AgeIdentity, SigningKey};
use receipt::{Chain, Forgiven, Override};
use serde_json::json;
use stick::VerifiedPublication;
use terminal::{Exit, Fail, Failure, Output};

use super::apply;
use super::attend::attend;
use super::awake::Awake;
use super::backup::local_key_failure;
use super::clerk::{Clerk, WhoArgs};
use super::desk::Desk;
use super::device_key::DeviceKeyArgs;
use super::farewell::farewell;
use super::plan as plan_command;
use super::push::{Agreed, not_done};
use super::recorder::{Purpose, RecorderArgs, Session, record_failure};
use super::signals::UnderWay;
use crate::backup::{Manifest, UnsealError, unseal};
use crate::context::{Context, state_failure};
use crate::event::RunId;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::isolation::add_heard;
use crate::journal::Journals;
use crate::open_stick::OpenStick;
use crate::plan::{Options, RestoreOptions, RestorePlan, plan_restore};
use crate::presence::power::Power;
use crate::reason::reason;
use crate::restore::{self, Attempt, AttemptLog, Attempts, RestoreOutcome, Step};
use crate::run::{Deadlines, Payload, Restore};
use crate::state::State;
use earlier::Earlier;

pub(super) use earlier::{push_again, settle};

/// Put a configuration back on the recorder that it came from, watch it restart, and sign a receipt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier restore --stick /media/stick 192.168.1.64 FILE       applier backups lists the files
  applier restore --stick /media/stick 192.168.1.64 FILE --device-key-file key.txt
  applier restore --stick /media/stick 192.168.1.64 FILE --local-key-file other-laptop.txt
  applier restore --stick /media/stick 192.168.1.64 FILE --plan 3f9a…     if nothing has changed since

The stick says what the depot allows, and takes the receipt home.")]
pub struct Args {
    #[command(flatten)]
    recorder: RecorderArgs,
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    device_key: DeviceKeyArgs,
    /// Open the backup with the age identity in this file of mode 0600, not with this laptop's local key
    #[arg(long, value_name = "FILE")]
    local_key_file: Option<PathBuf>,
    #[command(flatten)]
    expiry: ExpiryArgs,
    /// Restore although another firmware exported this configuration, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_other_version: Option<Text>,
    /// Restore although this laptop runs on battery and less than half of it is left, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_battery: Option<Text>,
    /// Restore although somebody is logged in, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_logged_in: Option<Text>,
    /// Restore although this laptop is not alone with the recorder, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_networked_laptop: Option<Text>,
    /// Restore although nothing proves that an earlier push or restore is over, once the quiet period has
    /// passed since, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    push_again: Option<Text>,
    /// Only if the plan still has this digest
    #[arg(long, value_name = "DIGEST")]
    plan: Option<Sha256Digest>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: WhoArgs,
    /// Give up sending, or waiting for the answer, after this long without a byte
    #[arg(long, value_name = "SECONDS", default_value = "600", hide_short_help = true)]
    upload_timeout: u64,
    /// Give up waiting for its return after its restart after this long
    #[arg(long, value_name = "SECONDS", default_value = "300", hide_short_help = true)]
    return_timeout: u64,
    /// Allow no restore for so long after one that may still be going on
    #[arg(long, value_name = "SECONDS", default_value = "900", hide_short_help = true)]
    quiet_period: u64,
    #[command(flatten)]
    eject: EjectArgs,
}

impl Args {
    fn options(&self, session: &Session, power: Power, push_again: Option<Text>) -> RestoreOptions {
        let networked = self.allow_networked_laptop.as_ref();
        let common = Options {
            power,
            allow_battery: self.allow_battery.clone(),
            allow_logged_in: self.allow_logged_in.clone(),
            networked_laptop: networked.filter(|_| session.link.is_networked()).cloned(),
            plain_http: session.plain_http.clone(),
            push_again,
            ..Options::default()
        };
        RestoreOptions { allow_other_version: self.allow_other_version.clone(), common }
    }

    fn deadlines(&self) -> Deadlines {
        let seconds = Duration::from_secs;
        let (stalled, back) = (seconds(self.upload_timeout), seconds(self.return_timeout));
        // where nothing proves how the sending ended, the recorder is watched as long as for its return
        Deadlines { stalled, whole: stalled, back, quiet: back, ..Deadlines::default() }
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let (mut chain, key) = (state.chain().map_err(state_failure)?, apply::laptop_key(&state)?);
    let local_key = args.local_key_file.clone().unwrap_or_else(|| state.local_key());
    let local_key = AgeIdentity::open(&local_key).map_err(local_key_failure)?;
    let backup = unseal(&args.file, &local_key).map_err(unseal_failure)?;
    let stick = context.open_stick()?;
    let restored = from_backup(args, backup, &state, &stick, (&mut chain, &key), context);
    farewell(stick, args.eject, restored.is_ok(), &chain, &key, context);
    restored
}

/// All of it but the farewell to the stick.
fn from_backup(
    args: &Args,
    (manifest, file): (Manifest, File),
    state: &State,
    stick: &OpenStick,
    (chain, key): (&mut Chain, &SigningKey),
    context: &Context,
) -> Result<Exit, Failure> {
    let publication = context.verify(state, stick, &args.expiry)?;
    let accepted = args.expiry.accepted(&publication);
    let networked = args.allow_networked_laptop.as_ref();
    let awake = Awake::keep(Payload::Configuration, &args.recorder.address)?;
    let (mut session, inventory) = args.recorder.inspect(Purpose::Push(networked), state, context)?;
    let journals = Journals::open(&state.journals()).map_err(apply::journal_failure)?;
    let desk = Desk { state, journals: &journals, key, stick: Some(stick), context };
    let attempts = settle(&desk, &inventory, chain)?;
    let quiet = Duration::from_secs(args.quiet_period);
    let earlier = Earlier { pushes: &journals, restores: &attempts, quiet };
    let push_again = earlier.again(args.push_again.as_ref(), &inventory, (context.now)())?;
    let mut options = args.options(&session, plan_command::power(context), push_again);
    options.common.accept_expired.clone_from(&accepted);
    let mut facts = apply::facts(&args.who, &session, &publication, &journals, state, context)?;
    facts.accepted.clone_from(&accepted);
    let mut clerk = Clerk { chain, key, stick: Some(stick), facts, context };
    let plan = match decide(&inventory, &manifest, &publication, &options) {
        Ok(plan) => plan,
        Err(refusals) => {
            let configuration = crate::plan::configuration(&manifest);
            clerk.last_word(|facts, now| {
                restore::refused(facts, &inventory.device, &configuration, &refusals, now)
            });
            return Err(plan_command::refused(&inventory, &refusals, accepted.as_ref()));
        }
    };
    let package = Package::new(file, manifest.size, manifest.sha256).fail(Exit::Rejected)?;
    let device_key = manifest.device_key.then(|| args.device_key.needed()).transpose()?;
    awake.warn(context.output);
    agree(args, &plan, &clerk.facts.run, context.output)?;
    let deadlines = args.deadlines();
    let session = &mut session;
    let errand = Errand { plan: &plan, package, device_key, deadlines, session, awake: &awake };
    errand.put_back(attempts, &mut clerk)
}

fn decide(
    inventory: &Inventory,
    manifest: &Manifest,
    publication: &VerifiedPublication<'_>,
    options: &RestoreOptions,
) -> Result<RestorePlan, Vec<crate::plan::Refusal>> {
    plan_restore(inventory, manifest, &plan_command::directives(publication), options)
}

/// Shows the plan, and holds it to what was said.
fn agree(args: &Args, plan: &RestorePlan, run: &RunId, output: Output) -> Result<(), Failure> {
    let digest = plan.digest().fail(Exit::Internal)?;
    output.json(&json!({"event": "restore-planned", "run": run, "plan": plan, "digest": digest}));
    tell(plan, output)?;
    let noun = plan.device.noun();
    let question =
        format!("Put this configuration back? The {noun} restarts, and stops recording meanwhile.");
    let said = Agreed { plan: args.plan, yes: args.yes };
    said.holds(digest, &question, "read the new plan above, and give its digest if you agree to it")
}

/// What was agreed to, and what it takes.
struct Errand<'a> {
    plan: &'a RestorePlan,
    package: Package,
    device_key: Option<ConfigurationKey>,
    deadlines: Deadlines,
    session: &'a mut Session,
    awake: &'a Awake,
}

impl Errand<'_> {
    /// Puts it back, watches, and states how it ended.
    fn put_back(self, mut attempts: Attempts, clerk: &mut Clerk<'_>) -> Result<Exit, Failure> {
        let Self { plan, package, device_key, deadlines, session, awake } = self;
        let context = clerk.context;
        let digest = plan.digest().fail(Exit::Internal)?;
        session.still_alone()?;
        let attempt = Attempt {
            run: clerk.facts.run.clone(),
            serial: plan.device.serial.clone(),
            address: plan.address.clone(),
            configuration: plan.configuration.sha256,
            step: Step::Planned,
            last: clerk.facts.started,
            stated: false,
        };
        let log = AttemptLog::begin(&mut attempts, attempt).map_err(record_failure)?;
        clerk.state(|facts, _| restore::started(facts, plan, digest))?;
        if clerk.stick.is_some_and(OpenStick::takes_statements) {
            clerk.deliver();
        }
        let _under_way = UnderWay::begin().fail(Exit::Internal)?;
        let what = (Payload::Configuration, &plan.device.serial);
        let (outcome, noticed) =
            attend(session, what, awake, context, async |session, tell, stop, senses| {
                let (recorder, device_key, package) = (&session.recorder, device_key.as_ref(), &package);
                let restore = Restore { recorder, plan, package, device_key, deadlines, senses, log };
                restore.execute(context.now, tell, stop).await
            })?;
        let outcome = RestoreOutcome::from(outcome);
        clerk.facts.link.changes = noticed.changes;
        add_heard(&mut clerk.facts.link, &noticed.heard);
        if clerk.last_word(|facts, now| restore::ended(facts, plan, digest, &outcome, now))
            && let Err(error) = attempts.stated(&clerk.facts.run)
        {
            context.output.warn(anyhow::Error::from(error));
        }
        conclude(plan, session.recorder.address(), &outcome, context)
    }
}

/// The plan in words, its digest last.
fn tell(plan: &RestorePlan, output: Output) -> Result<(), Failure> {
    let (device, configuration) = (&plan.device, &plan.configuration);
    let noun = device.noun();
    output.data(format_args!("{noun:<10} {} {} at {}", device.model, device.serial, plan.address));
    output.data(format_args!("runs       {}", device.revision));
    output.data(format_args!(
        "restore    configuration of {}, exported by {}",
        configuration.taken.strftime("%F %H:%M UTC"),
        configuration.revision
    ));
    output.data(format_args!("SHA-256    {}, {} bytes", configuration.sha256, configuration.length));
    for note in &plan.notes {
        output.data(format_args!("note       {note}"));
    }
    for Forgiven { role, expires } in &plan.expired {
        output.data(format_args!("expired    {role} metadata, on {}, accepted", expires.strftime("%F")));
    }
    for Override { flag, reason } in &plan.overrides {
        output.data(format_args!("override   --{flag}: {reason}"));
    }
    output.data(format_args!("digest     {}", plan.digest().fail(Exit::Internal)?));
    Ok(())
}

fn conclude(
    plan: &RestorePlan,
    address: &Address,
    outcome: &RestoreOutcome,
    context: &Context,
) -> Result<Exit, Failure> {
    let (exit, serial) = (outcome.exit(), &plan.device.serial);
    if exit == Exit::Done {
        context.output.json(&json!({"outcome": outcome}));
        context.output.data(format_args!("restored: {serial} at {address}: {}", outcome.detail));
        return Ok(exit);
    }
    let failure = not_done(&plan.device, address, &outcome.result, &outcome.detail, exit);
    Err(failure.hint(outcome.hint()).with_data(json!({"outcome": outcome})))
}

fn unseal_failure(error: UnsealError) -> Failure {
    let (exit, hint) = match &error {
        UnsealError::Io { .. } => (Exit::Usage, "applier backups lists the files"),
        UnsealError::OtherKey(_) => {
            (Exit::Usage, "name the key of whom it was made for: --local-key-file FILE; it is no device key")
        }
        UnsealError::Rejected { .. } => (Exit::Rejected, "nothing was sent; use another backup"),
    };
    Failure::of(exit, error).hint(hint)
}
