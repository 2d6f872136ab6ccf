"""Runs every benchmark and prints one table; `scripts/bench` builds what it needs and starts it."""

import argparse
import json
import tempfile

import catalogue
import collect
import fetch
import fleet
import load_stick
import push
import startup
import verify_stick
from measure import processors

BENCHMARKS = [fetch, verify_stick, load_stick, push, catalogue, collect, fleet, startup]
# what the size is of, where it is no file
SIZES = {catalogue: "releases", collect: "statements", fleet: "recorders"}
FIGURES = {
    "times": "{:.2f}".format,
    "s": "{:.2f} s".format,
    "s above": lambda seconds: f"{1000 * seconds:+.1f} ms",
}


def table(rows, peaks):
    lines = [("work", "against", "wall", "cpu", "goal", "")]
    for row in rows:
        figure = FIGURES[row["unit"]]
        figures = [figure(row[what]) if row[what] is not None else "" for what in ("wall", "cpu")]
        figures.append(f"≤ {figure(row['goal']).lstrip('+')}" if row["goal"] else "")
        lines.append((row["work"], row["against"], *figures, "" if row["met"] else "missed"))
    for peak in peaks:
        goal = f"≤ {peak['goal'] >> 20} MiB" if peak["goal"] else ""
        figures = (f"{peak['peak'] / (1 << 20):.1f} MiB", "", goal)
        lines.append((peak["work"], "(peak memory)", *figures, "" if peak["met"] else "missed"))
    lines.insert(1, ("---",) * 6)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--mib", type=int, default=256)
    options.add_argument("--statements", type=int, default=20_000)
    options.add_argument("--releases", type=int, default=100_000)
    options.add_argument("--recorders", type=int, default=100_000)
    options.add_argument("--json", metavar="FILE")
    options.add_argument("--only", choices=[benchmark.__name__ for benchmark in BENCHMARKS])
    options = options.parse_args()
    rows, peaks, contestants = [], [], []
    for benchmark in BENCHMARKS:
        if options.only in (None, benchmark.__name__):
            with tempfile.TemporaryDirectory(dir="target", prefix="bench-") as directory:
                size = getattr(options, SIZES.get(benchmark, "mib"))
                measured = benchmark.measure(directory, size, options.rounds)
            for all_of_them, its in zip((rows, peaks, contestants), measured):
                all_of_them.extend(its)
    print(f"{len(processors())} cores, {options.rounds} rounds, ratios of medians\n")
    print(table(rows, peaks))
    if options.json:
        runs = {contestant.name: contestant.runs for contestant in contestants}
        with open(options.json, "w") as file:
            json.dump({"rounds": options.rounds, "rows": rows, "peaks": peaks, "runs": runs}, file, indent=1)


if __name__ == "__main__":
    main()
