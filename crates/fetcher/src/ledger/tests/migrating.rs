use super::*;

/// The tables of format 1 as they were released.
const FORMAT_1: &str = "
CREATE TABLE laptops (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    enrolled TEXT NOT NULL
) STRICT;
CREATE TABLE statements (
    laptop TEXT NOT NULL REFERENCES laptops (id),
    counter INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    previous TEXT,
    received TEXT NOT NULL,
    envelope BLOB NOT NULL,
    kind TEXT NOT NULL,
    serial TEXT,
    claimed INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (laptop, counter, sha256)
) STRICT;
CREATE INDEX statements_by_serial ON statements (serial, claimed);
CREATE TABLE held (
    laptop TEXT NOT NULL,
    counter INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    received TEXT NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (laptop, counter, sha256)
) STRICT;
";

pub(super) fn a_later_format_is_refused(store: &Store) {
    store.open().db.migrate("", migrations::FORMAT + 1).unwrap();
    let refused = Ledger::open(&store.location).unwrap_err();
    assert_eq!(refused.to_string(), "ledger: has format 3, this program knows 2: update it");
}

pub(super) fn format_1_is_migrated_and_keeps_its_rows(store: &Store) {
    let db: Box<dyn Database> = match &store.location {
        Location::File(path) => Box::new(sqlite::Sqlite::open(path).unwrap()),
        Location::Server(server) => Box::new(postgresql::Postgresql::open(server).unwrap()),
    };
    db.migrate(FORMAT_1, 1).unwrap();
    let (mut applier, mut stranger) = (Applier::new(), Applier::new());
    let (laptop, key, now) = (applier.id(), applier.key.public(), at(0).to_string());
    let key = key.to_string();
    let enrolled = [laptop.as_str(), &key, &now].map(Value::from);
    db.execute("INSERT INTO laptops VALUES (?1, ?2, ?3)", &enrolled).unwrap();
    // more than are filled in at a time, with a push in the last of them that is still open
    applier.publication = (1, 7);
    for counter in 1..=300_i64 {
        let previous = applier.previous.map(|previous| previous.to_string());
        let (claimed, last) = (applier.now().as_microsecond(), counter == 300);
        let bytes = if last { applier.begins("S2") } else { applier.says("S1", "V4.1.0", PushResult::Failed) };
        let sha256 = Sha256Digest::of(&bytes).to_string();
        db.execute(
            "INSERT INTO statements (laptop, counter, sha256, previous, received, envelope, kind, serial, claimed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &[
                laptop.as_str().into(),
                counter.into(),
                sha256.as_str().into(),
                previous.as_deref().into(),
                now.as_str().into(),
                bytes.as_slice().into(),
                if last { "push-started" } else { "push-ended" }.into(),
                if last { "S2" } else { "S1" }.into(),
                claimed.into(),
            ],
        )
        .unwrap();
    }
    let bytes = stranger.says("S3", "V4.2.0", PushResult::Applied);
    let (sha256, id) = (Sha256Digest::of(&bytes).to_string(), stranger.id());
    let held = [id.as_str().into(), 1.into(), sha256.as_str().into(), now.as_str().into(), bytes.as_slice().into()];
    db.execute("INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5)", &held).unwrap();
    drop(db);

    let ledger = store.open();
    assert_eq!(ledger.db.format().unwrap(), migrations::FORMAT);
    let there = ledger.laptops().unwrap().remove(0);
    assert_eq!((there.statements, there.complete_to, there.open.len()), (300, 300, 1));
    // the statements that were there are judged with the new ones
    applier.publication = (1, 6);
    let bytes = applier.says("S2", "V4.2.0", PushResult::Applied);
    applier.delivers(&ledger, 301, &bytes);
    assert_eq!(
        ledger.findings().unwrap(),
        [
            Finding::Regression { laptop, counter: 301, what: Regressed::Publication },
            Finding::Held { laptop: stranger.id(), statements: 1 }
        ]
    );
    assert_eq!(ledger.enrol(&stranger.key.public(), at(9)).unwrap(), 1);
    assert_eq!(ledger.last_words().unwrap().len(), 3);
    drop(ledger);
    assert_eq!(store.open().laptops().unwrap().len(), 2);
}
