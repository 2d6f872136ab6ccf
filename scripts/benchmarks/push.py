"""The row: push one large firmware to the simulated recorder, beside `curl --digest -T`.

Each push gets a recorder of its own, which has not been upgraded yet, flashes in no time and is back in
no time. `applier apply` does more than the upload: it copies the firmware off the stick and checks it, reads
who the recorder is before and after, restarts it, waits for it, and signs. So two things are compared: the
whole command, and the upload alone, for which the recorder measures both programs: from the head of the
`PUT` to the last byte of its body. curl sends `Expect: 100-continue` with such a body, as it does by itself.
"""

import json
import os
import subprocess
import urllib.request
from contextlib import contextmanager

from measure import Contestant, by_turns, peak, read_all, row
from programs import MODEL, PROGRAMS, World

MEMORY = 32 << 20
PASSWORD = "Recorder123"
BEFORE, AFTER = "V4.30.097:200101", "V4.61.025:230421"
UPDATE = "/ISAPI/System/updateFirmware"


class Push(Contestant):
    """A command that is told where the recorder is by the word ADDRESS in it."""

    def __init__(self, name, command, scenario):
        super().__init__(name, command)
        self.words, self.scenario = command, scenario

    def run(self):
        with recorder(self.scenario) as (address, control):
            self.command = [str(word).replace("ADDRESS", address) for word in self.words]
            super().run()
            with urllib.request.urlopen(f"http://{control}/") as answer:
                seen = json.load(answer)
        if (seen["pushes"], seen["bodies"]) != (1, 1):
            raise SystemExit(f"{self.name}: recorder was pushed to {seen['pushes']} times, expected 1")
        self.runs[-1]["upload"] = seen["last_upload_micros"] / 1e6


@contextmanager
def recorder(scenario):
    """A new one, and where it and its control port listen."""
    program = subprocess.Popen(
        [PROGRAMS / "nvr-sim", "--json", "--scenario", scenario], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    try:
        said = json.loads(program.stdout.readline())
        yield said["listening"], said["control"]
    finally:
        program.terminate()
        program.wait()


def private(path, text):
    with open(path, "w", opener=lambda *file: os.open(*file, 0o600)) as file:
        file.write(text)


def measure(directory, mib, rounds):
    world = World(directory)
    world.init()
    version, build = AFTER.removeprefix("V").split(":")
    release, _ = world.release(version, build, f"{mib}MiB")
    world.sign("approve", release)
    world.load()
    world.trust()
    firmware, = (world.directory / "stick/COURIER/targets").rglob("*.dav")
    read_all([firmware])
    scenario = world.directory / "scenario.toml"
    scenario.write_text(
        f'control = "127.0.0.1:0"\nmodel = "{MODEL}"\nbefore = "{BEFORE}"\nafter = "{AFTER}"\n'
        f'flash_seconds = 0.0\ndown_seconds = 0.0\n[login]\npassword = "{PASSWORD}"\n'
    )
    private(world.directory / "password", PASSWORD)
    private(world.directory / "curl.conf", f'user = "admin:{PASSWORD}"\n')
    applier = [
        PROGRAMS / "applier", "--state", world.directory / "laptop", "--stick", world.directory / "stick",
        "apply", "ADDRESS", "--yes", "--password-file", world.directory / "password",
    ]
    curl = [
        "curl", "--config", world.directory / "curl.conf", "--silent", "--fail", "--noproxy", "*", "--digest",
        "--header", "Content-Type: application/octet-stream", "-T", firmware, f"http://ADDRESS{UPDATE}",
    ]
    ours, theirs = Push("applier apply", applier, scenario), Push("curl --digest -T", curl, scenario)
    by_turns([ours, theirs], rounds)
    work = f"push {mib} MiB to the simulator"
    rows = [
        row(f"{work}, upload alone", ours, theirs, 1.05, wall="upload", cpu=None),
        row(f"{work}, whole command", ours, theirs, None),
    ]
    return rows, [peak(f"{work}, applier", [ours], MEMORY), peak(f"{work}, curl", [theirs], None)], [ours, theirs]
