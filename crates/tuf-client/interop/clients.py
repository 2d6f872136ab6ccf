"""Both clients, behind one HTTP server that holds files in memory and remembers what was asked for."""

import os
import socket
import subprocess
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, unquote

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.ngclient import Updater
from urllib3.exceptions import HTTPError

PROGRAM = Path(os.environ["TUF_CLIENT"]).resolve()


class Server:
    """`files` by URL path; `statuses` are answered instead of a file. `send` can be another one, which
    delivers otherwise."""

    def __init__(self, address="127.0.0.1"):
        self.files, self.statuses, self.requests, self.headers = {}, {}, [], []
        self.send = whole
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # one packet for head and body: two would wait for the acknowledgement between them
            wbufsize = 1 << 16

            def do_GET(self):
                server.requests.append(self.path)
                server.headers.append(dict(self.headers))
                status = server.statuses.get(self.path, 200)
                data = server.file(self.path) if status == 200 else b""
                server.send(self, 404 if data is None else status, data or b"")

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    # a client that has seen enough goes away
                    self.close_connection = True

            def finish(self):
                try:
                    super().finish()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        self.http = Listener((address, 0), Handler)
        host = f"[{address}]" if ":" in address else address
        self.url = f"http://{host}:{self.http.server_port}"
        Thread(target=self.http.serve_forever, daemon=True).start()

    def file(self, path):
        """Role names are encoded once more than URLs are; in the names of targets no client has to
        encode more than it must."""
        if path.startswith("/targets/"):
            path = quote(unquote(path), "/")
        return self.files.get(path)

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def whole(handler, status, data):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data)))
    # no client should need more than one request for a connection
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(data)


class Client:
    """State in a directory of its own. Each command says whether it succeeded, as exit code 0 does."""

    def __init__(self, url, directory):
        self.url, self.directory, self.said = url, Path(directory), ""
        self.metadata, self.targets = self.directory / "metadata", self.directory / "targets"
        for path in (self.metadata, self.targets):
            path.mkdir(parents=True)

    def fetch(self, name):
        """What the client makes of a target, or of the metadata alone: its bytes, or None where it refuses."""
        if name is None:
            return b"" if self.refresh() else None
        return self.downloaded(name) if self.download(name) else None

    def downloaded(self, name):
        return (self.targets / quote(name, "")).read_bytes()

    def stored(self):
        return {path.name: path.read_bytes() for path in self.metadata.glob("*.json")}


class Ours(Client):
    def init(self, root):
        given = self.directory / "given"
        given.write_bytes(root)
        return self.run("init", given) == 0

    def refresh(self, days=0):
        return self.run("refresh", days=days) == 0

    def download(self, *names, days=0):
        options = [option for name in names for option in ("--target-name", name)]
        return self.run(*options, "download", days=days) == 0

    def run(self, *command, days=0):
        process = subprocess.run(
            [
                *(["faketime", "-f", f"+{days}d"] if days else []),
                PROGRAM, "--metadata-dir", self.metadata, "--metadata-url", f"{self.url}/metadata",
                "--target-dir", self.targets, "--target-base-url", f"{self.url}/targets/", *command,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
        )
        self.said = process.stderr
        if process.returncode not in (0, 1) or "panicked" in process.stderr:
            raise AssertionError(f"exit code {process.returncode}: {process.stderr}")
        return process.returncode


class Python(Client):
    root = None

    def init(self, root):
        """Takes it as it is: the first refresh looks at it."""
        self.root = root
        return True

    def refresh(self, days=0):
        return self.attempt(days)

    def download(self, *names, days=0):
        return self.attempt(days, *names)

    def attempt(self, days, *names):
        self.said = ""
        try:
            updater = Updater(
                str(self.metadata), f"{self.url}/metadata/", str(self.targets), f"{self.url}/targets/",
                bootstrap=self.root if not self.stored() else None,
            )
            updater._trusted_set.reference_time += timedelta(days=days)
            updater.refresh()
            for name in names:
                target = updater.get_targetinfo(name)
                if target is None:
                    self.said = f"{name} not found"
                    return False
                if updater.find_cached_target(target) is None:
                    updater.download_target(target)
            return True
        except (RepositoryError, DownloadError, HTTPError, ValueError, OSError) as error:
            self.said = repr(error)
            return False
