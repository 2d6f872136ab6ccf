//! The laptop's own state is wrong: a disk that is full or read-only, a damaged journal, a clock that jumps,
//! a recorder that has moved, a release that was withdrawn, no stick.

use journeys::site::{RELEASE, write};
use nvr_sim::{Faults, Handle, Stage};

use crate::case::{Bench, apply};
use crate::fault::recorder;
use crate::statements;

/// A run that is killed with its last block about to leave, or with its answer on record.
async fn left(bench: &Bench, line: u32) -> Handle {
    let recorder = recorder().start().await.unwrap();
    let inject = format!("--inject=fdatasync:signal=KILL:when={line}");
    let under = ["strace", "--follow-forks", "--output=/dev/null", "--trace=fdatasync", &inject];
    bench.site().run(&under, "applier", &apply(&recorder)).await.ends(137);
    recorder
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_stick_nor_the_release_is_needed() {
    let bench = Bench::new().await;
    let recorder = left(&bench, 6).await;
    let site = bench.site();
    site.fetcher(&format!("withdraw {RELEASE} --yes --passphrase-file pass.txt")).await.ends(0);
    site.fetcher("load --to stick --all").await.ends(0);
    let args = format!("resume {} --password-file password.txt", recorder.address());
    let resumed = site.applier(&args).await.ends(0);
    resumed.says(&[
        "stands at  flashing",
        "the recorder had taken the package",
        "confirmed",
        "applier receipts --copy-to",
    ]);
    assert_eq!(recorder.state().counters.pushes, 1);
    site.applier("receipts --copy-to stick").await.ends(0);
    statements::hold(site);
    site.applier("resume").await.ends(0).says(&["nothing to resume"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_has_moved_is_taken_up_at_its_new_address() {
    let bench = Bench::new().await;
    let recorder = left(&bench, 6).await;
    recorder.until(|state| state.stage == Stage::RebootRequired).await;
    let faults = Faults { back_at: Some("127.0.0.2:0".parse().unwrap()), ..Faults::default() };
    recorder.set_faults(faults);
    recorder.reboot();
    recorder.until(|state| state.stage == Stage::Idle).await;
    let site = bench.site();
    let away = site.applier("resume --password-file password.txt --return-timeout 1").await.ends(8);
    away.says(&["stands at flashing", "--address ADDRESS"]);
    let args = format!("resume --address {} --password-file password.txt --stick stick", recorder.address());
    site.applier(&args).await.ends(0).says(&["confirmed"]);
    statements::hold(site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_is_not_met_is_stated_as_unknown_once_and_taken_up_where_it_was_left() {
    let bench = Bench::new().await;
    let site = bench.site();
    let mut other = recorder();
    other.serial = Some("DS-7608NI-I20120200101CCRRE00000002WCVU".parse().unwrap());
    let other = other.start().await.unwrap();
    for (address, words, reason) in [
        (other.address().to_string(), "answers, and the run is about", "other-serial"),
        ("127.0.0.1:1".to_owned(), "is not known", "never-returned"),
    ] {
        bench.renew();
        let recorder = left(&bench, 6).await;
        let resume = |address: &str| {
            format!(
                "resume --address {address} --stick stick --password-file password.txt --return-timeout 1"
            )
        };
        for _ in 0..2 {
            site.applier(&resume(&address)).await.ends(8).says(&[words, "applier resume"]);
            let statements = site.statements();
            let end = statements.last().unwrap();
            assert_eq!((statements.len(), end["result"].as_str()), (2, Some("unknown-after-push")));
            assert_eq!(end["reason"].as_str(), Some(reason));
            statements::hold(site);
        }
        // it had taken the package, and is still told to restart
        let here = recorder.address().to_string();
        site.applier(&resume(&here).replace("timeout 1", "timeout 20"))
            .await
            .ends(0)
            .says(&["stands at  flashing", "confirmed"]);
        assert_eq!(site.statements().last().unwrap()["result"].as_str(), Some("applied"));
        assert_eq!(recorder.state().counters.pushes, 1);
        statements::hold(site);
    }
    assert_eq!(other.state().counters.pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_changes_no_verdict() {
    let bench = Bench::new().await;
    for jump in ["-40d", "+400d"] {
        bench.renew();
        let recorder = left(&bench, 6).await;
        let args = format!("resume {} --password-file password.txt --stick stick", recorder.address());
        let under = ["faketime", "-f", jump];
        bench.site().run(&under, "applier", &args).await.ends(0).says(&["confirmed"]);
        assert_eq!(recorder.state().counters.pushes, 1);
        statements::hold(bench.site());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_named_and_settles_nothing() {
    let bench = Bench::new().await;
    let recorder = left(&bench, 6).await;
    let site = bench.site();
    let path = site.path("state/journals").read_dir().unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&path).unwrap();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[line + 20] ^= 1;
    write(&path, &bytes);
    let args = format!("resume {} --password-file password.txt", recorder.address());
    site.applier(&args).await.ends(8).says(&["line 2", "checksum", "applier inspect"]);
    site.applier(&apply(&recorder)).await.ends(8);
    assert_eq!(recorder.state().counters.pushes, 1);
}

/// What a laptop says whose state cannot be written when a run is to begin: nothing is pushed.
async fn cannot_write(bench: &Bench, mount: &str, code: i32, says: &[&str]) {
    bench.renew();
    std::fs::create_dir_all(bench.site().path("state/journals")).unwrap();
    std::fs::create_dir_all(bench.site().path("copy")).unwrap();
    let recorder = recorder().start().await.unwrap();
    let mount = format!("{mount} && exec \"$@\"");
    let map = if rustix::process::geteuid().is_root() { "--mount" } else { "--map-root-user" };
    let under = ["unshare", map, "--mount", "sh", "-c", &mount, "sh"];
    bench.site().run(&under, "applier", &apply(&recorder)).await.ends(code).says(says);
    assert_eq!(recorder.state().counters.pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn journals_that_cannot_be_written_push_nothing() {
    let bench = Bench::new().await;
    let says = ["journal", "nothing was pushed"];
    cannot_write(&bench, "mount -t tmpfs -o ro tmpfs state/journals", 1, &says).await;
    // one page, and it is taken
    let full = "mount -t tmpfs -o size=4k tmpfs state/journals && echo > state/journals/full";
    cannot_write(&bench, full, 1, &says).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_is_full_or_read_only_pushes_nothing() {
    let bench = Bench::new().await;
    // a RAM disk is no place for it, and only lends its size
    let small = "mount -t tmpfs -o size=1m tmpfs copy && mkdir copy/upper copy/work";
    let over = "-t overlay -o lowerdir=state,upperdir=copy/upper,workdir=copy/work overlay state";
    let read_only = ["lock failed: Read-only file system", "see that this user may write there"];
    cannot_write(&bench, &format!("{small} && mount -r {over}"), 2, &read_only).await;
    let full = "! dd if=/dev/zero of=state/full 2>/dev/null";
    cannot_write(&bench, &format!("{small} && mount {over} && {full}"), 1, &["No space left on device"])
        .await;
}
