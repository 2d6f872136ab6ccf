//! Repositories that fail, or do not do as they are told.

use super::*;

/// A repository on a medium that fails, or that pays no heed to the cap.
struct Odd {
    files: Option<Files>,
}

impl Repository for Odd {
    fn metadata(&mut self, name: &str, _cap: u64) -> Result<Option<Vec<u8>>, FetchError> {
        match &self.files {
            Some(files) => Ok(files.metadata.get(name).cloned()),
            None => Err(std::io::Error::other("input/output error").into()),
        }
    }

    fn target<'a>(&'a mut self, _path: &str) -> Result<Option<Box<dyn std::io::Read + 'a>>, FetchError> {
        Ok(None)
    }
}

#[test]
fn a_failing_medium_is_no_damaged_metadata() {
    let mut world = refreshed();
    let error = refresh(&mut world.store, &mut Odd { files: None }, world.clock).unwrap_err();
    assert_eq!(said(&error), "2.root.json: read failed: input/output error");
}

#[test]
fn a_repository_that_pays_no_heed_to_the_cap_is_caught() {
    let mut world = refreshed();
    world.repository.metadata.get_mut("timestamp.json").unwrap().resize((64 << 10) + 1, b' ');
    let mut odd = Odd { files: Some(world.repository.clone()) };
    let error = refresh(&mut world.store, &mut odd, world.clock).unwrap_err();
    assert!(said(&error).contains("longer than 65536 bytes"));
}
