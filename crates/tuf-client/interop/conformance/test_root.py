"""Roots follow one another, each signed by the keys before it and by its own; they say whose signatures
make the other roles good."""

from securesystemslib.signer import CryptoSigner

from conformance.case import Case

KEYS = {number: CryptoSigner.generate_ed25519() for number in range(1, 9)}

# name: (keys, threshold, signatures) of each version, and the last version that is accepted
ROOTS = {
    "the same key": ([((1,), 1, (1,))] * 3, 3),
    "another key": ([((1,), 1, (1,)), ((2,), 1, (2, 1)), ((2,), 1, (2,))], 3),
    "another key, with signatures of strangers":
        ([((1,), 1, (3, 1, 4)), ((2,), 1, (3, 2, 1, 4)), ((2,), 1, (3, 2, 4))], 3),
    "another key, not signed by the one before": ([((1,), 1, (1,)), ((2,), 1, (2, 3, 4))], 1),
    "another key, not signed by itself": ([((1,), 1, (1,)), ((2,), 1, (1, 3, 4))], 1),
    "back to the first key": ([((1,), 1, (1,)), ((2,), 1, (1, 2)), ((1,), 1, (1, 2)), ((1,), 1, (1,))], 4),
    "3 of 5, any of them":
        ([((1, 2, 3, 4, 5), 3, (1, 2, 3)), ((1, 2, 3, 4, 5), 3, (1, 4, 5)), ((1, 2, 3, 4, 5), 3, (2, 3, 5))], 3),
    "3 of 5, one too few": ([((1, 2, 3, 4, 5), 3, (1, 2, 3)), ((1, 2, 3, 4, 5), 3, (1, 5))], 1),
    "3 of 5, one key exchanged": ([((1, 2, 3, 4, 5), 3, (1, 2, 3)), ((2, 3, 4, 5, 7), 3, (3, 4, 5))], 2),
    "3 of 5, one exchanged, too few of before":
        ([((1, 2, 3, 4, 5), 3, (1, 2, 3)), ((2, 3, 4, 5, 7), 3, (2, 4, 7))], 1),
    "3 of 5, one exchanged, too few of its own":
        ([((1, 2, 3, 4, 5), 3, (1, 2, 3)), ((2, 3, 4, 5, 7), 3, (1, 2, 4))], 1),
    "3 of 5, all exchanged by steps": (
        [((1, 2, 3, 4, 5), 3, (1, 2, 3)), ((1, 2, 3, 6, 7), 3, (1, 2, 3)), ((4, 5, 6, 7, 8), 3, (1, 6, 7, 4, 3)),
         ((4, 5, 6, 7, 8), 3, (6, 7, 8))], 4),
    "a higher threshold": ([((1,), 1, (1,)), ((1, 2), 2, (1, 2)), ((1, 2), 2, (2, 1))], 3),
    "a higher threshold, not met": ([((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (2,))], 1),
    "a lower threshold, not met by the one before": ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1,))], 1),
    "a lower threshold": ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1, 2)), ((1, 2, 3), 1, (3,))], 3),
    "a lower threshold is one for the next version only":
        ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (2, 3)), ((4,), 1, (4, 1))], 3),
    "a first root that is not met": ([((1, 2), 2, (1,))], 0),
}

# the keys of a role, its threshold and who signed
ROLES = {
    "1 of 1": ((1,), 1, (1,), True),
    "1 of 1, and a stranger": ((1,), 1, (2, 1), True),
    "1 of 1, by a stranger": ((1,), 1, (2,), False),
    "unsigned": ((1,), 1, (), False),
    "2 of 2": ((1, 2), 2, (1, 2), True),
    "2 of 2, in another order": ((1, 2), 2, (2, 1), True),
    "1 of 2, by the second": ((1, 2), 1, (2,), True),
    "2 of 2, by one": ((1, 2), 2, (2,), False),
    "3 of 5": ((1, 2, 3, 4, 5), 3, (5, 3, 1), True),
    "3 of 5, by two and strangers": ((1, 2, 3, 4, 5), 3, (5, 3, 6, 7, 8), False),
    "more than there are keys": ((1, 2), 3, (1, 2), False),
}


