//! `applier find`: recorders on the cable.

use ::link::{Effort, Findings, Found, How, Snapshot, candidates, find};
use serde_json::json;
use terminal::{Count, Exit, Fail, Failure};

use crate::context::{Context, link_failure};

/// Look for recorders on the cable: by SADP, and by whoever speaks ARP. Nothing is changed on them, and no
/// password is sent. As administrator it sees more: frames that this laptop drops.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier find                         on every Ethernet interface that has somebody at its other end
  sudo applier find --interface eth0   on this one, frames included
  applier find --json | jq '.interfaces[].devices[].ipv4'")]
pub struct Args {
    /// The interface with the cable; may be given again
    #[arg(long, value_name = "NAME")]
    interface: Vec<String>,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let output = context.output;
    let interfaces = interfaces(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for name in &interfaces {
        output.note(format_args!("looking on {name}"));
        match runtime.block_on(find(name, Effort::default())) {
            Ok(findings) => all.push(findings),
            Err(error) => failures.push((name, link_failure(error))),
        }
    }
    if all.is_empty() && !failures.is_empty() {
        return Err(failures.swap_remove(0).1);
    }
    // what the others heard is worth as much
    for (name, failure) in &failures {
        output.warn(format_args!("not looked on {name}: {:#}", failure.error));
    }
    for findings in &all {
        tell(findings, context);
    }
    let devices: usize = all.iter().map(|findings| findings.devices.len()).sum();
    output
        .data(format_args!("{} found; what they say of themselves proves nothing", Count(devices, "device")));
    let failed: Vec<_> = failures
        .iter()
        .map(|(name, failure)| json!({"interface": name, "why": format!("{:#}", failure.error)}))
        .collect();
    let found = json!({"interfaces": all, "failed": failed});
    if devices == 0 {
        let hints = all.iter().flat_map(|findings| &findings.hints).map(ToString::to_string);
        let hints: Vec<String> = hints.collect();
        return Err(Failure::new(Exit::Unreachable, "cable: no recorder answered")
            .maybe_hint((!hints.is_empty()).then(|| hints.join("\n")).as_deref())
            .with_data(found));
    }
    output.json(&found);
    Ok(Exit::Done)
}

fn interfaces(args: &Args) -> Result<Vec<String>, Failure> {
    if !args.interface.is_empty() {
        return Ok(args.interface.clone());
    }
    let snapshot = Snapshot::read().map_err(link_failure)?;
    let found = candidates(&snapshot);
    let plugged = found.iter().filter(|interface| interface.carrier);
    let names: Vec<String> = plugged.map(|interface| interface.name.clone()).collect();
    if !names.is_empty() {
        return Ok(names);
    }
    let there: Vec<&str> = found.iter().map(|interface| interface.name.as_str()).collect();
    let message = if there.is_empty() {
        "cable: this laptop has no Ethernet interface that is switched on".to_owned()
    } else {
        format!("cable: nobody at the other end of {}", there.join(", "))
    };
    Err(Failure::new(Exit::Unreachable, message)
        .hint("plug the cable in and switch the recorder on; an interface that is off: ip link set NAME up"))
}

fn tell(findings: &Findings, context: &Context) {
    let output = context.output;
    for found in &findings.devices {
        output.data(line(found));
    }
    for host in findings.hosts.iter().filter(|host| !is_device(findings, host.ip)) {
        output.data(format_args!("host       {}  {}  on {}", host.ip, host.mac, findings.interface));
    }
    for rejected in &findings.rejected {
        output.warn(format_args!("{} sent what no recorder sends: {}", rejected.from, rejected.why));
    }
    // where nobody is found they are what to do now
    for hint in findings.hints.iter().filter(|_| !findings.devices.is_empty()) {
        output.note(hint);
    }
}

fn is_device(findings: &Findings, ip: std::net::Ipv4Addr) -> bool {
    findings
        .devices
        .iter()
        .any(|found| found.from == ip || found.device.ipv4.is_some_and(|net| net.addr() == ip))
}

fn line(found: &Found) -> String {
    let device = &found.device;
    let or = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let model = or(device.model.as_ref().map(ToString::to_string));
    let serial = or(device.serial.as_ref().map(|serial| serial.as_str().to_owned()));
    let address = or(device.ipv4.map(|net| net.to_string()));
    let revision = device.revision.as_ref().map(ToString::to_string);
    let revision = or(revision.or_else(|| device.software.as_ref().map(ToString::to_string)));
    let activated =
        if device.activated == Some(false) { "  NOT ACTIVATED: it has no password yet" } else { "" };
    let how = if found.how.contains(&How::Answer) { "" } else { "  (announced itself)" };
    format!("recorder   {model}  {address}  {serial}  {revision}{activated}{how}")
}
