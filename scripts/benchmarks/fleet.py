"""The rows: the report of a ledger with many recorders, in three sizes.

Each recorder was updated once, which are two statements, and the catalogue lists what it runs and a newer release.
"""

import shutil
from pathlib import Path

import catalogue
import ledger
from measure import Contestant, by_turns, growth, peak
from programs import PROGRAMS, World

FORMATS = ["json", "csv", "html"]


def measure(directory, recorders, rounds):
    world = World(directory)
    world.init()
    catalogue.write(world.directory / "catalogue", catalogue.LISTED)
    rows, peaks, contestants = [], [], []
    of_size = []
    for count in (recorders // 100, recorders // 10, recorders):
        folder = Path(directory).resolve() / "sticks"
        sticks = ledger.sticks(folder, 2 * count, count)
        home = ledger.empty(world, sticks)
        for stick, _ in sticks:
            world.fetcher("collect", "--from", stick)
        shutil.rmtree(folder)
        report, fleet = world.directory / "report", [PROGRAMS / "fetcher", "--home", home, "fleet", "--replace"]
        ours = [
            Contestant(
                f"fleet of {count:,} recorders, {kind}", [*fleet, "--format", kind, "--output", f"{report}.{kind}"]
            )
            for kind in FORMATS
        ]
        by_turns(ours, rounds)
        of_size.append(ours)
        contestants += ours
        peaks.append(peak(f"fleet of {count:,} recorders", ours, None))
    for smaller, larger in zip(of_size, of_size[1:]):
        rows += [growth(one, other, 10) for one, other in zip(larger, smaller)]
    return rows, peaks, contestants
