use std::collections::BTreeMap;
use std::fmt;

use firmware::{Serial, Text};
use jiff::Timestamp;
use receipt::{Body, CamerasTold, Statement};
use serde::Serialize;

use super::{INVENTORIES, Ledger, LedgerError};

/// What a recorder told last of the cameras behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastCameras {
    /// The recorder; where it stands, so does this.
    #[serde(skip)]
    pub recorder: Serial,
    /// When, by the clock of the laptop that read it.
    pub claimed: Timestamp,
    /// Those that there was room for, and how many more.
    #[serde(flatten)]
    pub cameras: CamerasTold,
}

impl Ledger {
    /// The cameras that each recorder told of last, by serial; recorders without any are left out.
    pub fn last_cameras(&self) -> Result<Vec<LastCameras>, LedgerError> {
        Ok(self.latest(Some(INVENTORIES))?.into_iter().filter_map(LastCameras::of).collect())
    }
}

impl LastCameras {
    fn of(statement: Statement) -> Option<Self> {
        let Body::Inventory(inventory) = statement.body else { return None };
        let (recorder, claimed) = (inventory.device.serial, statement.head.times.claimed);
        (!inventory.cameras.is_empty()).then_some(Self { recorder, claimed, cameras: inventory.cameras })
    }
}

impl fmt::Display for LastCameras {
    /// How many run what, and when that was told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let of = |text: &Option<Text>| text.as_ref().map_or("not told", Text::as_str).to_owned();
        for camera in &self.cameras.listed {
            let kind = match (&camera.model, &camera.firmware) {
                (None, None) => "of a model that is not told".to_owned(),
                (model, runs) => format!("{}, runs {}", of(model), of(runs)),
            };
            *kinds.entry(kind).or_default() += 1;
        }
        let mut kinds: Vec<String> =
            kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        if self.cameras.left_out > 0 {
            kinds.push(format!("{} more", self.cameras.left_out));
        }
        write!(f, "{}; on {}", kinds.join("; "), self.claimed.strftime("%F"))
    }
}
