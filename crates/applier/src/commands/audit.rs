//! `applier audit`: how a recorder is set up, held against what it should be.

mod state;
mod tell;

use std::io;
use std::path::{Path, PathBuf};

use firmware::Text;
use firmware::policy::AuditProfile;
use isapi::Address;
use keys::{AgeIdentity, durable};
use receipt::{Audit, Override};
use serde_json::{Value, json};
use stick::VerifiedPublication;
use terminal::{Exit, Fail, Failure};

use super::clerk::WhoArgs;
use super::recorder::{self, Purpose, RecorderArgs, Session};
use super::round::{Became, Round, RoundArgs, Row, Summary};
use crate::audit::{self, Check, Finding, Heading, Observed, Severity, Tls, checks};
use crate::backup::newest;
use crate::cameras::Told;
use crate::context::Context;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::open_stick::OpenStick;
use crate::state::State;

/// Hold how a recorder is set up against what it should be. Nothing is changed.
///
/// Every check is pass, fail, not offered (the recorder has no such function), manual (a person has to look) or
/// unknown (it could not be read). What was read, what was expected and how to mend it on the recorder are told. The
/// password that is typed is judged on this laptop and kept nowhere; which parts of the rule it breaks stands in the
/// report and in what is signed. With --stick, releases and
/// advisories of the publication are taken into account, and the result goes home on the stick as a signed statement;
/// without, it waits on this laptop.
///
/// Cameras behind the recorder stand beside the checks, with what advisories say of each; they are no checks, and
/// --fail-on does not look at them.
///
/// The audit ends with 0 whatever it finds: findings are its result. --fail-on makes an exit code of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier audit 192.168.1.64
  applier audit --stick /media/stick 192.168.1.64 --html audit.html
  applier audit --stick /media/stick --site harbour.toml --html audit.html   a page for each: audit-192.168.1.64.html
  applier audit --stick /media/stick 192.168.1.64 --profile segmented --fail-on high --password-file pass.txt --json")]
pub struct Args {
    #[command(flatten)]
    round: RoundArgs,
    /// By which standard: air-gapped, segmented or internet [default: that of the signed policy, else air-gapped]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<AuditProfile>,
    /// Write the result as one page of HTML; a file that is there is not replaced. Of several recorders each has its
    /// own page, FILE with the address in its name
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// End with 4 if a check of this severity or a worse one fails or could not be read
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<Severity>,
    #[command(flatten)]
    expiry: ExpiryArgs,
    #[command(flatten)]
    who: WhoArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let round = args.round.round()?;
    let pages: Vec<Option<PathBuf>> =
        round.stops.iter().map(|stop| args.page(&stop.address, &round)).collect();
    if let Some(path) = pages.iter().flatten().find(|path| path.exists()) {
        return Err(is_there(path));
    }
    let state = context.open_state()?;
    let checks = checks().fail(Exit::Internal)?;
    let stick = context.stick.as_ref().map(|_| context.open_stick()).transpose()?;
    let publication = match &stick {
        Some(stick) => Some(context.verify(&state, stick, &args.expiry)?),
        None => None,
    };
    let who = args.who.at(round.site.as_ref());
    let auditor = Auditor { args, who, checks, state: &state, stick: stick.as_ref(), publication, context };
    if !round.is_several() {
        return auditor.at(&round.stops[0], pages[0].as_deref(), &mut round.row(0));
    }
    // nothing is changed on any of them, so one that cannot be audited does not keep the others from it
    let mut summary = Summary::default();
    for (n, stop) in round.stops.iter().enumerate() {
        round.announce(n, context);
        let mut row = round.row(n);
        let ended = auditor.at(stop, pages[n].as_deref(), &mut row);
        if let Err(failure) = &ended {
            context.output.warn(format_args!("{:#}", failure.error));
        }
        summary.add(row, ended);
    }
    summary.conclude(std::iter::empty(), "the others were audited; name this one alone to try again", context)
}

