"""Each rule of the importer on small rows: `python3 -m unittest discover scripts`."""

import importlib.machinery
import importlib.util
import io
import json
import random
import sys
import tempfile
import tomllib
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
sys.path.insert(0, str(SCRIPTS))
sys.dont_write_bytecode = True

import catalog_rows  # noqa: E402

loader = importlib.machinery.SourceFileLoader("import_catalog", str(SCRIPTS / "import-catalog"))
importer = importlib.util.module_from_spec(importlib.util.spec_from_loader("import_catalog", loader))
loader.exec_module(importer)


def portal(row_id, models, package="S1", version="V4.75.030", build="250508", **more):
    """A row of the vendor's portal; the other two kinds are made from it."""
    return {
        "id": row_id, "source": "vendor portal", "family": "nvr", "platform": None, "language_token": None,
        "edition_token": None, "region": None, "region_token": None, "models": models, "applies_to_folder": None,
        "firmware_version": version, "build": build, "filename": f"Firmware__{package}.zip", "package_id": package,
        "url": None, "container": "zip", "release_notes_url": None, "warnings": [],
    } | more


def listing(row_id, url, **more):
    return portal(row_id, [], package=None, source="vendor FTP", platform="K51", url=url, region="RU",
                  language_token="ML", edition_token="STD", applies_to_folder="02. I series") | more


def collection(row_id, folder, blob, **more):
    return portal(row_id, [folder], package=None, source="collection", git_blob_sha1=blob, container="dav") | more


def imported(*rows, quarantined=()):
    catalog = catalog_rows.build_catalog({"entries": list(rows), "quarantined": list(quarantined)})
    return catalog, {path: tomllib.loads(text) for path, text in importer.files(catalog, {}).items()}


def releases(files):
    return [release for path, file in files.items() if path != "quarantine.toml" for release in file["release"]]


class Names(unittest.TestCase):
    def test_model_rule(self):
        for name in ["DS-7608NI-I2/8P", "NVR-104MH-K#AUS", "iDS-9632NXI-I8/S", "DS-7604NI-Q1(B)"]:
            self.assertIsNone(catalog_rows.model_fault(name), name)
        for name in ["DS", "DS 7608", "-7608NI", "DeepinMind", "7608", "DS-7608(B", "DS-1)(", "X1×2", "A1" * 25]:
            self.assertIsNotNone(catalog_rows.model_fault(name), name)

    def test_broken_names_are_quarantined_with_reason_row_and_release(self):
        _, files = imported(portal("hk1", ["DS-7608NI-I2", "DS-7608NI-I2(2T HDD)", "DS-7608NI-I2(2T"]))
        self.assertEqual(releases(files)[0]["models"], ["DS-7608NI-I2"])
        names = files["quarantine.toml"]["name"]
        self.assertEqual([name["name"] for name in names], ["DS-7608NI-I2(2T", "DS-7608NI-I2(2T HDD)"])
        self.assertEqual(names[0]["reason"], "has unbalanced brackets")
        self.assertEqual((names[0]["rows"], names[0]["releases"]), (["hk1"], ["nvr-portal-4.75.030-250508"]))

    def test_first_half_of_a_cut_name_is_no_model_unless_listed_before(self):
        _, files = imported(portal("hk1", ["NVR-104MH-K /4P", "NVR-104MH-K"]))
        self.assertEqual(releases(files)[0]["models"], [])
        _, files = imported(portal("hk1", ["NVR-104MH-K", "NVR-104MH-K /4P"]))
        self.assertEqual(releases(files)[0]["models"], ["NVR-104MH-K"])

    def test_folder_labels_become_applies_to_and_never_models(self):
        _, files = imported(
            listing("hk1", "http://h/a.zip", models=["7600NI-G2"], applies_to_folder="NVR/[7600NI-G2]"),
            collection("hk2", "DS-7608NI-E28P", "ab" * 20),
        )
        self.assertEqual([r["models"] for r in releases(files)], [[], []])
        self.assertEqual({r["applies_to"] for r in releases(files)}, {"NVR/[7600NI-G2]", "DS-7608NI-E28P"})
        self.assertEqual({n["name"] for n in files["quarantine.toml"]["name"]}, {"7600NI-G2", "DS-7608NI-E28P"})


