//! A site file as the laptop takes it: read whole, and every address one that can be talked to.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use firmware::Text;
use firmware::site::{MOST_BYTES, Site, SiteRecorder};
use isapi::Address;
use terminal::{Exit, Fail, Failure};

/// The recorders of a site, with their addresses.
pub(super) struct SiteFile {
    pub(super) name: Text,
    pub(super) region: Option<String>,
    pub(super) stops: Vec<(Address, SiteRecorder)>,
}

/// Reads it, and says everything that is wrong with it.
pub(super) fn read(path: &Path) -> Result<SiteFile, Failure> {
    let named = |failure: Failure| {
        failure
            .context(format!("site {}", path.display()))
            .hint("nothing was done; docs/formats.md has an example")
    };
    let text = text(path).map_err(named)?;
    let site: Site = toml::from_str(&text).fail(Exit::Usage).map_err(named)?;
    let mut faults: Vec<String> = site.faults().iter().map(ToString::to_string).collect();
    let mut stops = Vec::new();
    for (n, recorder) in (1..).zip(&site.recorders) {
        match recorder.address.parse() {
            Ok(address) => stops.push((address, recorder.clone())),
            Err(error) => faults.push(format!("recorder {n}: {error}")),
        }
    }
    if !faults.is_empty() {
        return Err(named(Failure::new(Exit::Usage, faults.join("; "))));
    }
    Ok(SiteFile { name: site.name, region: site.region, stops })
}

fn text(path: &Path) -> Result<String, Failure> {
    let what = path.metadata().fail(Exit::Usage)?;
    if !what.is_file() || what.len() > MOST_BYTES {
        return Err(Failure::new(Exit::Usage, format!("it is no file of at most {MOST_BYTES} bytes")));
    }
    let mut text = String::new();
    File::open(path).fail(Exit::Usage)?.take(MOST_BYTES).read_to_string(&mut text).fail(Exit::Usage)?;
    Ok(text)
}
