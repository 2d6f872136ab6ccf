"""Metadata is good until it expires; what is stored may have expired when something newer replaces it."""

from datetime import timedelta

from conformance.case import Case
from conformance.simulator import NOW

PAST = NOW - timedelta(days=5)


def in_days(days):
    return NOW + timedelta(days=days)


class Expiry(Case):
    def test_each_role_expires(self):
        # what was verified before it is kept
        kept_before = {"root": (), "timestamp": (), "snapshot": ("timestamp",), "targets": ("timestamp", "snapshot")}
        for role, kept in kept_before.items():
            with self.subTest(role):
                self.setUp()
                self.repo.signed[role].expires = PAST
                self.repo.publish("root", "targets")
                self.refuses()
                self.assert_versions(root=2, **dict.fromkeys(kept, 2))

    def test_it_is_the_time_of_the_run_that_counts(self):
        self.accepts(days=29)
        self.accepts()
        self.refuses(days=31)
        self.assert_versions(root=1, timestamp=1, snapshot=1, targets=1)

    def test_a_stored_role_that_expired_is_replaced_by_a_newer_one(self):
        for role in ("root", "timestamp", "snapshot", "targets"):
            with self.subTest(role):
                self.setUp()
                self.repo.signed[role].expires = in_days(7)
                self.repo.publish("root", "targets")
                self.accepts()
                self.refuses(days=8)
                self.repo.signed[role].expires = in_days(20)
                self.repo.publish(role)
                self.accepts(days=8)

    def test_an_intermediate_root_may_have_expired(self):
        self.repo.root.expires = PAST
        self.repo.publish("root")
        self.repo.root.expires = in_days(5)
        self.repo.publish("root")
        self.accepts()
        self.assert_versions(root=3, timestamp=1, snapshot=1, targets=1)

    def test_a_first_root_may_have_expired(self):
        self.repo.root.expires = PAST
        self.start(self.repo.place("root"))
        self.repo.root.expires = in_days(5)
        self.repo.publish("root")
        self.accepts()

    def test_stored_metadata_that_expired_still_guards_against_older_versions(self):
        for role in ("timestamp", "snapshot", "targets"):
            with self.subTest(role):
                self.setUp()
                self.repo.signed[role].expires = in_days(7)
                self.repo.signed[role].version = 5
                self.repo.publish("targets", "snapshot", "timestamp")
                self.accepts()
                self.repo.signed[role].expires = in_days(20)
                self.repo.signed[role].version = 2
                if role == "timestamp":
                    self.repo.place(role)
                else:
                    self.repo.publish(role)
                self.refuses(days=8)

    def test_a_delegated_role_expires(self):
        self.repo.delegate("targets", "other")
        self.repo.approve("file", b"content", "other")
        self.repo.signed["other"].expires = in_days(7)
        self.repo.publish("targets", "other")
        self.accepts("file")
        self.refuses("file", days=8)
        self.accepts(days=8)
