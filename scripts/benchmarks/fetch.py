"""The row: fetch one large firmware over loopback and hash it, beside `curl -o` and `openssl dgst -sha256`.

Both ask the same lighttpd. `fetcher sync` does more: it compares digest and size with the pin, reads the firmware's
header, syncs what it keeps to the disk, and renews what the unattended keys sign.
"""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

from measure import Contestant, by_turns, peak, read_all, row
from programs import MODEL, PROGRAMS, World

LIGHTTPD = shutil.which("lighttpd", path=f"{os.environ['PATH']}:/usr/sbin")
MEMORY = 32 << 20
VERSION, BUILD = "4.61.025", "230421"


class Anew(Contestant):
    """A command that fetches what is not there any more."""

    def __init__(self, name, command, forget):
        super().__init__(name, command)
        self.forget = forget

    def run(self):
        for file in self.forget():
            file.unlink()
        super().run()
        if not self.forget():
            raise SystemExit(f"{self.name}: nothing was fetched")


@contextmanager
def served(folder):
    """The URL at which a web server shows what is in this folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder.parent / "lighttpd.conf"
    settings.write_text(
        f'server.document-root = "{folder}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
        'mimetype.assign = ("" => "application/octet-stream")\n'
    )
    null = subprocess.DEVNULL
    program = subprocess.Popen([LIGHTTPD, "-D", "-f", settings], stdin=null, stdout=null, stderr=null)
    try:
        while True:
            if program.poll() is not None:
                raise SystemExit("lighttpd has ended")
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        program.terminate()
        program.wait()


def measure(directory, mib, rounds):
    world = World(directory)
    world.init()
    depot, packages = world.directory / "depot", world.directory / "packages"
    firmware, fetched = packages / "digicap.dav", world.directory / "fetched"
    with served(packages) as url:
        world.run("nvr-sim", "firmware", "--out", firmware, "--size", f"{mib}MiB", "--version", f"V{VERSION}:{BUILD}")
        release = f"nvr-synthetic-{VERSION}-{BUILD}"
        with open(world.directory / "catalogue/nvr/synthetic.toml", "w") as file:
            file.write(
                f'[[release]]\nid = "{release}"\nfamily = "nvr"\nmodels = ["{MODEL}"]\nversion = "V{VERSION}"\n'
                f'build = "{BUILD}"\nsources = ["synthetic"]\nurl = "{url}/{firmware.name}"\n'
            )
        world.fetcher("pin", release, "--file", firmware, "--yes")
        read_all([firmware])
        pair = (
            f"curl --silent --fail --noproxy '*' -o {fetched} {url}/{firmware.name}"
            f" && openssl dgst -sha256 {fetched}"
        )
        ours = Anew(
            "fetcher sync",
            [PROGRAMS / "fetcher", "--home", depot, "sync", "--all"],
            lambda: list((depot / "depot" / release).iterdir()),
        )
        theirs = Anew(
            "curl -o and openssl dgst -sha256", ["sh", "-c", pair], lambda: [fetched] if fetched.exists() else []
        )
        by_turns([ours, theirs], rounds)
    work = f"fetch and hash {mib} MiB over loopback"
    return [row(work, ours, theirs, 0.8)], [peak(work, [ours], MEMORY)], [ours, theirs]
