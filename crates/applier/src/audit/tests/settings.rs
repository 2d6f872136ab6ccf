//! Services and accounts.

use super::*;

#[test]
fn services_pass_only_where_they_say_that_they_are_off() {
    table!(Sv01, upnp:
        ("<UPnP><enabled>true</enabled><mapmode>auto</mapmode></UPnP>", Fail, "on, mapping auto"),
        ("<UPnP><enabled>false</enabled></UPnP>", Pass, "off"));
    table!(Sv02, ddns:
        ("<DDNSList/>", Pass, "no service"),
        ("<DDNS><enabled>false</enabled><provider>DynDNS</provider></DDNS>", Pass, "DynDNS off"),
        ("<DDNSList><DDNS><enabled>false</enabled></DDNS><DDNS><enabled>true</enabled></DDNS></DDNSList>", Fail, "on"),
        ("<DDNSList><DDNS><enabled>false</enabled></DDNS><DDNS/></DDNSList>", Unknown, "neither"));
    table!(Sv04, snmp:
        ("<SNMP><SNMPv1c><enabled>false</enabled></SNMPv1c><SNMPv2c><enabled>false</enabled></SNMPv2c></SNMP>", Pass, "version 1 off"),
        ("<SNMP><SNMPv2c><enabled>true</enabled></SNMPv2c></SNMP>", Fail, "version 2c on"),
        ("<SNMP><SNMPv1c><notificationEnabled>true</notificationEnabled><SNMPTrapReceiverList><SNMPTrapReceiver><communityString>public</communityString></SNMPTrapReceiver></SNMPTrapReceiverList></SNMPv1c></SNMP>", Fail, "everybody tries"),
        ("<SNMP><SNMPv1c><notificationEnabled>false</notificationEnabled></SNMPv1c></SNMP>", Unknown, "traps off"),
        ("<SNMP/>", Unknown, "nothing"));
    table!(Sv05, integration:
        ("<Integrate><ONVIF><enable>true</enable><certificateType>digest/wsse</certificateType></ONVIF></Integrate>", Fail, "digest/wsse"),
        ("<Integrate><ONVIF><enable>false</enable></ONVIF></Integrate>", Pass, "off"),
        ("<Integrate/>", Unknown, "neither"));
    table!(Sv06, cloud:
        ("<EZVIZ><enabled>true</enabled></EZVIZ>", Fail, "on"),
        ("<EZVIZ><enabled>false</enabled><registerStatus>false</registerStatus><bindStatus>bind</bindStatus><verificationCode>ABCDEF</verificationCode></EZVIZ>", Pass, "binding: bind"));
    table!(Sv07, platform:
        ("<Ehome><enabled>true</enabled><registerStatus>true</registerStatus></Ehome>", Fail, "registered"),
        ("<Ehome><enabled>false</enabled></Ehome>", Pass, "off"));
    table!(Sv10, accesses:
        ("<AdminAccessProtocol><protocol>DEV_MANAGE</protocol><enabled>true</enabled></AdminAccessProtocol>", Fail, "on"),
        ("<AdminAccessProtocol><protocol>DEV_MANAGE</protocol><enabled>false</enabled></AdminAccessProtocol>", Pass, "off"),
        ("<AdminAccessProtocol><protocol>DEV_MANAGE</protocol><portNo>8000</portNo></AdminAccessProtocol>", Unknown, "8000"),
        ("<AdminAccessProtocolList/>", NotOffered, "DEV_MANAGE"));
}

/// Reference: field notes §3.1
#[test]
fn shells_that_are_not_there_pass_and_unread_ones_do_not() {
    let shells = |ssh, telnet| {
        judged(Sv03, |observed| {
            observed.readings.ssh = ssh;
            observed.readings.telnet = telnet;
        })
        .0
    };
    let (off, on) =
        (|| read("<SSH><enabled>false</enabled></SSH>"), || read("<SSH><enabled>true</enabled></SSH>"));
    let denied = || Reading::Unread(Text::cleaned("no right"));
    assert_eq!(shells(Reading::NotOffered, Reading::NotOffered), Pass);
    assert_eq!(shells(off(), Reading::NotOffered), Pass);
    assert_eq!(shells(on(), Reading::NotOffered), Fail);
    assert_eq!(shells(Reading::NotOffered, read("<x><enabled>true</enabled></x>")), Fail);
    assert_eq!(shells(off(), denied()), Unknown);
    assert_eq!(shells(on(), Reading::Unread(Text::cleaned("no right"))), Fail);
    assert_eq!(shells(Reading::Unread(Text::cleaned("no right")), Reading::NotOffered), Unknown);
}