class Packages(unittest.TestCase):
    def test_rows_of_one_package_number_are_one_release(self):
        catalog, files = imported(
            portal("hk1", ["DS-1A", "DS-2A"], warnings=["careful"]), portal("hk2", ["ds-2a", "DS-3A"], source="other")
        )
        (release,) = releases(files)
        self.assertEqual(release["models"], ["DS-1A", "DS-2A", "DS-3A"])
        self.assertEqual(release["sources"], ["vendor portal", "other"])
        self.assertEqual((release["warnings"], release["package"]), (["careful"], "S1"))
        self.assertIn("2 rows, 1 packages in 1 files, 3 models", importer.summary(catalog, 1))

    def test_rows_of_one_blob_or_one_url_however_spelled_are_one_release(self):
        _, files = imported(
            collection("hk1", "DS-A1", "aa"), collection("hk2", "DS-B1", "aa"),
            listing("hk3", "http://Host/a%20b.zip"), listing("hk4", "http://host/a%20%62.zip"),
            listing("hk5", "http://host/c.zip", build="250509"),
        )
        self.assertEqual(len(releases(files)), 3)
        self.assertIn("DS-A1; DS-B1", [release["applies_to"] for release in releases(files)])

    def test_keys_chain(self):
        groups = catalog_rows.merge([
            portal("hk1", [], package="S1"), portal("hk2", [], package=None, url="http://h/a"),
            portal("hk3", [], package="S1", url="http://h/a"),
        ])
        self.assertEqual([[row["id"] for row in group] for group in groups], [["hk1", "hk2", "hk3"]])

    def test_older_portal_files_go_by_their_file_name(self):
        rows = [portal(f"hk{n}", [f"DS-{n}A"], package=None, filename=name) for n, name in enumerate(["u.zip", "u.zip", "v.zip"])]
        _, files = imported(*rows)
        self.assertEqual(sorted(release["package"] for release in releases(files)), ["u", "v"])

    def test_rows_that_disagree_quarantine_the_package(self):
        for fact in [{"build": "250509"}, {"firmware_version": "V4.75.031"}, {"family": "dvr"}, {"region_token": "Asia"}]:
            with self.subTest(fact):
                other = portal("hk1", ["DS-1A"], region_token="En")
                catalog, files = imported(other, portal("hk2", ["DS-2A"], **{"region_token": "En"} | fact))
                self.assertEqual(releases(files), [])
                (package,) = files["quarantine.toml"]["package"]
                self.assertEqual((package["package"], package["rows"]), ("S1", ["hk1", "hk2"]))
                self.assertIn("(hk2)", package["reason"])
                self.assertIn("1 packages quarantined", importer.summary(catalog, 0))

    def test_the_data_s_own_quarantine_is_left_out_and_counted(self):
        catalog, files = imported(portal("hk1", ["DS-1A"]), quarantined=[portal("", ["DS-9Z"])])
        self.assertNotIn("DS-9Z", str(files))
        self.assertIn("1 rows left out", importer.summary(catalog, 1))


class Facts(unittest.TestCase):
    def test_region_is_what_the_file_name_says_not_where_it_was_listed(self):
        for row, region in [
            (listing("hk1", "http://h/a"), None),
            (listing("hk1", "http://h/a", region_token="RU"), "RU"),
            (listing("hk1", "http://h/a", platform="K8A3_EUROPE"), "EU"),
            (listing("hk1", "http://h/a", platform="K31_海外标配", region_token="OVERSEAS"), "OVERSEAS"),
            (portal("hk1", [], region="ASIA", region_token="Asia"), "ASIA"),
            (portal("hk1", [], region_token="Europe"), "EU"),
        ]:
            self.assertEqual(releases(imported(row)[1])[0].get("region"), region, row)

    def test_notes_of_another_version_are_a_warning(self):
        own = ["http://h/1/V4.75.030_n.pdf", "http://h/2/V4.75.030_n.pdf"]
        other = "http://h/1/V4.30.091%20n.pdf"
        _, files = imported(*(portal(f"hk{n}", ["DS-1A"], release_notes_url=url) for n, url in enumerate([other, *own])))
        self.assertIn(releases(files)[0]["notes"], own)
        self.assertEqual(releases(files)[0]["warnings"], [f"listed with release notes of another version: {other}"])
        _, files = imported(portal("hk1", ["DS-1A"], release_notes_url=other))
        self.assertNotIn("notes", releases(files)[0])
        self.assertEqual(len(releases(files)[0]["warnings"]), 1)
        _, files = imported(portal("hk1", ["DS-1A"], release_notes_url="http://h/unversioned.pdf"))
        self.assertEqual(releases(files)[0]["notes"], "http://h/unversioned.pdf")

    def test_only_rows_without_a_url_point_to_the_portal_page(self):
        _, files = imported(portal("hk1", []), listing("hk2", "http://h/a"), collection("hk3", "DS-1A", "aa"))
        pages = {release["sources"][0]: "page" in release for release in releases(files)}
        self.assertEqual(pages, {"vendor portal": True, "vendor FTP": False, "collection": False})


