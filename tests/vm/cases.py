"""What is tried. A case is a function whose name starts with `case_`; its first line says what must hold."""

import sticks
from bench import AFTER, BEFORE, DONE, MEBIBYTES, STICK, USAGE, load, loading, mount, outcome, plug, unmount, verify
from depot import FIRST, MODEL, OLD
from guest import Failed, Guest, socket_cable


def case_a_stick_is_found_with_what_it_says_of_itself(bench):
    """Real enumeration: vendor, product, serial, node, partition, label, file system, size."""
    guest = bench.guest
    name = guest.plug(bench.empty(), "4C530001230718116433")
    guest.run("node 4C530001230718116433").ends(0)
    for program in ("fetcher --home /run", "applier --state /run/none"):
        (drive,) = guest.run(f"{program} --json sticks").ends(DONE).json()["drives"]
        (volume,) = drive["volumes"]
        expected = {"serial": "4C530001230718116433", "vendor": "QEMU", "node": "/dev/sda", "size": MEBIBYTES << 20}
        # udev's word for it
        expected["description"] = "QEMU_USB_HARDDRIVE"
        found = {key: drive.get(key) for key in expected}
        if found != expected or (volume["filesystem"], volume["label"], volume["node"]) != ("fat32", "GATE", "/dev/sda1"):
            raise Failed(f"{drive}")
    guest.pull(name)
    guest.run("applier --state /run/none sticks").ends(STICK).says("none is plugged in")


def case_without_udev_it_is_found_as_well(bench):
    """sysfs and mountinfo alone suffice."""
    with Guest(bench.work / "no-udev", bench.kernel, bench.initramfs, no_udev=True) as guest:
        guest.plug(bench.empty("exfat"), "NOUDEV")
        guest.run("node NOUDEV").ends(0)
        mount(guest, "NOUDEV")
        (drive,) = guest.run("applier --state /run/none --json sticks").ends(DONE).json()["drives"]
        volume = drive["volumes"][0]
        found = (drive["serial"], drive.get("description"), volume["filesystem"], volume["mount"]["folder"])
        if found != ("NOUDEV", None, "exfat", "/mnt"):
            raise Failed(f"{drive}")
        unmount(guest)
        load(guest, "before", "NOUDEV").ends(DONE).says('"safe":true')


def event(ran, name):
    (line,) = [line for line in ran.lines_of_json() if line["event"] == name]
    return line


def loaded_twice(bench, filesystem):
    guest, image = bench.guest, bench.empty(filesystem)
    name = plug(guest, image, "FIRST")
    ran = load(guest, "before", "FIRST").ends(DONE)
    # switched off: the machine has lost it
    if not (event(ran, "parted")["safe"] and event(ran, "parted")["powered_off"]):
        raise Failed(f"not ejected: {ran.end()}")
    guest.run("until [ -z \"$(ls /sys/block | grep sd)\" ]; do usleep 10000; done")
    guest.pull(name)
    written = event(ran, "loaded")
    name = plug(guest, image, "AGAIN")
    ran = load(guest, "before", "AGAIN").ends(DONE)
    wrote, _ = guest.transferred(name)
    guest.pull(name)
    again = event(ran, "loaded")
    if not written["written_bytes"] or again["written_bytes"]:
        raise Failed(f"written at first {written}, then {again}")
    # marks of the file system itself, when it is mounted
    if wrote > 64 << 10:
        raise Failed(f"a second load that changes nothing wrote {wrote} bytes")
    return f"read back by {event(ran, 'reading-back')['past']}"


def case_fat32_is_loaded_and_loaded_again(bench):
    """The second time nothing is written."""
    return loaded_twice(bench, "vfat")


def case_exfat_is_loaded_and_loaded_again(bench):
    """The second time nothing is written."""
    return loaded_twice(bench, "exfat")


