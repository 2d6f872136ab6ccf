//! Recorder to readings: requests that read, over the one login, and nothing else.

use firmware::Text;
use isapi::{
    Address, Document, Error, Measured, Offer, OldVersion, Recorder, TimeSettings, measure_old_version, probe,
};
use jiff::Timestamp;

use super::observed::{ClockReading, Reading, Readings, Tls};

/// Reads all that the checks look at, one document after the other; `now` reads the clock. A refused login,
/// a recorder that went away or one that is busy with an upgrade ends it; any other document that cannot
/// be read is noted with the reason.
pub async fn readings(recorder: &Recorder, now: fn() -> Timestamp) -> Result<Readings, Error> {
    let mut reader = Reader { recorder, lost: 0 };
    Ok(Readings {
        account: reader.read().await?,
        online_users: reader.read().await?,
        users: reader.read().await?,
        login_lock: reader.read().await?,
        security: reader.read().await?,
        accesses: reader.read().await?,
        web_login: reader.read().await?,
        upnp: reader.read().await?,
        ddns: reader.read().await?,
        ssh: reader.read().await?,
        telnet: reader.read().await?,
        snmp: reader.read().await?,
        integration: reader.read().await?,
        cloud: reader.read().await?,
        platform: reader.read().await?,
        ip_filter: reader.read().await?,
        network: reader.read().await?,
        interfaces: reader.read().await?,
        clock: match reader.read::<TimeSettings>().await? {
            Reading::Read(settings) => Reading::Read(ClockReading { settings, at: now() }),
            Reading::NotOffered => Reading::NotOffered,
            Reading::Unread(why) => Reading::Unread(why),
            Reading::NotAsked => Reading::NotAsked,
        },
        time_servers: reader.read().await?,
        notified: reader.read().await?,
        system: reader.read().await?,
    })
}

struct Reader<'a> {
    recorder: &'a Recorder,
    /// Requests in a row that got no answer.
    lost: u32,
}

/// One page may hang or cut the connection; so many in a row are a recorder that is not there any more.
const MOST_LOST: u32 = 2;

impl Reader<'_> {
    async fn read<D: Document>(&mut self) -> Result<Reading<D>, Error> {
        let error = match self.recorder.read_offered().await {
            Ok(found) => {
                self.lost = 0;
                return Ok(found.map_or(Reading::NotOffered, Reading::Read));
            }
            Err(error) => error,
        };
        self.lost = if error.is_absence() { self.lost + 1 } else { 0 };
        match error {
            Error::NoPermission { .. }
            | Error::Malformed { .. }
            | Error::TooLarge { .. }
            | Error::Redirected { .. }
            | Error::Refused { .. }
            | Error::Digest(_) => Ok(Reading::Unread(said(&error))),
            Error::Lost { .. } | Error::Silent { .. } if self.lost < MOST_LOST => {
                Ok(Reading::Unread(said(&error)))
            }
            error => Err(error),
        }
    }
}

/// The error and its cause, without the address, which is the same for all.
fn said(error: &Error) -> Text {
    let text = error.to_string();
    let own = text.strip_prefix("recorder ").and_then(|rest| rest.split_once(": ")).map(|(_, own)| own);
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    Text::cleaned(&format!("{}{}", own.unwrap_or(&text), source.unwrap_or_default()))
}

/// What it says of itself by TLS: its certificate, and whether versions are taken that are too old. Nothing
/// is sent but greetings.
pub async fn tls(address: &Address, interface: Option<&str>) -> Result<Tls, Error> {
    let certificate = match probe(address, interface).await? {
        Offer::Tls { facts, .. } => facts,
        // it was talked to over TLS a moment ago
        Offer::PlainText(_) => None,
    };
    let mut old = [OldVersion::Tls10, OldVersion::Tls11].map(|_| Measured::Refused);
    for (measured, version) in old.iter_mut().zip([OldVersion::Tls10, OldVersion::Tls11]) {
        *measured = measure_old_version(address, interface, version).await?;
    }
    Ok(Tls::Spoken { certificate, old })
}
