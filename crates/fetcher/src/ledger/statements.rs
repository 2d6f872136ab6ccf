use jiff::Timestamp;
use receipt::{InvalidStatement, LaptopId, VerifiedStatement};

use super::facts::Facts;
use super::{Checked, Ledger, LedgerError, integer, read_back};

/// What became of a statement.
#[derive(Debug)]
pub enum Received {
    /// It is new.
    New(Box<VerifiedStatement>),
    /// It is in the ledger already.
    Known,
    /// What it says is in the ledger already, and it lay in the place of another one or in other bytes than before.
    Replayed(Box<VerifiedStatement>),
    /// Its laptop is not enrolled: it is kept until it is.
    Held,
    /// Its laptop is believed only up to one before it: it is kept and not believed.
    Revoked(LaptopId),
    /// Nobody believes it, and too much of that kind is kept already: it stays on the stick.
    Full,
    /// It is no statement, or not one of an enrolled laptop.
    Rejected(InvalidStatement),
}

/// Statements held for laptops that are not enrolled, all together: anybody can make such, and a
/// laptop that is soon enrolled has a few dozen. As many of a revoked laptop, which may be in anybody's hands.
const MOST_HELD: u64 = 2_000;
/// Replays of one laptop's statements that are told of: whoever has a stick can make any number.
const MOST_REPLAYS: u64 = 100;

impl Ledger {
    /// Takes the bytes of one statement that claims this laptop and counter by its place.
    pub fn receive(
        &self,
        folder: &LaptopId,
        number: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Received, LedgerError> {
        let checked = self.keys()?.check(folder, bytes);
        self.take(folder, number, bytes, checked, now)
    }

    /// The same, with what [`super::Keys::check`] found of it.
    pub fn take(
        &self,
        folder: &LaptopId,
        number: u64,
        bytes: &[u8],
        checked: Checked,
        now: Timestamp,
    ) -> Result<Received, LedgerError> {
        match checked {
            Checked::Signed(statement) => self.take_signed(folder, number, bytes, statement, now),
            // somebody enrolled it since its statement was checked
            Checked::Stranger(_) if self.last_believed(folder)?.is_some() => {
                self.receive(folder, number, bytes, now)
            }
            Checked::Stranger(sha256) => {
                let held = self.rows("SELECT count(*) FROM held", &[], |row| row.natural(0))?;
                if held.into_iter().sum::<u64>() >= MOST_HELD {
                    return Ok(Received::Full);
                }
                self.db.execute(
                    "INSERT INTO held (laptop, counter, sha256, received, envelope) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO NOTHING",
                    &[
                        folder.as_str().into(),
                        integer(number).into(),
                        sha256.to_string().as_str().into(),
                        now.to_string().as_str().into(),
                        bytes.into(),
                    ],
                )?;
                Ok(Received::Held)
            }
            Checked::Rejected(e) => Ok(Received::Rejected(e)),
        }
    }

    fn take_signed(
        &self,
        folder: &LaptopId,
        number: u64,
        bytes: &[u8],
        verified: Box<VerifiedStatement>,
        now: Timestamp,
    ) -> Result<Received, LedgerError> {
        let head = &verified.statement().head;
        let in_place = (folder, number) == (&head.laptop, head.counter);
        let known = self.known(&verified)?;
        if !in_place || known == Some(Known::InOtherBytes) {
            self.note_replay(&verified, folder, number, now)?;
        }
        match known {
            Some(Known::InTheseBytes) if in_place => return Ok(Received::Known),
            Some(_) => return Ok(Received::Replayed(verified)),
            None => {}
        }
        let revoked = self.last_believed(&head.laptop)?.filter(|last| head.counter > *last);
        if let Some(last) = revoked
            && self.beyond(&head.laptop, last)? >= MOST_HELD
        {
            return Ok(Received::Full);
        }
        self.insert(&verified, bytes, now)?;
        Ok(if revoked.is_some() { Received::Revoked(head.laptop.clone()) } else { Received::New(verified) })
    }

    /// Whether a statement, or one that says the same, is in the ledger.
    fn known(&self, verified: &VerifiedStatement) -> Result<Option<Known>, LedgerError> {
        let head = &verified.statement().head;
        let there = self.rows(
            "SELECT s.sha256, s.envelope, l.public_key FROM statements s JOIN laptops l ON l.id = s.laptop
             WHERE s.laptop = ?1 AND s.counter = ?2",
            &[head.laptop.as_str().into(), integer(head.counter).into()],
            |row| {
                if row.text(0)? == verified.digest().to_string() {
                    return Ok(Some(Known::InTheseBytes));
                }
                let other = read_back(row.bytes(1)?, row.text(2)?)?;
                Ok((other.statement() == verified.statement()).then_some(Known::InOtherBytes))
            },
        )?;
        Ok(there.into_iter().flatten().max())
    }

    fn note_replay(
        &self,
        verified: &VerifiedStatement,
        folder: &LaptopId,
        number: u64,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let head = &verified.statement().head;
        let laptop = head.laptop.as_str();
        let noted = "SELECT count(*) FROM replays WHERE laptop = ?1";
        let noted: u64 = self.rows(noted, &[laptop.into()], |row| row.natural(0))?.into_iter().sum();
        if noted < MOST_REPLAYS {
            self.db.execute(
                "INSERT INTO replays (laptop, counter, sha256, folder, number, received)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                &[
                    laptop.into(),
                    integer(head.counter).into(),
                    verified.digest().to_string().as_str().into(),
                    folder.as_str().into(),
                    integer(number).into(),
                    now.to_string().as_str().into(),
                ],
            )?;
        }
        Ok(())
    }

