//! What is done to one file.

use std::fs::{self, File, create_dir_all};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use keys::durable;
use rustix::fs::{CWD, Mode};

use crate::case::Act;
use crate::world::World;

impl Act {
    pub(crate) fn on(&self, path: &Path, world: &World) {
        let write = |bytes: &[u8]| File::create(path).unwrap().write_all(bytes).unwrap();
        let bytes = || fs::read(path).unwrap();
        let remove = || if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        // a link must be seen as what it is
        let remove_old = || {
            if path.symlink_metadata().is_ok() {
                remove().unwrap();
            }
        };
        match self {
            Act::Remove => remove().unwrap(),
            Act::Pipe => {
                remove_old();
                rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
            }
            Act::Folder => {
                remove_old();
                create_dir_all(path).unwrap();
            }
            Act::Length(length) => {
                let file = File::options().write(true).create(true).truncate(false).open(path).unwrap();
                file.set_len(*length).unwrap();
            }
            Act::Tear => {
                let mut bytes = bytes();
                let half = bytes.len() / 2;
                bytes[half..].fill(0);
                write(&bytes);
            }
            Act::Flip(at) => {
                let mut bytes = bytes();
                bytes[*at] ^= 1;
                write(&bytes);
            }
            Act::Replace([from, to]) => {
                let text = String::from_utf8(bytes()).unwrap();
                assert!(text.contains(from), "{} has no {from}", path.display());
                write(text.replace(from, to).as_bytes());
            }
            Act::Text(text) => write(text.as_bytes()),
            Act::Link(to) => {
                remove_old();
                symlink(to, path).unwrap();
            }
            Act::MoveTo(elsewhere) => durable::rename(path, &world.directory.path().join(elsewhere)).unwrap(),
            Act::LinkTo(elsewhere) => {
                let elsewhere = world.directory.path().join(elsewhere);
                durable::rename(path, &elsewhere).unwrap();
                symlink(elsewhere, path).unwrap();
            }
            Act::CopyOf(other) => write(&fs::read(world.path(other)).unwrap()),
        }
    }
}
