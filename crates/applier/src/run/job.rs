use firmware::{Device, Family, Revision};
use isapi::{Answer, ConfigurationKey, Error, Reboot, Recorder, Refusal, Ticket};

use crate::event::Reason;
use crate::plan::{Plan, RestorePlan};

/// What goes to a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// A package of firmware.
    Firmware,
    /// The recorder's own configuration.
    Configuration,
}

impl Payload {
    /// What it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Firmware => "package",
            Self::Configuration => "configuration",
        }
    }

    /// What bringing it there is called.
    pub fn deed(self) -> &'static str {
        match self {
            Self::Firmware => "push",
            Self::Configuration => "restore",
        }
    }

    /// What the recorder does with it, during which it may be silent.
    pub fn work(self) -> &'static str {
        match self {
            Self::Firmware => "flashes and restarts",
            Self::Configuration => "takes it over and restarts",
        }
    }

    /// The command that looks at the recorder again.
    pub fn again(self) -> &'static str {
        match self {
            Self::Firmware => "applier resume",
            Self::Configuration => "applier inspect",
        }
    }

    /// The same for a recorder that is somewhere else now; its address follows.
    pub fn again_at(self) -> &'static str {
        match self {
            Self::Firmware => "applier resume --address",
            Self::Configuration => "applier inspect",
        }
    }
}

/// What is sent to which recorder, and what that must be afterwards.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) payload: Payload,
    /// The recorder as it was planned for.
    pub(super) before: &'a Device,
    /// What it must run afterwards: after a restore, what it runs already.
    pub(super) target: &'a Revision,
    /// What the recorder encrypted its configuration under.
    device_key: Option<&'a ConfigurationKey>,
}

impl<'a> Job<'a> {
    pub(super) fn push(plan: &'a Plan) -> Self {
        let (before, target) = (&plan.device, &plan.target.revision);
        Self { payload: Payload::Firmware, before, target, device_key: None }
    }

    pub(super) fn restore(plan: &'a RestorePlan, device_key: Option<&'a ConfigurationKey>) -> Self {
        let (before, target) = (&plan.device, &plan.device.revision);
        Self { payload: Payload::Configuration, before, target, device_key }
    }

    pub(super) async fn ticket(self, recorder: &Recorder) -> Result<Ticket, Error> {
        match self.payload {
            Payload::Firmware => recorder.upload_ticket().await,
            Payload::Configuration => recorder.restore_ticket(self.device_key).await,
        }
    }

    pub(super) fn is_as_before(self, device: &Device) -> bool {
        device.serial == self.before.serial && device.revision == self.before.revision
    }

    /// Whether a recorder that took it is to be told to restart. After a configuration recorders restart by
    /// themselves, and cameras have to be told (reference: ISAPI §6).
    pub(super) fn needs_reboot_request(self, reboot: Reboot) -> bool {
        let waits = match self.payload {
            Payload::Firmware => true,
            Payload::Configuration => self.before.family() == Some(Family::Ipc),
        };
        waits && reboot != Reboot::ByItself
    }

    /// That it was taken.
    pub(super) fn taken(self) -> String {
        format!("{} took the {}", self.before.noun(), self.payload.noun())
    }

    /// An answer in words.
    pub(super) fn words(self, answer: &Answer) -> String {
        let (noun, thing) = (self.before.noun(), self.payload.noun());
        match answer {
            Answer::Taken { reboot: Reboot::Due } => format!("{} and waits for a restart", self.taken()),
            Answer::Taken { reboot: Reboot::ByItself } => format!("{} and restarts by itself", self.taken()),
            Answer::Taken { reboot: Reboot::NotSaid } => self.taken(),
            Answer::StillUpgrading => format!("{noun} says that an upgrade is under way"),
            Answer::RetryLater(no) | Answer::Refused(no) => match self.payload {
                Payload::Firmware => format!("{no}; {}", no.advice()),
                Payload::Configuration => no.to_string(),
            },
            Answer::NoPermission(_) => match self.payload {
                Payload::Firmware => "the account lacks the right to upgrade".into(),
                Payload::Configuration => "the account may not restore a configuration".into(),
            },
            Answer::NotOffered(_) => match self.payload {
                Payload::Firmware => format!("{noun} does not offer upgrades this way"),
                Payload::Configuration => format!("{noun} does not take a {thing} over the network"),
            },
            Answer::Authentication(_) => format!("{noun} refused the login of the upload"),
            Answer::Unclear { http, why } => {
                format!("{noun} answered HTTP {http} with something unreadable ({why})")
            }
        }
    }

    /// Whether an answer to a sending, whose last block was released or not, proves that it is as before. One
    /// that is importing is not, whoever sent it that.
    pub(super) fn is_untouched(self, released: bool, answer: &Answer) -> bool {
        let is_at_work = self.payload == Payload::Configuration
            && matches!(answer, Answer::Refused(no) | Answer::RetryLater(no) if is_importing(no));
        !is_at_work && (!released || answer.proves_untouched())
    }

    /// Why an answer is not the good one.
    pub(super) fn reason(self, answer: &Answer) -> Reason {
        match answer {
            Answer::StillUpgrading | Answer::RetryLater(_) => Reason::Busy,
            Answer::Refused(no) => match self.payload {
                Payload::Firmware if no.flash_begun => Reason::UpgradeFailed,
                Payload::Firmware => Reason::PackageRefused,
                Payload::Configuration => configuration_refused(no),
            },
            Answer::NoPermission(_) | Answer::NotOffered(_) => Reason::NotPermitted,
            Answer::Authentication(_) => Reason::LoginRefused,
            Answer::Taken { .. } | Answer::Unclear { .. } => Reason::AnswerUnclear,
        }
    }
}

fn is_importing(no: &Refusal) -> bool {
    no.sub_code.as_ref().is_some_and(|code| code.as_str().eq_ignore_ascii_case("importing"))
}

/// Reference: ISAPI §11.
fn configuration_refused(no: &Refusal) -> Reason {
    let code = no.sub_code.as_ref().map_or("", firmware::Text::as_str);
    let is = |known: &str| code.eq_ignore_ascii_case(known);
    if is("importCfgFilePasswordErr") || is("cfgFileSecretKeyError") {
        Reason::WrongDeviceKey
    } else if is_importing(no) {
        Reason::Busy
    } else {
        Reason::ConfigurationRefused
    }
}
