"""What is tried. A case is a function whose name starts with `case_`; its first line says what must hold."""

import shutil
import subprocess

import sticks
from depot import FIRST, MODEL, OLD, SECOND
from guest import Failed, Guest, socket_cable

MEBIBYTES = 64
# exit codes of the programs (docs/commands.md)
DONE, REJECTED, STICK = 0, 5, 12
# of the publications that the depot makes
BEFORE, AFTER = 2, 3


class Bench:
    """What every case has: a machine without cables, and sticks as the depot once loaded them."""

    def __init__(self, work, kernel, initramfs, is_full):
        self.work, self.kernel, self.initramfs, self.is_full = work, kernel, initramfs, is_full
        self._guest, self._loaded, self.count = None, {}, 0

    @property
    def guest(self):
        if self._guest is None:
            self._guest = Guest(self.work / "guest", self.kernel, self.initramfs)
        return self._guest

    def close(self):
        if self._guest is not None:
            self._guest.close()
            self._guest = None

    def empty(self, filesystem="vfat", mebibytes=MEBIBYTES):
        self.count += 1
        return sticks.make(self.work / f"stick{self.count}.img", mebibytes, filesystem, "GATE")

    def disk(self):
        """The disk of a laptop: its state lasts."""
        image, content = self.work / "disk.img", self.work / "disk"
        shutil.rmtree(content, ignore_errors=True)
        shutil.copytree(self.work / "depot/laptop", content / "laptop")
        image.unlink(missing_ok=True)
        subprocess.run(["mkfs.ext4", "-q", "-d", str(content), str(image), "64M"], check=True, capture_output=True)
        return image

    def loaded(self, filesystem="vfat"):
        """A stick with the older publication: made once, copied for each case."""
        if filesystem not in self._loaded:
            image = self.empty(filesystem)
            name = self.guest.plug(image, "LOADED")
            mount(self.guest, "LOADED")
            load(self.guest, "before").ends(DONE)
            unmount(self.guest)
            self.guest.pull(name)
            self._loaded[filesystem] = image
        self.count += 1
        return sticks.copy(self._loaded[filesystem], self.work / f"stick{self.count}.img")


def mount(guest, serial, options="rw", at="/mnt"):
    """By hand, as on a machine without a desktop."""
    guest.run(
        f"mkdir -p {at}; n=$(node {serial}) || exit 1; "
        f"mount -t vfat -o {options} $n {at} 2>/dev/null || mount -t exfat -o {options} $n {at}").ends(0)


def unmount(guest, at="/mnt"):
    guest.run(f"umount {at}").ends(0)


def load(guest, depot, at="/mnt"):
    return guest.run(f"fetcher --home /{depot} --json load --to {at} --all")


def verify(guest, at="/mnt"):
    """As a laptop that has seen nothing but the root; what an earlier case saw is forgotten."""
    guest.run("rm -rf /run/laptop; cp -r /laptop /run/laptop").ends(0)
    return guest.run(f"applier --state /run/laptop --stick {at} --json verify")


def outcome(guest):
    """What is on the stick now: the timestamp that is verified, or `rejected`."""
    ran = verify(guest)
    if ran.code in (REJECTED, STICK):
        return "rejected"
    found = ran.ends(DONE).json()
    carried = {entry["release"]["id"]: entry["carried"] for entry in found["releases"]}
    if carried.get(FIRST) != "whole":
        raise Failed(f"what was carried before is lost: {carried}")
    version = found["publication"]["timestamp"]
    if version == AFTER and carried.get(SECOND) != "whole":
        raise Failed(f"the new publication is there without its files: {carried}")
    return {BEFORE: "previous", AFTER: "new"}[version]


def case_a_stick_is_found_with_what_it_says_of_itself(bench):
    """Real enumeration: vendor, product, serial, node, partition, label, file system, size."""
    guest = bench.guest
    name = guest.plug(bench.empty(), "4C530001230718116433")
    guest.run("node 4C530001230718116433").ends(0)
    for program in ("fetcher --home /run", "applier --state /run/none"):
        (drive,) = guest.run(f"{program} --json sticks").ends(DONE).json()["drives"]
        (volume,) = drive["volumes"]
        expected = {"serial": "4C530001230718116433", "vendor": "QEMU", "node": "/dev/sda", "size": MEBIBYTES << 20}
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
        if (drive["serial"], volume["filesystem"], volume["mount"]["folder"]) != ("NOUDEV", "exfat", "/mnt"):
            raise Failed(f"{drive}")


def loaded_twice(bench, filesystem):
    guest = bench.guest
    name = guest.plug(bench.empty(filesystem), "FIRST")
    mount(guest, "FIRST")
    written = load(guest, "before").ends(DONE).lines_of_json()[-1]
    unmount(guest)
    before, _ = guest.transferred(name)
    mount(guest, "FIRST")
    again = load(guest, "before").ends(DONE).lines_of_json()
    unmount(guest)
    after, _ = guest.transferred(name)
    guest.pull(name)
    if not written["written_bytes"] or again[-1]["written_bytes"]:
        raise Failed(f"written at first {written}, then {again[-1]}")
    # marks of the file system itself, when it is mounted
    if after - before > 64 << 10:
        raise Failed(f"a second load that changes nothing wrote {after - before} bytes")
    (how,) = {line["past"] for line in again if line["event"] == "reading-back"}
    return f"read back by {how}"


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
    name = guest.plug(bench.loaded(filesystem), "WHOLE")
    mount(guest, "WHOLE")
    begin = guest.transferred(name)
    load(guest, "after").ends(DONE)
    end = guest.transferred(name)
    unmount(guest)
    guest.pull(name)
    whole = [after - before for before, after in zip(begin, end)]
    seen = []
    for n in range(moments):
        image = bench.loaded(filesystem)
        name = guest.plug(image, f"CUT{n}")
        mount(guest, f"CUT{n}")
        begin = guest.transferred(name)
        job = guest.start("fetcher --home /after --json load --to /mnt --all")
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
        guest.run("umount -l /mnt").ends(0)
        name = guest.plug(image, f"BACK{n}")
        mount(guest, f"BACK{n}")
        found = outcome(guest)
        if found != "new" and (ran.code == DONE or n + 1 == moments):
            raise Failed(f"its timestamp was written, and it is {found}\n{ran.end()}")
        # whatever it is, the depot mends it
        load(guest, "after").ends(DONE)
        if outcome(guest) != "new":
            raise Failed("loading it again does not mend it")
        unmount(guest)
        guest.pull(name)
        seen.append(found)
    return ", ".join(f"{seen.count(kind)} {kind}" for kind in ("previous", "new", "rejected"))


