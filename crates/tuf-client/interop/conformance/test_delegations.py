"""The search for a target along delegations: who is asked, in which order, under which name."""

from hashlib import sha256
from urllib.parse import quote

from conformance.case import Case

# name: (delegations, in which order the delegated roles are visited for a target that nobody has);
# `!` ends the search, `=*.py` is a pattern that the target does not match
GRAPHS = {
    "none": ("", ""),
    "one": ("targets>A", "A"),
    "two of one": ("targets>A targets>B", "A B"),
    "two levels": ("targets>A targets>B B>C", "A B C"),
    "depth before breadth": ("targets>A targets>B A>C A>D", "A C D B"),
    "three levels": ("targets>A targets>B A>C C>D", "A C D B"),
    "terminating ends all but what is below": ("targets>A targets>B A>C! A>D", "A C"),
    "terminating, and below it": ("targets>A targets>B A>C! C>D", "A C D"),
    "terminating at the top": ("targets>A! targets>B A>C", "A C"),
    "terminating at the end": ("targets>A targets>B! targets>C", "A B"),
    "terminating without a match ends nothing": ("targets>A!=*.py targets>B", "B"),
    "no match, nothing below": ("targets>A=*.py targets>B A>C", "B"),
    "no match at the second level": ("targets>A targets>B A>C=*.py C>D", "A B"),
    "circle": ("targets>A targets>B B>C C>D D>B", "A B C D"),
    "circle of one": ("targets>A A>A targets>B", "A B"),
    "circle to the top of two": ("targets>A A>B B>A targets>C", "A B C"),
    "two ways to one role": ("targets>A targets>B A>C B>C", "A C B"),
    "two ways to one role, the first without a match": ("targets>A targets>B A>C=*.py B>C", "A B C"),
    "terminating after it was visited": ("targets>A targets>B A>C! B>D", "A C"),
}

# the characters that must be encoded, those that must not, and names that would wander
NAMES = (
    "?", "#", "/delegatedrole", "../delegatedrole", ".", "..", "%2F", "a b", "é", "a&b=c;d", "~_-.", "1.root",
    "root.json",
)

MATCHES = {
    ("*", "a"): True, ("*", "a/b"): False, ("*/*", "a/b"): True, ("*/*", "a"): False, ("a/*", "a/b"): True,
    ("a/*", "a/b/c"): False, ("a/b?", "a/b1"): True, ("a/b?", "a/b"): False, ("a/b?", "a/b12"): False,
    ("a*.img", "a-1.img"): True, ("a*.img", "a.image"): False, ("a/b", "a/b"): True, ("a", "A"): False,
    ("*.img", ".img"): True, ("a-version-?.img", "a-version-é.img"): True, ("", "a"): False,
}


