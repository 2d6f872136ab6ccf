use nvr_sim::{
    Access, Camera, Content, Ddns, Disk, Document, Ezviz, Faults, Interface, IpFilter, OnlineUser, Posture,
    Profile, User,
};

use crate::{ask, curl, faulty, get, start, url};

#[tokio::test]
async fn profiles_differ_as_the_described_recorders_do() {
    const HIKVISION: &str = "http://www.hikvision.com/ver20/XMLSchema";
    const ISAPI: &str = "http://www.isapi.org/ver20/XMLSchema";
    for (profile, version, namespace, kind, hardware, snmp, filter) in [
        (Profile::Ds7616niK2, "1.0", HIKVISION, "NVR", Some("B-R-K51-00"), 200, 403),
        (Profile::Ds7616niQ2, "1.0", HIKVISION, "NVR", None, 403, 403),
        (Profile::Ds7608nxiI2, "2.0", ISAPI, "NVR", Some("0100000092010000"), 200, 403),
        (Profile::Ds7732niM4, "2.0", ISAPI, "NVR", Some("B-R-K21B1-00"), 200, 200),
        (Profile::Dvr, "1.0", HIKVISION, "DVR", Some("0xc0fcc00"), 403, 403),
        (Profile::Camera, "2.0", HIKVISION, "IPCamera", Some("0x0"), 200, 200),
    ] {
        let recorder = start(|recorder| recorder.profile = profile).await;
        let info = get(&recorder, "System/deviceInfo").await;
        let root = format!("<DeviceInfo version=\"{version}\" xmlns=\"{namespace}\">");
        assert!(info.text.contains(&root), "{info:?}");
        assert_eq!(info.node("deviceType"), kind);
        assert_eq!(info.text.contains("<hardwareVersion>"), hardware.is_some());
        assert_eq!(hardware.map(|_| info.node("hardwareVersion")), hardware);
        let is_camera = profile == Profile::Camera;
        for node in ["firmwareVersionInfo", "OEMCode", "subSerialNumber", "bootVersion"] {
            assert_eq!(info.text.contains(&format!("<{node}>")), is_camera, "{info:?}");
        }
        let interfaces = get(&recorder, "System/Network/interfaces").await;
        assert_eq!(interfaces.text.contains("<ipVersion>dual</ipVersion>"), is_camera, "{interfaces:?}");
        if is_camera {
            let lock = get(&recorder, "Security/illegalLoginLock").await;
            assert_eq!(
                (lock.node("maxIllegalLoginTimes"), lock.node("maxIllegalLoginLockTime")),
                ("7", "30")
            );
            let wrong = ask(&recorder, "wrong", "System/deviceInfo").await;
            assert!(wrong.text.contains("<retryLoginTime>6</retryLoginTime>"), "{wrong:?}");
        }
        assert_eq!(get(&recorder, "System/Network/SNMP").await.status, snmp, "{profile:?}");
        assert_eq!(get(&recorder, "System/Network/ipFilter").await.status, filter, "{profile:?}");

        let channels = get(&recorder, "ContentMgmt/InputProxy/channels").await;
        assert_eq!(channels.status, if is_camera { 403 } else { 200 }, "{channels:?}");
        let knows = matches!(
            profile,
            Profile::Ds7616niK2 | Profile::Ds7608nxiI2 | Profile::Ds7732niM4 | Profile::Dvr
        );
        assert_eq!(channels.text.contains("<model>"), knows, "{channels:?}");
        let disks = get(&recorder, "ContentMgmt/Storage").await;
        let knows = !matches!(profile, Profile::Ds7608nxiI2 | Profile::Camera);
        assert_eq!(disks.text.contains("<hddModel>"), knows, "{disks:?}");
    }
}

#[tokio::test]
async fn a_device_type_may_be_another_than_that_of_the_profile() {
    let recorder = start(|recorder| recorder.device_type = Some("DVR".into())).await;
    assert_eq!(get(&recorder, "System/deviceInfo").await.node("deviceType"), "DVR");
}

