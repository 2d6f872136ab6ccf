//! Several recorders, one after the other: named one by one, or in a site file.

use std::fs::{read_dir, set_permissions};
use std::os::unix::fs::PermissionsExt;

use journeys::running::Running;
use journeys::site::AFTER;
use nvr_sim::{AnswerFault, Builder, Faults, Handle};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::world::{MODEL, World, recorder, recorder_of, write};

fn named(serial: &str, mut recorder: Builder) -> Builder {
    recorder.serial = Some(serial.parse().unwrap());
    recorder
}

/// The recorder of a world and two more.
struct Three {
    world: World,
    second: Handle,
    third: Handle,
}

impl Three {
    async fn new(second: Builder) -> Self {
        let world = World::loaded_with(named("DS-GATE", recorder())).await;
        let second = named("DS-YARD", second).start().await.unwrap();
        let third = named("DS-QUAY", recorder()).start().await.unwrap();
        Self { world, second, third }
    }

    fn addresses(&self) -> [String; 3] {
        [self.world.recorder.address(), self.second.address(), self.third.address()].map(|at| at.to_string())
    }

    /// A site file of the three, with more lines for each.
    fn site(&self, more: [&str; 3]) {
        let recorders = self.addresses().into_iter().zip(more).map(|(address, more)| {
            format!("[[recorder]]\naddress = \"{address}\"\npassword_file = \"../password.txt\"\n{more}\n")
        });
        let text = format!("name = \"Harbour\"\n{}", recorders.collect::<String>());
        std::fs::create_dir_all(self.world.path("sites")).unwrap();
        write(&self.world.path("sites/harbour.toml"), text.as_bytes());
    }

    fn pushes(&self) -> [u64; 3] {
        [&self.world.recorder, &self.second, &self.third].map(|at| at.state().counters.pushes)
    }

    fn logins(&self) -> [u64; 3] {
        [&self.world.recorder, &self.second, &self.third].map(|at| at.state().counters.logins)
    }
}

fn results(document: &Value) -> Vec<&str> {
    document["recorders"].as_array().unwrap().iter().map(|row| row["result"].as_str().unwrap()).collect()
}

