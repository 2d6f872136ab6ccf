//! Which recorders a command goes through, one after the other, and what became of each.

mod site_file;
mod summary;

use std::path::{Path, PathBuf};

use firmware::{Model, Serial, Text};
use isapi::Address;
use terminal::{Exit, Failure};

use super::recorder::{Expected, LoginArgs, RecorderArgs};
use crate::context::Context;
pub(super) use summary::{Became, Row, Summary};

/// Which recorders, and how to log in to them.
#[derive(Debug, clap::Args)]
pub(super) struct RoundArgs {
    /// The recorders: IP addresses, each with a port if it is not 443 or 80; one after the other
    #[arg(value_name = "ADDRESS", required_unless_present = "site")]
    addresses: Vec<Address>,
    /// The recorders of this site file, in its order
    #[arg(long, value_name = "FILE", conflicts_with = "addresses")]
    site: Option<PathBuf>,
    #[command(flatten)]
    login: LoginArgs,
}

/// The recorders, in order; at least one.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) stops: Vec<RecorderArgs>,
    /// The site's name.
    pub(super) site: Option<Text>,
    /// Its region.
    pub(super) region: Option<String>,
    /// Whether they stand in a file.
    is_site: bool,
}

impl RoundArgs {
    /// Everything that can be wrong with the whole list, before the first recorder is talked to.
    pub(super) fn round(&self) -> Result<Round, Failure> {
        let round = if let Some(path) = &self.site {
            self.of_site(path)?
        } else {
            let stop = |address: &Address| RecorderArgs::new(address.clone(), self.login.clone());
            let stops = self.addresses.iter().map(stop).collect();
            Round { stops, site: None, region: None, is_site: false }
        };
        if let Some((first, again)) = round.twice() {
            let message = format!("recorder {again}: named twice, first as {first}");
            return Err(Failure::new(Exit::Usage, message).hint("name each recorder once"));
        }
        if round.is_several() && self.login.is_for_one() {
            return Err(Failure::new(
                Exit::Usage,
                "login: --password-stdin and --certificate speak of one recorder, and several are named",
            )
            .hint("give --password-file FILE, or password_file for each recorder in a site file"));
        }
        for stop in &round.stops {
            stop.login.check()?;
        }
        Ok(round)
    }

    fn of_site(&self, path: &Path) -> Result<Round, Failure> {
        let site = site_file::read(path)?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let stops = site.stops.into_iter().map(|(address, told)| {
            let login = self.login.clone().of(told.user, told.password_file.map(|file| beside.join(file)));
            let expected = Expected { name: told.name, serial: told.serial, model: told.model };
            RecorderArgs { expected, ..RecorderArgs::new(address, login) }
        });
        Ok(Round { stops: stops.collect(), site: Some(site.name), region: site.region, is_site: true })
    }
}

impl Round {
    /// Whether what is said at the end must be said of each.
    pub(super) fn is_several(&self) -> bool {
        self.is_site || self.stops.len() > 1
    }

    /// Refuses a flag that speaks of one recorder where there are several.
    pub(super) fn only_one(&self, flag: &str, is_given: bool) -> Result<(), Failure> {
        if !is_given || self.stops.len() == 1 {
            return Ok(());
        }
        let message = format!("{flag} speaks of one recorder, and {} are named", self.stops.len());
        Err(Failure::new(Exit::Usage, message).hint("nothing was done; name that one recorder alone"))
    }

    fn twice(&self) -> Option<(&Address, &Address)> {
        self.stops.iter().enumerate().find_map(|(n, stop)| {
            let first = self.stops[..n].iter().find(|first| first.address.is_same_device(&stop.address))?;
            Some((&first.address, &stop.address))
        })
    }

    /// Says which recorder comes now.
    pub(super) fn announce(&self, n: usize, context: &Context) {
        if !self.is_several() {
            return;
        }
        let (stop, of, number) = (&self.stops[n], self.stops.len(), n + 1);
        let name = stop.expected.name.as_ref();
        let named = name.map(|name| format!(" {name}")).unwrap_or_default();
        context.output.data(format_args!("recorder {number} of {of}:{named} {}", stop.address));
        context.output.json(&serde_json::json!({
            "event": "recorder", "number": number, "of": of, "address": stop.address, "name": name,
        }));
    }

    /// What a recorder that was not reached stands as.
    pub(super) fn row(&self, n: usize) -> Row {
        let stop = &self.stops[n];
        Row::new(stop.address.clone(), stop.expected.name.clone())
    }
}

impl Expected {
    /// Holds a device to what was written down of it.
    pub(super) fn check(&self, address: &Address, model: &Model, serial: &Serial) -> Result<(), Failure> {
        let is_serial = self.serial.as_ref().is_none_or(|expected| expected == serial);
        let is_model = self.model.as_ref().is_none_or(|expected| expected == model);
        if is_serial && is_model {
            return Ok(());
        }
        let told = |words: Option<&str>| words.map(|words| format!(" {words}")).unwrap_or_default();
        let expected =
            told(self.model.as_ref().map(Model::as_str)) + &told(self.serial.as_ref().map(Serial::as_str));
        let message = format!(
            "recorder {address}: it is {model} {serial}, and the site file says{expected}; nothing was done to it"
        );
        Err(Failure::new(Exit::Refused, message).hint(
            "see which device this is: applier find; if it took the other's place, correct the site file",
        ))
    }
}
