use std::path::Path;

use firmware::Sha256Digest;
use keys::durable;
use serde::Deserialize;

use super::{FORMAT, JournalError, LARGEST, Record};

/// The whole lines of a journal before the first that does not fit.
pub(super) struct Lines {
    pub(super) records: Vec<Record>,
    /// The last checksum, and the bytes up to there.
    pub(super) sum: Sha256Digest,
    pub(super) length: u64,
    /// What is wrong with the line that does not fit.
    pub(super) damage: Option<JournalError>,
}

/// Reads a journal, up to the first line that does not fit.
pub(super) fn read(path: &Path) -> Lines {
    let mut lines = Lines { records: Vec::new(), sum: Sha256Digest::of(b""), length: 0, damage: None };
    let bytes = match durable::read(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(source) => {
            lines.damage = Some(JournalError::Io { path: path.into(), source });
            return lines;
        }
    };
    for (n, whole) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let Some(line) = whole.strip_suffix(b"\n") else { break };
        match parse(line, &mut lines.sum, n == 0) {
            Ok(record) => lines.records.push(record),
            Err(Wrong::Line(why)) => {
                lines.damage = Some(JournalError::Damaged { path: path.into(), line: n + 1, why });
                break;
            }
            Err(Wrong::Format(found)) => {
                lines.damage = Some(JournalError::Format { path: path.into(), found });
                break;
            }
        }
        lines.length += whole.len() as u64;
    }
    lines
}

/// Why a line does not fit.
enum Wrong {
    Line(String),
    Format(u32),
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Line(why)
    }
}

/// What is read of a first line before anything else is.
#[derive(Deserialize)]
struct First {
    #[serde(default)]
    format: u32,
}

/// One line, checked against the sum so far.
fn parse(line: &[u8], sum: &mut Sha256Digest, first: bool) -> Result<Record, Wrong> {
    let (claimed, record) = parts(line).ok_or_else(|| "not a line of a journal".to_owned())?;
    let own = chained(*sum, record);
    if claimed != own.to_string() {
        return Err("its checksum is wrong: changed, lost or moved lines".to_owned().into());
    }
    *sum = own;
    match serde_json::from_str(record) {
        Ok(First { format }) if first && format != FORMAT => return Err(Wrong::Format(format)),
        _ => {}
    }
    Ok(serde_json::from_str(record).map_err(|error| error.to_string())?)
}

fn parts(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("{\"sum\":\"")?.strip_suffix('}')?.split_once("\",\"record\":")
}

/// The sum behind a record.
pub(super) fn chained(previous: Sha256Digest, record: &str) -> Sha256Digest {
    Sha256Digest::of(format!("{previous}{record}").as_bytes())
}