    fn insert(&self, verified: &VerifiedStatement, bytes: &[u8], now: Timestamp) -> Result<(), LedgerError> {
        let head = &verified.statement().head;
        let facts = Facts::of(verified.statement());
        self.db.execute(
            "INSERT INTO statements (laptop, counter, sha256, previous, received, envelope, kind, serial, claimed,
                                     run, root, publication, clock_resets)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING",
            &[
                head.laptop.as_str().into(),
                integer(head.counter).into(),
                verified.digest().to_string().as_str().into(),
                head.previous.map(|p| p.to_string()).as_deref().into(),
                now.to_string().as_str().into(),
                bytes.into(),
                facts.kind.as_str().into(),
                facts.serial.as_deref().into(),
                facts.claimed.into(),
                facts.run.into(),
                facts.root.into(),
                facts.publication.into(),
                facts.clock_resets.into(),
            ],
        )?;
        Ok(())
    }

    /// Moves the held statements of a laptop that is now enrolled into the ledger, one by one: each may be large.
    pub(super) fn take_held(&self, laptop: &LaptopId, now: Timestamp) -> Result<u64, LedgerError> {
        let keys = self.keys()?;
        let (mut taken, mut after) = (0, (0, String::new()));
        loop {
            let held = self.rows(
                "SELECT counter, sha256, envelope FROM held
                 WHERE laptop = ?1 AND (counter, sha256) > (?2, ?3) ORDER BY counter, sha256 LIMIT 1",
                &[laptop.as_str().into(), after.0.into(), after.1.as_str().into()],
                |row| Ok((row.integer(0)?, row.text(1)?.to_owned(), row.bytes(2)?.to_owned())),
            )?;
            let Some((counter, sha256, envelope)) = held.into_iter().next() else { break };
            let number = u64::try_from(counter).map_err(|_| LedgerError::Damaged("counter"))?;
            let received = self.take(laptop, number, &envelope, keys.check(laptop, &envelope), now)?;
            taken += u64::from(matches!(received, Received::New(_)));
            after = (counter, sha256);
        }
        self.db.execute("DELETE FROM held WHERE laptop = ?1", &[laptop.as_str().into()])?;
        Ok(taken)
    }
}

/// How a statement is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    InOtherBytes,
    InTheseBytes,
}
