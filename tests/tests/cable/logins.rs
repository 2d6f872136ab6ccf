//! A password that was refused is remembered.

use journeys::site::{PASSWORD, write};

use crate::simulator::scenario;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_password_stops_everything_and_the_next_has_to_be_meant() {
    let world = World::loaded(&format!("{}tries = 3\n", scenario("", ""))).await;
    let password = |text: &str| write(&world.path("password.txt"), text.as_bytes());
    password("not this one");
    let first = world.apply("").await.ends(9).says(&["user or password refused", "2 more wrong ones"]);
    assert_eq!((first.pushes, world.seen("wrong_logins")), (0, 1));
    // the right one would do now, and nobody has said that it is: the applier does not try
    let before = world.seen("connections");
    let words = ["2 wrong ones more lock the account", "--risk-lockout"];
    let careful = world.apply("").await.ends(9).says(&words);
    assert_eq!((careful.pushes, world.seen("connections")), (0, before));
    world.inspect("").await.ends(9).says(&words);
    // another port is another way to the same account
    world.applier("inspect 192.168.1.64:80 --password-file password.txt").await.ends(9).says(&words);
    world.inspect("--risk-lockout").await.ends(9).says(&["1 more wrong ones"]);

    password(PASSWORD);
    world.inspect("--risk-lockout").await.ends(0);
    let forgotten = world.apply("").await.ends(0);
    assert!(!forgotten.err.contains("a login was refused"), "{}", forgotten.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_account_is_left_alone() {
    let world = World::cabled(&format!("{}tries = 1\n", scenario("", ""))).await;
    write(&world.path("password.txt"), b"not this one");
    world.inspect("").await.ends(9);
    let (before, wrong) = (world.seen("connections"), world.seen("wrong_logins"));
    write(&world.path("password.txt"), PASSWORD.as_bytes());
    let words = [
        "a login was refused on ",
        "the account there is locked for ",
        "wait until the lock",
        "--risk-lockout",
    ];
    world.inspect("").await.fails(9, "account that was locked", &words[1..]).says(&words);
    assert_eq!((world.seen("connections"), world.seen("wrong_logins")), (before, wrong));
    // it is locked still, and says so before a password is sent
    world.inspect("--risk-lockout").await.ends(9).says(&["account locked"]);
    assert_eq!(world.seen("wrong_logins"), wrong);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_recorder_where_an_account_was_locked_is_talked_to_once_a_person_says_so() {
    let mut world = World::cabled(&format!("{}tries = 1\n", scenario("", ""))).await;
    write(&world.path("password.txt"), b"not this one");
    world.inspect("").await.ends(9);
    write(&world.path("password.txt"), PASSWORD.as_bytes());
    world.exchange(&scenario("", "")).await;
    world.inspect("").await.ends(9).says(&["if it is another recorder, or has restarted since"]);
    assert_eq!(world.seen("connections"), 0);
    world.inspect("--risk-lockout").await.ends(0);
    let forgotten = world.inspect("").await.ends(0);
    assert!(!forgotten.err.contains("a login was refused"), "{}", forgotten.err);
}