def pulled(bench, filesystem, moments):
    """Pulled out at moments between the first byte written and the last one read back, and once right after
    the new timestamp was there; then looked at."""
    guest = bench.guest
    name = plug(guest, bench.loaded(filesystem), "WHOLE")
    begin = guest.transferred(name)
    # it stays switched on, so that it can be asked
    guest.run(f"{loading('after', 'WHOLE')} --no-eject").ends(DONE)
    end = guest.transferred(name)
    guest.pull(name)
    whole = [after - before for before, after in zip(begin, end)]
    seen = []
    for n in range(moments):
        image = bench.loaded(filesystem)
        name = plug(guest, image, f"CUT{n}")
        begin = guest.transferred(name)
        job = guest.start(f"{loading('after', f'CUT{n}')} --no-eject")
        if n + 1 == moments:
            guest.run(f"until grep -q current {job} || [ -s {job}.code ]; do usleep 10000; done")
        else:
            share, reached = (n + 0.5) / (moments - 1), 0
            while reached < share and guest.run(f"[ -s {job}.code ]").code != 0:
                now = guest.transferred(name)
                reached = sum((at - before) / all for at, before, all in zip(now, begin, whole)) / 2
        guest.pull(name)
        ran = guest.ended(job)
        if ran.code not in (DONE, STICK):
            raise Failed(f"moment {n + 1} of {moments}: ended with {ran.code}\n{ran.end()}")
        name = plug(guest, image, f"BACK{n}")
        found = outcome(guest, f"BACK{n}")
        if found != "new" and (ran.code == DONE or n + 1 == moments):
            raise Failed(f"its timestamp was written, and it is {found}\n{ran.end()}")
        # whatever it is, the depot mends it
        guest.run(f"{loading('after', f'BACK{n}')} --no-eject").ends(DONE)
        if outcome(guest, f"BACK{n}") != "new":
            raise Failed("loading it again does not mend it")
        guest.pull(name)
        seen.append(found)
    return ", ".join(f"{seen.count(kind)} {kind}" for kind in ("previous", "new", "rejected"))


def case_fat32_pulled_out_while_it_is_written(bench):
    """Each time it carries what it carried before, the new publication, or is rejected; the next load mends it."""
    return pulled(bench, "vfat", 20 if bench.is_full else 5)


def case_exfat_pulled_out_while_it_is_written(bench):
    """Each time it carries what it carried before, the new publication, or is rejected; the next load mends it."""
    return pulled(bench, "exfat", 20 if bench.is_full else 3)


def case_a_stick_that_was_never_unmounted_is_checked_before_it_is_loaded(bench):
    """What its file system takes for free is not: without a check, new files are laid over those that are there."""
    guest = bench.guest
    for filesystem, forget in (("vfat", False), ("exfat", True)):
        image = bench.loaded(filesystem)
        sticks.pull_early(image, filesystem, forget)
        name = plug(guest, image, "EARLY")
        guest.run("applier --state /run/none sticks").ends(DONE).says("pulled out before it was unmounted")
        guest.run("fetcher --home /after load --all --no-eject").ends(DONE).says("was checked and is in order now")
        if outcome(guest, "EARLY") != "new":
            raise Failed(f"{filesystem}: not whole")
        said = guest.run("fetcher --home /after load --all --no-eject").ends(DONE).said
        if "was checked" in said or "written again" in said:
            raise Failed(f"{filesystem}: something is still wrong\n{said}")
        guest.pull(name)
    # without the program that checks it is said, and nothing damaged is called whole
    image = bench.loaded("exfat")
    sticks.pull_early(image, "exfat", True)
    name = plug(guest, image, "UNCHECKED")
    guest.run("mv /bin/fsck.exfat /run/").ends(0)
    ran = guest.run("fetcher --home /after load --all --no-eject")
    guest.run("mv /run/fsck.exfat /bin/").ends(0)
    ran.ends(DONE, STICK).says("could not be checked", "to have it checked: sudo fsck.exfat -a /dev/sda1")
    if ran.code == DONE and outcome(guest, "UNCHECKED") != "new":
        raise Failed("called whole, and is not")
    guest.pull(name)
    unchecked = "loaded whole" if ran.code == DONE else "named as failing"
    name = plug(guest, image, "CHECKED")
    guest.run("fetcher --home /after load --all --no-eject").ends(DONE)
    if outcome(guest, "CHECKED") != "new":
        raise Failed("not mended")
    guest.pull(name)
    return f"unchecked: {unchecked}"


