//! Room on the disk, before anything is fetched.

use std::io;

use terminal::{Exit, Failure};

use super::queue::Job;
use crate::depot::Depot;

/// For what is written beside the files: records of downloads, folders, the publication.
const MARGIN: u64 = 16 << 20;

/// Refuses where the depot's disk cannot hold what is to be fetched.
pub(super) fn check(jobs: &[Job<'_>], at_once: usize, depot: &Depot) -> Result<(), Failure> {
    let part = |job: &Job<'_>| depot.part(&job.release.id).metadata().map_or(0, |part| part.len());
    let needed = needed(jobs, at_once, part);
    let folder = depot.incoming();
    let stat = rustix::fs::statvfs(&folder).map_err(|error| {
        Failure::of(Exit::Internal, io::Error::from(error)).context(format!("depot {}", folder.display()))
    })?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free >= needed {
        return Ok(());
    }
    let message = format!("depot: {free} bytes are free, {needed} are needed; nothing was fetched");
    Err(Failure::new(Exit::Refused, message).hint("make room, or ask for less"))
}

/// Bytes that are needed at most: for all firmware, and for the packages that it comes in, as many as arrive at the
/// same time. `part` says how much of a package is here.
fn needed(jobs: &[Job<'_>], at_once: usize, part: impl Fn(&Job<'_>) -> u64) -> u64 {
    if jobs.is_empty() {
        return 0;
    }
    let firmware: u64 = jobs.iter().map(Job::size).sum();
    let mut packages: Vec<u64> =
        jobs.iter().map(|job| job.download_size().saturating_sub(part(job))).collect();
    packages.sort_unstable_by(|one, other| other.cmp(one));
    let packages: u64 = packages.into_iter().take(at_once).sum();
    firmware.saturating_add(packages).saturating_add(MARGIN)
}

#[cfg(test)]
mod tests {
    use firmware::Release;

    use super::*;

    fn release(size: u64, package: Option<u64>) -> Release {
        let mut pin = serde_json::json!({"size": size, "sha256": "0".repeat(64), "on": "2026-11-22", "provenance": "x"});
        if let Some(package) = package {
            pin["package_size"] = package.into();
            pin["package_sha256"] = "1".repeat(64).into();
            pin["member"] = "digicap.dav".into();
        }
        serde_json::from_value(serde_json::json!({"id": "r", "family": "nvr", "version": "V4.1.0", "build": "190101", "pin": pin})).unwrap()
    }

    #[test]
    fn all_firmware_and_the_largest_packages_at_once() {
        let releases = [release(100, Some(90)), release(1000, None), release(10, Some(9))];
        let jobs: Vec<Job<'_>> = releases.iter().map(|release| Job { release, damaged: None }).collect();
        assert_eq!(needed(&jobs, 2, |_| 0), 1110 + 1000 + 90 + MARGIN);
        assert_eq!(needed(&jobs, 9, |_| 0), 1110 + 1099 + MARGIN);
        assert_eq!(needed(&jobs, 1, |job| job.size().min(950)), 1110 + 50 + MARGIN, "a part is here");
        assert_eq!(needed(&[], 2, |_| 0), 0);
    }
}
