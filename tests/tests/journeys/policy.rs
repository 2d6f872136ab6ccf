//! Advisories and policy from the manifests to the recorder: signed, carried, obeyed, and never lost on
//! the way.

use std::fs::{copy, read, read_to_string, remove_file};

use serde_json::Value;

use crate::world::{World, files, recorder_of, write};
use journeys::ran::Ran;

/// A model that CVE-2025-66177 names, and a build from before the fix and one after.
const AFFECTED: &str = "DS-7104NI-Q1";
const WEAK: &str = "V4.76.005:231012";
const MENDED: &str = "V4.76.108:251219";

/// A depot whose manifests have the shipped advisories and this policy, a release of this revision, and
/// a recorder that takes it.
async fn depot(from: &str, to: &str, policy: &str) -> (World, String) {
    let world = World::with(recorder_of(AFFECTED, from, to)).await;
    world.init().await;
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-manifests/advisories.toml");
    copy(shipped, world.path("manifests/advisories.toml")).unwrap();
    write(&world.path("manifests/policy.toml"), policy.as_bytes());
    let id = world.release(to, &[AFFECTED]);
    world.pin(&id).await.ends(0);
    (world, id)
}

/// The same with everything signed and on the stick, and a laptop that believes the depot.
async fn loaded(from: &str, to: &str, policy: &str) -> World {
    let (world, id) = depot(from, to, policy).await;
    world.approve(&format!("{id} --advisories --policy")).await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world.trust().await;
    world
}

async fn plan(world: &World, more: &str) -> Ran {
    let address = world.recorder.address();
    world.applier(&format!("plan {address} --stick stick --password-file password.txt {more}")).await
}

/// The paths of the documents on the stick, those of the policy and of the advisories.
fn documents(world: &World) -> [Vec<String>; 2] {
    let all: Vec<String> = files(&world.path("stick")).into_keys().collect();
    ["policy", "advisories"].map(|name| {
        let is_it =
            |path: &&String| path.starts_with("COURIER/targets/") && path.ends_with(&format!(".{name}.json"));
        all.iter().filter(is_it).cloned().collect()
    })
}

