"""No version is ever older than one seen before, unless the keys that vouched for it were replaced."""

from conformance.case import Case


class Rollback(Case):
    def seen(self, **versions):
        """The client has seen these versions."""
        for role, version in versions.items():
            self.repo.signed[role].version = version - 1
        self.repo.publish(*versions)
        self.accepts()

    def test_an_older_timestamp(self):
        self.seen(timestamp=5)
        self.repo.timestamp.version = 4
        self.repo.place("timestamp")
        self.refuses()
        self.assert_versions(root=1, timestamp=5, snapshot=1, targets=1)

    def test_an_older_snapshot(self):
        self.seen(snapshot=5)
        self.repo.snapshot.version = 3
        self.repo.publish("snapshot")
        self.refuses()
        self.assert_versions(root=1, timestamp=2, snapshot=5, targets=1)

    def test_older_targets(self):
        self.seen(targets=5)
        self.repo.targets.version = 3
        self.repo.publish("targets")
        self.refuses()

    def test_older_targets_whose_snapshot_has_another_hash_than_the_stored_one(self):
        self.seen(targets=5, snapshot=5)
        for with_hashes in (True, False):
            self.repo.targets.version = 3
            self.repo.with_hashes = self.repo.with_lengths = with_hashes
            self.repo.publish("targets")
            self.refuses()

    def test_a_delegated_role_that_is_older_or_gone(self):
        self.repo.delegate("targets", "other")
        self.repo.approve("file", b"content", "other")
        self.repo.signed["other"].version = 5
        self.repo.publish("targets", "other")
        self.accepts("file")
        listed = self.repo.snapshot.meta.pop("other.json")
        self.repo.publish("snapshot")
        self.refuses()
        self.repo.snapshot.meta["other.json"] = listed
        self.repo.signed["other"].version = 3
        self.repo.publish("other")
        self.refuses()

    def test_a_timestamp_of_the_same_version_changes_nothing(self):
        self.seen(timestamp=5)
        before = self.client.stored()
        self.repo.timestamp.snapshot_meta.version = 100
        self.repo.place("timestamp")
        self.accepts()
        self.assert_asked("2.root.json", "timestamp.json")
        self.assertEqual(self.client.stored(), before)

    def test_recovery_by_new_keys_of_whoever_lists_the_role(self):
        both = ("snapshot", "timestamp")
        for role, rotated in (("timestamp", ("timestamp",)), ("snapshot", both), ("targets", ("snapshot",))):
            with self.subTest(role):
                self.setUp()
                self.seen(**{role: 99999})
                for one in rotated:
                    self.repo.rotate(one)
                self.repo.signed[role].version = 1
                self.repo.publish("root", role)
                self.accepts()
                self.assert_versions(**{role: signed.version for role, signed in self.repo.signed.items()})

    def test_no_recovery_without_new_keys(self):
        self.seen(timestamp=99999)
        self.repo.timestamp.version = 1
        self.repo.publish("root", "timestamp")
        self.refuses()

    def test_the_listed_version_is_the_only_one(self):
        for role, role_that_lists in (("snapshot", "timestamp"), ("targets", "snapshot")):
            for by in (1, -1):
                with self.subTest(role, by=by):
                    self.setUp()
                    self.repo.signed[role].version = 5
                    data = self.repo.metadata(role).to_bytes()
                    self.repo.signed[role].version += by
                    # under the name of the listed version
                    self.repo.place(role, data=data)
                    listing = self.repo.listing(role, data)
                    if role == "targets":
                        self.repo.snapshot.meta["targets.json"] = listing
                    else:
                        self.repo.timestamp.snapshot_meta = listing
                    self.repo.signed[role_that_lists].version += 1
                    if role == "targets":
                        self.repo.publish("snapshot")
                    else:
                        self.repo.place("timestamp")
                    self.refuses()

    def test_the_listed_hash_and_length_are_the_only_ones(self):
        for role in ("snapshot", "targets"):
            for spoil in ("hashes", "length"):
                with self.subTest(role, spoil=spoil):
                    self.setUp()
                    listed = self.repo.snapshot.meta["targets.json"]
                    if role == "snapshot":
                        listed = self.repo.timestamp.snapshot_meta
                    if spoil == "hashes":
                        listed.hashes["sha256"] = "0" * 64
                    else:
                        listed.length -= 1
                    if role == "targets":
                        self.repo.publish("snapshot")
                    else:
                        self.repo.place("timestamp")
                    self.refuses()
