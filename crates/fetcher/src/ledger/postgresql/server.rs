use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;
use terminal::SecretSource;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::home::LedgerServer;
use crate::ledger::LedgerError;

/// A server of a depot stands near; one that is gone should not hold up a stick for long.
const CONNECT: Duration = Duration::from_secs(10);

/// One that was there, and has not been heard of for so long, is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Connects. Without TLS only to a server on this machine: statements tell where weak recorders are.
pub(super) fn connect(server: &LedgerServer) -> Result<Client, LedgerError> {
    let mut config = config(&server.url)?;
    if let Some(file) = &server.password_file {
        let source = SecretSource { file: Some(file.clone()), ..SecretSource::default() };
        let password = terminal::secret(&source, "password").map_err(LedgerError::Password)?;
        config.password(password.expose_secret());
    }
    config.application_name("fetcher").connect_timeout(CONNECT).tcp_user_timeout(SILENCE);
    config.keepalives_idle(SILENCE).keepalives_interval(CONNECT).keepalives_retries(3);
    let connected = if config.get_ssl_mode() == SslMode::Require {
        config.connect(MakeRustlsConnect::new(tls(server.ca.as_deref())?))
    } else {
        config.connect(NoTls)
    };
    connected.map_err(|error| {
        let refused = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
        if error.code().is_some_and(|code| refused.contains(code)) {
            LedgerError::LogIn(error.into())
        } else {
            LedgerError::Unreachable(error.into())
        }
    })
}

/// What a URL says. It is not repeated in errors: somebody may have written a password into it.
fn config(url: &str) -> Result<Config, LedgerError> {
    if !["postgresql://", "postgres://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(LedgerError::Url("is not of the form postgresql://USER@HOST/DATABASE"));
    }
    let mut config: Config = url.parse().map_err(|_| LedgerError::Url("cannot be read"))?;
    if config.get_password().is_some() {
        return Err(LedgerError::Url("holds a password: it belongs into a file that password_file names"));
    }
    if config.get_hosts().is_empty() {
        return Err(LedgerError::Url("names no host"));
    }
    let here =
        config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    match (here, config.get_ssl_mode()) {
        (true, SslMode::Require) => {}
        (true, _) => drop(config.ssl_mode(SslMode::Disable)),
        (false, SslMode::Disable) => {
            return Err(LedgerError::Url("leads over a network without TLS: leave sslmode=disable out"));
        }
        (false, _) => drop(config.ssl_mode(SslMode::Require)),
    }
    Ok(config)
}

/// Whether what is said to this host never leaves this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    }
}

fn tls(ca: Option<&Path>) -> Result<ClientConfig, LedgerError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca {
        let unread = |error: Box<dyn std::error::Error + Send + Sync>| LedgerError::Ca(file.into(), error);
        for certificate in CertificateDer::pem_file_iter(file).map_err(|e| unread(e.into()))? {
            roots.add(certificate.map_err(|e| unread(e.into()))?).map_err(|e| unread(e.into()))?;
        }
        if roots.is_empty() {
            return Err(unread("holds no certificate".into()));
        }
    } else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let config = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| LedgerError::Unreachable(error.into()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_may_be_left_out_on_this_machine_alone() {
        let mode = |url: &str| config(url).map(|config| config.get_ssl_mode());
        for here in [
            "postgresql://courier@%2Frun%2Fpostgresql/courier",
            "postgresql://courier@localhost/courier",
            "postgres://courier@127.0.0.1:5433/courier?sslmode=prefer",
            "postgresql://courier@[::1]/courier",
        ] {
            assert_eq!(mode(here).unwrap(), SslMode::Disable, "{here}");
        }
        for far in [
            "postgresql://courier@db.example/courier",
            "postgresql://courier@192.168.1.9/courier?sslmode=prefer",
            "postgresql://courier@localhost,db.example/courier",
            "postgresql://courier@localhost/courier?hostaddr=192.168.1.9",
            "postgresql://courier@localhost/courier?sslmode=require",
        ] {
            assert_eq!(mode(far).unwrap(), SslMode::Require, "{far}");
        }
    }

    #[test]
    fn urls_that_say_too_much_or_too_little_are_refused_and_not_repeated() {
        for (url, why) in [
            ("postgresql://courier@db.example/courier?sslmode=disable", "without TLS"),
            ("postgresql://courier:hunter2@localhost/courier", "holds a password"),
            ("postgresql://courier@localhost/courier?password=hunter2", "holds a password"),
            ("postgresql://courier:hunter2/@localhost:x/courier", "cannot be read"),
            ("postgresql:///courier", "names no host"),
            ("host=localhost user=courier password=hunter2", "not of the form"),
            ("mysql://courier@localhost/courier", "not of the form"),
        ] {
            let error = config(url).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains(why) && !said.contains("hunter2"), "{url}: {said}");
        }
    }
}
