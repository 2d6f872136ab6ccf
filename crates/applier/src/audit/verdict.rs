use receipt::CheckResult;

use super::observed::Reading;

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) result: CheckResult,
    pub(super) read: Option<String>,
    pub(super) reason: Option<String>,
}

impl Verdict {
    pub(super) fn pass(read: impl Into<String>) -> Self {
        Self { result: CheckResult::Pass, read: Some(read.into()), reason: None }
    }

    pub(super) fn fail(read: impl Into<String>) -> Self {
        Self { result: CheckResult::Fail, read: Some(read.into()), reason: None }
    }

    /// As it should be, or not.
    pub(super) fn passes_if(good: bool, read: impl Into<String>) -> Self {
        if good { Self::pass(read) } else { Self::fail(read) }
    }

    /// The recorder has none.
    pub(super) fn not_offered(reason: impl Into<String>) -> Self {
        Self { result: CheckResult::NotOffered, read: None, reason: Some(reason.into()) }
    }

    /// A person has to look, for this reason.
    pub(super) fn manual(reason: impl Into<String>) -> Self {
        Self { result: CheckResult::Manual, read: None, reason: Some(reason.into()) }
    }

    /// It could not be read, or says neither.
    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Self { result: CheckResult::Unknown, read: None, reason: Some(reason.into()) }
    }

    /// What was read all the same.
    pub(super) fn having_read(self, read: impl Into<String>) -> Self {
        Self { read: Some(read.into()), ..self }
    }
}

impl<T> Reading<T> {
    /// What was read, or what follows where nothing was.
    pub(super) fn get(&self) -> Result<&T, Verdict> {
        match self {
            Self::Read(found) => Ok(found),
            Self::NotOffered => Err(Verdict::not_offered("the recorder does not have this")),
            Self::Unread(why) => Err(Verdict::unknown(format!("not read: {why}"))),
            Self::NotAsked => Err(Verdict::unknown("not read: it was not asked for")),
        }
    }

    /// What was read, if it was.
    pub(super) fn found(&self) -> Option<&T> {
        match self {
            Self::Read(found) => Some(found),
            _ => None,
        }
    }
}
