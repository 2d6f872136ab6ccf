//! What ends early at the depot.

use std::fs::{File, read, read_to_string, remove_dir_all};

use journeys::download_server::Faults;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::world::{MODEL, RELEASE, World, write};

/// A depot with one release in its catalogue, which nobody has pinned.
async fn depot() -> World {
    let world = World::new().await;
    world.init().await;
    world.release("V4.61.025:230421", &[MODEL]);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn no_home() {
    let world = World::new().await;
    world.fetcher("status").await.fails(2, "no home", &["home", "fetcher init"]);
    assert!(!world.path("home").exists(), "looking for a home makes none");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passphrase() {
    let world = depot().await;
    world.pin(RELEASE).await.ends(0);
    write(&world.path("pass.txt"), b"wrong");
    world.approve(RELEASE).await.fails(2, "wrong passphrase", &["passphrase"]);
    let status = world.fetcher("status --json").await.ends(0);
    assert!(status.out.contains(RELEASE), "not approved yet: {}", status.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_release() {
    let world = depot().await;
    world.approve("nvr-synthetic-9.9.9-990101").await.fails(
        2,
        "unknown release",
        &["nvr-synthetic-9.9.9-990101"],
    );
    assert_eq!(world.source.counters().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unpinned_release_approved() {
    let world = depot().await;
    world.approve(RELEASE).await.fails(4, "unpinned release approved", &[RELEASE, "pin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogue_fault() {
    let world = depot().await;
    world.list("id = \"nvr-x\"\nfamily = \"nvr\"\nmodels = []\nversion = \"4\"\nbuild = \"230421\"\nsources = [\"x\"]\ncolour = 1");
    world.fetcher("releases --check").await.fails(
        5,
        "catalogue fault",
        &["nvr/synthetic.toml:", "colour", "version"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn source_unreachable() {
    let world = depot().await;
    // port 9, discard, which nobody listens on
    let manifest = world.path("manifests/nvr/synthetic.toml");
    let text = read_to_string(&manifest).unwrap();
    let address = world.source.address().to_string();
    write(&manifest, text.replace(&address, "127.0.0.1:9").as_bytes());
    let pin = world.pin(RELEASE).await;
    pin.fails(6, "source unreachable", &["127.0.0.1:9", "--file"]);
    assert!(!read_to_string(&manifest).unwrap().contains("release.pin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn web_page_instead_of_firmware() {
    let world = depot().await;
    world.source.set_faults(Faults { block_page: true, ..Faults::default() });
    let pin = world.pin(RELEASE).await;
    pin.fails(5, "web page instead of firmware", &["web page", "--file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_digest() {
    let world = depot().await;
    world.pin(RELEASE).await.ends(0);
    let manifest = read_to_string(world.path("manifests/nvr/synthetic.toml")).unwrap();
    let pinned = manifest.lines().find_map(|line| line.strip_prefix("sha256 = ")).unwrap().trim_matches('"');
    // the same address has another file now
    let other = world.release("V4.61.026:230422", &[MODEL]);
    let bytes = read(world.path(&format!("packages/{other}.zip"))).unwrap();
    write(&world.path(&format!("packages/{RELEASE}.zip")), &bytes);
    // as at another depot with the same catalogue
    remove_dir_all(world.path("home/depot").join(RELEASE)).unwrap();
    let sync = world.fetcher("sync --all").await;
    let sync = sync.fails(5, "wrong digest", &["quarantine", pinned]);
    let digests = sync.err.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64);
    assert!(
        digests.filter(|digest| *digest != pinned).count() > 0,
        "it names the digest that came too: {}",
        sync.err
    );
    assert!(read_to_string(world.path("manifests/nvr/synthetic.toml")).unwrap().contains(pinned));
}

/// A package with these names, each with the bytes of a firmware file.
async fn package(names: &[&str]) -> World {
    let world = depot().await;
    let mut zip = ZipWriter::new(File::create(world.path("brought.zip")).unwrap());
    for (seed, name) in (0..).zip(names) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        let revision = crate::world::revision("V4.61.025:230421");
        let package =
            nvr_sim::synthetic::Synthetic { size: 50_000, revision, language: 1, device_class: 1, seed };
        package.write_dav(&mut zip).unwrap();
    }
    zip.finish().unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn zip_without_firmware() {
    let world = package(&["readme.txt", "digicap.dav.exe"]).await;
    let pin = world.fetcher(&format!("pin {RELEASE} --file brought.zip --yes")).await;
    pin.fails(5, "zip without firmware", &["brought.zip"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_firmwares_in_a_zip() {
    let world = package(&["K51/digicap.dav", "K41/digicap.dav"]).await;
    let pin = world.fetcher(&format!("pin {RELEASE} --file brought.zip --yes")).await;
    pin.fails(2, "two firmwares in a zip", &["K51/digicap.dav", "K41/digicap.dav", "--member"]);
    let pin = format!("pin {RELEASE} --file brought.zip --member K41/digicap.dav --yes");
    world.fetcher(&pin).await.ends(0);
}
