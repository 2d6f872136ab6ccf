use std::path::Path;

use nvr_sim::{Handle, KeyRule, Stage};

use crate::{Transfer, curl, get, start, url};

const PATH: &str = "System/configurationData";

/// Saves an export.
async fn save(recorder: &Handle, query: &str, file: &Path) -> u16 {
    let file = file.to_str().unwrap();
    let url = url(recorder, &format!("{PATH}{query}"));
    // the header goes to curl's output, the body to the file
    let mut command = tokio::process::Command::new("curl");
    command.args([
        "-sS",
        "--noproxy",
        "*",
        "--digest",
        "-u",
        "admin:right",
        "-o",
        file,
        "-w",
        "%{http_code}",
        &url,
    ]);
    let output = command.output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

async fn restore(recorder: &Handle, query: &str, file: &Path) -> Transfer {
    let (file, url) = (file.to_str().unwrap(), url(recorder, &format!("{PATH}{query}")));
    curl(["--digest", "-u", "admin:right", "-T", file, &url]).await
}

#[tokio::test]
async fn an_export_goes_back_under_its_key_and_reboots_the_recorder() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup");
    let recorder = start(|recorder| recorder.content.backup.bytes = 5000).await;
    assert_eq!(save(&recorder, "?secretkey=abc", &file).await, 200);
    assert_eq!(file.metadata().unwrap().len(), 5000);
    let wrong = restore(&recorder, "?secretkey=abd", &file).await;
    assert_eq!((wrong.status, wrong.node("subStatusCode")), (403, "importCfgFilePasswordErr"));
    let right = restore(&recorder, "?secretkey=abc", &file).await;
    assert_eq!((right.status, right.node("subStatusCode")), (200, "rebootRequired"));
    let state = recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert_eq!((state.counters.backups, state.counters.restores), (1, 1));
    assert_eq!(state.last_restore.unwrap().size, 5000);

    let mut damaged = std::fs::read(&file).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), &damaged).unwrap();
    assert_eq!(restore(&recorder, "?secretkey=abc", &file).await.node("subStatusCode"), "importError");
    assert_eq!(recorder.state().counters.restores, 1);
}

#[tokio::test]
async fn a_key_is_wanted_or_not_or_everything_is_refused() {
    for (key, refuse, without, with) in [
        (KeyRule::Either, None, 200, 200),
        (KeyRule::WithKey, None, 403, 200),
        (KeyRule::WithoutKey, None, 200, 403),
        (KeyRule::Either, Some("lowPrivilege"), 403, 403),
    ] {
        let recorder = start(|recorder| {
            recorder.content.backup.key = key;
            recorder.content.backup.refuse = refuse.map(Into::into);
        })
        .await;
        let file = tempfile::NamedTempFile::new().unwrap();
        for (query, expected) in
            [("", without), ("?secretkey=abc", with), ("?secretkey=12345678901234567", 403)]
        {
            assert_eq!(save(&recorder, query, file.path()).await, expected, "{key:?} {query}");
        }
        let code = refuse.unwrap_or("badParameters");
        let too_long = get(&recorder, &format!("{PATH}?secretkey=12345678901234567")).await;
        assert_eq!(too_long.node("subStatusCode"), code);
    }
}