fn content() -> Content {
    Content {
        name: "\u{1b}[2Jrecorder <&>".into(),
        uptime_seconds: 77,
        disks: vec![Disk {
            id: 7,
            status: "error".into(),
            capacity: 10,
            free: 3,
            serial: None,
            model: Some("M".into()),
        }],
        cameras: vec![Camera {
            name: "\u{1b}]0;x\u{7}".into(),
            address: "192.168.254.9".into(),
            ..Camera::default()
        }],
        online_users: vec![OnlineUser {
            name: "kim".into(),
            level: "viewer".into(),
            address: "192.168.1.7".into(),
        }],
        users: vec![User { name: "kim".into(), level: "Viewer".into() }],
        default_password: true,
        risk_password: true,
        nested_namespaces: true,
        posture: Posture {
            accesses: vec![Access {
                id: 3,
                protocol: "HTTPS".into(),
                port: 4443,
                tls1_1: Some(true),
                ..Access::default()
            }],
            interfaces: vec![Interface {
                addressing: "dynamic".into(),
                gateway: "192.168.1.1".into(),
                ..Interface::default()
            }],
            ezviz: Ezviz { enabled: true, registered: true, verification_code: "SECRET".into() },
            ehome: true,
            sadp: "nonDiscoverable".into(),
            pcap: "discoverable".into(),
            ssh: true,
            upnp: true,
            ddns: Ddns { enabled: true, domain: "nvr.example".into() },
            snmp_community: Some("public".into()),
            cgi: true,
            onvif: true,
            ip_filter: IpFilter {
                enabled: true,
                permission: "allow".into(),
                addresses: vec!["203.0.113.21".into()],
            },
            login_lock: false,
        },
        ..Content::default()
    }
}