fn last_line(out: &str) -> Value {
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_updated_and_one_that_is_current_is_passed_over() {
    let three = Three::new(recorder_of(MODEL, AFTER, AFTER)).await;
    let command =
        format!("apply {} --stick stick --password-file password.txt --yes", three.addresses().join(" "));
    let told = three.world.applier(&command).await.ends(0);
    told.says(&["recorder 2 of 3: ", "DS-GATE", "confirmed, V4.61.025 build 230421", "already current"]);
    assert_eq!(three.pushes(), [1, 0, 1]);
    let statements = three.world.statements();
    let serials = statements.iter().map(|statement| statement["device"]["serial"].as_str().unwrap());
    assert_eq!(serials.collect::<Vec<_>>(), ["DS-GATE", "DS-GATE", "DS-YARD", "DS-QUAY", "DS-QUAY"]);
    // the same again: nothing is pushed to anybody
    let again = last_line(&three.world.applier(&format!("{command} --json")).await.ends(0).out);
    assert_eq!(results(&again), ["already-current"; 3]);
    assert_eq!(three.pushes(), [1, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_that_is_not_confirmed_is_the_last() {
    let mut refuses = recorder();
    refuses.faults.refuse = Some("badDevType".into());
    let three = Three::new(refuses).await;
    three.site(["name = \"gate\"", "name = \"yard\"", "name = \"quay\""]);
    let command = "apply --site sites/harbour.toml --stick stick --yes";
    let stopped = three.world.applier(command).await;
    let stopped = stopped.fails(
        7,
        "second of three recorders refuses the package",
        &["1 of 3 recorders done, 1 not tried"],
    );
    stopped.says(&["recorder 2 of 3: yard", "not tried", "the same command goes on"]);
    assert_eq!((three.pushes(), three.logins()[2]), ([1, 1, 0], 0), "nothing is said to the third");
    let statements = three.world.statements();
    assert!(statements.iter().all(|statement| statement["site"] == "Harbour"), "{statements:?}");
    // mended, the same command goes on where it stopped
    three.second.set_faults(Faults::default());
    let on = last_line(&three.world.applier(&format!("{command} --json")).await.ends(0).out);
    assert_eq!(results(&on), ["already-current", "confirmed", "confirmed"]);
    assert_eq!(three.pushes(), [1, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_than_the_site_file_says_is_left_alone() {
    let three = Three::new(recorder()).await;
    three.site(["serial = \"DS-GATE\"", "serial = \"DS-OTHER\"", ""]);
    let stopped = three.world.applier("apply --site sites/harbour.toml --stick stick --yes").await;
    let words = ["it is DS-7608NI-I2 DS-YARD, and the site file says DS-OTHER", "nothing was done to it"];
    stopped.fails(4, "another device than the site file says", &words);
    assert_eq!(three.pushes(), [1, 0, 0]);
    three.site(["model = \"DS-7216HUHI-K2\"", "", ""]);
    let other =
        three.world.applier("apply --site sites/harbour.toml --stick stick --yes --json").await.ends(4);
    assert_eq!(results(&last_line(&other.out)), ["stopped", "not-tried", "not-tried"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_and_nowhere_else() {
    let three = Three::new(recorder()).await;
    write(&three.world.path("wrong.txt"), b"Wrong1234\n");
    set_permissions(three.world.path("wrong.txt"), PermissionsExt::from_mode(0o600)).unwrap();
    three.site(["", "", ""]);
    let text = std::fs::read_to_string(three.world.path("sites/harbour.toml")).unwrap();
    let text = text.replacen("../password.txt\"\n\n[[", "../wrong.txt\"\n\n[[", 1);
    write(&three.world.path("sites/harbour.toml"), text.as_bytes());
    three.world.applier("apply --site sites/harbour.toml --stick stick --yes").await.ends(9);
    assert_eq!(three.world.recorder.state().counters.wrong_logins, 1);
    assert_eq!((three.pushes(), three.logins()[1..].to_vec()), ([0; 3], vec![0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_list_is_said_before_anybody_is_talked_to() {
    let three = Three::new(recorder()).await;
    let [first, second, _] = three.addresses();
    let run = async |args: &str| {
        three.world.applier(&format!("{args} --stick stick --password-file password.txt")).await
    };
    run(&format!("apply {first} {second} {first} --yes")).await.fails(
        2,
        "recorder named twice",
        &["named twice"],
    );
    run(&format!("apply {first} {second} --plan {}", "0".repeat(64))).await.fails(
        2,
        "plan digest with several recorders",
        &["--plan speaks of one recorder, and 2 are named"],
    );
    run(&format!("apply {first} {second} --certificate {}", "0".repeat(64))).await.fails(
        2,
        "certificate with several recorders",
        &["several are named"],
    );
    run("apply --site none.toml").await.fails(2, "site file that is not there", &["site none.toml"]);
    run("apply --site sites").await.ends(2);
    let file = |text: &str| write(&three.world.path("site.toml"), text.as_bytes());
    file("name = \"Harbour\"\n[[recorder]]\nadress = \"192.168.1.64\"\n");
    run("apply --site site.toml").await.fails(2, "site file with a slip", &["line 3", "adress"]);
    file("name = \"Harbour\"\n");
    run("apply --site site.toml").await.ends(2).says(&["has no [[recorder]]"]);
    file(&format!(
        "name = \"Harbour\"\n[[recorder]]\naddress = \"gate.example\"\n[[recorder]]\naddress = \"{first}\"\n[[recorder]]\naddress = \"{first}\"\n"
    ));
    run("apply --site site.toml")
        .await
        .ends(2)
        .says(&["recorder 1: address \"gate.example\"", "again at recorder 3"]);
    file(&format!(
        "name = \"Harbour\"\nregion = \"EU\"\n[[recorder]]\naddress = \"{first}\"\npassword_file = \"none.txt\"\n"
    ));
    run("apply --site site.toml").await.ends(2).says(&["none.txt"]);
    file(&format!("name = \"Harbour\"\nregion = \"EU\"\n[[recorder]]\naddress = \"{first}\"\n"));
    run("apply --site site.toml --region US").await.fails(2, "region that is not the site's", &["US", "EU"]);
    run("apply").await.ends(2);
    run(&format!("apply {first} --site site.toml")).await.ends(2);
    assert_eq!(three.logins(), [0; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_goes_on_past_one_that_is_not_there() {
    let three = Three::new(recorder()).await;
    three.site(["name = \"gate\"", "name = \"yard\"", "name = \"quay\""]);
    three.second.set_faults(Faults { answers: vec![device_info("cut")], ..Faults::default() });
    let ended = three.world.applier("audit --site sites/harbour.toml --html audit.html").await;
    ended.ends(6).says(&["2 of 3 recorders done, 0 not tried", "recorder 3 of 3: quay", "audited"]);
    let pages = read_dir(three.world.path("")).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("audit-").then_some(name)
    });
    let [first, _, third] =
        three.addresses().map(|address| format!("audit-{}.html", address.replace(':', "-")));
    let mut pages: Vec<String> = pages.collect();
    pages.sort();
    let mut expected = vec![first, third];
    expected.sort();
    assert_eq!(pages, expected);
    let again = three.world.applier("audit --site sites/harbour.toml --html audit.html").await;
    again.ends(2).says(&["there is such a file"]);
}

fn device_info(how: &str) -> AnswerFault {
    serde_json::from_value(json!({"path": "/ISAPI/System/deviceInfo", "how": how})).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_it_where_nothing_is_under_way() {
    let three = Three::new(recorder()).await;
    three.second.set_faults(Faults { answers: vec![device_info("silence")], ..Faults::default() });
    let args =
        format!("apply {} --stick stick --password-file password.txt --yes -v", three.addresses().join(" "));
    let running = Running::start(three.world.command(&[], "applier", &args), args);
    three
        .second
        .until(|state| state.counters.requests.keys().any(|request| request.contains("deviceInfo")))
        .await;
    running.signal(Signal::INT);
    let ended = running.ended(&three.world).await;
    assert_eq!(ended.code, 130, "{}", ended.err);
    assert_eq!(three.pushes(), [1, 0, 0]);
    let results: Vec<Value> = three.world.statements();
    assert_eq!(results.last().unwrap()["result"], "applied", "what was done is stated");
}
