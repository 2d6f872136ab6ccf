use std::net::SocketAddr;

use firmware::{Revision, Serial};
use serde::{Deserialize, Deserializer, Serialize};

use crate::answer_fault::AnswerFault;
use crate::scenario::text;

/// What is wrong with the recorder. One type for the command line, the scenario file, the library and
/// the control port; the default is a recorder in good order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // each is a fault of its own
pub struct Faults {
    /// Refuse every package with this subStatusCode, such as badDevType, badLanguage or upgradeError
    #[arg(long, value_name = "CODE")]
    pub refuse: Option<String>,
    /// HTTP status of that refusal [default: 403; some devices send 200]
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(200..600))]
    #[serde(deserialize_with = "http_status")]
    pub refuse_status: Option<u16>,
    /// statusCode of that refusal [default: as in the vendor's table; devices disagree with it]
    #[arg(skip)]
    pub refuse_code: Option<u8>,
    /// statusString of that refusal [default: that of the statusCode]
    #[arg(skip)]
    pub refuse_text: Option<String>,
    /// Cut the connection once this many bytes of a package have arrived
    #[arg(long, value_name = "BYTES")]
    pub cut_after: Option<u64>,
    /// At 100 % cut the connection instead of answering, and reboot unasked
    #[arg(long)]
    pub cut_at_end: bool,
    /// Do not finish writing the flash while this fault lasts
    #[arg(long)]
    pub stall: bool,
    /// Say that an upgrade is running, and refuse packages with statusCode 2
    #[arg(long)]
    pub busy: bool,
    /// HTTP status of "upgrading" [default: 200; it is not known, 503 would do]
    #[arg(skip)]
    #[serde(deserialize_with = "http_status")]
    pub busy_status: Option<u16>,
    /// The answer to a package that was written
    #[arg(skip)]
    pub verdict: Verdict,
    /// How it behaves to others while it writes its flash
    #[arg(skip)]
    pub while_flashing: WhileFlashing,
    /// HTTP status of upgradeStatus while no upgrade runs, such as 403 or 404
    #[arg(skip)]
    #[serde(deserialize_with = "http_status")]
    pub idle_status: Option<u16>,
    /// The percentage that it tells while no upgrade runs
    #[arg(skip)]
    pub idle_percent: Option<u8>,
    /// Reboot unasked once the verdict is out
    #[arg(skip)]
    pub reboots_itself: bool,
    /// Refuse to reboot with this subStatusCode
    #[arg(skip)]
    pub refuse_reboot: Option<String>,
    /// Stay down while this fault lasts
    #[arg(skip)]
    pub never_back: bool,
    /// Run this after the upgrade, such as "V4.22.000:180101"
    #[arg(skip)]
    #[serde(with = "text")]
    pub back_as: Option<Revision>,
    /// Come back from the next reboot with this serial number
    #[arg(skip)]
    pub back_serial: Option<Serial>,
    /// Come back from the next reboot at this address; used up by it
    #[arg(skip)]
    pub back_at: Option<SocketAddr>,
    /// Come back from an upgrade with another certificate
    #[arg(skip)]
    pub new_certificate: bool,
    /// What it does with those who try TLS
    #[arg(skip)]
    pub tls: Option<TlsFault>,
    /// Read no faster than this
    #[arg(skip)]
    pub bytes_per_second: Option<u32>,
    /// HTTP status for what it does not have [default: 403]
    #[arg(skip)]
    #[serde(deserialize_with = "http_status")]
    pub absent_status: Option<u16>,
    /// Show this user as logged in
    #[arg(long, value_name = "NAME")]
    pub logged_in: Option<String>,
    /// Status of disk 1 [default: ok]
    #[arg(long, value_name = "STATUS")]
    pub disk_status: Option<String>,
    /// How far the recorder's clock is ahead, in seconds; negative if it is behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    pub clock_offset: i64,
    /// Do not answer SADP
    #[arg(skip)]
    pub sadp_silent: bool,
    /// Answer SADP with this, word for word
    #[arg(skip)]
    pub sadp_reply: Option<String>,
    /// Other answers than it would give
    #[arg(skip)]
    pub answers: Vec<AnswerFault>,
}

/// How the recorder says that it took a package (reference: ISAPI §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// 7, `rebootRequired`.
    #[default]
    RebootRequired,
    /// 7, `autoReboot`.
    AutoReboot,
    /// 1, `ok`.
    Ok,
    /// 0, `ok`.
    Zero,
}

/// What others see while the flash is written (reference: ISAPI §4, §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhileFlashing {
    /// Everything is answered, the percentage moves.
    #[default]
    Answers,
    /// Connections are taken, and nothing is said on them until the flash is written.
    Silent,
    /// The push is cut off once the body is whole. From then on the old version answers as if nothing
    /// were going on, until the recorder reboots unasked.
    Unseen,
}

/// What the HTTPS port does instead of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFault {
    /// The alert of a server that knows only versions long gone (reference: ISAPI §10).
    Alert,
    /// Plain HTTP.
    PlainText,
    /// The end of the connection.
    Close,
    /// Nothing.
    Silence,
}

impl Faults {
    /// These where they are set by a flag of the command line, else those of the scenario.
    #[must_use]
    pub fn or(self, scenario: Self) -> Self {
        Self {
            refuse: self.refuse.or(scenario.refuse),
            refuse_status: self.refuse_status.or(scenario.refuse_status),
            cut_after: self.cut_after.or(scenario.cut_after),
            cut_at_end: self.cut_at_end || scenario.cut_at_end,
            stall: self.stall || scenario.stall,
            busy: self.busy || scenario.busy,
            logged_in: self.logged_in.or(scenario.logged_in),
            disk_status: self.disk_status.or(scenario.disk_status),
            clock_offset: if self.clock_offset == 0 { scenario.clock_offset } else { self.clock_offset },
            ..scenario
        }
    }
}

/// The range that the command line enforces, for faults that come as text.
pub(crate) fn http_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    match Option::<u16>::deserialize(deserializer)? {
        Some(status) if !(200..600).contains(&status) => {
            Err(serde::de::Error::custom(format!("HTTP status {status}, expected 200 to 599")))
        }
        status => Ok(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_only_what_is_wrong_and_nothing_unknown() {
        let faults: Faults =
            serde_json::from_str(r#"{"refuse": "badDevType", "refuse_status": 200}"#).unwrap();
        assert_eq!(
            faults,
            Faults { refuse: Some("badDevType".into()), refuse_status: Some(200), ..Faults::default() }
        );
        assert_eq!(serde_json::from_str::<Faults>("{}").unwrap(), Faults::default());
        assert!(serde_json::from_str::<Faults>(r#"{"refuse_status": 99}"#).is_err());
        assert!(serde_json::from_str::<Faults>(r#"{"refused": "x"}"#).is_err());
    }

    #[test]
    fn a_flag_goes_before_the_scenario_and_leaves_the_rest_of_it() {
        let scenario = Faults { cut_after: Some(1), never_back: true, busy: true, ..Faults::default() };
        let both = Faults { cut_after: Some(2), ..Faults::default() }.or(scenario.clone());
        assert_eq!(both, Faults { cut_after: Some(2), ..scenario });
    }
}
