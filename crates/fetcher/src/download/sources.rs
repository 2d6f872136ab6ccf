use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Proxy;
use reqwest::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, IF_RANGE,
    PROXY_AUTHORIZATION, RANGE, TE, TRANSFER_ENCODING, UPGRADE,
};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// Set by the downloader itself, or by the protocol.
const OURS: [HeaderName; 10] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    IF_RANGE,
    PROXY_AUTHORIZATION,
    RANGE,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// Stands for every host that is not named itself.
const ANY: &str = "*";

/// How hosts are asked: with which headers, through which proxy.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<Vec<Source>>);

/// How one host is asked.
#[derive(Clone)]
pub struct Source {
    host: String,
    headers: HeaderMap,
    /// Whether a header must not be sent in the clear.
    secret: bool,
    proxy: Option<(Url, Option<(String, SecretString)>)>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&HeaderName> = self.headers.keys().collect();
        f.debug_struct("Source").field("host", &self.host).field("headers", &names).finish_non_exhaustive()
    }
}

/// What is wrong with a source. No message holds a value: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// A port, a path or something else.
    #[error("{0:?} is no host name or address, and not \"*\"")]
    Host(String),
    /// Two sources speak of one host.
    #[error("{0} stands twice")]
    Twice(String),
    /// Every host would be given it.
    #[error("headers for every host would be given to each of them: name the host")]
    HeadersForAll,
    /// It cannot be a header.
    #[error("header {0:?} cannot be sent: its name or its value holds what no header may")]
    Header(String),
    /// The downloader sets it.
    #[error("header {0} cannot be set: the downloader or the protocol sets it")]
    Ours(HeaderName),
    /// It is not one that is understood.
    #[error("proxy is no http or https address of a host alone, without user and password")]
    Proxy,
}

impl Source {
    /// For this host, by its name or address without a port, or for every host that has no source of its own (`*`).
    pub fn of(host: &str) -> Result<Self, SourceFault> {
        let known =
            if host == ANY { Ok(ANY.to_owned()) } else { Host::parse(host).map(|host| host.to_string()) };
        let host = known.map_err(|_| SourceFault::Host(host.chars().take(80).collect()))?;
        Ok(Self { host, headers: HeaderMap::new(), secret: false, proxy: None })
    }

    /// Sends this header with every request; one that is `secret` never in the clear, but to this machine itself.
    pub fn header(mut self, name: &str, value: &SecretString, secret: bool) -> Result<Self, SourceFault> {
        let cannot = || SourceFault::Header(name.chars().take(80).collect());
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| cannot())?;
        let name: HeaderName = name.parse().map_err(|_| cannot())?;
        if self.host == ANY {
            return Err(SourceFault::HeadersForAll);
        }
        if OURS.contains(&name) {
            return Err(SourceFault::Ours(name));
        }
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.secret |= secret;
        Ok(self)
    }

    /// Asks through this proxy, which is told these user and password.
    pub fn proxy(mut self, url: &str, login: Option<(String, SecretString)>) -> Result<Self, SourceFault> {
        let url = Url::parse(url).map_err(|_| SourceFault::Proxy)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return Err(SourceFault::Proxy);
        }
        self.proxy = Some((url, login));
        Ok(self)
    }
}

impl Sources {
    /// All of them, if each speaks of another host.
    pub fn new(sources: Vec<Source>) -> Result<Self, SourceFault> {
        for (n, source) in sources.iter().enumerate() {
            if sources[..n].iter().any(|before| before.host == source.host) {
                return Err(SourceFault::Twice(source.host.clone()));
            }
        }
        Ok(Self(Arc::new(sources)))
    }

    /// Where the source of an address stands: the host's own, else the one for every host.
    fn index(&self, url: &Url) -> Option<usize> {
        let named = |name: &str| self.0.iter().position(|source| source.host == name);
        named(url.host_str()?).or_else(|| named(ANY))
    }

    /// What goes along with a request for this address; none where it would be given away on the way.
    pub(super) fn headers(&self, url: &Url) -> Option<HeaderMap> {
        let Some(source) = self.index(url).map(|index| &self.0[index]) else { return Some(HeaderMap::new()) };
        let given_away = source.secret && url.scheme() != "https" && !is_loopback(url);
        (!given_away).then(|| source.headers.clone())
    }

    /// The proxies, each for its own hosts.
    pub(super) fn proxies(&self) -> impl Iterator<Item = Proxy> {
        self.0.iter().enumerate().filter_map(|(index, source)| {
            let (proxy, login) = source.proxy.clone()?;
            let sources = self.clone();
            let way = Proxy::custom(move |url| (sources.index(url) == Some(index)).then(|| proxy.clone()));
            Some(match login {
                Some((user, password)) => way.basic_auth(&user, password.expose_secret()),
                None => way,
            })
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn token() -> SecretString {
        "t0ken".to_owned().into()
    }

    #[test]
    fn headers_go_to_their_host_alone_and_secrets_not_in_the_clear() {
        let host = Source::of("Depot.example").unwrap().header("X-Token", &token(), true).unwrap();
        let sources = Sources::new(vec![host]).unwrap();
        let sent = |to: &str| sources.headers(&url(to)).map(|headers| headers.len());
        assert_eq!(sent("https://depot.example:8443/x.zip"), Some(1));
        assert_eq!(sent("https://other.example/x.zip"), Some(0));
        assert_eq!(sent("http://depot.example/x.zip"), None);
        let here = Source::of("127.0.0.1").unwrap().header("X-Token", &token(), true).unwrap();
        assert_eq!(Sources::new(vec![here]).unwrap().headers(&url("http://127.0.0.1/x")).unwrap().len(), 1);
        let open = Source::of("depot.example").unwrap().header("X-Depot", &token(), false).unwrap();
        assert_eq!(
            Sources::new(vec![open]).unwrap().headers(&url("http://depot.example/x")).unwrap().len(),
            1
        );
    }

    #[test]
    fn what_cannot_be_is_told_without_values() {
        for host in ["", "a b", "host/path", "host:80", "http://host"] {
            assert!(matches!(Source::of(host), Err(SourceFault::Host(_))), "{host}");
        }
        let host = || Source::of("host").unwrap();
        assert!(matches!(host().header("a b", &token(), true), Err(SourceFault::Header(_))));
        let broken = host().header("X", &"t0ken\r\nHost: other".to_owned().into(), true).unwrap_err();
        assert!(!broken.to_string().contains("t0ken"), "{broken}");
        assert_eq!(host().header("range", &token(), true).unwrap_err(), SourceFault::Ours(RANGE));
        assert_eq!(
            Source::of("*").unwrap().header("X", &token(), true).unwrap_err(),
            SourceFault::HeadersForAll
        );
        for proxy in ["proxy:3128", "socks5://proxy", "http://me:secret@proxy", "http://proxy/path"] {
            assert_eq!(host().proxy(proxy, None).unwrap_err(), SourceFault::Proxy, "{proxy}");
        }
        assert_eq!(Sources::new(vec![host(), host()]).unwrap_err(), SourceFault::Twice("host".into()));
        let told = format!("{:?}", host().header("X", &token(), true).unwrap());
        assert!(told.contains("\"x\"") && !told.contains("t0ken"), "{told}");
    }
}
