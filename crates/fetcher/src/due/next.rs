use firmware::container::Container;
use firmware::{Choice, Device, Release, Revision, choose, fits, path};

/// What a recorder is to get of these releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<'a> {
    /// It runs the newest, or a later one.
    Current,
    /// None lists its model.
    NoRelease,
    /// Several are newest: a person must choose.
    Ambiguous(Vec<&'a Release>),
    /// A newer one is listed, and is not for it, or no way leads there.
    Withheld {
        /// Which.
        newest: &'a Release,
        /// Why not.
        reasons: Vec<String>,
    },
    /// A newer one.
    Due {
        /// What has to be installed before it, in order.
        first: Vec<&'a Release>,
        /// Which.
        newest: &'a Release,
    },
}

/// What a device is to get of these releases. `region` is what a person says of it.
pub fn next<'a>(releases: &'a [Release], device: &Device, region: Option<&str>) -> Next<'a> {
    let newest = match choose(releases, device, region) {
        Choice::None => return Next::NoRelease,
        Choice::Ambiguous(several) => return Next::Ambiguous(several),
        Choice::One(newest) => newest,
    };
    if !is_newer(&newest.revision, &device.revision) {
        return Next::Current;
    }
    // only a plan sees the file itself, so its header says nothing here
    let mismatches = fits(newest, &Container::Unknown, device, region);
    match path(releases, device, region, newest) {
        Ok(mut steps) if mismatches.is_empty() => {
            steps.retain(|step| step.id != newest.id);
            Next::Due { first: steps, newest }
        }
        way => {
            let mut reasons: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
            reasons.extend(way.err().map(|none| none.to_string()));
            Next::Withheld { newest, reasons }
        }
    }
}

/// Whether a device that runs `runs` is to get `listed`: a higher version, or a later build of the same.
fn is_newer(listed: &Revision, runs: &Revision) -> bool {
    listed.version > runs.version || (listed.version == runs.version && listed.build > runs.build)
}
