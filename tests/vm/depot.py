"""A depot and a laptop, made on this machine by the real programs, to be carried into the small ones."""

import json
import os
import shutil
import subprocess

from machine import ROOT

MODEL = "DS-7608NI-I2"
OLD = ("V4.30.097", "200101")
FIRST = "nvr-synthetic-4.61.025-230421"
SECOND = "nvr-synthetic-4.50.000-220101"

RELEASE = """[[release]]
id = "{id}"
family = "nvr"
models = ["{model}"]
version = "{version}"
build = "{build}"
sources = ["made by nvr-sim for this test"]
"""


def program(name, *arguments, cwd):
    command = [str(ROOT / "target/debug" / name), *map(str, arguments)]
    ran = subprocess.run(command, cwd=cwd, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if ran.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


class Depot:
    """`before` and `after`: the same depot with one publication and with a newer one; `laptop`: the state of a
    laptop that believes it and is enrolled there."""

    def __init__(self, folder, mebibytes):
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        (folder / "catalogue/nvr").mkdir(parents=True)
        (folder / "stick").mkdir()
        self._releases(mebibytes)
        fetcher = lambda *arguments: program("fetcher", "--home", "after", *arguments, cwd=folder)
        applier = lambda *arguments: program("applier", "--state", "laptop", *arguments, cwd=folder)
        fetcher("--manifests", "catalogue", "init", "--unencrypted")
        for release in (FIRST, SECOND):
            fetcher("pin", release, "--file", f"{release}.zip", "--yes")
        fetcher("approve", FIRST, "--yes")
        fetcher("load", "--to", "stick", "--all")
        fingerprint = json.loads(fetcher("--json", "root", "show"))["fingerprint"]
        applier("--stick", "stick", "trust", "add", "--fingerprint", fingerprint)
        laptop = json.loads(applier("--json", "trust", "show", "--laptop"))
        fetcher("laptops", "enrol", laptop["public_key"], "--fingerprint", laptop["fingerprint"])
        shutil.copytree(folder / "after", folder / "before")
        fetcher("approve", SECOND, "--yes")
        self.fingerprint = fingerprint

    def _releases(self, mebibytes):
        text = ""
        for release, model in ((FIRST, MODEL), (SECOND, "DS-7216HUHI-K2")):
            version, build = release.rsplit("-", 2)[1:]
            program("nvr-sim", "firmware", "--out", f"{release}.zip", "--size", f"{mebibytes}MiB",
                    "--version", f"V{version}:{build}", cwd=self.folder)
            text += RELEASE.format(id=release, model=model, version=f"V{version}", build=build)
        (self.folder / "catalogue/nvr/synthetic.toml").write_text(text)

    def carry_into(self, root):
        """Into the tree of a machine, without what only this one needed."""
        for name in ("before", "after", "laptop", "catalogue"):
            shutil.copytree(self.folder / name, root / name)
        (root / "password").write_text("Recorder123\n")
        os.chmod(root / "password", 0o600)
