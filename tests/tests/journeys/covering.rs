//! Whether a stick covers a model, before anybody drives there: what `applier verify --model` prints.

use crate::world::{MODEL, RELEASE, World, files};
use journeys::ran::Ran;

const STEP: &str = "nvr-synthetic-4.50.000-220101";

/// What it says of the model, and how it ends, in words and in one document.
async fn verify(world: &World, model: &str, code: i32) -> (Ran, serde_json::Value) {
    let told = world.applier(&format!("verify --stick stick --model {model}")).await.ends(code);
    let json = world.applier(&format!("verify --stick stick --model {model} --json")).await.ends(code).json();
    assert_eq!(json["coverage"]["covered"], code == 0);
    (told, json)
}

/// The lines behind those of the files.
fn of_the_model(ran: &Ran) -> Vec<&str> {
    ran.out.lines().skip_while(|line| !line.starts_with("gets ")).collect()
}

/// A release that needs [`STEP`] first is approved.
async fn with_a_step() -> World {
    let world = World::new().await;
    world.init().await;
    world.release("V4.50.000:220101", &[MODEL]);
    let release = world.release("V4.61.025:230421", &[MODEL]);
    assert_eq!(release, RELEASE);
    let manifest = world.path("manifests/nvr/synthetic.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let id = format!("id = \"{RELEASE}\"\n");
    crate::world::write(&manifest, text.replace(&id, &format!("{id}via = [\"{STEP}\"]\n")).as_bytes());
    for id in [STEP, RELEASE] {
        world.pin(id).await.ends(0);
        world.approve(id).await.ends(0);
    }
    world.fetcher("load --to stick --all").await.ends(0);
    world.trust().await;
    world
}

fn take_off(world: &World, id: &str) {
    let stick = world.path("stick");
    let (name, _) = files(&stick).into_iter().find(|(name, _)| name.contains(&format!("/{id}/"))).unwrap();
    std::fs::remove_file(stick.join(name)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_covered_from_every_version() {
    let world = with_a_step().await;
    let (told, json) = verify(&world, MODEL, 0).await;
    assert_eq!(
        of_the_model(&told),
        [
            &format!("gets {RELEASE}"),
            &format!("  below V4.50.000: {STEP}, then {RELEASE}"),
            "  from V4.50.000, below V4.61.025 build 230421: directly",
            &format!("2 releases carried and whole, 0 approved but not carried; {MODEL} is covered"),
        ]
    );
    let ways = &json["coverage"]["chosen"][0]["ways"];
    assert_eq!((&ways[0]["steps"][0], &ways[1]["from"]), (&STEP.into(), &"V4.50.000".into()));
    assert!(json["coverage"]["ask"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_and_what_to_ask_of_the_depot() {
    let world = with_a_step().await;
    take_off(&world, STEP);
    let (told, json) = verify(&world, MODEL, 4).await;
    assert_eq!(
        of_the_model(&told),
        [
            &format!("gets {RELEASE}"),
            &format!("  below V4.50.000: NOT COVERED: {STEP}, then {RELEASE}; not carried: {STEP}"),
            "  from V4.50.000, below V4.61.025 build 230421: directly",
        ]
    );
    assert_eq!(json["coverage"]["ask"][0], format!("fetcher load --model {MODEL}"));
    let hint = format!("at the depot: fetcher load --model {MODEL}");
    let words = ["does not cover", "approved and not carried", STEP, &hint];
    told.fails(4, "model not covered by the stick", &words);
    take_off(&world, RELEASE);
    let (told, _) = verify(&world, MODEL, 4).await;
    told.says(&[STEP, RELEASE, &hint]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_nothing_lists_is_not_covered() {
    let world = with_a_step().await;
    let similar = format!("{MODEL}/8P");
    let (told, json) = verify(&world, &similar, 4).await;
    assert_eq!(json["coverage"]["near_misses"][0], MODEL);
    let ask = format!("fetcher releases --model {similar}, then fetcher load --model {similar}");
    let near = format!("and another model: {MODEL}");
    told.fails(4, "model unknown to the stick", &["no approved release lists it", &ask, &near]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_person_must_choose_it_is_said() {
    let world = World::loaded().await;
    let branch = world.release("V4.70.000:220101", &[MODEL]);
    world.approve_and_load(&branch).await;
    let (told, json) = verify(&world, MODEL, 0).await;
    assert_eq!(json["coverage"]["chosen"][1]["ambiguous"], true);
    for id in [RELEASE, &branch] {
        told.out.find(&format!("gets {id}, only with --release: several could be meant")).unwrap();
    }
}
