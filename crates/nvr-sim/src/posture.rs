use serde::{Deserialize, Serialize};

/// How the recorder is set up, as an audit reads it. The default is tight (reference: ISAPI §15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of its own
pub struct Posture {
    /// `adminAccesses`: the only place where ports are told.
    pub accesses: Vec<Access>,
    /// `Network/interfaces`; none: one that is made from the address that it listens on.
    pub interfaces: Vec<Interface>,
    /// `Network/EZVIZ`: the vendor's cloud.
    pub ezviz: Ezviz,
    /// `Network/Ehome` is on.
    pub ehome: bool,
    /// `discoveryMode/SADP`: `discoverable` or `nonDiscoverable`.
    pub sadp: String,
    /// `discoveryMode/PcapMode`.
    pub pcap: String,
    /// `Network/ssh` is on.
    pub ssh: bool,
    /// `Network/UPnP` is on.
    pub upnp: bool,
    /// `Network/DDNS`.
    pub ddns: Ddns,
    /// `Network/SNMP`: community of version 1 and 2c, if that is on.
    pub snmp_community: Option<String>,
    /// `Network/Integrate`: CGI is on.
    pub cgi: bool,
    /// `Network/Integrate`: ONVIF is on.
    pub onvif: bool,
    /// `Network/ipFilter`.
    pub ip_filter: IpFilter,
    /// `illegalLoginLock/enabled`, where it has that endpoint.
    pub login_lock: bool,
}

/// One protocol of `adminAccesses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// HTTPS is number 3.
    pub id: u32,
    /// `HTTP`, `HTTPS`, `RTSP`, `DEV_MANAGE`, `WebSocket`, `IOT` or `SDK_OVER_TLS`.
    pub protocol: String,
    /// Port.
    pub port: u16,
    /// Whether it is on; without it there is no such node, as for `DEV_MANAGE` on some.
    pub enabled: Option<bool>,
    /// `redirectToHttps` of HTTPS.
    pub redirect_to_https: Option<bool>,
    /// `TLS1_1Enable` of HTTPS.
    pub tls1_1: Option<bool>,
    /// `TLS1_2Enable` of HTTPS.
    pub tls1_2: Option<bool>,
}

/// A network interface (reference: ISAPI §15.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Interface {
    /// `static`, `dynamic` or `apipa`.
    pub addressing: String,
    /// Its address.
    pub address: String,
    /// Its mask.
    pub mask: String,
    /// Its gateway; `0.0.0.0` is none.
    pub gateway: String,
    /// First name server.
    pub dns: String,
    /// `MACAddress`.
    pub mac: String,
}

/// `Network/EZVIZ`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ezviz {
    /// The cloud is on.
    pub enabled: bool,
    /// The recorder is registered with it.
    pub registered: bool,
    /// `verificationCode`: a secret that no client may show.
    pub verification_code: String,
}

/// `Network/DDNS`, its one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ddns {
    /// It is on.
    pub enabled: bool,
    /// The name that it keeps.
    pub domain: String,
}

/// `Network/ipFilter` (reference: ISAPI §15.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpFilter {
    /// It is on.
    pub enabled: bool,
    /// `deny` or `allow`.
    pub permission: String,
    /// Addresses.
    pub addresses: Vec<String>,
}

impl Default for Posture {
    fn default() -> Self {
        let access =
            |id, protocol: &str, port| Access { id, protocol: protocol.into(), port, ..Access::default() };
        Self {
            accesses: vec![
                access(1, "HTTP", 80),
                access(2, "RTSP", 554),
                Access {
                    redirect_to_https: Some(false),
                    tls1_1: Some(false),
                    tls1_2: Some(true),
                    ..access(3, "HTTPS", 443)
                },
                Access { enabled: None, ..access(4, "DEV_MANAGE", 8000) },
                access(5, "WebSocket", 7681),
            ],
            interfaces: Vec::new(),
            ezviz: Ezviz::default(),
            ehome: false,
            sadp: "discoverable".into(),
            pcap: "nonDiscoverable".into(),
            ssh: false,
            upnp: false,
            ddns: Ddns::default(),
            snmp_community: None,
            cgi: false,
            onvif: false,
            ip_filter: IpFilter::default(),
            login_lock: true,
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            id: 1,
            protocol: "HTTP".into(),
            port: 80,
            enabled: Some(true),
            redirect_to_https: None,
            tls1_1: None,
            tls1_2: None,
        }
    }
}

impl Default for Interface {
    fn default() -> Self {
        Self {
            addressing: "static".into(),
            address: "192.168.1.64".into(),
            mask: "255.255.255.0".into(),
            gateway: "0.0.0.0".into(),
            dns: "0.0.0.0".into(),
            mac: "02:00:00:00:00:01".into(),
        }
    }
}

impl Default for Ezviz {
    fn default() -> Self {
        Self { enabled: false, registered: false, verification_code: "ABCDEF".into() }
    }
}

impl Default for IpFilter {
    fn default() -> Self {
        Self { enabled: false, permission: "deny".into(), addresses: Vec::new() }
    }
}
