"""Runs every benchmark and prints one table; `scripts/bench` builds what it needs and starts it."""

import argparse
import json
import tempfile

import verify_stick
from measure import processors


def table(rows, peaks):
    lines = [("work", "against", "wall", "cpu", "goal", "")]
    for row in rows:
        figures = (f"{row['wall']:.2f}", f"{row['cpu']:.2f}", f"≤ {row['goal']}" if row["goal"] else "")
        lines.append((row["work"], row["against"], *figures, "" if row["met"] else "missed"))
    for peak in peaks:
        figures = (f"{peak['peak'] / (1 << 20):.1f} MiB", "", f"≤ {peak['goal'] >> 20} MiB")
        lines.append((peak["work"], "(peak memory)", *figures, "" if peak["met"] else "missed"))
    lines.insert(1, ("---",) * 6)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--mib", type=int, default=256)
    options.add_argument("--json", metavar="FILE")
    options = options.parse_args()
    with tempfile.TemporaryDirectory(dir="target", prefix="bench-") as directory:
        rows, peaks, contestants = verify_stick.measure(directory, options.mib, options.rounds)
    print(f"{len(processors())} cores, {options.rounds} rounds, ratios of medians\n")
    print(table(rows, peaks))
    if options.json:
        runs = {contestant.name: contestant.runs for contestant in contestants}
        with open(options.json, "w") as file:
            json.dump({"rounds": options.rounds, "rows": rows, "peaks": peaks, "runs": runs}, file, indent=1)


if __name__ == "__main__":
    main()
