//! What is wrong with the chains of the laptops.

use std::collections::BTreeMap;

use jiff::Timestamp;
use receipt::LaptopId;

use super::database::Row;
use super::{Finding, Laptop, Ledger, LedgerError, Open, Regressed};

/// One place of a chain, as it was read so far.
#[derive(Default)]
struct Place {
    counter: u64,
    /// Digests of the envelopes that arrived for it.
    sha256: Vec<String>,
    claimed: Option<i64>,
    root: Option<i64>,
    publication: Option<i64>,
}

impl Ledger {
    /// Everything that somebody should look at: laptop by laptop, then what is held.
    pub fn findings(&self) -> Result<Vec<Finding>, LedgerError> {
        let mut findings = Vec::new();
        for Laptop { laptop, revoked_after, beyond, open, .. } in self.laptops()? {
            self.chain_findings(&laptop, &mut findings)?;
            findings.extend(open.into_iter().map(Finding::Open));
            let after = revoked_after.filter(|_| beyond > 0);
            findings.extend(after.map(|after| Finding::Revoked { laptop, after, statements: beyond }));
        }
        findings.extend(self.rows(
            "SELECT laptop, count(*) FROM held GROUP BY laptop ORDER BY laptop",
            &[],
            |row| Ok(Finding::Held { laptop: row.parsed(0, "laptop id")?, statements: row.natural(1)? }),
        )?);
        Ok(findings)
    }

    fn chain_findings(&self, laptop: &LaptopId, findings: &mut Vec<Finding>) -> Result<(), LedgerError> {
        let replays = self.replays(laptop, findings)?;
        let mut before = Place::default();
        self.db.query(
            "SELECT counter, sha256, previous, claimed, root, publication, clock_resets FROM believed
             WHERE laptop = ?1 ORDER BY counter, received, sha256",
            &[laptop.as_str().into()],
            &mut |row| {
                let counter = row.natural(0)?;
                if counter == before.counter {
                    before.sha256.push(row.text(1)?.to_owned());
                    findings.push(Finding::Fork { laptop: laptop.clone(), counter });
                    return Ok(());
                }
                before.judge(laptop, counter, row, findings)?;
                before = Place {
                    counter,
                    sha256: [row.text(1)?.to_owned()].into(),
                    claimed: row.maybe_integer(3)?,
                    root: row.maybe_integer(4)?,
                    publication: row.maybe_integer(5)?,
                };
                before.sha256.extend(replays.get(&counter).into_iter().flatten().cloned());
                Ok(())
            },
        )
    }

    /// Finds the replays of a laptop's statements; gives the digests of their envelopes, which the next statement may
    /// name: nobody knows which of them the laptop wrote.
    fn replays(
        &self,
        laptop: &LaptopId,
        findings: &mut Vec<Finding>,
    ) -> Result<BTreeMap<u64, Vec<String>>, LedgerError> {
        let mut digests: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        self.db.query(
            "SELECT counter, sha256, folder, number FROM replays WHERE laptop = ?1 ORDER BY counter, folder, number",
            &[laptop.as_str().into()],
            &mut |row| {
                let (counter, number) = (row.natural(0)?, row.natural(3)?);
                digests.entry(counter).or_default().push(row.text(1)?.to_owned());
                let folder = row.parsed(2, "laptop id")?;
                findings.push(Finding::Replay { laptop: laptop.clone(), counter, folder, number });
                Ok(())
            },
        )?;
        Ok(digests)
    }

    /// Runs of all laptops that began and whose end has not arrived.
    pub(super) fn open_runs(&self) -> Result<Vec<Open>, LedgerError> {
        self.rows(
            "SELECT s.laptop, s.counter, s.kind, s.serial, s.claimed FROM believed s
             WHERE s.run IS NOT NULL AND s.kind IN ('push-started', 'restore-started') AND NOT EXISTS (
                 SELECT 1 FROM believed e WHERE e.laptop = s.laptop AND e.run = s.run AND e.counter > s.counter
                 AND e.kind IN ('push-ended', 'restore-ended'))
             ORDER BY s.laptop, s.counter",
            &[],
            |row| {
                let since = Timestamp::from_microsecond(row.integer(4)?);
                Ok(Open {
                    laptop: row.parsed(0, "laptop id")?,
                    counter: row.natural(1)?,
                    kind: row.text(2)?.to_owned(),
                    serial: row.text(3)?.to_owned(),
                    since: since.map_err(|_| LedgerError::Damaged("time"))?,
                })
            },
        )
    }
}

impl Place {
    /// What is wrong with the statement that comes after this one.
    fn judge(
        &self,
        laptop: &LaptopId,
        counter: u64,
        row: &Row<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), LedgerError> {
        let laptop = || laptop.clone();
        if counter > self.counter + 1 {
            findings.push(Finding::Gap { laptop: laptop(), first: self.counter + 1, last: counter - 1 });
        } else if !row
            .maybe_text(2)?
            .map_or(counter == 1, |named| self.sha256.iter().any(|sha256| sha256 == named))
        {
            findings.push(Finding::Fork { laptop: laptop(), counter });
        }
        let went_back = |before: Option<i64>, column| {
            Ok::<_, LedgerError>(
                before.zip(row.maybe_integer(column)?).is_some_and(|(before, now)| now < before),
            )
        };
        let is_reset = row.maybe_integer(6)?.is_some_and(|resets| resets > 0);
        let checks = [
            (went_back(self.claimed, 3)? && !is_reset, Regressed::Clock),
            (went_back(self.root, 4)?, Regressed::Root),
            // a new root may have given the keys of the publication away, which then counts anew (TUF 5.3.11)
            (self.root == row.maybe_integer(4)? && went_back(self.publication, 5)?, Regressed::Publication),
        ];
        let went_back = checks.into_iter().filter(|(went_back, _)| *went_back);
        findings.extend(went_back.map(|(_, what)| Finding::Regression { laptop: laptop(), counter, what }));
        Ok(())
    }
}
