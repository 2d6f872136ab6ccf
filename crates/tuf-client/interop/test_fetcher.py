"""What `fetcher load` writes is a repository for any TUF client: python-tuf's takes it from the first root on."""

import json
import random
import tempfile
import unittest
from hashlib import sha256
from pathlib import Path

from clients import Ours, Python, Server
from programs import World


class WhatFetcherWrites(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.server, self.made = Server(), 0
        self.addCleanup(self.server.close)
        self.world = World(Path(directory.name) / "world")
        self.world.init()

    def client(self, kind=Python):
        """One that has seen nothing but the first root."""
        self.made += 1
        client = kind(self.server.url, self.world.directory / f"client {self.made}")
        self.assertTrue(client.init(self.server.files["/metadata/1.root.json"]))
        return client

    def approve(self, *of):
        release, firmware = self.world.release(*of)
        self.world.sign("approve", release)
        self.server.files = self.world.load()
        return f"{release}/digicap.dav", firmware

    def test_every_publication_one_after_the_other(self):
        self.server.files = self.world.load()
        clients = [self.client(), self.client(Ours)]
        self.follow(clients, {})
        first = self.approve("4.61.025", "230421")
        self.follow(clients, dict([first]))
        second = self.approve("4.62.200", "230901")
        self.follow(clients, dict([first, second]))
        self.world.sign("withdraw", first[0].partition("/")[0])
        self.server.files = self.world.load()
        self.follow(clients, dict([second]), gone=first[0])
        # and whoever comes late
        self.follow([self.client(), self.client(Ours)], dict([second]), gone=first[0])

    def test_new_roots_and_other_targets_than_firmware(self):
        first = self.approve("4.61.025", "230421")
        clients = [self.client(), self.client(Ours)]
        self.follow(clients, dict([first]))
        (self.world.directory / "catalogue/policy.toml").write_text("backup_required = true\n")
        self.world.sign("approve", "--policy")
        for role in ("timestamp", "snapshot", "targets", "root"):
            self.world.sign("root", "rotate", role)
            self.server.files = self.world.load()
            self.follow(clients, dict([first]))
        self.world.sign("root", "renew")
        self.server.files = self.world.load()
        self.follow([*clients, self.client(), self.client(Ours)], dict([first]))
        self.assertIn("policy.json", {path.name for path in clients[0].targets.iterdir()})
        self.assertIn(b'"version":6', clients[0].stored()["root.json"])

    def follow(self, clients, firmware, gone=None):
        for client in clients:
            self.assertTrue(client.refresh(), client.said)
            listed = json.loads(client.stored()["targets.json"])["signed"]["targets"]
            self.assertEqual({name for name in listed if name.endswith(".dav")}, set(firmware))
            self.assertTrue(client.download(*listed), client.said)
            for name, target in listed.items():
                data = client.downloaded(name)
                self.assertEqual(sha256(data).hexdigest(), target["hashes"]["sha256"])
                self.assertEqual(data, firmware.get(name, data))
            self.assertFalse(gone and client.download(gone))
        for client in clients[1:]:
            self.assertEqual(client.stored(), clients[0].stored())

    def test_damage_is_refused(self):
        name, _ = self.approve("4.61.025", "230421")
        self.assertTrue(self.client().download(name))
        rng = random.Random(0)
        whole = dict(self.server.files)
        for path in sorted(whole.keys() - {"/metadata/1.root.json"}):
            for _ in range(5):
                data = bytearray(whole[path])
                # not the bit that makes another case: hexadecimal digits mean the same in both
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(4)
                self.server.files = whole | {path: bytes(data)}
                self.assertFalse(self.client().download(name), path)

    def test_an_old_publication_is_refused_by_whoever_has_seen_a_newer_one(self):
        name, _ = self.approve("4.61.025", "230421")
        old = self.server.files
        self.approve("4.62.200", "230901")
        client = self.client()
        self.assertTrue(client.download(name))
        self.server.files = old
        self.assertFalse(client.download(name))
        self.assertTrue(self.client().download(name))

    def test_it_is_good_for_a_month(self):
        name, _ = self.approve("4.61.025", "230421")
        self.assertTrue(self.client().download(name, days=29))
        self.assertFalse(self.client().download(name, days=31))
