"""python-tuf as an oracle: its repositories are read, and where it refuses we refuse.

TUF_CLIENT names the example client, TUF_INTEROP_SEED the first of TUF_INTEROP_ROUNDS random
repositories; a failure says which seed makes it again."""

import os
import random
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import changes
from clients import Ours, Python, Server
from repository import NAMES, Repository, make_pool

SEED = int(os.environ.get("TUF_INTEROP_SEED", "0"))
ROUNDS = int(os.environ.get("TUF_INTEROP_ROUNDS", "20"))


class AgainstPythonTuf(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.pool = make_pool()
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def clients(self, directory, name, root):
        at = Path(directory) / name
        clients = Ours(self.server.url, at / "ours"), Python(self.server.url, at / "python")
        for client in clients:
            self.assertTrue(client.init(root), client.said)
        return clients

    def outcome(self, client, name):
        """What the client made of it, and what it asked for on the way."""
        self.server.requests.clear()
        return client.fetch(name), list(self.server.requests)

    def agree(self, ours, theirs, name, context):
        """Both take or refuse the target, and took the same; returns what they made of it."""
        our_data, our_requests = self.outcome(ours, name)
        their_data, their_requests = self.outcome(theirs, name)
        context = f"{context}, {name}: {ours.said or 'taken'} | {theirs.said if their_data is None else 'taken'}"
        self.assertEqual(our_data, their_data, context)
        if our_data is not None:
            self.assertEqual(ours.stored(), theirs.stored(), context)
        return our_data, our_requests, their_requests, context

    def test_the_example_client_asks_no_more_than_it_must(self):
        repository = next(
            made for made in (Repository(random.Random(seed), self.pool) for seed in range(100))
            if len(made.signed["targets"].targets) > 1
        )
        self.server.files = repository.files
        first, second, *_ = repository.signed["targets"].targets
        with tempfile.TemporaryDirectory() as directory:
            self.server.requests.clear()
            ours, _ = self.clients(directory, "clients", repository.first_root)
            self.assertEqual(self.server.requests, [])
            self.assertEqual(ours.stored(), {"root.json": repository.first_root})
            for usage in ((), ("unknown",), ("refresh", "--no-such-flag")):
                self.assertEqual(ours.run(*usage), 1, usage)
            self.assertEqual(ours.run("--help"), 0)
            both = ("--target-name", first, "--target-name", second)
            self.assertEqual(ours.run("--target-name", "../none", *both, "download"), 1)
            self.assertEqual(ours.run("--target-name", "none", *both, "download"), 1)
            self.assertEqual(list(ours.targets.iterdir()), [], "the first failure is the last")
            self.assertEqual(ours.run(*both, "download"), 0)
            self.server.requests.clear()
            self.assertEqual(ours.run(*both, "download"), 0)
            self.assertEqual(self.server.requests, ["/metadata/2.root.json", "/metadata/timestamp.json"])
            (ours.targets / quote(first, "")).write_bytes(b"changed")
            self.assertEqual(ours.run(*both, "download"), 0)
            self.assertEqual(len(self.server.requests), 5)
            self.assertEqual(len(list(ours.targets.iterdir())), 2)

    def test_random_repositories_are_read_by_the_same_requests(self):
        found = 0
        for seed in range(SEED, SEED + ROUNDS):
            repository = Repository(random.Random(seed), self.pool)
            self.server.files = repository.files
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as directory:
                for number, name in enumerate(NAMES):
                    clients = self.clients(directory, str(number), repository.first_root)
                    data, asked, they_asked, context = self.agree(*clients, name, f"seed {seed}")
                    found += data is not None
                    # python-tuf puts another of the listed hashes before the name
                    if data is not None:
                        asked, they_asked = asked[:-1], they_asked[:-1]
                    self.assertEqual(asked, they_asked, context)
        self.assertGreater(found, ROUNDS, "most repositories have targets to be found")

    def test_refusals_agree_after_random_changes(self):
        seen = Counter()
        for seed in range(SEED, SEED + ROUNDS):
            for change in changes.ALL:
                rng = random.Random(f"{seed} {change.__name__}")
                repository = Repository(rng, self.pool)
                repository.version_up(*repository.signed.keys() - {"root"}, by=4)
                repository.publish()
                self.server.files = repository.files
                context = f"seed {seed}, {change.__name__}"
                with self.subTest(context), tempfile.TemporaryDirectory() as directory:
                    ours, theirs = self.clients(directory, "clients", repository.first_root)
                    data, *_ = self.agree(ours, theirs, None, f"{context}, before")
                    self.assertIsNotNone(data, context)
                    change(repository)
                    for name in (None, *rng.sample(NAMES, 2)):
                        data, *_ = self.agree(ours, theirs, name, context)
                        if name is None:
                            seen[change.__name__, data is not None] += 1
        for change in (changes.nothing, changes.rotation, changes.several_rotations):
            self.assertEqual(seen[change.__name__, False], 0, change.__name__)
        for change in (changes.rotation_without_old_keys, changes.rollback, changes.expired):
            self.assertGreater(seen[change.__name__, False], 0, change.__name__)


if __name__ == "__main__":
    unittest.main()
