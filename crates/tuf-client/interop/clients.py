"""Both clients, behind one HTTP server that holds files in memory and remembers what was asked for."""

import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.ngclient import Updater


class Server:
    def __init__(self):
        self.files, self.requests = {}, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            # one packet for head and body: two would wait for the acknowledgement between them
            wbufsize = 1 << 16

            def do_GET(self):
                server.requests.append(self.path)
                data = server.files.get(self.path)
                self.send_response(200 if data is not None else 404)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Client:
    """State in a directory of its own."""

    def __init__(self, server, directory):
        self.server, self.directory = server, Path(directory)
        self.metadata, self.targets = self.directory / "metadata", self.directory / "targets"
        for path in (self.metadata, self.targets):
            path.mkdir(parents=True)

    def outcome(self, name=None):
        """What the client makes of a target, or of the metadata alone: its bytes, or None where it
        refuses; and what it asked for on the way."""
        self.server.requests.clear()
        data = self.fetch(name)
        return data, list(self.server.requests)

    def downloaded(self, name):
        return (self.targets / quote(name, "")).read_bytes()

    def stored(self):
        return {path.name: path.read_bytes() for path in self.metadata.glob("*.json")}


class Ours(Client):
    def __init__(self, program, server, directory, root):
        super().__init__(server, directory)
        self.program = program
        (self.directory / "given").write_bytes(root)
        if self.run("init", self.directory / "given") != 0:
            raise AssertionError("the first root was refused")

    def run(self, *command):
        process = subprocess.run(
            [
                self.program, "--metadata-dir", self.metadata, "--metadata-url", f"{self.server.url}/metadata",
                "--target-dir", self.targets, "--target-base-url", f"{self.server.url}/targets/", *command,
            ],
            stderr=subprocess.PIPE, text=True, check=False,
        )
        self.said = process.stderr
        if process.returncode not in (0, 1) or "panicked" in process.stderr:
            raise AssertionError(f"exit code {process.returncode}: {process.stderr}")
        return process.returncode

    def fetch(self, name):
        if name is None:
            return b"" if self.run("refresh") == 0 else None
        return self.downloaded(name) if self.run("--target-name", name, "download") == 0 else None


class Python(Client):
    def __init__(self, server, directory, root):
        super().__init__(server, directory)
        self.root = root

    def fetch(self, name):
        try:
            updater = Updater(
                str(self.metadata), f"{self.server.url}/metadata/", str(self.targets),
                f"{self.server.url}/targets/", bootstrap=self.root if not self.stored() else None,
            )
            updater.refresh()
            if name is None:
                return b""
            target = updater.get_targetinfo(name)
            if target is None:
                self.said = "not found"
                return None
            if updater.find_cached_target(target) is None:
                updater.download_target(target)
            return self.downloaded(name)
        except (RepositoryError, DownloadError, ValueError, OSError) as error:
            self.said = repr(error)
            return None
