"""A simulated recorder for one test."""

import json
import os
import subprocess
import tempfile
import urllib.request

PASSWORD = "Recorder123"


class Recorder:
    """Runs while the block lasts. `url` is where it listens."""

    def __init__(self, scenario=""):
        # requests answers from one challenge for as long as it can: most tests allow that
        self.scenario = f"""
            control = "127.0.0.1:0"
            flash_seconds = 0
            down_seconds = 0
            login = {{ password = "{PASSWORD}", max_nonce_uses = 1000 }}
            {scenario}
        """

    def __enter__(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(self.scenario)
            file.flush()
            self.process = subprocess.Popen(
                [os.environ["NVR_SIM"], "--json", "--scenario", file.name], stdout=subprocess.PIPE, text=True
            )
            # it has read the file when it listens
            started = json.loads(self.process.stdout.readline())
        self.url = f"http://{started['listening']}"
        self.host, _, self.port = started["listening"].rpartition(":")
        self.control = f"http://{started['control']}/"
        self.serial = started["serial"]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def state(self):
        """What it has seen."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.control) as answer:
            return json.load(answer)

    def until_idle_again(self):
        """Waits for the end of a reboot, which the program tells."""
        while json.loads(self.process.stdout.readline()).get("stage") != "down":
            pass
        while json.loads(self.process.stdout.readline()).get("stage") != "idle":
            pass
