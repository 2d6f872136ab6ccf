use super::{document, node};
use crate::WhileFlashing;
use crate::profile::{HIKVISION, ISAPI};
use crate::recorder::Recorder;
use crate::state::Stage;

/// `GET /ISAPI/System/capabilities`: the flags that every captured recorder carries. None of them
/// speaks of upgrades; on real recorders none does (reference: ISAPI §3.4, §11, §15).
pub(super) fn capabilities() -> String {
    document(
        "DeviceCap",
        "2.0",
        ISAPI,
        "<SysCap>
<isSupportConfigFileImport>true</isSupportConfigFileImport>
<isSupportConfigFileExport>true</isSupportConfigFileExport>
<NetworkCap><isSupportEZVIZ>true</isSupportEZVIZ></NetworkCap>
</SysCap>
",
    )
}

/// `GET /ISAPI/System/upgradeStatus` (reference: ISAPI §4).
pub(crate) fn upgrade_status(recorder: &Recorder) -> String {
    let state = recorder.state();
    let unseen = state.faults.while_flashing == WhileFlashing::Unseen;
    let writing = state.stage == Stage::Flashing && !unseen;
    let upgrading = state.faults.busy || writing || state.stage == Stage::Receiving;
    let percent = if upgrading || state.stage == Stage::RebootRequired {
        recorder.percent()
    } else {
        state.faults.idle_percent.unwrap_or(0)
    };
    let reboot = state.stage == Stage::RebootRequired;
    document(
        "upgradeStatus",
        "2.0",
        ISAPI,
        &[node("upgrading", upgrading), node("percent", percent), node("reboot", reboot), String::new()]
            .join("\n"),
    )
}

/// `GET /ISAPI/System/status`. That it tells uptime, processor and memory is known (reference: ISAPI
/// §15); no sample of a recorder was found, so the names are those of the vendor's published guide.
pub(super) fn status(recorder: &Recorder) -> String {
    let nodes = [
        node("currentDeviceTime", super::time::local(recorder)),
        node("deviceUpTime", recorder.uptime()),
        "<CPUList><CPU><cpuDescription>1</cpuDescription><cpuUtilization>11</cpuUtilization></CPU></CPUList>".into(),
        "<MemoryList><Memory><memoryDescription>DDR</memoryDescription><memoryUsage>512</memoryUsage><memoryAvailable>1536</memoryAvailable></Memory></MemoryList>".into(),
        String::new(),
    ];
    document("DeviceStatus", "1.0", HIKVISION, &nodes.join("\n"))
}
