"""The row: verify a stick with four large targets."""

import sys
from pathlib import Path

from measure import Contestant, by_turns, peak, processors, read_all, row
from programs import PROGRAMS, World

TARGETS = 4
MEMORY = 32 << 20


def stick(directory, mib):
    """A depot's stick that a laptop trusts, by the programs themselves."""
    world = World(directory)
    world.init()
    for number in range(TARGETS):
        release, _ = world.release(f"4.6{number}.000", f"23011{number}", f"{mib}MiB")
        world.sign("approve", release)
        (world.directory / "packages" / f"{release}.zip").unlink()
    world.load()
    world.trust()
    return world


def measure(directory, mib, rounds):
    world = stick(directory, mib)
    targets = sorted(map(str, (world.directory / "stick/COURIER/targets").rglob("*.dav")))
    metadata, = (world.directory / "stick/COURIER/metadata").glob("*.targets.json")
    read_all(targets)
    places = ["--state", world.directory / "laptop", "--stick", world.directory / "stick"]
    verify = [PROGRAMS / "applier", *places, "verify"]
    openssl = ["openssl", "dgst", "-sha256", *targets]
    python = [sys.executable, "-B", Path(__file__).with_name("hash_by_python_tuf.py"), metadata, *targets]
    one = str(processors()[0])
    contestants = [
        Contestant("applier verify on one core", verify, one),
        Contestant("openssl dgst -sha256 on one core", openssl, one),
        Contestant("python-tuf on one core", python, one),
        Contestant("applier verify", verify),
        Contestant("openssl dgst -sha256", openssl),
        Contestant("python-tuf", python),
    ]
    by_turns(contestants, rounds)
    ours_on_one, openssl_on_one, python_on_one, ours, openssl, python = contestants
    work = f"verify a stick with {TARGETS} targets of {mib} MiB"
    rows = [
        row(f"{work}, one core", ours_on_one, openssl_on_one, 1.0),
        row(f"{work}, one core", ours_on_one, python_on_one, None),
        row(f"{work}, {len(processors())} cores", ours, openssl, 0.6),
        row(f"{work}, {len(processors())} cores", ours, python, 0.5),
    ]
    return rows, [peak(work, [ours_on_one, ours], MEMORY)], contestants
