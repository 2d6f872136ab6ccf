//! What a recorder says about itself. Namespaces and versions differ from document to document, as
//! they do within one real box (reference: ISAPI §8.2, §8.3); each has those of its sample.

mod cameras;
mod device_info;
mod network;
pub(crate) mod security;
mod storage;
pub(crate) mod system;
pub(crate) mod time;

use std::fmt::Display;

use quick_xml::escape::escape;

use crate::recorder::Recorder;
pub(crate) use device_info::mac;

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>"#;

/// Whether the recorder has this endpoint, if it is one at all.
pub(crate) fn is_offered(recorder: &Recorder, path: &str) -> bool {
    let state = recorder.state.borrow();
    let content = &state.content;
    let lacks =
        recorder.profile.traits().lacks.contains(&path) && !content.offered.iter().any(|own| own == path);
    let missing = content.missing.iter().any(|missing| missing == path);
    !missing && (!lacks || content.documents.iter().any(|document| document.path == path))
}

/// The document behind a path; `None` where there is none.
pub(crate) fn read(recorder: &Recorder, path: &str) -> Option<String> {
    let content = recorder.state().content;
    if let Some(document) = content.documents.into_iter().find(|document| document.path == path) {
        return Some(document.text);
    }
    Some(match path.strip_prefix("/ISAPI/")? {
        // both paths give the same document on real recorders (reference: ISAPI §8)
        "System/deviceInfo" | "System/deviceInfo/capabilities" => device_info::device_info(recorder),
        "System/capabilities" => system::capabilities(),
        "System/status" => system::status(recorder),
        "System/discoveryMode" => network::discovery_mode(recorder),
        "System/time" => time::time(recorder),
        "System/Network/interfaces" => network::interfaces(recorder),
        "System/Network/EZVIZ" => network::ezviz(recorder),
        "System/Network/Ehome" => network::ehome(recorder),
        "System/Network/ssh" => network::ssh(recorder),
        "System/Network/UPnP" => network::upnp(recorder),
        "System/Network/DDNS" => network::ddns(recorder),
        "System/Network/SNMP" => network::snmp(recorder),
        "System/Network/Integrate" => network::integrate(recorder),
        "System/Network/ipFilter" => network::ip_filter(recorder),
        "ContentMgmt/Storage" => storage::storage(recorder),
        "ContentMgmt/InputProxy/channels" => cameras::channels(recorder),
        "Security/userCheck" => security::user_check(recorder),
        "Security/onlineUser" => security::online_users(recorder),
        "Security/users" => security::users(recorder),
        "Security/adminAccesses" => security::admin_accesses(recorder),
        "Security/illegalLoginLock" => security::login_lock(recorder),
        "Security/capabilities" => security::capabilities(recorder),
        _ => return None,
    })
}

/// A whole document.
fn document(root: &str, version: &str, namespace: &str, inner: &str) -> String {
    format!("{DECLARATION}\n<{root} version=\"{version}\" xmlns=\"{namespace}\">\n{inner}</{root}>\n")
}

/// One node with text; the text may hold anything, as that of a hostile device.
fn node(name: &str, text: impl Display) -> String {
    format!("<{name}>{}</{name}>", escape(text.to_string()))
}

/// One node, if there is something to say.
fn node_of<T: Display>(name: &str, text: Option<T>) -> String {
    text.map_or_else(String::new, |text| node(name, text))
}