impl Args {
    /// The page of a recorder.
    fn page(&self, address: &Address, round: &Round) -> Option<PathBuf> {
        let path = self.html.as_ref()?;
        if !round.is_several() {
            return Some(path.clone());
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let address: String = address.to_string().chars().map(plain).collect();
        let mut name = path.file_stem()?.to_owned();
        name.push(format!("-{}", address.trim_matches('-')));
        let mut named = path.with_file_name(name).into_os_string();
        // what follows a point in an address is no extension
        named.push(path.extension().map_or_else(String::new, |e| format!(".{}", e.display())));
        Some(named.into())
    }
}

/// What is the same for every recorder.
struct Auditor<'a> {
    args: &'a Args,
    who: WhoArgs,
    checks: Vec<Check>,
    state: &'a State,
    stick: Option<&'a OpenStick>,
    publication: Option<VerifiedPublication<'a>>,
    context: &'a Context,
}

impl Auditor<'_> {
    fn at(&self, recorder: &RecorderArgs, page: Option<&Path>, row: &mut Row) -> Result<Exit, Failure> {
        let Self { args, checks, state, stick, context, .. } = self;
        let publication = self.publication.as_ref();
        let (session, inventory) = recorder.inspect(Purpose::Read, state, context)?;
        row.met(&inventory);
        let clock = tuf_client::read_clock(&state.trust_store(), context.clock).fail(Exit::Internal)?;
        let observed = observe(&session, &inventory, publication, state, context, clock.start)?;
        let baseline = publication.map(|p| p.policy().map(|p| p.document().audit_baseline));
        let profile = args.profile.or(baseline.flatten()).unwrap_or_default();
        let findings = audit::audit(&observed, profile, checks);
        let advisories = publication.and_then(VerifiedPublication::advisories);
        let accepted = publication.and_then(|publication| args.expiry.accepted(publication));
        let overrides = [
            session.plain_http.clone().map(|reason| Override { flag: Text::cleaned("plain-http"), reason }),
            accepted.as_ref().map(crate::plan::AcceptedExpired::as_override),
        ];
        let statement = Audit {
            device: inventory.device.clone(),
            profile,
            baseline: baseline.flatten(),
            checks: findings.iter().map(|f| (Text::cleaned(f.id.as_str()), f.result)).collect(),
            counts: audit::counts(&findings),
            advisories: advisories
                .map(|signed| audit::advisories(signed.document(), signed.sha256(), &inventory.device)),
            overrides: overrides.into_iter().flatten().collect(),
            link: session.link.facts().clone(),
            audited: observed.now,
        };
        let heading = heading(&inventory.address, &statement, publication);
        let cameras = Told::of(&inventory, observed.advisories);
        tell::tell(&heading, &findings, &cameras.lines(&inventory.device), context.output);
        let place = state::state(&self.who, &statement, state, *stick, publication, &clock, context)?;
        if let Some(path) = page {
            write_page(path, &heading, &findings, &cameras)?;
            context.output.data(format_args!("page         {}", path.display()));
        }
        let mut document = document(&inventory.address, &statement, &findings, place);
        cameras.join(&mut document);
        conclude(args, &inventory.address, &document, &findings, context)?;
        row.result = Became::Audited;
        Ok(Exit::Done)
    }
}

/// Reads the rest of what the checks look at.
fn observe<'a>(
    session: &Session,
    inventory: &'a Inventory,
    publication: Option<&'a VerifiedPublication<'_>>,
    state: &State,
    context: &Context,
    start: tuf_client::StartTime,
) -> Result<Observed<'a>, Failure> {
    let failed = |error| recorder::failure(error, &inventory.address);
    let read = audit::readings(&session.recorder, context.now);
    let readings = session.runtime.block_on(read).map_err(failed)?;
    let tls = if session.certificate.is_some() {
        let tls = audit::tls(&inventory.address, session.link.interface());
        session.runtime.block_on(tls).map_err(failed)?
    } else {
        Tls::PlainText
    };
    // without a local key nothing was ever kept
    let key = AgeIdentity::open(&state.local_key()).ok();
    let backup = key.and_then(|key| newest(&state.backups(), &inventory.device.serial, &key).ok()?);
    Ok(Observed {
        device: &inventory.device,
        readings,
        tls,
        password: session.password,
        backup,
        releases: publication.map(|p| p.releases().iter().map(stick::SignedRelease::release).collect()),
        advisories: publication.and_then(|p| p.advisories()).map(stick::SignedDocument::document),
        now: (context.now)(),
        clock_trusted: start.system_behind().is_zero(),
    })
}

