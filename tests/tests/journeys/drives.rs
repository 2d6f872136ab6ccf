//! Sticks that are plugged in, as the programs find them: a tree like the kernel's lies over `/sys`, in a mount
//! namespace of its own. The same on real USB, with real plugging and pulling, is `scripts/vm-test`.

use std::fs::{create_dir_all, read_to_string};
use std::os::unix::fs::symlink;
use std::process::Command;

use journeys::ran::Ran;

use crate::bus::Bus;
use crate::world::{World, files, mounting, write};

/// A stick of this node and serial number: what the kernel would show of it.
fn plug(world: &World, node: &str, serial: &str) {
    let usb = format!("sys/devices/usb1/1-{serial}");
    let disk = format!("{usb}/1-{serial}:1.0/host2/block/{node}");
    for (name, text) in [
        ("idVendor", "0781"),
        ("idProduct", "5567"),
        ("manufacturer", "SanDisk"),
        ("product", "Cruzer Blade"),
        ("serial", serial),
        ("remove", ""),
    ] {
        show(world, &format!("{usb}/{name}"), text);
    }
    for (name, text) in [("size", "65536"), ("ro", "0"), ("dev", "240:7"), ("device/delete", "")] {
        show(world, &format!("{disk}/{name}"), text);
    }
    create_dir_all(world.path("sys/block")).unwrap();
    symlink(format!("../{}", disk.strip_prefix("sys/").unwrap()), world.path(&format!("sys/block/{node}")))
        .unwrap();
    create_dir_all(world.path("mnt").join(serial)).unwrap();
}

fn show(world: &World, path: &str, text: &str) {
    let path = world.path(path);
    create_dir_all(path.parent().unwrap()).unwrap();
    write(&path, text.as_bytes());
}

/// As `plug`, and somebody has mounted it at `mnt/SERIAL`: what to type for that.
pub(crate) fn plug_mounted(world: &World, node: &str, serial: &str) -> String {
    plug(world, node, serial);
    format!("mount -t tmpfs /dev/{node} mnt/{serial}")
}

/// Runs a program where these sticks are plugged in, after `before`; and then `after`.
pub(crate) async fn run(world: &World, before: &[&str], name: &str, args: &str, after: &str) -> Ran {
    let script = format!("\"$0\" \"$@\"; code=$?; {after}; exit $code");
    let under = among_sticks(before, &script);
    world.run(&under.iter().map(String::as_str).collect::<Vec<_>>(), name, args).await
}

/// Under what a program finds these sticks plugged in: `script` is run after `before`, and runs it.
pub(crate) fn among_sticks(before: &[&str], script: &str) -> Vec<String> {
    let before =
        before.iter().fold("mount --bind sys /sys".to_owned(), |all, more| format!("{all} && {more}"));
    let mut under = mounting("true");
    let place = under.iter().position(|word| word == "-c").unwrap() + 1;
    under[place] = format!("{before} && {{ {script}; }}; exit 99");
    under
}

/// What is mounted below `mnt`, into a file.
const LOOK: &str = "{ grep -o ' /[^ ]*/mnt/[^ ]* ' /proc/self/mountinfo || true; } >mounted";

