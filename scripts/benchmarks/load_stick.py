"""The rows: load a stick with read-back, beside cp, sync, dropped cache and cmp; and load it again unchanged.

The stick is a folder of this machine's disk, so this measures what is done beside writing; a real stick is slower than
all of it. Each first load begins with an empty folder.
"""

import shutil

from measure import Contestant, by_turns, peak, read_all, row
from programs import PROGRAMS, World

TARGETS = 2
MEMORY = 32 << 20
# what a careful person would type: every byte on the disk, then every byte back from it
COPY = """
set -e
cp --recursive "$1" "$2"
sync --file-system "$2"
find "$2" -type f -exec dd if={} iflag=nocache count=0 status=none \\;
diff --recursive --brief "$1" "$2/source"
"""
# every byte of the firmware, past the cache, and its digest, as a second load has to
READ = """
set -e
find "$1" -name '*.dav' -exec sh -c 'dd if="$1" bs=256K iflag=direct status=none | openssl dgst -sha256' sh {} \\;
"""


class First(Contestant):
    """A command that fills an empty folder."""

    def __init__(self, name, command, folder):
        super().__init__(name, command)
        self.folder = folder

    def run(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        super().run()


def same_files(directory):
    """The stick as a folder to copy. Its firmware is the depot's own files by another name: whoever reads them, they
    lie in the same places of disk and memory, which makes more of a difference than what is measured here."""
    whole = directory / "source"
    shutil.copytree(directory / "stick/COURIER", whole)
    for path in whole.rglob("*.dav"):
        path.unlink()
        path.hardlink_to(directory / "depot/depot" / path.relative_to(whole / "targets"))
    return whole


def measure(directory, mib, rounds):
    world = World(directory)
    world.init()
    for number in range(TARGETS):
        release, _ = world.release(f"4.6{number}.000", f"23011{number}", f"{mib}MiB")
        world.sign("approve", release)
        (world.directory / "packages" / f"{release}.zip").unlink()
    world.load()
    whole = same_files(world.directory)
    read_all([path for path in whole.rglob("*") if path.is_file()])
    fetcher = [PROGRAMS / "fetcher", "--home", world.directory / "depot", "load", "--all", "--to"]
    loaded, copied = world.directory / "loaded", world.directory / "copied"
    first = First("fetcher load", [*fetcher, loaded], loaded)
    copy = First("cp, sync, dropped cache, diff", ["sh", "-c", COPY, "sh", whole, copied], copied)
    again = Contestant("fetcher load again", [*fetcher, world.directory / "stick"])
    stick = world.directory / "stick/COURIER"
    read = Contestant("dd, O_DIRECT, and openssl dgst", ["sh", "-c", READ, "sh", stick])
    by_turns([first, copy, again, read], rounds)
    work = f"load a stick with {TARGETS} targets of {mib} MiB"
    rows = [
        row(work, first, copy, 1.0),
        row(f"{work}, unchanged", again, first, None),
        row(f"{work}, unchanged", again, read, 1.1),
    ]
    return rows, [peak(work, [first, again], MEMORY)], [first, copy, again, read]
