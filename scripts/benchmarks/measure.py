"""Runs programs by turns and compares them: medians of wall time and processor time, and peak memory."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from statistics import median


@dataclass
class Contestant:
    """A command; `processors` are those it may use."""

    name: str
    command: list
    processors: str = None

    def __post_init__(self):
        self.runs = []

    def run(self):
        pinned = ["taskset", "--cpu-list", self.processors] if self.processors else []
        with tempfile.NamedTemporaryFile("r") as peak:
            # by GNU time, since what a process counts as its own peak begins with that of its parent
            command = [*pinned, "/usr/bin/time", "--format", "%M", "--output", peak.name, *self.command]
            before = time.perf_counter()
            null = subprocess.DEVNULL
            child = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - before
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                raise SystemExit(f"{self.name}: exit code {child.returncode}: {command}")
            self.runs.append({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": int(peak.read()) * 1024})

    def median(self, what):
        return median(run[what] for run in self.runs)

    def peak(self):
        return max(run["peak"] for run in self.runs)


def by_turns(contestants, rounds):
    """Each once to warm up, then all of them in every round, beginning with another one each time."""
    for contestant in contestants:
        contestant.run()
        contestant.runs.clear()
    for number in range(rounds):
        for index in range(len(contestants)):
            contestants[(number + index) % len(contestants)].run()


def row(work, one, other, goal, wall="wall", cpu="cpu"):
    """How long one takes in relation to the other, and what was hoped for, if anything. What stands for
    the two figures may be another one, or none."""
    ratios = {
        figure: one.median(what) / other.median(what) if what else None
        for figure, what in (("wall", wall), ("cpu", cpu))
    }
    return _row(work, other.name, goal, **ratios)


def growth(larger, smaller, times):
    """How much longer one takes that has so many times as much to do: at most a fifth more than that, so that it
    grows no faster than its work."""
    return row(larger.name, larger, smaller, times * 1.2)


def limit(one, goal):
    """How long one takes, seconds."""
    return _row(one.name, "", goal, wall=one.median("wall"), cpu=one.median("cpu"), unit="s")


def above(one, other, goal):
    """How much longer one takes than the other, seconds."""
    wall, cpu = (one.median(what) - other.median(what) for what in ("wall", "cpu"))
    return _row(one.name, other.name, goal, wall=wall, cpu=cpu, unit="s above")


def _row(work, against, goal, wall, cpu, unit="times"):
    met = goal is None or wall <= goal
    return {"work": work, "against": against, "wall": wall, "cpu": cpu, "unit": unit, "goal": goal, "met": met}


def peak(work, contestants, goal):
    """The most memory that any of them took, bytes, and what was hoped for, if anything."""
    most = max(contestant.peak() for contestant in contestants)
    return {"work": work, "peak": most, "goal": goal, "met": goal is None or most <= goal}


def processors():
    return sorted(os.sched_getaffinity(0))


def read_all(paths):
    """Brings files into the cache."""
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass
