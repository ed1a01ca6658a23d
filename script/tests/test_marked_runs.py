"""Runs of the benches of marked copies: what is done stays done, what is lost is named, and what the page tells."""

import contextlib
import io
import json
import pathlib
import tempfile
import types
import unittest
from unittest import mock

from lib import marked_runs


def row(kind, seed, attack="none", **facts):
    return {"producer": kind, "seed": seed, "attack": attack, "page": None, "found": True, "wrong": 0, "accused": ["leaker"], "score": 9.25,
            "words": 800, "highestDecoy": 3.0, "calibrated": True, "seconds": 1.5} | facts


class Runs(unittest.TestCase):
    WANTED = [("scan of groff", 1), ("Cairo", 1), ("Cairo", 2)]

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.object(marked_runs, "ROOT", self.folder))
        self.enterContext(contextlib.redirect_stdout(io.StringIO()))
        (self.folder / "docs/measurements").mkdir(parents=True)
        (self.folder / "program").write_text("a program")

    def options(self, **others):
        return types.SimpleNamespace(**{"name": "trial", "program": self.folder / "program", "pages_per_document": 1, "only": [], "seed": 1,
                                        "jobs": 2, "machine": {"cpu": "a cpu"}} | others)

    def work(self, options, read):
        """What was asked for, and the log of it."""
        asked, log = [], marked_runs.Log(options)

        def noted(kind, seed, place):
            asked.append((kind, seed, place.name))
            return read(kind, seed)
        marked_runs.work_through(options, log, self.WANTED, noted, log.add)
        return sorted(asked), log

    def test_a_run_goes_on_with_what_is_not_done_yet(self):
        def first(kind, seed):
            if kind == "Cairo" and seed == 1:
                raise OSError("no such program")
            return None if seed == 2 else [row(kind, seed), row(kind, seed, "qpdf")]
        asked, log = self.work(self.options(), first)
        self.assertEqual(asked, [("Cairo", 1, "Cairo-1"), ("Cairo", 2, "Cairo-2"), ("scan of groff", 1, "scan-of-groff-1")])
        self.assertEqual((log.made, len(log.rows)), (["scan of groff 1"], 2))
        self.assertEqual(log.lost, ["Cairo 1: no such program "])
        # Killed in the middle of a document, and of a line.
        with open(log.path, "a") as file:
            file.write(json.dumps(row("Cairo", 1)) + "\n" + '{"producer": "Cai')
        asked, log = self.work(self.options(), lambda kind, seed: [row(kind, seed)])
        self.assertEqual([name for _, _, name in asked], ["Cairo-1", "Cairo-2"])
        self.assertEqual((sorted(log.made), len(log.rows), log.lost), (["Cairo 1", "Cairo 2", "scan of groff 1"], 4, []))
        self.assertEqual(self.work(self.options(), lambda kind, seed: self.fail("all are done"))[0], [])

    def test_with_another_program_seed_or_choice_it_begins_anew(self):
        def all_of_them(kind, seed):
            return [row(kind, seed)]
        self.work(self.options(), all_of_them)
        for other in ({"seed": 2}, {"only": ["qpdf"]}, {"pages_per_document": 2}):
            self.assertEqual(len(self.work(self.options(**other), all_of_them)[0]), 3, other)
        (self.folder / "program").write_text("another program")
        self.assertEqual(len(self.work(self.options(pages_per_document=2), all_of_them)[0]), 3)

    def test_the_raw_data_has_a_line_for_every_read_and_names_what_was_lost(self):
        _, log = self.work(self.options(), lambda kind, seed: [row(kind, seed)])
        log.lose("Cairo", 9, OSError("no disk"))
        marked_runs.write_raw(self.options(), log.rows, log)
        text = (self.folder / "docs/measurements/trial.json").read_text()
        raw = json.loads(text)
        self.assertEqual((raw["machine"], sorted(raw["made"]), raw["lost"]),
                         ({"cpu": "a cpu"}, ["Cairo 1", "Cairo 2", "scan of groff 1"], ["Cairo 9: no disk "]))
        self.assertEqual((len(raw["rows"]), len(text.splitlines())), (3, 5))

    def test_without_the_program_nothing_begins(self):
        with self.assertRaisesRegex(SystemExit, "is missing. Build it"):
            marked_runs.begin(self.options(program=self.folder / "nowhere"))

    def test_remarks_tell_of_decoys_failed_attacks_and_lost_documents(self):
        log = marked_runs.Log(self.options())
        rows = [row("Cairo", 1), row("Cairo", 1, "qpdf", highestDecoy=3.5, calibrated=False),
                {"producer": "Cairo", "seed": 1, "attack": "gs", "page": None, "attackFailed": "no gs"}]
        self.assertEqual(marked_runs.carried_out(rows), rows[:2])
        log.lose("Cairo", 2, OSError("no disk"))
        decoys, failed, lost = (line for line in marked_runs.remarks(rows, log) if line)
        self.assertIn("here the median is 3.25, the highest of all 2 reads 3.50; 1 reads were thrown away", decoys)
        self.assertTrue(failed.startswith("1 attacks could not be carried out"))
        self.assertTrue(lost.startswith("**1 documents were lost**"))


class Tables(unittest.TestCase):
    def test_a_share_comes_with_its_interval(self):
        rows = [row("Cairo", seed, found=seed < 8) for seed in range(10)]
        self.assertEqual(marked_runs.share(rows), ("0.800", "0.490–0.943"))

    def test_columns_are_of_the_leaker_where_accused(self):
        rows = [row("Cairo", 1, wrong=2), row("Cairo", 2, score=7.0, seconds=2.5), row("Cairo", 3, score=None, seconds=4.0)]
        self.assertEqual(marked_runs.columns(rows), ["2", "8.1", "7.0", "2.5"])
        self.assertEqual(marked_runs.columns([row("Cairo", 1, score=None)]), ["0", "", "", "1.5"])

    def test_leaks_that_no_copy_had_part_in_are_known_by_their_names(self):
        for name, innocent in (("unmarked original, 100 dpi", True), ("copy of another ledger", True), ("qpdf", False)):
            self.assertIs(marked_runs.is_innocent(name), innocent)
