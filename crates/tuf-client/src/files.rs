//! Metadata files on their way: from the repository, from and to the store. Every one is checked in
//! the same order, whichever role it belongs to: size, hashes (§5.5.2, 5.6.2), signatures (§5.5.3,
//! 5.6.3), version (§5.5.4, 5.6.4).

use crate::delegations::Delegation;
use crate::documents::MetaFile;
use crate::error::{Error, Rejection};
use crate::repository::{FetchError, Repository};
use crate::role_file;
use crate::store::TrustStore;
use crate::verified::{Document, Verified};

pub(crate) struct Files<'a> {
    pub(crate) store: &'a mut dyn TrustStore,
    pub(crate) repository: &'a mut dyn Repository,
}

impl Files<'_> {
    /// What is stored and still verifies, however old.
    pub(crate) fn authentic<T: Document>(
        &self,
        delegation: Delegation<'_>,
    ) -> Result<Option<Verified<T>>, Error> {
        let bytes = self.store.load(&delegation.file(), T::ROLE.cap())?;
        Ok(bytes.and_then(|bytes| delegation.verify(&bytes).ok()))
    }

    /// What is stored, if it is the very file that is listed.
    pub(crate) fn stored<T: Document>(
        &self,
        delegation: Delegation<'_>,
        listed: &MetaFile,
    ) -> Result<Option<Verified<T>>, Error> {
        let fits = |stored: &Verified<T>| {
            stored.version() == listed.version() && listed.check(stored.bytes()).is_ok()
        };
        Ok(self.authentic(delegation)?.filter(fits))
    }

    /// The file that is listed, from the repository.
    pub(crate) fn offered<T: Document>(
        &mut self,
        delegation: Delegation<'_>,
        listed: &MetaFile,
        consistent_snapshot: bool,
    ) -> Result<Verified<T>, Error> {
        let file = role_file::versioned(delegation.role, listed.version(), consistent_snapshot);
        let cap = listed.length().unwrap_or(u64::MAX).min(T::ROLE.cap());
        let bytes = self.fetch(&file, cap)?.ok_or_else(|| missing(&file))?;
        listed.check(&bytes).map_err(|mismatch| rejected(&file)(mismatch.into()))?;
        let offered = delegation.verify::<T>(&bytes).map_err(rejected(&file))?;
        if offered.version() == listed.version() {
            Ok(offered)
        } else {
            Err(rejected(&file)(Rejection::Version { expected: listed.version(), found: offered.version() }))
        }
    }

    /// The file that is listed, from the store if it is there.
    pub(crate) fn current<T: Document>(
        &mut self,
        delegation: Delegation<'_>,
        listed: &MetaFile,
        consistent_snapshot: bool,
    ) -> Result<Verified<T>, Error> {
        match self.stored(delegation, listed)? {
            Some(stored) => Ok(stored),
            None => self.offered(delegation, listed, consistent_snapshot),
        }
    }

    pub(crate) fn fetch(&mut self, file: &str, cap: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.repository.metadata(file, cap) {
            Ok(Some(bytes)) if bytes.len() as u64 > cap => Err(rejected(file)(Rejection::TooLarge { cap })),
            Ok(bytes) => Ok(bytes),
            Err(FetchError::TooLarge) => Err(rejected(file)(Rejection::TooLarge { cap })),
            Err(FetchError::Io(source)) => Err(Error::Io { file: file.into(), source }),
        }
    }

    /// Persists byte for byte (§5.3.8, 5.4.5, 5.5.7, 5.6.6); a file that is stored already is not
    /// written again.
    pub(crate) fn keep<T: Document>(&mut self, file: &str, metadata: &Verified<T>) -> Result<(), Error> {
        if self.store.load(file, T::ROLE.cap())?.as_deref() != Some(metadata.bytes()) {
            self.store.save(file, metadata.bytes())?;
        }
        Ok(())
    }
}

pub(crate) fn rejected(file: &str) -> impl Fn(Rejection) -> Error {
    let file = file.to_string();
    move |reason| Error::Rejected { file: file.clone(), reason }
}

pub(crate) fn missing(file: &str) -> Error {
    Error::Missing { file: file.into() }
}
