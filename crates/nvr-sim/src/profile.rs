use serde::{Deserialize, Serialize};

/// Which of the described devices the recorder is like: namespaces, versions, nodes that are there or
/// not, and endpoints that it has (reference: ISAPI §8.2, §14, §15).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// DS-7616NI-K2 and its like, V4.74: hikvision.com 1.0, `manufacturer`.
    #[default]
    #[serde(rename = "ds-7616ni-k2")]
    Ds7616niK2,
    /// DS-7616NI-Q2, V4.30: no `hardwareVersion`, cameras without model and firmware, no SNMP.
    #[serde(rename = "ds-7616ni-q2")]
    Ds7616niQ2,
    /// DS-7608NXI-I2, V4.62: isapi.org 2.0, a numeric `hardwareVersion`.
    #[serde(rename = "ds-7608nxi-i2")]
    Ds7608nxiI2,
    /// DS-7732NI-M4, V5.03: isapi.org 2.0, the only one with an address filter.
    #[serde(rename = "ds-7732ni-m4")]
    Ds7732niM4,
    /// A hybrid recorder: `DVR`, hexadecimal `hardwareVersion`, no SNMP.
    Dvr,
    /// A camera V5.x: `IPCamera`, nodes of its own, 403 on InputProxy, seven wrong passwords, times of the
    /// lock in minutes.
    Camera,
}

/// What a profile settles.
pub(crate) struct Traits {
    /// `version` and `xmlns` of `DeviceInfo`.
    pub(crate) device_info: (&'static str, &'static str),
    pub(crate) device_type: &'static str,
    pub(crate) hardware: Option<&'static str>,
    /// Nodes that only this one has, before the end of `DeviceInfo`.
    pub(crate) last_nodes: &'static str,
    /// Wrong passwords before it locks (reference: ISAPI §9.3).
    pub(crate) tries: u32,
    /// In what `illegalLoginLock` counts, seconds.
    pub(crate) lock_unit_seconds: u64,
    /// Its interfaces have both versions of IP (reference: ISAPI §15).
    pub(crate) dual_stack: bool,
    /// Whether channels tell model, serial and firmware of their cameras.
    pub(crate) knows_cameras: bool,
    /// Disks have serial and model.
    pub(crate) knows_disks: bool,
    /// Endpoints, out of those that exist at all, that it lacks.
    pub(crate) lacks: &'static [&'static str],
}

/// `xmlns` of most documents of older recorders.
pub(crate) const HIKVISION: &str = "http://www.hikvision.com/ver20/XMLSchema";
/// `xmlns` of most documents of newer ones.
pub(crate) const ISAPI: &str = "http://www.isapi.org/ver20/XMLSchema";

const INPUT_PROXY: &str = "/ISAPI/ContentMgmt/InputProxy/channels";
const LOGIN_LOCK: &str = "/ISAPI/Security/illegalLoginLock";
const IP_FILTER: &str = "/ISAPI/System/Network/ipFilter";
const SNMP: &str = "/ISAPI/System/Network/SNMP";
const SSH: &str = "/ISAPI/System/Network/ssh";

impl Profile {
    pub(crate) fn traits(self) -> Traits {
        let k2 = Traits {
            device_info: ("1.0", HIKVISION),
            device_type: "NVR",
            hardware: Some("B-R-K51-00"),
            last_nodes: "<manufacturer>hikvision</manufacturer>\n",
            tries: 5,
            lock_unit_seconds: 1,
            dual_stack: false,
            knows_cameras: true,
            knows_disks: true,
            // no captured recorder has the flag of the lock; the filter was met on one alone
            lacks: &[LOGIN_LOCK, IP_FILTER, SSH],
        };
        match self {
            Self::Ds7616niK2 => k2,
            Self::Ds7616niQ2 => Traits {
                hardware: None,
                last_nodes: "",
                knows_cameras: false,
                lacks: &[LOGIN_LOCK, IP_FILTER, SSH, SNMP],
                ..k2
            },
            Self::Ds7608nxiI2 => Traits {
                device_info: ("2.0", ISAPI),
                hardware: Some("0100000092010000"),
                last_nodes: "<regionVersion>basic</regionVersion>\n",
                knows_disks: false,
                ..k2
            },
            Self::Ds7732niM4 => Traits {
                device_info: ("2.0", ISAPI),
                hardware: Some("B-R-K21B1-00"),
                last_nodes: "",
                lacks: &[LOGIN_LOCK, SSH],
                ..k2
            },
            Self::Dvr => Traits {
                device_type: "DVR",
                hardware: Some("0xc0fcc00"),
                last_nodes: "",
                lacks: &[LOGIN_LOCK, IP_FILTER, SSH, SNMP],
                ..k2
            },
            Self::Camera => Traits {
                device_info: ("2.0", HIKVISION),
                device_type: "IPCamera",
                hardware: Some("0x0"),
                // no sample tells the values of the last two
                last_nodes: "<firmwareVersionInfo>B-R-G5-0</firmwareVersionInfo>
<OEMCode>1</OEMCode>
<subSerialNumber>E00000001</subSerialNumber>
<bootVersion>V1.3.4</bootVersion>
",
                tries: 7,
                lock_unit_seconds: 60,
                dual_stack: true,
                knows_cameras: false,
                knows_disks: false,
                lacks: &[INPUT_PROXY],
            },
        }
    }
}
