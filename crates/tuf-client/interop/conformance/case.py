"""Each test of a case runs once for each client, with a new repository and a client that knows its first root."""

import json
import tempfile
import unittest
from urllib.parse import unquote

from clients import Ours, Python, Server, whole
from conformance.simulator import Simulator


class Case(unittest.TestCase):
    clients = (Ours, Python)
    kind = Ours

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)

    def run(self, result=None):
        for kind in self.clients:
            once = type(self)(self._testMethodName)
            once.kind = kind
            super(Case, once).run(result)
        return result

    def __str__(self):
        return f"{super().__str__()} with {self.kind.__name__}"

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory, self.made = directory.name, 0
        self.repo = Simulator()
        self.server.statuses, self.server.send = {}, whole
        self.start()

    def start(self, root=None):
        """A client without history; says whether it took the root."""
        self.made += 1
        self.client = self.kind(self.server.url, f"{self.directory}/{self.made}")
        self.server.files = self.repo.files
        return self.client.init(self.repo.first_root if root is None else root)

    def accepts(self, *names, days=0):
        self.server.requests.clear()
        done = self.client.download(*names, days=days) if names else self.client.refresh(days)
        self.assertTrue(done, self.client.said)

    def refuses(self, *names, days=0):
        self.server.requests.clear()
        done = self.client.download(*names, days=days) if names else self.client.refresh(days)
        self.assertFalse(done, "was accepted")

    def assert_versions(self, **expected):
        """Of what is stored; nothing else is."""
        found = {name.removesuffix(".json"): data for name, data in self.client.stored().items()}
        found = {unquote(name): json.loads(data)["signed"]["version"] for name, data in found.items()}
        self.assertEqual(found, expected)

    def assert_asked(self, *names):
        """Below metadata/ and targets/, in this order."""
        found = [path.removeprefix("/metadata/").removeprefix("/") for path in self.server.requests]
        self.assertEqual(found, list(names))
