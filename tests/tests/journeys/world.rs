use std::ops::Deref;
use std::process::Command;

use jiff::Timestamp;
use journeys::ran::Ran;
use journeys::running::Running;
use journeys::site::{AFTER, PASSWORD};
pub(crate) use journeys::site::{BEFORE, MODEL, RELEASE, Site, files, revision, write};
use nvr_sim::Builder;

/// A depot, a source, a stick, a laptop and a recorder, all on the loopback address.
pub(crate) struct World {
    site: Site,
    pub(crate) recorder: nvr_sim::Handle,
}

impl Deref for World {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// A recorder in good order that takes [`RELEASE`].
pub(crate) fn recorder() -> Builder {
    recorder_of(MODEL, BEFORE, AFTER)
}

/// A recorder in good order that runs `from` and takes firmware of `to`.
pub(crate) fn recorder_of(model: &str, from: &str, to: &str) -> Builder {
    #[allow(clippy::disallowed_methods)] // a recorder whose clock is right
    let now = Timestamp::now();
    Builder::new(model.parse().unwrap(), revision(from), revision(to), PASSWORD, now)
}

impl World {
    /// Nothing has been done yet: there is a source without files, an empty catalogue and an empty stick.
    pub(crate) async fn new() -> Self {
        Self::with(recorder()).await
    }

    /// The same with another recorder.
    pub(crate) async fn with(recorder: Builder) -> Self {
        Self { site: Site::new().await, recorder: recorder.start().await.unwrap() }
    }

    /// The firmware is approved and on the stick, and the laptop believes the depot.
    pub(crate) async fn loaded() -> Self {
        Self::loaded_with(recorder()).await
    }

    /// The same with another recorder.
    pub(crate) async fn loaded_with(recorder: Builder) -> Self {
        let world = Self::with(recorder).await;
        world.load(300_000).await;
        world
    }

    /// The same stick and the same laptop, as they are now, at another recorder: copies that know nothing
    /// of these.
    pub(crate) async fn at(&self, recorder: Builder) -> Self {
        let world = Self::with(recorder).await;
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--reflink=auto"]).args([
            self.path("state"),
            self.path("stick"),
            world.path(""),
        ]);
        assert!(copy.status().unwrap().success());
        world
    }

    /// Runs `applier` with this world's state.
    pub(crate) async fn applier(&self, args: &str) -> Ran {
        self.run(&[], "applier", args).await
    }

    /// Runs `applier apply` on the recorder, agreeing to whatever is planned.
    pub(crate) async fn apply(&self, more: &str) -> Ran {
        self.applier(&self.to_apply(more)).await
    }

    /// The same under other programs, with these variables, and does not wait for its end.
    pub(crate) fn start_apply(&self, under: &[&str], variables: &[(&str, &str)], more: &str) -> Running {
        let args = self.to_apply(more);
        let mut command = self.command(under, "applier", &args);
        command.envs(variables.iter().copied());
        Running::start(command, format!("applier {args}"))
    }

    /// The words of that.
    pub(crate) fn to_apply(&self, more: &str) -> String {
        let address = self.recorder.address();
        format!("apply {address} --stick stick --password-file password.txt --yes {more}")
    }

    /// Runs `applier plan` on the recorder.
    pub(crate) async fn plan(&self, more: &str) -> Ran {
        let address = self.recorder.address();
        self.applier(&format!("plan {address} --stick stick --password-file password.txt {more}")).await
    }

    /// Runs a program under others, which are given before it: `faketime -f +40d`.
    pub(crate) async fn run(&self, under: &[&str], name: &str, args: &str) -> Ran {
        let ran = self.site.run(under, name, args).await;
        ran.counted(self.recorder.state().counters.pushes)
    }
}

/// What is put before a program so that it runs in a mount namespace of its own, after `mount` has changed what
/// lies there.
pub(crate) fn mounting(mount: &str) -> Vec<String> {
    // root needs no user namespace, and cannot have one in a chroot (user_namespaces(7))
    let root = Command::new("unshare").args(["--mount", "true"]).output().unwrap().status.success();
    let unshare =
        if root { ["unshare", "--mount"].as_slice() } else { &["unshare", "--map-root-user", "--mount"] };
    let script = format!("{mount} && exec \"$0\" \"$@\"");
    unshare.iter().copied().chain(["sh", "-c", &script]).map(str::to_owned).collect()
}