fn mounted(world: &World) -> String {
    read_to_string(world.path("mounted")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_that_somebody_mounted_is_used_and_left() {
    let world = World::loaded().await;
    let mount = plug_mounted(&world, "sdy", "A1");
    let loaded = run(&world, &[&mount], "fetcher", "load --all", LOOK).await.ends(0);
    let left = loaded.says(&["SanDisk Cruzer Blade, serial A1", "read back and verified", "good until"]);
    left.says(&["still mounted at mnt/A1: unmount it before you pull it out"]);
    assert!(mounted(&world).contains("mnt/A1"));
    // a person who agrees beforehand
    let loaded = run(&world, &[&mount], "fetcher", "load --all --eject", LOOK).await.ends(0);
    loaded.says(&["switched off, safe to remove; good until"]);
    assert_eq!(mounted(&world), "");
    let usb = world.path("sys/devices/usb1/1-A1");
    let delete = read_to_string(usb.join("1-A1:1.0/host2/block/sdy/device/delete")).unwrap();
    assert_eq!((delete.as_str(), read_to_string(usb.join("remove")).unwrap().as_str()), ("1", "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_in_use_is_not_called_safe() {
    let world = World::loaded().await;
    let mount = plug_mounted(&world, "sdy", "A1");
    let busy = "{ tail -f /dev/null <mnt/A1 & } && pid=$!";
    let after = format!("{LOOK}; kill $pid");
    let load = run(&world, &[&mount, busy], "fetcher", "load --all --eject", &after).await.ends(0);
    let load = load.says(&["NOT safe to remove", "mnt/A1: in use by tail (process ", "umount "]);
    assert!(!load.out.contains(", safe") && mounted(&world).contains("mnt/A1"), "{}", load.out);
    let json = run(&world, &[&mount, busy], "fetcher", "--json load --all --eject", &after).await.ends(0);
    let parted: serde_json::Value = serde_json::from_str(json.out.lines().last().unwrap()).unwrap();
    assert_eq!((&parted["event"], &parted["safe"]), (&"parted".into(), &false.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_volume_of_it_that_is_mounted_keeps_a_stick_from_being_safe() {
    let world = World::loaded().await;
    let mount = plug_mounted(&world, "sdy", "A1");
    create_dir_all(world.path("mnt/again")).unwrap();
    let again = "mount -t tmpfs /dev/sdy mnt/again";
    let busy = "{ tail -f /dev/null <mnt/again & } && pid=$!";
    let load =
        run(&world, &[&mount, again, busy], "fetcher", "load --stick A1 --all --eject", "kill $pid").await;
    load.ends(0).says(&["NOT safe to remove", "in use by tail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_that_cannot_be_mounted_says_what_to_type() {
    let world = World::loaded().await;
    plug(&world, "sdy", "A1");
    let load = run(&world, &[], "fetcher", "load --all", "true").await;
    let words =
        ["/dev/sdy: cannot be mounted", "no udisks2 runs", "sudo mount -o nosuid,nodev,noexec /dev/sdy /mnt"];
    load.fails(12, "stick cannot be mounted at load", &words);
    let verify = run(&world, &[], "applier", "verify", "true").await;
    verify.fails(
        12,
        "stick cannot be mounted at verify",
        &["sudo mount -o ro,nosuid,nodev,noexec /dev/sdy /mnt"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_sticks_one_is_named() {
    let world = World::loaded().await;
    let a = plug_mounted(&world, "sdy", "A1");
    let b = plug_mounted(&world, "sdz", "B2");
    let copies = "cp -r stick/COURIER mnt/A1 && cp -r stick/COURIER mnt/B2";
    let both = [a.as_str(), b.as_str(), copies];
    let load = run(&world, &both, "fetcher", "load --all", "true").await;
    load.fails(2, "several sticks at load", &["serial A1", "serial B2", "give --stick A1 or --stick B2"]);
    let verify = run(&world, &both, "applier", "verify", "true").await;
    let words = ["says it was signed at 20", "serial A1", "serial B2", "give --stick A1 or --stick B2"];
    verify.fails(2, "several sticks with publications", &words);
    for named in ["B2", "/dev/sdz"] {
        run(&world, &both, "applier", &format!("verify --stick {named}"), "true").await.ends(0);
        let spoiled = [&both[..], &["rm -r mnt/A1/COURIER"]].concat();
        run(&world, &spoiled, "fetcher", &format!("load --stick {named} --all --no-eject"), "true")
            .await
            .ends(0);
    }
    run(&world, &both, "applier", "verify --stick C3", "true").await.fails(
        12,
        "stick of another serial",
        &["C3"],
    );
    let absent = run(&world, &both, "fetcher", "collect --stick C3", "true").await;
    absent.fails(12, "stick of another serial at collect", &["C3: not plugged in", "A1, B2"]);
    // only one of them carries a publication
    let one = [a.as_str(), b.as_str(), "cp -r stick/COURIER mnt/B2"];
    run(&world, &one, "applier", "--verbose verify", "true").await.ends(0).says(&["serial B2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_update_a_person_hears_of_the_statements_and_the_stick() {
    let world = World::loaded().await;
    let mount = plug_mounted(&world, "sdy", "A1");
    let apply = format!("apply {} --password-file password.txt --yes --eject", world.recorder.address());
    let copies = "cp -r stick/COURIER mnt/A1";
    let after = "true";
    let applied = run(&world, &[&mount, copies], "applier", &apply, after).await.ends(0);
    applied.says(&["safe to remove; all statements of this laptop are on it"]);
    // not a removable drive, and it can take nothing
    let read_only = "mount --bind stick stick && mount -o remount,bind,ro stick";
    let apply = format!("{apply} --stick stick");
    let applied = run(&world, &[read_only], "applier", &apply, after).await.ends(0);
    applied.says(&["statements of this laptop NOT on it: applier receipts --copy-to", "unmount it before"]);
}

/// A udisks2 that mounts at `mnt/A1`, and a stick that it knows.
fn udisks(world: &World, fails: &str) -> Bus {
    plug(world, "sdy", "A1");
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/udisks/udisks2.py");
    let parameters = format!("{{\"folder\": \"{}\", \"fails\": {fails}}}", world.path("mnt/A1").display());
    write(&world.path("parameters"), parameters.as_bytes());
    let log = world.path("asked");
    // a service file knows no quotes within quotes
    let start = format!(
        "exec /usr/bin/python3 -m dbusmock --system --template {template} --logfile {} --parameters \"$(cat {})\"",
        log.display(),
        world.path("parameters").display()
    );
    write(&world.path("start"), start.as_bytes());
    Bus::with(world, "", "org.freedesktop.UDisks2", &format!("/bin/sh {}", world.path("start").display()))
}

/// What udisks2 was asked to do, in order.
fn asked(world: &World) -> Vec<String> {
    let log = read_to_string(world.path("asked")).unwrap();
    let methods = ["Mount", "Unmount", "PowerOff"];
    log.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let method = words.next().filter(|word| methods.contains(word))?;
            let how = if line.contains("ro,") {
                " ro"
            } else if line.contains("rw,") {
                " rw"
            } else {
                ""
            };
            Some(format!("{method}{how}"))
        })
        .collect()
}

async fn run_beside(world: &World, bus: &Bus, name: &str, args: &str) -> Ran {
    let variable = format!("export DBUS_SYSTEM_BUS_ADDRESS={}", bus.address);
    run(world, &[&variable], name, args, "true").await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_udisks_runs_it_is_asked() {
    let world = World::loaded().await;
    let bus = udisks(&world, "{}");
    let load = run_beside(&world, &bus, "fetcher", "load --all").await.ends(0);
    load.says(&["ejected and switched off, safe to remove; good until"]);
    let again = ["Mount rw", "Unmount", "Mount rw", "Unmount", "PowerOff"];
    assert_eq!(asked(&world), again, "mounted anew, to be looked at once more");
    assert!(!files(&world.path("mnt/A1/COURIER/metadata")).is_empty());
    run_beside(&world, &bus, "applier", "verify").await.ends(0);
    assert_eq!(asked(&world)[5..], ["Mount ro", "Unmount"]);
    let apply = format!("apply {} --password-file password.txt --yes", world.recorder.address());
    let applied = run_beside(&world, &bus, "applier", &apply).await.ends(0);
    applied.says(&["switched off, safe to remove; all statements of this laptop are on it"]);
    let window = ["Unmount", "Mount rw", "Unmount", "Mount ro"];
    let expected = [&["Mount ro"], &window[..], &window[..], &["Unmount", "PowerOff"]].concat();
    assert_eq!(asked(&world)[7..], expected, "written in two short windows: push-started and push-ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_udisks_refuses_is_told() {
    let world = World::loaded().await;
    let bus = udisks(&world, r#"{"Mount": "NotAuthorized"}"#);
    let load = run_beside(&world, &bus, "fetcher", "load --all").await;
    load.fails(12, "stick that udisks2 does not mount", &["udisks2: no", "sudo mount"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_udisks_cannot_unmount_is_not_called_safe() {
    let world = World::loaded().await;
    let bus = udisks(&world, r#"{"Unmount": "DeviceBusy"}"#);
    let load = run_beside(&world, &bus, "fetcher", "load --all").await.ends(0);
    let load = load.says(&["NOT safe to remove", "in use by a program of another user", "fuser -vm"]);
    assert!(!load.out.contains(", safe") && !asked(&world).contains(&"PowerOff".into()), "{}", load.out);
}

/// A stick that the kernel can mount: a loop device with ext4, which every kernel has. `None` where this machine
/// lends none.
struct Loop(String);

impl Loop {
    fn attach(world: &World) -> Option<Self> {
        let image = world.path("image");
        std::fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
        assert!(Command::new("mkfs.ext4").arg("-q").arg(&image).status().unwrap().success());
        let attached = Command::new("losetup").args(["--find", "--show"]).arg(&image).output().unwrap();
        let node = String::from_utf8(attached.stdout).unwrap();
        attached.status.success().then(|| Self(node.trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        assert!(Command::new("losetup").args(["--detach", &self.0]).status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_mounts_it_for_itself_alone_and_ejects_it() {
    let world = World::loaded().await;
    let Some(device) = Loop::attach(&world) else {
        eprintln!("this machine lends no loop device; scripts/vm-test holds the same on real sticks");
        return;
    };
    plug(&world, device.0.strip_prefix("/dev/").unwrap(), "A1");
    let mounts = "grep loop /proc/self/mountinfo >mounted; true";
    let load = run(&world, &[], "fetcher", "load --stick A1 --all", mounts).await.ends(0);
    load.says(&["read back and verified", "switched off, safe to remove; good until"]);
    assert!(!mounted(&world).contains(&device.0), "it is mounted");
    run(&world, &[], "applier", "verify", "true").await.ends(0);
    let apply = format!("apply {} --password-file password.txt --yes", world.recorder.address());
    run(&world, &[], "applier", &apply, "true")
        .await
        .ends(0)
        .says(&["switched off, safe to remove; all statements of this laptop are on it"]);
    world.enrol_laptop().await;
    run(&world, &[], "fetcher", "collect", "true").await.ends(0).says(&["2 new statements"]);
    // mounted elsewhere: in a namespace that the program does not see
    let inside = "umount mnt/A1 && exec \"$0\" \"$@\"";
    let elsewhere = format!(
        "mount {} mnt/A1 && {{ unshare --mount sh -c '{inside}' \"$0\" \"$@\"; exit $?; }}",
        device.0
    );
    let load = run(&world, &[&elsewhere], "fetcher", "load --all --eject", "true").await.ends(0);
    load.says(&["NOT safe to remove", "still mounted by another program, session or container"]);
}