#[tokio::test]
async fn everything_that_it_tells_can_be_set() {
    let recorder = start(|recorder| recorder.content = content()).await;
    let mut offered = content();
    offered.offered =
        ["Network/ssh", "Network/ipFilter"].map(|path| format!("/ISAPI/System/{path}")).to_vec();
    offered.offered.push("/ISAPI/Security/illegalLoginLock".into());
    for path in ["System/Network/ssh", "Security/illegalLoginLock"] {
        assert_eq!(get(&recorder, path).await.node("subStatusCode"), "notSupport");
    }
    recorder.set_content(offered);
    let repeated = r#"<IPAddress version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><ipVersion>"#;
    for (path, expected) in [
        ("System/deviceInfo", "<deviceName>\u{1b}[2Jrecorder &lt;&amp;&gt;</deviceName>"),
        (
            "ContentMgmt/Storage",
            "<id>7</id><hddName>hdd7</hddName><hddPath/><hddType>SATA</hddType><status>error</status><capacity>10</capacity><freeSpace>3</freeSpace>",
        ),
        (
            "ContentMgmt/InputProxy/channels",
            "size=\"1\">\n<InputProxyChannel><id>1</id><name>\u{1b}]0;x\u{7}</name>",
        ),
        ("ContentMgmt/InputProxy/channels", "<ipAddress>192.168.254.9</ipAddress>"),
        ("Security/onlineUser", "<name>kim</name><type>viewer</type>"),
        ("Security/onlineUser", "<ipAddress>192.168.1.7</ipAddress>"),
        ("Security/users", "<userName>kim</userName><userLevel>Viewer</userLevel>"),
        (
            "Security/userCheck",
            "<isDefaultPassword>true</isDefaultPassword><isRiskPassword>true</isRiskPassword>",
        ),
        (
            "Security/adminAccesses",
            "<id>3</id><enabled>true</enabled><protocol>HTTPS</protocol><portNo>4443</portNo><TLS1_1Enable>true<",
        ),
        (
            "Security/illegalLoginLock",
            "<enabled>false</enabled><maxIllegalLoginTimes>5</maxIllegalLoginTimes><maxIllegalLoginLockTime>1800<",
        ),
        ("Security/capabilities", r#"<cfgFileSecretKeyLenLimit min="1" max="16"/>"#),
        ("System/Network/interfaces", "<addressingType>dynamic</addressingType>"),
        ("System/Network/interfaces", "<DefaultGateway><ipAddress>192.168.1.1</ipAddress>"),
        ("System/Network/interfaces", repeated),
        ("System/Network/EZVIZ", "<enabled>true</enabled><registerStatus>true</registerStatus>"),
        ("System/Network/EZVIZ", "<verificationCode>SECRET</verificationCode>"),
        ("System/Network/Ehome", "<enabled>true</enabled>"),
        ("System/discoveryMode", "<PcapMode>discoverable</PcapMode><SADP>nonDiscoverable</SADP>"),
        ("System/Network/ssh", "<enabled>true</enabled>"),
        ("System/Network/UPnP", "<enabled>true</enabled>"),
        ("System/Network/DDNS", "<enabled>true</enabled>"),
        ("System/Network/DDNS", "<deviceDomainName>nvr.example</deviceDomainName>"),
        ("System/Network/SNMP", "<communityString>public</communityString>"),
        ("System/Network/Integrate", "<CGI><enable>true</enable></CGI><ONVIF><enable>true</enable>"),
        ("System/Network/ipFilter", "<enabled>true</enabled><permissionType>allow</permissionType>"),
        ("System/Network/ipFilter", "<ipAddress>203.0.113.21</ipAddress>"),
        ("System/time/timeZone", "Content-Type: text/plain\r\n"),
        ("System/time/localTime", "Content-Type: text/plain\r\n"),
    ] {
        let answer = get(&recorder, path).await;
        assert!(answer.status == 200 && answer.text.contains(expected), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn defaults_are_tight_and_the_interface_is_where_it_listens() {
    let recorder = start(|_| {}).await;
    for (path, expected) in [
        (
            "System/Network/interfaces",
            "<NetworkInterface><id>1</id><IPAddress><ipVersion>v4</ipVersion><addressingType>static</addressingType><ipAddress>127.0.0.1<",
        ),
        ("System/Network/EZVIZ", "<enabled>false</enabled>"),
        ("System/Network/SNMP", "<notificationEnabled>false</notificationEnabled>"),
        ("System/Network/UPnP", "<enabled>false</enabled>"),
        ("ContentMgmt/Storage", "<status>notexist</status>"),
        ("ContentMgmt/InputProxy/channels", "size=\"2\""),
    ] {
        let answer = get(&recorder, path).await;
        assert!(answer.text.contains(expected), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn endpoints_are_taken_away_and_added_and_what_is_absent_may_be_404() {
    let recorder = start(|recorder| {
        recorder.content.missing = vec!["/ISAPI/System/status".into(), "/ISAPI/System/updateFirmware".into()];
        recorder.content.documents =
            vec![Document { path: "/ISAPI/System/Network/telnetd".into(), text: "<Telnetd/>".into() }];
    })
    .await;
    for path in ["System/status", "System/updateFirmware", "System/x"] {
        let absent = get(&recorder, path).await;
        assert_eq!((absent.status, absent.node("subStatusCode")), (403, "notSupport"), "{path}");
    }
    let given = get(&recorder, "System/Network/telnetd").await;
    assert!(given.status == 200 && given.text.contains("<Telnetd/>"), "{given:?}");
    let recorder = faulty(Faults { absent_status: Some(404), ..Faults::default() }).await;
    let absent = get(&recorder, "System/x").await;
    assert_eq!((absent.status, absent.node("subStatusCode")), (404, "notSupport"));
}

#[tokio::test]
async fn another_method_is_not_allowed_where_there_is_an_endpoint() {
    let recorder = start(|_| {}).await;
    for (method, path) in
        [("POST", "System/updateFirmware"), ("DELETE", "System/deviceInfo"), ("GET", "System/reboot")]
    {
        let refused = curl(["--digest", "-u", "admin:right", "-X", method, &url(&recorder, path)]).await;
        assert_eq!((refused.status, refused.node("subStatusCode")), (405, "methodNotAllowed"), "{path}");
    }
    assert_eq!(recorder.state().counters.pushes, 0);
}

#[tokio::test]
async fn requests_are_counted_by_method_and_path() {
    let recorder = start(|_| {}).await;
    get(&recorder, "System/status?x=y").await;
    curl([&url(&recorder, "System/status")]).await;
    let counters = recorder.state().counters;
    assert_eq!(counters.requests_of("GET /ISAPI/System/status"), 3, "{:?}", counters.requests);
}
