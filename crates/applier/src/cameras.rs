//! Cameras behind a recorder: what it tells of them, and what is published about them (reference: ISAPI §14).
//!
//! All of it is the recorder's word. No request leads through a recorder to the firmware of a camera: what
//! is known to update one without internet is the vendor's SDK, the recorder's own screen with a USB stick,
//! and the camera itself, which is a device like any other. So nothing is done about them here but to tell.

use firmware::advisory::{AdvisoryTable, Known};
use firmware::{Device, Family, Model};
use isapi::{Camera, CameraStatus, Error, Recorder};
use receipt::{CameraTold, CamerasTold};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::inventory::{Inventory, Unread};

/// A camera, as the recorder before it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// What its channel says.
    #[serde(flatten)]
    pub camera: Camera,
    /// Whether the recorder reaches it; none where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
}

/// Reads them; `None` where the recorder has no such list, as cameras do not, or it could not be read.
/// Nothing is decided on them, so a page that hangs stops nothing: the next request tells whether the
/// recorder is still there.
pub(crate) async fn read(recorder: &Recorder, unread: &mut Unread) -> Result<Option<Vec<Behind>>, Error> {
    let Some(cameras) = unread.besides(recorder.read_offered::<Vec<Camera>>().await)? else {
        return Ok(None);
    };
    let states: Option<Vec<CameraStatus>> = unread.besides(recorder.read_offered().await)?;
    let states = states.unwrap_or_default();
    let behind = |camera: Camera| {
        let online = states.iter().find(|state| state.id == camera.id).and_then(|state| state.online);
        Behind { camera, online }
    };
    Ok(Some(cameras.into_iter().map(behind).collect()))
}

/// As they stand in a statement.
pub fn stated(cameras: Option<&[Behind]>) -> CamerasTold {
    CamerasTold::of(cameras.unwrap_or_default().iter().map(|Behind { camera, .. }| CameraTold {
        channel: camera.id.clone(),
        model: camera.model.clone(),
        serial: camera.serial.clone(),
        firmware: camera.firmware.clone(),
    }))
}

/// The cameras of one recorder, for people and programs.
#[derive(Debug, Serialize)]
pub struct Told<'a> {
    /// Each with what a table says of it; none where the recorder does not tell.
    pub cameras: Option<Vec<Judged<'a>>>,
    /// What a person should know of all of them.
    #[serde(rename = "camera_notes")]
    pub notes: Vec<&'static str>,
}

/// A camera, and what a table says of it.
#[derive(Debug, Serialize)]
pub struct Judged<'a> {
    /// The camera.
    #[serde(flatten)]
    pub behind: &'a Behind,
    /// What advisories say; none where no table is at hand, or model or firmware cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisories: Option<Known<'a>>,
    #[serde(skip)]
    has_table: bool,
}

const NOT_TOLD: &str = "model and firmware of its cameras are not told by this recorder";
const NO_TABLE: &str =
    "no advisory table at hand: whether published weaknesses match its cameras is not known";
const NOT_THROUGH: &str = "a camera is not updated through its recorder: without internet only the vendor's SDK, the recorder's own screen with a USB stick, or the camera itself does that. To do it with this program, cable the laptop to the camera or to its PoE switch, and give applier apply the camera's own address";
// reference: ISAPI §14, samples of third parties
const POE: &str = "192.168.254.x is usual for cameras in the PoE ports of a recorder (samples of others, no capture); they are reached from those ports only, not from its LAN port";

impl<'a> Told<'a> {
    /// What is told of the cameras behind this recorder, with what this table says, if one is at hand.
    pub fn of(inventory: &'a Inventory, table: Option<&'a AdvisoryTable>) -> Self {
        let cameras = inventory.cameras.as_deref();
        Self {
            notes: cameras.map_or_else(Vec::new, |cameras| notes(cameras, table.is_some())),
            cameras: cameras.map(|cameras| cameras.iter().map(|one| Judged::of(one, table)).collect()),
        }
    }

    /// Adds them to a document of `--json`.
    pub fn join(&self, document: &mut Value) {
        document["cameras"] = json!(self.cameras);
        document["camera_notes"] = json!(self.notes);
    }

    /// Label and words of each line; `device` is what they are behind.
    pub fn lines(&self, device: &Device) -> Vec<(&'static str, String)> {
        let Some(cameras) = &self.cameras else {
            // nothing is behind a camera
            let of = (device.family() != Some(Family::Ipc)).then(|| ("cameras", "not told".to_owned()));
            return of.into_iter().collect();
        };
        if cameras.is_empty() {
            return vec![("cameras", "none".into())];
        }
        let each = cameras.iter().flat_map(|one| {
            [Some(("camera", one.who())), one.weaknesses().map(|words| ("", words))].into_iter().flatten()
        });
        each.chain(self.notes.iter().map(|note| ("note", (*note).to_owned()))).collect()
    }
}

fn notes(cameras: &[Behind], has_table: bool) -> Vec<&'static str> {
    if cameras.is_empty() {
        return Vec::new();
    }
    let tells = |one: &Behind| one.camera.model.is_some() || one.camera.firmware.is_some();
    let is_poe = |one: &Behind| {
        one.camera.address.as_ref().is_some_and(|address| address.as_str().starts_with("192.168.254."))
    };
    let tell_nothing = !cameras.iter().any(tells);
    let notes = [
        (tell_nothing, NOT_TOLD),
        (!has_table && !tell_nothing, NO_TABLE),
        (true, NOT_THROUGH),
        (cameras.iter().any(is_poe), POE),
    ];
    notes.into_iter().filter_map(|(holds, note)| holds.then_some(note)).collect()
}

impl<'a> Judged<'a> {
    fn of(behind: &'a Behind, table: Option<&'a AdvisoryTable>) -> Self {
        let model: Option<Model> = behind.camera.model.as_ref().and_then(|model| model.as_str().parse().ok());
        let known = table.zip(model.zip(behind.camera.revision()));
        let advisories = known.map(|(table, (model, runs))| table.known(&model, &runs, Some(Family::Ipc)));
        Self { behind, advisories, has_table: table.is_some() }
    }

    /// Which camera it is and what it runs.
    pub fn who(&self) -> String {
        let Behind { camera, online } = self.behind;
        let name = camera.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let address = camera.address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
        let of = |text: &Option<firmware::Text>, what: &str| {
            text.as_ref().map_or_else(|| format!("{what} not told"), ToString::to_string)
        };
        let online = online.map(|online| if online { "online" } else { "offline" }.to_owned());
        let serial = camera.serial.as_ref().map(|serial| format!("serial {serial}"));
        let make = match (&camera.model, &camera.firmware) {
            (None, None) => "model and firmware not told".to_owned(),
            (model, firmware) => format!("{} runs {}", of(model, "model"), of(firmware, "firmware")),
        };
        let parts: Vec<String> = [online, Some(make), serial].into_iter().flatten().collect();
        format!("{}{name}{address}: {}", camera.id, parts.join(", "))
    }

    /// What advisories say, where a table is at hand.
    pub fn weaknesses(&self) -> Option<String> {
        if !self.has_table {
            return None;
        }
        let Camera { model, firmware, .. } = &self.behind.camera;
        Some(match &self.advisories {
            Some(known) => known.to_string(),
            None if model.is_none() || firmware.is_none() => {
                "not judged: the recorder does not tell its model and firmware".into()
            }
            None => "not judged: its model or firmware is not of a form that is known".into(),
        })
    }
}

#[cfg(test)]
mod tests;
