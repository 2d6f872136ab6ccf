use super::{document, node};
use crate::profile::HIKVISION;
use crate::recorder::Recorder;

/// `GET /ISAPI/System/time/timeZone`, which is plain text. The simulated recorder stands in Greenwich.
pub(crate) const ZONE: &str = "CST+0:00:00";

/// `GET /ISAPI/System/time` (reference: ISAPI §13).
pub(super) fn time(recorder: &Recorder) -> String {
    let nodes = [
        r#"<timeMode opt="NTP,manual,platform">manual</timeMode>"#.into(),
        node("localTime", local(recorder)),
        node("timeZone", ZONE),
        r#"<timeType opt="local,UTC">local</timeType>"#.into(),
        String::new(),
    ];
    document("Time", "2.0", HIKVISION, &nodes.join("\n"))
}

/// `GET /ISAPI/System/time/localTime`, which is plain text.
pub(crate) fn local(recorder: &Recorder) -> String {
    recorder.local_time().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
