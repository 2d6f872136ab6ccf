"""Documents that nobody's library would write: which of them are metadata all the same, and which are not."""

import json

from conformance.case import Case

ROLES = ("root", "timestamp", "snapshot", "targets")


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def field(**fields):
    return lambda signed: signed.update(fields)


def without(name):
    return lambda signed: signed.pop(name)


def member(name, value):
    """Beside `signed` and `signatures`."""
    return lambda data: json.dumps(json.loads(data) | {name: value}).encode()


# before it is signed
GOOD = {
    "unknown fields": field(x=[None, True, {"a": ""}], custom={"b": {}}),
    "the largest and the smallest numbers": field(x=[0, -1, 2**53 + 1, 2**63, 2**64 - 1, -(2**63)]),
    "some depth": field(x=nested(60)),
    "text of all kinds": field(x="\"\\/\b\n\t\x00\x7f é 中 \U0001f600 \ufeff", **{"ключ\n": 1}),
    "empty names": field(**{"": {"": ""}}),
}
BAD = {
    "a fraction": field(x=1.5),
    "a fraction that is whole": field(x=1.0),
    "a power": field(x=1e3),
    "version 0": field(version=0),
    "version -1": field(version=-1),
    "a version in words": field(version="2"),
    "a version with a fraction": field(version=2.0),
    "no version": without("version"),
    "no kind": without("_type"),
    "another kind": field(_type="mirrors"),
    "no specification": without("spec_version"),
    "a specification that is none": field(spec_version="1"),
    "no expiry": without("expires"),
    "an expiry without zone": field(expires="2090-01-01T00:00:00"),
    "an expiry in another zone": field(expires="2090-01-01T00:00:00+02:00"),
    "an expiry with fractions": field(expires="2090-01-01T00:00:00.5Z"),
    "an expiry with fewer digits": field(expires="2090-1-1T0:0:0Z"),
    "a day that never comes": field(expires="2090-02-30T00:00:00Z"),
    "an expiry in seconds": field(expires=3786912000),
    "no meaning": lambda signed: [signed.pop(name, None) for name in ("roles", "meta", "targets")],
}

# after that
SPELLED_WELL = {
    "with white space": lambda data: json.dumps(json.loads(data), indent="\r\n \t").encode() + b"\n\n ",
    "in another order": lambda data: json.dumps(dict(reversed(json.loads(data).items()))).encode(),
    "with escapes": lambda data: data.replace(b'"_type"', b'"\\u005ftype"').replace(b'"signed"', b'"s\\u0069gned"'),
    "with more members": member("x", [{}, 1.5]),
}
SPELLED_BADLY = {
    "empty": lambda data: b" ",
    "cut": lambda data: data[:-1],
    "followed by more": lambda data: data + b"{}",
    "followed by a zero": lambda data: data + b"\0",
    "with a mark before it": lambda data: b"\xef\xbb\xbf" + data,
    "not in UTF-8": lambda data: data.replace(b'"_type"', b'"\xff": 1, "_type"'),
    "in UTF-16": lambda data: data.decode().encode("utf-16"),
    "with half a character": lambda data: data.replace(b'"_type"', b'"x": "\\ud800", "_type"'),
    "with single quotes": lambda data: data.replace(b'"', b"'"),
    "with a comma too many": lambda data: data.replace(b"}]", b"},]"),
    "with a comment": lambda data: data + b"// end",
    "with a number that is none": lambda data: data.replace(b'"_type"', b'"x": NaN, "_type"'),
    "with a field that was not signed": lambda data: data.replace(b'"_type"', b'"x": 1, "_type"'),
    "in a list": lambda data: b"[" + data + b"]",
    "nothing": lambda data: b"null",
    "of a depth that would end a stack": lambda data: b"[" * 15_000,
    "deep in a field": lambda data: data.replace(b'"_type"', b'"x": ' + b"[" * 5000 + b"]" * 5000 + b', "_type"'),
    "without signatures": lambda data: json.dumps({"signed": json.loads(data)["signed"]}).encode(),
    "with an empty list of them": member("signatures", []),
    "with a text in their place": member("signatures", "all"),
    "with a signature that is none": member("signatures", [5]),
    "with a signature without key": member("signatures", [{"sig": "00"}]),
    "with the signed part in a text": lambda data: member("signed", json.dumps(json.loads(data)["signed"]))(data),
    "with the signed part in a list": lambda data: member("signed", [json.loads(data)["signed"]])(data),
}


class Documents(Case):
    def taken(self, change=lambda signed: None, spell=lambda data: data):
        """Whether the client takes every role that was changed so, or none."""
        outcomes = set()
        for role in ROLES:
            self.setUp()
            self.repo.by_hand(role, change, spell)
            outcomes.add(self.client.refresh())
        self.assertEqual(len(outcomes), 1, f"{role}: {self.client.said}")
        return outcomes.pop()

    def test_signed_parts(self):
        for changes, good in ((GOOD, True), (BAD, False)):
            for name, change in changes.items():
                with self.subTest(name):
                    self.assertEqual(self.taken(change), good, self.client.said)

    def test_spellings(self):
        for spellings, good in ((SPELLED_WELL, True), (SPELLED_BADLY, False)):
            for name, spell in spellings.items():
                with self.subTest(name):
                    self.assertEqual(self.taken(spell=spell), good, self.client.said)