#[test]
fn accounts() {
    table!(Ac01, login_lock:
        ("<IllegalLoginLock><enabled>true</enabled><maxIllegalLoginTimes>5</maxIllegalLoginTimes><maxIllegalLoginLockTime>1800</maxIllegalLoginLockTime></IllegalLoginLock>", Pass, "on, after 5 wrong passwords, for 1800 s"),
        ("<IllegalLoginLock><enabled>false</enabled></IllegalLoginLock>", Fail, "off"));
    let of_a_camera = judged(Ac01, |observed| {
        let camera = Device { device_type: Some(Text::cleaned("IPCamera")), ..observed.device.clone() };
        observed.device = Box::leak(Box::new(camera));
        observed.readings.login_lock = read(
            "<IllegalLoginLock><enabled>true</enabled><maxIllegalLoginLockTime>30</maxIllegalLoginLockTime></IllegalLoginLock>",
        );
    });
    assert_eq!(of_a_camera, (Pass, "on, for 30 min".into()));
    let lacking = judged(Ac01, |observed| observed.readings.login_lock = Reading::NotOffered);
    assert!(lacking.0 == NotOffered && lacking.1.contains("all the same"), "{lacking:?}");
    table!(Ac02, security:
        ("<SecurityCap><isSupportAnonymous>false</isSupportAnonymous></SecurityCap>", NotOffered, "no anonymous"),
        ("<SecurityCap><isSupportAnonymous>true</isSupportAnonymous></SecurityCap>", Manual, "switched off"),
        ("<SecurityCap/>", Manual, "does not say"));
    let user = |name: &str, level: &str| format!("<User><userName>{name}</userName>{level}</User>");
    let (admin, viewer) = (
        user("admin", "<userLevel>Administrator</userLevel>"),
        user("guard", "<userLevel>Viewer</userLevel>"),
    );
    let list = |users: &[&str]| format!("<UserList>{}</UserList>", users.concat());
    table!(Ac03, users:
        (&list(&[&admin, &viewer]), Pass, "admin (Administrator), guard (Viewer)"),
        (&list(&[&admin]), Fail, "admin"),
        (&list(&[&admin, &admin, &viewer]), Fail, "admin"),
        (&list(&[&viewer, &viewer]), Fail, "guard"),
        (&list(&[&admin, &user("x", "")]), Unknown, "level"),
        ("<UserList/>", Unknown, "empty"));
    table!(Ac05, online_users:
        ("<OnlineUserList/>", Pass, "nobody"),
        ("<OnlineUserList><OnlineUser><name>guard</name></OnlineUser></OnlineUserList>", Fail, "guard"));
}

#[test]
fn the_password_is_judged_by_the_rule_and_by_the_recorder() {
    let judged = |password: &str, security: &str, account: &str| {
        judged(Ac04, |observed| {
            observed.password = PasswordFacts::of(&password.into(), "admin");
            observed.readings.security = read(security);
            observed.readings.account = read(account);
        })
    };
    let (eight, fine) =
        ("<SecurityCap><LoginPasswordLenLimit min='8' max='16'/></SecurityCap>", "<userCheck/>");
    let good = judged("Recorder123", eight, fine);
    assert!(good.0 == Pass && good.1.contains("none below 8") && !good.1.contains("Recorder123"), "{good:?}");
    assert_eq!(judged("Recorder123", "<SecurityCap/>", fine).0, Pass);
    for (password, security, account, words) in [
        ("kitchen-sink", eight, fine, "fewer than 3 kinds"),
        (
            "Recorder123",
            eight,
            "<userCheck><isRiskPassword>true</isRiskPassword></userCheck>",
            "calls it weak",
        ),
        (
            "Recorder123",
            eight,
            "<userCheck><isDefaultPassword>true</isDefaultPassword></userCheck>",
            "default",
        ),
        (
            "Recorder123",
            "<SecurityCap><LoginPasswordLenLimit min='1'/></SecurityCap>",
            fine,
            "of 1 characters",
        ),
    ] {
        let (result, said) = judged(password, security, account);
        assert!(result == Fail && said.contains(words) && !said.contains(password), "{said}");
    }
}
