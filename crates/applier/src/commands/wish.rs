//! What `plan` and `apply` are asked for, as flags: the same flags give the same plan.

use firmware::{ReleaseId, Text};
use terminal::{Exit, Failure};

use super::recorder::Session;
use crate::plan::{AcceptedExpired, Options};
use crate::presence::power::Power;
use crate::reason::reason;

/// What is wanted, and what is allowed that would be refused otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct WishArgs {
    /// This release, where several could be meant
    #[arg(long, value_name = "ID")]
    release: Option<ReleaseId>,
    /// The region of the recorder, where a release names one
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Push an older version or build, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_downgrade: Option<Text>,
    /// Push although this laptop runs on battery and less than half of it is left, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_battery: Option<Text>,
    /// Push although a disk is in error, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_disk_errors: Option<Text>,
    /// Push although somebody is logged in, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_logged_in: Option<Text>,
    /// Push without a backup of the recorder's configuration, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    no_backup: Option<Text>,
    /// Push although nothing proves that an earlier push or restore is over, once the quiet period has
    /// passed since, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(super) push_again: Option<Text>,
    /// Push although this laptop is not alone with the recorder, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(super) allow_networked_laptop: Option<Text>,
}

impl WishArgs {
    /// The region at a site; one that was given must be its own.
    pub(super) fn region_at(&self, site: Option<&str>) -> Result<Option<String>, Failure> {
        match (&self.region, site) {
            (Some(given), Some(site)) if given != site => {
                let message = format!("region: --region says {given}, and the site file {site}");
                Err(Failure::new(Exit::Usage, message)
                    .hint("nothing was done; correct the one that is wrong"))
            }
            (given, site) => Ok(given.clone().or_else(|| site.map(str::to_owned))),
        }
    }

    /// As the plan takes them for the recorder of this session, on a laptop that runs on this.
    pub(super) fn options(
        &self,
        session: &Session,
        push_again: Option<Text>,
        accept_expired: Option<AcceptedExpired>,
        power: Power,
    ) -> Options {
        let networked = self.allow_networked_laptop.as_ref();
        Options {
            release: self.release.clone(),
            region: self.region.clone(),
            expect_serial: None,
            allow_downgrade: self.allow_downgrade.clone(),
            power,
            allow_battery: self.allow_battery.clone(),
            allow_disk_errors: self.allow_disk_errors.clone(),
            allow_logged_in: self.allow_logged_in.clone(),
            no_backup: self.no_backup.clone(),
            push_again,
            networked_laptop: networked.filter(|_| session.link.is_networked()).cloned(),
            plain_http: session.plain_http.clone(),
            accept_expired,
        }
    }
}
