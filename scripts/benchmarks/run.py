"""Runs benchmarks and prints one table; `scripts/bench` builds what they need and starts it."""

import argparse
import json
import tempfile
from pathlib import Path

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
DOCUMENT, RECORD = Path("docs/performance.md"), Path("docs/performance.json")


def table(results):
    """The rows of each benchmark and what memory it took, in one table."""
    lines = [("work", "against", "wall", "cpu", "goal", ""), ("---",) * 6]
    in_order = [results[name] for name in map(lambda one: one.__name__, BENCHMARKS) if name in results]
    for row in (row for result in in_order for row in result["rows"]):
        figure = FIGURES[row["unit"]]
        figures = [figure(row[what]) if row[what] is not None else "" for what in ("wall", "cpu")]
        figures.append(f"≤ {figure(row['goal']).lstrip('+')}" if row["goal"] else "")
        lines.append((row["work"], row["against"], *figures, "" if row["met"] else "missed"))
    for peak in (peak for result in in_order for peak in result["peaks"]):
        goal = f"≤ {peak['goal'] >> 20} MiB" if peak["goal"] else ""
        figures = (f"{peak['peak'] / (1 << 20):.1f} MiB", "", goal)
        lines.append((peak["work"], "(peak memory)", *figures, "" if peak["met"] else "missed"))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def document(results):
    """Puts results in the place of those of the same benchmarks, and the table of all into the document."""
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    RECORD.write_text(json.dumps(known | results, indent=1, sort_keys=True) + "\n")
    lines = DOCUMENT.read_text().splitlines()
    in_table = [number for number, line in enumerate(lines) if line.startswith("|")]
    lines[in_table[0] : in_table[-1] + 1] = table(known | results).splitlines()
    DOCUMENT.write_text("\n".join(lines) + "\n")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--mib", type=int, default=256)
    options.add_argument("--statements", type=int, default=20_000)
    options.add_argument("--releases", type=int, default=100_000)
    options.add_argument("--recorders", type=int, default=100_000)
    options.add_argument("--json", metavar="FILE")
    options.add_argument("--document", action="store_true")
    options.add_argument("--only", choices=[benchmark.__name__ for benchmark in BENCHMARKS])
    options = options.parse_args()
    if options.document and options.only and not RECORD.exists():
        raise SystemExit(f"{RECORD} is not there: scripts/bench --document makes it, of every part")
    results = {}
    for benchmark in BENCHMARKS:
        if options.only in (None, benchmark.__name__):
            with tempfile.TemporaryDirectory(dir="target", prefix="bench-") as directory:
                size = getattr(options, SIZES.get(benchmark, "mib"))
                rows, peaks, contestants = benchmark.measure(directory, size, options.rounds)
            runs = {contestant.name: contestant.runs for contestant in contestants}
            results[benchmark.__name__] = {
                "cores": len(processors()), "rounds": options.rounds, "rows": rows, "peaks": peaks, "runs": runs,
            }
    print(f"{len(processors())} cores, {options.rounds} rounds, ratios of medians\n")
    print(table(results))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    if options.document:
        document(results)


if __name__ == "__main__":
    main()
