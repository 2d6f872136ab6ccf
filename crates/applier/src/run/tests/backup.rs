//! The configuration is kept before anything is sent, or nothing is.

use isapi::ConfigurationKey;
use nvr_sim::{AnswerFault, How, KeyRule};

use super::*;
use crate::backup::{local_key, unseal};

impl Bench {
    fn keeps(&mut self) -> &mut Keeper {
        let local_key = local_key(&self.dir.path().join("key")).unwrap();
        let backups = self.dir.path().join("backups");
        self.keeper.insert(Keeper { backups, to: None, local_key, recipients: vec![], device_key: None })
    }

    fn backups(&self) -> usize {
        let folders = std::fs::read_dir(self.dir.path().join("backups")).into_iter().flatten();
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }
}

fn export_fault(how: How, text: &str) -> Faults {
    let fault = serde_json::json!({"path": "/ISAPI/System/configurationData", "how": how, "text": text});
    let fault: AnswerFault = serde_json::from_value(fault).unwrap();
    Faults { answers: vec![fault], ..Faults::default() }
}

#[tokio::test]
async fn it_is_journaled_before_the_push_and_opens() {
    let mut bench = bench(|_| {}).await;
    bench.keeps().device_key = Some(ConfigurationKey::new("hush-1234".into()).unwrap());
    let (outcome, events) = bench.run().await;
    assert_eq!(outcome.stage, Stage::Confirmed);
    let kept = outcome.backup.unwrap();
    assert_eq!(bench.replay().backup.as_ref(), Some(&kept));
    let at = |wanted: fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    assert!(at(|e| matches!(e, Event::BackedUp { .. })) < at(|e| matches!(e, Event::Push { .. })));
    let key = &bench.keeper.as_ref().unwrap().local_key;
    let (manifest, _) = unseal(&kept.file, key).unwrap();
    assert_eq!((manifest.sha256, manifest.device_key, kept.device_key), (kept.sha256, true, true));
    assert_eq!(manifest.serial, bench.plan.device.serial);
    let journal = bench.dir.path().join(format!("journals/{}.jsonl", RunId::new(clock(), [0; 4])));
    let journal = std::fs::read_to_string(journal).unwrap();
    assert!(!journal.contains("hush"), "the device key stands nowhere");
}

#[tokio::test]
async fn without_one_nothing_is_sent() {
    for (what, faults, key, words) in [
        ("refused", export_fault(How::Code, "deviceError"), KeyRule::Either, "deviceError"),
        ("not offered", export_fault(How::Code, "notSupport"), KeyRule::Either, "not offered"),
        ("no right", export_fault(How::Code, "lowPrivilege"), KeyRule::Either, "lacks the right"),
        ("a page", export_fault(How::Html, ""), KeyRule::Either, "XML or HTML"),
        ("endless", export_fault(How::Endless, ""), KeyRule::Either, "larger than"),
        ("a key", Faults::default(), KeyRule::WithKey, "--device-key-file"),
    ] {
        let mut bench = bench(|builder| builder.content.backup.key = key).await;
        bench.keeps();
        bench.faults(faults);
        let (outcome, _) = bench.run().await;
        assert_eq!(
            (outcome.stage, outcome.reason, outcome.pushes),
            (Stage::Refused, Reason::NoBackup, 0),
            "{what}: {}",
            outcome.detail
        );
        assert!(
            outcome.detail.contains(words) && outcome.hint().contains("--no-backup"),
            "{}",
            outcome.detail
        );
        assert_eq!((bench.sim.state().counters.pushes, bench.backups()), (0, 0), "{what}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_during_the_export_is_told_as_such() {
    let mut bench = bench(|_| {}).await;
    bench.keeps();
    bench.faults(export_fault(How::Cut, ""));
    let (outcome, _) = bench.run().await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Refused, Reason::Unreachable));
    assert_eq!(bench.backups(), 0);
}

#[tokio::test]
async fn where_it_cannot_be_written_nothing_is_sent() {
    let mut bench = bench(|_| {}).await;
    // a folder that cannot be made
    bench.keeps().backups = "/dev/null/backups".into();
    let (outcome, _) = bench.run().await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Refused, Reason::NoBackup));
    assert!(outcome.detail.contains("/dev/null/backups"), "{}", outcome.detail);
    assert_eq!(bench.sim.state().counters.pushes, 0);
}

#[tokio::test]
async fn a_journal_of_a_backup_alone_forbids_nothing() {
    let mut bench = bench(|_| {}).await;
    bench.keeps();
    bench.cut(|event| matches!(event, Event::BackedUp { .. })).await;
    let open = bench.journals.unfinished().unwrap().runs;
    assert_eq!((open.len(), open[0].stage, bench.backups()), (1, Stage::BackedUp, 1));
    let Device { serial, .. } = &bench.plan.device;
    assert_eq!(bench.journals.newest(serial).unwrap(), None);
    assert_eq!(bench.journals.blocked(&bench.plan.device).unwrap(), None);
}