class LinesAndIds(unittest.TestCase):
    def test_lines_are_lower_case_ascii(self):
        for token, line in [("K51_A8_X", "k51-a8-x"), ("(76_SE,V,VP)BL", "76-se-v-vp-bl"), ("K35_海外标配", "k35-overseas"), ("K9ß", "k9-udf")]:
            _, files = imported(listing("hk1", "http://h/a", platform=token))
            self.assertIn(f"nvr/{line}.toml", files)
        self.assertIn("nvr/portal.toml", imported(portal("hk1", []))[1])
        self.assertIn("nvr/collection.toml", imported(collection("hk1", "A1", "aa"))[1])

    def test_two_platforms_never_share_a_line(self):
        with self.assertRaises(catalog_rows.CatalogError):
            imported(listing("hk1", "http://h/a", platform="K51_X"), listing("hk2", "http://h/b", platform="K51-X"))

    def test_ids_tell_packages_apart_only_where_they_must(self):
        _, files = imported(
            portal("hk1", [], package="S1"), portal("hk2", [], package="S2"), portal("hk3", [], package="S3", build="250509"),
            collection("hk4", "A1", "0123456789"), collection("hk5", "A2", "abcdef0123"),
        )
        self.assertEqual([release["id"] for release in releases(files)], [
            "nvr-collection-4.75.030-250508-01234567", "nvr-collection-4.75.030-250508-abcdef01",
            "nvr-portal-4.75.030-250508-s1", "nvr-portal-4.75.030-250508-s2", "nvr-portal-4.75.030-250509",
        ])

    def test_the_order_of_rows_changes_nothing(self):
        rows = [portal(f"hk{n}", [f"DS-{n}A", "DS-7A"], package=f"S{n % 3}", version=f"V4.{n % 3}.9") for n in range(9)]
        rows += [listing("hka", "http://h/a"), listing("hkb", "http://h/b"), listing("hkc", "http://H/%61")]
        texts = importer.files(imported(*rows)[0], {})
        for seed in range(20):
            random.Random(seed).shuffle(rows)
            self.assertEqual(importer.files(imported(*rows)[0], {}), texts)

    def test_releases_stand_in_numeric_order_of_version_then_build(self):
        _, files = imported(*(portal(v + b, [], package=v + b, version=v, build=b) for v, b in
                              [("V4.10.0", "200101"), ("V4.9.0", "210101"), ("V4.9.0", "200101")]))
        self.assertEqual([(r["version"], r["build"]) for r in releases(files)],
                         [("V4.9.0", "200101"), ("V4.9.0", "210101"), ("V4.10.0", "200101")])


class Folder(unittest.TestCase):
    def run_into(self, target):
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch, "catalog.json")
            source.write_text(json.dumps({"entries": [portal("hk1", ['DS-1A'], warnings=['say "no"\n'])], "quarantined": []}))
            with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
                return importer.main([str(source), "--into", str(target)]), out.getvalue()

    def test_writes_into_an_empty_folder_only(self):
        with tempfile.TemporaryDirectory() as target:
            code, out = self.run_into(target)
            self.assertEqual(code, 0)
            self.assertIn("1 rows, 1 packages in 1 files, 1 models", out)
            written = Path(target, "nvr/portal.toml").read_text()
            self.assertEqual(tomllib.loads(written)["release"][0]["warnings"], ['say "no"\n'])
            Path(target, "nvr/portal.toml").write_text(written + "# pinned\n")
            with self.assertRaises(SystemExit) as refused:
                self.run_into(target)
            self.assertEqual(refused.exception.code, 2)
            self.assertTrue(Path(target, "nvr/portal.toml").read_text().endswith("# pinned\n"))


if __name__ == "__main__":
    unittest.main()