/// The outcome of each advisory in a plan that was made with `--json`.
fn outcomes(plan: &Ran) -> Vec<(String, String)> {
    let changes = plan.json()["plan"]["effect"]["changes"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes.iter().map(|change| (text(&change["id"]), text(&change["outcome"]))).collect()
}

fn pair(id: &str, outcome: &str) -> (String, String) {
    (id.into(), outcome.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_manifests_to_the_recorder() {
    let (world, id) = depot(WEAK, MENDED, "[minimum_versions]\n\"DS-7104NI-Q1\" = \"V4.76.108\"\n").await;
    world.fetcher("releases --check").await.ends(0).says(&["14 advisories of 2026-11-22", "a policy"]);
    world.fetcher("status").await.ends(0).says(&["policy.toml stands in the manifests and is not signed"]);
    let approve = world.approve(&format!("{id} --advisories --policy")).await.ends(0);
    approve.says(&[
        "added       14 CVE-2014-4880",
        "DS-7104NI-Q1 V4.76.108  (signed now: none)",
        "1 release approved",
    ]);
    let status = world.fetcher("status --json").await.ends(0).json();
    assert_eq!((&status["policy"], &status["advisories"]), (&"signed".into(), &"signed".into()));
    world.approve("--advisories --policy").await.ends(0).says(&["approved already"]);

    world
        .fetcher("load --to stick --metadata-only")
        .await
        .ends(0)
        .says(&["0 releases carried", "policy.json"]);
    assert_eq!(documents(&world).map(|paths| paths.len()), [1, 1]);
    world.trust().await;
    world.applier("verify --stick stick").await.ends(0).says(&[
        "ok  policy     forbidden overrides: none; backup required: no; minimum versions: DS-7104NI-Q1 V4.76.108",
        "ok  advisories 14 as of 2026-11-22",
    ]);
    world
        .fetcher("load --to stick --all")
        .await
        .ends(0)
        .says(&["1 release carried, advisories.json, policy.json"]);

    let planned = plan(&world, "--json").await.ends(0);
    let expected = [pair("CVE-2021-36260", "cannot-be-judged"), pair("CVE-2025-66177", "closed")];
    assert!(expected.iter().all(|change| outcomes(&planned).contains(change)), "{:?}", outcomes(&planned));
    let [policy, advisories] = documents(&world).map(|paths| paths[0].clone());
    let signed = |name: &str, path: &str| path.contains(planned.json()["plan"][name].as_str().unwrap());
    assert!(signed("policy", &policy) && signed("advisories", &advisories));
    let words = [
        "CVE-2025-66177 closed: Stack overflow",
        "CVE-2021-36260 cannot be judged",
        "no other match in this table (2026-11-22)",
    ];
    plan(&world, "").await.ends(0).says(&words);

    // another policy is another plan, and the one before goes from the stick
    let digest = planned.json()["digest"].as_str().unwrap().to_owned();
    write(&world.path("manifests/policy.toml"), b"audit_baseline = \"segmented\"\n");
    world.fetcher("status").await.ends(0).says(&["policy.toml has changed since it was signed"]);
    world
        .approve("--policy")
        .await
        .ends(0)
        .says(&["audit baseline       segmented  (signed now: air-gapped)"]);
    world.fetcher("load --to stick --all").await.ends(0);
    let [now, same] = documents(&world);
    assert!(now.len() == 1 && now[0] != policy && same == [advisories]);
    let apply =
        world.apply(&format!("--plan {digest}")).await.fails(4, "plan changed", &["something has changed"]);
    assert_eq!(apply.pushes, 0);
    assert_eq!(world.apply("").await.ends(0).pushes, 1);
    world.enrol_laptop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_stripped_from_the_stick() {
    let world = loaded(WEAK, MENDED, "backup_required = true\n").await;
    for path in documents(&world).concat() {
        let on_stick = world.path("stick").join(&path);
        let signed = read(&on_stick).unwrap();
        remove_file(&on_stick).unwrap();
        let words = ["is signed and not on the stick", "load the stick again"];
        world.applier("verify --stick stick").await.fails(5, "policy stripped from the stick", &words);
        plan(&world, "").await.ends(5);
        assert_eq!(world.apply("").await.ends(5).pushes, 0);

        let looser = String::from_utf8(signed.clone()).unwrap().replace("true", "null");
        for bytes in [looser.into_bytes(), b"{\"format\":1}".to_vec(), [&signed[..], b"\n"].concat()] {
            let changed = bytes != signed;
            write(&on_stick, &bytes);
            let verify = world.applier("verify --stick stick").await;
            if changed {
                verify.fails(5, "policy exchanged on the stick", &["is not the one that was signed"]);
                assert_eq!(world.apply("").await.ends(5).pushes, 0);
            }
        }
        write(&on_stick, &signed);
    }
    assert_eq!(world.recorder.state().counters.connections, 0, "nothing was asked of the recorder");
    world.apply("").await.fails(
        4,
        "policy requires a backup",
        &["requires a backup", "this version takes none"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn override_forbidden_by_policy() {
    let strict = "forbidden_overrides = [\"allow-downgrade\"]\n";
    let world = loaded("V4.80.000:260101", MENDED, strict).await;
    let refused = world.apply("--allow-downgrade cameras-lost").await;
    let refused = refused.fails(
        4,
        "override forbidden by policy",
        &["policy.json forbids --allow-downgrade", "fetcher approve --policy"],
    );
    assert_eq!(refused.pushes, 0);
    let json = plan(&world, "--allow-downgrade cameras-lost --json").await.ends(4).json();
    let codes: Vec<&str> =
        json["refusals"].as_array().unwrap().iter().map(|r| r["refusal"].as_str().unwrap()).collect();
    assert_eq!(codes, ["policy-forbids", "older"]);
    // only the depot can allow it
    write(&world.path("manifests/policy.toml"), b"");
    world.approve("--policy").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    assert_eq!(world.apply("--allow-downgrade cameras-lost").await.ends(0).pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_below_the_minimum_of_the_policy() {
    let world =
        loaded(WEAK, "V4.76.100:250806", "[minimum_versions]\n\"ds-7104ni-q1\" = \"V4.76.108\"\n").await;
    let apply = world.apply("").await;
    let words = ["allows nothing below V4.76.108 on DS-7104NI-Q1", "later release"];
    assert_eq!(apply.fails(4, "version below the minimum of the policy", &words).pushes, 0);
    // without a minimum it is planned, and what it leaves open is said
    write(&world.path("manifests/policy.toml"), b"");
    world.approve("--policy").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    plan(&world, "").await.ends(0).says(&["CVE-2025-66177 still open"]);
    assert!(outcomes(&plan(&world, "--json").await).contains(&pair("CVE-2025-66177", "still-open")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_signed_is_said_in_words() {
    let world = World::loaded().await;
    let words = ["policy     none is signed, so the defaults hold", "advisories none are signed"];
    world.applier("verify --stick stick").await.ends(0).says(&words);
    plan(&world, "").await.ends(0).says(&["no policy is signed", "no advisories are signed"]);
    let approve = world.approve("--policy").await;
    approve.fails(2, "no policy in the manifests", &["there is no policy.toml", "README.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_with_faults_are_not_signed() {
    let (world, _) = depot(WEAK, MENDED, "").await;
    write(&world.path("manifests/policy.toml"), b"backup_required = true\nforbid = []\n");
    let advisories = world.path("manifests/advisories.toml");
    let text = read_to_string(&advisories).unwrap();
    write(&advisories, text.replace("'^DS\\-96[0-9]{3}NI\\-H[0-9]+'", "'^DS(96'").as_bytes());
    let check = world.fetcher("releases --check").await;
    let check =
        check.fails(5, "faults of advisories and policy", &["policy.toml:2: key \"forbid\" is unknown"]);
    check.says(&[
        "advisories.toml:26: models: pattern \"^DS(96\" is not a regular expression: unclosed group",
    ]);
    world.approve("--policy").await.ends(5);
}
