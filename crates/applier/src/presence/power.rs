//! What this laptop runs on, as the kernel tells it in `/sys/class/power_supply` (its documentation:
//! `Documentation/ABI/testing/sysfs-class-power`).
//!
//! A supply whose scope is `Device` feeds a mouse and not the laptop. Where no battery is told of, the machine
//! is a desktop or a virtual one, and there is nothing to say.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use firmware::Text;
use tokio::time::interval;

/// Where the kernel tells it.
pub const SUPPLIES: &str = "/sys/class/power_supply";

/// A push with its flashing is over within the hour that half a battery lasts.
pub const ENOUGH_PERCENT: u8 = 50;

/// sysfs announces no change to whoever waits at a file.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A word is short, a number shorter.
const LONGEST: u64 = 64;

/// Nobody has more; a stranger's directory may.
const MOST: usize = 64;

/// What this laptop runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Power {
    /// It has no battery, as far as anybody knows.
    #[default]
    NoBattery,
    /// The kernel is not asked, since sysfs is not mounted.
    Unknown,
    /// Mains.
    Mains,
    /// Its battery.
    Battery {
        /// How full that is, where it is told; of several, on average.
        percent: Option<u8>,
    },
}

impl Power {
    /// As a directory of supplies tells; one that cannot be read tells of none, unless all classes of devices are
    /// missing with it.
    pub fn read(supplies: &Path) -> Self {
        if supplies.parent().is_some_and(|classes| !classes.exists()) {
            return Self::Unknown;
        }
        let entries = supplies.read_dir().into_iter().flatten().flatten().take(MOST);
        judge(&entries.filter_map(|entry| Supply::read(&entry.path())).collect::<Vec<_>>())
    }

    /// Whether a push must not begin: on battery, and half of it gone or nobody knows how much.
    pub fn is_low(self) -> bool {
        matches!(self, Self::Battery { percent } if percent.is_none_or(|percent| percent < ENOUGH_PERCENT))
    }

    /// What a person should know of it.
    pub fn advice(self) -> Option<String> {
        match self {
            Self::NoBattery | Self::Mains => None,
            Self::Unknown => {
                Some("/sys is not mounted, so nobody knows what this laptop runs on: plug it in".into())
            }
            Self::Battery { percent: Some(percent) } => {
                Some(format!("this laptop runs on battery, {percent} %: plug it in"))
            }
            Self::Battery { percent: None } => Some("this laptop runs on battery: plug it in".into()),
        }
    }

    /// What to say where it was `self` and is `now`.
    fn became(self, now: Self) -> Option<String> {
        let on_battery = |power| matches!(power, Self::Battery { .. });
        match (on_battery(self), on_battery(now)) {
            (false, true) => Some(format!("mains is lost; {}", now.advice().unwrap_or_default())),
            (true, false) => Some("mains is back".into()),
            (true, true) if !self.is_low() && now.is_low() => now.advice(),
            _ => None,
        }
    }
}

/// Runs `run` and tells meanwhile when mains is lost, and when it is back; gives what was told.
pub async fn watched<T>(
    supplies: &Path,
    run: impl Future<Output = T>,
    mut tell: impl FnMut(&str),
) -> (T, Vec<Text>) {
    let (mut known, mut said) = (Power::read(supplies), Vec::new());
    let mut looks = interval(LOOK_AGAIN);
    tokio::pin!(run);
    loop {
        tokio::select! {
            ended = &mut run => return (ended, said),
            _ = looks.tick() => {
                let now = Power::read(supplies);
                if let Some(words) = known.became(now) {
                    tell(&words);
                    said.push(Text::cleaned(&words));
                }
                known = now;
            }
        }
    }
}

/// One supply of the laptop.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Supply {
    Battery {
        status: String,
        percent: Option<u8>,
    },
    /// `Mains` is told apart: a USB port may also be what this laptop feeds others from.
    Line {
        mains: bool,
        online: bool,
    },
}

impl Supply {
    /// `None` for what feeds something else, is not there, or is not known to feed this.
    fn read(path: &Path) -> Option<Self> {
        if attribute(path, "scope").as_deref() == Some("Device")
            || attribute(path, "present").as_deref() == Some("0")
        {
            return None;
        }
        match attribute(path, "type")?.as_str() {
            "Battery" => Some(Self::Battery {
                status: attribute(path, "status").unwrap_or_default(),
                percent: attribute(path, "capacity").and_then(|c| c.parse().ok()).filter(|p| *p <= 100),
            }),
            "Unknown" | "UPS" => None,
            // 1 is on, 2 is on and can be adjusted
            kind => Some(Self::Line {
                mains: kind == "Mains",
                online: attribute(path, "online").is_some_and(|online| online != "0"),
            }),
        }
    }
}

fn attribute(supply: &Path, name: &str) -> Option<String> {
    let mut text = String::new();
    File::open(supply.join(name)).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned())
}