class Roots(Case):
    def set_keys(self, role, keys, threshold, signatures):
        for keyid in list(self.repo.root.roles[role].keyids):
            self.repo.root.revoke_key(keyid, role)
        for number in keys:
            self.repo.root.add_key(KEYS[number].public_key, role)
        self.repo.root.roles[role].threshold = threshold
        self.repo.signers[role] = [KEYS[number] for number in signatures]

    def test_chains_of_roots(self):
        for name, (versions, last) in ROOTS.items():
            with self.subTest(name):
                self.setUp()
                for number, version in enumerate(versions, 1):
                    self.repo.root.version = number
                    self.set_keys("root", *version)
                    self.repo.place("root")
                taken = self.start(self.repo.files["/metadata/1.root.json"]) and self.client.refresh()
                self.assertEqual(taken, last == len(versions), self.client.said)
                if last:
                    expected = self.repo.files[f"/metadata/{last}.root.json"]
                    self.assertEqual(self.client.stored()["root.json"], expected)

    def test_keys_and_thresholds_of_the_other_roles(self):
        for role in ("timestamp", "snapshot", "targets"):
            for name, (keys, threshold, signatures, good) in ROLES.items():
                with self.subTest(name, role=role):
                    self.setUp()
                    self.set_keys(role, keys, threshold, signatures)
                    self.repo.publish("root", role)
                    self.start()
                    self.assertEqual(self.client.refresh(), good, self.client.said)

    def test_keys_of_other_roles_are_replaced_and_the_old_ones_no_longer_count(self):
        for role in ("timestamp", "snapshot", "targets"):
            with self.subTest(role):
                self.setUp()
                self.accepts()
                old = self.repo.signers[role]
                self.repo.rotate(role)
                self.repo.publish("root", role)
                self.accepts()
                self.repo.signers[role] = old
                self.repo.publish(role)
                self.refuses()

    def test_stored_metadata_by_old_keys_is_fetched_again(self):
        self.accepts()
        self.repo.rotate("targets")
        self.repo.publish("root")
        self.refuses()
        self.repo.publish("targets")
        self.accepts()

    def test_versions_without_gap(self):
        for number in (1, 3):
            self.start()
            self.repo.root.version = number
            self.repo.files["/metadata/2.root.json"] = self.repo.metadata("root").to_bytes()
            self.refuses()
            self.assert_versions(root=1)

    def test_there_is_nothing_after_the_highest_version(self):
        self.repo.root.version = 2**64 - 1
        self.start(self.repo.place("root"))
        self.accepts()
        self.accepts()
        self.assert_versions(root=2**64 - 1, timestamp=1, snapshot=1, targets=1)

    def test_a_damaged_root_ends_it_and_those_before_stay(self):
        self.repo.publish("root")
        self.repo.publish("root")
        self.repo.files["/metadata/3.root.json"] = b"{}"
        self.refuses()
        self.assert_versions(root=2)

    def test_what_tells_that_there_is_no_newer_root(self):
        for status, good in ((403, True), (404, True), (500, False), (503, False), (401, False)):
            self.server.statuses = {"/metadata/2.root.json": status}
            self.start()
            self.assertEqual(self.client.refresh(), good, status)

    def test_other_roles_must_be_had(self):
        for path in ("timestamp.json", "1.snapshot.json", "1.targets.json"):
            for status in (403, 404, 500):
                self.server.statuses = {f"/metadata/{path}": status}
                self.start()
                self.refuses()

    def test_a_role_that_is_missing_in_root(self):
        del self.repo.root.roles["snapshot"]
        self.repo.publish("root")
        self.refuses()
        self.assert_versions(root=1)

    def test_many_roots_are_followed_256_in_a_run(self):
        for _ in range(258):
            self.repo.publish("root")
        self.accepts()
        self.assert_versions(root=257, timestamp=1, snapshot=1, targets=1)
        self.accepts()
        self.assert_versions(root=259, timestamp=1, snapshot=1, targets=1)
