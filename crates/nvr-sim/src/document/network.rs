//! The network side of the posture (reference: ISAPI §15).

use super::{document, mac, node, node_of};
use crate::posture::Interface;
use crate::profile::{HIKVISION, ISAPI};
use crate::recorder::Recorder;

/// `GET /ISAPI/System/Network/interfaces` (reference: ISAPI §15.1).
pub(super) fn interfaces(recorder: &Recorder) -> String {
    let state = recorder.state();
    let mut interfaces = state.content.posture.interfaces;
    if interfaces.is_empty() {
        let (address, mac) = (state.address.ip().to_string(), mac(&state.serial.normalised(), ':'));
        interfaces.push(Interface { address, mac, ..Interface::default() });
    }
    let repeated = if state.content.nested_namespaces {
        format!(" version=\"2.0\" xmlns=\"{ISAPI}\"")
    } else {
        String::new()
    };
    let dual = recorder.profile.traits().dual_stack;
    let list =
        interfaces.iter().zip(1..).map(|(interface, id)| self::interface(interface, id, dual, &repeated));
    document("NetworkInterfaceList", "2.0", ISAPI, &list.collect::<String>())
}

/// With both versions of IP in the form of cameras (reference: ISAPI §15), else in that of recorders.
fn interface(interface: &Interface, id: u32, dual: bool, repeated: &str) -> String {
    let version = match interface.address.contains(':') {
        _ if dual => "dual",
        true => "v6",
        false => "v4",
    };
    let address = [
        node("ipVersion", version),
        node("addressingType", &interface.addressing),
        node("ipAddress", &interface.address),
        node("subnetMask", &interface.mask),
        node_of("ipv6Address", dual.then_some("::")),
        node_of("bitMask", dual.then_some(0)),
        format!("<DefaultGateway>{}</DefaultGateway>", node("ipAddress", &interface.gateway)),
        format!("<PrimaryDNS>{}</PrimaryDNS>", node("ipAddress", &interface.dns)),
        "<SecondaryDNS><ipAddress>0.0.0.0</ipAddress></SecondaryDNS>".into(),
        node("DNSEnable", false),
        if dual {
            format!("<Ipv6Mode>{}</Ipv6Mode>", node("ipV6AddressingType", "ra"))
        } else {
            String::new()
        },
    ];
    let link = [
        node("MACAddress", &interface.mac),
        node("autoNegotiation", true),
        node("speed", 1000),
        node("duplex", "full"),
        node("MTU", 1500),
    ];
    format!(
        "<NetworkInterface{repeated}>{}<IPAddress{repeated}>{}</IPAddress>\n<Link{repeated}>{}</Link></NetworkInterface>\n",
        node("id", id),
        address.concat(),
        link.concat()
    )
}

/// `GET /ISAPI/System/Network/EZVIZ`.
pub(super) fn ezviz(recorder: &Recorder) -> String {
    let ezviz = recorder.state().content.posture.ezviz;
    let nodes = [
        node("enabled", ezviz.enabled),
        node("registerStatus", ezviz.registered),
        "<serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>litedev.hik-connect.com</hostName></serverAddress>".into(),
        node("verificationCode", &ezviz.verification_code),
        node("bindStatus", if ezviz.registered { "bind" } else { "unbind" }),
    ];
    document("EZVIZ", "2.0", ISAPI, &(nodes.concat() + "\n"))
}

/// `GET /ISAPI/System/Network/Ehome` (ISUP).
pub(super) fn ehome(recorder: &Recorder) -> String {
    let nodes = [
        node("enabled", recorder.state().content.posture.ehome),
        node("portNo", 7660),
        node("registerStatus", false),
    ];
    document("Ehome", "2.0", ISAPI, &(nodes.concat() + "\n"))
}

/// `GET /ISAPI/System/discoveryMode`.
pub(super) fn discovery_mode(recorder: &Recorder) -> String {
    let posture = recorder.state().content.posture;
    let nodes = [node("PcapMode", &posture.pcap), node("SADP", &posture.sadp)];
    document("DiscoveryMode", "2.0", ISAPI, &(nodes.concat() + "\n"))
}

/// `GET /ISAPI/System/Network/ssh`, where the recorder has it.
pub(super) fn ssh(recorder: &Recorder) -> String {
    document("SSH", "2.0", HIKVISION, &(node("enabled", recorder.state().content.posture.ssh) + "\n"))
}

/// `GET /ISAPI/System/Network/UPnP`: no full body of a recorder was found, only these fields.
pub(super) fn upnp(recorder: &Recorder) -> String {
    let enabled = node("enabled", recorder.state().content.posture.upnp);
    document("UPnP", "1.0", HIKVISION, &(enabled + "<mapmode>auto</mapmode><portList/>\n"))
}

/// `GET /ISAPI/System/Network/DDNS`.
pub(super) fn ddns(recorder: &Recorder) -> String {
    let ddns = recorder.state().content.posture.ddns;
    let nodes = [
        node("id", 1),
        node("enabled", ddns.enabled),
        r#"<provider opt="IPServer,DynDNS,HiDDNS">DynDNS</provider>"#.into(),
        node("deviceDomainName", &ddns.domain),
    ];
    document("DDNSList", "1.0", HIKVISION, &format!("<DDNS>{}</DDNS>\n", nodes.concat()))
}

/// `GET /ISAPI/System/Network/SNMP`.
pub(super) fn snmp(recorder: &Recorder) -> String {
    let community = recorder.state().content.posture.snmp_community;
    let receiver = community.as_ref().map_or_else(String::new, |community| {
        let nodes = [
            node("id", 1),
            "<ReceiverAddress><addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress><portNo>162</portNo></ReceiverAddress>".into(),
            node("notificationType", "trap"),
            node("communityString", community),
        ];
        format!(
            "<SNMPTrapReceiverList><SNMPTrapReceiver>{}</SNMPTrapReceiver></SNMPTrapReceiverList>",
            nodes.concat()
        )
    });
    let enabled = node("notificationEnabled", community.is_some());
    document("SNMP", "2.0", ISAPI, &format!("<SNMPv1c>{enabled}{receiver}</SNMPv1c>\n"))
}

/// `GET /ISAPI/System/Network/Integrate`.
pub(super) fn integrate(recorder: &Recorder) -> String {
    let posture = recorder.state().content.posture;
    let (cgi, onvif) = (node("enable", posture.cgi), node("enable", posture.onvif));
    let kind = node("certificateType", "digest/wsse");
    document("Integrate", "2.0", ISAPI, &format!("<CGI>{cgi}</CGI><ONVIF>{onvif}{kind}</ONVIF>\n"))
}

/// `GET /ISAPI/System/Network/ipFilter` (reference: ISAPI §15.2).
pub(super) fn ip_filter(recorder: &Recorder) -> String {
    let filter = recorder.state().content.posture.ip_filter;
    let permission = node("permissionType", &filter.permission);
    let addresses = filter.addresses.iter().zip(1..).map(|(address, id)| {
        format!(
            "<IPFilterAddress>{}{permission}<addressFilterType>mask</addressFilterType><AddressMask>{}</AddressMask></IPFilterAddress>\n",
            node("id", id),
            node("ipAddress", address)
        )
    });
    let list = addresses.collect::<String>();
    let inner = format!(
        "{}{permission}<IPFilterAddressList size=\"32\">\n{list}</IPFilterAddressList>\n",
        node("enabled", filter.enabled)
    );
    document("IPFilter", "2.0", ISAPI, &inner)
}