fn heading(address: &Address, audit: &Audit, publication: Option<&VerifiedPublication<'_>>) -> Heading {
    let device = &audit.device;
    let standard = match (audit.baseline, publication) {
        (Some(baseline), _) if baseline == audit.profile => "the baseline of the signed policy".into(),
        (Some(baseline), _) => format!("the signed policy names {baseline}"),
        (None, Some(_)) => "no policy is signed in this publication".into(),
        (None, None) => "no policy at hand".into(),
    };
    let mut rows = vec![
        (device.noun(), format!("{} {}", device.model, device.serial)),
        ("runs", device.revision.to_string()),
    ];
    rows.extend(device.name.as_ref().map(|name| ("name", name.to_string())));
    rows.push(("address", format!("{address}, {}", audit.link.kind)));
    rows.push(("profile", format!("{}, {standard}", audit.profile)));
    rows.push(("audited", format!("{} by this laptop's clock", audit.audited.strftime("%F %H:%M UTC"))));
    let mut remarks = Vec::new();
    match &audit.advisories {
        Some(advisories) => rows.push(("advisories", format!("as of {}", advisories.collected))),
        None => {
            remarks.push("no advisory table at hand: whether published weaknesses match is not known".into());
        }
    }
    let reasons = audit.link.reasons.iter();
    remarks.extend(reasons.map(|reason| format!("this laptop was not alone with the recorder: {reason}")));
    for Override { flag, reason } in &audit.overrides {
        remarks.push(format!("--{flag}: {reason}"));
    }
    Heading { rows, remarks }
}

/// The one document of `--json`.
fn document(address: &Address, audit: &Audit, findings: &[Finding], statement: Option<u64>) -> Value {
    let findings: Vec<Value> = findings.iter().map(|finding| json!(finding)).collect();
    json!({
        "format": 1, "address": address, "device": audit.device, "profile": audit.profile,
        "baseline": audit.baseline, "audited": audit.audited, "counts": audit.counts,
        "advisories": audit.advisories, "overrides": audit.overrides, "link": audit.link,
        "findings": findings, "statement": statement,
    })
}

fn conclude(
    args: &Args,
    address: &Address,
    document: &Value,
    findings: &[Finding],
    context: &Context,
) -> Result<Exit, Failure> {
    let failed: Vec<&str> = match args.fail_on {
        None => Vec::new(),
        Some(severity) => {
            let of = findings.iter().filter(|f| f.has_failed() && f.severity <= severity);
            of.map(|finding| finding.id.as_str()).collect()
        }
    };
    let Some(severity) = args.fail_on.filter(|_| !failed.is_empty()) else {
        context.output.json(document);
        return Ok(Exit::Done);
    };
    let message = format!(
        "recorder {address}: audited, and not as it should be: {} fail or could not be read, at {severity} or worse",
        failed.join(", ")
    );
    Err(Failure::new(Exit::Refused, message)
        .hint("the recorder was not changed; what to do about each stands with it")
        .with_data(document.clone()))
}

fn write_page(
    path: &Path,
    heading: &Heading,
    findings: &[Finding],
    cameras: &Told<'_>,
) -> Result<(), Failure> {
    let page = audit::page(heading, findings, cameras).fail(Exit::Internal)?;
    // of who can read it: it is a list of what is weak
    durable::create_new(path, page.as_bytes(), 0o600).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => is_there(path),
        _ => Failure::of(Exit::Usage, error)
            .context(format!("page {}", path.display()))
            .hint("the audit was made, and stands above; name a place that can be written"),
    })
}

fn is_there(path: &Path) -> Failure {
    Failure::new(Exit::Usage, format!("page {}: there is such a file, and it was left alone", path.display()))
        .hint("name another file, or move that one away")
}
