//! Which of the plugged-in sticks is meant where none is named: the one that carries a publication.

use std::path::PathBuf;

use drive::Drive;
use firmware::Text;
use stick::{Directory, layout, media};
use terminal::{Count, Exit, Fail, Failure};

/// A mounted volume that carries a publication. What it says of itself is not verified yet.
struct Candidate {
    drive: String,
    folder: PathBuf,
    signed_at: Text,
}

/// The folder of the one stick that carries a publication; of several, a person names one.
pub fn find() -> Result<PathBuf, Failure> {
    let drives = drive::list().fail(Exit::Internal)?;
    let mut candidates: Vec<Candidate> = drives.iter().flat_map(candidates).collect();
    match candidates.len() {
        0 => Err(none(&drives)),
        1 => Ok(candidates.remove(0).folder),
        several => {
            let listed = (1..).zip(&candidates).map(|(n, candidate)| {
                let Candidate { drive, folder, signed_at } = candidate;
                format!("{n}  {drive}, at {}, says it was signed at {signed_at}", folder.display())
            });
            let listed: Vec<String> = listed.collect();
            let question = format!("{}\nWhich stick? Its number", listed.join("\n"));
            let answer = terminal::typed(&question, "--stick PATH")?;
            let number = answer.parse::<usize>().ok().filter(|number| (1..=several).contains(number));
            let number = number.ok_or_else(|| {
                Failure::new(Exit::Usage, format!("stick: {answer:?} is not a number from 1 to {several}"))
                    .hint("nothing was read; give --stick PATH")
            })?;
            Ok(candidates.remove(number - 1).folder)
        }
    }
}

fn candidates(drive: &Drive) -> Vec<Candidate> {
    let mounted = drive.volumes.iter().filter_map(|volume| volume.mount.as_ref());
    mounted
        .filter_map(|mount| {
            let signed_at = signed_at(&mount.folder)?;
            Some(Candidate { drive: drive.to_string(), folder: mount.folder.clone(), signed_at })
        })
        .collect()
}

/// When the publication in this folder says that it was signed; `None` where there is none.
fn signed_at(folder: &std::path::Path) -> Option<Text> {
    let directory = Directory::open(folder).ok()?;
    let bytes = media::read(&directory, layout::TIMESTAMP, tuf_client::Role::Timestamp.cap()).ok()??;
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let claimed = json["signed"]["custom"]["signed_at"].as_str().unwrap_or("an unknown time");
    Some(Text::cleaned(claimed))
}

/// Why there is none, by what is plugged in.
fn none(drives: &[Drive]) -> Failure {
    let volumes = || drives.iter().flat_map(|drive| &drive.volumes);
    let unmounted = volumes().find(|volume| volume.mount.is_none());
    let (message, hint) = match (drives, unmounted) {
        ([], _) => (
            "stick: none is plugged in".to_owned(),
            "plug it in; if it is a folder or a file that fetcher export wrote: --stick PATH".to_owned(),
        ),
        (_, Some(volume)) => (
            format!("stick: {} is plugged in, but not mounted", volume.node.display()),
            format!(
                "mount it: udisksctl mount -b {0}, or as root: mount -o ro,nosuid,nodev,noexec {0} /mnt",
                volume.node.display()
            ),
        ),
        (drives, None) => (
            format!("stick: {} plugged in, none carries a publication", Count(drives.len(), "drive")),
            "load one at the depot; applier sticks lists what is plugged in".to_owned(),
        ),
    };
    Failure::new(Exit::Stick, message).hint(hint)
}
