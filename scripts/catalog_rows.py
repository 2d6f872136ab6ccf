"""What the rows of the collected catalogue mean: names, packages, regions, ids.

Rows are the same package if they share the vendor's name of it, the content id of the file, or the
URL; the release then has the models of all of them. Rows that disagree about such a package are
never reconciled: the package is set aside.

What may be called a model decides what may be flashed, so only the vendor's own "applied to" lists
give models. Rows with a URL carry the label of the folder they lie in, rows of the third-party
collection a folder name that lost its slashes: both become `applies_to`, which is for people.

Region is what the file name says. The country of a listing says where a file was seen and is
dropped: most files on the Russian server are the same multi-language builds as elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Row = dict[str, Any]

# Region words of vendor file names, spelled as the data spells them where it reads them itself.
REGIONS = {"RUSSIA": "RU", "HILOOKEUROPE": "EU", "EUROPE": "EU", "HILOOKASIA": "ASIA", "海外标配": "OVERSEAS"}
# Facts that all rows of one package must agree on, where they state them.
FACTS = ("family", "platform", "language_token", "edition_token", "region", "firmware_version", "build", "container")


class CatalogError(Exception):
    """The data cannot become a catalogue without guessing."""


@dataclass
class Names:
    """What the model column of one package amounts to: (name, row id) pairs, and reasons."""

    models: list[str] = field(default_factory=list)
    applies_to: list[str] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)  # name, reason, row id


@dataclass
class Release:
    """One package: the facts its rows agree on, and the names they list."""

    rows: list[Row]
    facts: dict[str, Any]
    line: str
    names: Names
    id: str = ""


@dataclass
class Catalog:
    """Everything that is written, and everything that is not."""

    releases: list[Release]
    conflicts: list[tuple[str, str, list[str]]]  # package, reason, row ids
    rows: int
    left_out: int


# --- names -----------------------------------------------------------------------------------


def model_fault(name: str) -> str | None:
    """Why a name is no model name; the rule is that of `firmware::Model`."""
    if not 3 <= len(name) <= 48:
        return "is not 3 to 48 characters long"
    if not re.fullmatch(r"[A-Za-z0-9/()+.,_#*&-]+", name):
        return "holds a blank or another character that no model name has"
    if not name[0].isalnum():
        return "does not start with a letter or digit"
    if not re.search("[A-Za-z]", name) or not re.search("[0-9]", name):
        return "lacks a letter or a digit"
    depth = 0
    for char in name:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            break
    return "has unbalanced brackets" if depth else None


def portal_fault(name: str, listed_before: list[str]) -> str | None:
    """The listing cut some names in two at a blank or `×` and appended the first half later on."""
    if fault := model_fault(name):
        return fault
    halves = {re.split("[ ×]", other)[0] for other in listed_before if re.search("[ ×]", other)}
    return "may be the first half of a name that was cut at a blank" if name in halves else None


def kind(row: Row) -> str:
    """Which kind of source a row comes from, told by what it carries."""
    if row["url"]:
        return "listing"
    return "collection" if row.get("git_blob_sha1") else "portal"


def names_of(rows: list[Row]) -> Names:
    """The union over the rows, in listed order, without regard to case."""
    names = Names()
    for row in rows:
        listed: list[str] = row["models"]
        if kind(row) == "listing":
            names.applies_to.append(row["applies_to_folder"])
            names.refused += [(name, "is a folder or series label", row["id"]) for name in listed]
        elif kind(row) == "collection":
            names.applies_to += listed
            names.refused += [(name, "is a folder name that lost its slashes", row["id"]) for name in listed]
        else:
            for at, name in enumerate(listed):
                if fault := portal_fault(name, listed[:at]):
                    names.refused.append((name, fault, row["id"]))
                else:
                    names.models.append(name)
    names.models = unique(names.models)
    names.applies_to = unique(names.applies_to)
    return names


def unique(texts: Iterable[str]) -> list[str]:
    """The first spelling of each text, in order, without regard to ASCII case."""
    seen: dict[str, str] = {}
    for text in texts:
        seen.setdefault(text.upper(), text)
    return list(seen.values())


# --- packages --------------------------------------------------------------------------------


def package(row: Row) -> str | None:
    """The vendor's name of a package: its number, or for older portal files the file name."""
    if row.get("package_id"):
        return row["package_id"]
    return Path(row["filename"]).stem if kind(row) == "portal" else None