fn judge(supplies: &[Supply]) -> Power {
    let batteries: Vec<(&str, Option<u8>)> = supplies
        .iter()
        .filter_map(|supply| match supply {
            Supply::Battery { status, percent } => Some((status.as_str(), *percent)),
            Supply::Line { .. } => None,
        })
        .collect();
    if batteries.is_empty() {
        return Power::NoBattery;
    }
    let line = |wanted: &dyn Fn(bool, bool) -> bool| {
        supplies.iter().any(|s| matches!(s, Supply::Line { mains, online } if wanted(*mains, *online)))
    };
    let says = |word: &str| batteries.iter().any(|(status, _)| *status == word);
    let fed = line(&|mains, online| mains && online)
        || says("Charging")
        || (!says("Discharging") && line(&|_, online| online))
        // some tell of no line at all
        || (!line(&|_, _| true) && (says("Full") || says("Not charging")) && !says("Discharging"));
    if fed {
        return Power::Mains;
    }
    let known: Option<Vec<u32>> = batteries.iter().map(|(_, percent)| percent.map(u32::from)).collect();
    let mean = known.and_then(|known| known.iter().sum::<u32>().checked_div(known.len().try_into().ok()?));
    Power::Battery { percent: mean.and_then(|mean| mean.try_into().ok()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of supplies, each with its attributes as the kernel writes them; linked, as there.
    fn read(supplies: &[&[(&str, &str)]]) -> Power {
        let dir = tempfile::tempdir().unwrap();
        let (devices, class) = (dir.path().join("devices"), dir.path().join("class"));
        std::fs::create_dir(&class).unwrap();
        for (number, attributes) in supplies.iter().enumerate() {
            let device = devices.join(number.to_string());
            std::fs::create_dir_all(&device).unwrap();
            for (name, value) in *attributes {
                keys::durable::write_atomic(&device.join(name), format!("{value}\n").as_bytes(), 0o600)
                    .unwrap();
            }
            std::os::unix::fs::symlink(&device, class.join(number.to_string())).unwrap();
        }
        Power::read(&class)
    }

    const AC: &[(&str, &str)] = &[("type", "Mains"), ("online", "1")];
    const AC_OFF: &[(&str, &str)] = &[("type", "Mains"), ("online", "0")];
    const USB: &[(&str, &str)] = &[("type", "USB"), ("online", "1")];
    const USB_OFF: &[(&str, &str)] = &[("type", "USB"), ("online", "0")];
    const MOUSE: &[(&str, &str)] =
        &[("type", "Battery"), ("scope", "Device"), ("capacity", "5"), ("status", "Discharging")];

    fn on_battery(percent: Option<u8>) -> Power {
        Power::Battery { percent }
    }

    #[test]
    fn mains_is_what_feeds_it() {
        let charging = &[("type", "Battery"), ("capacity", "20"), ("status", "Charging")][..];
        let full = &[("type", "Battery"), ("capacity", "100"), ("status", "Full")];
        let held = &[("type", "Battery"), ("capacity", "80"), ("status", "Not charging")];
        for supplies in [
            &[AC, charging][..],
            &[AC, full],
            &[AC_OFF, USB, charging],
            &[USB, held],
            &[full],
            &[AC_OFF, charging],
        ] {
            assert_eq!(read(supplies), Power::Mains, "{supplies:?}");
        }
    }

    #[test]
    fn a_battery_that_empties_is_what_it_runs_on() {
        let emptying =
            |capacity| vec![("type", "Battery"), ("capacity", capacity), ("status", "Discharging")];
        let (half, low, other) = (emptying("50"), emptying("49"), emptying("10"));
        assert_eq!(read(&[AC_OFF, &half]), on_battery(Some(50)));
        assert_eq!(read(&[AC_OFF, USB_OFF, MOUSE, &low]), on_battery(Some(49)));
        assert_eq!(read(&[USB, &half]), on_battery(Some(50)), "a port that feeds others is online as well");
        assert_eq!(read(&[AC_OFF, &half, &other]), on_battery(Some(30)), "two batteries");
        let unplugged = &[("type", "Battery"), ("capacity", "99"), ("status", "Full")];
        assert_eq!(read(&[AC_OFF, unplugged]), on_battery(Some(99)), "not yet told that it empties");
        let wordless = &[("type", "Battery"), ("capacity", "101")];
        assert_eq!(read(&[wordless]), on_battery(None));
    }

    #[test]
    fn without_a_battery_there_is_nothing_to_say() {
        let absent = &[("type", "Battery"), ("present", "0"), ("capacity", "0"), ("status", "Unknown")];
        let garbage = &[("type", "\u{1b}[2J"), ("online", "yes")];
        for supplies in [&[][..], &[AC], &[AC_OFF, MOUSE], &[absent, USB_OFF], &[garbage], &[&[]]] {
            assert_eq!(read(supplies), Power::NoBattery, "{supplies:?}");
        }
        assert_eq!(Power::read(Path::new("/nonexistent")), Power::NoBattery);
        let unknown = Power::read(Path::new("/nonexistent/power_supply"));
        assert!(!unknown.is_low() && unknown.advice().is_some(), "{unknown:?}");
    }

    #[test]
    fn half_a_battery_is_enough_and_one_that_nobody_knows_is_not() {
        let low = |percent| on_battery(percent).is_low();
        assert!(low(Some(0)) && low(Some(49)) && low(None) && !low(Some(50)) && !low(Some(100)));
        assert!(!Power::Mains.is_low() && !Power::NoBattery.is_low());
        assert_eq!(on_battery(Some(83)).advice().unwrap(), "this laptop runs on battery, 83 %: plug it in");
    }

    #[test]
    fn what_changes_is_told_and_a_percent_is_not() {
        let (mains, some, few) = (Power::Mains, on_battery(Some(80)), on_battery(Some(49)));
        let lost = "mains is lost; this laptop runs on battery, 80 %: plug it in";
        assert_eq!(mains.became(some).as_deref(), Some(lost));
        assert_eq!(some.became(mains).as_deref(), Some("mains is back"));
        assert_eq!(some.became(on_battery(Some(79))), None);
        assert!(some.became(few).is_some() && few.became(on_battery(Some(48))).is_none());
        assert_eq!((mains.became(mains), mains.became(Power::NoBattery)), (None, None));
    }
}
