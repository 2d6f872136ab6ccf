use std::fmt::Write as _;
use std::process::Stdio;

use jiff::Timestamp;
use journeys::ran::Ran;
use journeys::site::{AFTER, PASSWORD};
use nvr_sim::{Builder, Faults};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::world::{World, revision, write};

/// A file of `tests/faults/`: recorders of one kind. The documentation test reads it, too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// Heading in `docs/recorder-faults.md`.
    #[serde(rename = "title")]
    _title: String,
    /// Bytes of the package.
    #[serde(default = "small")]
    pub(crate) size: u64,
    pub(crate) case: Vec<Case>,
}

fn small() -> u64 {
    300_000
}

/// One thing that a recorder does, and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// In words, for the table.
    pub(crate) fault: String,
    /// Keys of a scenario file that differ from a recorder in good order, which upgrades at once.
    #[serde(default)]
    pub(crate) recorder: toml::Table,
    /// `apply`, `plan` or `inspect`.
    #[serde(default = "apply")]
    command: String,
    /// More arguments; CERTIFICATE is that of the recorder.
    #[serde(default)]
    arguments: String,
    /// The password that is tried, if not the right one.
    #[serde(default)]
    password: Option<String>,
    /// Wrong passwords that a stranger has tried before.
    #[serde(default)]
    strangers: u32,
    /// What changes in the middle.
    #[serde(default)]
    meanwhile: Option<Meanwhile>,
    /// Further words that must be said.
    #[serde(default)]
    says: Vec<String>,
    /// What must be seen.
    expect: Seen,
}

fn apply() -> String {
    "apply".into()
}

/// Once the recorder was asked for something so many times, its faults are these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meanwhile {
    request: String,
    times: u64,
    faults: Faults,
}

/// What came of it. In `message` and `hint`, `…` stands for what differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    exit: i32,
    /// `result: reason` of the statement; none where the run did not get so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    /// Pushes that the recorder has admitted.
    pushes: u64,
    /// Packages that it had whole.
    bodies: u64,
    /// Wrong passwords that it has looked at, those of strangers apart.
    #[serde(default, skip_serializing_if = "is_none")]
    wrong_logins: u64,
    /// What it runs afterwards.
    runs: String,
    /// First line of the error; where there is none, the line of the output that says so, or its last.
    message: String,
    /// What to do now.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    hint: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's form
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Case {
    /// What the recorder was told, before and in the middle, as in a scenario file.
    pub(crate) fn told(&self) -> Vec<serde_json::Value> {
        let meanwhile = self.meanwhile.iter().map(|change| serde_json::json!({ "faults": change.faults }));
        meanwhile.chain([serde_json::to_value(&self.recorder).unwrap()]).collect()
    }

    /// The journey. `base` holds stick and laptop.
    pub(crate) async fn run(self, base: &World) {
        let world = base.at(self.builder()).await;
        if let Some(password) = &self.password {
            write(&world.path("password.txt"), password.as_bytes());
        }
        for _ in 0..self.strangers {
            wrong_login(&world).await;
        }
        let address = address_of(&world);
        let command = self.line(&address, &world);
        let ran = beside(meanwhile(self.meanwhile.as_ref(), &world), world.applier(&command)).await;
        let seen = self.seen(&ran, &world, &address);
        assert!(self.expect.allows(&seen), "{}: {}\n{}", self.fault, toml_of(&seen), ran.err);
        let ran = ran.says(&self.says.iter().map(String::as_str).collect::<Vec<_>>());
        self.hold_always(&ran, &seen, &world);
        // the last block of that one never left, so that it may begin anew
        let may_begin_anew = seen.statement.as_deref() == Some("unknown-after-push: lost-before-end");
        if seen.exit == 8 && !may_begin_anew {
            // whatever has become of it, and in whatever order it is now: nobody has proven that the first
            // push is over
            world.recorder.set_faults(Faults::default());
            let again = world.applier(&command).await;
            assert_eq!(again.pushes, seen.pushes, "{}: pushed again", self.fault);
        }
        if seen.exit != 0 {
            ran.fails(seen.exit, &format!("fault {}", self.fault.replace('/', " ")), &[]);
        }
    }

    fn builder(&self) -> Builder {
        let mut scenario = toml::Table::new();
        for (key, value) in [("flash_seconds", 0.0), ("down_seconds", 0.3)] {
            scenario.insert(key.into(), value.into());
        }
        scenario.extend(self.recorder.clone());
        #[allow(clippy::disallowed_methods)] // a recorder whose clock is right
        let now = Timestamp::now();
        let mut builder = Builder::scenario(&scenario.to_string(), now).unwrap();
        builder.login.password = PASSWORD.into();
        builder
    }

    fn line(&self, address: &str, world: &World) -> String {
        let own = match self.command.as_str() {
            "apply" => "--stick stick --yes",
            "plan" => "--stick stick",
            _ => "",
        };
        let certificate = world.recorder.certificate().map(|digest| digest.to_string()).unwrap_or_default();
        let mut more = self.arguments.replace("CERTIFICATE", &certificate);
        // the defaults are for recorders, whose time is minutes
        for flag in ["--quiet-period", "--return-timeout"] {
            if self.command == "apply" && !more.contains(flag) {
                write!(more, " {flag} 10").unwrap();
            }
        }
        format!("{} {address} {own} --password-file password.txt {more}", self.command)
    }

    fn seen(&self, ran: &Ran, world: &World, address: &str) -> Seen {
        let told = if ran.code == 0 {
            let decisive = ran.out.lines().find(|line| fits(&self.expect.message, line));
            decisive.or_else(|| ran.out.lines().last()).unwrap_or_default().to_owned()
        } else {
            ran.message().trim_start_matches("applier: ").to_owned()
        };
        let plain = world.recorder.address().to_string();
        let told = told.replace(address, "ADDRESS").replace(&plain, "ADDRESS");
        let (message, hints) = told.split_once("\nhint: ").unwrap_or((&told, ""));
        let state = world.recorder.state();
        Seen {
            exit: ran.code,
            statement: ended(world),
            pushes: ran.pushes,
            bodies: state.counters.bodies,
            wrong_logins: state.counters.wrong_logins - u64::from(self.strangers),
            runs: format!("{}:{}", state.revision.version, state.revision.build),
            message: message.to_owned(),
            hint: hints.replace("\nhint: ", " / "),
        }
    }

    /// What holds whatever the recorder does.
    fn hold_always(&self, ran: &Ran, seen: &Seen, world: &World) {
        let (fault, state) = (&self.fault, world.recorder.state());
        assert!(seen.wrong_logins <= 1, "{fault}: {} wrong logins", seen.wrong_logins);
        assert_eq!(state.counters.basic, 0, "{fault}: the password went out in the clear");
        assert!(seen.pushes <= 1, "{fault}: {} pushes", seen.pushes);
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!ran.out.contains(control) && !ran.err.contains(control), "{fault}: {ran:?}");
        assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD), "{fault}: {ran:?}");
        let is_at = |wanted| state.revision == wanted;
        let applied = seen.statement.as_deref() == Some("applied: confirmed");
        match seen.exit {
            0 if self.command == "apply" => {
                let current = seen.statement.as_deref() == Some("already-current: already-current");
                let bodies = u64::from(applied);
                assert!((applied || current) && is_at(revision(AFTER)) && seen.bodies == bodies, "{fault}");
            }
            // these say that the recorder is as it was
            4..=7 | 9 => assert!(!applied && is_at(self.builder().before), "{fault}: {}", state.revision),
            _ => assert!(!applied, "{fault}"),
        }
    }
}