def plain_url(url: str) -> str:
    """A URL such that two spellings of one address are equal (RFC 3986 §6.2.2)."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{unquote(parts.path)}"


def keys(row: Row) -> Iterator[tuple[str, str]]:
    """What makes two rows the same package."""
    if name := package(row):
        yield "package", name
    if blob := row.get("git_blob_sha1"):
        yield "blob", blob
    if row["url"]:
        yield "url", plain_url(row["url"])


def merge(rows: list[Row]) -> list[list[Row]]:
    """Rows grouped by shared keys, transitively; groups and rows in row-id order."""
    group_of: dict[tuple[str, str], list[Row]] = {}
    groups: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        merged = [row]
        for other in {id(group_of[key]): group_of[key] for key in keys(row) if key in group_of}.values():
            del groups[id(other)]
            merged = other + merged
        groups[id(merged)] = merged
        for key in {key for member in merged for key in keys(member)}:
            group_of[key] = merged
    return [sorted(group, key=lambda row: row["id"]) for group in groups.values()]


def region(row: Row) -> str | None:
    """The region that the file name names; `海外标配` is the vendor's overseas edition."""
    if token := row["region_token"]:
        return REGIONS.get(token.upper(), token.upper())
    last_word = (row["platform"] or "").split("_")[-1]
    return REGIONS.get(last_word)


def facts_of(rows: list[Row]) -> tuple[dict[str, Any], list[str]]:
    """The facts of a package, and every fact on which its rows disagree."""
    facts: dict[str, Any] = {}
    faults = []
    for fact in FACTS:
        stated: dict[Any, str] = {}
        for row in rows:
            value = region(row) if fact == "region" else row[fact]
            if value is not None:
                stated.setdefault(value, row["id"])
        if len(stated) > 1:
            faults.append(f"{fact}: " + ", ".join(f"{value} ({row})" for value, row in stated.items()))
        facts[fact] = next(iter(stated), None)
    return facts, faults


def notes_of(rows: list[Row], version: str) -> tuple[str | None, list[str]]:
    """The release notes of a package. A document that names other versions only is not taken for
    them: the listing may have put models and package together wrongly, which a warning says."""
    # one document is uploaded several times, under folders of different dates
    documents = {url.rsplit("/", 1)[-1]: url for url in sorted({r["release_notes_url"] for r in rows} - {None})}
    versions = {name: re.findall(r"\d+\.\d+\.\d+", unquote(name)) for name in documents}
    own = [url for name, url in documents.items() if not versions[name] or version.lstrip("V") in versions[name]]
    others = [url for url in documents.values() if url not in own]
    return own[0] if own else None, [f"listed with release notes of another version: {url}" for url in others]


# --- lines and ids ---------------------------------------------------------------------------


def line_of(rows: list[Row], platform: str | None) -> str:
    """The file a release belongs in: its platform token in lower-case ASCII."""
    if not platform:
        return "collection" if kind(rows[0]) == "collection" else "portal"
    spelled = platform.replace("海外标配", "overseas").lower()
    ascii_only = "".join(c if c.isascii() else f"-u{ord(c):x}-" for c in spelled)
    return re.sub("[^a-z0-9]+", "-", ascii_only).strip("-")


def tell_apart(release: Release) -> str:
    """A suffix for releases of one line, version and build; it depends on the package alone."""
    row = release.rows[0]
    if row.get("package_id"):
        return row["package_id"].lower()
    if row.get("git_blob_sha1"):
        return row["git_blob_sha1"][:8]
    return hashlib.sha256((package(row) or plain_url(row["url"])).encode()).hexdigest()[:8]


def name_releases(releases: list[Release]) -> None:
    """Gives every release its id and makes sure that it is unique and well formed."""
    alike: dict[str, list[Release]] = defaultdict(list)
    for release in releases:
        facts = release.facts
        version = facts["firmware_version"].lstrip("V")
        alike[f"{facts['family']}-{release.line}-{version}-{facts['build']}"].append(release)
    for base, same in alike.items():
        for release in same:
            release.id = base if len(same) == 1 else f"{base}-{tell_apart(release)}"
    for name, count in Counter(release.id for release in releases).items():
        if count > 1 or not re.fullmatch("[a-z0-9.-]{1,60}", name):
            raise CatalogError(f"release id {name!r}: used {count} times, or not of the form [a-z0-9.-]{{1,60}}")


def check_lines(releases: list[Release]) -> None:
    """Two platform tokens in one file would make one line out of two."""
    tokens: dict[tuple[str, str], str | None] = {}
    for release in releases:
        place = (release.facts["family"], release.line)
        if tokens.setdefault(place, release.facts["platform"]) != release.facts["platform"]:
            raise CatalogError(f"line {place}: platforms {tokens[place]!r} and {release.facts['platform']!r} both")


def build_catalog(data: dict[str, Any]) -> Catalog:
    """Everything but reading and writing files."""
    catalog = Catalog([], [], len(data["entries"]), len(data["quarantined"]))
    for rows in merge(data["entries"]):
        facts, faults = facts_of(rows)
        if faults:
            catalog.conflicts.append((next(keys(rows[0]))[1], "; ".join(faults), [row["id"] for row in rows]))
        else:
            line = line_of(rows, facts["platform"])
            catalog.releases.append(Release(rows, facts, line, names_of(rows)))
    check_lines(catalog.releases)
    name_releases(catalog.releases)
    return catalog
