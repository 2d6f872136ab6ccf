//! What a person may write into the home's `fetcher.toml` about the ledger.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `[ledger]`: a PostgreSQL server that keeps the ledger instead of the file in the home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerServer {
    /// `postgresql://USER@HOST/DATABASE`, without a password.
    pub url: String,
    /// File of mode 0600 whose first line is the password; a relative path starts at the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// PEM of the authorities that may vouch for the server, in place of the public ones; a relative path starts at
    /// the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

impl LedgerServer {
    /// The same, with paths that start at this home.
    #[must_use]
    pub fn at(&self, home: &Path) -> Self {
        let absolute = |path: &Option<PathBuf>| path.as_ref().map(|path| home.join(path));
        Self { url: self.url.clone(), password_file: absolute(&self.password_file), ca: absolute(&self.ca) }
    }
}
