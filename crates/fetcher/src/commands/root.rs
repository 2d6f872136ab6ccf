//! `fetcher root`: the root that laptops believe, and who may sign what.

mod change;
mod show;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use terminal::{Exit, Failure};
use tuf_client::Role;

use super::sign;
use super::signing::{SigningArgs, StageArgs};
use crate::context::Context;

/// Show and change the root that laptops believe: whose signatures count, and how many are needed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher root show                            the fingerprint to read to the person at a laptop
  fetcher root add-key targets kim.pub         Kim may approve, too
  fetcher root threshold targets 2             two approvers have to sign from now on
  fetcher root remove-key targets 3f9a01c2     Kim may not any more
  fetcher root rotate timestamp                a new unattended key, after the old one may have been copied
  fetcher root renew --keys /media/keys        the same for another two years

Laptops follow to a new root by themselves. Where several people have to sign it, it waits for them: fetcher sign.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show version, fingerprint, expiry, keys and thresholds
    Show,
    /// Let one more key sign for a role
    AddKey {
        /// root or targets
        role: RoleName,
        /// Its public key, as fetcher keys new writes it
        #[arg(value_name = "FILE.pub")]
        public_key: PathBuf,
        /// Refuse the file unless it has this fingerprint, which came another way
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<String>,
        /// How many have to sign from now on
        #[arg(long, value_name = "K")]
        threshold: Option<u64>,
        #[command(flatten)]
        how: How,
    },
    /// Let a key sign no more: somebody has left, or it may have been copied
    RemoveKey {
        /// root or targets
        role: RoleName,
        /// Its fingerprint, or the first digits of it
        #[arg(value_name = "HEX")]
        fingerprint: String,
        /// How many have to sign from now on
        #[arg(long, value_name = "K")]
        threshold: Option<u64>,
        #[command(flatten)]
        how: How,
    },
    /// Say how many keys of a role have to sign
    Threshold {
        /// root or targets
        role: RoleName,
        /// How many
        #[arg(value_name = "K")]
        threshold: u64,
        #[command(flatten)]
        how: How,
    },
    /// Put a new key, made here, in the place of one of a role
    Rotate {
        /// The role
        role: RoleName,
        /// Which of several keys goes: its fingerprint, or the first digits of it
        #[arg(long, value_name = "HEX")]
        replace: Option<String>,
        /// Do not encrypt the new key
        #[arg(long)]
        unencrypted: bool,
        #[command(flatten)]
        how: How,
    },
    /// Sign the root again as it is, for another two years
    Renew {
        #[command(flatten)]
        how: How,
    },
    /// Sign what others prepared: the same as fetcher sign
    Sign(sign::Args),
}

/// Who signs, and when.
#[derive(Debug, Clone, clap::Args)]
struct How {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

/// A role, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    Root,
    Targets,
    Snapshot,
    Timestamp,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Root => Self::Root,
            RoleName::Targets => Self::Targets,
            RoleName::Snapshot => Self::Snapshot,
            RoleName::Timestamp => Self::Timestamp,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.command {
        Command::Show => show::run(context),
        Command::Sign(args) => sign::run(args, context),
        Command::AddKey { role, public_key, fingerprint, threshold, how } => {
            let key = change::public_key(public_key, fingerprint.as_deref())?;
            let role = change::with_people(*role)?;
            change::run(how, context, |roles| change::add(roles.signers_mut(role), role, key, *threshold))
        }
        Command::RemoveKey { role, fingerprint, threshold, how } => {
            let role = change::with_people(*role)?;
            if role == Role::Targets {
                context.output.note("what that key approved stays approved: fetcher withdraw takes it back");
            }
            change::run(how, context, |roles| {
                change::remove(roles.signers_mut(role), role, fingerprint, *threshold)
            })
        }
        Command::Threshold { role, threshold, how } => {
            let role = change::with_people(*role)?;
            change::run(how, context, |roles| {
                roles.signers_mut(role).threshold = *threshold;
                Ok(())
            })
        }
        Command::Renew { how } => change::run(how, context, |_| Ok(())),
        Command::Rotate { role, replace, unencrypted, how } => {
            change::rotate((*role).into(), replace.as_deref(), *unencrypted, how, context)
        }
    }
}
