"""What every case has, and what cases do with a stick."""

import shutil
import subprocess

import sticks
from depot import FIRST, SECOND
from guest import Failed, Guest

MEBIBYTES = 64
# exit codes of the programs (docs/commands.md)
DONE, USAGE, REJECTED, STICK = 0, 2, 5, 12
# of the publications that the depot makes
BEFORE, AFTER = 2, 3


class Bench:
    """What every case has: a machine without cables, and sticks as the depot once loaded them."""

    def __init__(self, work, laptop, kernel, initramfs, is_full):
        self.work, self.laptop = work, laptop
        self.kernel, self.initramfs, self.is_full = kernel, initramfs, is_full
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
        shutil.copytree(self.laptop, content / "laptop")
        image.unlink(missing_ok=True)
        subprocess.run(["mkfs.ext4", "-q", "-d", str(content), str(image), "64M"], check=True, capture_output=True)
        return image

    def loaded(self, filesystem="vfat"):
        """A stick with the older publication: made once, copied for each case."""
        if filesystem not in self._loaded:
            image = self.empty(filesystem)
            name = plug(self.guest, image, "LOADED")
            load(self.guest, "before", "LOADED").ends(DONE).says('"safe":true')
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


def plug(guest, image, serial, **how):
    """Plugs a stick in and waits until it is there; nobody mounts it."""
    name = guest.plug(image, serial, **how)
    guest.run(f"node {serial}").ends(0)
    return name


def load(guest, depot, serial):
    """The program mounts it and ejects it."""
    return guest.run(loading(depot, serial))


def loading(depot, serial):
    return f"fetcher --home /{depot} --json load --stick {serial} --all"


def verify(guest, serial):
    """As a laptop that has seen nothing but the root; what an earlier case saw is forgotten."""
    guest.run("rm -rf /run/laptop; cp -r /laptop /run/laptop").ends(0)
    return guest.run(f"applier --state /run/laptop --stick {serial} --json verify")


def outcome(guest, serial):
    """What is on the stick now: the timestamp that is verified, or `rejected`."""
    ran = verify(guest, serial)
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