class Delegated(Case):
    def test_graphs_are_searched_in_pre_order(self):
        for name, (delegations, visited) in GRAPHS.items():
            with self.subTest(name):
                self.setUp()
                roles = {"targets": None}
                for parent, _, rest in (delegation.partition(">") for delegation in delegations.split()):
                    role, _, pattern = rest.partition("=")
                    paths = [pattern or "*"]
                    self.repo.delegate(parent, role.rstrip("!"), role.endswith("!"), paths=paths)
                    roles[role.rstrip("!")] = None
                self.repo.publish(*roles)
                self.accepts()
                self.refuses("file")
                asked = [f"2.{role}.json" for role in visited.split()]
                self.assert_asked("2.root.json", "timestamp.json", *asked)
                versions = dict.fromkeys(visited.split(), 2)
                self.assert_versions(root=1, timestamp=2, snapshot=2, targets=2, **versions)

    def test_the_first_who_approves_is_believed(self):
        for role in ("A", "B", "C"):
            self.repo.delegate("targets", role)
        for role in ("B", "C"):
            self.repo.approve("file", f"by {role}".encode(), role)
        self.repo.publish("targets", "A", "B", "C")
        self.accepts("file")
        self.assertEqual(self.client.downloaded("file"), b"by B")
        self.assert_versions(root=1, timestamp=2, snapshot=2, targets=2, A=2, B=2)

    def test_a_role_is_not_believed_beyond_its_paths(self):
        self.repo.delegate("targets", "A", paths=["a/*"])
        for name in ("a/file", "file"):
            self.repo.approve(name, b"content", "A")
        self.repo.publish("targets", "A")
        self.accepts("a/file")
        self.refuses("file")

    def test_patterns(self):
        for (pattern, name), good in MATCHES.items():
            with self.subTest(pattern, name=name):
                self.setUp()
                self.repo.delegate("targets", "A", paths=[pattern])
                self.repo.approve(name, b"content", "A")
                self.repo.publish("targets", "A")
                self.assertEqual(self.client.download(name), good)

    def test_bins_by_the_beginning_of_a_hash(self):
        digest = sha256("a/file".encode()).hexdigest()
        for prefixes, good in (([digest[:1]], True), ([digest], True), (["", "zz"], True), ([digest[1:]], False),
                               ([f"{digest}0"], False), ([], False)):
            with self.subTest(prefixes):
                self.setUp()
                self.repo.delegate("targets", "A", path_hash_prefixes=prefixes)
                self.repo.approve("a/file", b"content", "A")
                self.repo.publish("targets", "A")
                self.assertEqual(self.client.download("a/file"), good)

    def test_any_name_of_a_role_is_one_file_name(self):
        for name in NAMES:
            with self.subTest(name):
                self.setUp()
                self.repo.delegate("targets", name)
                self.repo.approve("file", b"content", name)
                self.repo.publish("targets", name)
                self.accepts("file")
                self.assertEqual(self.server.requests[-2], f"/metadata/2.{quote(name, '')}.json")
                self.assert_versions(**{"root": 1, "timestamp": 2, "snapshot": 2, "targets": 2, name: 2})
                self.assertEqual(
                    {path.name for path in self.client.directory.iterdir()} - {"given"}, {"metadata", "targets"}
                )

    def test_delegated_metadata_is_asked_for_when_it_is_needed_and_once(self):
        self.repo.delegate("targets", "A")
        self.repo.approve("file", b"content", "A")
        self.repo.publish("targets", "A")
        self.accepts()
        self.assert_versions(root=1, timestamp=2, snapshot=2, targets=2)
        self.accepts("file", "file")
        self.assertEqual(self.server.requests.count("/metadata/2.A.json"), 1)
        self.accepts("file")
        self.assert_asked("2.root.json", "timestamp.json")

    def test_the_keys_of_a_delegation_are_those_that_count(self):
        self.repo.delegate("targets", "A")
        self.repo.approve("file", b"content", "A")
        for signers in ([], self.repo.signers["targets"]):
            good, self.repo.signers["A"] = self.repo.signers["A"], signers
            self.repo.publish("targets", "A")
            self.refuses("file")
            self.repo.signers["A"] = good
        self.repo.publish("A")
        self.accepts("file")

    def test_a_delegated_role_that_the_snapshot_does_not_list(self):
        self.repo.delegate("targets", "A")
        self.repo.approve("file", b"content", "A")
        self.repo.publish("targets", "A")
        del self.repo.snapshot.meta["A.json"]
        self.repo.publish("snapshot")
        self.accepts()
        self.refuses("file")
        self.assertNotIn("A.json", self.client.stored())

    def test_a_delegated_role_is_held_to_version_hash_and_length(self):
        self.repo.delegate("targets", "A")
        self.repo.approve("file", b"content", "A")
        self.repo.publish("targets", "A")
        listed = self.repo.snapshot.meta["A.json"]
        for attribute, wrong in (("version", 1), ("hashes", {"sha256": "0" * 64}), ("length", listed.length - 1)):
            with self.subTest(attribute):
                right = getattr(listed, attribute)
                setattr(listed, attribute, wrong)
                self.repo.publish("snapshot")
                self.start()
                self.refuses("file")
                setattr(listed, attribute, right)

    def test_32_roles_are_visited_and_no_more(self):
        roles = [f"r{number}" for number in range(34)]
        for role in roles:
            self.repo.delegate("targets", role)
        for index in (31, 32):
            self.repo.approve(f"file {index}", b"content", roles[index])
        self.repo.publish("targets", *roles)
        self.accepts("file 31")
        self.refuses("file 32")
        files = [f"{role}.json" for role in roles]
        self.assertEqual(self.client.stored().keys() & set(files), set(files[:32]))

    def test_names_that_a_delegated_role_must_not_have(self):
        for name in ("root", "timestamp", "snapshot", "targets", ""):
            with self.subTest(name):
                self.setUp()
                self.repo.delegate("targets", "otherwise")
                self.repo.targets.delegations.roles["otherwise"].name = name
                self.repo.publish("targets", "otherwise")
                self.refuses()
