//! Recorders that firmware is brought for: those that the ledger knows, and those of a site file.

use std::path::Path;

use firmware::site::{MOST_BYTES, Site};
use keys::durable;
use terminal::{Exit, Fail, Failure};

use crate::fleet::{Asked, add_audited, open_requests};
use crate::ledger::{LastWord, Ledger, LedgerError};

/// What was said last of each recorder, and what is asked for and has not arrived yet.
pub(super) fn known(ledger: &Ledger) -> Result<(Vec<LastWord>, Vec<Asked>), LedgerError> {
    let mut words = ledger.last_words()?;
    add_audited(&mut words, &ledger.last_audits()?);
    let requests = open_requests(ledger.requests()?, &words);
    Ok((words, requests))
}

/// Reads a site file, and says everything that is wrong with it.
pub(super) fn read(path: &Path) -> Result<Site, Failure> {
    read_file(path).map_err(|failure| {
        failure
            .context(format!("site {}", path.display()))
            .hint("nothing was done; docs/formats.md has an example")
    })
}

fn read_file(path: &Path) -> Result<Site, Failure> {
    let text = String::from_utf8(durable::read(path, MOST_BYTES).fail(Exit::Usage)?).fail(Exit::Usage)?;
    let site: Site = toml::from_str(&text).fail(Exit::Usage)?;
    let faults: Vec<String> = site.faults().iter().map(ToString::to_string).collect();
    if faults.is_empty() { Ok(site) } else { Err(Failure::new(Exit::Usage, faults.join("; "))) }
}
