"""A station at the depot, on real USB: sticks come, go, and are pulled out too early."""

from bench import DONE, STICK, outcome, plug
from guest import Failed

SLOW = 1 << 20


class Station:
    """`fetcher station` in the guest, and what it has said so far."""

    def __init__(self, guest, home):
        self.guest = guest
        self.job = guest.start(f"exec fetcher --home /{home} --json station --all")
        self.until("ready for sticks")

    def until(self, words, times=1):
        ran = self.guest.run(
            f"n=0; until [ $(grep -c '{words}' {self.job}) -ge {times} ] || [ -s {self.job}.code ] || [ $n -gt 6000 ];"
            f" do usleep 10000; n=$((n+1)); done; grep -c '{words}' {self.job}")
        if int(ran.said.split()[-1]) < times:
            raise Failed(f"the station never said {words!r} {times} times:\n{self.guest.run(f'tail -5 {self.job}').said}")

    def told(self, serial):
        """The events of one stick, repeated ones once."""
        lines = self.guest.run(f"cat {self.job}").lines_of_json()
        events = [line["event"] for line in lines if line["stick"].startswith(serial)]
        return [event for n, event in enumerate(events) if n == 0 or events[n - 1] != event]

    def signal(self):
        self.guest.run("killall -TERM fetcher").ends(0)

    def ends(self, code):
        self.guest.ended(self.job).ends(code)


def is_new(guest, image, serial):
    """Plugs it into a laptop, so to speak: nothing serves it there."""
    name = plug(guest, image, serial)
    found = outcome(guest, serial)
    guest.pull(name)
    if found != "new":
        raise Failed(f"{serial} carries {found}")


def case_a_station_serves_what_is_plugged_in(bench):
    """Two at once, one of them slow: each is collected from, brought up to date, ejected, and can be pulled."""
    guest, images = bench.guest, [bench.loaded(), bench.empty("exfat")]
    station = Station(guest, "after")
    names = [guest.plug(images[0], "OLD"), guest.plug(images[1], "EMPTY", bytes_per_second=2 << 20)]
    station.until('"state":"ejected"', 2)
    for name in names:
        guest.pull(name)
    station.until('"event":"unplugged"', 2)
    for serial in ("OLD", "EMPTY"):
        told = station.told(serial)
        steps = ["plugged", "collected", "writing", "syncing", "checking", "loaded", "parted", "unplugged"]
        if [event for event in told if event != "removed"] != steps:
            raise Failed(f"{serial}: {told}")
    station.signal()
    station.ends(DONE)
    for serial, image in zip(("OLD", "EMPTY"), images):
        is_new(guest, image, serial)


def case_a_stick_that_is_pulled_from_a_station_is_mended(bench):
    """That it was too early is said; plugged in again, it is brought up to date."""
    guest, image = bench.guest, bench.loaded()
    station = Station(guest, "after")
    name = guest.plug(image, "EARLY", bytes_per_second=SLOW)
    station.until('"event":"writing"')
    guest.pull(name)
    station.until('"event":"failed"')
    station.until('"event":"unplugged"')
    name = guest.plug(image, "EARLY")
    station.until('"state":"ejected"')
    guest.pull(name)
    station.signal()
    station.ends(DONE)
    is_new(guest, image, "EARLY")


def case_a_station_finishes_its_sticks_unless_it_is_told_twice(bench):
    """Such a stick is what it was, new, or rejected, and the next load mends it."""
    guest, image = bench.guest, bench.loaded()
    station = Station(guest, "after")
    name = guest.plug(image, "ONCE", bytes_per_second=SLOW)
    station.until('"event":"writing"')
    station.signal()
    station.until("still to be finished")
    station.ends(DONE)
    guest.pull(name)
    is_new(guest, image, "ONCE")
    image = bench.loaded()
    station = Station(guest, "after")
    name = guest.plug(image, "TWICE", bytes_per_second=SLOW)
    station.until('"event":"writing"')
    station.signal()
    station.until("still to be finished")
    station.signal()
    station.ends(STICK)
    guest.pull(name)
    name = plug(guest, image, "AFTER")
    found = outcome(guest, "AFTER")
    guest.run("fetcher --home /after station --all --once").ends(DONE).says("safe to remove")
    guest.pull(name)
    is_new(guest, image, "MENDED")
    return f"told twice: {found}"