def case_udisks2_mounts_checks_unmounts_and_switches_off(bench):
    """Where it runs, it is asked, as on a desktop."""
    with Guest(bench.work / "udisks", bench.kernel, bench.initramfs) as guest:
        guest.run("mkdir -p /run/dbus /var/lib /etc/udisks2; ln -s /run /var/run").ends(0)
        guest.start("exec dbus-daemon --config-file=/etc/bus.conf --nofork --nopidfile")
        guest.run("until [ -S /run/dbus/system_bus_socket ]; do usleep 10000; done").ends(0)
        log = guest.start("exec udisksd")
        guest.run(f"until grep -q 'Acquired the name' {log}; do [ -s {log}.code ] && exit 1; usleep 10000; done").ends(0)
        image = bench.loaded()
        sticks.pull_early(image, "vfat")
        plug(guest, image, "DESKTOP")
        # udisks2 knows its checker by this name, our programs by the other
        guest.run("mv /bin/fsck.fat /bin/fsck.vfat").ends(0)
        ran = guest.run("fetcher --home /after load --all")
        said = guest.run(f"cat {log}")
        ran.ends(DONE).says("was checked and is in order now", "switched off, safe to remove")
        said.says("Mounted /dev/sda1 at ", "Unmounted /dev/sda1")


def case_a_write_protected_stick_is_said_to_be_one(bench):
    """Nothing is written, and it still verifies."""
    guest = bench.guest
    name = plug(guest, bench.loaded(), "LOCKED", read_only=True)
    load(guest, "after", "LOCKED").ends(STICK).says("is write-protected", "switch")
    if outcome(guest, "LOCKED") != "previous":
        raise Failed("it is another one")
    guest.pull(name)


def case_a_full_stick_is_refused_before_anything_is_written(bench):
    """By how much room is missing; it stays as it was."""
    guest = bench.guest
    name = plug(guest, bench.loaded(), "FULL")
    mount(guest, "FULL")
    guest.run("dd if=/dev/zero of=/mnt/holiday.avi bs=1M 2>/dev/null; sync").ends(0)
    unmount(guest)
    load(guest, "after", "FULL").ends(STICK).says("it is full")
    if outcome(guest, "FULL") != "previous":
        raise Failed("it is another one")
    mount(guest, "FULL", "ro")
    guest.run("[ -s /mnt/holiday.avi ]").ends(0)
    unmount(guest)
    guest.pull(name)


