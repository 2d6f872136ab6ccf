"""The rows: statements of a stick into an empty ledger, beside the verification of as many signatures alone.

Three sizes, so that it shows whether memory and time for each statement stay as they are. A stick holds less than
100,000 statements, so many of them come on several sticks, each of another laptop.
"""

import json
import shutil
from pathlib import Path

import ledger
from measure import Contestant, by_turns, peak, processors, row
from programs import PROGRAMS, World

RECORDERS = 500
MEMORY = 32 << 20


class Collect(Contestant):
    """Collects some sticks, one after the other, into a ledger that knows their laptops and nothing else."""

    def __init__(self, world, sticks, count):
        super().__init__("fetcher collect", None)
        self.world, self.sticks, self.count = world, sticks, count

    def run(self):
        home = ledger.empty(self.world, self.sticks)
        before = len(self.runs)
        for stick, _ in self.sticks:
            self.command = [PROGRAMS / "fetcher", "--home", home, "collect", "--from", stick]
            super().run()
        parts, self.runs[before:] = self.runs[before:], []
        self.runs.append({
            "wall": sum(part["wall"] for part in parts),
            "cpu": sum(part["cpu"] for part in parts),
            "peak": max(part["peak"] for part in parts),
        })
        listed = json.loads(self.world.fetcher("laptops", "list", "--json"))["laptops"]
        arrived = sum(laptop["complete_to"] for laptop in listed)
        if arrived != self.count:
            raise SystemExit(f"{self.name}: {arrived} statements arrived, expected {self.count}")


def measure(directory, statements, rounds):
    world = World(directory)
    world.init()
    cores = len(processors())
    rows, peaks, contestants = [], [], []
    for count in (statements // 100, statements // 10, statements):
        folder = Path(directory).resolve() / "sticks"
        collect = Collect(world, ledger.sticks(folder, count, RECORDERS), count)
        verify = [
            Contestant(f"Ed25519 alone, {name}", [ledger.STATEMENTS, "verify", str(count), str(threads)])
            for name, threads in (("one core", 1), (f"{cores} cores", cores))
        ]
        by_turns([collect, *verify], rounds)
        shutil.rmtree(folder)
        work = f"collect {count:,} statements, {count / collect.median('wall'):,.0f} a second"
        # half the rate is twice the time
        rows += [row(work, collect, one, 2.0) for one in verify]
        peaks.append(peak(f"collect {count:,} statements", [collect], MEMORY))
        contestants += [collect, *verify]
    return rows, peaks, contestants
