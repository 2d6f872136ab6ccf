"""Each rule of the importer of advisories on small rows: `python3 -m unittest discover scripts`."""

import importlib.machinery
import importlib.util
import io
import json
import sys
import tempfile
import tomllib
import unittest
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
sys.dont_write_bytecode = True

loader = importlib.machinery.SourceFileLoader("import_advisories", str(SCRIPTS / "import-advisories"))
importer = importlib.util.module_from_spec(importlib.util.spec_from_loader("import_advisories", loader))
loader.exec_module(importer)


def row(product="DS-76xxNXI-Kx", regex=r"^DS\-76[0-9]{2}NXI\-K[0-9]+", family="nvr", **more):
    return {"product": product, "family": family, "regex": regex} | more


def cve(*rows, id="CVE-2025-66177", **more):
    return {"id": id, "title": "t", "applies_to_recorders": True, "affected": list(rows),
            "evidence": "proven", "fixed": "later"} | more


def imported(*cves):
    written, left_out = importer.render({"collected": "2026-11-22", "cves": list(cves)})
    return tomllib.loads(written), left_out


def affected(*rows, **more):
    return imported(cve(*rows, **more))[0]["advisory"][0]["affected"]


class Rows(unittest.TestCase):
    def test_bounds_and_patterns_stay_as_they_were_collected(self):
        [found] = affected(row(version_min="4.1.60", version_max="4.30.096", build_max="221220", build_min="200101"))
        self.assertEqual(found, {
            "product": "DS-76xxNXI-Kx", "family": "nvr", "models": r"^DS\-76[0-9]{2}NXI\-K[0-9]+",
            "version_min": "V4.1.60", "version_max": "V4.30.096", "build_min": "200101", "build_max": "221220",
        })
        self.assertEqual(affected(row(regex="it's"))[0]["models"], "it's")

    def test_a_series_in_words_has_no_pattern(self):
        [found] = affected(row(regex=None, build_before="230821"))
        self.assertEqual(found, {"product": "DS-76xxNXI-Kx", "family": "nvr", "build_before": "230821"})

    def test_the_last_build_that_a_finder_knew_bounds_nothing(self):
        [found] = affected(row("IPC_G3", None, "ipc", key="platform", last_vulnerable_version="5.5.160",
                               last_vulnerable_build="210416", meaning="most recent known"))
        self.assertEqual(set(found), {"product", "family", "note"})
        self.assertIn("V5.5.160 build 210416", found["note"])

    def test_what_recorders_are_affected_is_said_in_words_where_nobody_has_the_list(self):
        found = affected(row(), applies_to_recorders="some (list not obtained)",
                         unverified_recorders=[{"note": "FROM MEMORY V4.30.210"}])
        self.assertEqual([item["family"] for item in found], ["nvr", "dvr", "nvr"])
        self.assertTrue(found[0]["product"].endswith("some (list not obtained)") and "models" not in found[0])
        self.assertNotIn("MEMORY", str(found))
        for plain in [True, False, "dvr"]:
            self.assertEqual(len(affected(row(), applies_to_recorders=plain)), 1)

    def test_storage_is_left_out_and_named(self):
        storage = row("DS-A71024", "^DS-A71024", "storage", version_max="2.3.8-6")
        self.assertEqual(len(affected(row(), storage)), 1)
        file, left_out = imported(cve(storage, id="CVE-2022-28171"), cve(row()))
        self.assertEqual((left_out, len(file["advisory"])), (["CVE-2022-28171"], 1))

    def test_what_is_not_understood_stops_the_import(self):
        for wrong in [row(version_max="2.3.8-6"), row(mood="good"), row("x" * 301)]:
            with self.assertRaises(importer.AdvisoryError):
                affected(wrong)


class Advisories(unittest.TestCase):
    def test_newest_first_with_dates_and_attribution(self):
        file, _ = imported(cve(row(), id="CVE-2015-4407"), cve(row(), id="CVE-2025-66177"), cve(row(), id="CVE-2025-7"))
        self.assertEqual([a["id"] for a in file["advisory"]], ["CVE-2025-66177", "CVE-2025-7", "CVE-2015-4407"])
        self.assertEqual(file["collected"], date(2026, 11, 22))
        self.assertTrue("MITRE" in file["attribution"][0] and all(len(line) <= 300 for line in file["attribution"]))

    def test_scores_dates_sources_and_caveats(self):
        [found] = imported(cve(row(), cvss=9, kev={"added": "2026-03-05"}, vendor_range_text="before 250807"))[0]["advisory"]
        self.assertEqual((found["cvss"], found["kev_added"]), ("9.0", date(2026, 3, 5)))
        self.assertEqual(found["source"], "https://www.cve.org/CVERecord?id=CVE-2025-66177")
        self.assertEqual(found["caveats"], ["the vendor's words: before 250807", "evidence: proven"])
        [found] = imported(cve(row(), advisory="https://v/", fixed=[{"platform": "G3", "version": "5.5.8", "build": "210628"}]))[0]["advisory"]
        self.assertEqual((found["source"], found["fixed"]), ("https://v/", "G3: V5.5.8 build 210628"))
        self.assertNotIn("cvss", found)


class File(unittest.TestCase):
    def test_a_file_that_is_there_is_not_written(self):
        with tempfile.TemporaryDirectory() as scratch, redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
            data, target = Path(scratch, "cve.json"), Path(scratch, "advisories.toml")
            data.write_text(json.dumps({"collected": "2026-11-22", "cves": [cve(row(), row("b"))]}))
            self.assertEqual(importer.main([str(data), "--into", str(target)]), 0)
            self.assertIn("1 advisories, 2 rows, 0 advisories left out", out.getvalue())
            target.write_text("# edited\n")
            with self.assertRaises(SystemExit):
                importer.main([str(data), "--into", str(target)])
            self.assertEqual(target.read_text(), "# edited\n")


if __name__ == "__main__":
    unittest.main()
