"""Sticks full of statements, and ledgers that know their laptops."""

import subprocess

from programs import PROGRAMS

STATEMENTS = PROGRAMS / "examples/statements"
# a stick holds less than 100,000
ON_A_STICK = 90_000


def sticks(folder, count, recorders):
    """Sticks with so many statements in all, each of another laptop that visits so many recorders at most, with the
    fingerprints of the laptops."""
    made = []
    while count:
        stick, of_this = folder / str(len(made)), min(count, ON_A_STICK)
        make = [STATEMENTS, "make", stick, str(of_this), str(recorders)]
        said = subprocess.run(make, check=True, capture_output=True, text=True)
        made.append((stick, said.stdout.strip()))
        count -= of_this
    return made


def empty(world, sticks):
    """The depot of this world, with a ledger that knows the laptops of these sticks and nothing else."""
    home = world.directory / "depot"
    for file in home.glob("ledger.db*"):
        file.unlink()
    for stick, fingerprint in sticks:
        world.fetcher("laptops", "enrol", stick / "laptop.pub", "--fingerprint", fingerprint)
    return home
