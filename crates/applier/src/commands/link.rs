//! `applier link`: a temporary address in the recorder's subnet.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use ::link::temporary::{Pace, Removal, Temporary, Wish, probe};
use ::link::{Snapshot, candidates};
use clap::Subcommand;
use ipnet::Ipv4Net;
use serde_json::json;
use terminal::{Count, Exit, Fail, Failure};

use super::recorder::record_failure;
use crate::context::{Context, link_failure};
use crate::record;

/// Give this laptop an address in the recorder's subnet, and take it away again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo applier link up 192.168.1.64                  a free address beside that recorder, for two hours
  sudo applier link up 10.0.5.9/22 --interface eth0
  sudo applier link down                             takes away what was added, and nothing else

The address is asked for before it is used, so that nobody else has it. The kernel takes it away by itself when
its time is over, also after a crash.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add an address beside a recorder's
    Up {
        /// The recorder's address, with the prefix length of its subnet if it is not 24
        #[arg(value_name = "ADDRESS[/PREFIX]", value_parser = recorder)]
        recorder: Ipv4Net,
        /// The interface with the cable
        #[arg(long, value_name = "NAME")]
        interface: Option<String>,
        /// This address and no other
        #[arg(long, value_name = "ADDRESS")]
        address: Option<Ipv4Addr>,
        /// For how long
        #[arg(long, value_name = "MINUTES", default_value = "120", value_parser = clap::value_parser!(u32).range(1..=1440))]
        minutes: u32,
    },
    /// Take away every address that was added
    Down,
}

/// `192.168.1.64`, or with a prefix length.
fn recorder(text: &str) -> Result<Ipv4Net, String> {
    if text.contains('/') {
        return text.parse().map_err(|error: ipnet::AddrParseError| error.to_string());
    }
    let address: Ipv4Addr = text.parse().map_err(|error: std::net::AddrParseError| error.to_string())?;
    Ipv4Net::new(address, 24).map_err(|error| error.to_string())
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let path = state.temporary_addresses();
    match &args.command {
        Command::Up { recorder, interface, address, minutes } => {
            let interface = match interface {
                Some(name) => name.clone(),
                None => the_cable()?,
            };
            up(&path, *recorder, &interface, *address, *minutes, context)
        }
        Command::Down => down(&path, context),
    }
}

/// The one interface with somebody at its other end.
fn the_cable() -> Result<String, Failure> {
    let snapshot = Snapshot::read().map_err(link_failure)?;
    let plugged: Vec<&str> =
        candidates(&snapshot).into_iter().filter(|i| i.carrier).map(|i| i.name.as_str()).collect();
    match plugged[..] {
        [one] => Ok(one.to_owned()),
        [] => Err(Failure::new(
            Exit::Unreachable,
            "cable: no Ethernet interface has anybody at its other end",
        )
        .hint("plug the cable in and switch the recorder on; an interface that is off: ip link set NAME up")),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("cable: several interfaces are plugged: {}", plugged.join(", ")),
        )
        .hint("say which one with --interface NAME")),
    }
}

fn up(
    path: &Path,
    recorder: Ipv4Net,
    interface: &str,
    address: Option<Ipv4Addr>,
    minutes: u32,
    context: &Context,
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
    context.output.note(format_args!("asking on {interface} who is in {}", recorder.trunc()));
    let wish = Wish { interface, recorder, avoid: &[], address };
    let probed = runtime.block_on(probe(wish, Pace::default())).map_err(link_failure)?;
    // written down before it is there: a record without its address does no harm
    let mut added = record::read::<Temporary>(path).map_err(record_failure)?;
    added.push(probed.record().clone());
    record::write(path, &added).map_err(record_failure)?;
    let temporary = probed.bring_up(Duration::from_secs(u64::from(minutes) * 60)).map_err(link_failure)?;
    context.output.json(&json!({
        "interface": temporary.interface(), "address": temporary.address(), "minutes": minutes,
    }));
    context.output.data(format_args!(
        "{} has {} for {minutes} minutes; applier link down takes it away earlier",
        temporary.interface(),
        temporary.address()
    ));
    Ok(Exit::Done)
}

fn down(path: &Path, context: &Context) -> Result<Exit, Failure> {
    let (mut removed, mut kept, mut failure) = (Vec::new(), Vec::new(), None);
    for temporary in record::read::<Temporary>(path).map_err(record_failure)? {
        match temporary.remove() {
            Ok(Removal::Removed) => removed.push(temporary),
            Ok(Removal::AlreadyGone) => {}
            Ok(Removal::NotOurs) => context.output.warn(format_args!(
                "{} on {} is not the address that was added: it was left",
                temporary.address(),
                temporary.interface()
            )),
            Err(error) => {
                failure = Some(link_failure(error));
                kept.push(temporary);
            }
        }
    }
    record::write(path, &kept).map_err(record_failure)?;
    let addresses: Vec<Ipv4Net> = removed.iter().map(Temporary::address).collect();
    context.output.json(&json!({"removed": addresses}));
    for temporary in &removed {
        context.output.data(format_args!(
            "{} was taken away from {}",
            temporary.address(),
            temporary.interface()
        ));
    }
    context.output.data(format_args!("{} taken away", Count(removed.len(), "address")));
    failure.map_or(Ok(Exit::Done), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_is_in_a_subnet_of_24_bits_unless_another_is_given() {
        assert_eq!(recorder("192.168.1.64").unwrap().to_string(), "192.168.1.64/24");
        assert_eq!(recorder("10.0.5.9/22").unwrap().to_string(), "10.0.5.9/22");
        for text in ["", "192.168.1", "192.168.1.64/33", "recorder", "fe80::1"] {
            assert!(recorder(text).is_err(), "{text}");
        }
    }
}