/// Where it is talked to: over TLS where it has that.
fn address_of(world: &World) -> String {
    world.recorder.https_address().unwrap_or_else(|| world.recorder.address()).to_string()
}

/// Changes the recorder once it was asked often enough.
async fn meanwhile(change: Option<&Meanwhile>, world: &World) {
    let Some(change) = change else { return };
    world.recorder.until(|state| state.counters.requests_of(&change.request) >= change.times).await;
    world.recorder.set_faults(change.faults.clone());
}

/// Lets one thing happen until the other has ended.
async fn beside<T>(side: impl Future<Output = ()>, main: impl Future<Output = T>) -> T {
    tokio::pin!(main);
    tokio::select! {
        biased;
        ended = &mut main => return ended,
        () = side => {}
    }
    main.await
}

impl Seen {
    fn allows(&self, seen: &Self) -> bool {
        let words = fits(&self.message, &seen.message) && fits(&self.hint, &seen.hint);
        let but_words = |of: &Self| Self { message: String::new(), hint: String::new(), ..of.clone() };
        words && but_words(self) == but_words(seen)
    }
}

/// Whether a text is as expected, where `…` stands for anything.
fn fits(expected: &str, text: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((end, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

fn toml_of(seen: &Seen) -> String {
    let mut text = String::from("seen:\n");
    write!(text, "{}", toml::to_string(seen).unwrap()).unwrap();
    text
}

/// What the newest statement on the stick says of how a run ended.
fn ended(world: &World) -> Option<String> {
    let statements =
        if world.path("stick/COURIER/receipts").exists() { world.statements() } else { Vec::new() };
    let newest = statements.last()?;
    let member = |name: &str| newest[name].as_str().unwrap_or("none").to_owned();
    Some(format!("{}: {}", member("result"), member("reason")))
}

/// Somebody else's wrong password.
async fn wrong_login(world: &World) {
    let url = format!("http://{}/ISAPI/System/deviceInfo", world.recorder.address());
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--digest", "--user", "admin:wrong", &url]).stdout(Stdio::null());
    assert!(curl.status().await.unwrap().success());
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    assert!(fits("a … b … c", "a 1 b 2 c") && fits("a…", "a") && fits("a", "a"));
    assert!(!fits("a … b", "a 1 c") && !fits("a", "ab") && !fits("a…b", "b") && !fits("…a", "ab"));
}
