"""The row: how long a program takes to start and to say its version, beside `true`."""

from measure import Contestant, above, by_turns
from programs import PROGRAMS

SECONDS = 0.010
# it is so short that a round is not enough
TIMES = 20


def measure(directory, _, rounds):
    of_true = Contestant("true", ["true"])
    ours = [Contestant(f"{name} --version", [PROGRAMS / name, "--version"]) for name in ("applier", "fetcher")]
    by_turns([of_true, *ours], rounds * TIMES)
    return [above(one, of_true, SECONDS) for one in ours], [], [of_true, *ours]
