"""The shipped programs, as people run them: a depot, a stick and a laptop in one directory."""

import json
import os
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import unquote

PROGRAMS = Path(os.environ["TUF_PROGRAMS"]).resolve()
MODEL = "DS-7608NI-I2"


class World:
    def __init__(self, directory):
        self.directory = Path(directory).resolve()
        for folder in ("stick", "keys", "catalogue/nvr", "packages"):
            (self.directory / folder).mkdir(parents=True)
        with open(self.directory / "passphrase", "w", opener=lambda *file: os.open(*file, 0o600)) as file:
            file.write("correct horse")

    def run(self, program, *arguments, code=0):
        """What it printed, once it has ended with this code."""
        ended = subprocess.run(
            [PROGRAMS / program, *arguments], cwd=self.directory, check=False, capture_output=True, text=True,
            stdin=subprocess.DEVNULL,
        )
        if ended.returncode != code:
            raise AssertionError(f"{program} {arguments}: exit code {ended.returncode}, {ended.stderr}")
        return ended.stdout

    def fetcher(self, *arguments, **options):
        return self.run("fetcher", "--home", "depot", *arguments, **options)

    def applier(self, *arguments, **options):
        return self.run("applier", "--state", "laptop", "--stick", "stick", *arguments, **options)

    def init(self):
        self.fetcher("--manifests", "catalogue", "init", "--offline-keys", "keys", "--passphrase-file", "passphrase")

    def sign(self, *command):
        """A command that a person agrees to, with the keys of root and targets."""
        self.fetcher(*command, "--yes", "--keys", "keys", "--passphrase-file", "passphrase")

    def release(self, version, build, size="70000"):
        """Synthetic firmware and its catalogue entry, pinned; gives the id and the firmware."""
        release = f"nvr-synthetic-{version}-{build}"
        package = self.directory / "packages" / f"{release}.zip"
        made = ("--size", size, "--version", f"V{version}:{build}", "--seed", build)
        self.run("nvr-sim", "firmware", "--out", package, *made)
        with open(self.directory / "catalogue/nvr/synthetic.toml", "a") as file:
            file.write(f'[[release]]\nid = "{release}"\nfamily = "nvr"\nmodels = ["{MODEL}"]\n')
            file.write(f'version = "V{version}"\nbuild = "{build}"\nsources = ["synthetic"]\n')
        self.fetcher("pin", release, "--file", package, "--yes")
        with zipfile.ZipFile(package) as opened:
            return release, opened.read("digicap.dav")

    def trust(self):
        """The laptop believes the root of the stick."""
        shown = self.fetcher("root", "show").splitlines()
        fingerprint = next(line.split()[-1] for line in shown if line.startswith("fingerprint"))
        self.applier("trust", "add", "--fingerprint", fingerprint)

    def load(self):
        self.fetcher("load", "--to", "stick", "--all")
        return self.served()

    def served(self):
        """The stick's repository by URL path."""
        courier = self.directory / "stick/COURIER"
        folders = (courier / "metadata", courier / "targets")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {f"/{path.relative_to(courier)}": path.read_bytes() for path in files}

    def place(self, files):
        """Puts a repository on the stick, as `served` gives it."""
        for name, data in files.items():
            path = self.directory / "stick/COURIER" / unquote(name.removeprefix("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def verify(self, code=0):
        """The releases on the stick and what became of each; or how `applier verify` ends otherwise."""
        said = self.applier("verify", "--json", code=code)
        if not code:
            return {one["release"]["id"]: one["carried"] for one in json.loads(said)["releases"]}
