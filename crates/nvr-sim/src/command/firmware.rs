use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::synthetic::{MEMBER, Synthetic, SyntheticError};
use firmware::{HashingReader, Revision, Sha256Digest};
use terminal::{Exit, Fail, Failure, Output};

/// `nvr-sim firmware`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// File to write: .zip for a package as vendors offer it, .dav for the bare container
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Size of the container, such as 8MiB, 512KiB or 300000
    #[arg(long, default_value = "8MiB")]
    size: Size,
    /// Version and build that its header shows
    #[arg(long, value_name = "VERSION:BUILD", default_value = super::serve::AFTER)]
    version: Revision,
    /// Language field of the header: 1 English or multi-language, 2 Chinese
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2))]
    language: u32,
    /// Device class field of the header
    #[arg(long, value_name = "N", default_value_t = 1)]
    device_class: u32,
    /// Another seed gives other contents
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number of bytes with an optional binary unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit: u64 = match &text[digits.len()..] {
            "" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            other => return Err(format!("unit {other:?}, expected KiB, MiB or GiB")),
        };
        let number: u64 = digits.parse().map_err(|error| format!("{error}"))?;
        number.checked_mul(unit).map(Self).ok_or_else(|| "number too large".into())
    }
}

/// Writes the package and says what it is.
pub(crate) fn run(args: Args, output: Output) -> Result<Exit, Failure> {
    let Args { out, size: Size(size), version: revision, language, device_class, seed, .. } = args;
    let shown = out.display();
    let failed = |failure: Failure| failure.context(format!("{shown} failed"));
    let extension = out.extension().map(OsStr::to_ascii_lowercase);
    let zipped = match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("zip") => true,
        Some("dav") => false,
        _ => {
            return Err(Failure::new(
                Exit::Usage,
                format!("{shown} refused, expected a name in .zip or .dav"),
            ));
        }
    };
    let synthetic = Synthetic { size, revision, language, device_class, seed };
    let sha256 = write(&synthetic, &out, zipped).fail(Exit::Usage).map_err(failed)?;
    let (package_sha256, package_size) = digest(&out).fail(Exit::Usage).map_err(failed)?;
    let Synthetic { revision, .. } = &synthetic;
    output.json(&serde_json::json!({
        "synthetic": true, "file": out, "version": revision.version, "build": revision.build,
        "size": size, "sha256": sha256,
        "package_size": package_size, "package_sha256": package_sha256, "member": zipped.then_some(MEMBER),
    }));
    output.data(format!("synthetic firmware {revision}: {shown}"));
    if zipped {
        output.data(format!("package      {package_size:>12} bytes  sha256 {package_sha256}"));
    }
    output.data(format!("{MEMBER}  {size:>12} bytes  sha256 {sha256}"));
    Ok(Exit::Done)
}

fn write(synthetic: &Synthetic, out: &Path, zipped: bool) -> Result<Sha256Digest, SyntheticError> {
    let mut file = BufWriter::new(File::create(out)?);
    let digest = if zipped { synthetic.write_zip(&mut file) } else { synthetic.write_dav(&mut file) }?;
    file.flush()?;
    Ok(digest)
}

fn digest(path: &Path) -> io::Result<(Sha256Digest, u64)> {
    let mut reader = HashingReader::new(File::open(path)?);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_with_a_binary_unit() {
        assert_eq!("300000".parse(), Ok(Size(300_000)));
        assert_eq!("8MiB".parse(), Ok(Size(8 << 20)));
        for text in ["", "MiB", "8MB", "8 MiB", "-1", "99999999999GiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
