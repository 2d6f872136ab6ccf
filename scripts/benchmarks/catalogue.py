"""The rows: a catalogue of many releases, in three sizes: read, checked, and used to plan what a recorder is due to get.

The recorder is in the ledger; `fetcher fleet` plans for it and writes its report.
"""

import ledger
from measure import Contestant, by_turns, growth, limit, peak
from programs import MODEL, PROGRAMS, World

# releases for one model, and in one file
OF_A_MODEL = 20
IN_A_FILE = 1_000
LISTED = 500
SECONDS = 0.5


def write(folder, count):
    """So many releases, the first of them for a model that there is, the others for ones that there are not."""
    for first in range(0, count, IN_A_FILE):
        line = f"line{first // IN_A_FILE}"
        with open(folder / f"nvr/{line}.toml", "w") as file:
            for number in range(first, min(first + IN_A_FILE, count)):
                model, step = divmod(number, OF_A_MODEL)
                name = f"DS-{model:05}NI" if model else MODEL
                version, build = f"4.{60 + step}.000", 230101 + step
                file.write(
                    f'[[release]]\nid = "nvr-{line}-{version}-{build}-{number}"\nfamily = "nvr"\n'
                    f'models = ["{name}"]\nversion = "V{version}"\nbuild = "{build}"\nsources = ["synthetic"]\n'
                    f'url = "http://firmware.example.org/line/{number}.zip"\n\n'
                )


def measure(directory, releases, rounds):
    world = World(directory)
    world.init()
    sticks = ledger.sticks(world.directory / "sticks", 2, 1)
    home = ledger.empty(world, sticks)
    world.fetcher("collect", "--from", sticks[0][0])
    of_size = []
    for count in (releases // 100, releases // 10, releases):
        folder = world.directory / f"catalogue-{count}"
        (folder / "nvr").mkdir(parents=True)
        write(folder, count)
        report = ["--format", "json", "--replace", "--output", world.directory / "report.json"]
        fleet = [PROGRAMS / "fetcher", "--home", home, "--manifests", folder, "fleet", *report]
        of_size.append(Contestant(f"catalogue of {count:,} releases, loaded and planned with", fleet))
    by_turns(of_size, rounds)
    if '"due"' not in (world.directory / "report.json").read_text():
        raise SystemExit("nothing was planned")
    rows = [limit(of_size[-1], SECONDS)]
    rows += [growth(larger, smaller, 10) for smaller, larger in zip(of_size, of_size[1:])]
    peaks = [peak(one.name, [one], None) for one in of_size]
    return rows, peaks, of_size
