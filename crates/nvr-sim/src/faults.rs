use serde::{Deserialize, Deserializer, Serialize};

/// What is wrong with the recorder. One type for the command line, the library and the control port;
/// the default is a recorder in good order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Refuse every package with this subStatusCode, such as badDevType, badLanguage or upgradeError
    #[arg(long, value_name = "CODE")]
    pub refuse: Option<String>,
    /// HTTP status of that refusal [default: 403; some devices send 200]
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(200..600))]
    #[serde(deserialize_with = "http_status")]
    pub refuse_status: Option<u16>,
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
    /// Show this user as logged in
    #[arg(long, value_name = "NAME")]
    pub logged_in: Option<String>,
    /// Status of disk 1 [default: ok]
    #[arg(long, value_name = "STATUS")]
    pub disk_status: Option<String>,
    /// How far the recorder's clock is ahead, in seconds; negative if it is behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    pub clock_offset: i64,
}

/// The range that the command line enforces, for faults that come as JSON.
fn http_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
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
}
