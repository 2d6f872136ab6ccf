//! What becomes of a stick at the end: ejected, or left as somebody else mounted it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use terminal::{Failure, Output};

use crate::eject::Ejected;
use crate::error::NotSafe;
use crate::medium::Medium;

/// Whether a stick is ejected at the end.
#[derive(Debug, Clone, Copy, Args)]
pub struct EjectArgs {
    /// Do not eject the stick at the end; what this program mounted is unmounted
    #[arg(long)]
    no_eject: bool,
    /// Eject the stick at the end without asking, even if somebody else mounted it
    #[arg(long, conflicts_with = "no_eject")]
    eject: bool,
}

/// How a stick was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Parting {
    /// Nothing of it is mounted, and it was switched off where that is possible.
    Ejected {
        /// Whether it was switched off.
        powered_off: bool,
    },
    /// Nothing of it is mounted.
    Unmounted,
    /// Mounted, as it was found.
    Left {
        /// Where.
        folder: PathBuf,
    },
}

impl Parting {
    /// Whether it may be pulled out.
    pub fn is_safe(&self) -> bool {
        !matches!(self, Self::Left { .. })
    }

    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::Ejected { powered_off: true } => "ejected and switched off, safe to remove".into(),
            Self::Ejected { powered_off: false } => "ejected, safe to remove".into(),
            Self::Unmounted => "not mounted any more, safe to remove".into(),
            Self::Left { folder } => {
                format!("still mounted at {}: unmount it before you pull it out", folder.display())
            }
        }
    }
}

impl EjectArgs {
    /// Parts with a stick and says how, with `besides` for people to know. What somebody else mounted is ejected
    /// only if a person agrees. One that is still needed, because its errand is not `done`, stays switched on.
    pub fn part(self, medium: Medium, done: bool, besides: &str, output: Output) {
        let name = medium.drive().to_string();
        match self.parting(medium, done) {
            Ok(parting) => {
                let mut told = json!(parting);
                (told["event"], told["safe"]) = ("parted".into(), parting.is_safe().into());
                output.json(&told);
                output.data(format_args!("stick {name}: {}{besides}", parting.words()));
            }
            Err(error) => {
                let Failure { error, hint, .. } = error.failure();
                let (why, hint) = (format!("{error:#}"), hint.unwrap_or_default());
                output.json(&json!({"event": "parted", "safe": false, "error": why, "hint": hint}));
                output.data(format_args!("stick {name}: NOT safe to remove{besides}"));
                output.warn(format_args!("{why}\nhint: {hint}"));
            }
        }
    }

    fn parting(self, medium: Medium, done: bool) -> Result<Parting, NotSafe> {
        let others = medium.mounted_by_others()?;
        let ejects = done && !self.no_eject;
        let question = || format!("{} was mounted by somebody else. Eject it?", medium.drive());
        if ejects
            && (others.is_empty() || self.eject || terminal::confirm(&question(), "--eject").unwrap_or(false))
        {
            return medium.part_with(true);
        }
        medium.part_with(false)
    }
}

impl Medium {
    /// Parts with it without asking anybody: ejects it, whoever mounted it, or only lets go of it.
    pub fn part_with(self, ejects: bool) -> Result<Parting, NotSafe> {
        if ejects {
            let Ejected { powered_off } = self.eject()?;
            return Ok(Parting::Ejected { powered_off });
        }
        match self.mounted_by_others()?.into_iter().next() {
            Some(folder) => Ok(Parting::Left { folder }),
            None => self.unmount_all().map(|()| Parting::Unmounted),
        }
    }
}
