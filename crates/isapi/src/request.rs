//! One request: its method, its path, and a query that no message shows.

use std::borrow::Cow;

use http::Method;
use secrecy::ExposeSecret;

use crate::configuration::ConfigurationKey;

/// What is asked of a recorder. `Debug` and messages show the path only: the query holds a secret.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    key: Option<ConfigurationKey>,
}

impl Request {
    pub(crate) fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path, key: None }
    }

    pub(crate) fn put(path: &'static str) -> Self {
        Self { method: Method::PUT, path, key: None }
    }

    pub(crate) fn keyed(self, key: Option<&ConfigurationKey>) -> Self {
        Self { key: key.cloned(), ..self }
    }

    /// The request target, which the login signs as it is sent (RFC 7616 §3.4.6).
    pub(crate) fn target(&self) -> Cow<'static, str> {
        match &self.key {
            None => self.path.into(),
            Some(key) => format!("{}?secretkey={}", self.path, key.0.expose_secret()).into(),
        }
    }
}