def case_fat32_pulled_out_while_it_is_written(bench):
    """Each time it carries what it carried before, the new publication, or is rejected; the next load mends it."""
    return pulled(bench, "vfat", 20 if bench.is_full else 5)


def case_exfat_pulled_out_while_it_is_written(bench):
    """Each time it carries what it carried before, the new publication, or is rejected; the next load mends it."""
    return pulled(bench, "exfat", 20 if bench.is_full else 3)


def case_a_write_protected_stick_is_said_to_be_one(bench):
    """Nothing is written, and it still verifies."""
    guest = bench.guest
    name = guest.plug(bench.loaded(), "LOCKED", read_only=True)
    mount(guest, "LOCKED", "ro")
    load(guest, "after").ends(STICK).says("write-protected; move the switch")
    if outcome(guest) != "previous":
        raise Failed("it is another one")
    unmount(guest)
    guest.pull(name)


def case_a_full_stick_is_refused_before_anything_is_written(bench):
    """By how much room is missing; it stays as it was."""
    guest = bench.guest
    name = guest.plug(bench.loaded(), "FULL")
    mount(guest, "FULL")
    guest.run("dd if=/dev/zero of=/mnt/holiday.avi bs=1M 2>/dev/null; sync").ends(0)
    load(guest, "after").ends(STICK).says("it is full")
    if outcome(guest) != "previous":
        raise Failed("it is another one")
    guest.run("[ -s /mnt/holiday.avi ]").ends(0)
    unmount(guest)
    guest.pull(name)


def case_a_stick_that_fails_is_named(bench):
    """A sector that takes no bytes."""
    guest = bench.guest
    # within the files of the new publication: behind those of the older one
    image = bench.loaded()
    name = guest.plug(image, "FAILING", bad_sector=sticks.FIRST_SECTOR + (7 << 20) // 512)
    mount(guest, "FAILING")
    load(guest, "after").ends(STICK)
    guest.run("umount -l /mnt").ends(0)
    guest.pull(name)
    name = guest.plug(image, "AGAIN")
    mount(guest, "AGAIN")
    if outcome(guest) not in ("previous", "rejected"):
        raise Failed("a failing stick was taken for a good one")
    unmount(guest)
    guest.pull(name)


def case_two_sticks_at_once(bench):
    """One of them slow; each is loaded whole."""
    guest = bench.guest
    names = [guest.plug(bench.empty(), "LEFT"), guest.plug(bench.empty("exfat"), "RIGHT", bytes_per_second=2 << 20)]
    mount(guest, "LEFT", at="/run/left")
    mount(guest, "RIGHT", at="/run/right")
    jobs = [guest.start(f"fetcher --home /{home} load --to /run/{at} --all")
            for home, at in (("before", "left"), ("after", "right"))]
    for job in jobs:
        guest.ended(job).ends(DONE).says("read back and verified")
    for at, version in (("left", BEFORE), ("right", AFTER)):
        found = verify(guest, f"/run/{at}").ends(DONE).json()["publication"]["timestamp"]
        if found != version:
            raise Failed(f"{at}: {found}, not {version}")
        unmount(guest, f"/run/{at}")
    for name in names:
        guest.pull(name)


def case_depot_laptop_and_recorder_are_three_machines(bench):
    """One stick is carried from the depot to the laptop, which updates the recorder at the other end of its
    cable, and back: the statement arrives."""
    cable = bench.work / "cable"
    image = bench.empty()
    depot = bench.guest
    name = depot.plug(image, "CARRIED")
    mount(depot, "CARRIED")
    load(depot, "after").ends(DONE)
    unmount(depot)
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
        laptop.plug(image, "CARRIED")
        mount(laptop, "CARRIED")
        laptop.run("mkdir /run/disk && mount -t ext4 /dev/vda /run/disk").ends(0)
        apply = "applier --state /run/disk/laptop --stick /mnt apply 192.168.1.64 --password-file /password --yes --allow-battery none"
        laptop.run("n=0; until wget -q -O /dev/null http://192.168.1.64/ || [ $n -gt 50 ]; do n=$((n+1)); usleep 200000; done")
        laptop.run(apply, 300).ends(DONE).says("confirmed")
        laptop.run(apply, 300).ends(DONE).says("already current")
        unmount(laptop)
    name = depot.plug(image, "HOME")
    mount(depot, "HOME")
    depot.run("fetcher --home /after collect --from /mnt").ends(DONE)
    fleet = depot.run("fetcher --home /after --manifests /catalogue fleet").ends(DONE)
    fleet.says("V4.61.025")
    unmount(depot)
    depot.pull(name)
