use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// One `[[source]]` of the settings: how a host is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// Its name or address, or `*` for all that have no source of their own.
    pub host: String,
    /// Sent with every request to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "headers")]
    pub headers: BTreeMap<String, HeaderSetting>,
    /// Address of the proxy on the way to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Who asks the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_user: Option<String>,
    /// File of mode 0600 whose first line is the password for it; a relative path starts at the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_password_file: Option<PathBuf>,
}

/// The value of a header.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum HeaderSetting {
    /// As it stands here, for everybody who can read the settings.
    Text(String),
    /// A secret: the first line of a file of mode 0600; a relative path starts at the home.
    File {
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Debug for HeaderSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("[REDACTED]"),
            Self::File { file } => write!(f, "{{ file = {file:?} }}"),
        }
    }
}

/// Reads them by hand: what serde says of a value of the wrong type holds the value.
fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, HeaderSetting>, D::Error> {
    let value = toml::Value::deserialize(from)?;
    let table =
        value.as_table().ok_or_else(|| D::Error::custom("headers is no table of names and values"))?;
    let read = |(name, value): (&String, &toml::Value)| {
        let file =
            value.as_table().filter(|table| table.len() == 1).and_then(|table| table.get("file")?.as_str());
        let setting = match (value.as_str(), file) {
            (Some(text), _) => Some(HeaderSetting::Text(text.to_owned())),
            (None, file) => file.map(|file| HeaderSetting::File { file: file.into() }),
        };
        let setting = setting.ok_or_else(|| {
            D::Error::custom(format_args!("header {name:?} is neither a text nor {{ file = \"…\" }}"))
        })?;
        Ok((name.clone(), setting))
    };
    table.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SourceSettings, toml::de::Error> {
        toml::from_str(&format!("host = \"depot.example\"\n{text}"))
    }

    #[test]
    fn a_header_is_a_text_or_the_name_of_a_file() {
        let source = read("headers = { X-Depot = \"north\", Authorization = { file = \"token\" } }").unwrap();
        assert_eq!(source.headers["X-Depot"], HeaderSetting::Text("north".into()));
        assert_eq!(source.headers["Authorization"], HeaderSetting::File { file: "token".into() });
        let again: SourceSettings = toml::from_str(&toml::to_string(&source).unwrap()).unwrap();
        assert_eq!(again, source);
        assert!(!format!("{source:?}").contains("north"));
    }

    #[test]
    fn no_message_holds_a_value() {
        for text in [
            "headers = \"t0ken\"",
            "headers = { X = [\"t0ken\"] }",
            "headers = { X = { file = \"a\", value = \"t0ken\" } }",
        ] {
            let mut error = read(text).unwrap_err();
            error.set_input(None);
            assert!(!error.to_string().contains("t0ken"), "{error}");
        }
    }
}