def case_a_stick_that_fails_is_named(bench):
    """A sector that takes no bytes."""
    guest = bench.guest
    # within the files of the new publication: behind those of the older one
    image = bench.loaded()
    name = plug(guest, image, "FAILING", bad_sector=sticks.FIRST_SECTOR + (7 << 20) // 512)
    load(guest, "after", "FAILING").ends(STICK)
    guest.pull(name)
    name = plug(guest, image, "AGAIN")
    if outcome(guest, "AGAIN") not in ("previous", "rejected"):
        raise Failed("a failing stick was taken for a good one")
    guest.pull(name)


def case_two_sticks_at_once(bench):
    """One of them slow; each is loaded whole."""
    guest = bench.guest
    names = [plug(guest, bench.empty(), "LEFT"), plug(guest, bench.empty("exfat"), "RIGHT", bytes_per_second=2 << 20)]
    # neither is meant by itself, and neither is touched
    guest.run("fetcher --home /before load --all").ends(USAGE).says("--stick LEFT or --stick RIGHT")
    jobs = [guest.start(f"fetcher --home /{home} load --stick {serial} --all --no-eject")
            for home, serial in (("before", "LEFT"), ("after", "RIGHT"))]
    for job in jobs:
        guest.ended(job).ends(DONE).says("read back and verified", "safe to remove")
    guest.run("applier --state /laptop verify").ends(USAGE).says("signed at 20", "--stick LEFT or --stick RIGHT")
    for serial, version in (("LEFT", BEFORE), ("RIGHT", AFTER)):
        found = verify(guest, serial).ends(DONE).json()["publication"]["timestamp"]
        if found != version:
            raise Failed(f"{serial}: {found}, not {version}")
    for name in names:
        guest.pull(name)


def case_a_stick_that_somebody_mounted_is_left_or_ejected(bench):
    """It is used where it is; it is called safe only once nothing of it is mounted, and never while it is in use."""
    guest = bench.guest
    name = plug(guest, bench.loaded(), "MOUNTED")
    mount(guest, "MOUNTED")
    guest.run("fetcher --home /before load --all").ends(DONE).says("still mounted at /mnt")
    guest.run("grep -q ' /mnt ' /proc/mounts").ends(0)
    guest.start("cd /mnt && exec tail -f /dev/null")
    busy = guest.run("fetcher --home /before load --all --eject").ends(DONE)
    busy.says("NOT safe to remove", "in use by tail (process")
    guest.run("killall tail").ends(0)
    guest.run("fetcher --home /before load --to /mnt --all --eject").ends(DONE).says("switched off, safe to remove")
    guest.run("grep ' /mnt ' /proc/mounts").ends(1)
    guest.pull(name)


def case_plugging_and_pulling_is_seen(bench):
    """As the kernel tells it; one that comes back at once is seen to."""
    guest = bench.guest
    job = guest.start("exec applier --state /run/none --json sticks --watch")
    guest.run(f"until grep -q drives {job}; do usleep 10000; done").ends(0)
    image = bench.empty()
    for n in (1, 2):
        name = guest.plug(image, "HOT")
        guest.run(f"until [ $(grep -c '\"plugged\"' {job}) = {n} ]; do usleep 10000; done").ends(0)
        guest.pull(name)
        guest.run(f"until [ $(grep -c '\"unplugged\"' {job}) = {n} ]; do usleep 10000; done").ends(0)
    guest.run("killall applier").ends(0)
    told = guest.ended(job).lines_of_json()[1:]
    said = [(line["event"], line["drive"]["serial"], len(line["drive"]["volumes"])) for line in told]
    if said != [("plugged", "HOT", 1), ("unplugged", "HOT", 1)] * 2:
        raise Failed(f"{said}")


def case_depot_laptop_and_recorder_are_three_machines(bench):
    """One stick is carried from the depot to the laptop, which updates the recorder at the other end of its
    cable, and back: the statement arrives."""
    cable = bench.work / "cable"
    image = bench.empty()
    depot = bench.guest
    name = plug(depot, image, "CARRIED")
    load(depot, "after", "CARRIED").ends(DONE)
    depot.pull(name)
    with (
        Guest(bench.work / "recorder", bench.kernel, bench.initramfs, cable=socket_cable(cable, True)) as recorder,
        Guest(bench.work / "laptop", bench.kernel, bench.initramfs, disk=bench.disk(),
              cable=socket_cable(cable, False)) as laptop,
    ):
        version, build = OLD
        recorder.run("ip addr add 192.168.1.64/24 dev eth0; ip link set eth0 up").ends(0)
        recorder.start(f"nvr-sim --listen 192.168.1.64:80 --model {MODEL} --version {version} --build {build} --password-file /password")
        laptop.run("ip addr add 192.168.1.10/24 dev eth0; ip link set eth0 up").ends(0)
        plug(laptop, image, "CARRIED")
        laptop.run("mkdir /run/disk && mount -t ext4 /dev/vda /run/disk").ends(0)
        apply = "applier --state /run/disk/laptop apply 192.168.1.64 --password-file /password --yes --allow-battery none"
        laptop.run("n=0; until wget -q -O /dev/null http://192.168.1.64/ || [ $n -gt 50 ]; do n=$((n+1)); usleep 200000; done")
        applied = laptop.run(f"{apply} --no-eject", 300).ends(DONE)
        applied.says("confirmed", "safe to remove; all statements of this laptop are on it")
        applied = laptop.run(apply, 300).ends(DONE)
        applied.says("already current", "switched off, safe to remove; all statements of this laptop are on it")
    name = plug(depot, image, "HOME")
    depot.run("fetcher --home /after collect").ends(DONE)
    fleet = depot.run("fetcher --home /after --manifests /catalogue fleet").ends(DONE)
    fleet.says("V4.61.025")
    depot.pull(name)
